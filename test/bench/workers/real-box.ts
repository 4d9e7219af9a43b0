/** The rooms of a box as main.ts joins them, in this process and without its doors: what workers measure. */
import { join } from 'node:path'
import { createLog } from '../../../src/base/index.ts'
import type { Log } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { loadConfig } from '../../../src/config/index.ts'
import type { Config } from '../../../src/config/index.ts'
import { createGate } from '../../../src/hotspot/gate/index.ts'
import type { Gate, Grant } from '../../../src/hotspot/gate/index.ts'
import { Hotspot, hotspotMigrations } from '../../../src/hotspot/index.ts'
import type { ClientAddress } from '../../../src/hotspot/index.ts'
import { openIdentity, openVoucherKeys } from '../../../src/identity/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { openNetlink } from '../../support/netlink.ts'

export const warnings: Log = createLog({ level: 'warn', style: 'syslog', now: () => 0, write: (line) => process.stderr.write(`${line}\n`) })

export function configOf(text: string): Config {
  return loadConfig(text, 'bench')
}

/** Guest number n (0…): addresses of the town's guest network, none of them the box's. */
export function guestAddress(n: number): ClientAddress {
  const [high, low] = [n >> 8, n & 255]
  const mac = `02:10:00:00:${high.toString(16).padStart(2, '0')}:${low.toString(16).padStart(2, '0')}`
  const ip4 = `10.99.${high}.${low}`
  return { mac, ip: ip4, ip4 }
}

export type GateDriver = 'netlink' | 'nft'

export function gateOf(config: Config, runtimeDir: string, desired: () => readonly Grant[], driver: GateDriver = 'netlink'): Gate {
  const { gate } = createGate(config.hotspot, {
    clock: new SystemClock(),
    timers: systemTimers,
    log: warnings,
    runtimeDir,
    openNetlink: driver === 'netlink' ? () => openNetlink(null) : null,
    callbacks: { desired, alarm: (alarm) => warnings.warn(`gate alarm: ${alarm.kind}`, { detail: alarm.detail }), spent: () => undefined },
  })
  return gate
}

export interface RealBox {
  readonly store: Store
  readonly hotspot: Hotspot
  readonly gate: Gate
  /** Milliseconds since the store was asked to open. */
  readonly took: { readonly store: number; readonly gate: number; readonly sessions: number }
  stop(): Promise<void>
}

/** Same files as the service's, so that the service can go on with what a worker left. */
export async function startRealBox(config: Config): Promise<RealBox> {
  const { dataDir } = config.main
  const keys = { dataDir, randomness: systemRandomness, log: warnings }
  const [identity, voucherKeys] = [await openIdentity(keys), await openVoucherKeys(keys)]
  const startedAt = performance.now()
  const sinceStart = (): number => performance.now() - startedAt
  const store = openStore({ path: join(dataDir, 'meshbox.sqlite'), migrations: [...ledgerMigrations, ...hotspotMigrations], log: warnings })
  const storeMs = sinceStart()
  const clock = new SystemClock('always')
  const { gate, neighbours } = createGate(config.hotspot, {
    clock,
    timers: systemTimers,
    log: warnings,
    runtimeDir: join(dataDir, 'run'),
    openNetlink: () => openNetlink(null),
    callbacks: {
      desired: () => hotspot.desiredGrants(),
      alarm: (alarm) => hotspot.onAlarm(alarm),
      spent: (sessionId) => hotspot.onSpent(sessionId),
    },
  })
  const hotspot = new Hotspot({
    config: () => config,
    store,
    ledger: createLedger({ shares: () => config.shares }),
    gate,
    neighbours,
    voucherKeys,
    signer: identity,
    clock,
    timers: systemTimers,
    randomness: systemRandomness,
    log: warnings,
    wayOut: () => 'internet',
    option114: () => ({ state: 'withheld', reason: 'a benchmark' }),
  })
  await neighbours.start()
  await gate.start()
  const gateMs = sinceStart()
  await hotspot.start()
  return {
    store,
    hotspot,
    gate,
    took: { store: storeMs, gate: gateMs, sessions: sinceStart() },
    async stop() {
      await hotspot.stop()
      await gate.stop()
      await neighbours.stop()
      await store.close()
    },
  }
}

/** Codes of fresh vouchers, at most 1000 a batch. */
export async function voucherCodes(hotspot: Hotspot, packageId: string, count: number): Promise<string[]> {
  const codes: string[] = []
  while (codes.length < count) {
    const rows = await hotspot.owner.createVouchers({ packageId, count: Math.min(1000, count - codes.length) })
    codes.push(...rows.map((row) => row.code))
  }
  return codes
}

/** Runs `work` for 0…count-1 with at most `inFlight` under way. */
export async function inFlight(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane))
}
