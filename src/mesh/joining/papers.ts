/**
 * What boxes show each other to be taken for members, each a sealed document.
 *
 * | paper | signed by | says |
 * |---|---|---|
 * | claim (kind `invitation`, form 2) | the key of a code | this ticket is for that box |
 * | admission (kind `invitation`, form 3) | the community | that box is a member |
 * | list (kind `expulsion`) | the community | who is expelled and which tickets are void, all of it, with a number that rises |
 *
 * The list is one document and replaces the one before: what goes round is bounded however often somebody is expelled.
 */
import { inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { openFrame, readDocument, sealFrame, writeDocument } from '../documents/index.ts'
import type { BoxId, Documents } from '../ports.ts'
import { MAX_NUMBER } from './invitation.ts'
import type { Ticket } from './invitation.ts'

const CLAIM_FORM = 2
const ADMISSION_FORM = 3
export const MAX_EXPELLED = 96
const MAX_VOID = 96
const MAX_SEQUENCE = 2 ** 40

/** The key of the code says for whom. */
export function signClaim(codeKey: Documents, ticket: Pick<Ticket, 'community' | 'number'>, box: BoxId): Uint8Array {
  return sealFrame(codeKey, 'invitation', writeDocument('claim', [CLAIM_FORM, ticket.community, ticket.number, box]))
}

/** Errors: input; `claim` where it is of another key, ticket or box. */
export function checkClaim(documents: Pick<Documents, 'signer'>, frame: Uint8Array, ticket: Ticket, box: BoxId): void {
  const { payload, signature } = openFrame(frame)
  const claim = readDocument('claim', payload, (reader) => {
    reader.number('form', CLAIM_FORM, CLAIM_FORM)
    return { community: reader.address('community'), number: reader.number('number', 1, MAX_NUMBER), box: reader.address('box') }
  })
  if (claim.community !== ticket.community || claim.number !== ticket.number || claim.box !== box) throw inputError('claim', `for ${claim.box}`, `for ${box}, by ticket ${ticket.number}`)
  if (documents.signer('invitation', payload, signature) !== ticket.key) throw inputError('claim', 'another signature', "that of the ticket's key")
}

export function signAdmission(community: Documents, box: BoxId): Uint8Array {
  return sealFrame(community, 'invitation', writeDocument('admission', [ADMISSION_FORM, community.self, box]))
}

/** Errors: input; `admission` where it is not the community's, or of another box. */
export function checkAdmission(documents: Pick<Documents, 'signer'>, frame: Uint8Array, community: Address, box: BoxId): void {
  const { payload, signature } = openFrame(frame)
  const admission = readDocument('admission', payload, (reader) => {
    reader.number('form', ADMISSION_FORM, ADMISSION_FORM)
    return { community: reader.address('community'), box: reader.address('box') }
  })
  if (admission.community !== community || admission.box !== box) throw inputError('admission', `${admission.box} to ${admission.community}`, `${box} to ${community}`)
  if (documents.signer('invitation', payload, signature) !== community) throw inputError('admission', 'another signature', `that of ${community}`)
}

export interface CommunityList {
  readonly community: Address
  /** The higher one counts. */
  readonly sequence: number
  /** The lowest number that no ticket had: who lost its book goes on from here. */
  readonly nextNumber: number
  /** Tickets below are void. */
  readonly voidBelow: number
  /** So are these; rising. */
  readonly void: readonly number[]
  /** In the order of their addresses. */
  readonly expelled: readonly BoxId[]
}

export function emptyList(community: Address): CommunityList {
  return { community, sequence: 0, nextNumber: 1, voidBelow: 1, void: [], expelled: [] }
}

export function isVoid(list: CommunityList | null, number: number): boolean {
  return list !== null && (number < list.voidBelow || list.void.includes(number))
}

/** `number` and what was void. Where too many single ones come together, older tickets that are still about go with them. */
export function voided(list: CommunityList, number: number): CommunityList {
  if (isVoid(list, number)) return list
  let { voidBelow } = list
  let left = [...list.void, number].sort((a, b) => a - b)
  while (left[0] === voidBelow || left.length > MAX_VOID) {
    voidBelow = (left[0] ?? voidBelow) + 1
    left = left.slice(1)
  }
  return { ...list, voidBelow, void: left, nextNumber: Math.max(list.nextNumber, number + 1) }
}

/** What either says, under a number above both: for a community whose box was made anew from its words. */
export function joinedLists(a: CommunityList, b: CommunityList): CommunityList {
  const base = { ...a, voidBelow: Math.max(a.voidBelow, b.voidBelow), nextNumber: Math.max(a.nextNumber, b.nextNumber), void: a.void.filter((number) => number >= b.voidBelow), sequence: Math.max(a.sequence, b.sequence) + 1 }
  const expelled = [...new Set([...a.expelled, ...b.expelled])].sort().slice(0, MAX_EXPELLED)
  return b.void.reduce(voided, { ...base, expelled })
}

export function sealList(documents: Documents, list: CommunityList): Uint8Array {
  return sealFrame(documents, 'expulsion', writeDocument('list', [list.community, list.sequence, list.nextNumber, list.voidBelow, list.void, list.expelled]))
}

/** Errors: input; `list` where it is of another community or not signed by it. */
export function readList(documents: Pick<Documents, 'signer'>, frame: Uint8Array, community: Address): CommunityList {
  const { payload, signature } = openFrame(frame)
  const list = readDocument('list', payload, (reader) => ({
    community: reader.address('community'),
    sequence: reader.number('sequence', 1, MAX_SEQUENCE),
    nextNumber: reader.number('nextNumber', 1, MAX_NUMBER),
    voidBelow: reader.number('voidBelow', 1, MAX_NUMBER),
    void: reader.list('void', MAX_VOID, (each) => each.number('void', 1, MAX_NUMBER)),
    expelled: reader.list('expelled', MAX_EXPELLED, (each) => each.address('expelled')),
  }))
  if (list.community !== community) throw inputError('list', list.community, `of ${community}`)
  if (documents.signer('expulsion', payload, signature) !== community) throw inputError('list', 'another signature', `that of ${community}`)
  return list
}
