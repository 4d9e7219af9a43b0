/**
 * The payee's desk: all guests' streams of one box. Takes frames from peers, steps the channel they belong to, and
 * carries the effects out in their order: what must be on flash is there before anything that follows from it.
 */
import { RateLimit, asError } from '../../../base/index.ts'
import type { Address, Cancel } from '../../../base/index.ts'
import type { ChannelKey, StreamAccount } from '../../ports.ts'
import { offerDigest } from '../digests.ts'
import { FRAME_TYPE, REFUSAL, STOP, decodeFrames } from '../frames.ts'
import type { StreamFrame } from '../frames.ts'
import type { StreamTerms } from '../terms.ts'
import { answer, refuse } from './answers.ts'
import { allowedTicks, earnedValue, newChannel } from './channel.ts'
import type { PayeeChannel } from './channel.ts'
import { claimDuty, claimReason, claimable } from './claim.ts'
import type { ClaimReason } from './claim.ts'
import { earning, newEntry } from './entry.ts'
import type { Entry } from './entry.ts'
import { factsOf } from './facts.ts'
import { flushedNow, isFlushDue } from './flush.ts'
import { Offers } from './offers.ts'
import type { StreamDeskDeps, StreamPeer } from './ports.ts'
import { channelOf, recordOf } from './record.ts'
import { helloFrames, step } from './step.ts'
import type { PayeeEffect, PayeeInput } from './step.ts'

const BEAT_MS = 1000
const BEATS_PER_CLAIM_LOOK = 60
/** Frames of one channel that wait for the disk; more are dropped, and the guest sends them again. */
const MAX_WAITING = 256
/** Signatures to be looked at, for one device: an hour of vouchers at once, then one each four seconds. */
const SIGNATURES = { burst: 72, perSecond: 0.25 }
/** Questions that prove nothing and cost a few hashes, and answers asked for again that cost a write to flash: for one device. */
const ASKINGS = { burst: 12, perSecond: 0.2 }
/** Vouchers of one message that are looked at in a row: a curve operation takes tens of milliseconds where no addon helps. */
const VOUCHERS_AT_ONCE = 2
/** Frames of one device that wait for their turn. */
const MAX_PENDING = 512

/** So many ticks at once go to tmpfs with the message they came in: a kill of the service costs a second's ticks, no lead. */
const JUMP_TICKS = 3

type Task = () => void | Promise<void>

export class PayeeDesk {
  readonly #deps: StreamDeskDeps
  readonly #offers: Offers
  readonly #byChannel = new Map<string, Entry>()
  readonly #bySession = new Map<number, Entry>()
  readonly #signatures = new RateLimit(SIGNATURES)
  readonly #wrongSignatures: RateLimit
  readonly #askings = new RateLimit(ASKINGS)
  readonly #pending = new Map<string, { peer: StreamPeer; frames: StreamFrame[] }>()
  /** Of the newest terms; terms change seldom. */
  #offered: { readonly terms: string; readonly signature: Uint8Array } | null = null
  readonly #work = new Set<Promise<void>>()
  readonly #jumped = new Set<Entry>()
  #beats = 0
  #cancel: Cancel = () => undefined

  constructor(deps: StreamDeskDeps) {
    this.#deps = deps
    this.#offers = new Offers(deps.randomness)
    this.#wrongSignatures = new RateLimit(deps.wrongSignatures)
  }

  /** Takes up what the journals hold; sessions that ran go on, their guests need not open them again. */
  start(): void {
    const { journal, log, timers, service } = this.#deps
    for (const { record, isOnFlash } of journal.load())
      try {
        const entry = this.#enter(channelOf(record))
        if (isOnFlash) entry.written = entry.channel
        const { session } = entry.channel
        if (session === null) continue
        this.#bySession.set(session.id, entry)
        if (allowedTicks(session) > 0) service.allow(factsOf(entry.channel, session), allowedTicks(session))
        // What was earned may have been written here and not yet there: told twice it changes nothing.
        const newest = session.vouchers.at(-1) ?? entry.channel.claim
        if (newest !== null) this.#tell(entry, earning(this.#deps, entry.channel, { value: earnedValue(entry.channel), voucher: newest.voucher }))
        this.#lookAtPaid(entry)
        // The process died before the answer was on flash: what was served is known, and nothing is served any more.
        if (session.phase === 'open' && service.isOver(factsOf(entry.channel, session).stream)) this.#do(entry, () => this.#end(entry, STOP.asked))
      } catch (thrown) {
        log.error('a stream could not be read back', { error: asError(thrown) })
      }
    this.#cancel = timers.every(BEAT_MS, () => this.#beat())
  }

