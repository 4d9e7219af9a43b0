/** The chain as guests may ask it: through the real portal, of a whole community chain, within the guests' limits. */
import { Contract, JsonRpcProvider, Network as EthersNetwork, Wallet, parseEther } from 'ethers'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { toHex } from '../../../src/base/index.ts'
import { METHODS } from '../../../src/spectrum/rpc/methods.ts'
import { GUEST_METHODS } from '../../../src/spectrum/rpc/policy.ts'
import type { GuestRpc } from '../../../src/hotspot/portal/index.ts'
import { GUEST_MAC, STATES, startPortalApp } from '../../support/portal-app.ts'
import type { PortalApp } from '../../support/portal-app.ts'
import { CHAIN_ID, OWNER, TOKEN, openVillage } from '../spectrum-rpc/open-village.ts'
import { person } from '../spectrum/village.ts'
import { ask } from './ask.ts'
import type { Question, Reply } from './ask.ts'

const BEN = person(22).address
const JSON_TYPE = { 'Content-Type': 'application/json' }
let app: PortalApp
afterEach(() => app.stop())

const online = (): void => void (app.desk.shown = STATES['online'] ?? app.desk.shown)
const call = (method: string, ...params: unknown[]): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const rpc = (body: string, question: Question = {}): Promise<Reply> => ask(app, { method: 'POST', path: '/rpc', body, ...question, headers: { ...JSON_TYPE, ...question.headers } })
const answers: GuestRpc = { answer: async () => ({ text: '{"jsonrpc":"2.0","id":1,"result":"0x1"}', retryAfterSeconds: null }) }

async function besideTheChain(given: GuestRpc | null = answers): Promise<void> {
  app = await startPortalApp({ rpc: () => given })
  online()
}

describe('a guest who is online', () => {
  it('sends a token transfer with ethers, and sees it sealed', async () => {
    const { guests, box } = await openVillage()
    app = await startPortalApp({ rpc: () => guests, hotspot: { gate: 'record' } })
    online()
    const clock = setInterval(() => app.time.advance(100), 5)
    onTestFinished(() => clearInterval(clock))
    const provider = new JsonRpcProvider(`${app.origin}/rpc`, EthersNetwork.from(CHAIN_ID), { staticNetwork: true, pollingInterval: 100, cacheTimeout: -1 })
    onTestFinished(() => provider.destroy())
    const token = new Contract(TOKEN, ['function transfer(address to, uint256 amount) returns (bool)', 'function balanceOf(address) view returns (uint256)'], new Wallet(`0x${toHex(OWNER.key)}`, provider))
    const sent = await token.getFunction('transfer').send(BEN, parseEther('5'))
    expect((await sent.wait())?.status).toBe(1)
    expect(await token.getFunction('balanceOf')(BEN)).toBe(parseEther('5'))
    expect(box.chain.transaction(sent.hash as `0x${string}`)).not.toBeNull()
  })

  it('reaches no method but the guests\' few, and not the limits of others', async () => {
    const { guests, standStill } = await openVillage()
    app = await startPortalApp({ rpc: () => guests })
    online()
    let asked = 0
    for (const method of METHODS.keys()) {
      if (GUEST_METHODS.has(method)) continue
      // Another device each time: this is not about the rate.
      app.neighbours.mac = () => `02:00:00:00:01:${(asked % 200).toString(16).padStart(2, '0')}`
      asked++
      expect([method, JSON.parse((await rpc(call(method))).body) as unknown]).toEqual([method, { jsonrpc: '2.0', id: 1, error: { code: -32601, message: expect.stringContaining('not available here') as string } }])
    }
    expect(asked).toBeGreaterThan(20)
    app.neighbours.mac = () => GUEST_MAC
    const batch = await rpc(`[${Array.from({ length: 11 }, () => call('eth_chainId')).join()}]`)
    expect(JSON.parse(batch.body)).toMatchObject({ error: { code: -32600 } })
    standStill()
    const statuses: number[] = []
    while (statuses.length < 60) statuses.push((await rpc(call('eth_chainId'))).status)
    expect(statuses.slice(0, 35)).toEqual(Array.from({ length: 35 }, () => 200))
    expect(statuses.at(-1)).toBe(429)
    const late = await rpc(call('eth_chainId'))
    expect([late.status, Number(late.headers['retry-after'])]).toEqual([429, 1])
    // Its own limit; the other guest asks on.
    app.neighbours.mac = () => '02:00:00:00:00:99'
    expect((await rpc(call('eth_chainId'))).status).toBe(200)
  })

  it('gets nothing for a notification', async () => {
    await besideTheChain({ answer: async () => ({ text: null, retryAfterSeconds: null }) })
    expect(await rpc('{"jsonrpc":"2.0","method":"eth_chainId"}')).toMatchObject({ status: 204, body: '' })
  })
})

