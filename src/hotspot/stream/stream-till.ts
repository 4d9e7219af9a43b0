/**
 * Sessions paid by the tick. Each payment moves the end of one allotment in memory and, when the kernel's lease is
 * about to run out, has it renewed together with all others that are due; the disk hears of the growth once a minute.
 * The kernel closes by itself where what is paid, and the grace that was agreed, ends.
 */
import { asError } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import { readMac } from '../gate/index.ts'
import type { MacAddress } from '../gate/types.ts'
import { findSession } from '../io/session-tables.ts'
import type { Keeper } from '../keeper.ts'
import type { Lanes } from '../lanes.ts'
import { deviceLane, sessionLane } from '../lanes.ts'
import type { LiveSessions } from '../live-sessions.ts'
import type { Metering } from '../metering.ts'
import type { Opening } from '../opening.ts'
import type { HotspotDeps } from '../ports.ts'
import type { Redeem } from '../redeem.ts'
import { boundDevices, isOver, isUsable, isVisitor, settle } from '../session/index.ts'
import type { Session } from '../session/index.ts'
import { closeStream, forgetStreams, healGrants, openStreams, overStream, saveClipped, saveGrant, saveStream } from './io/stream-tables.ts'
import type { StreamClaim, StreamEvidence, StreamPayments, StreamSale } from './ports.ts'
import { clipped, needsLeaseSoon, streamAllotment, streamTerms, withGrant } from './stream-allotment.ts'
import { Takings } from './takings.ts'

const FLUSH_MS = 60_000
/** What could not be opened is not tried again before. */
const RETRY_MS = 5000

export interface StreamTillParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
  readonly metering: Metering
  readonly opening: Opening
  readonly redeem: Redeem
}

interface Stream {
  readonly stream: string
  sale: StreamSale | null
  allowedMs: number
  sessionId: string | null
  /** Used in sessions that are over. */
  usedBeforeMs: number
  isOpening: boolean
  isOver: boolean
  /** Told when it ended, and on disk. Null: it is not closed, or an earlier version closed it. */
  toldMs: number | null
  retryAtMs: number
  /** Granted in all, as disk has it. */
  writtenMs: number
}

export class StreamTill implements StreamPayments {
  readonly #deps: HotspotDeps
  readonly #parts: StreamTillParts
  readonly #takings: Takings
  readonly #streams = new Map<string, Stream>()
  #cancel: Cancel = () => undefined

  constructor(deps: HotspotDeps, parts: StreamTillParts) {
    this.#deps = deps
    this.#parts = parts
    this.#takings = new Takings(deps)
  }

