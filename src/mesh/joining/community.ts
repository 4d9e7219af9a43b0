/**
 * Joining, running: papers over `/meshbox/join/1`, members in the book, and who is told when a standing changes. One input
 * after the other; what it changed is on disk before anybody hears of it.
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { BoxId, MeshTools, PeerLane, PeerNode } from '../ports.ts'
import { codeText } from './code-text.ts'
import { keepOwnPaper, loadMembers, saveMembers } from './io/member-tables.ts'
import { MAX_USES, NONCE_BYTES, makeInvitation } from './invitation.ts'
import type { CommunityCode, InvitationKeys } from './invitation.ts'
import { JOIN_PROTOCOL, decodeJoinFrame, encodeJoinFrame } from './join-frames.ts'
import type { JoinFrame } from './join-frames.ts'
import { standingOf, stepMembers } from './members.ts'
import type { Issued, Members, MembersEffect, MembersInput, Paper, Standing } from './members.ts'

/** What running time is counted in: so much of it a power cut gives back. */
export const COUNTED_EVERY_MS = 600_000
const MAX_WAITING_INPUTS = 256

/** What is on this community's codes besides what each code has of its own. */
export type CodeTerms = Omit<CommunityCode, 'community' | 'issuedBy' | 'nonce' | 'number' | 'uses' | 'notAfterSeconds'>

export interface CommunityParts extends MeshTools {
  readonly store: Store
  readonly keys: InvitationKeys
  readonly peers: Pick<PeerNode, 'open' | 'ban' | 'pardon'>
  readonly community: Address
}

export interface MemberView {
  readonly box: BoxId
  readonly standing: Standing
  readonly reason: string
}

export interface InviteOrder {
  readonly terms: CodeTerms
  readonly uses: number
  /** Running time after which it is taken back; null: when it is used up. */
  readonly validMs: number | null
}

export class Community {
  readonly #parts: CommunityParts
  readonly #lane: PeerLane
  readonly #listeners = new Set<(member: MemberView) => void>()
  readonly #cancels: Cancel[] = []
  #state: Members
  #waiting = 0
  #turn: Promise<unknown> = Promise.resolve()
  #countedMs = 0

  /** Before the peers start. Errors: what the book throws. */
  constructor(parts: CommunityParts) {
    this.#parts = parts
    this.#lane = parts.peers.open(JOIN_PROTOCOL)
    this.#state = parts.store.read((tx) => loadMembers(tx, parts.documents.self, parts.community, parts.documents))
  }

  start(): void {
    const { clock, timers } = this.#parts
    this.#countedMs = clock.boottimeMs()
    this.#cancels.push(
      this.#lane.onOpen((peer) => this.#heard({ kind: 'opened', peer })),
      this.#lane.onClose((peer) => this.#heard({ kind: 'closed', peer })),
      this.#lane.onFrame((from, frame) => this.#frame(from, frame)),
      timers.every(COUNTED_EVERY_MS, () => this.#count()),
    )
    for (const box of this.#state.list.expelled) void this.#bar(box, true, 'the community has expelled it')
  }

  /** What is under way ends first. */
  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#turn
  }

  get address(): Address {
    return this.#parts.community
  }

  /** Whether this box signs for the community. */
  get isOurs(): boolean {
    return this.#parts.community === this.#parts.documents.self
  }

