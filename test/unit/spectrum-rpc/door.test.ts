/** The HTTP door over loopback: who gets in, what comes back when the request is none, and ethers as a client. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { FetchRequest, JsonRpcProvider, Network, isError } from 'ethers'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Transaction } from '../../../src/spectrum/index.ts'
import { callerKey, isAllowedOrigin, isEverywhere, isOwnHost } from '../../../src/spectrum/rpc/door.ts'
import { GUEST_POLICY, OWNER_POLICY, Rpc } from '../../../src/spectrum/rpc/index.ts'
import type { RpcPolicy } from '../../../src/spectrum/rpc/index.ts'
import { RpcServer } from '../../../src/spectrum/rpc/io/index.ts'
import type { RpcServerOptions } from '../../../src/spectrum/rpc/io/index.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_SIGNER, devnetBlock } from '../spectrum/devnet.ts'
import { createWorld } from './memory-chain.ts'
import type { World } from './memory-chain.ts'

const PAGE = 'http://192.168.1.1:8080'
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

interface Open {
  readonly world: World
  readonly url: string
  readonly port: number
}

async function open(policy: Partial<RpcPolicy> = {}, options: Partial<RpcServerOptions> = {}, head = 30): Promise<Open> {
  const world = createWorld(head)
  const rpc = new Rpc(world.ports, { ...OWNER_POLICY, ...policy })
  const server = new RpcServer({ rpc, address: '127.0.0.1', port: 0, names: { hosts: ['192.168.1.1', 'box.lan'], origins: [PAGE], allowsExtensions: true }, admits: () => true, log: silentLog, ...options })
  const { port } = await server.start()
  stops.push(async () => {
    await server.stop()
    rpc.close()
  })
  return { world, port, url: `http://127.0.0.1:${port}` }
}

interface Sent {
  readonly id: number
  readonly method: string
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Raw, because browsers' and clients' libraries do not let one set Host and Origin. */
function http(port: number, { method = 'POST', path = '/', headers = {}, body }: { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => void (text += chunk.toString()))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'

describe('names', () => {
  const names = { hosts: ['192.168.1.1', 'Box.lan', 'fe80::1'], origins: [PAGE], allowsExtensions: true }
  it.each([
    ['192.168.1.1:8545', true],
    ['box.LAN', true],
    ['box.lan.:80', true],
    ['localhost:1', true],
    ['[::1]:8545', true],
    ['[fe80::1]', true],
    ['evil.example', false],
    ['box.lan.evil.example', false],
    ['evil.example/box.lan', false],
    ['', false],
    [undefined, false],
    ['a'.repeat(300), false],
  ])('host %s: %s', (host, isOurs) => {
    expect(isOwnHost(names, host)).toBe(isOurs)
  })

  it.each([
    [undefined, true],
    [PAGE, true],
    ['chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn', true],
    ['moz-extension://5f2a1b0c-1111-2222-3333-444455556666', true],
    ['http://192.168.1.1', false],
    ['https://evil.example', false],
    ['null', false],
    ['chrome-extension://x/../http://evil', false],
  ])('origin %s: %s', (origin, isAllowed) => {
    expect(isAllowedOrigin(names, origin)).toBe(isAllowed)
  })

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['fd12:3456:789a:1::7', 'fd12:3456:789a:1::/64'],
    ['fd12:3456:789A:1:ffff:1:2:3', 'fd12:3456:789a:1::/64'],
    ['fe80::1%br-lan', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('%s is limited as %s', (address, key) => {
    expect(callerKey(address)).toBe(key)
  })

  it('extensions can be kept out too', () => {
    expect(isAllowedOrigin({ ...names, allowsExtensions: false }, 'chrome-extension://abc')).toBe(false)
  })

  it.each(['0.0.0.0', '0', '0.0', '::', '[::]', '::ffff:0.0.0.0', '0:0:0:0:0:0:0:0', ''])('%j is no address to listen on', (address) => {
    expect(isEverywhere(address)).toBe(true)
    const { ports } = createWorld()
    expect(() => new RpcServer({ rpc: new Rpc(ports, OWNER_POLICY), address, port: 0, names, admits: () => true, log: silentLog })).toThrow(/address/)
  })

  it('10.0.0.1, ::1 and fe80::1 are', () => {
    for (const address of ['10.0.0.1', '127.0.0.1', '::1', 'fe80::1', '100.0.0.0']) expect(isEverywhere(address)).toBe(false)
  })
})

describe('the door', () => {
  it('answers a program', async () => {
    const { port } = await open()
    const answer = await http(port, { body: CHAIN_ID })
    expect([answer.status, answer.text, answer.headers['content-type'], answer.headers['access-control-allow-origin']]).toEqual([200, '{"jsonrpc":"2.0","id":1,"result":"0x4"}', 'application/json; charset=utf-8', undefined])
  })

  it('answers its own page, with CORS for it alone', async () => {
    const { port } = await open()
    const before = await http(port, { method: 'OPTIONS', headers: { origin: PAGE, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type', 'access-control-request-private-network': 'true' } })
    expect([before.status, before.headers['access-control-allow-origin'], before.headers['access-control-allow-headers'], before.headers['access-control-allow-private-network'], before.headers['vary']]).toEqual([204, PAGE, 'content-type', 'true', 'Origin'])
    const answer = await http(port, { headers: { origin: PAGE }, body: CHAIN_ID })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, PAGE])
  })

  it.each([
    ['another site’s page', { origin: 'https://evil.example' }],
    ['its preflight', { origin: 'https://evil.example', 'x-method': 'OPTIONS' }],
    ['a name that was pointed here', { host: 'evil.example' }],
    ['a page without an origin', { origin: 'null' }],
  ])('turns away %s', async (_who, headers) => {
    const { port, world } = await open()
    const { 'x-method': method = 'POST', ...sent } = headers as Record<string, string>
    const answer = await http(port, { method, headers: sent, ...(method === 'POST' ? { body: '{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x"]}' } : {}) })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined])
    expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } })
    expect(world.pool.taken.size).toBe(0)
  })

  it('turns away networks that may not use it', async () => {
    const { port } = await open({}, { admits: (address) => address !== '127.0.0.1' })
    expect((await http(port, { body: CHAIN_ID })).status).toBe(403)
  })

  it('is not taken up by one who opens all the connections he can', async () => {
    const { port } = await open()
    let ended = 0
    const silent = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' }).on('error', () => undefined).on('close', () => ended++))
    try {
      while (ended < 168) await new Promise((later) => setTimeout(later, 5))
      expect((await http(port, { body: CHAIN_ID })).status).toBe(200)
      expect(ended).toBe(168)
    } finally {
      for (const socket of silent) socket.destroy()
    }
  })

  it.each([
    ['GET', { method: 'GET' }, 405],
    ['PUT', { method: 'PUT', body: CHAIN_ID }, 405],
    ['another path', { path: '/rpc', body: CHAIN_ID }, 404],
    ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: CHAIN_ID }, 415],
    ['plain text', { headers: { 'content-type': 'text/plain' }, body: CHAIN_ID }, 415],
    ['too large a body', { body: `"${'a'.repeat(512 * 1024)}"` }, 413],
    ['large headers', { headers: { 'x-large': 'a'.repeat(9000) }, body: CHAIN_ID }, 431],
  ])('says what is wrong with %s', async (_what, sent, status) => {
    const { port } = await open()
    expect((await http(port, sent)).status).toBe(status)
  })

  it('gives 204 for notifications, 200 for errors, 429 with the wait for too many', async () => {
    const { port } = await open({ rate: { burst: 4, perSecond: 0.25 } })
    expect((await http(port, { body: '{"jsonrpc":"2.0","method":"eth_chainId"}' })).status).toBe(204)
    const bad = await http(port, { body: '{' })
    expect([bad.status, (JSON.parse(bad.text) as { error: { code: number } }).error.code]).toEqual([200, -32700])
    for (const _time of [1, 2]) expect((await http(port, { body: CHAIN_ID })).status).toBe(200)
    const late = await http(port, { body: CHAIN_ID })
    expect([late.status, late.headers['retry-after']]).toEqual([429, '4'])
    expect(JSON.parse(late.text)).toMatchObject({ id: 1, error: { code: -32005 } })
  })

  it('survives half requests and bytes that are no HTTP', async () => {
    const { port } = await open()
    for (const bytes of ['\0\0\0\0', 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{', 'GET / HTTP/9.9\r\n\r\n'])
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => socket.destroy()))
        socket.on('close', () => resolve())
        socket.on('error', () => resolve())
      })
    expect((await http(port, { body: CHAIN_ID })).status).toBe(200)
  })
})

