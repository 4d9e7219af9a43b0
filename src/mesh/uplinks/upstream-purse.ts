/** The reseller at work for one uplink: writes, then pays; one thing at a time. What a crash leaves open is taken up at the start. */
import { MeshBoxError, asError, hexOf } from '../../base/index.ts'
import type { Clock, Log, Randomness } from '../../base/index.ts'
import { NO_RESELLER_RECORD, resumeReseller, stepReseller } from './reseller.ts'
import type { Reseller, ResellerInput, ResellerRecord, UpstreamSeller } from './reseller.ts'

const REFERENCE_BYTES = 32
/** The day's clock is written so often, so that reboots take no more of it. */
const WRITE_AGE_MS = 3_600_000

export interface ResellerBook {
  read(uplink: string): ResellerRecord | null
  /** On disk when it resolves. */
  write(uplink: string, record: ResellerRecord): Promise<void>
}

export interface UpstreamPurseParts {
  readonly uplink: string
  readonly interfaceName: string
  /** Units in a day. */
  readonly cap: bigint
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

  constructor(parts: UpstreamPurseParts) {
    this.#parts = parts
    this.#state = resumeReseller(parts.book.read(parts.uplink) ?? NO_RESELLER_RECORD, parts.cap, parts.clock.boottimeMs())
    this.#writtenAgeMs = this.#state.ageMs
  }

  /** Any number of times; `isWanted`: it is in use, or nothing else works. */
  tick(isWanted: boolean): void {
    this.#input({ kind: 'tick', nowMs: this.#parts.clock.boottimeMs(), isWanted })
    if (this.#state.ageMs - this.#writtenAgeMs > WRITE_AGE_MS) this.#lane = this.#lane.then(() => this.#write()).catch((thrown) => this.#parts.log.warn('uplinks: what was bought could not be written', { error: asError(thrown) }))
  }

  /** Nothing may be bought today, and what was bought is used up. */
  isSpent(): boolean {
    return this.#state.isCapped && (this.#state.paidUntilMs ?? 0) <= this.#parts.clock.boottimeMs()
  }

  view(): { readonly paidUntilMs: number | null; readonly spentInDay: bigint; readonly cap: bigint; readonly reason: string } {
    const { paidUntilMs, spentInDay, cap, reason } = this.#state
    return { paidUntilMs, spentInDay, cap, reason }
  }

  #input(input: ResellerInput): void {
    const step = stepReseller(this.#state, input)
    this.#state = step.state
    if (step.effects.length > 0) this.#lane = this.#lane.then(() => this.#carryOut(step.effects))
  }

  async #carryOut(effects: ReturnType<typeof stepReseller>['effects']): Promise<void> {
    const { seller, interfaceName, clock, randomness } = this.#parts
    const nowMs = (): number => clock.boottimeMs()
    let isSent = false
    try {
      for (const effect of effects) {
        if (effect.kind === 'write') await this.#write()
        else if (effect.kind === 'ask') {
          const offer = await seller.offer(interfaceName)
          this.#input({ kind: 'offered', offer, newReference: hexOf(randomness.bytes(REFERENCE_BYTES)), nowMs: nowMs() })
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
      this.#parts.log.warn('uplinks: time upstream was not bought', { uplink: this.#parts.uplink, error })
    }
  }

  async #write(): Promise<void> {
    const { order, ageMs, dayBeganAgeMs, spentInDay, spentInAll } = this.#state
    await this.#parts.book.write(this.#parts.uplink, { order, ageMs, dayBeganAgeMs, spentInDay, spentInAll })
    this.#writtenAgeMs = ageMs
  }
}
