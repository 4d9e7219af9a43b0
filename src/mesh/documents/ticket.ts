/**
 * What a box says of a session that it sold, so that another lets the guest in: RLP of the fields of RoamTicket, in their order,
 * without `seller`, which the signature shows.
 */
import { inputError } from '../../base/index.ts'
import type { RoamTicket } from '../ports.ts'
import { macBytes, readDocument, writeDocument } from './fields.ts'
import type { FieldReader } from './fields.ts'

export const MAX_ROAM_COUNTER = 2 ** 32
const MAX_SECONDS = 2 ** 32
const MAX_ID_BYTES = 32
const SESSION_ID = /^[0-9A-Za-z-]+$/

type TicketFacts = Omit<RoamTicket, 'seller'>

export function encodeTicket(ticket: TicketFacts): Uint8Array {
  const { sessionId, mac, bearerHash, leftSeconds, leftBytes, unitsPerMinute, token, counter, holder, proofAfterSeconds } = ticket
  // No bytes left and no bound are different: what there is has one more.
  const bound = leftBytes === null ? null : leftBytes + 1n
  const proof = proofAfterSeconds === null ? null : proofAfterSeconds + 1
  return writeDocument('ticket', [{ text: sessionId }, macBytes(mac), bearerHash, leftSeconds, bound, unitsPerMinute, token, counter, holder, proof])
}

/** Errors: input of the field that is wrong. */
export function decodeTicket(payload: Uint8Array): TicketFacts {
  return readDocument('ticket', payload, (reader) => {
    const sessionId = sessionIdOf(reader)
    const mac = reader.mac('mac')
    const bearerHash = reader.hash('bearerHash')
    const leftSeconds = reader.number('leftSeconds', 0, MAX_SECONDS)
    const bound = reader.amount('leftBytes')
    const unitsPerMinute = reader.amount('unitsPerMinute')
    const token = reader.optional('token', (each) => each.address('token'))
    const counter = reader.number('counter', 0, MAX_ROAM_COUNTER)
    const holder = reader.address('holder')
    const proof = reader.number('proofAfterSeconds', 0, MAX_SECONDS + 1)
    return { sessionId, mac, bearerHash, leftSeconds, leftBytes: bound === 0n ? null : bound - 1n, unitsPerMinute, token, counter, holder, proofAfterSeconds: proof === 0 ? null : proof - 1 }
  })
}

/** Errors: input `sessionId`. */
export function sessionIdOf(reader: FieldReader): string {
  const sessionId = reader.text('sessionId', MAX_ID_BYTES)
  if (!SESSION_ID.test(sessionId)) throw inputError('sessionId', sessionId, '1..32 letters, digits or -')
  return sessionId
}
