/** An Owner with real store, ledger and keys in a folder of its own, a scripted hotspot, and time that is moved by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scriptedMesh } from '../../support/mesh-views.ts'
import type { ScriptedMesh } from '../../support/mesh-views.ts'
import { scriptedPhoton } from '../../support/photon-views.ts'
import type { ScriptedPhoton } from '../../support/photon-views.ts'
import { scriptedChain } from '../../support/chain-views.ts'
import { createLog, silentLog } from '../../../src/base/index.ts'
import { loadConfig } from '../../../src/config/index.ts'
import type { Config } from '../../../src/config/index.ts'
import { openIdentity, openVoucherKeys } from '../../../src/identity/index.ts'
import type { Identity, OwnerPassword } from '../../../src/identity/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import type { Ledger } from '../../../src/ledger/index.ts'
import { Payouts } from '../../../src/payout/index.ts'
import { payoutMigrations } from '../../../src/payout/tables/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { ControlServer, LogRing, Owner, OwnerServer } from '../../../src/owner/index.ts'
import type { ConfigDoor, DashboardFiles, OwnerPorts, OwnerServerOptions, SystemFacts } from '../../../src/owner/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { ANNA, PaperChannels, SMT, noChannel } from '../../support/payout-box.ts'
import { ScriptedDesk, sessionView } from './scripted-desk.ts'

export const PASSWORD = 'correct horse 9'
export const CONFIG_TEXT = `
config meshbox 'main'
	option name 'Café Alegría'
	list roles 'hotspot'

config token 'token'
	option symbol 'TOK'
	option decimals '6'

# prices
config tariff 'tariff'
	option price_per_minute '0.1'

config package 'half_hour'
	option slot '0'
	option label '30 minutes'
	option seconds '1800'
	option price '3'

config share 'lender'
	option role 'investor'
	option beneficiary 'lender'
	option parts_per_million '250000'
`

export const FACTS: SystemFacts = {
  disk: { freeBytes: 900 * 1024 * 1024, totalBytes: 2000 * 1024 * 1024 },
  memory: { rssBytes: 60_000_000, rssAnonBytes: 20_000_000, heapUsedBytes: 9_000_000, machineTotalBytes: 500_000_000, machineFreeBytes: 200_000_000 },
  load: [0.1, 0.2, 0.3],
  cpus: 4,
  eventLoopLag: { meanMs: 0, p99Ms: 1, maxMs: 3 },
  dnsmasq: { state: 'running', detail: 'process 77' },
  runtime: 'node v22.0.0',
  kernel: 'Linux 6.6',
  architecture: 'arm64',
}

/** Remembers one password in the clear: the real one costs a scrypt each time. */
export class PlainPassword implements OwnerPassword {
  #password: string | null
  constructor(password: string | null = null) {
    this.#password = password
  }
  get isSet(): boolean {
    return this.#password !== null
  }
  async set(password: string): Promise<void> {
    this.#password = password
  }
  async verify(password: string): Promise<boolean> {
    return this.#password === password
  }
}

