/**
 * Keeps the kernel's leases ahead of the sessions: all that need it in one change, three times per lease,
 * and within a second after the gate failed to follow. A session whose last lease reaches its own end is
 * left alone: the kernel closes it to the moment.
 */
import { asError } from '../base/index.ts'
import type { Cancel } from '../base/index.ts'
import type { Grant } from './gate/types.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import { openOwed } from './owed.ts'
import type { HotspotDeps } from './ports.ts'
import { grantsOf, leaseEndOf, needsRenewal, step } from './session/index.ts'
import type { Session, SessionInput } from './session/index.ts'

const RENEWALS_PER_LEASE = 3
const RETRY_MS = 1000

export class Renewal {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  readonly #keeper: Keeper
  readonly #gatekeeper: Gatekeeper
  #isRenewing = false
  #isFailing = false
  #cancel: Cancel = () => undefined
  #cancelRetry: Cancel | null = null

  constructor(deps: HotspotDeps, live: LiveSessions, lanes: Lanes, keeper: Keeper, gatekeeper: Gatekeeper) {
    this.#deps = deps
    this.#live = live
    this.#lanes = lanes
    this.#keeper = keeper
    this.#gatekeeper = gatekeeper
  }

  start(): void {
    this.#keeper.onTrouble = () => this.#soon()
    const everyMs = Math.floor((this.#deps.config().hotspot.leaseSeconds * 1000) / RENEWALS_PER_LEASE)
    this.#cancel = this.#deps.timers.every(everyMs, () => this.#keeper.spawn('renewing leases', this.renew()))
  }

  stop(): void {
    this.#keeper.onTrouble = () => undefined
    this.#cancel()
    this.#cancelRetry?.()
    this.#cancelRetry = null
  }

  async renew(): Promise<void> {
    if (this.#isRenewing) return
    this.#isRenewing = true
    const parts = { live: this.#live, lanes: this.#lanes, keeper: this.#keeper }
    try {
      await openOwed(this.#deps, parts, (owed) => this.#tell(owed))
      if (this.#isFailing) this.#deps.log.info('leases are renewed again')
      this.#isFailing = false
    } catch (thrown) {
      if (!this.#isFailing) this.#deps.log.error('leases could not be renewed; trying again every second', { error: asError(thrown) })
      this.#isFailing = true
      this.#soon()
    } finally {
      this.#isRenewing = false
    }
  }

  /** One change: those who are owed, those whose lease must go on, and those whose closing failed before. */
  async #tell(owed: readonly Grant[]): Promise<ReadonlySet<string>> {
    const { clock, config } = this.#deps
    const { unclosed } = this.#gatekeeper
    const due = this.#due()
    const close = [...unclosed].filter((mac) => !this.#keeper.isHeld(mac))
    unclosed.clear()
    if (owed.length === 0 && due.length === 0 && close.length === 0) return new Set()
    const leaseMs = config().hotspot.leaseSeconds * 1000
    const fromMs = clock.boottimeMs()
    const open = [...owed, ...due.flatMap((session) => grantsOf(session, fromMs, leaseMs))]
    for (const session of due) this.#keeper.behind.delete(session.id)
    let refused: ReadonlySet<string>
    try {
      refused = await this.#gatekeeper.tellAll(open, close)
    } catch (thrown) {
      for (const session of due) this.#keeper.behind.add(session.id)
      throw thrown
    }
    for (const session of due)
      if (refused.has(session.id)) this.#keeper.behind.add(session.id)
      else this.#noteRenewed(session.id, fromMs, leaseEndOf(session, fromMs, leaseMs))
    return refused
  }

  #due(): Session[] {
    const due: Session[] = []
    for (const session of this.#live.all())
      if (session.state === 'active' && (needsRenewal(session) || this.#keeper.behind.has(session.id))) due.push(session)
    return due
  }

  /**
   * What the kernel was given is charged, whatever else goes on: a session somebody is working on hears of it
   * in its lane, as of the moment the kernel had it.
   */
  #noteRenewed(id: string, fromMs: number, openUntilMs: number): void {
    const news = (): SessionInput => ({ type: 'renewed', at: this.#keeper.now(), fromMs, openUntilMs })
    const session = this.#live.get(id)
    if (session === undefined) return
    const renewed = step(session, news())
    // With effects: its time, or its allotment, ran out at this very moment.
    if (renewed.effects.length === 0 && !this.#lanes.isBusy(sessionLane(id))) this.#live.put(renewed.session)
    else this.#keeper.inBackground(id, 'noting a lease', (now) => this.#keeper.perform(now, news()))
  }

  #soon(): void {
    this.#cancelRetry ??= this.#deps.timers.after(RETRY_MS, () => {
      this.#cancelRetry = null
      this.#keeper.spawn('renewing leases', this.renew())
    })
  }
}
