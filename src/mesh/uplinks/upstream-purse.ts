/** The reseller at work for one uplink: writes, then pays; one thing at a time. What a crash leaves open is taken up at the start. */
import { MeshBoxError, asError, hexOf } from '../../base/index.ts'
import type { Clock, Log, Randomness } from '../../base/index.ts'
import { NO_RESELLER_RECORD, resumeReseller, stepReseller } from './reseller.ts'
import type { Reseller, ResellerInput, ResellerLimits, ResellerRecord, UpstreamOrder, UpstreamSeller } from './reseller.ts'

const REFERENCE_BYTES = 32
/** The day's clock is written so often, so that reboots take no more of it. */
const WRITE_AGE_MS = 3_600_000

export interface ResellerBook {
  read(uplink: string): ResellerRecord | null
  /** On disk when it resolves, with what `bought` cost in the books. */
  write(uplink: string, record: ResellerRecord, bought: UpstreamOrder | null): Promise<void>
}

/** For the owner. */
export interface UpstreamPurseView {
  readonly paidUntilMs: number | null
  readonly spentInDay: bigint
  readonly cap: bigint
  readonly isSpent: boolean
  readonly reason: string
}

export interface UpstreamPurseParts {
  readonly uplink: string
  readonly interfaceName: string
  /** Read at each step. */
  readonly limits: () => ResellerLimits
  readonly seller: UpstreamSeller
  readonly book: ResellerBook
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly randomness: Randomness
  readonly log: Log
}

export class UpstreamPurse {
  readonly #parts: UpstreamPurseParts
  #state: Reseller
  #writtenAgeMs: number
  #lane: Promise<void> = Promise.resolve()
  #said: string | null = null
  /** Paid, and not in the books: the disk refused. */
  #unbooked: UpstreamOrder | null = null

  constructor(parts: UpstreamPurseParts) {
    this.#parts = parts
    this.#state = resumeReseller(parts.book.read(parts.uplink) ?? NO_RESELLER_RECORD, parts.limits(), parts.clock.boottimeMs())
    this.#writtenAgeMs = this.#state.ageMs
  }

  /** Any number of times; `isWanted`: it is in use, or nothing else works; `isDown`: nothing answers over it. */
  tick(isWanted: boolean, isDown: boolean): void {
    this.#input({ kind: 'tick', nowMs: this.#parts.clock.boottimeMs(), isWanted, isDown })
    if (this.#state.ageMs - this.#writtenAgeMs > WRITE_AGE_MS || this.#unbooked !== null) this.#lane = this.#lane.then(() => this.#write(null)).catch((thrown) => this.#parts.log.warn('uplinks: what was bought could not be written', { error: asError(thrown) }))
  }

  /** Nothing may be bought today, and what was bought is used up. */
  isSpent(): boolean {
    return this.#state.isCapped && (this.#state.paidUntilMs ?? 0) <= this.#parts.clock.boottimeMs()
  }

  view(): UpstreamPurseView {
    const { paidUntilMs, spentInDay, reason } = this.#state
    return { paidUntilMs, spentInDay, cap: this.#parts.limits().cap, isSpent: this.isSpent(), reason }
  }

  /** Orders under way included. */
  spentInDay(): bigint {
    return this.#state.spentInDay
  }

  #input(input: ResellerInput): void {
    const limits = this.#parts.limits()
    const before: Reseller = { ...this.#state, limits, isCapped: this.#state.isCapped && limits.cap <= this.#state.limits.cap }
    // Another order would be written over one that is not in the books.
    if (this.#unbooked !== null && input.kind === 'tick') return
    const step = stepReseller(before, input)
    this.#state = step.state
    if (step.effects.length > 0) this.#lane = this.#lane.then(() => this.#carryOut(step.effects))
  }

  async #carryOut(effects: ReturnType<typeof stepReseller>['effects']): Promise<void> {
    const { seller, interfaceName, clock, randomness } = this.#parts
    const nowMs = (): number => clock.boottimeMs()
    let isSent = false
    try {
      for (const effect of effects) {
        if (effect.kind === 'write') await this.#write(effect.bought)
        else if (effect.kind === 'ask') {
          const terms = await seller.offer(interfaceName)
          this.#input({ kind: 'offered', terms, newReference: hexOf(randomness.bytes(REFERENCE_BYTES)), nowMs: nowMs() })
        } else {
          isSent = true
          const { leftSeconds } = await seller.buy(interfaceName, effect.order)
          this.#input({ kind: 'bought', leftSeconds, nowMs: nowMs() })
        }
      }
    } catch (thrown) {
      const error = asError(thrown)
      // An order that is not on disk is not sent, and so not paid.
      const isCertain = !isSent || (error instanceof MeshBoxError && error.code === 'not-paid')
      this.#input({ kind: 'failed', isCertain, reason: error.message, nowMs: nowMs() })
      // The same comes each few seconds.
      if (error.message !== this.#said) this.#parts.log.warn('uplinks: time upstream was not bought', { uplink: this.#parts.uplink, error })
      this.#said = error.message
    }
  }

  async #write(bought: UpstreamOrder | null): Promise<void> {
    this.#unbooked ??= bought
    const { order, ageMs, dayBeganAgeMs, spentInDay, spentInAll } = this.#state
    await this.#parts.book.write(this.#parts.uplink, { order, ageMs, dayBeganAgeMs, spentInDay, spentInAll }, this.#unbooked)
    this.#unbooked = null
    this.#writtenAgeMs = ageMs
  }
}
