/**
 * A box that comes back by its twelve words, without its book: its channels are read from the contract's storage, what
 * was signed in them from neighbours' copies and from the partners. Until that is done no block is told to anybody; what
 * cannot be made safe is closed.
 *
 *   asking    → neighbours give their copies; ends a while after the first, or without any after a longer while
 *   finding   → each channel with a partner that a copy names, or that is known by address, is proved and taken in
 *   meeting   → per channel: the partner says where it stands and gives back what is missing
 *
 * The newest copy is a floor: a partner that claims to have less than it says is lying or has lost its own book, and the
 * channel is closed with the newest proof. Without any copy the partner's word is all there is: it is heard, so that its
 * newest proof is ours, and then the channel is closed.
 */
import { asError } from '../../base/index.ts'
import type { Address, Cancel, Clock, Hash, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { ChannelState } from '../channel/index.ts'
import type { PhotonNode } from '../node/index.ts'
import type { ChainPoint, ChainPort } from '../ports.ts'
import type { BackupRecord, Backups } from '../watch/index.ts'
import type { Alarms } from './alarms.ts'
import { REBUILD_NOTE, REBUILD_SUSPECTED, dropNote, putNote, readNote, readNotes } from './note-table.ts'
import { fromCopy, hasUnknownLocks } from './proved-state.ts'
import type { Recheck } from './recheck.ts'

export interface RebuildOptions {
  readonly chain: Pick<ChainPort, 'safe' | 'isFrozen' | 'account'>
  readonly store: Store
  readonly node: PhotonNode
  readonly recheck: Recheck
  readonly copies: Pick<Backups, 'ask' | 'answers' | 'restored'>
  /** Boxes known by address, and those connected now. */
  readonly partners: () => readonly Address[]
  readonly tokens: readonly Address[]
  readonly alarms: Alarms
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** All that is there is taken in: the chain's news may be told. Once. */
  readonly done: () => void
}

const LOOK_EVERY_MS = 2_000
const ASK_EVERY_LOOKS = 10
/** After the first copy others may be newer. */
const COPIES_MS = 30_000
const NO_COPY_MS = 600_000
const ALL_ANSWERED_MS = 60_000
/** With the partner there, all that it has to give back comes in much less. */
const MEETING_MS = 600_000
const DONE_NOTE = 'rebuilt-at'
const PREFIX = 'rebuilt/'

interface Meeting {
  readonly epoch: bigint
  readonly hasCopy: boolean
  togetherMs: number
}

export class Rebuild {
  readonly #options: RebuildOptions
  readonly #meetings = new Map<Hash, Meeting>()
  #cancel: Cancel = () => undefined
  #isFinding: boolean
  /** A key older than its book, and nobody has said why: an account that has sent something had a book before. */
  #isSuspected: boolean
  /** Channels opened up to here may have been this box's before it lost its book; −1: it never lost one. */
  #untilBlock: number
  #looks = 0
  #sinceMs: number | null = null
  #copySinceMs: number | null = null
  #chosen: readonly BackupRecord[] | null = null
  #looking = false

  constructor(options: RebuildOptions) {
    this.#options = options
    const notes = options.store.read((tx) => ({ rebuild: readNote(tx, REBUILD_NOTE), until: readNote(tx, DONE_NOTE), meetings: readNotes(tx, PREFIX) }))
    this.#isFinding = notes.rebuild !== null
    this.#isSuspected = notes.rebuild === REBUILD_SUSPECTED
    this.#untilBlock = Number(notes.until ?? -1)
    for (const [channel, text] of notes.meetings) {
      const [epoch = '0', kind] = text.split(' ')
      this.#meetings.set(channel as Hash, { epoch: BigInt(epoch), hasCopy: kind === 'copy', togetherMs: 0 })
    }
  }

  /** Not all channels are taken in yet. */
  get isFinding(): boolean {
    return this.#isFinding
  }

  /** A channel opened in that block may be one that this box has used and forgotten. */
  mayHaveUsed(block: number): boolean {
    return this.#isFinding || block <= this.#untilBlock
  }

  start(): void {
    if (this.#isFinding && !this.#isSuspected) this.#alarm()
    this.#tick()
    if (this.#isFinding) void this.look()
  }

  #alarm(): void {
    this.#options.alarms.raise('rebuild', 'this box has lost its book: neighbours are asked for their copies of its channels, and nothing is paid before')
  }

  #tick(): void {
    this.#cancel()
    if (this.#isFinding || this.#meetings.size > 0) this.#cancel = this.#options.timers.every(LOOK_EVERY_MS, () => void this.look())
  }

  stop(): void {
    this.#cancel()
  }

  /** A channel that a partner or the chain's news tell of, after the finding. Errors: unavailable `photon-no-proof`. */
  async found(token: Address, partner: Address): Promise<void> {
    if (!this.#isFinding) await this.#take(token, partner, null)
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      if (this.#isFinding) await this.#find()
      for (const [channel, meeting] of this.#meetings) await this.#tend(channel, meeting)
      if (!this.#isFinding && this.#meetings.size === 0) this.#cancel()
    } catch (thrown) {
      this.#options.log.debug('the rebuilding of channels goes on later', { error: asError(thrown).message })
    } finally {
      this.#looking = false
    }
  }

  async #find(): Promise<void> {
    const { chain, copies, partners, tokens, store, alarms, log, done } = this.#options
    const point = chain.safe()
    if (this.#isSuspected && (await this.#isCleared(point))) return
    if (this.#looks++ % ASK_EVERY_LOOKS === 0) copies.ask()
    if (point === null || chain.isFrozen() || !this.#hasWaited()) return
    this.#chosen ??= await this.#choose()
    const pairs = new Map<string, { readonly token: Address; readonly partner: Address; readonly copy: BackupRecord | null }>()
    for (const partner of partners()) for (const token of tokens) pairs.set(`${token}/${partner}`, { token, partner, copy: null })
    for (const copy of this.#chosen) pairs.set(`${copy.token}/${copy.partner}`, { token: copy.token, partner: copy.partner, copy })
    for (const { token, partner, copy } of pairs.values()) await this.#take(token, partner, copy)
    await store.turn((tx) => {
      dropNote(tx, REBUILD_NOTE)
      putNote(tx, DONE_NOTE, String(point.number))
    })
    this.#isFinding = false
    this.#untilBlock = point.number
    alarms.clear('rebuild')
    log.info('the channels of the lost book are taken in', { channels: this.#meetings.size, copies: this.#chosen.length })
    done()
  }

  /** True: nothing was lost, or the chain cannot say yet. */
  async #isCleared(point: ChainPoint | null): Promise<boolean> {
    const { chain, node, store, done } = this.#options
    const account = point === null ? null : await chain.account(point, node.account)
    if (account === null) return true
    this.#isSuspected = false
    if (account.nonce > 0n) {
      this.#alarm()
      return false
    }
    await store.turn((tx) => dropNote(tx, REBUILD_NOTE))
    this.#isFinding = false
    done()
    return true
  }

  #hasWaited(): boolean {
    const { clock, copies, partners } = this.#options
    const nowMs = clock.boottimeMs()
    this.#sinceMs ??= nowMs
    const { answered, copies: given } = copies.answers
    if (given > 0) this.#copySinceMs ??= nowMs
    // All that are known have said that they have none: nobody else is likely to come.
    const isHopeless = given === 0 && answered > 0 && answered >= partners().length
    return (isHopeless && nowMs - this.#sinceMs >= ALL_ANSWERED_MS) || nowMs - this.#sinceMs >= NO_COPY_MS || (this.#copySinceMs !== null && nowMs - this.#copySinceMs >= COPIES_MS)
  }

  async #choose(): Promise<readonly BackupRecord[]> {
    const { copies, log } = this.#options
    const { newest, behind, broken } = await copies.restored()
    if (newest === null) log.warn('no neighbour has a copy of this box’s channels', { broken })
    else log.info('the newest copy of this box’s channels', { counter: newest.counter.toString(), channels: newest.records.length, olderAt: behind, brokenAt: broken })
    return newest?.records ?? []
  }

  async #take(token: Address, partner: Address, copy: BackupRecord | null): Promise<void> {
    const { recheck, store } = this.#options
    const sought = await recheck.seek(token, partner)
    if (sought.kind !== 'found') return
    const { it } = sought
    const { epoch } = it.found
    const meeting: Meeting = { epoch, hasCopy: copy !== null && copy.epoch === epoch, togetherMs: 0 }
    // Before the channel: once it is there it must never be taken for one that is whole.
    await store.turn((tx) => putNote(tx, `${PREFIX}${it.channel}`, `${epoch} ${meeting.hasCopy ? 'copy' : 'bare'}`))
    this.#meetings.set(it.channel, meeting)
    await recheck.adopt(it, fromCopy(it, copy))
    if (!this.#isFinding) this.#tick()
  }

  /** Whether the two ends agree by now, on something that can be gone on with. */
  async #tend(channel: Hash, meeting: Meeting): Promise<void> {
    const { node, log } = this.#options
    const state = node.channel(channel)
    if (state === undefined || state.key.epoch !== meeting.epoch || state.phase !== 'prepare-cooperative-settle') return this.#forget(channel)
    if (node.isReady(channel) || state.sync.kind === 'behind') meeting.togetherMs += LOOK_EVERY_MS
    const reason = reasonToClose(state, node.isReady(channel), meeting)
    if (reason === null) {
      if (!node.isReady(channel) || !isWhole(state)) return
      log.info('a channel of the lost book goes on', { channel })
      await node.outside.amend(channel, (now) => (now.phase === 'prepare-cooperative-settle' ? { ...now, phase: 'opened', note: '' } : now))
      return this.#forget(channel)
    }
    log.warn('a channel of the lost book is closed', { channel, reason })
    await node.close(channel, reason)
    await this.#forget(channel)
  }

  async #forget(channel: Hash): Promise<void> {
    this.#meetings.delete(channel)
    await this.#options.store.turn((tx) => dropNote(tx, `${PREFIX}${channel}`))
  }
}

function isWhole(state: ChannelState): boolean {
  return state.sync.kind === 'in-sync' && !hasUnknownLocks(state)
}

function reasonToClose(state: ChannelState, isReady: boolean, { hasCopy, togetherMs }: Meeting): string | null {
  if (togetherMs >= MEETING_MS) return 'the book was lost, and the partner does not give back what is missing'
  if (!isReady || state.sync.kind !== 'in-sync') return null
  if (!hasCopy) return 'the book was lost, and no neighbour has a copy that shows whether the partner tells all'
  return hasUnknownLocks(state) ? 'the book was lost while payments were pending, and nobody can say which' : null
}
