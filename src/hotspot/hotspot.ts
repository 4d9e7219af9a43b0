/**
 * The hotspot: joins the parts, starts and stops them, and hears what the kernel and the neighbour table
 * have to say. The verbs are in guest-desk.ts and owner-desk.ts.
 */
import { AheadSales } from './ahead/index.ts'
import { Alarms } from './alarms.ts'
import { BearerReader, isVoucherTaken } from './bearers.ts'
import { Checkpoint } from './checkpoint.ts'
import { Deadlines } from './deadlines.ts'
import type { GateAlarm, Grant } from './gate/types.ts'
import { Gatekeeper } from './gatekeeper.ts'
import { GuessLimits } from './guess-limits.ts'
import { GuestCounter } from './guest-desk.ts'
import { findVoucher } from './io/voucher-tables.ts'
import { Keeper } from './keeper.ts'
import { Lanes } from './lanes.ts'
import { LateDates } from './late-dates.ts'
import { LiveSessions } from './live-sessions.ts'
import { Metering } from './metering.ts'
import { Opening } from './opening.ts'
import { OwnerCounter } from './owner-desk.ts'
import type { HotspotDeps } from './ports.ts'
import { Redeem } from './redeem.ts'
import { Renewal } from './renewal.ts'
import { restore } from './restore.ts'
import { Roaming } from './roaming/index.ts'
import { SessionIds } from './session-ids.ts'
import { StreamTill, TopUps } from './stream/index.ts'
import { allowanceOf, grantsOf } from './session/index.ts'
import { Trials } from './trials.ts'
import type { GuestDesk, OwnerDesk } from './types.ts'
import { VoucherDesk } from './voucher-desk.ts'

export class Hotspot {
  /** For the portal. */
  readonly guests: GuestDesk
  /** For the owner's side. */
  readonly owner: OwnerDesk
  /** For whoever takes payments by the tick. */
  readonly streams: StreamTill
  /** For the portal, and for whoever deposits in guests' channels. */
  readonly topUps: TopUps
  /** For the portal: minutes that other boxes buy. */
  readonly ahead: AheadSales
  /** For whoever talks with other boxes. */
  readonly roaming: Roaming

  readonly #deps: HotspotDeps
  readonly #lanes = new Lanes()
  readonly #live: LiveSessions
  readonly #keeper: Keeper
  readonly #gatekeeper: Gatekeeper
  readonly #metering: Metering
  readonly #deadlines: Deadlines
  readonly #renewal: Renewal
  readonly #checkpoint: Checkpoint
  readonly #lateDates: LateDates
  readonly #alarms = new Alarms()
  readonly #trials = new Trials()
  readonly #ids: SessionIds
  #isRunning = false

