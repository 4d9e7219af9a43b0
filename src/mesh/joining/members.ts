/**
 * Who belongs to the community, as this box sees it: (state, input) → {state, effects}. The community's key decides alone:
 * a vote of members would be worth nothing where each may let in another (docs/mesh.md "Joining"). A box that shows a ticket
 * is taken for a member provisionally, so that joining works where the community's box is out of reach: at most as many as
 * the ticket is for, for a bounded time. Time is what this box was running; the wall clock only counts where it is believed.
 */
import { MeshBoxError, hexOf } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { BoxId, Documents } from '../ports.ts'
import { readTicket } from './invitation.ts'
import type { Ticket } from './invitation.ts'
import { MAX_EXPELLED, checkAdmission, checkClaim, emptyList, isVoid, joinedLists, readList, sealList, signAdmission, voided } from './papers.ts'
import type { CommunityList } from './papers.ts'

/** How long a ticket alone makes a member, of this box's running time. */
export const PROVISIONAL_MS = 72 * 3_600_000
const MAX_KNOWN = 512
const MAX_ISSUED = 256

/** `stranger`: neither money nor guests are exchanged with it. `expelled`: not spoken with. */
export type Standing = 'admitted' | 'provisional' | 'stranger' | 'expelled'

export type Paper =
  | { readonly kind: 'none' }
  | { readonly kind: 'ticket'; readonly ticket: Uint8Array; readonly claim: Uint8Array }
  | { readonly kind: 'admission'; readonly admission: Uint8Array }

export interface Known {
  readonly isAdmitted: boolean
  /** The ticket it came by; `leftMs` of running time until it no longer counts. */
  readonly ticket: { readonly number: number; readonly uses: number; readonly leftMs: number } | null
  readonly reason: string
}

/** Community's own: a code that it gave out. */
export interface Issued {
  readonly number: number
  readonly uses: number
  readonly usedBy: readonly BoxId[]
  /** Of running time, until it takes the code back; null: as long as it has uses. */
  readonly leftMs: number | null
}

export interface Members {
  readonly self: BoxId
  readonly community: Address
  readonly own: Paper
  readonly list: CommunityList
  /** Sealed; null: none was heard of, and the list is empty. */
  readonly listFrame: Uint8Array | null
  readonly known: ReadonlyMap<BoxId, Known>
  readonly connected: ReadonlySet<BoxId>
  readonly issued: ReadonlyMap<number, Issued>
}

export type MembersInput =
  | { readonly kind: 'opened' | 'closed'; readonly peer: BoxId }
  | { readonly kind: 'hello'; readonly from: BoxId; readonly paper: Paper; readonly listSequence: number; readonly wallSeconds: number | null }
  | { readonly kind: 'list'; readonly from: BoxId; readonly frame: Uint8Array }
  | { readonly kind: 'admission'; readonly from: BoxId; readonly frame: Uint8Array }
  | { readonly kind: 'elapsed'; readonly elapsedMs: number }
  /** The owner's, of the community's box. */
  | { readonly kind: 'issue'; readonly uses: number; readonly validMs: number | null }
  | { readonly kind: 'take-back'; readonly number: number }
  | { readonly kind: 'expel' | 'pardon'; readonly box: BoxId }

export type MembersEffect =
  /** After what changed is on disk. */
  | { readonly kind: 'hello' | 'list'; readonly to: BoxId }
  | { readonly kind: 'admit'; readonly to: BoxId; readonly admission: Uint8Array }
  | { readonly kind: 'standing'; readonly box: BoxId; readonly was: Standing; readonly standing: Standing; readonly reason: string }
  | { readonly kind: 'penalty'; readonly box: BoxId; readonly points: number; readonly reason: string }

export interface MembersStep {
  readonly state: Members
  readonly effects: readonly MembersEffect[]
}

export function newMembers(self: BoxId, community: Address): Members {
  return { self, community, own: { kind: 'none' }, list: emptyList(community), listFrame: null, known: new Map(), connected: new Set(), issued: new Map() }
}

