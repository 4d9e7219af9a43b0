/**
 * The portal with a desk that does as it is told: a real `PortalServer` on a loopback port, its guest
 * script compiled as for the bundle, and views of every state for tests to show.
 */
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { MeshBoxError, silentLog, type Clock, type Timers } from '../../src/base/index.ts'
import { loadConfig, type Config } from '../../src/config/index.ts'
import type { NeighbourTable } from '../../src/hotspot/gate/types.ts'
import { PortalServer, type GuestRpc, type Option114, type TlsPair, type TlsSource } from '../../src/hotspot/portal/index.ts'
import type { AheadDoor } from '../../src/hotspot/index.ts'
import type { GuestConsent, GuestOrder, OrderView, PurseView, StreamBalance, StreamBoard, StreamDoor, StreamMailbox, StreamPeer, TakeOutOffer, TopUpAnswer } from '../../src/hotspot/stream/index.ts'
import type { BearerPreview, ClientAddress, GuestDesk, GuestView, KeptWalk, PriceBoard, SessionView } from '../../src/hotspot/types.ts'
import { PollingPeer } from '../../src/photon/stream/index.ts'
import { FakeTime, seededRandom } from './fakes.ts'

export const GUEST_MAC = '02:00:00:00:00:01'
export const TICKET = `U${'7KQ2M0X4TB'.repeat(4).slice(0, 36)}`
export const QR_PAYLOAD = 'A7KQ2M0X4TBC9D'.repeat(10)
export const TOKEN_PAYLOAD = 'B7KQ2M0X4TBC9D'.repeat(10)
export const TYPED_CODE = 'ABCDE-FGHJK'
export const RECEIPT = ['MESHBOX RECEIPT 1', 'venue: Café Aurora', 'receipt: 1-42', 'label: 1 hour', 'price: 2.5 MBX', `signature: 0x${'5e'.repeat(65)}`, ''].join('\n')

const TOKEN = 10n ** 18n
const MIB = 1024 * 1024

export const BOARD: PriceBoard = {
  symbol: 'MBX',
  decimals: 18,
  pricePerMinute: TOKEN / 20n,
  pricePerMib: TOKEN / 100n,
  offers: [
    { packageId: 'half', label: 'Coffee break', seconds: 1800, bytes: null, devices: 1, price: (TOKEN * 12n) / 10n, priceBefore: (TOKEN * 15n) / 10n },
    { packageId: 'hour', label: 'One hour', seconds: 3600, bytes: 500 * MIB, devices: 1, price: (TOKEN * 2n), priceBefore: (TOKEN * 25n) / 10n },
    { packageId: 'day', label: 'Day pass', seconds: 86_400, bytes: null, devices: 3, price: TOKEN * 8n, priceBefore: TOKEN * 10n },
    { packageId: 'data', label: '2 GB to keep', seconds: null, bytes: 2048 * MIB, devices: 2, price: TOKEN * 12n, priceBefore: null },
  ],
  happyHour: { label: 'Happy hour', discountPercent: 20 },
  trial: { minutes: 10, mib: 50 },
}

export function session(change: Partial<SessionView> = {}): SessionView {
  return {
    id: '00112233aabbccdd',
    state: 'active',
    endReason: null,
    pauseReason: null,
    source: 'voucher',
    label: 'One hour',
    secondsLeft: 5025,
    bytesLeft: 312 * MIB,
    secondsUsed: 2175,
    upBytes: 38 * MIB,
    downBytes: 150 * MIB,
    devices: [{ mac: GUEST_MAC, ip4: '127.0.0.1' }],
    devicesMax: 2,
    paid: TOKEN * 2n,
    refunded: 0n,
    startedWallMs: 1_700_000_000_000,
    startedWallTrusted: true,
    ...change,
  }
}

export function view(change: Partial<GuestView> = {}): GuestView {
  return { venue: 'Café Aurora', board: BOARD, trialAvailable: true, session: null, ticket: null, roam: null, wayOut: 'internet', ...change }
}

export function withSession(change: Partial<SessionView> = {}, more: Partial<GuestView> = {}): GuestView {
  const isOpen = change.state !== 'ended'
  return view({ session: session(change), trialAvailable: false, ticket: isOpen ? TICKET : null, ...more })
}