  /** Everything on flash. Sessions stay open: the service ends by itself where what is paid ends. */
  async stop(): Promise<void> {
    this.#cancel()
    await this.quiet()
    for (const entry of this.#byChannel.values()) this.#count(entry)
    await this.#writeFlash([...this.#byChannel.values()])
  }

  /** Resolves when nothing that was begun is still going on. */
  async quiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  /** Frames of a guest, as many as came together. Never throws on a guest's bytes. */
  receive(peer: StreamPeer, bytes: Uint8Array): void {
    const frames = decodeFrames(bytes)
    if (frames === null) return refuse(peer, 0, 0, REFUSAL.terms)
    const pending = this.#pending.get(peer.device)
    if (pending === undefined) return this.#takeAll(peer, [...frames])
    pending.peer = peer
    if (pending.frames.length + frames.length <= MAX_PENDING) pending.frames.push(...frames)
  }

  /** In their order; after a few vouchers the others have their turn. */
  #takeAll(peer: StreamPeer, frames: StreamFrame[]): void {
    let vouchers = 0
    let taken = 0
    for (const frame of frames) {
      if (frame.kind === 'voucher' && vouchers++ === VOUCHERS_AT_ONCE) break
      taken++
      this.#take(peer, frame)
    }
    this.#noteJumps()
    if (taken === frames.length) return
    this.#pending.set(peer.device, { peer, frames: frames.slice(taken) })
    this.#deps.timers.after(0, () => {
      const rest = this.#pending.get(peer.device)
      this.#pending.delete(peer.device)
      if (rest !== undefined) this.#takeAll(rest.peer, rest.frames)
    })
  }

  /** The chain has news of a channel: closing, a deposit, a new life. Claims come out at once when it closes. */
  chainChanged({ channel, epoch }: ChannelKey): void {
    const entry = this.#byChannel.get(channel)
    if (entry === undefined) return
    if (this.#deps.claimFacts({ channel, epoch }).isClosing && entry.channel.session?.phase === 'open') this.#do(entry, () => this.#end(entry, STOP.closing))
    this.#do(entry, () => {
      this.#lookAtClaim(entry)
      this.#lookAtPaid(entry)
      const terms = entry.channel.session?.terms ?? this.#deps.terms()
      const fresh = terms === null ? null : this.#deps.account(entry.channel.account.payer, terms)
      return fresh === null ? undefined : this.#renew(entry, fresh)
    })
  }

  /** The owner, or a settlement that was agreed on: ends the channel's session with what it has served. */
  async endStream(channel: string, reason: number = STOP.asked): Promise<void> {
    const entry = this.#byChannel.get(channel)
    if (entry?.channel.session?.phase !== 'open') return
    this.#do(entry, () => this.#end(entry, reason))
    await entry.lane
  }

  /** What of the payer's counter is ours: no withdrawal or settlement of his may go below. Null: no stream there. */
  earnedOf(channel: string): bigint | null {
    const entry = this.#byChannel.get(channel)
    return entry === undefined ? null : earnedValue(entry.channel)
  }

  /** The same for what is about to be signed for good: what proves it is on flash. */
  async earnedForGood(channel: string): Promise<bigint | null> {
    const entry = this.#byChannel.get(channel)
    if (entry === undefined) return null
    const { channel: now, written } = entry
    if (written !== now) await this.#writeFlash([entry])
    return earnedValue(now)
  }

  get openSessions(): number {
    let open = 0
    for (const { channel } of this.#byChannel.values()) if (channel.session?.phase === 'open') open++
    return open
  }

  #take(peer: StreamPeer, frame: StreamFrame): void {
    if (frame.kind === 'hello') return this.#hello(peer, frame.payer)
    if (frame.kind === 'open') return this.#open(peer, frame.session, frame.signature)
    const nowMs = this.#deps.clock.boottimeMs()
    const entry = this.#bySession.get(frame.session)
    const session = entry?.channel.session
    // Whoever is on another device has nothing to say here, whatever he overheard.
    if (entry === undefined || session?.id !== frame.session || session.device !== peer.device)
      return refuse(peer, frame.session, FRAME_TYPE[frame.kind], REFUSAL.notOpen)
    entry.peer = peer
    entry.heardMs = nowMs
    switch (frame.kind) {
      case 'tick':
        return this.#do(entry, () => this.#perform(entry, { type: 'tick', session: frame.session, index: frame.index, preimage: frame.preimage, nowMs }))
      case 'stop':
        if (this.#askings.take(peer.device, nowMs) > 0) return refuse(peer, frame.session, FRAME_TYPE.stop, REFUSAL.busy)
        return this.#do(entry, () => this.#end(entry, STOP.asked))
      case 'voucher':
        if (!this.#mayAskSignature(peer.device, nowMs)) return refuse(peer, frame.session, FRAME_TYPE.voucher, REFUSAL.busy)
        return this.#do(entry, () => {
          // What was used by now decides how far ahead a voucher may reach, and how much of the one before is earned.
          this.#count(entry)
          const before = entry.channel
          const done = this.#perform(entry, { type: 'voucher', session: frame.session, body: frame, nowMs })
          if (entry.channel !== before) this.#wrongSignatures.giveBack('all', nowMs)
          return done
        })
      default:
        return refuse(peer, frame.session, FRAME_TYPE[frame.kind], REFUSAL.notOpen)
    }
  }

  #hello(peer: StreamPeer, payer: Address): void {
    if (this.#askings.take(peer.device, this.#deps.clock.boottimeMs()) > 0) return refuse(peer, 0, FRAME_TYPE.hello, REFUSAL.busy)
    const terms = this.#deps.terms()
    const account = terms === null ? null : this.#deps.account(payer, terms)
    if (terms === null || account === null) return refuse(peer, 0, FRAME_TYPE.hello, REFUSAL.noChannel)
    const known = this.#byChannel.get(account.channel)?.channel
    const shown = known?.account.epoch === account.epoch ? { ...known, account } : newChannel(account)
    const offer = this.#offers.make(peer.device, payer, terms, this.#deps.clock.boottimeMs(), (id) => this.#bySession.has(id))
    answer(peer, helloFrames(this.#deps.sha256, shown, offer, this.#offerSignature(terms)))
  }

  #open(peer: StreamPeer, id: number, signature: Uint8Array): void {
    const nowMs = this.#deps.clock.boottimeMs()
    const running = this.#bySession.get(id)
    const known = running?.channel.session
    if (running !== undefined && known?.id === id && known.device === peer.device && this.#askings.take(peer.device, nowMs) === 0)
      return this.#do(running, () => this.#perform(running, { type: 'open', offer: known, signature }, peer))
    const pending = this.#offers.find(id, peer.device, nowMs)
    const account = pending === null ? null : this.#deps.account(pending.payer, pending.offer.terms)
    if (pending === null || account === null) return refuse(peer, id, FRAME_TYPE.open, REFUSAL.expired)
    if (!this.#mayAskSignature(peer.device, nowMs)) return refuse(peer, id, FRAME_TYPE.open, REFUSAL.busy)
    const entry = this.#byChannel.get(account.channel) ?? this.#enter(newChannel(account))
    this.#do(entry, () => this.#openProven(entry, account, { type: 'open', offer: pending.offer, signature }, peer))
  }

  async #openProven(entry: Entry, account: StreamAccount, input: Extract<PayeeInput, { type: 'open' }>, peer: StreamPeer): Promise<void> {
    await this.#renew(entry, account)
    // Another session of this payer is ended, and told so, before this one begins at what it was worth.
    const before = entry.channel
    const done = this.#perform(entry, input, peer)
    if (entry.channel !== before || done !== undefined) this.#wrongSignatures.giveBack('all', this.#deps.clock.boottimeMs())
    await done
    if (entry.channel.session?.id !== input.offer.id) return
    this.#offers.drop(input.offer.id)
    entry.peer = peer
    entry.heardMs = this.#deps.clock.boottimeMs()
  }

  /** A session does not go over into the channel's next life. */
  async #renew(entry: Entry, account: StreamAccount): Promise<void> {
    if (account.epoch !== entry.channel.account.epoch && entry.channel.session?.phase === 'open') await this.#end(entry, STOP.closing)
    if (account.epoch !== entry.channel.account.epoch) this.#lookAtPaid(entry)
    await this.#perform(entry, { type: 'account', account })
  }

  /** Steps and carries out. The entry's lane is held. Frames go to `asking`, or to whoever has the session. */
  #perform(entry: Entry, input: PayeeInput, asking: StreamPeer | null = null): void | Promise<void> {
    const { channel, effects } = step(entry.channel, input, this.#deps)
    if (channel === entry.channel && effects.length === 0) return undefined
    const before = entry.channel.session
    if (before !== null && channel.session !== null && allowedTicks(channel.session) - allowedTicks(before) >= JUMP_TICKS) this.#jumped.add(entry)
    entry.isDirty ||= channel !== entry.channel
    entry.channel = channel
    if (before !== null && before.id !== channel.session?.id) this.#bySession.delete(before.id)
    if (channel.session !== null && channel.session.id !== before?.id) this.#bySession.set(channel.session.id, entry)
    return this.#carryOut(entry, input, effects, asking)
  }

  #carryOut(entry: Entry, input: PayeeInput, effects: readonly PayeeEffect[], asking: StreamPeer | null): void | Promise<void> {
    for (const [index, effect] of effects.entries()) {
      const rest = effects.slice(index + 1)
      if (effect.type === 'store') {
        // An earning waits for flash by itself, and outlives a write that fails: nobody would step here for it again.
        for (const each of rest) if (each.type === 'earned') entry.untold.push(earning(this.#deps, entry.channel, each))
        const after = rest.filter(({ type }) => type !== 'earned')
        return this.#writeFlash([entry]).then(() => this.#carryOut(entry, input, after, asking))
      }
      if (effect.type === 'end') return this.#end(entry, effect.reason).then(() => (input.type === 'open' ? this.#perform(entry, input, asking) : undefined))
      this.#carryOutOne(entry, effect, asking)
    }
    return undefined
  }

  #carryOutOne(entry: Entry, effect: Exclude<PayeeEffect, { type: 'store' | 'end' }>, asking: StreamPeer | null): void {
    const { channel, peer } = entry
    const { session } = channel
    const to = asking ?? peer
    if (effect.type === 'send') {
      if (to !== null) answer(to, [effect.frame])
    } else if (session !== null && effect.type === 'allow') this.#deps.service.allow(factsOf(channel, session), effect.ticks)
    else if (effect.type === 'earned') this.#tell(entry, earning(this.#deps, channel, effect))
  }

  /** Somebody else's claim beyond what we have: ours all the same, and the guest goes on from where his words are. In a session words may still catch up. */
  #lookAtPaid(entry: Entry): void {
    const { account, final, session } = entry.channel
    const paid = session?.phase === 'open' ? null : this.#deps.paid(account)
    if (paid === null || paid.claimed <= final || paid.claimed <= paid.proved) return
    const { channel, epoch, payer, token } = account
    this.#tell(entry, () => this.#deps.service.claimed({ channel, epoch, payer, token, from: paid.proved > final ? paid.proved : final, value: paid.claimed }))
  }

  #tell(entry: Entry, tell: () => void): void {
    entry.untold.push(tell)
    if (entry.written !== entry.channel) return this.#inBackground(this.#writeFlash([entry]))
    for (const each of entry.untold.splice(0)) each()
  }

  async #end(entry: Entry, reason: number): Promise<void> {
    const { session } = entry.channel
    if (session === null) return
    const ticks = session.phase === 'open' ? await this.#deps.service.end(factsOf(entry.channel, session).stream) : 0
    await this.#perform(entry, { type: 'ended', ticks, reason })
    this.#lookAtClaim(entry)
    this.#lookAtPaid(entry)
  }

  /** One after the other for each channel; at once when nothing of it is waiting for the disk. */
  #do(entry: Entry, task: Task): void {
    if (entry.waiting >= MAX_WAITING) return
    if (entry.lane === null) {
      const begun = this.#try(task)
      if (begun !== undefined) this.#occupy(entry, begun)
      return
    }
    entry.waiting++
    const begun = entry.lane.then(() => {
      entry.waiting--
      const done = this.#try(task)
      this.#noteJumps()
      return done
    })
    this.#occupy(entry, begun)
  }

  #try(task: Task): void | Promise<void> {
    const failed = (thrown: unknown): void => this.#deps.log.error('a stream could not be stored; the guest asks again', { error: asError(thrown) })
    try {
      return task()?.catch(failed)
    } catch (thrown) {
      return failed(thrown)
    }
  }

  #occupy(entry: Entry, work: Promise<void>): void {
    const lane: Promise<void> = work.then(() => {
      if (entry.lane === lane) entry.lane = null
      this.#work.delete(lane)
    })
    entry.lane = lane
    this.#work.add(lane)
  }

  #enter(channel: PayeeChannel): Entry {
    const entry = newEntry(channel, this.#deps.clock.boottimeMs())
    this.#byChannel.set(channel.account.channel, entry)
    return entry
  }

  /** What the service has used of the session by now. */
  #count(entry: Entry): void {
    const { session } = entry.channel
    if (session?.phase !== 'open') return
    const ticks = this.#deps.service.used(factsOf(entry.channel, session).stream)
    if (ticks > session.servedTicks) void this.#perform(entry, { type: 'served', ticks })
  }

  #beat(): void {
    const { clock, policy } = this.#deps
    const nowMs = clock.boottimeMs()
    const { flush, idleMs } = policy()
    const isClaimLook = ++this.#beats % BEATS_PER_CLAIM_LOOK === 0
    const records = new Map<string, string>()
    const due: Entry[] = []
    for (const entry of this.#byChannel.values()) {
      const { session } = entry.channel
      if (entry.lane === null) this.#count(entry)
      if (session?.phase === 'open' && nowMs - entry.heardMs >= idleMs && session.servedTicks >= allowedTicks(session)) this.#do(entry, () => this.#end(entry, STOP.idle))
      // What is not told yet waited for a write that failed.
      if (entry.untold.length > 0 || isFlushDue(entry.channel, entry.flushed, nowMs, flush)) due.push(entry)
      else if (entry.isDirty) records.set(entry.channel.account.channel, recordOf(entry.channel))
      if (isClaimLook) this.#lookAtClaim(entry)
      entry.isDirty = false
    }
    if (records.size > 0) this.#noteFast(records)
    if (due.length > 0) this.#inBackground(this.#writeFlash(due))
  }

  #noteJumps(): void {
    if (this.#jumped.size > 0) this.#noteFast(new Map([...this.#jumped].map(({ channel }) => [channel.account.channel, recordOf(channel)])))
    this.#jumped.clear()
  }

  #noteFast(records: ReadonlyMap<string, string>): void {
    try {
      this.#deps.journal.noteFast(records)
    } catch (thrown) {
      this.#deps.log.warn('the newest ticks are in memory only', { error: asError(thrown) })
    }
  }

  async #writeFlash(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    const nowMs = this.#deps.clock.boottimeMs()
    const written = entries.map(({ channel }) => channel)
    const proven = entries.map(({ untold }) => new Set(untold))
    await this.#deps.journal.writeFlash(new Map(written.map((channel) => [channel.account.channel, recordOf(channel)])))
    for (const [index, entry] of entries.entries()) {
      entry.written = written[index] ?? null
      entry.flushed = flushedNow(entry.written ?? entry.channel, nowMs)
      const told = entry.untold.filter((tell) => proven[index]?.has(tell))
      entry.untold = entry.untold.filter((tell) => !proven[index]?.has(tell))
      for (const tell of told) tell()
    }
  }

  #inBackground(work: Promise<void>): void {
    const done: Promise<void> = work
      .catch((thrown: unknown) => this.#deps.log.error('streams could not be written to flash; the next beat tries again', { error: asError(thrown) }))
      .finally(() => this.#work.delete(done))
    this.#work.add(done)
  }

  /** What a claim rests on is on flash before it is ordered: after a power cut the chain must not have paid more than the stream knows of. */
  #lookAtClaim(entry: Entry): void {
    const { channel } = entry
    if (this.#whyClaim(channel) === null) return
    if (entry.written === channel) return this.#claim(channel)
    this.#inBackground(this.#writeFlash([entry]).then(() => this.#claim(channel)))
  }

  #claim(channel: PayeeChannel): void {
    const reason = this.#whyClaim(channel)
    const point = reason === null ? null : claimable(this.#deps.sha256, channel)
    if (reason !== null && point !== null) this.#deps.claim(claimDuty(channel, point), channel.account, reason)
  }

  #whyClaim(channel: PayeeChannel): ClaimReason | null {
    const { claimFacts, policy } = this.#deps
    return claimReason(channel, claimFacts(channel.account), policy().claim)
  }

  #mayAskSignature(device: string, nowMs: number): boolean {
    return this.#signatures.take(device, nowMs) === 0 && this.#wrongSignatures.take('all', nowMs) === 0
  }

  #offerSignature(terms: StreamTerms): Uint8Array {
    const text = Object.values(terms).join()
    if (this.#offered?.terms !== text) this.#offered = { terms: text, signature: this.#deps.sign(offerDigest(terms)) }
    return this.#offered.signature
  }
}