export function standingOf(state: Members, box: BoxId): Standing {
  if (box === state.community) return 'admitted'
  if (state.list.expelled.includes(box)) return 'expelled'
  const known = state.known.get(box)
  if (known === undefined) return 'stranger'
  if (known.isAdmitted) return 'admitted'
  return known.ticket !== null && known.ticket.leftMs > 0 && !isVoid(state.list, known.ticket.number) ? 'provisional' : 'stranger'
}

/**
 * What peers send never throws. Errors, of the owner's inputs: forbidden `not-the-community`; limit `too-many-invitations`,
 * `too-many-expelled`; not-found `no-invitation`; conflict `expel-self`.
 */
export function stepMembers(state: Members, input: MembersInput, documents: Documents): MembersStep {
  switch (input.kind) {
    case 'opened':
      return { state: { ...state, connected: new Set([...state.connected, input.peer]) }, effects: [{ kind: 'hello', to: input.peer }] }
    case 'closed':
      return only({ ...state, connected: new Set([...state.connected].filter((peer) => peer !== input.peer)) })
    case 'hello':
      return told(state, input, documents)
    case 'list':
      return heardList(state, input.from, input.frame, documents)
    case 'admission':
      return gotAdmission(state, input.from, input.frame, documents)
    case 'elapsed':
      return elapsed(state, input.elapsedMs, documents)
    case 'issue':
    case 'take-back':
    case 'expel':
    case 'pardon':
      if (state.self !== state.community) throw new MeshBoxError('forbidden', `only the community's box ${state.community} may do this`, { code: 'not-the-community' })
      return ordered(state, input, documents)
  }
}

function told(state: Members, { from, paper, listSequence, wallSeconds }: Extract<MembersInput, { kind: 'hello' }>, documents: Documents): MembersStep {
  const effects: MembersEffect[] = []
  if (state.listFrame !== null && listSequence < state.list.sequence) effects.push({ kind: 'list', to: from })
  let next = state
  try {
    next = withPaper(state, from, paper, wallSeconds, documents)
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError)) throw thrown
    effects.push({ kind: 'penalty', box: from, points: 20, reason: thrown.message })
    next = withKnown(state, from, { isAdmitted: false, ticket: null, reason: thrown.message })
  }
  const admitted = next.self === next.community ? admit(next, from, paper, documents) : only(next)
  return { state: admitted.state, effects: [...effects, ...changes(state, admitted.state, [from]), ...admitted.effects] }
}

/** Errors: input, where the paper is not what it says. */
function withPaper(state: Members, from: BoxId, paper: Paper, wallSeconds: number | null, documents: Documents): Members {
  const before = state.known.get(from)
  if (paper.kind === 'none' || from === state.community) return before === undefined ? withKnown(state, from, { isAdmitted: false, ticket: null, reason: 'it has shown nothing' }) : state
  if (paper.kind === 'admission') {
    checkAdmission(documents, paper.admission, state.community, from)
    return withKnown(state, from, { isAdmitted: true, ticket: before?.ticket ?? null, reason: 'the community has signed for it' })
  }
  const ticket = readTicket(documents, paper.ticket)
  if (ticket.community !== state.community) return withKnown(state, from, { isAdmitted: false, ticket: null, reason: 'its ticket is of another community' })
  checkClaim(documents, paper.claim, ticket, from)
  if (before?.isAdmitted === true || before?.ticket?.number === ticket.number) return state
  const refusal = whyNot(state, ticket, from, wallSeconds)
  const counted = refusal === null ? { number: ticket.number, uses: ticket.uses, leftMs: PROVISIONAL_MS } : null
  return withKnown(state, from, { isAdmitted: false, ticket: counted, reason: refusal ?? `ticket ${ticket.number}; the community's box has not seen it yet` })
}

function whyNot(state: Members, ticket: Ticket, from: BoxId, wallSeconds: number | null): string | null {
  if (isVoid(state.list, ticket.number)) return `ticket ${ticket.number} is void`
  if (ticket.notAfterSeconds !== null && wallSeconds !== null && wallSeconds > ticket.notAfterSeconds) return `ticket ${ticket.number} is too old`
  const others = [...state.known].filter(([box, known]) => box !== from && known.ticket?.number === ticket.number).length
  return others >= ticket.uses ? `ticket ${ticket.number} is for ${ticket.uses}, and ${others} others came by it` : null
}

