/**
 * A round as bytes: RLP([signers, next, leaders, volunteer limit, epoch]); and the step from one block's round
 * to the next one's, which is usually told by the volunteer alone (spec 2.10) and then takes 20 bytes.
 */
import { decodeRlp, encodeRlp, inputError, integerBytes } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { ADDRESS_BYTES, ZERO_ADDRESS, bytesOf, hexField, hexOf, listField, safeIntegerField } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import { MAX_LEADERS, MAX_SIGNERS, applyBlock, checkRound } from '../rules/round.ts'
import type { Round } from '../rules/round.ts'

const MAX_ITEMS = 2 * MAX_SIGNERS + MAX_LEADERS + 6
const LIMITS = { maxBytes: MAX_ITEMS * (ADDRESS_BYTES + 1) + 64, maxItems: MAX_ITEMS, maxDepth: 2 }

export function encodeRound(round: Round): Uint8Array {
  const addresses = (list: readonly Address[]): RlpItem => list.map(bytesOf)
  return encodeRlp([addresses(round.signers), addresses(round.next), addresses(round.leaders), integerBytes(round.volunteerLimit), integerBytes(round.epochBlocks)])
}

/** Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeRound(bytes: Uint8Array): Round {
  const [signers, next, leaders, volunteerLimit, epochBlocks] = listField(decodeRlp(bytes, LIMITS, 'round'), 'round', 5)
  const addresses = (item: RlpItem | undefined, field: string): Address[] => listField(item, field).map((one) => hexField(one, field, ADDRESS_BYTES))
  return checkRound({
    signers: addresses(signers, 'round.signers'),
    next: addresses(next, 'round.next'),
    leaders: addresses(leaders, 'round.leaders'),
    volunteerLimit: safeIntegerField(volunteerLimit, 'round.volunteerLimit'),
    epochBlocks: safeIntegerField(epochBlocks, 'round.epochBlocks'),
  })
}

export function isSameRound(one: Round, other: Round): boolean {
  if (one === other) return true
  const isSameList = (a: readonly Address[], b: readonly Address[]): boolean => a.length === b.length && a.every((address, index) => address === b[index])
  return (
    isSameList(one.signers, other.signers) &&
    isSameList(one.next, other.next) &&
    isSameList(one.leaders, other.leaders) &&
    one.volunteerLimit === other.volunteerLimit &&
    one.epochBlocks === other.epochBlocks
  )
}

/** The block that made the step. */
export interface RoundStepOf {
  readonly number: number
  readonly signer: Address
}

/** `before`: after the parent; null where the reader will not have it. */
export function encodeRoundStep(before: Round | null, { number, signer }: RoundStepOf, after: Round): Uint8Array {
  if (before === null) return encodeRound(after)
  const named = [after.next.at(-1), after.signers[1 + before.next.length], ZERO_ADDRESS]
  const volunteer = named.find((one) => one !== undefined && isSameRound(applyBlock(before, number, signer, one).round, after))
  // Otherwise the owner changed the leaders at this block, or the round was proved anew.
  return volunteer === undefined ? encodeRound(after) : bytesOf(volunteer)
}

/** Errors: input, naming the field. */
export function decodeRoundStep(before: Round | null, { number, signer }: RoundStepOf, bytes: Uint8Array): Round {
  if (bytes.length !== ADDRESS_BYTES) return decodeRound(bytes)
  if (before === null) throw inputError('round', 'a volunteer alone', 'the whole round, where the one before is not kept')
  return applyBlock(before, number, signer, hexOf(bytes)).round
}
