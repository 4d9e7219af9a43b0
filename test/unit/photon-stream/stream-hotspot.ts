/** A hotspot put together with its till for streams, as hotspot.ts does it: real store, ledger and sessions, fake kernel and time. */
import { rmSync } from 'node:fs'
import { momentOf, silentLog } from '../../../src/base/index.ts'
import { BearerReader } from '../../../src/hotspot/bearers.ts'
import { Checkpoint } from '../../../src/hotspot/checkpoint.ts'
import { Deadlines } from '../../../src/hotspot/deadlines.ts'
import { Gatekeeper } from '../../../src/hotspot/gatekeeper.ts'
import { GuessLimits } from '../../../src/hotspot/guess-limits.ts'
import { hotspotMigrations } from '../../../src/hotspot/index.ts'
import type { HotspotDeps } from '../../../src/hotspot/index.ts'
import { Keeper } from '../../../src/hotspot/keeper.ts'
import { Lanes, sessionLane } from '../../../src/hotspot/lanes.ts'
import { LiveSessions } from '../../../src/hotspot/live-sessions.ts'
import { Metering } from '../../../src/hotspot/metering.ts'
import { Opening } from '../../../src/hotspot/opening.ts'
import { Redeem } from '../../../src/hotspot/redeem.ts'
import { Renewal } from '../../../src/hotspot/renewal.ts'
import { restore } from '../../../src/hotspot/restore.ts'
import { SessionIds } from '../../../src/hotspot/session-ids.ts'
import { StreamTill } from '../../../src/hotspot/stream/index.ts'
import { Trials } from '../../../src/hotspot/trials.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import type { Ledger } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeGate, FakeKernel, FakeNeighbours } from '../../support/fake-gate.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { fastFolder, settle, testConfig, testSigner, testVoucherKeys } from '../../support/hotspot-box.ts'

export class StreamHotspot {
  readonly folder = fastFolder()
  readonly time = new FakeTime()
  readonly kernel = new FakeKernel(this.time)
  readonly gate = new FakeGate(this.kernel)
  readonly neighbours = new FakeNeighbours()
  readonly config = testConfig()
  readonly store: Store = openStore({ path: `${this.folder}/box.db`, migrations: [...ledgerMigrations, ...hotspotMigrations], log: silentLog })
  readonly ledger: Ledger = createLedger({ shares: () => [] })
  #seed = 1
  till!: StreamTill
  live!: LiveSessions
  keeper!: Keeper
  lanes!: Lanes
  redeem!: Redeem
  metering!: Metering
  #stops: (() => void)[] = []
  checkpoint!: Checkpoint

  async start(): Promise<void> {
    const { config, store, ledger, gate, neighbours, time } = this
    const deps: HotspotDeps = {
      config: () => config,
      store,
      ledger,
      gate,
      neighbours,
      voucherKeys: testVoucherKeys,
      signer: testSigner,
      clock: time,
      timers: time,
      randomness: seededRandom(this.#seed++),
      log: silentLog,
      wayOut: () => 'internet',
      option114: () => ({ state: 'withheld', reason: 'no certificate' }),
    }
    const lanes = (this.lanes = new Lanes())
    const ids = new SessionIds(deps.randomness)
    const deadlines = new Deadlines(deps)
    const live = (this.live = new LiveSessions((session) => deadlines.changed(session)))
    const gatekeeper = new Gatekeeper(deps)
    const keeper = (this.keeper = new Keeper(deps, live, lanes, gatekeeper))
    const metering = (this.metering = new Metering(deps, live, lanes, keeper, gatekeeper))
    const checkpoint = (this.checkpoint = new Checkpoint(deps, live, lanes, keeper))
    const renewal = new Renewal(deps, live, lanes, keeper, gatekeeper)
    gatekeeper.onOpening = (macs) => metering.opening(macs)
    const opening = new Opening(deps, live, keeper, gatekeeper, metering)
    const bearers = new BearerReader(deps.voucherKeys, new GuessLimits(config.hotspot), () => false)
    const redeem = (this.redeem = new Redeem(deps, { live, lanes, keeper, metering, opening, bearers, ids }))
    this.till = new StreamTill(deps, { live, lanes, keeper, metering, opening, redeem })

    await this.till.prepare()
    renewal.start()
    checkpoint.restore()
    await metering.poll()
    await restore(deps, { live, lanes, keeper, gatekeeper, trials: new Trials(), ids, visitors: () => [] })
    deadlines.start(live, keeper)
    metering.start()
    checkpoint.start()
    this.#stops = [() => deadlines.stop(), () => renewal.stop(), () => metering.stop(), () => checkpoint.stop()]
  }

  /** The process is killed: nothing is written, the kernel keeps what it has. */
  async kill(): Promise<void> {
    this.time.reboot(this.time.bootId, this.time.boottimeMs())
    for (const stop of this.#stops) stop()
    await settle()
  }

  async pause(mac: string): Promise<void> {
    const session = this.live.ofDevice(mac)
    if (session === undefined) throw new Error('no session')
    await this.lanes.run([sessionLane(session.id)], () => this.keeper.perform(session, { type: 'pause', at: momentOf(this.time), reason: 'guest' }))
  }

  async resume(mac: string): Promise<void> {
    const session = this.live.ofDevice(mac)
    if (session === undefined) throw new Error('no session')
    await this.lanes.run([sessionLane(session.id)], () => this.keeper.perform(session, { type: 'open', by: 'guest' }))
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.time.advance(Math.min(left, 500))
      await settle()
    }
  }

  async dispose(): Promise<void> {
    await this.kill()
    await this.store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