/** The community's box: the ticket's uses are counted here. */
function admit(state: Members, from: BoxId, paper: Paper, documents: Documents): MembersStep {
  const known = state.known.get(from)
  // It does not know yet, or not any more: the frame or its book was lost.
  if (known?.isAdmitted === true && paper.kind !== 'admission' && standingOf(state, from) === 'admitted') return { state, effects: [{ kind: 'admit', to: from, admission: signAdmission(documents, from) }] }
  const issued = known?.ticket == null ? undefined : state.issued.get(known.ticket.number)
  if (known === undefined || known.isAdmitted || standingOf(state, from) !== 'provisional') return only(state)
  if (issued === undefined) return only(withKnown(state, from, { ...known, ticket: null, reason: 'a ticket that was not given out, or is used up' }))
  const usedBy = issued.usedBy.includes(from) ? issued.usedBy : [...issued.usedBy, from]
  const admission = signAdmission(documents, from)
  const used: Members = { ...withKnown(state, from, { ...known, isAdmitted: true, reason: 'the community has signed for it' }), issued: new Map(state.issued).set(issued.number, { ...issued, usedBy }) }
  const effects: MembersEffect[] = [{ kind: 'admit', to: from, admission }]
  if (usedBy.length < issued.uses) return { state: used, effects }
  const over = withList(used, voided(used.list, issued.number), documents)
  return { state: withoutIssued(over.state, issued.number), effects: [...effects, ...over.effects] }
}

function heardList(state: Members, from: BoxId, frame: Uint8Array, documents: Documents): MembersStep {
  let list: CommunityList
  try {
    list = readList(documents, frame, state.community)
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError)) throw thrown
    return { state, effects: [{ kind: 'penalty', box: from, points: 50, reason: thrown.message }] }
  }
  if (state.self === state.community) {
    // Its own word that it does not know: its book is older than what it has signed.
    const isKnown = list.sequence < state.list.sequence || (state.listFrame !== null && hexOf(frame) === hexOf(state.listFrame))
    if (isKnown) return only(state)
    const joined = withList(state, joinedLists(state.list, list), documents)
    return { state: joined.state, effects: joined.effects }
  }
  if (list.sequence <= state.list.sequence) return only(state)
  const next: Members = { ...state, list, listFrame: frame.slice() }
  const onward = [...state.connected].filter((peer) => peer !== from && peer !== state.community).map((to): MembersEffect => ({ kind: 'list', to }))
  return { state: next, effects: [...changes(state, next, everybody(state, next)), ...onward] }
}

function gotAdmission(state: Members, from: BoxId, frame: Uint8Array, documents: Documents): MembersStep {
  try {
    checkAdmission(documents, frame, state.community, state.self)
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError)) throw thrown
    return { state, effects: [{ kind: 'penalty', box: from, points: 20, reason: thrown.message }] }
  }
  if (state.own.kind === 'admission') return only(state)
  return { state: { ...state, own: { kind: 'admission', admission: frame.slice() } }, effects: [...state.connected].map((to) => ({ kind: 'hello', to })) }
}

function elapsed(state: Members, elapsedMs: number, documents: Documents): MembersStep {
  const known = new Map([...state.known].map(([box, each]) => [box, each.ticket === null || each.isAdmitted ? each : { ...each, ticket: { ...each.ticket, leftMs: Math.max(0, each.ticket.leftMs - elapsedMs) } }]))
  const issued = new Map([...state.issued].map(([number, each]) => [number, each.leftMs === null ? each : { ...each, leftMs: Math.max(0, each.leftMs - elapsedMs) }]))
  const next: Members = { ...state, known, issued }
  const over = [...issued.values()].filter((each) => each.leftMs === 0).map((each) => each.number)
  const effects = changes(state, next, known.keys())
  if (over.length === 0) return { state: next, effects }
  const ended = withList(next, over.reduce(voided, next.list), documents)
  return { state: over.reduce(withoutIssued, ended.state), effects: [...effects, ...ended.effects] }
}