function transactionOf(number: number): Transaction {
  const transaction = devnetBlock(number).body.transactions[1]
  if (transaction === undefined) throw new Error('the vectors are not what this test thinks')
  return transaction
}

describe('ethers', () => {
  const provider = (url: string, batchMaxCount?: number): JsonRpcProvider => {
    const fetching = new FetchRequest(url)
    const made = new JsonRpcProvider(fetching, Network.from(4), { staticNetwork: true, pollingInterval: 50, ...(batchMaxCount === undefined ? {} : { batchMaxCount }) })
    stops.unshift(async () => made.destroy())
    return made
  }

  it('finds out where it is', async () => {
    const { url } = await open()
    const made = new JsonRpcProvider(url)
    stops.unshift(async () => made.destroy())
    expect((await made.getNetwork()).chainId).toBe(4n)
    expect(await made.getBlockNumber()).toBe(30)
  })

  it.each([['owner', OWNER_POLICY], ['guest', GUEST_POLICY]] as const)('reads blocks, money, code, receipts and logs; falls back to the old gas price (%s)', async (name, policy) => {
    const { url } = await open({ ...policy, rate: OWNER_POLICY.rate })
    const eth = provider(url, name === 'guest' ? 1 : 20)
    const block = await eth.getBlock(11, true)
    expect([block?.hash, block?.prefetchedTransactions.length, block?.baseFeePerGas]).toEqual([devnetBlock(11).hash, 2, null])
    expect(await eth.getBalance('0xbf1736a65f8beadd71b321be585fd883503fdeaa', 0)).toBe(5n * 10n ** 27n)
    expect(await eth.getTransactionCount(DEVNET_SIGNER)).toBeGreaterThan(20)
    const fees = await eth.getFeeData()
    expect([fees.gasPrice, fees.maxFeePerGas, fees.maxPriorityFeePerGas]).toEqual([18_000_000_000n, null, null])
    const sent = transactionOf(11)
    const hash = hashTransaction(native, sent)
    const receipt = await eth.getTransactionReceipt(hash)
    expect([receipt?.status, receipt?.gasUsed, receipt?.logs.length, receipt?.blockNumber]).toEqual([1, 124_603n, 1, 11])
    // ethers computes hash and sender from the fields again when it reads a signed transaction.
    const transaction = await eth.getTransaction(hash)
    expect([transaction?.hash, transaction?.chainId, transaction?.type]).toEqual([hash, 4n, 0])
    expect((await eth.getLogs({ fromBlock: 0, toBlock: 30, address: sent.to ?? '' })).map((log) => log.blockNumber)).toEqual([11, 12])
    if (name === 'owner') {
      expect((await eth.getCode(sent.to ?? '')).length).toBeGreaterThan(10)
      expect(BigInt(await eth.getStorage(sent.to ?? '', 0))).toBeTypeOf('bigint')
    }
  })

  it('knows our refusals by their words', async () => {
    const { url, world } = await open()
    const eth = provider(url)
    const raw = hexOf(encodeTransaction(transactionOf(9)))
    for (const [code, name] of [['insufficient-funds', 'INSUFFICIENT_FUNDS'], ['nonce-too-low', 'NONCE_EXPIRED'], ['replacement-underpriced', 'REPLACEMENT_UNDERPRICED']] as const) {
      world.pool.refusal = code
      const thrown = await eth.broadcastTransaction(raw).catch((error: unknown) => error)
      expect([code, isError(thrown, name)]).toEqual([code, true])
    }
    world.executor.result = { status: 'reverted', output: new Uint8Array(Buffer.from(`08c379a0${'20'.padStart(64, '0')}${'02'.padStart(64, '0')}${'6e6f'.padEnd(64, '0')}`, 'hex')), gasUsed: 0n, reason: null }
    const thrown = await eth.call({ to: DEVNET_SIGNER }).catch((error: unknown) => error)
    expect(isError(thrown, 'CALL_EXCEPTION') && thrown.reason).toBe('no')
  })

  it('hears of new blocks and logs by polling filters', async () => {
    const { url, world } = await open({}, {}, 10)
    const eth = provider(url)
    const installed = new Promise<void>((resolve) => {
      const ids = new Set<number>()
      void eth.on('debug', ({ action, payload, result }: { action: string; payload?: Sent | Sent[]; result?: { id: number }[] }) => {
        for (const one of [payload ?? []].flat()) if (action === 'sendRpcPayload' && one.method === 'eth_newFilter') ids.add(one.id)
        if (action === 'receiveRpcResult' && result?.some((one) => ids.has(one.id)) === true) resolve()
      })
    })
    const logs = new Promise<number>((resolve) => void eth.on({ address: devnetBlock(11).receipts[1]?.logs[0]?.address ?? '' }, (log: { blockNumber: number }) => resolve(log.blockNumber)))
    const blocks = new Promise<number>((resolve) => void eth.on('block', (number: number) => number > 10 && resolve(number)))
    await installed
    world.chain.moveTo(11)
    expect(await blocks).toBe(11)
    const hash = hashTransaction(native, transactionOf(12))
    const mined = eth.waitForTransaction(hash, 1)
    world.chain.moveTo(12)
    expect((await mined)?.blockNumber).toBe(12)
    expect(await logs).toBe(11)
  })
})