describe('the door', () => {
  it.each(Object.keys(STATES).filter((name) => !name.startsWith('online')))('is shut to a device that is "%s"', async (state) => {
    await besideTheChain()
    app.desk.shown = STATES[state] ?? app.desk.shown
    const reply = await rpc(call('eth_chainId'))
    expect([reply.status, JSON.parse(reply.body) as unknown]).toEqual([403, { jsonrpc: '2.0', id: null, error: { code: -32000, message: expect.stringContaining('no session') as string } }])
  })

  it('is shut to a device that nobody knows', async () => {
    await besideTheChain()
    app.neighbours.mac = () => null
    expect((await rpc(call('eth_chainId'))).status).toBe(503)
  })

  it('is not there without a chain, or where its owner keeps it from guests', async () => {
    await besideTheChain(null)
    expect((await rpc(call('eth_chainId'))).status).toBe(404)
    expect((await ask(app, { path: '/rpc' })).status).toBe(404)
  })

  it('takes POST with JSON of 64 KiB at most, and nothing else', async () => {
    await besideTheChain()
    for (const method of ['GET', 'PUT', 'DELETE']) expect([method, await ask(app, { method, path: '/rpc' })]).toEqual([method, expect.objectContaining({ status: 405, headers: expect.objectContaining({ allow: 'POST, OPTIONS' }) as unknown })])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) expect([type, (await rpc(call('eth_chainId'), { headers: { 'Content-Type': type } })).status]).toEqual([type, 415])
    expect((await rpc(call('eth_chainId'), { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } })).status).toBe(200)
    expect((await rpc('x'.repeat(64 * 1024))).status).toBe(200)
    expect((await rpc('x'.repeat(64 * 1024 + 1))).status).toBe(413)
    // What is JSON there is no form here, and the small bound of forms stays.
    expect((await ask(app, { method: 'POST', path: '/pause', body: '{}', headers: JSON_TYPE })).status).toBe(415)
    expect((await ask(app, { method: 'POST', path: '/pause', body: `code=${'x'.repeat(5000)}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status).toBe(413)
    expect(app.desk.verbs).toEqual([])
  })

  it('is no door for pages of other sites, and no way round by another name', async () => {
    await besideTheChain()
    for (const origin of ['https://evil.example', 'null', 'http://wifi.example.evil.example', 'chrome-extension://a/b']) {
      expect([origin, (await rpc(call('eth_chainId'), { headers: { Origin: origin } })).status]).toEqual([origin, 403])
      const preflight = await ask(app, { method: 'OPTIONS', path: '/rpc', headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } })
      expect([origin, preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([origin, 403, undefined])
    }
    const own = `http://wifi.example:${app.server.ports.http}`
    for (const origin of [own, 'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn', 'moz-extension://2c3e4a6f-1111-2222-3333-444455556666']) {
      const preflight = await ask(app, { method: 'OPTIONS', path: '/rpc', headers: { Origin: origin } })
      expect([preflight.status, preflight.headers['access-control-allow-origin'], preflight.headers['access-control-allow-headers']]).toEqual([204, origin, 'content-type'])
      const reply = await rpc(call('eth_chainId'), { headers: { Origin: origin } })
      expect([reply.status, reply.headers['access-control-allow-origin'], reply.headers['vary']]).toEqual([200, origin, 'Origin'])
    }
    // A name that somebody pointed here is captured like any other page.
    expect((await rpc(call('eth_chainId'), { host: 'rebound.example' })).body).not.toContain('0x1')
  })

  it('does not count as a form: a wallet asks more often than a person presses a button', async () => {
    await besideTheChain()
    for (let asked = 0; asked < 30; asked++) expect((await rpc(call('eth_chainId'))).status).toBe(200)
  })
})