  /** Before the hotspot starts and reads its sessions back. */
  async prepare(): Promise<void> {
    await this.#deps.store.turn((tx) => {
      healGrants(tx)
      forgetStreams(tx)
    })
    for (const { stream, sessionId, usedBeforeMs } of this.#deps.store.read(openStreams)) this.#streams.set(stream, { ...newStream(stream), sessionId, usedBeforeMs })
    this.#cancel = this.#deps.timers.every(FLUSH_MS, () => this.#parts.keeper.spawn('writing what streams were granted', this.#flush()))
  }

  /** After whoever takes the payments, before the hotspot. */
  async stop(): Promise<void> {
    this.#cancel()
    this.#takings.stop()
    await this.#parts.keeper.quiet()
    await this.#takings.quiet()
    await this.#flush()
  }

  allow(sale: StreamSale, ticks: number): void {
    const stream = this.#streams.get(sale.stream) ?? this.#over(sale.stream) ?? newStream(sale.stream)
    this.#streams.set(sale.stream, stream)
    stream.sale = sale
    if (stream.isOver) return
    stream.allowedMs = Math.max(stream.allowedMs, ticks * sale.tickSeconds * 1000)
    const session = this.#sessionOf(stream)
    if (session !== undefined) this.#extend(stream, session)
    if (session === undefined || session.state === 'credited') this.#begin(stream, sale)
  }

  used(stream: string): number {
    const known = this.#streams.get(stream)
    return known === undefined ? 0 : ticksOf(known, this.#usedMs(known))
  }

  isOver(stream: string): boolean {
    return (this.#streams.get(stream) ?? this.#over(stream))?.isOver ?? false
  }

  async end(stream: string): Promise<number> {
    const known = this.#streams.get(stream) ?? this.#over(stream)
    if (known === undefined) return 0
    known.isOver = true
    await this.#takings.quiet()
    if (known.toldMs === null) {
      await this.#shut(known)
      const usedMs = this.#usedMs(known)
      await this.#deps.store.turn((tx) => closeStream(tx, stream, usedMs))
      known.toldMs = usedMs
    }
    this.#streams.delete(stream)
    this.#takings.forget(stream)
    return ticksOf(known, known.toldMs)
  }

  earned(sale: StreamSale, value: bigint, voucher: StreamEvidence): void {
    this.#takings.add(sale, value, voucher)
    if (!this.#streams.has(sale.stream)) this.#takings.forget(sale.stream)
  }

  claimed(claim: StreamClaim): void {
    this.#takings.addClaim(claim)
  }

  #extend(stream: Stream, session: Session): void {
    const { keeper, lanes, live } = this.#parts
    const granted = (now: Session): Session => withGrant(now, stream.stream, stream.allowedMs - stream.usedBeforeMs, this.#takings.paid(stream.stream))
    const extended = granted(session)
    if (extended === session) return
    // Whoever works on the session hears of it in its lane; else it is a change of a number in memory.
    if (lanes.isBusy(sessionLane(session.id)))
      keeper.inBackground(session.id, 'extending a stream', async (now) => {
        if (!isOver(now)) live.put(granted(now))
      })
    else live.put(extended)
    if (!needsLeaseSoon(session, this.#deps.clock.boottimeMs())) return
    keeper.behind.add(session.id)
    keeper.onTrouble()
  }

  #begin(stream: Stream, sale: StreamSale): void {
    const nowMs = this.#deps.clock.boottimeMs()
    const mac = readMac(sale.device)
    if (stream.isOpening || nowMs < stream.retryAtMs || mac === null || stream.allowedMs <= this.#usedMs(stream)) return
    stream.isOpening = true
    this.#parts.keeper.spawn(
      'opening a stream',
      this.#open(stream, sale.channel, mac)
        .catch((thrown: unknown) => {
          stream.retryAtMs = this.#deps.clock.boottimeMs() + RETRY_MS
          this.#deps.log.warn('a stream could not be opened; no time counts', { stream: stream.stream, error: asError(thrown) })
        })
        .finally(() => {
          stream.isOpening = false
        }),
    )
  }

  /** As a voucher is redeemed: a new session, or more in the one the device has. */
  #open(stream: Stream, channel: string, mac: MacAddress): Promise<void> {
    const { keeper, lanes, live, opening, redeem } = this.#parts
    return lanes.run([deviceLane(mac)], () =>
      redeem.withSessions(
        () => [live.ofDevice(mac)],
        async () => {
          if (stream.isOver) return
          const unopened = live.ofBearer(stream.stream)
          if (unopened !== undefined) {
            // The gate refused before: what is paid stands to the guest's credit.
            if (live.ofDevice(mac)?.id === unopened.id) await opening.withPlace(unopened.id, () => opening.open(unopened, 'guest'))
            return
          }
          stream.usedBeforeMs = this.#usedMs(stream)
          const { downKbps, upKbps } = this.#deps.config().tariff
          const terms = streamTerms(stream.stream, stream.allowedMs - stream.usedBeforeMs, { downKbps, upKbps })
          const inTurn = (tx: Parameters<typeof saveStream>[0], session: Session): Session => {
            saveStream(tx, channel, { stream: stream.stream, sessionId: session.id, usedBeforeMs: stream.usedBeforeMs })
            return session
          }
          const running = await redeem.charged(live.ofDevice(mac))
          // Where others are online too, one of them might be served for what this device pays.
          if (running === undefined || isVisitor(running, mac) || boundDevices(running).length > 1) {
            stream.sessionId = (await redeem.begin(await redeem.newDevice(mac, null), terms, inTurn)).id
            return
          }
          await opening.withPlace(running.id, async () => {
            const richer = await keeper.perform(running, { type: 'bought', at: keeper.now(), terms }, inTurn)
            stream.sessionId = (await opening.open(richer, 'guest')).id
          })
        },
      ),
    )
  }

  async #shut(stream: Stream): Promise<void> {
    const { lanes, live } = this.#parts
    const mac = readMac(stream.sale?.device ?? '')
    // A session that is just being opened for it is waited for.
    await lanes.run(mac === null ? [] : [deviceLane(mac)], async () => {
      const id = this.#sessionOf(stream)?.id
      if (id !== undefined)
        await lanes.run([sessionLane(id)], async () => {
          const session = live.get(id)
          if (session !== undefined) await this.#close(stream, session)
        })
    })
  }

  /** The session's lane is held. Time of vouchers that is left in it goes on. */
  async #close(stream: Stream, session: Session): Promise<void> {
    const { keeper, metering } = this.#parts
    const charged = await metering.charge(session)
    if (isOver(charged)) return
    const price = this.#takings.paid(stream.stream)
    const step = clipped(charged, stream.stream, price)
    const grantedMs = streamAllotment(step.session, stream.stream)?.grantedMs ?? 1
    const inTurn = (tx: Parameters<typeof saveClipped>[0], now: Session): Session => {
      saveClipped(tx, now.id, stream.stream, grantedMs)
      return now
    }
    if (step.session.allotments.some(isUsable)) await keeper.carryOut(step, inTurn)
    else await keeper.perform(step.session, { type: 'end', at: keeper.now(), reason: 'ended-by-guest' }, inTurn)
  }

  /** Whether it was seen decides what its absence means later: over, or not there yet. */
  #sessionOf(stream: Stream): Session | undefined {
    const session = this.#parts.live.ofBearer(stream.stream)
    if (session !== undefined) stream.sessionId = session.id
    return session
  }

  #usedMs(stream: Stream): number {
    if (stream.toldMs !== null) return stream.toldMs
    const live = this.#sessionOf(stream)
    if (live !== undefined) return stream.usedBeforeMs + usedIn(settle(live, this.#deps.clock.boottimeMs()), stream.stream)
    if (stream.sessionId === null) return stream.usedBeforeMs
    // It is over and stays so: asked once.
    stream.usedBeforeMs += usedIn(this.#ended(stream.sessionId), stream.stream)
    stream.sessionId = null
    return stream.usedBeforeMs
  }

  /** One that ended before this process began, or before whoever sells has noted it: it stays so. */
  #over(stream: string): Stream | undefined {
    const over = this.#deps.store.read((tx) => overStream(tx, stream))
    if (over === null) return undefined
    const { sessionId, usedBeforeMs, usedMs } = over
    return { ...newStream(stream), sessionId, usedBeforeMs, isOver: true, toldMs: usedMs }
  }

  #ended(id: string): Session | undefined {
    return this.#deps.store.read((tx) => findSession(tx, id))?.session
  }

  async #flush(): Promise<void> {
    const grown = [...this.#streams.values()].filter((stream) => stream.sessionId !== null && stream.allowedMs > stream.writtenMs)
    if (grown.length === 0) return
    await this.#deps.store.turn((tx) => {
      for (const { stream, sessionId, allowedMs, usedBeforeMs } of grown)
        if (sessionId !== null) saveGrant(tx, sessionId, stream, allowedMs - usedBeforeMs)
    })
    for (const stream of grown) stream.writtenMs = stream.allowedMs
  }
}

function usedIn(session: Session | undefined, stream: string): number {
  return session === undefined ? 0 : (streamAllotment(session, stream)?.usedMs ?? 0)
}

function newStream(stream: string): Stream {
  return { stream, sale: null, allowedMs: 0, sessionId: null, usedBeforeMs: 0, isOpening: false, isOver: false, toldMs: null, retryAtMs: 0, writtenMs: 0 }
}

/** A begun tick counts whole. */
function ticksOf({ sale }: Stream, usedMs: number): number {
  return Math.ceil(usedMs / ((sale?.tickSeconds ?? 1) * 1000))
}
