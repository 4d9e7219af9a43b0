/**
 * The dashboard as a browser meets it: the real owner room with its real HTTP door, store and ledger, the
 * bundled page, and a hotspot that only remembers (dashboard-desk.ts). On loopback, on a free port.
 */
import { scriptedChain } from './chain-views.ts'
import { scriptedPhoton } from './photon-views.ts'
import type { ScriptedPhoton } from './photon-views.ts'
import type { ScriptedPayouts } from './payout-views.ts'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { MeshBoxError, createLog, inputError, silentLog } from '../../src/base/index.ts'
import type { Clock, Moment } from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import type { OwnerPassword } from '../../src/identity/index.ts'
import { createLedger, ledgerMigrations } from '../../src/ledger/index.ts'
import type { Ledger } from '../../src/ledger/index.ts'
import { LogRing, Owner } from '../../src/owner/index.ts'
import type { ConfigDoor, IotPort, JoinDesk, MeshPort, OwnerPorts } from '../../src/owner/index.ts'
import { OwnerServer } from '../../src/owner/io/owner-server.ts'
import type { DashboardFiles } from '../../src/owner/io/static-files.ts'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/index.ts'
import { KEYS } from '../unit/voucher/fixed-keys.ts'
import { ScriptedDesk } from './dashboard-desk.ts'
import { seededRandom } from './fakes.ts'

const SOURCE = fileURLToPath(new URL('../../src/web/owner/', import.meta.url))
const DAY_MS = 86_400_000
const TOKEN = 10n ** 18n
export const PASSWORD = 'three brown coffee cups'
export const BOX_WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow'.split(' ')
export const VOUCHER_WORDS = 'letter advice cage absurd amount doctor acoustic avoid letter advice cage above'.split(' ')

