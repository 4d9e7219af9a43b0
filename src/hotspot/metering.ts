/**
 * Reads the gate's byte counters and charges them: every 2 s while somebody is limited by bytes or looks at
 * his page, else seldom. The kernel's own quota cuts off; this only keeps the books (portal.md 2.7).
 */
import { asError } from '../base/index.ts'
import type { Cancel } from '../base/index.ts'
import type { MacAddress } from './gate/types.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import { NOTHING_READ, isByteLimited, step } from './session/index.ts'
import type { Reading, Session } from './session/index.ts'

const POLL_MS = 2000
/** When nobody is limited by bytes and nobody looks: for idle pauses and the owner's figures. */
const SLOW_POLL_MS = 30_000
/** A page that was shown may be looked at for so long. */
const LOOKING_MS = 10_000

export class Metering {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  readonly #keeper: Keeper
  readonly #gatekeeper: Gatekeeper
  /** Newest counters of all devices the gate may know; one it was just asked to open counts from zero. */
  #readings = new Map<MacAddress, Reading>()
  /** Boot-clock time of the last traffic, or of the opening. */
  readonly #busyAt = new Map<string, number>()
  /** Sessions somebody was working on at a reading: they hear of it in their lane. */
  readonly #waiting = new Set<string>()
  #polling: Promise<void> | null = null
  #polledAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  #isFailing = false
  #cancel: Cancel = () => undefined

  constructor(deps: HotspotDeps, live: LiveSessions, lanes: Lanes, keeper: Keeper, gatekeeper: Gatekeeper) {
    this.#deps = deps
    this.#live = live
    this.#lanes = lanes
    this.#keeper = keeper
    this.#gatekeeper = gatekeeper
  }

  start(): void {
    this.#cancel = this.#deps.timers.every(POLL_MS, () => {
      if (this.#isDue()) this.#keeper.spawn('reading the counters', this.poll())
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** Somebody was shown figures and may want to see them move. */
  looked(): void {
    this.#lookedAt = this.#deps.clock.boottimeMs()
  }

  opening(macs: readonly MacAddress[]): void {
    for (const mac of macs) if (!this.#readings.has(mac)) this.#readings.set(mac, NOTHING_READ)
  }

  /** Reads now; those who ask meanwhile share the reading. A gate that does not answer leaves the books as they are. */
  poll(): Promise<void> {
    this.#polling ??= this.#read().finally(() => {
      this.#polling = null
    })
    return this.#polling
  }

  /**
   * What the gate counted for this device before now; costs a reading only if it may know the device. The
   * kernel outlives the service: before the first reading, it may know anybody.
   */
  async baseline(mac: MacAddress): Promise<Reading> {
    if (Number.isFinite(this.#polledAt) && !this.#readings.has(mac)) return NOTHING_READ
    await this.poll()
    return this.#readings.get(mac) ?? NOTHING_READ
  }

  /** The session with traffic up to this moment charged. Its lane is held by the caller. */
  async charge(session: Session): Promise<Session> {
    if (session.devices.some((device) => this.#readings.has(device.mac))) await this.poll()
    return this.#keeper.perform(session, { type: 'counted', at: this.#keeper.now(), counters: this.#readings })
  }

  /** What the gate had counted for this device at the newest reading: where the next session it joins begins. */
  lastReading(mac: MacAddress): Reading {
    return this.#readings.get(mac) ?? NOTHING_READ
  }

  /**
   * The session with what these devices still used between its last reading and the moment the gate closed them.
   * One that is in another session by now counts there. The lane is held by the caller.
   */
  async chargeGone(session: Session, macs: readonly MacAddress[]): Promise<Session> {
    const gone = macs.filter((mac) => this.#readings.has(mac))
    if (gone.length === 0) return session
    // A reading under way may have begun before the gate closed.
    await this.#polling
    await this.poll()
    const counters = new Map(gone.filter((mac) => this.#live.ofDevice(mac) === undefined).map((mac) => [mac, this.lastReading(mac)]))
    return this.#keeper.perform(session, { type: 'counted', at: this.#keeper.now(), counters, gone: [...counters.keys()] })
  }

  #isDue(): boolean {
    const now = this.#deps.clock.boottimeMs()
    if (now - this.#polledAt >= SLOW_POLL_MS) return this.#live.taken > 0
    if (now - this.#lookedAt <= LOOKING_MS) return this.#live.taken > 0
    for (const session of this.#live.all()) if (session.state === 'active' && isByteLimited(session)) return true
    return false
  }

  async #read(): Promise<void> {
    const { clock, log } = this.#deps
    try {
      const readings = new Map((await this.#gatekeeper.counters()).map(({ mac, ...reading }) => [mac, reading]))
      for (const mac of this.#readings.keys())
        if (!readings.has(mac) && this.#keeper.isHeld(mac)) readings.set(mac, NOTHING_READ)
      this.#readings = readings
    } catch (thrown) {
      if (!this.#isFailing) log.warn('the counters cannot be read', { error: asError(thrown) })
      this.#isFailing = true
      return
    }
    this.#isFailing = false
    this.#polledAt = clock.boottimeMs()
    for (const session of [...this.#live.all()])
      if (this.#lanes.isBusy(sessionLane(session.id))) this.#countLater(session)
      else this.#count(session)
    for (const id of this.#busyAt.keys()) if (this.#live.get(id)?.state !== 'active') this.#busyAt.delete(id)
  }

  /** A guest who keeps the lane of his session busy is charged all the same; one turn in it at a time. */
  #countLater(session: Session): void {
    if (session.state !== 'active' || this.#waiting.has(session.id)) return
    this.#waiting.add(session.id)
    this.#keeper.spawn(
      'charging traffic',
      this.#lanes.run([sessionLane(session.id)], async () => {
        this.#waiting.delete(session.id)
        const now = this.#live.get(session.id)
        if (now?.state === 'active') await this.#keeper.perform(now, { type: 'counted', at: this.#keeper.now(), counters: this.#readings })
      }),
    )
  }

  /** Counting alone changes only memory; what follows from it (an end, another allotment) takes the lane. */
  #count(session: Session): void {
    const at = this.#keeper.now()
    const counted = step(session, { type: 'counted', at, counters: this.#readings })
    if (counted.effects.length > 0) {
      this.#keeper.inBackground(session.id, 'charging traffic', (now) =>
        this.#keeper.perform(now, { type: 'counted', at: this.#keeper.now(), counters: this.#readings }),
      )
      return
    }
    if (counted.session !== session) this.#live.put(counted.session)
    if (session.state === 'active') this.#pauseIfIdle(session, counted.session, at.boottimeMs)
  }

  #pauseIfIdle(before: Session, after: Session, nowMs: number): void {
    const hasTraffic = after.upBytes !== before.upBytes || after.downBytes !== before.downBytes
    const busyAt = hasTraffic ? nowMs : (this.#busyAt.get(after.id) ?? nowMs)
    this.#busyAt.set(after.id, busyAt)
    const idleMs = this.#deps.config().hotspot.idlePauseMinutes * 60_000
    if (idleMs === 0 || nowMs - busyAt < idleMs) return
    this.#busyAt.delete(after.id)
    this.#keeper.inBackground(after.id, 'pausing an idle session', async (now) => {
      if (now.state === 'active') await this.#keeper.perform(now, { type: 'pause', at: this.#keeper.now(), reason: 'idle' })
    })
  }
}
