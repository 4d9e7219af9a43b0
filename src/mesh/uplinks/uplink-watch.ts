/**
 * The ways out at work: looks at links twice a second, tries each in its turn (schedule.ts), takes the best (choice.ts), tells the
 * kernel and batman-adv, and buys time upstream where that is all there is (reseller.ts). What the kernel does not take is
 * tried again; what is chosen is never believed done before it is. docs/mesh.md
 */
import { asError } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Reach, UplinkKind, UplinkProbe, UplinkRoutes, UplinkState, Uplinks } from '../ports.ts'
import { NO_CHOICE, choose, reachOf } from './choice.ts'
import type { Candidate, Choice } from './choice.ts'
import { isFluttering, lossOf } from './health.ts'
import type { UplinkPlace } from './route-plan.ts'
import { dueMs, newCourse, stepCourse } from './schedule.ts'
import type { Course, CourseEffect, CourseInput, Use } from './schedule.ts'
import type { UpstreamPurse, UpstreamPurseView } from './upstream-purse.ts'

const LOOK_EVERY_MS = 500
const ROUTES_AGAIN_MS = 1000
/** What one exchange of ours sends at most; more than that between two looks is somebody's traffic. */
const SENT_BY_PROBE_BYTES = 300

export interface UplinkSetting {
  readonly name: string
  readonly kind: UplinkKind
  readonly interfaceName: string
  /** 0: flat; else bytes count, and probes are few. */
  readonly unitsPerMiB: bigint
  readonly downKbit: number
  readonly upKbit: number
  /** 1–4, as the configuration has them. */
  readonly targets: readonly string[]
}

export interface LinkSight {
  /** Why nothing can go over it; null: it may work. */
  readonly trouble: string | null
  /** By the kernel's count. */
  readonly sentBytes: number
}

export interface UplinkLinks {
  see(interfaceName: string): LinkSight
  /** Null: it has no address. */
  places(interfaceNames: readonly string[]): (UplinkPlace | null)[]
}

export interface UplinkRouting extends UplinkRoutes {
  /** Addresses and gateways as they are now, after DHCP gave others. `wereDown`: interfaces whose routes the kernel may have dropped. */
  refresh(wereDown: readonly string[]): Promise<void>
}

export interface UplinkWatchParts {
  /** In the owner's order. */
  readonly settings: readonly UplinkSetting[]
  readonly probe: UplinkProbe
  readonly links: UplinkLinks
  readonly routes: UplinkRouting
  /** For the ways that are bought, by uplink's name. */
  readonly purses: ReadonlyMap<string, UpstreamPurse>
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

/** For the owner, beside UplinkState. */
export interface UplinkDetail extends UplinkState {
  readonly probeBytes: number
  readonly isFluttering: boolean
  /** Null: it is not bought. */
  readonly purchase: UpstreamPurseView | null
}

interface Way {
  readonly setting: UplinkSetting
  course: Course
  sight: LinkSight
  isBusy: boolean
  probesSinceLook: number
  /** Of a way that is bought, as of the last look. */
  paidUntilMs: number | null
}

export class UplinkWatch implements Uplinks {
  readonly #parts: UplinkWatchParts
  readonly #ways: readonly Way[]
  readonly #listeners = new Set<(chosen: UplinkState | null, reach: Reach) => void>()
  #choice: Choice = NO_CHOICE
  #reach: { readonly reach: Reach; readonly sinceMs: number }
  #lookedMs = Number.NEGATIVE_INFINITY
  #isRunning = false
  #cancelNext: Cancel = () => undefined
  #applying: Promise<void> | null = null
  /** What the kernel has; undefined: not known. */
  #applied: string | null | undefined = undefined
  #trouble: string | null = null
  #mustRefresh = false
  #wereDown: readonly string[] = []

