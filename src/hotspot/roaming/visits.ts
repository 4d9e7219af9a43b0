/**
 * The holder's side: guests of other boxes. Each is let in by short leases that are renewed while the visit lasts, so that the kernel shuts out
 * whoever is left when this process dies; what is counted is noted at each renewal, for the next process of the same boot.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import type { Grant, MacAddress } from '../gate/types.ts'
import { GATE_PATIENCE_MS } from '../gatekeeper.ts'
import type { LiveSessions } from '../live-sessions.ts'
import type { Metering } from '../metering.ts'
import type { HotspotDeps } from '../ports.ts'
import type { Reading } from '../session/index.ts'
import type { SessionView } from '../types.ts'
import type { UsedAway, VisitJournal, WalkingSession } from './ports.ts'
import { readVisits, writeVisits } from './visit-notes.ts'
import type { Visit } from './visit-notes.ts'

/** What a guest may have for nothing when this process dies for good. */
const KERNEL_LEASE_MS = 9000
const RENEW_MS = 1000
/** Renewed when less than this is left. */
const RENEW_AHEAD_MS = 6000
/** One that is over is remembered for its last word. */
const OVER_MS = 1_200_000
const MOST_BYTES = 2n ** 50n

export class Visits {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #metering: Metering
  readonly #journal: VisitJournal | null
  readonly #visits = new Map<string, Visit>()
  readonly #heardMs = new Map<MacAddress, { readonly bytes: number; readonly atMs: number }>()
  #cancel: Cancel = () => undefined
  #isRenewing = false

  constructor(deps: HotspotDeps, live: LiveSessions, metering: Metering) {
    this.#deps = deps
    this.#live = live
    this.#metering = metering
    this.#journal = deps.visitJournal ?? null
  }

