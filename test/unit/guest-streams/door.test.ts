/**
 * A guest pays by the second over the portal's real sockets: the page's payer, the payee's desk, the hotspot's till with
 * real sessions, store and ledger in one process. And what the door refuses, whoever knocks.
 */
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { hotspotMigrations } from '../../../src/hotspot/index.ts'
import { PortalServer } from '../../../src/hotspot/portal/index.ts'
import { GuestStreams } from '../../../src/main/guest-streams.ts'
import { streamMigrations } from '../../../src/photon/stream/io/journal.ts'
import { StreamPayer } from '../../../src/photon/stream/payer/index.ts'
import type { MachineStep } from '../../../src/photon/stream/payer/index.ts'
import { ledgerMigrations } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { streamSigner } from '../../../src/web/stream/index.ts'
import { OPCODE } from '../../../src/base/websocket.ts'
import { seededRandom } from '../../support/fakes.ts'
import { fastFolder, guest, settle, startBox, type TestBox } from '../../support/hotspot-box.ts'
import { ScriptedNeighbours } from '../../support/portal-app.ts'
import { SocketClient, clientFrame } from '../../support/websocket-client.ts'
import { DOMAIN, PaperSide, TOKEN } from './paper-side.ts'

const ANNA = streamSigner(new Uint8Array(32).fill(7))
const phone = guest(1)
const PER_MINUTE = 60_000n
const UNIT = 1000n

const HOTSPOT = { portalHost: 'wifi.example', portalAddress: '127.0.0.1', portalPort: 0, gate: 'nft' } as const

let folder: string
let store: Store
let box: TestBox
let side: PaperSide
let streams: GuestStreams
let server: PortalServer
let neighbours: ScriptedNeighbours
/** By a program: what runs goes on with nothing. */
let isStopped = false
const clients: SocketClient[] = []

beforeEach(async () => {
  isStopped = false
  folder = fastFolder()
  store = openStore({ path: join(folder, 'box.db'), migrations: [...ledgerMigrations, ...hotspotMigrations, ...streamMigrations], log: silentLog })
  side = new PaperSide()
  side.confirm(10_000_000n)
  await begin(await startBox({ folder, store, changes: { hotspot: HOTSPOT } }))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await end()
  await box.dispose()
})

async function begin(started: TestBox): Promise<void> {
  box = started
  box.config = { ...box.config, photon: { ...box.config.photon, streamToken: TOKEN, streamPricePerMinute: PER_MINUTE } }
  neighbours = new ScriptedNeighbours()
  neighbours.mac = () => phone.mac
  streams = new GuestStreams({
    config: () => box.config,
    hotspot: box.hotspot,
    channels: () => (isStopped ? { ...side.photon, streams: () => null } : side.photon),
    keccak: keccak_256,
    store: box.store,
    journalPath: join(folder, 'streams'),
    clock: box.time,
    timers: box.time,
    randomness: seededRandom(3),
    log: silentLog,
  })
  streams.start()
  server = new PortalServer({
    desk: box.hotspot.guests,
    neighbours,
    config: () => box.config,
    clock: box.time,
    timers: box.time,
    randomness: seededRandom(5),
    log: silentLog,
    script: '',
    walletScript: '/* a wallet */',
    stream: () => streams.door(),
  })
  await server.start()
}
async function end(): Promise<void> {
  await server.stop()
  await streams.stop()
}
const host = (): string => `wifi.example:${server.ports.http}`
const url = (path: string): string => `http://127.0.0.1:${server.ports.http}${path}`
function knock(headers: Readonly<Record<string, string>> = {}, path?: string): SocketClient {
  const client = new SocketClient(server.ports.http ?? 0, { Host: host(), Origin: `http://${host()}`, ...headers }, path)
  clients.push(client)
  return client
}
const until = (what: () => boolean): Promise<unknown> => vi.waitFor(() => expect(what()).toBe(true), { timeout: 5000, interval: 2 })
async function opened(headers?: Readonly<Record<string, string>>): Promise<SocketClient> {
  const client = knock(headers)
  await until(() => client.head !== '')
  expect(client.status).toBe(101)
  return client
}
function newPayer(): StreamPayer {
  return new StreamPayer(
    { payer: ANNA.address, payee: side.self, contract: DOMAIN, token: TOKEN, master: ANNA.master, counter: 1n << 64n, known: 0n, limits: { unit: UNIT, total: 10_000_000n } },
    ANNA,
  )
}

