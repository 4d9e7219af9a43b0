/**
 * A box as its neighbours' watcher. A delegation is judged by its form and signatures, then by the chain, then stored, and
 * only then receipted. When the channel is closed with something older, the stored state is posted from the next
 * block on. Work for one neighbour is done one piece after the other, and only so many pieces wait.
 */
import { RateLimit, asError } from '../../base/index.ts'
import type { Address, BucketRule, Cancel, Clock, Hash, Log } from '../../base/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import { VERDICT, decodeWatchFrame, encodeReceipt, kindOfFrame, receiptDigest } from './frames.ts'
import type { Receipt, Verdict } from './frames.ts'
import { allJobs, countJobs, disputedJobs, dropJob, holdingsOf, jobsOn, putJob, putReward } from './io/job-table.ts'
import { asFound, dutiesFor, judgeChannel, judgeForm, judgeRoom, onChannelEvent, requireV2, withDelegation } from './judge.ts'
import type { JobTools, WatchJob, WatchLimits } from './judge.ts'
import type { ChannelLookup, Delegation, WatchDuties, WatchEvent, WatchTransport } from './ports.ts'

export interface WatcherOptions {
  readonly tools: JobTools
  readonly limits: WatchLimits
  readonly store: Store
  readonly lookup: ChannelLookup
  readonly duties: WatchDuties
  readonly transport: WatchTransport
  /** Newest verified block; 0 before the first. */
  readonly head: () => number
  readonly clock: Clock
  readonly log: Log
  /** In the turn that learns of it: a posting in the ledger. */
  readonly onReward?: (tx: Tx, reward: { readonly channel: Hash; readonly token: Address; readonly amount: bigint; readonly block: number }) => void
}

const PER_DELEGATOR: BucketRule = { burst: 30, perSecond: 1 / 3 }
const OVERALL: BucketRule = { burst: 200, perSecond: 10 }
const MAX_WAITING = 64
const MAX_WAITING_EACH = 4

export class Watcher {
  readonly #options: WatcherOptions
  readonly #rate = new RateLimit(PER_DELEGATOR)
  readonly #overall = new RateLimit(OVERALL, 1)
  readonly #lines = new Map<Address, { length: number; last: Promise<void> }>()
  #waiting = 0
  #cancel: Cancel = () => undefined

  /** Errors: input `profile`: the original contract binds no watcher and pays none; see monitoring-v1.ts. */
  constructor(options: WatcherOptions) {
    requireV2(options.tools)
    this.#options = options
  }