function ordered(state: Members, input: Extract<MembersInput, { kind: 'issue' | 'take-back' | 'expel' | 'pardon' }>, documents: Documents): MembersStep {
  if (input.kind === 'issue') {
    if (state.issued.size >= MAX_ISSUED) throw new MeshBoxError('limit', `${MAX_ISSUED} invitations are about; take some back first`, { code: 'too-many-invitations' })
    const number = state.list.nextNumber
    const next = withList(state, { ...state.list, nextNumber: number + 1 }, documents)
    return { state: { ...next.state, issued: new Map(state.issued).set(number, { number, uses: input.uses, usedBy: [], leftMs: input.validMs }) }, effects: next.effects }
  }
  if (input.kind === 'take-back') {
    if (!state.issued.has(input.number)) throw new MeshBoxError('not-found', `there is no invitation ${input.number}, or it is used up`, { code: 'no-invitation', field: 'number', value: input.number })
    const next = withList(state, voided(state.list, input.number), documents)
    return { state: withoutIssued(next.state, input.number), effects: next.effects }
  }
  if (input.box === state.community) throw new MeshBoxError('conflict', 'the community cannot expel the box that signs for it', { code: 'expel-self', field: 'box', value: input.box })
  const isExpelled = state.list.expelled.includes(input.box)
  if (isExpelled === (input.kind === 'expel')) return only(state)
  if (input.kind === 'pardon') return withList(state, { ...state.list, expelled: state.list.expelled.filter((box) => box !== input.box) }, documents)
  if (state.list.expelled.length >= MAX_EXPELLED) throw new MeshBoxError('limit', `${MAX_EXPELLED} boxes are expelled already; change the password of the mesh, and pardon those that cannot come any more`, { code: 'too-many-expelled' })
  return withList(state, { ...state.list, expelled: [...state.list.expelled, input.box].sort() }, documents)
}

/** The community's next word, to everybody who is connected. */
function withList(state: Members, list: CommunityList, documents: Documents): MembersStep {
  const signed = { ...list, sequence: Math.max(list.sequence, state.list.sequence + 1) }
  const next: Members = { ...state, list: signed, listFrame: sealList(documents, signed) }
  return { state: next, effects: [...changes(state, next, everybody(state, next)), ...[...state.connected].map((to): MembersEffect => ({ kind: 'list', to }))] }
}

function withoutIssued(state: Members, number: number): Members {
  const issued = new Map(state.issued)
  issued.delete(number)
  return { ...state, issued }
}

/** Where there is no room, somebody who is not here makes some; whom the community has signed for last. */
function withKnown(state: Members, box: BoxId, facts: Known): Members {
  const before = state.known.get(box)
  if (before !== undefined && before.isAdmitted === facts.isAdmitted && before.ticket === facts.ticket && before.reason === facts.reason) return state
  const known = new Map(state.known)
  if (!known.has(box) && known.size >= MAX_KNOWN) {
    const away = [...known].filter(([each]) => !state.connected.has(each))
    const [leaving] = away.find(([, each]) => !each.isAdmitted && each.ticket === null) ?? away.find(([, each]) => !each.isAdmitted) ?? away[0] ?? [null]
    if (leaving === null) return state
    known.delete(leaving)
  }
  return { ...state, known: known.set(box, facts) }
}

function everybody(before: Members, after: Members): Iterable<BoxId> {
  return new Set([...after.known.keys(), ...after.connected, ...before.list.expelled, ...after.list.expelled])
}

function changes(before: Members, after: Members, boxes: Iterable<BoxId>): MembersEffect[] {
  return [...boxes].flatMap((box): MembersEffect[] => {
    const standing = standingOf(after, box)
    const was = standingOf(before, box)
    if (was === standing) return []
    const reason = standing === 'expelled' ? 'the community has expelled it' : (after.known.get(box)?.reason ?? 'it has shown nothing')
    return [{ kind: 'standing', box, was, standing, reason }]
  })
}

const only = (state: Members): MembersStep => ({ state, effects: [] })