/** A page: the payer on a socket, or on questions by POST; time is the box's. */
class Page {
  readonly payer = newPayer()
  readonly #say: (frames: Uint8Array) => Promise<readonly Uint8Array[]>
  #wakeAtMs = Number.POSITIVE_INFINITY

  constructor(say: (frames: Uint8Array) => Promise<readonly Uint8Array[]>) {
    this.#say = say
  }
  async take({ send, wakeAtMs }: MachineStep): Promise<void> {
    if (wakeAtMs !== null) this.#wakeAtMs = wakeAtMs
    for (const frames of send) for (const answer of await this.#say(frames)) await this.hear(answer)
  }
  hear(frames: Uint8Array): Promise<void> {
    return this.take(this.payer.receive(frames, box.time.boottimeMs()))
  }
  async seconds(count: number): Promise<void> {
    for (let half = 0; half < count * 2; half++) {
      await box.advance(500)
      if (box.time.boottimeMs() >= this.#wakeAtMs) await this.take(this.payer.wake(box.time.boottimeMs()))
      await this.poll()
      await settle()
    }
  }
  async poll(): Promise<void> {
    for (const answer of await this.#say(new Uint8Array())) await this.hear(answer)
  }
}
/** What is sent is answered by what has come until the box has read all of it: a ping at its end says so. */
function overSocket(client: SocketClient): Page {
  let pongs = 0
  return new Page(async (frames) => {
    if (frames.length > 0) client.send(clientFrame(OPCODE.binary, frames))
    client.send(clientFrame(OPCODE.ping, Uint8Array.of(1)))
    pongs++
    await until(() => client.pongs >= pongs)
    await settle()
    return client.messages.splice(0)
  })
}
const post = (body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(url('/stream'), { method: 'POST', body: body as Uint8Array<ArrayBuffer>, headers: { 'Content-Type': 'application/octet-stream', ...headers } })
const overPost = (): Page =>
  new Page(async (frames) => {
    const asked = post(frames)
    // Time stands while the box answers: what it waits for must not need any.
    const answer = new Uint8Array(await (await asked).arrayBuffer())
    return answer.length === 0 ? [] : [answer]
  })
const earnedInLedger = (): bigint => box.store.read((tx) => box.ledger.balance(tx, `channel:${side.channelOf(ANNA.address)}`, 'MBX'))
const isOnline = (): boolean => box.kernel.isOpen(phone.mac)

describe.each(['WebSocket', 'POST'])('by %s a guest', (way) => {
  it('goes online, pays for two minutes to the unit, and is offline when he stops', async () => {
    const page = way === 'POST' ? overPost() : overSocket(await opened())
    await page.take(page.payer.start(box.time.boottimeMs()))
    await page.seconds(60)
    expect(isOnline()).toBe(true)
    expect(box.hotspot.guests.view(phone).session).toMatchObject({ source: 'stream', state: 'active', label: 'Paid by the second' })
    await page.seconds(60)
    await page.take(page.payer.stop(box.time.boottimeMs()))
    await page.seconds(3)
    expect(page.payer.view.end).toEqual({ why: 'stopped', code: 0 })
    expect(isOnline()).toBe(false)
    const { spent } = page.payer.view
    expect(spent).toBeGreaterThanOrEqual(118n * UNIT)
    expect(spent).toBeLessThanOrEqual(122n * UNIT)
    expect(earnedInLedger()).toBe(spent)
    expect(await (await fetch(url(`/stream/${ANNA.address}.json`))).json()).toEqual({ hasChannel: true, spendable: (10_000_000n - spent).toString(), pending: '0', isChainReachable: true })
  })
})

describe('a slip that waits behind what is paid by the second', () => {
  it('lets nobody else surf at the payer’s cost; when he stops it is shared as ever', async () => {
    const page = overPost()
    await page.take(page.payer.start(box.time.boottimeMs()))
    await page.seconds(5)
    const { code } = await box.voucher('half-hour')
    await box.hotspot.guests.redeem(phone, code)
    await page.seconds(5)
    const other = guest(2)
    await expect(box.hotspot.guests.redeem(other, code)).rejects.toMatchObject({ code: 'voucher-used' })
    await page.seconds(5)
    expect([isOnline(), box.kernel.isOpen(other.mac)]).toEqual([true, false])
    // His own device may type it again.
    await box.hotspot.guests.redeem(phone, code)
    await page.take(page.payer.stop(box.time.boottimeMs()))
    await page.seconds(3)
    expect(isOnline()).toBe(true)
    await box.hotspot.guests.redeem(other, code)
    expect(box.kernel.isOpen(other.mac)).toBe(true)
  })
})

describe('a program stops all payments', () => {
  it('the page is told that nothing is sold so, and the guest is offline when what he paid is used', async () => {
    const page = overPost()
    await page.take(page.payer.start(box.time.boottimeMs()))
    await page.seconds(20)
    isStopped = true
    expect((await post(new Uint8Array())).status).toBe(404)
    expect(await (await fetch(url('/wallet'))).text()).not.toContain('id="pay"')
    expect(isOnline()).toBe(true)
    await box.advance(120_000)
    expect(isOnline()).toBe(false)
    // Booked when it is clear that the page does not come back.
    await box.advance(700_000)
    expect(earnedInLedger()).toBeGreaterThanOrEqual(20n * UNIT)
    expect(earnedInLedger()).toBeLessThanOrEqual(40n * UNIT)
  })
})

describe('the service is stopped in mid-stream', () => {
  it('and started again: the page goes on and all agree', async () => {
    const page = overPost()
    await page.take(page.payer.start(box.time.boottimeMs()))
    await page.seconds(30)
    await end()
    await box.hotspot.stop()
    await begin(await startBox({ folder, store, time: box.time, kernel: box.kernel, changes: { hotspot: HOTSPOT } }))
    await page.seconds(30)
    expect(isOnline()).toBe(true)
    await page.take(page.payer.stop(box.time.boottimeMs()))
    await page.seconds(3)
    expect(page.payer.view.end).toEqual({ why: 'stopped', code: 0 })
    expect(earnedInLedger()).toBe(page.payer.view.spent)
    expect(page.payer.view.spent).toBeGreaterThanOrEqual(55n * UNIT)
  })
})

describe('a journal that cannot be written', () => {
  it('keeps minutes from being sold by the second, and nobody else from anything', async () => {
    await end()
    const said: string[] = []
    const log = { ...silentLog, error: (message: string) => void said.push(message), room: () => log }
    streams = new GuestStreams({ config: () => box.config, hotspot: box.hotspot, channels: () => side.photon, keccak: keccak_256, store, journalPath: join(folder, 'box.db', 'streams'), clock: box.time, timers: box.time, randomness: seededRandom(3), log })
    streams.start()
    await box.advance(5000)
    expect(streams.door()).toBeNull()
    expect(said).toEqual(['minutes cannot be sold by the second; trying again'])
    await box.hotspot.guests.redeem(phone, (await box.voucher('half-hour')).code)
    expect(isOnline()).toBe(true)
  })
})

describe('the door', () => {
  it.each<[string, number, Record<string, string>]>([
    ['a page of somebody else', 403, { Origin: 'http://evil.example' }],
    ['a page without an address', 403, { Origin: 'null' }],
    ['our page under another port', 403, { Origin: 'http://wifi.example' }],
    ['another host', 302, { Host: 'evil.example', Origin: 'http://evil.example' }],
    ['no WebSocket', 405, { Upgrade: 'h2c' }],
    ['an old version', 405, { 'Sec-WebSocket-Version': '8' }],
    ['no key', 405, { 'Sec-WebSocket-Key': '' }],
  ])('is shut to %s', async (_name, status, headers) => {
    const client = knock(headers)
    await until(() => client.isClosed)
    expect(client.status).toBe(status)
    expect(client.messages).toEqual([])
  })
  it('answers any other wish for another protocol as if it had not been said', async () => {
    const client = knock({ Upgrade: 'h2c' }, '/')
    await until(() => client.isClosed)
    expect(client.status).toBe(200)
    const captured = knock({ Upgrade: 'h2c', Host: 'detectportal.example' }, '/canonical.html')
    await until(() => captured.isClosed)
    expect(captured.status).toBe(302)
  })
  it('is shut to devices nobody knows, and not there when nothing is sold by the second', async () => {
    neighbours.mac = () => null
    const unknown = knock()
    await until(() => unknown.isClosed)
    expect(unknown.status).toBe(503)
    expect((await post(new Uint8Array())).status).toBe(503)
    neighbours.mac = () => phone.mac
    box.config = { ...box.config, photon: { ...box.config.photon, streamToken: null } }
    const shut = knock()
    await until(() => shut.isClosed)
    expect(shut.status).toBe(404)
    expect((await post(new Uint8Array())).status).toBe(404)
    expect((await fetch(url(`/stream/${ANNA.address}.json`))).status).toBe(404)
    expect(await (await fetch(url('/wallet'))).text()).not.toContain('id="pay"')
  })
  it('refuses POSTs of other pages, other types, and too much', async () => {
    expect((await post(new Uint8Array(), { Origin: 'http://evil.example' })).status).toBe(403)
    expect((await post(new Uint8Array(), { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect((await post(new Uint8Array(16_385))).status).toBe(413)
    expect((await fetch(url('/stream'))).status).toBe(405)
  })
  it('closes what sends too much, what is no WebSocket, and the oldest of a device’s many', async () => {
    const flood = await opened()
    for (let message = 0; message < 200; message++) flood.send(clientFrame(OPCODE.binary, new Uint8Array(1)))
    await until(() => flood.isClosed)
    expect(flood.closeCode).toBe(1008)
    await box.advance(60_000)
    const large = await opened()
    large.send(Uint8Array.of(0x82, 0x80 | 126, 0x40, 0x01))
    await until(() => large.isClosed)
    expect(large.closeCode).toBe(1009)
    const many: SocketClient[] = []
    for (let socket = 0; socket < 4; socket++) many.push(await opened())
    await until(() => many[0]?.isClosed === true)
    expect(many.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false])
  })
  it('asks those who say nothing, closes those who do not answer, and all when it stops', async () => {
    const silent = await opened()
    await box.advance(20_000)
    await until(() => silent.pings === 1)
    await box.advance(60_000)
    await until(() => silent.isClosed)
    const other = await opened()
    await server.stop()
    await until(() => other.isClosed)
    expect(other.closeCode).toBe(1001)
  })
  it('sells under the policy that the page needs, and shows what it costs', async () => {
    const answer = await fetch(url('/wallet'), { headers: { Host: host() } })
    expect(answer.headers.get('content-security-policy')).toContain("connect-src 'self'")
    const body = await answer.text()
    expect(body).toContain('0.06\u00a0MBX')
    expect(body).toContain('id="pay-start"')
    // An hour's price, for the page came by plain HTTP.
    expect(body).toContain('&quot;cap&quot;:&quot;3600000&quot;')
  })
})