/** Every state a guest can be in, by the name the screenshots and tests use. */
export const STATES: Readonly<Record<string, GuestView>> = {
  welcome: view(),
  'welcome-plain': view({ trialAvailable: false, board: { ...BOARD, offers: [], pricePerMinute: 0n, pricePerMib: 0n, happyHour: null, trial: null } }),
  opening: withSession({ state: 'gate-open' }),
  online: withSession(),
  'online-time': withSession({ bytesLeft: null, secondsLeft: 1422, secondsUsed: 378 }),
  'online-days': withSession({ secondsLeft: 200_000, secondsUsed: 60_000, bytesLeft: null }),
  'online-data': withSession({ secondsLeft: null, bytesLeft: 1700 * MIB }),
  'online-low': withSession({ secondsLeft: 95, secondsUsed: 1705, bytesLeft: null }),
  'online-free': withSession({ secondsLeft: null, bytesLeft: null }),
  paused: withSession({ state: 'paused', pauseReason: 'guest' }),
  'paused-idle': withSession({ state: 'paused', pauseReason: 'idle' }),
  'paused-owner': withSession({ state: 'paused', pauseReason: 'owner' }),
  'paused-restart': withSession({ state: 'paused', pauseReason: 'restart' }),
  'paused-away': withSession({ state: 'paused', pauseReason: 'away', bytesLeft: null }, { roam: 'prove' }),
  'online-visiting': withSession({ label: 'Bäckerei am Hafen', bytesLeft: null }, { roam: 'visiting', ticket: null }),
  'not-visiting': view({ roam: 'silent' }),
  'welcome-no-internet': view({ wayOut: 'none' }),
  'online-no-internet': withSession({ bytesLeft: null }, { wayOut: 'none' }),
  'online-unsteady': withSession({ bytesLeft: null }, { wayOut: 'intermittent' }),
  credited: withSession({ state: 'credited' }),
  'ended-time': withSession({ state: 'ended', endReason: 'time-used', secondsLeft: 0, bytesLeft: null, secondsUsed: 3600 }),
  'ended-bytes': withSession({ state: 'ended', endReason: 'bytes-used', bytesLeft: 0 }),
  'ended-refunded': withSession({ state: 'ended', endReason: 'refunded', refunded: TOKEN }),
  'ended-revoked': withSession({ state: 'ended', endReason: 'revoked' }),
  'ended-guest': withSession({ state: 'ended', endReason: 'ended-by-guest' }),
  'ended-owner': withSession({ state: 'ended', endReason: 'ended-by-owner' }),
  'ended-replaced': withSession({ state: 'ended', endReason: 'replaced' }),
}

/** A desk in memory: shows `shown`, remembers every verb, and refuses with `refusal` if one is set. */
export class ScriptedDesk implements GuestDesk {
  shown: GuestView = view()
  refusal: Error | null = null
  /** The key that holds the session. */
  kept: string | null = null
  readonly verbs: { verb: string; bearer?: string }[] = []