/** The same options as the product's bundle. */
export async function bundleDashboard(): Promise<DashboardFiles> {
  const { outputFiles } = await build({
    entryPoints: { dashboard: join(SOURCE, 'main.tsx'), 'dashboard-seldom': join(SOURCE, 'views/seldom-views.ts'), style: join(SOURCE, 'style.css') },
    splitting: true,
    chunkNames: 'dashboard-shared',
    outdir: 'out',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2020',
    jsx: 'transform',
    jsxFactory: 'h',
    jsxFragment: 'Fragment',
    inject: [join(SOURCE, 'jsx.ts')],
    tsconfigRaw: {}, // else the repository's own jsx option wins
    legalComments: 'none',
    charset: 'utf8',
    write: false,
  })
  const built = (ending: string): Uint8Array => outputFiles.find((file) => file.path.endsWith(`/${ending}`))?.contents ?? new Uint8Array()
  return new Map(
    [
      { path: '/index.html', type: 'text/html; charset=utf-8', body: new Uint8Array(readFileSync(join(SOURCE, 'index.html'))) },
      { path: '/dashboard.js', type: 'text/javascript; charset=utf-8', body: built('dashboard.js') },
      { path: '/dashboard-shared.js', type: 'text/javascript; charset=utf-8', body: built('dashboard-shared.js') },
      { path: '/dashboard-seldom.js', type: 'text/javascript; charset=utf-8', body: built('dashboard-seldom.js') },
      { path: '/dashboard.css', type: 'text/css; charset=utf-8', body: built('style.css') },
      { path: '/dashboard.svg', type: 'image/svg+xml', body: new Uint8Array(readFileSync(join(SOURCE, 'dashboard.svg'))) },
    ].map(({ path, type, body }) => [
      path,
      { body, type, gzip: new Uint8Array(gzipSync(body)), etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` },
    ]),
  )
}

/** A Saturday evening: outside the happy hours below in every time zone. */
const BEGIN_WALL_MS = Date.UTC(2026, 10, 21, 18, 4)

/** A clock that begins at the same moment in every run, and that a test may push forward. */
export class PushedClock implements Clock {
  readonly bootId = '11111111-2222-4333-8444-555555555555'
  trusted = true
  aheadMs = 0
  readonly #beginMs = performance.now()

  boottimeMs(): number {
    return 9.2 * DAY_MS + this.#passedMs()
  }
  wallMs(): number {
    return BEGIN_WALL_MS + this.#passedMs()
  }
  #passedMs(): number {
    return performance.now() - this.#beginMs + this.aheadMs
  }
  isWallTrusted(): boolean {
    return this.trusted
  }
}

const CONFIG = `
config meshbox 'main'
	option name 'Corner Café'
	list roles 'hotspot'
config token 'token'
	option symbol 'MBX'
config hotspot 'hotspot'
	option guest_interface 'br-guest'
	list uplink_interfaces 'wan'
	option portal_host 'wifi.meshbox.lan'
	list walled_garden_domains 'menu.corner-cafe.example'
config owner 'owner'
	option session_minutes '30'
config tariff 'tariff'
	option price_per_minute '0.1'
	option trial_minutes '10'
	option trial_mib '50'
config package 'half_hour'
	option slot '0'
	option label '30 minutes'
	option seconds '1800'
	option price '3'
config package 'two_hours'
	option slot '1'
	option label '2 hours'
	option seconds '7200'
	option price '10'
	option devices '2'
config package 'day'
	option slot '2'
	option label '1 day'
	option seconds '86400'
	option price '30'
	option devices '3'
config package 'gigabyte'
	option slot '3'
	option label '1 GiB, no hurry'
	option bytes '1073741824'
	option price '7.5'
config package 'with_meal'
	option slot '4'
	option label '1 hour with your meal'
	option seconds '3600'
	option price '0'
	option offered '0'
config happyhour 'afternoon'
	option label 'Quiet afternoon'
	option basis 'clock'
	option from_minute '14:00'
	option to_minute '16:30'
	list days 'mon'
	list days 'tue'
	list days 'wed'
	list days 'thu'
	option discount_percent '25'
config share 'investor'
	option role 'investor'
	option beneficiary 'maria'
	option parts_per_million '100000'
`
const EMPTY_CONFIG = `
config meshbox 'main'
	list roles 'hotspot'
config token 'token'
	option symbol 'MBX'
config hotspot 'hotspot'
	option guest_interface 'br-guest'
`

export interface DashboardApp {
  readonly url: string
  readonly owner: Owner
  readonly desk: ScriptedDesk
  readonly photon: ScriptedPhoton
  /** Orders to the chain in words, as they came. */
  readonly chainAsked: string[]
  readonly clock: PushedClock
  readonly log: OwnerPorts['log']
  readonly store: Store
  stop(): Promise<void>
}

/** Left out: all is well. */
export interface DashboardRooms {
  readonly chain?: 'live' | 'alarm'
  readonly photon?: ScriptedPhoton
  readonly mesh?: MeshPort
  readonly iot?: IotPort
  readonly payouts?: ScriptedPayouts
  /** Makes the router's files its own, with the configuration's door that it is given. */
  readonly joining?: (config: ConfigDoor, folder: string) => JoinDesk
}

/** `fresh`: out of the carton, no owner; `empty`: owned, nothing sold yet; `busy`: a day in a café. */
export async function startDashboardApp(files: DashboardFiles, kind: 'fresh' | 'empty' | 'busy', rooms: DashboardRooms = {}): Promise<DashboardApp> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-dashboard-'))
  const clock = new PushedClock()
  let text = kind === 'busy' ? CONFIG : EMPTY_CONFIG
  let config = loadConfig(text, 'meshbox')
  const store = openStore({ path: join(folder, 'book.sqlite3'), migrations: ledgerMigrations, log: silentLog })
  const ledger = createLedger({ shares: () => config.shares })
  const ring = new LogRing()
  const log = createLog({ level: 'info', style: 'time', now: () => clock.wallMs(), write: (line) => ring.push(line, clock.wallMs()) })
  const desk = new ScriptedDesk(() => config, clock)
  const photon = rooms.photon ?? scriptedPhoton()
  const chainAsked: string[] = []
  const random = seededRandom(7)
  let wordsShown = kind !== 'busy'
  const door: ConfigDoor = {
    current: () => config,
    text: () => text,
    save: async (next) => {
      config = loadConfig(next, 'meshbox')
      text = next
      return { applied: [], needsRestart: [] }
    },
    reload: async () => ({ applied: [], needsRestart: [] }),
  }
  const owner = new Owner({
    desk,
    chain: scriptedChain(rooms.chain, chainAsked),
    photon,
    mesh: rooms.mesh ?? null,
    iot: rooms.iot ?? null,
    ...(rooms.payouts === undefined ? {} : { payouts: rooms.payouts }),
    joining: rooms.joining?.(door, folder) ?? null,
    ledger,
    store,
    identity: {
      address: '0x52908400098527886E0F7030069857D2E4169EE7',
      addressFor: () => '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      publicKey: new Uint8Array(33).fill(2),
      backend: 'native',
      get recoveryWordsShown() {
        return wordsShown
      },
      revealRecoveryWords: async () => {
        if (wordsShown) throw new MeshBoxError('conflict', 'the recovery words were shown already', { code: 'words-already-shown' })
        wordsShown = true
        return BOX_WORDS
      },
    },
    voucherKeys: { publicKey: KEYS.publicKey, revealVoucherWords: () => VOUCHER_WORDS, adoptVoucherWords: async () => undefined },
    password: plainPassword(kind === 'fresh' ? null : PASSWORD),
    config: door,
    clock,
    randomness: random,
    log,
    ring,
    version: '0.1.0',
    facts: () => FACTS,
    timeSources: () => (clock.trusted ? ['ntp', 'owner'] : []),
    observeOwnerClock: () => undefined,
  })
  const server = new OwnerServer({
    owner,
    address: '127.0.0.1',
    port: 0,
    guestInterface: 'br-guest',
    hostNames: [],
    files,
    tls: null,
    dataDir: folder,
    metricsToken: null,
    boottimeMs: () => clock.boottimeMs(),
    randomness: random,
    log,
    addresses: () => [
      { interface: 'br-guest', cidr: '10.80.0.1/16' },
      { interface: 'br-lan', cidr: '192.168.1.1/24' },
      { interface: 'lo', cidr: '127.0.0.1/8' },
    ],
  })
  if (kind === 'busy') {
    await seedEarnings(store, ledger, clock)
    await seedDesk(desk)
    log.room('gate').info('rules in force', { table: 'inet meshbox', devices: 7 })
    log.room('session').info('voucher redeemed', { session: 's000012', package: 'two_hours' })
    log.room('session').info('session ended', { session: 's000003', reason: 'time-used' })
    log.room('gate').warn('rules were flushed by somebody and put back', { ms: 212 })
    log.room('portal').info('free trial given', { mac: '7a:11:0c:52:9e:41' })
    log.room('session').info('session paused', { session: 's000014', by: 'guest' })
  }
  const url = await server.start()
  return {
    url,
    owner,
    desk,
    photon,
    chainAsked,
    clock,
    log,
    store,
    stop: async () => {
      await server.stop()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function plainPassword(initial: string | null): OwnerPassword {
  let current = initial
  return {
    get isSet() {
      return current !== null
    },
    set: async (next) => {
      if ([...next].length < 10) throw inputError('password', '(hidden)', 'at least 10 characters')
      current = next
    },
    verify: async (given) => given === current,
  }
}

const FACTS: ReturnType<OwnerPorts['facts']> = {
  disk: { freeBytes: 61 * 1_048_576, totalBytes: 112 * 1_048_576 },
  memory: { rssBytes: 58 * 1_048_576, rssAnonBytes: 16 * 1_048_576, heapUsedBytes: 11 * 1_048_576, machineTotalBytes: 496 * 1_048_576, machineFreeBytes: 287 * 1_048_576 },
  load: [0.21, 0.18, 0.12],
  cpus: 4,
  eventLoopLag: { meanMs: 0.4, p99Ms: 2.1, maxMs: 14 },
  dnsmasq: { state: 'running', detail: 'pid 1412' },
  runtime: 'Node 22.23.2',
  kernel: 'Linux 6.12.58',
  architecture: 'arm64',
}

/** Thirty-four days of sales, more at the week's end, the same in every run. */
async function seedEarnings(store: Store, ledger: Ledger, clock: Clock): Promise<void> {
  const random = seededRandom(2026)
  const now = clock.wallMs()
  await store.turn((tx) => {
    for (let ago = 33; ago >= 0; ago--) {
      const wallMs = now - ago * DAY_MS
      const weekday = new Date(wallMs).getUTCDay()
      const rush = weekday === 0 || weekday === 6 ? 1.7 : weekday === 1 ? 0.45 : 1
      const sales = Math.round((5 + random.next() * 9) * rush * (ago === 0 ? 0.8 : 1))
      const at: Moment = { bootId: clock.bootId, boottimeMs: clock.boottimeMs(), wallMs, wallTrusted: true }
      for (let sale = 0; sale < sales; sale++) {
        const amount = ([3n, 10n, 3n, 30n, 7n][Math.floor(random.next() * 5)] ?? 3n) * TOKEN + (sale % 5 === 4 ? TOKEN / 2n : 0n)
        const source = sale % 6 === 5 ? 'hotspot:payment' : 'hotspot:voucher'
        ledger.earn(tx, { source, token: 'MBX', amount, from: 'cash:vouchers', evidence: { type: 'voucher', id: `${ago}.${sale}` }, at })
      }
    }
  })
}

async function seedDesk(desk: ScriptedDesk): Promise<void> {
  const ended = ['half_hour', 'two_hours', 'half_hour', 'day', 'half_hour', 'with_meal', 'two_hours', 'half_hour']
  ended.forEach((packageId, index) =>
    desk.addGuest({
      packageId,
      mac: `5e:0b:${(16 + index).toString(16)}:7c:2d:${(160 + index * 3).toString(16)}`,
      ip4: `10.80.0.${20 + index}`,
      usedSeconds: 1800 + index * 911,
      mibDown: 40 + index * 87,
      state: 'ended',
      startedAgoMs: (28 - index * 2) * 3_600_000,
      trusted: index !== 1,
      ...(index === 4 ? { endReason: 'ended-by-guest' as const } : {}),
    }),
  )
  desk.addGuest({ packageId: 'day', mac: 'c2:5f:08:91:d3:0a', ip4: '10.80.0.41', usedSeconds: 31_400, mibDown: 1843, more: [{ mac: '3c:22:fb:0e:51:77', ip4: '10.80.0.42' }] })
  desk.addGuest({ packageId: 'gigabyte', mac: '8e:4d:a7:16:6b:f2', ip4: '10.80.0.44', usedSeconds: 5200, mibDown: 611 })
  desk.addGuest({ packageId: 'two_hours', mac: 'd6:90:3e:44:28:1c', ip4: '10.80.0.47', usedSeconds: 4260, mibDown: 388 })
  desk.addGuest({ packageId: 'half_hour', mac: '7a:11:0c:52:9e:41', ip4: '10.80.0.52', usedSeconds: 480, mibDown: 22, source: 'trial' })
  desk.addGuest({ packageId: 'half_hour', mac: 'b0:3a:5d:c8:f7:60', ip4: '10.80.0.53', usedSeconds: 1697, mibDown: 96 })
  desk.addGuest({ packageId: 'two_hours', mac: '46:e9:12:0b:8f:d5', ip4: null, usedSeconds: 2214, mibDown: 140, state: 'paused', startedAgoMs: 9_300_000 })
  desk.addGuest({ packageId: 'half_hour', mac: 'fa:27:c4:63:19:8e', ip4: '10.80.0.58', usedSeconds: 95, mibDown: 9 })
  await desk.addBatch('half_hour', 96, 71, 0, 24)
  await desk.addBatch('day', 32, 18, 2, 24)
  await desk.addBatch('two_hours', 64, 22, 0, 11)
  await desk.addBatch('with_meal', 32, 9, 0, 11, 'Free with lunch')
  await desk.addBatch('half_hour', 64, 6, 0, 2)
}