  constructor(parts: UplinkWatchParts) {
    this.#parts = parts
    const nowMs = parts.clock.boottimeMs()
    this.#reach = { reach: 'none', sinceMs: nowMs }
    this.#ways = parts.settings.map((setting) => ({
      setting,
      course: newCourse(setting.targets, setting.unitsPerMiB > 0n, nowMs),
      sight: { trouble: null, sentBytes: 0 },
      isBusy: false,
      probesSinceLook: 0,
      paidUntilMs: null,
    }))
  }

  start(): void {
    this.#isRunning = true
    this.#turn()
  }

  /** Resolves when nothing of it is at the kernel any more. Probes that are out end unheard. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancelNext()
    this.#listeners.clear()
    await this.#applying
  }

  states(): readonly UplinkState[] {
    return this.#ways.map((way) => this.#stateOf(way))
  }

  details(): readonly UplinkDetail[] {
    const nowMs = this.#parts.clock.boottimeMs()
    return this.#ways.map((way) => ({
      ...this.#stateOf(way),
      probeBytes: way.course.spentBytes,
      isFluttering: isFluttering(way.course.health, nowMs),
      purchase: this.#parts.purses.get(way.setting.name)?.view() ?? null,
    }))
  }

  reach(): { readonly reach: Reach; readonly sinceMs: number } {
    return this.#reach
  }

  /** Why what is taken is taken, or why nothing is. */
  reason(): string {
    return this.#choice.reason
  }

  /** Why the kernel does not have what was chosen; null: it has. */
  trouble(): string | null {
    return this.#trouble
  }

  on(listener: (chosen: UplinkState | null, reach: Reach) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #turn(): void {
    if (!this.#isRunning) return
    const nowMs = this.#parts.clock.boottimeMs()
    if (nowMs - this.#lookedMs >= LOOK_EVERY_MS) this.#look(nowMs)
    for (const way of this.#ways) if (way.sight.trouble === null) this.#step(way, { kind: 'tick', nowMs, use: this.#useOf(way) })
    this.#decide(nowMs)
    this.#plan(nowMs)
  }

  #plan(nowMs: number): void {
    this.#cancelNext()
    const dues = this.#ways.filter((way) => way.sight.trouble === null).map((way) => dueMs(way.course, this.#useOf(way)))
    const delayMs = Math.max(1, Math.min(this.#lookedMs + LOOK_EVERY_MS, ...dues) - nowMs)
    this.#cancelNext = this.#parts.timers.after(delayMs, () => this.#turn())
  }

  #look(nowMs: number): void {
    this.#lookedMs = nowMs
    for (const way of this.#ways) {
      const sight = this.#parts.links.see(way.setting.interfaceName)
      const cameBack = way.sight.trouble !== null && sight.trouble === null
      way.isBusy = sight.sentBytes - way.sight.sentBytes > way.probesSinceLook * SENT_BY_PROBE_BYTES
      way.probesSinceLook = 0
      way.sight = sight
      if (sight.trouble !== null) way.course = stepCourse(way.course, { kind: 'loss', reason: sight.trouble, nowMs }).course
      if (cameBack) this.#wereDown = [...new Set([...this.#wereDown, way.setting.interfaceName])]
    }
    this.#mustRefresh = true
    this.#tickPurses()
  }

  /** Time is bought where it is in use, or where all that costs nothing extra was tried and is down; at one at a time. */
  #tickPurses(): void {
    const { purses } = this.#parts
    const isNothingElse = this.#choice.name === null && this.#ways.every(({ setting, course }) => purses.has(setting.name) || course.health.health === 'down')
    const next = isNothingElse ? this.#ways.find(({ setting, sight }) => sight.trouble === null && purses.get(setting.name)?.isSpent() === false)?.setting.name : this.#choice.name
    for (const way of this.#ways) {
      const purse = purses.get(way.setting.name)
      if (purse === undefined) continue
      purse.tick(way.setting.name === next, way.course.health.health === 'down')
      const { paidUntilMs } = purse.view()
      if (paidUntilMs !== way.paidUntilMs) way.course = stepCourse(way.course, { kind: 'hurry' }).course
      way.paidUntilMs = paidUntilMs
    }
  }

  #step(way: Way, input: CourseInput): void {
    const wasAll = way.course.round?.isAll === true
    const { course, effects } = stepCourse(way.course, input)
    way.course = course
    for (const effect of effects) this.#probe(way, effect)
    // What is in use fails to answer: it had better be known which other would do.
    if (way.setting.name === this.#choice.name && !wasAll && course.round?.isAll === true)
      for (const other of this.#ways) if (other !== way) other.course = stepCourse(other.course, { kind: 'hurry' }).course
  }

  #probe(way: Way, { round, target, timeoutMs }: CourseEffect): void {
    way.probesSinceLook += 1
    const heard = (ok: boolean, roundTripMs: number, reason: string): void => {
      if (!this.#isRunning) return
      const nowMs = this.#parts.clock.boottimeMs()
      this.#step(way, { kind: 'result', round, ok, roundTripMs, reason, nowMs })
      this.#decide(nowMs)
      this.#plan(nowMs)
    }
    this.#parts.probe.probe(way.setting.interfaceName, target, timeoutMs).then(
      (answer) => heard(answer.ok, answer.roundTripMs, answer.reason),
      (thrown) => heard(false, 0, asError(thrown).message),
    )
  }

  #decide(nowMs: number): void {
    const candidates = this.#ways.map((way) => this.#candidateOf(way, nowMs))
    const before = this.#choice
    this.#choice = choose(before, candidates, nowMs)
    const reach = reachOf(this.#choice, candidates)
    const isNews = this.#choice.name !== before.name || reach !== this.#reach.reach
    if (reach !== this.#reach.reach) this.#reach = { reach, sinceMs: nowMs }
    this.#apply()
    if (!isNews) return
    this.#parts.log.info('uplinks: the way out', { chosen: this.#choice.name ?? 'none', reason: this.#choice.reason, reach })
    const chosen = this.states().find((each) => each.isChosen) ?? null
    for (const listener of this.#listeners) {
      try {
        listener(chosen, reach)
      } catch (thrown) {
        this.#parts.log.error('uplinks: a listener failed', { error: asError(thrown) })
      }
    }
  }

  /** One at a time; what was decided meanwhile is done next. */
  #apply(): void {
    if (this.#applying !== null || (this.#applied === this.#choice.name && !this.#mustRefresh)) return
    this.#applying = this.#tellKernel()
      .then(() => {
        this.#trouble = null
      })
      .catch((thrown) => {
        this.#applied = undefined
        const { message } = asError(thrown)
        if (message !== this.#trouble) this.#parts.log.warn('uplinks: the kernel did not take the way out; trying again', { error: asError(thrown) })
        this.#trouble = message
        return new Promise<void>((resolve) => void this.#parts.timers.after(ROUTES_AGAIN_MS, resolve))
      })
      .finally(() => {
        this.#applying = null
        if (this.#isRunning) this.#apply()
      })
  }

  async #tellKernel(): Promise<void> {
    const { routes } = this.#parts
    const wanted = this.#choice.name
    if (this.#mustRefresh) {
      const wereDown = this.#wereDown
      this.#mustRefresh = false
      this.#wereDown = []
      await routes.refresh(wereDown)
    }
    if (this.#applied === wanted) return
    const setting = this.#parts.settings.find((each) => each.name === wanted)
    await routes.choose(setting?.interfaceName ?? null)
    // Who gets out by a neighbour must not offer that as a way out of its own: two such would send to each other for ever.
    const isGateway = setting !== undefined && setting.kind !== 'neighbour'
    await routes.announceGateway(isGateway ? { kind: 'server', downKbit: setting.downKbit, upKbit: setting.upKbit } : { kind: 'client' })
    this.#applied = wanted
  }

  #useOf(way: Way): Use {
    if (way.setting.name !== this.#choice.name) return 'reserve'
    return way.isBusy ? 'busy' : 'idle'
  }

  #candidateOf({ setting, course }: Way, nowMs: number): Candidate {
    const { health, sinceMs } = course.health
    return { name: setting.name, kind: setting.kind, health, sinceMs, unitsPerMiB: setting.unitsPerMiB, isSpent: this.#parts.purses.get(setting.name)?.isSpent() ?? false, isFluttering: isFluttering(course.health, nowMs) }
  }

  #stateOf({ setting, course }: Way): UplinkState {
    const isChosen = setting.name === this.#choice.name
    const { health, sinceMs, roundTripMs } = course.health
    return {
      name: setting.name,
      kind: setting.kind,
      interfaceName: setting.interfaceName,
      health,
      roundTripMs,
      loss: lossOf(course.health),
      unitsPerMiB: setting.unitsPerMiB,
      isChosen,
      sinceMs,
      reason: isChosen ? this.#choice.reason : course.lastReason,
    }
  }
}
