/**
 * Who says that a session is his, or was used at his box: RLP [form, …].
 *
 *   form 1  a guest's key moves it: seller · sessionId · counter · claimant, signed by the key whose hash is in the ticket. The counter
 *           is that of where the session is now; with the move it rises, and the claim is worth nothing any more.
 *   form 2  a box reports stays: seller · [ sessionId · counter · seconds · bytes · isIdle · isFinal ]…, signed by the box. Cumulative
 *           within a stay, so that one that is lost, repeated or overtaken changes nothing.
 */
import { inputError } from '../../base/index.ts'
import type { BoxId } from '../ports.ts'
import { readDocument, writeDocument } from './fields.ts'
import type { FieldReader } from './fields.ts'
import { MAX_ROAM_COUNTER, sessionIdOf } from './ticket.ts'

export const MAX_STAYS_A_REPORT = 32
const MOVE = 1
const STAYS = 2
const MAX_SECONDS = 2 ** 32

export interface RoamMove {
  readonly form: 'move'
  readonly seller: BoxId
  readonly sessionId: string
  readonly counter: number
  readonly claimant: BoxId
}

export interface StayReport {
  readonly sessionId: string
  readonly counter: number
  readonly seconds: number
  readonly bytes: bigint
  /** The guest was not heard lately. */
  readonly isIdle: boolean
  /** The guest was let go; nothing will be added. */
  readonly isFinal: boolean
}

export interface RoamStays {
  readonly form: 'stays'
  readonly seller: BoxId
  readonly stays: readonly StayReport[]
}

export type RoamClaim = RoamMove | RoamStays

export function encodeRoamClaim(claim: RoamClaim): Uint8Array {
  if (claim.form === 'move') return writeDocument('roam-claim', [MOVE, claim.seller, { text: claim.sessionId }, claim.counter, claim.claimant])
  const stays = claim.stays.map(({ sessionId, counter, seconds, bytes, isIdle, isFinal }) => [{ text: sessionId }, counter, seconds, bytes, isIdle ? 1 : 0, isFinal ? 1 : 0])
  return writeDocument('roam-claim', [STAYS, claim.seller, stays])
}

/** Errors: input of the field that is wrong. */
export function decodeRoamClaim(payload: Uint8Array): RoamClaim {
  return readDocument<RoamClaim>('roam-claim', payload, (reader) => {
    const form = reader.number('form', MOVE, STAYS)
    const seller = reader.address('seller')
    if (form === STAYS) return { form: 'stays', seller, stays: reader.list('stays', MAX_STAYS_A_REPORT, stayOf) }
    return { form: 'move', seller, sessionId: sessionIdOf(reader), counter: reader.number('counter', 0, MAX_ROAM_COUNTER), claimant: reader.address('claimant') }
  })
}

/** Errors: input `form`, for a claim of the other form. */
export function decodeRoamMove(payload: Uint8Array): RoamMove {
  const claim = decodeRoamClaim(payload)
  if (claim.form !== 'move') throw inputError('form', claim.form, 'move')
  return claim
}

/** As `decodeRoamMove`. */
export function decodeRoamStays(payload: Uint8Array): RoamStays {
  const claim = decodeRoamClaim(payload)
  if (claim.form !== 'stays') throw inputError('form', claim.form, 'stays')
  return claim
}

function stayOf(reader: FieldReader): StayReport {
  const flag = (field: string): boolean => reader.number(field, 0, 1) === 1
  return {
    sessionId: sessionIdOf(reader),
    counter: reader.number('counter', 0, MAX_ROAM_COUNTER),
    seconds: reader.number('seconds', 0, MAX_SECONDS),
    bytes: reader.amount('bytes'),
    isIdle: flag('isIdle'),
    isFinal: flag('isFinal'),
  }
}