  constructor(deps: HotspotDeps) {
    const lanes = this.#lanes
    this.#deps = deps
    this.#ids = new SessionIds(deps.randomness)
    this.#deadlines = new Deadlines(deps)
    const live = (this.#live = new LiveSessions((session) => this.#deadlines.changed(session)))
    const gatekeeper = (this.#gatekeeper = new Gatekeeper(deps))
    const keeper = (this.#keeper = new Keeper(deps, live, lanes, gatekeeper))
    const metering = (this.#metering = new Metering(deps, live, lanes, keeper, gatekeeper))
    const checkpoint = (this.#checkpoint = new Checkpoint(deps, live, lanes, keeper))
    this.#renewal = new Renewal(deps, live, lanes, keeper, gatekeeper)
    this.#lateDates = new LateDates(deps, keeper)
    gatekeeper.onOpening = (macs) => metering.opening(macs)

    const opening = new Opening(deps, live, keeper, gatekeeper, metering)
    const bearers = new BearerReader(deps.voucherKeys, new GuessLimits(deps.config().hotspot), (bearer) =>
      isVoucherTaken(bearer, deps.store.read((tx) => findVoucher(tx, bearer.id)) !== null, deps.config().hotspot),
    )
    const redeem = new Redeem(deps, { live, lanes, keeper, metering, opening, bearers, ids: this.#ids })
    this.streams = new StreamTill(deps, { live, lanes, keeper, metering, opening, redeem })
    this.ahead = new AheadSales(deps, { live, lanes, keeper, opening, redeem })
    this.topUps = new TopUps(deps, { lanes, bearers })
    const roaming = (this.roaming = new Roaming(deps, { live, lanes, keeper, metering, opening }, (code) => bearers.voucherOf(code)))
    const vouchers = new VoucherDesk(deps, { live, lanes, keeper, redeem })
    this.guests = new GuestCounter(deps, { live, lanes, keeper, metering, opening, redeem, bearers, checkpoint, trials: this.#trials, topUps: this.topUps, roaming })
    this.owner = new OwnerCounter(deps, { live, lanes, keeper, metering, opening, vouchers, alarms: this.#alarms })
  }

  /**
   * With the gate and the neighbour table started. Resolves when everybody who paid is online again, or,
   * while the gate refuses, waits for it with his time standing still.
   */
  async start(): Promise<void> {
    this.#deps.neighbours.onIp4((mac, ip4) => this.#moved(mac, ip4))
    this.#isRunning = true
    await this.streams.prepare()
    this.topUps.restore()
    this.#renewal.start()
    this.#checkpoint.restore()
    await this.#metering.poll()
    this.roaming.restore()
    await restore(this.#deps, {
      live: this.#live,
      lanes: this.#lanes,
      keeper: this.#keeper,
      gatekeeper: this.#gatekeeper,
      trials: this.#trials,
      ids: this.#ids,
      visitors: () => this.roaming.grants(),
    })
    this.#deadlines.start(this.#live, this.#keeper)
    this.#metering.start()
    this.#checkpoint.start()
    this.#lateDates.start()
    this.roaming.start()
    this.#keeper.spawn('the first checkpoint', this.#checkpoint.write())
  }

  /**
   * Finishes what was begun and writes everything down; to be called before the gate is stopped, and after whoever
   * takes payments by the tick. Open leases
   * stay in the kernel and run out by themselves.
   */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    await this.streams.stop()
    this.#deadlines.stop()
    this.#renewal.stop()
    this.#metering.stop()
    this.#checkpoint.stop()
    this.#lateDates.stop()
    this.roaming.stop()
    await this.#lanes.empty()
    await this.#keeper.quiet()
    await this.#checkpoint.write()
  }

  /** After SIGHUP. Most options are read at each use; what ticks at their pace is set anew. */
  onConfigChanged(): void {
    if (!this.#isRunning) return
    this.#renewal.stop()
    this.#renewal.start()
    this.#checkpoint.stop()
    this.#checkpoint.start()
  }

  /** Everybody who should be online now; may be asked from the gate's start on. */
  desiredGrants(): Grant[] {
    const leaseMs = this.#deps.config().hotspot.leaseSeconds * 1000
    const nowMs = this.#deps.clock.boottimeMs()
    return [...[...this.#live.all()].flatMap((session) => grantsOf(session, nowMs, leaseMs)), ...this.roaming.grants()]
  }

  onAlarm(alarm: GateAlarm): void {
    this.#alarms.add(alarm, this.#deps.clock.wallMs())
    this.#deps.log.warn(`gate alarm: ${alarm.kind}`, { detail: alarm.detail, mac: alarm.mac })
  }

  /** The kernel says that a session's bytes are used up: so it is, unless more was bought than it knew of then. */
  onSpent(sessionId: string): void {
    const told = this.#gatekeeper.allowanceTold(sessionId)
    this.#keeper.inBackground(sessionId, 'ending a session without bytes', async (session) => {
      const charged = await this.#metering.charge(session)
      const [grant] = grantsOf(charged, this.#deps.clock.boottimeMs(), 1)
      if (charged.state !== 'active' || grant === undefined || told === null || allowanceOf(grant) !== told) return
      await this.#keeper.perform(charged, { type: 'spent', at: this.#keeper.now() })
    })
  }

  #moved(mac: string, ip4: string): void {
    const session = this.#live.ofDevice(mac)
    if (!this.#isRunning) return
    this.roaming.moved(mac)
    if (session === undefined) return
    this.#keeper.inBackground(session.id, 'following a device to its new address', (now) =>
      this.#keeper.perform(now, { type: 'moved', at: this.#keeper.now(), mac, ip4 }),
    )
  }
}