  view(_client: ClientAddress): GuestView {
    return this.shown
  }
  board(): PriceBoard {
    return this.shown.board
  }
  preview(_client: ClientAddress, bearer: string): BearerPreview {
    if (this.refusal) throw this.refusal
    if (bearer === TICKET) return { kind: 'ticket', label: 'One hour', seconds: 5025, bytes: 312 * MIB, tokens: null, devices: 2 }
    if (bearer === QR_PAYLOAD) return { kind: 'voucher', label: 'Day pass', seconds: 86_400, bytes: null, tokens: null, devices: 3 }
    if (bearer === TOKEN_PAYLOAD) return { kind: 'voucher', label: 'Ten tokens', seconds: null, bytes: null, tokens: TOKEN * 10n, devices: 1 }
    throw badCode()
  }
  async redeem(_client: ClientAddress, bearer: string): Promise<SessionView> {
    this.#did('redeem', bearer)
    if (bearer !== TYPED_CODE && bearer !== QR_PAYLOAD && bearer !== TICKET) throw badCode()
    return this.#become(STATES['online'])
  }
  keptAddress(_client: ClientAddress): string | null {
    return this.kept
  }
  async keepWithKey(_client: ClientAddress, address: string): Promise<SessionView> {
    this.#did('keep', address)
    this.kept = address
    return this.#become(this.shown)
  }
  /** What other boxes say of any key. */
  walks: readonly KeptWalk[] = []
  async keptElsewhere(_client: ClientAddress, address: string): Promise<readonly KeptWalk[]> {
    this.#did('kept', address)
    return this.walks
  }
  async showKey(_client: ClientAddress, sessionId: string, signature: Uint8Array): Promise<SessionView> {
    this.#did('show', `${sessionId} ${Buffer.from(signature).toString('hex')}`)
    return this.#become(STATES['online'])
  }
  async openWithKey(_client: ClientAddress, address: string): Promise<SessionView> {
    this.#did('open', address)
    return this.#become(STATES['online'])
  }
  /** What the next code worth tokens does. */
  topUpAnswer: (payer: string, consent: GuestConsent | null) => Promise<TopUpAnswer> = async () => ({ state: 'promised', amount: TOKEN * 10n, consent: null })
  async topUp(_client: ClientAddress, code: string, payer: string, consent: GuestConsent | null): Promise<TopUpAnswer> {
    this.#did('top-up', code)
    return this.topUpAnswer(payer, consent)
  }
  async startTrial(_client: ClientAddress): Promise<SessionView> {
    this.#did('trial')
    return this.#become(STATES['online-time'])
  }
  async pause(_client: ClientAddress): Promise<SessionView> {
    this.#did('pause')
    return this.#become(STATES['paused'])
  }
  async resume(_client: ClientAddress): Promise<SessionView> {
    this.#did('resume')
    return this.#become(STATES['online'])
  }
  async end(_client: ClientAddress): Promise<SessionView> {
    this.#did('end')
    return this.#become(STATES['ended-guest'])
  }
  receipt(_client: ClientAddress): string {
    if (this.shown.session === null) throw new MeshBoxError('not-found', 'no session on this device', { code: 'no-session' })
    return RECEIPT
  }

  #did(verb: string, bearer?: string): void {
    this.verbs.push(bearer === undefined ? { verb } : { verb, bearer })
    if (this.refusal) throw this.refusal
  }
  #become(next: GuestView | undefined): SessionView {
    if (!next?.session) throw new Error('the script has no such state')
    this.shown = next
    return next.session
  }
}

function badCode(): MeshBoxError {
  return new MeshBoxError('input', 'there is no voucher with this code', { code: 'bad-code', field: 'code' })
}

export const STREAM_BOARD: StreamBoard = {
  chainId: 8888n,
  contract: `0x${'c0'.repeat(20)}`,
  token: `0x${'70'.repeat(20)}`,
  symbol: 'MBX',
  decimals: 18,
  payee: `0x${'b0'.repeat(20)}`,
  unit: TOKEN / 1200n,
  tickSeconds: 1,
  purse: { contract: `0x${'9b'.repeat(20)}`, fee: TOKEN / 50n, least: TOKEN, finalSeconds: 300 },
  isChainReachable: true,
}

/** Takes frames by heart, and sends each message back. */
export class ScriptedDoor implements StreamDoor {
  shown: StreamBoard | null = STREAM_BOARD
  owned: StreamBalance = { hasChannel: true, spendable: TOKEN * 3n, pending: 0n }
  readonly heard: { device: string; bytes: Uint8Array }[] = []
  /** Answers of those who ask by POST wait for this. */
  busy: Promise<void> = Promise.resolve()

  receive(peer: StreamPeer, bytes: Uint8Array): void {
    this.heard.push({ device: peer.device, bytes: bytes.slice() })
    peer.send(bytes)
  }
  quiet(): Promise<void> {
    return this.busy
  }
  mailbox(device: string): StreamMailbox {
    return new PollingPeer(device)
  }
  board(): StreamBoard | null {
    return this.shown
  }
  async balance(): Promise<StreamBalance> {
    return this.owned
  }
  purseView: PurseView = { balance: TOKEN * 5n, arriving: 0n, number: 0n, head: 1000, channel: `0x${'c1'.repeat(32)}`, epoch: 1n, channelState: 'none', settleTimeout: 600, order: null }
  readonly ordered: { device: string; payer: string; order: GuestOrder }[] = []
  refusal: Error | null = null
  async purse(): Promise<PurseView> {
    return this.purseView
  }
  async order(device: string, payer: string, order: GuestOrder): Promise<OrderView> {
    if (this.refusal !== null) throw this.refusal
    this.ordered.push({ device, payer, order })
    return { hash: `0x${'0f'.repeat(32)}`, state: 'waiting' }
  }
  async takeOut(_device: string, _payer: string, signed: { readonly validUntil: number; readonly signature: string } | null): Promise<TakeOutOffer> {
    if (this.refusal !== null) throw this.refusal
    return { channel: this.purseView.channel, epoch: 1n, guest: TOKEN, box: 0n, validUntil: signed?.validUntil ?? 1300 }
  }
}