export class ConfigInMemory implements ConfigDoor {
  saved = 0
  reloads = 0
  failSaves = false
  #text: string
  constructor(text = CONFIG_TEXT) {
    this.#text = text
  }
  current(): Config {
    return loadConfig(this.#text, 'meshbox')
  }
  text(): string {
    return this.#text
  }
  async save(text: string): Promise<{ applied: string[]; needsRestart: string[] }> {
    if (this.failSaves) throw new Error('disk on fire')
    loadConfig(text, 'meshbox')
    this.#text = text
    this.saved++
    return { applied: ['tariff.price_per_minute'], needsRestart: [] }
  }
  async reload(): Promise<{ applied: string[]; needsRestart: string[] }> {
    this.reloads++
    return { applied: [], needsRestart: ['owner.port'] }
  }
}

export interface House {
  readonly dir: string
  readonly owner: Owner
  readonly ports: OwnerPorts
  readonly desk: ScriptedDesk
  readonly photon: ScriptedPhoton
  readonly mesh: ScriptedMesh
  readonly time: FakeTime
  readonly config: ConfigInMemory
  readonly password: OwnerPassword
  readonly store: Store
  readonly ledger: Ledger
  readonly identity: Identity
  readonly ring: LogRing
  readonly observed: number[]
  /** What shares are paid over; the first payment fails. */
  readonly paper: PaperChannels
  server(over?: Partial<OwnerServerOptions>): OwnerServer
  control(): ControlServer
  close(): Promise<void>
}

export interface HouseOptions {
  readonly password?: OwnerPassword
  readonly configText?: string
  readonly withoutHotspot?: boolean
  readonly store?: (store: Store, dir: string) => OwnerPorts['store']
  readonly iot?: OwnerPorts['iot']
}

let houses = 0

export async function buildHouse(options: HouseOptions = {}): Promise<House> {
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-owner-'))
  const time = new FakeTime()
  const randomness = seededRandom(++houses) // two boxes never have the same keys
  const ring = new LogRing()
  const log = createLog({ level: 'debug', style: 'syslog', now: () => time.wallMs(), write: (line) => ring.push(line, time.wallMs()) })
  const store = openStore({ path: join(dir, 'books.sqlite3'), migrations: [...ledgerMigrations, ...payoutMigrations], log: silentLog })
  const config = new ConfigInMemory(options.configText)
  const desk = new ScriptedDesk()
  desk.all.push(sessionView('00000000000000a1', { state: 'ended' }), sessionView('00000000000000a2', { label: '1 day' }), sessionView('00000000000000a3', { state: 'paused' }))
  const photon = scriptedPhoton()
  const mesh = scriptedMesh()
  const observed: number[] = []
  const password = options.password ?? new PlainPassword(PASSWORD)
  const ledger = createLedger({ shares: () => config.current().shares })
  const identity = await openIdentity({ dataDir: dir, randomness, log: silentLog })
  const paper = new PaperChannels()
  paper.failsOnce = noChannel()
  const payouts = new Payouts({
    store,
    ledger,
    identity,
    settings: () => {
      const { token, payout } = config.current()
      const share = { account: 'investor:lender', partsPerMillion: 250_000, sources: [] }
      return { ...payout, token, shares: [share], payees: [{ account: share.account, address: ANNA }], milestones: [{ id: 'first', account: share.account, measure: 'earnings', count: 10, reward: 1_000_000n, sources: [] }], channelTokens: [{ ...token, address: SMT }] }
    },
    channels: () => paper,
    clock: time,
    timers: time,
    log: silentLog,
  })
  const ports: OwnerPorts = {
    desk: options.withoutHotspot ? null : desk,
    chain: scriptedChain(),
    photon,
    mesh,
    ...(options.iot === undefined ? {} : { iot: options.iot }),
    payouts: { desk: payouts, token: () => config.current().token },
    audit: async () => ({ isSound: true, differences: [], unnamed: 0, looked: { 'ledger-balance': 3, voucher: 3 }, unchecked: [{ check: 'chain', why: 'the box follows no chain' }], contracts: [] }),
    ledger,
    store: options.store?.(store, dir) ?? store,
    identity,
    voucherKeys: await openVoucherKeys({ dataDir: dir, randomness, log: silentLog }),
    password,
    config,
    clock: time,
    randomness,
    log,
    ring,
    version: '1.2.3',
    facts: () => FACTS,
    timeSources: () => ['ntp'],
    observeOwnerClock: (wallMs) => void observed.push(wallMs),
  }
  const owner = new Owner(ports)
  const closers: (() => Promise<void>)[] = []
  return {
    dir,
    owner,
    ports,
    desk,
    photon,
    mesh,
    time,
    config,
    password,
    store,
    ledger,
    identity,
    ring,
    observed,
    paper,
    server(over = {}) {
      const server = new OwnerServer({
        owner,
        address: '127.0.0.1',
        port: 0,
        guestInterface: 'br-guest',
        hostNames: ['box.example'],
        files: FILES,
        tls: null,
        dataDir: dir,
        metricsToken: 'metrics-token-of-the-test',
        boottimeMs: () => time.boottimeMs(),
        randomness,
        log,
        addresses: () => [
          { interface: 'lo', cidr: '127.0.0.1/8' },
          { interface: 'br-lan', cidr: '192.168.1.1/24' },
          { interface: 'br-guest', cidr: '10.77.0.1/16' },
          { interface: 'br-guest', cidr: 'fd00:77::1/64' },
        ],
        ...over,
      })
      closers.push(() => server.stop())
      return server
    },
    control() {
      const server = new ControlServer({ owner, socketPath: join(dir, 'control.sock'), log })
      closers.push(() => server.stop())
      return server
    },
    async close() {
      for (const close of closers) await close()
      await payouts.stop()
      await store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const text = (body: string): Uint8Array => new TextEncoder().encode(body)
export const FILES: DashboardFiles = new Map([
  ['/index.html', { body: text('<!doctype html><title>MeshBox</title>'), type: 'text/html; charset=utf-8', etag: '"i1"' }],
  ['/dashboard.js', { body: text('export {}'), gzip: text('(zipped)'), type: 'text/javascript; charset=utf-8', etag: '"j1"' }],
])