  standing(box: BoxId): Standing {
    return standingOf(this.#state, box)
  }

  /** This box's own: admitted, on its ticket, or without any paper. */
  ownStanding(): Standing {
    if (this.isOurs || this.#state.own.kind === 'admission') return this.#state.list.expelled.includes(this.#parts.documents.self) ? 'expelled' : 'admitted'
    return this.#state.own.kind === 'ticket' ? 'provisional' : 'stranger'
  }

  members(): readonly MemberView[] {
    const boxes = new Set([...this.#state.known.keys(), ...this.#state.list.expelled])
    return [...boxes].sort().map((box) => this.#view(box))
  }

  invitations(): readonly Issued[] {
    return [...this.#state.issued.values()]
  }

  /** After it is on disk. */
  onStanding(listener: (member: MemberView) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A code for `uses` boxes. Errors: forbidden `not-the-community`; input; limit `code-too-long`, `too-many-invitations`. */
  invite({ terms, uses, validMs }: InviteOrder): Promise<{ readonly code: string; readonly number: number }> {
    if (!Number.isInteger(uses) || uses < 1 || uses > MAX_USES) throw new MeshBoxError('input', `uses: 1 to ${MAX_USES} boxes`, { code: 'bad-input', field: 'uses', value: uses, allowed: `1..${MAX_USES}` })
    return this.#inTurn(async () => {
      const { clock, community, documents, keys, randomness } = this.#parts
      const number = this.#state.list.nextNumber
      const isDated = validMs !== null && clock.isWallTrusted()
      const notAfterSeconds = isDated ? Math.ceil((clock.wallMs() + validMs) / 1000) : null
      const step = stepMembers(this.#state, { kind: 'issue', uses, validMs }, documents)
      // Made before it is counted, so that a code that does not fit uses no number up.
      const code = codeText(keys, makeInvitation(documents, keys, { ...terms, community, number, uses, notAfterSeconds, nonce: randomness.bytes(NONCE_BYTES) }))
      await this.#keep(step.state, step.effects)
      return { code, number }
    })
  }

  /** Errors: forbidden `not-the-community`; not-found `no-invitation`. */
  takeBack(number: number): Promise<void> {
    return this.#take({ kind: 'take-back', number })
  }

  /** Errors: forbidden `not-the-community`; conflict `expel-self`; limit `too-many-expelled`. */
  expel(box: BoxId): Promise<void> {
    return this.#take({ kind: 'expel', box })
  }

  /** Errors: forbidden `not-the-community`. */
  pardon(box: BoxId): Promise<void> {
    return this.#take({ kind: 'pardon', box })
  }

  /** The ticket of a code that this box joins by; an admission that it has already stays. */
  usePaper(paper: Paper): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state.own.kind === 'admission') return
      await this.#parts.store.turn((tx) => keepOwnPaper(tx, this.#parts.community, paper))
      this.#state = { ...this.#state, own: paper }
      for (const peer of this.#state.connected) this.#send(peer, this.#hello())
    })
  }

  #frame(from: BoxId, bytes: Uint8Array): void {
    let frame: JoinFrame
    try {
      frame = decodeJoinFrame(bytes)
    } catch (thrown) {
      this.#lane.penalise(from, 20, asError(thrown).message)
      return
    }
    const { clock } = this.#parts
    const wallSeconds = clock.isWallTrusted() ? Math.floor(clock.wallMs() / 1000) : null
    this.#heard(frame.kind === 'hello' ? { ...frame, from, wallSeconds } : { kind: frame.kind, from, frame: frame.frame })
  }

  #count(): void {
    const now = this.#parts.clock.boottimeMs()
    this.#heard({ kind: 'elapsed', elapsedMs: now - this.#countedMs })
    this.#countedMs = now
  }

  /** From outside: nobody waits for it. Of what peers say too fast some is left out: hello is said again with each connection. */
  #heard(input: MembersInput): void {
    if (this.#waiting >= MAX_WAITING_INPUTS && 'from' in input) return
    this.#take(input).catch((thrown: unknown) => this.#parts.log.error('joining: not kept', { input: input.kind, error: asError(thrown) }))
  }

  #take(input: MembersInput): Promise<void> {
    return this.#inTurn(async () => {
      const { state, effects } = stepMembers(this.#state, input, this.#parts.documents)
      await this.#keep(state, effects)
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const turn = this.#turn.then(work).finally(() => this.#waiting--)
    this.#turn = turn.catch(() => undefined) // whoever asked is told; the next one runs
    return turn
  }

  async #keep(state: Members, effects: readonly MembersEffect[]): Promise<void> {
    const before = this.#state
    const isSame = state.own === before.own && state.listFrame === before.listFrame && state.known === before.known && state.issued === before.issued
    if (!isSame) await this.#parts.store.turn((tx) => saveMembers(tx, before, state))
    this.#state = state
    for (const effect of effects) this.#do(effect)
  }

  #do(effect: MembersEffect): void {
    switch (effect.kind) {
      case 'hello':
        return this.#send(effect.to, this.#hello())
      case 'list':
        return this.#state.listFrame === null ? undefined : this.#send(effect.to, { kind: 'list', frame: this.#state.listFrame })
      case 'admit':
        return this.#send(effect.to, { kind: 'admission', frame: effect.admission })
      case 'penalty':
        return this.#lane.penalise(effect.box, effect.points, effect.reason)
      case 'standing':
        if (effect.standing === 'expelled' || effect.was === 'expelled') void this.#bar(effect.box, effect.standing === 'expelled', effect.reason)
        for (const listener of this.#listeners) listener(this.#view(effect.box))
    }
  }

  /** An expelled box is not spoken with; a pardoned one may come again. */
  async #bar(box: BoxId, isExpelled: boolean, reason: string): Promise<void> {
    const { peers, log, documents } = this.#parts
    if (box === documents.self) return
    try {
      if (isExpelled) await peers.ban(box, reason)
      else await peers.pardon(box)
    } catch (thrown) {
      log.error('joining: the peers did not take over a standing', { box, isExpelled, error: asError(thrown) })
    }
  }

  #hello(): JoinFrame {
    return { kind: 'hello', listSequence: this.#state.list.sequence, paper: this.#state.own }
  }

  #send(to: BoxId, frame: JoinFrame): void {
    this.#lane.send(to, encodeJoinFrame(frame)) // who does not read is said hello to when it connects again
  }

  #view(box: BoxId): MemberView {
    const standing = this.standing(box)
    return { box, standing, reason: standing === 'expelled' ? 'the community has expelled it' : (this.#state.known.get(box)?.reason ?? 'the community itself') }
  }
}