  /** Takes up again what was due at the last stop. */
  start(): void {
    this.#cancel = this.#options.transport.onFrame((from, frame) => void this.receive(from, frame))
    for (const job of this.#options.store.read(disputedJobs)) this.#order(job)
  }

  stop(): void {
    this.#cancel()
  }

  get jobs(): number {
    return this.#options.store.read(countJobs)
  }

  /** Resolves when the frame is dealt with; never rejects. Frames that are not delegations are somebody else's. */
  receive(from: Address, frame: Uint8Array): Promise<void> {
    if (kindOfFrame(frame) !== 'delegate') return Promise.resolve()
    const nowMs = this.#options.clock.boottimeMs()
    const line = this.#lines.get(from) ?? { length: 0, last: Promise.resolve() }
    if (line.length >= MAX_WAITING_EACH || this.#waiting >= MAX_WAITING || this.#rate.take(from, nowMs) > 0 || this.#overall.take('all', nowMs) > 0) return Promise.resolve()
    const message = decodeWatchFrame(frame)
    if ('refused' in message || message.kind !== 'delegate') return Promise.resolve()
    line.length++
    this.#waiting++
    line.last = line.last.then(() => this.#consider(from, message.delegation, message.job)).finally(() => {
      this.#waiting--
      if (--line.length === 0) this.#lines.delete(from)
    })
    this.#lines.set(from, line)
    return line.last
  }

  /** Looks at each job's channel in the contract's storage: for blocks whose news nobody heard. False: the chain cannot say all of it now. */
  async recheck(): Promise<boolean> {
    const { store, lookup, head } = this.#options
    let isWhole = true
    for (const { delegation } of store.read(allJobs)) {
      const { channel, receiver, partner, token } = delegation
      const found = await lookup.find({ channel, token, a: receiver, b: partner })
      if (found === null) {
        isWhole = false
        continue
      }
      const after = await store.turn((tx) => {
        const { held } = holdingsOf(tx, channel, receiver)
        if (held === null) return null
        if (found === 'absent' || found.epoch !== held.delegation.epoch) {
          dropJob(tx, held)
          return null
        }
        const changed = found.settleBlock === null ? held : asFound(held, found, head())
        if (changed === held) return null
        putJob(tx, changed)
        return changed
      })
      if (after !== null) this.#order(after)
    }
    return isWhole
  }

  /** In the order of the chain. */
  async onChain(event: WatchEvent): Promise<void> {
    const { store, tools, onReward } = this.#options
    const changed = await store.turn((tx) => {
      if (event.kind === 'rewarded') {
        if (event.watcher === tools.signer.self && putReward(tx, event)) onReward?.(tx, event)
        return []
      }
      return jobsOn(tx, event.channel).map((job) => {
        const after = onChannelEvent(job, event)
        if (after === null) dropJob(tx, job)
        else if (after !== job) putJob(tx, after)
        return { before: job, after }
      })
    })
    for (const { before, after } of changed) {
      if (after === null || (before.closed !== null && after.postedNonce >= after.delegation.proof.nonce)) this.#options.duties.drop(before.delegation.channel, before.delegation.epoch)
      if (after !== null && after !== before) this.#order(after)
    }
  }

  async #consider(from: Address, delegation: Delegation, job: Hash): Promise<void> {
    try {
      const verdict = await this.#judge(from, delegation)
      // Nobody is told anything who is not the one that delegates.
      if (verdict !== VERDICT.notMine) this.#answer(from, delegation, job, verdict)
    } catch (thrown) {
      this.#options.log.error('a watch job could not be stored', { channel: delegation.channel, error: asError(thrown).message })
      this.#answer(from, delegation, job, VERDICT.tryLater)
    }
  }

  async #judge(from: Address, delegation: Delegation): Promise<Verdict> {
    const { tools, limits, store, lookup, head } = this.#options
    const { channel, receiver, partner, token } = delegation
    const form = judgeForm(tools, delegation, from, limits)
    if (form !== VERDICT.accepted) return form
    const room = store.read((tx) => judgeRoom(delegation, holdingsOf(tx, channel, receiver), limits))
    if (room !== VERDICT.accepted) return room
    const found = await lookup.find({ channel, token, a: receiver, b: partner })
    const onChain = judgeChannel(delegation, found, head(), limits)
    if (onChain !== VERDICT.accepted || found === null || found === 'absent') return onChain
    const stored = await store.turn((tx) => {
      const holdings = holdingsOf(tx, channel, receiver)
      const verdict = judgeRoom(delegation, holdings, limits)
      if (verdict !== VERDICT.accepted) return { verdict, job: null }
      const job = withDelegation(holdings.held, delegation, found, head())
      putJob(tx, job)
      return { verdict, job }
    })
    if (stored.job !== null) this.#order(stored.job)
    if (stored.job !== null) await this.#lookAgain(delegation)
    return stored.verdict
  }

  /** The channel may have been closed between the look and the storing, when no event found a job yet. */
  async #lookAgain(delegation: Delegation): Promise<void> {
    const { store, lookup, head } = this.#options
    const { channel, receiver, partner, token } = delegation
    const found = await lookup.find({ channel, token, a: receiver, b: partner })
    if (found === null || found === 'absent' || found.settleBlock === null) return
    const job = await store.turn((tx) => {
      const { held } = holdingsOf(tx, channel, receiver)
      const after = held === null ? null : asFound(held, found, head())
      if (after === null || after === held) return null
      putJob(tx, after)
      return after
    })
    if (job !== null) this.#order(job)
  }

  #order(job: WatchJob): void {
    for (const duty of dutiesFor(job, this.#options.head())) this.#options.duties.add(duty)
  }

  #answer(to: Address, delegation: Delegation, job: Hash, verdict: Verdict): void {
    const { transport, tools } = this.#options
    const receipt: Omit<Receipt, 'signature'> = { channel: delegation.channel, epoch: delegation.epoch, nonce: delegation.proof.nonce, job, verdict }
    transport.send(to, encodeReceipt({ ...receipt, signature: tools.signer.sign(receiptDigest(tools.digests.domain, receipt)) }))
  }
}
