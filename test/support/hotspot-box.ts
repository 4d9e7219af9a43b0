/** A box with a hotspot for tests: real store and ledger, fake time and kernel. */
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, toHex, utf8 } from '../../src/base/index.ts'
import type { Clock, Log, Timers } from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import type { Config, HotspotConfig, PackageConfig, TariffConfig } from '../../src/config/index.ts'
import { Hotspot, hotspotMigrations } from '../../src/hotspot/index.ts'
import type { ClientAddress, HotspotDeps, VisitJournal, VoucherRow } from '../../src/hotspot/index.ts'
import type { VoucherKeys } from '../../src/identity/index.ts'
import { createLedger, ledgerMigrations } from '../../src/ledger/index.ts'
import type { Ledger } from '../../src/ledger/index.ts'
import { openStore } from '../../src/store/index.ts'
import type { Migration, Store } from '../../src/store/index.ts'
import { FakeGate, FakeKernel, FakeNeighbours } from './fake-gate.ts'
import { FakeTime, seededRandom } from './fakes.ts'

/** Memory-backed where there is such a thing: these tests commit a lot. */
export function fastFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meshbox-hotspot-'))
}

export const testVoucherKeys: VoucherKeys = makeKeys('test')

export function makeKeys(name: string): VoucherKeys {
  const seed = createHmac('sha256', 'voucher seed').update(name).digest()
  // RFC 8410: the fixed head of a PKCS#8 Ed25519 private key.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  return {
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
    verify: (signature, message) => verify(null, message, publicKey, signature),
    mac: (message) => new Uint8Array(createHmac('sha256', seed).update(message).digest()),
  }
}

export const testSigner = {
  address: '0x000000000000000000000000000000000000dEaD',
  signText: (text: string) => new Uint8Array(createHmac('sha512', 'signer').update(utf8(text)).digest()),
} as const satisfies HotspotDeps['signer']

export const halfHour: PackageConfig = {
  id: 'half-hour',
  slot: 1,
  label: '30 minutes',
  seconds: 1800,
  bytes: null,
  tokens: null,
  price: 3_000_000n,
  devices: 1,
  downKbps: 4000,
  upKbps: 1000,
  offered: true,
}
export const hundredMib: PackageConfig = {
  ...halfHour,
  id: 'hundred-mib',
  slot: 2,
  label: '100 MiB',
  seconds: null,
  bytes: 104_857_600,
  price: 5_000_001n,
  devices: 2,
  downKbps: null,
  upKbps: null,
}
export const dayAndGib: PackageConfig = {
  ...halfHour,
  id: 'day-gib',
  slot: 3,
  label: '1 day, 1 GiB',
  seconds: 86_400,
  bytes: 1_073_741_824,
  price: 9_999_999n,
  devices: 3,
}

export interface ConfigChanges {
  readonly hotspot?: Partial<HotspotConfig>
  readonly tariff?: Partial<TariffConfig>
  readonly config?: Partial<Config>
}

/** Read once: a simulation starts thousands of boxes. */
const DEFAULTS = loadConfig('', 'defaults')

export function testConfig(changes: ConfigChanges = {}): Config {
  return {
    main: {
      name: 'Café Ñandú',
      dataDir: '/nowhere',
      controlSocket: '/nowhere/control',
      logLevel: 'info',
      logStyle: 'time',
      roles: ['hotspot'],
      clockTrust: 'auto',
    },
    token: { symbol: 'MBX', decimals: 6 },
    hotspot: {
      gate: 'record',
      guestInterface: 'br-guest',
      uplinkInterfaces: ['wan'],
      portalHost: 'box.lan',
      portalAddress: '0.0.0.0',
      portalPort: 2080,
      boxesPort: 0,
      tlsPort: 443,
      tlsCertificateFile: null,
      tlsKeyFile: null,
      maxSessions: 1000,
      leaseSeconds: 60,
      checkpointSeconds: 20,
      dnsQueriesPerSecond: 20,
      dnsKibPerMinute: 64,
      clientIsolation: true,
      portPinSeconds: 0,
      walledGardenDomains: [],
      walledGardenAddresses: [],
      dnsmasqLeasesFile: null,
      dnsmasqConfDir: null,
      dnsmasqOptionsFile: null,
      dnsmasqPidFile: null,
      guessBurst: 5,
      guessSeconds: 30,
      venueUrl: null,
      voucherBox: 0,
      voucherSiblings: [],
      idlePauseMinutes: 0,
      trialsPerDay: 200,
      ...changes.hotspot,
    },
    owner: { address: '127.0.0.1', port: 2081, sessionMinutes: 30 },
    chain: DEFAULTS.chain,
    photon: DEFAULTS.photon,
    mesh: DEFAULTS.mesh,
    uplinks: [],
    iot: DEFAULTS.iot,
    tariff: {
      pricePerMinute: 100_000n,
      pricePerMib: 50_000n,
      burnerCap: 0n,
      trialMinutes: 10,
      trialMib: 50,
      downKbps: 2000,
      upKbps: 500,
      ...changes.tariff,
    },
    packages: [halfHour, hundredMib, dayAndGib],
    happyHours: [],
    shares: [],
    payout: DEFAULTS.payout,
    payees: [],
    milestones: [],
    ...changes.config,
  }
}