/** Every address is the same device, unless `mac` says otherwise. */
export class ScriptedNeighbours implements NeighbourTable {
  mac: (address: string) => string | null = () => GUEST_MAC
  async start(): Promise<void> {
    return undefined
  }
  async stop(): Promise<void> {
    return undefined
  }
  async macOf(address: string): Promise<string | null> {
    return this.mac(address)
  }
  ip4Of(): string | null {
    return '10.9.0.7'
  }
  onHeard(): void {}
  onIp4(): void {
    return undefined
  }
}

export interface PortalAppOptions {
  readonly hotspot?: Partial<Config['hotspot']>
  readonly tls?: TlsPair | null | TlsSource
  readonly time?: Clock & Timers
  readonly script?: string
  /** The chain at /rpc. */
  readonly rpc?: () => GuestRpc | null
  /** Minutes by the second. */
  readonly stream?: () => StreamDoor | null
  readonly ahead?: () => AheadDoor | null
  /** Sessions go from box to box with their guests. */
  readonly isWalking?: boolean
  /** Offers the wallet page. */
  readonly walletScript?: string
}

export interface PortalApp {
  readonly server: PortalServer
  readonly desk: ScriptedDesk
  readonly neighbours: ScriptedNeighbours
  readonly time: FakeTime
  readonly announced: Option114[]
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  stop(): Promise<void>
}

/** Any free port of the loopback; port 0 cannot be configured, only set here. */
export function portalConfig(hotspot: Partial<Config['hotspot']> = {}): Config {
  const config = loadConfig("config meshbox 'main'\n\toption name 'Café Aurora'\n", 'test')
  return {
    ...config,
    hotspot: { ...config.hotspot, portalHost: 'wifi.example', portalAddress: '127.0.0.1', portalPort: 0, tlsPort: 0, gate: 'nft', venueUrl: 'https://aurora.example/', ...hotspot },
  }
}

export async function startPortalApp(options: PortalAppOptions = {}): Promise<PortalApp> {
  const desk = new ScriptedDesk()
  const neighbours = new ScriptedNeighbours()
  const time = new FakeTime()
  const announced: Option114[] = []
  const plain = portalConfig(options.hotspot)
  const config: Config = options.isWalking === true ? { ...plain, main: { ...plain.main, roles: [...plain.main.roles, 'relay'] }, mesh: { ...plain.mesh, roamEnforcement: 'access' } } : plain
  const server = new PortalServer({
    desk,
    neighbours,
    config: () => config,
    clock: options.time ?? time,
    timers: options.time ?? time,
    randomness: seededRandom(7),
    log: silentLog,
    script: options.script ?? '',
    ...(options.walletScript === undefined ? {} : { walletScript: options.walletScript }),
    ...(options.rpc === undefined ? {} : { rpc: options.rpc }),
    ...(options.stream === undefined ? {} : { stream: options.stream }),
    ...(options.ahead === undefined ? {} : { ahead: options.ahead }),
    tls: options.tls ?? null,
    onOption114: (option) => announced.push(option),
  })
  await server.start()
  return { server, desk, neighbours, time, announced, origin: `http://127.0.0.1:${server.ports.http ?? 0}`, stop: () => server.stop() }
}

/** The scripts as the bundle makes them. */
export function compileGuestScript(): Promise<string> {
  return compile('guest', ['chrome87', 'safari14', 'firefox78'])
}

export function compileWalletScript(): Promise<string> {
  return compile('wallet', ['es2020'])
}

async function compile(room: string, target: string[]): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`../../src/web/${room}/main.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    legalComments: 'none',
    platform: 'browser',
    target,
    format: 'iife',
    logLevel: 'warning',
  })
  return result.outputFiles[0]?.text ?? ''
}
