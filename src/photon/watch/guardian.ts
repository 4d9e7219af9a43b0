/**
 * The delegator's shell: looks at the box's channels, sends newest states to the watchers that the plan names, and keeps
 * on disk what each was sent and has signed for. What a watcher was sent is noted before it leaves, since it may cost a
 * reward; sending to one that is away costs nothing, as nothing is signed then.
 */
import { RateLimit, asError } from '../../base/index.ts'
import type { Address, Cancel, Clock, Hash, Log, Timers } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import { decodeWatchFrame, encodeDelegation, jobHash, kindOfFrame, receiptDigest } from './frames.ts'
import { noteReceipt, noteSent, planGuards, unguardedValue } from './guard.ts'
import type { Candidate, Guard, GuardRules, GuardedChannel } from './guard.ts'
import { allGuards, dropGuards, guardsOf, putGuard } from './io/guard-table.ts'
import { requireV2 } from './judge.ts'
import type { JobTools } from './judge.ts'
import type { GuardedSecret, WatchEvent, WatchTransport } from './ports.ts'

export interface GuardianOptions {
  readonly tools: JobTools
  readonly rules: GuardRules
  readonly store: Store
  readonly transport: WatchTransport
  readonly channels: () => readonly GuardedChannel[]
  readonly candidates: () => readonly Candidate[]
  /** Secrets known for locks that the partner has not unlocked yet; at most 30 are sent. */
  readonly secretsOf: (channel: Hash) => readonly GuardedSecret[]
  readonly rewardOf: (channel: GuardedChannel) => bigint
  /** The chain has been out of view for longer than the grace. */
  readonly isBlind: () => boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

const LOOK_EVERY_MS = 5_000
/** From one neighbour. */
const RECEIPTS = { burst: 60, perSecond: 1 }

export class Guardian {
  readonly #options: GuardianOptions
  #cancels: readonly Cancel[] = []
  #looking: Promise<void> = Promise.resolve()
  readonly #rate = new RateLimit(RECEIPTS)

  /** Errors: input `profile`. */
  constructor(options: GuardianOptions) {
    requireV2(options.tools)
    this.#options = options
  }

  start(): void {
    const { transport, timers } = this.#options
    this.#cancels = [transport.onFrame((from, frame) => void this.receive(from, frame)), timers.every(LOOK_EVERY_MS, () => void this.look())]
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
  }

  /** Sends what is due. One look at a time; never rejects. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      for (const channel of this.#options.channels()) {
        try {
          await this.#guard(channel)
        } catch (thrown) {
          this.#options.log.error('a channel could not be given to its watchers', { channel: channel.channel, error: asError(thrown).message })
        }
      }
    })
    return this.#looking
  }

  /** A receipt; other frames are somebody else's. Never rejects. */
  async receive(from: Address, frame: Uint8Array): Promise<void> {
    const { tools, store, log, clock } = this.#options
    if (kindOfFrame(frame) !== 'receipt' || this.#rate.take(from, clock.boottimeMs()) > 0) return
    const message = decodeWatchFrame(frame)
    if ('refused' in message || message.kind !== 'receipt') return
    const { receipt } = message
    const isOurs = (guard: Guard): boolean => guard.watcher === from && guard.sent?.job === receipt.job
    if (!store.read((tx) => guardsOf(tx, receipt)).some(isOurs)) return
    if (tools.signer.recover(receiptDigest(tools.digests.domain, receipt), receipt.signature) !== from) return
    try {
      await store.turn((tx) => {
        for (const guard of guardsOf(tx, receipt)) if (isOurs(guard)) putGuard(tx, receipt, noteReceipt(guard, receipt))
      })
    } catch (thrown) {
      log.error('a receipt could not be stored; the watcher will be asked again', { error: asError(thrown).message })
    }
  }

  async onChain(event: WatchEvent): Promise<void> {
    if (event.kind === 'settled') await this.#options.store.turn((tx) => dropGuards(tx, event.channel))
  }

  /** For the owner's page and alarms. */
  standing(): readonly { readonly channel: Hash; readonly guards: readonly Guard[]; readonly unguarded: bigint }[] {
    return this.#options.channels().map((channel) => {
      const guards = this.#options.store.read((tx) => guardsOf(tx, channel))
      return { channel: channel.channel, guards, unguarded: unguardedValue(channel, guards) }
    })
  }

  get records(): number {
    return this.#options.store.read(allGuards)
  }

  async #guard(channel: GuardedChannel): Promise<void> {
    const { store, rules, transport, tools, candidates, clock, isBlind } = this.#options
    const { proof } = channel
    if (proof === null) return
    const reachable = new Set(transport.neighbours())
    const here = candidates().filter((candidate) => reachable.has(candidate.watcher) && candidate.watcher !== tools.signer.self)
    const moment = { nowMs: clock.boottimeMs(), isBlind: isBlind() }
    const plan = planGuards(channel, store.read((tx) => guardsOf(tx, channel)), here, rules, moment)
    if (plan.sendTo.length === 0) return
    const reward = this.#options.rewardOf(channel)
    const secrets = this.#options.secretsOf(channel.channel).slice(0, 30)
    const { nonce, transferred, locksroot } = proof
    const frames = plan.sendTo.map((watcher) => {
      const digest = tools.digests.updateDelegation({ channel: channel.channel, epoch: channel.epoch, nonce, transferred, locksroot, watcher, reward })
      const delegation = { channel: channel.channel, epoch: channel.epoch, token: channel.token, receiver: tools.signer.self, partner: channel.partner, proof, watcher, reward, receiverSignature: tools.signer.sign(digest), secrets }
      return { watcher, frame: encodeDelegation(delegation) }
    })
    await store.turn((tx) => {
      for (const { watcher, frame } of frames) {
        const guard = plan.guards.find((one) => one.watcher === watcher)
        if (guard !== undefined) putGuard(tx, channel, noteSent(guard, proof, jobHash(frame), moment.nowMs))
      }
    })
    for (const { watcher, frame } of frames) transport.send(watcher, frame)
  }
}