export interface BoxOptions {
  readonly changes?: ConfigChanges
  readonly time?: FakeTime
  readonly kernel?: FakeKernel
  readonly gate?: FakeGate
  readonly store?: Store
  readonly folder?: string
  readonly seed?: number
  readonly log?: Log
  /** Other than `time`, for tests that count real time. */
  readonly clock?: Clock & Timers
  readonly visitJournal?: VisitJournal
  readonly wayOut?: HotspotDeps['wayOut']
  /** Of the box; the same for all boxes that do not say. */
  readonly signer?: HotspotDeps['signer']
}

export interface TestBox {
  readonly time: FakeTime
  readonly kernel: FakeKernel
  readonly gate: FakeGate
  readonly neighbours: FakeNeighbours
  readonly store: Store
  readonly ledger: Ledger
  readonly hotspot: Hotspot
  readonly folder: string
  config: Config
  /** Moves time, and lets what fell due finish. */
  advance(ms: number): Promise<void>
  /** A voucher of this package, fresh from the printer. */
  voucher(packageId: string): Promise<VoucherRow>
  dispose(): Promise<void>
}

export function openTestStore(folder: string, further: readonly Migration[] = []): Store {
  return openStore({ path: join(folder, 'box.db'), migrations: [...ledgerMigrations, ...hotspotMigrations, ...further], log: silentLog })
}

/** Not started yet: `startBox` does both. */
export function makeBox(options: BoxOptions = {}): TestBox {
  const time = options.time ?? new FakeTime()
  const kernel = options.kernel ?? new FakeKernel(time)
  const gate = options.gate ?? new FakeGate(kernel)
  const neighbours = new FakeNeighbours()
  const folder = options.folder ?? fastFolder()
  const store = options.store ?? openTestStore(folder)
  const inForce = { config: testConfig(options.changes) }
  const ledger = createLedger({ shares: () => inForce.config.shares })
  const hotspot = new Hotspot({
    config: () => inForce.config,
    store,
    ledger,
    gate,
    neighbours,
    voucherKeys: testVoucherKeys,
    signer: options.signer ?? testSigner,
    ...(options.visitJournal === undefined ? {} : { visitJournal: options.visitJournal }),
    clock: options.clock ?? time,
    timers: options.clock ?? time,
    randomness: seededRandom(options.seed ?? 1),
    log: options.log ?? silentLog,
    wayOut: options.wayOut ?? (() => 'internet'),
    option114: () => ({ state: 'withheld', reason: 'no certificate' }),
  })
  return {
    time,
    kernel,
    gate,
    neighbours,
    store,
    ledger,
    hotspot,
    folder,
    get config() {
      return inForce.config
    },
    set config(config) {
      inForce.config = config
    },
    async advance(ms) {
      // In steps, so that what a timer began is done before the next one is due.
      const stepMs = Math.max(1, Math.min(ms, 500))
      for (let left = ms; left > 0; left -= stepMs) {
        time.advance(Math.min(left, stepMs))
        await settle()
      }
    },
    async voucher(packageId) {
      const [voucher] = await hotspot.owner.createVouchers({ packageId, count: 1 })
      if (voucher === undefined) throw new Error('no voucher was made')
      return voucher
    },
    async dispose() {
      await hotspot.stop()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function startBox(options: BoxOptions = {}): Promise<TestBox> {
  const box = makeBox(options)
  await box.hotspot.start()
  return box
}

/** Lets promises and group commits that are under way finish. */
export async function settle(rounds = 6): Promise<void> {
  for (let round = 0; round < rounds; round++) await new Promise((next) => setImmediate(next))
}

/** The n-th guest's device. */
export function guest(n: number): ClientAddress {
  const bytes = Uint8Array.of(2, 0, 0, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
  const ip4 = `10.0.${(n >>> 8) & 255}.${n & 255}`
  return { mac: toHex(bytes).replace(/(..)(?=.)/g, '$1:'), ip: ip4, ip4 }
}