  /** Before the gate's content is put back: who was in by a lease of this boot stays in for the rest of it. */
  restore(): void {
    const { clock, log } = this.#deps
    try {
      for (const visit of readVisits(this.#journal?.read() ?? null, clock.bootId)) this.#visits.set(keyOf(visit.session), settled(visit, clock.boottimeMs()))
    } catch (thrown) {
      log.warn('the note of other boxes’ guests cannot be read; they are asked for anew', { error: asError(thrown) })
    }
  }

  start(): void {
    this.#cancel = this.#deps.timers.every(RENEW_MS, () => void this.#tick())
  }

  stop(): void {
    this.#cancel()
    this.#note()
  }

  async admit(session: WalkingSession, leaseSeconds: number): Promise<void> {
    const { clock, config } = this.#deps
    const key = keyOf(session)
    const before = this.#visits.get(key)
    const open = this.#open()
    if (!open.some((each) => keyOf(each.session) === key) && this.#live.taken + open.length >= config().hotspot.maxSessions)
      throw new MeshBoxError('limit', `all ${config().hotspot.maxSessions} places are taken`, { code: 'no-room', retryAfterSeconds: 60 })
    // Of two sessions of one device the newer one counts.
    for (const other of open) if (other.session.mac === session.mac && keyOf(other.session) !== key) this.#visits.set(keyOf(other.session), { ...this.#settled(other), untilMs: 0 })
    const isSame = before !== undefined && before.session.counter === session.counter
    const seen = isSame ? before.seen : await this.#metering.baseline(session.mac)
    const nowMs = clock.boottimeMs()
    const visit: Visit = isSame ? this.#settled(before) : { session, untilMs: 0, kernelUntilMs: 0, countedToMs: nowMs, usedMs: 0, usedBytes: 0n, seen, overMs: null }
    const untilMs = nowMs + Math.min(leaseSeconds, session.leftSeconds) * 1000
    this.#visits.set(key, { ...visit, session, untilMs, overMs: null })
    // With his key a guest has taken it to another device of his.
    if (before !== undefined && before.session.mac !== session.mac && before.kernelUntilMs > nowMs && !this.#isTaken(before.session.mac)) await this.#patiently(this.#deps.gate.apply({ open: [], close: [before.session.mac] }))
    if (this.#isDue(key, nowMs)) await this.#renew([key])
  }

  async release(seller: Address, sessionId: string): Promise<void> {
    const key = `${seller} ${sessionId}`
    const visit = this.#visits.get(key)
    if (visit === undefined) return
    const { clock, log, gate } = this.#deps
    const wasIn = visit.kernelUntilMs > clock.boottimeMs()
    this.#visits.set(key, { ...this.#settled(visit), untilMs: 0, overMs: visit.overMs ?? clock.boottimeMs() })
    if (!wasIn || this.#isTaken(visit.session.mac)) return
    try {
      await this.#patiently(gate.apply({ open: [], close: [visit.session.mac] }))
      await this.#metering.poll()
    } catch (thrown) {
      log.warn('a visitor could not be let go at once; the kernel does it', { mac: visit.session.mac, error: asError(thrown) })
    }
    const now = this.#visits.get(key)
    // Read once more: what passed until the gate closed.
    if (now !== undefined && now.untilMs === 0) this.#visits.set(key, { ...this.#settled(now), kernelUntilMs: 0 })
    this.#note()
  }

  used(seller: Address, sessionId: string, counter: number): UsedAway {
    const visit = this.#visits.get(`${seller} ${sessionId}`)
    if (visit === undefined || visit.session.counter !== counter) return { seconds: 0, bytes: 0n }
    const { usedMs, usedBytes } = this.#settled(visit)
    return { seconds: Math.floor(usedMs / 1000), bytes: usedBytes }
  }

  /** Bytes that the gate counted tell; it is read when somebody asks, so that the next one who asks knows. */
  idleMs(mac: MacAddress): number {
    const nowMs = this.#deps.clock.boottimeMs()
    this.#metering.poll().then(
      () => this.#listen(mac),
      (thrown: unknown) => this.#deps.log.debug('the counters could not be read', { error: asError(thrown) }),
    )
    const heard = this.#heardMs.get(mac)
    return heard === undefined ? Number.POSITIVE_INFINITY : nowMs - heard.atMs
  }

  ofDevice(mac: MacAddress): Visit | null {
    const visit = this.#open().find(({ session }) => session.mac === mac)
    return visit === undefined || this.#isTaken(mac) ? null : visit
  }

  view(mac: MacAddress, label: (seller: Address) => string): SessionView | null {
    const visit = this.ofDevice(mac)
    if (visit === null) return null
    const { session, usedMs, usedBytes } = this.#settled(visit)
    const { clock, neighbours } = this.#deps
    // What was left when the seller last said so, less what was used since then.
    const sinceMs = Math.max(0, clock.boottimeMs() - (visit.untilMs - Math.min(LEASE_SECONDS, session.leftSeconds) * 1000))
    return {
      id: visitId(session),
      state: 'active',
      endReason: null,
      pauseReason: null,
      source: 'voucher',
      label: label(session.seller),
      secondsLeft: Math.max(0, session.leftSeconds - Math.floor(sinceMs / 1000)),
      bytesLeft: session.leftBytes === null ? null : Number(session.leftBytes),
      secondsUsed: Math.floor(usedMs / 1000),
      upBytes: 0,
      downBytes: Number(usedBytes),
      devices: [{ mac, ip4: neighbours.ip4Of(mac) }],
      devicesMax: 1,
      paid: 0n,
      refunded: 0n,
      startedWallMs: clock.wallMs() - usedMs,
      startedWallTrusted: clock.isWallTrusted(),
    }
  }

  /** What the kernel should hold of them. */
  grants(): Grant[] {
    return this.#open().flatMap((visit) => (this.#isTaken(visit.session.mac) ? [] : [this.#grantOf(visit)]))
  }

  /** Its address is another: the gate follows at once. */
  moved(mac: MacAddress): void {
    const visit = this.ofDevice(mac)
    if (visit !== null) void this.#renew([keyOf(visit.session)]).catch((thrown: unknown) => this.#deps.log.warn('the gate did not follow a visitor', { mac, error: asError(thrown) }))
  }

  #open(): Visit[] {
    const nowMs = this.#deps.clock.boottimeMs()
    return [...this.#visits.values()].filter(({ untilMs }) => untilMs > nowMs)
  }

  /** A session of this box's own comes before. */
  #isTaken(mac: MacAddress): boolean {
    const own = this.#live.ofDevice(mac)
    return own !== undefined && (own.state === 'active' || own.state === 'gate-open')
  }

  #isDue(key: string, nowMs: number): boolean {
    const visit = this.#visits.get(key)
    return visit !== undefined && visit.untilMs > nowMs && visit.kernelUntilMs < Math.min(visit.untilMs, nowMs + RENEW_AHEAD_MS) && !this.#isTaken(visit.session.mac)
  }

  #grantOf(visit: Visit): Grant {
    const { clock, config, neighbours } = this.#deps
    const { session, usedBytes, untilMs } = visit
    const { downKbps, upKbps } = config().tariff
    return {
      sessionId: visitId(session),
      mac: session.mac,
      ip4: neighbours.ip4Of(session.mac),
      leaseMs: Math.max(1, Math.min(KERNEL_LEASE_MS, untilMs - clock.boottimeMs())),
      quotaBytes: session.leftBytes === null || session.leftBytes > MOST_BYTES ? null : Number(session.leftBytes),
      usedBytes: Number(usedBytes < MOST_BYTES ? usedBytes : MOST_BYTES),
      downKbps,
      upKbps,
    }
  }

  async #tick(): Promise<void> {
    const { clock, log } = this.#deps
    const nowMs = clock.boottimeMs()
    for (const [key, { untilMs, kernelUntilMs, countedToMs }] of this.#visits) if (untilMs <= nowMs && nowMs - Math.max(kernelUntilMs, countedToMs) > OVER_MS) this.#visits.delete(key)
    for (const [key, visit] of this.#visits)
      if (visit.kernelUntilMs > nowMs && this.#isTaken(visit.session.mac)) this.#visits.set(key, { ...this.#settled(visit), kernelUntilMs: nowMs }) // what the gate lets through now is paid here
    const open = this.#open()
    if (open.length === 0 || this.#isRenewing) return
    this.#isRenewing = true
    try {
      await this.#metering.poll()
      for (const visit of open) this.#listen(visit.session.mac)
      const due = open.map(({ session }) => keyOf(session)).filter((key) => this.#isDue(key, clock.boottimeMs()))
      if (due.length > 0) await this.#renew(due)
    } catch (thrown) {
      log.warn('visitors’ leases could not be renewed; trying again', { error: asError(thrown) })
    } finally {
      this.#isRenewing = false
    }
  }

  /** Time counts while the kernel has the gate open for them, and not longer. */
  async #renew(keys: readonly string[]): Promise<void> {
    const { gate, clock } = this.#deps
    const fromMs = clock.boottimeMs()
    const open = keys.flatMap((key) => {
      const visit = this.#visits.get(key)
      return visit === undefined ? [] : [this.#grantOf(visit)]
    })
    await this.#patiently(gate.apply({ open, close: [] }))
    this.#metering.opening(open.map(({ mac }) => mac))
    for (const [index, key] of keys.entries()) {
      const visit = this.#visits.get(key)
      if (visit === undefined) continue
      const now = this.#settled(visit)
      const wasShut = visit.kernelUntilMs <= fromMs
      this.#visits.set(key, { ...now, countedToMs: wasShut ? clock.boottimeMs() : now.countedToMs, kernelUntilMs: fromMs + (open[index]?.leaseMs ?? 0) })
    }
    this.#note()
  }

  #settled(visit: Visit): Visit {
    const reading = this.#metering.lastReading(visit.session.mac)
    const isOpen = visit.overMs === null || visit.kernelUntilMs > 0
    return settled(isOpen && !this.#isTaken(visit.session.mac) ? counted(visit, reading) : visit, this.#deps.clock.boottimeMs())
  }

  #listen(mac: MacAddress): void {
    const { upBytes, downBytes } = this.#metering.lastReading(mac)
    const bytes = upBytes + downBytes
    const before = this.#heardMs.get(mac)
    if (before?.bytes === bytes) return
    if (this.#heardMs.size >= MOST_HEARD) this.#heardMs.clear()
    // What was counted before anybody looked was not heard just now.
    this.#heardMs.set(mac, { bytes, atMs: before === undefined ? Number.NEGATIVE_INFINITY : this.#deps.clock.boottimeMs() })
  }

  #patiently(change: Promise<void>): Promise<void> {
    const { timers } = this.#deps
    return new Promise((resolve, reject) => {
      const cancel = timers.after(GATE_PATIENCE_MS, () => reject(new MeshBoxError('unavailable', 'the gate does not answer', { code: 'gate-failed' })))
      change.then(resolve, reject).finally(cancel)
    })
  }

  #note(): void {
    const { clock, log } = this.#deps
    try {
      this.#journal?.write(writeVisits([...this.#visits.values()], clock.bootId))
    } catch (thrown) {
      log.warn('what other boxes’ guests used could not be noted', { error: asError(thrown) })
    }
  }
}

const MOST_HEARD = 4096
const LEASE_SECONDS = 60
const keyOf = ({ seller, sessionId }: Pick<WalkingSession, 'seller' | 'sessionId'>): string => `${seller} ${sessionId}`

/** Not one of our sessions' ids. */
function visitId({ seller, sessionId }: WalkingSession): string {
  return `visit-${createHash('sha256').update(`${seller} ${sessionId}`).digest('hex').slice(0, 24)}`
}

function settled(visit: Visit, nowMs: number): Visit {
  const toMs = Math.min(nowMs, visit.kernelUntilMs)
  return toMs <= visit.countedToMs ? visit : { ...visit, usedMs: visit.usedMs + (toMs - visit.countedToMs), countedToMs: toMs }
}

/** Counters that went back have started anew. */
function counted(visit: Visit, reading: Reading): Visit {
  const [now, before] = [reading.upBytes + reading.downBytes, visit.seen.upBytes + visit.seen.downBytes]
  if (now === before) return visit
  return { ...visit, seen: reading, usedBytes: visit.usedBytes + BigInt(now < before ? now : now - before) }
}
