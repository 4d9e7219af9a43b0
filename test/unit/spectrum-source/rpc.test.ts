/** JSON-RPC servers on real sockets: honest ones, and ones that lie, cut short, are slow, or send without end. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Timers } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { DEVNET as NETWORK } from '../../../src/spectrum/network/networks.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Receipt, Transaction } from '../../../src/spectrum/index.ts'
import { NodeHttpDoor } from '../../../src/spectrum/source/io/http-door.ts'
import { forgetfulBans } from '../../../src/spectrum/source/bans.ts'
import { SourcePool } from '../../../src/spectrum/source/pool.ts'
import { MAX_RESPONSE_BYTES, RpcClient } from '../../../src/spectrum/source/rpc/rpc-client.ts'
import { headerOfJson } from '../../../src/spectrum/source/rpc/rpc-json.ts'
import { RpcNode } from '../../../src/spectrum/source/rpc/rpc-node.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET } from '../spectrum/devnet.ts'
import type { DevnetBlock } from '../spectrum/devnet.ts'
import { Ears, MapServer, devnet, eventually, realClock } from './towns.ts'

type Params = readonly unknown[]
type Reply = (request: IncomingMessage, response: ServerResponse, body: string) => void

const servers: Server[] = []
const nodes: RpcNode[] = []
const doors: NodeHttpDoor[] = []
afterEach(async () => {
  for (const node of nodes.splice(0)) node.stop()
  for (const door of doors.splice(0)) door.close()
  await Promise.all(servers.splice(0).map((server) => new Promise<void>((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })))
})

const quantity = (value: bigint | number): string => `0x${value.toString(16)}`

/** A server like the original: the chief transaction is hidden from `transactions`. */
class Honest {
  height = 30
  hidesChief = true
  showsDebug = false
  /** Changes a block's JSON before it is sent. */
  twist: (json: Record<string, unknown>) => unknown = (json) => json
  readonly sent: string[] = []
  requests = 0
  /** Makes every block's JSON longer. */
  padding = ''

  readonly reply: Reply = (_, response, body) => {
    const asked: unknown = JSON.parse(body)
    this.requests++
    const answer = (call: { id: number; method: string; params: Params }): unknown => {
      const result = this.result(call.method, call.params)
      return result === undefined ? { jsonrpc: '2.0', id: call.id, error: { code: -32601, message: 'no such method' } } : { jsonrpc: '2.0', id: call.id, result }
    }
    response.end(JSON.stringify(Array.isArray(asked) ? asked.map(answer) : answer(asked as Parameters<typeof answer>[0])))
  }

  result(method: string, [first, second]: Params): unknown {
    if (method === 'eth_getBlockByNumber') return this.#block(DEVNET[first === 'latest' ? this.height : Number(first)], second === true)
    if (method === 'eth_getBlockByHash') return this.#block(DEVNET.find((block) => block.hash === first), second === true)
    if (method === 'eth_getRawTransactionByBlockHashAndIndex') {
      const transaction = DEVNET.find((block) => block.hash === first)?.body.transactions[Number(second)]
      return transaction === undefined ? null : hexOf(encodeTransaction(transaction))
    }
    if (method === 'eth_getTransactionReceipt') return this.#receipt(String(first))
    if (method === 'eth_sendRawTransaction') return this.sent.push(String(first))
    if (method === 'debug_getBlockRlp' && this.showsDebug) return Buffer.concat(blockRlp(devnet(Number(first)))).toString('hex')
    return undefined
  }

  #block(block: DevnetBlock | undefined, inFull: boolean): unknown {
    if (block === undefined || block.number > this.height) return null
    const { header } = block
    const shown = block.body.transactions.slice(this.hidesChief && block.number > 0 ? 1 : 0)
    return this.twist({
      hash: block.hash, parentHash: header.parentHash, sha3Uncles: header.uncleHash, miner: header.coinbase, stateRoot: header.stateRoot, transactionsRoot: header.transactionsRoot, receiptsRoot: header.receiptsRoot,
      logsBloom: hexOf(header.bloom), difficulty: quantity(header.difficulty), number: quantity(header.number), gasLimit: quantity(header.gasLimit), gasUsed: quantity(header.gasUsed), timestamp: quantity(header.timeSeconds),
      extraData: hexOf(header.extra), mixHash: header.mixDigest, nonce: header.nonce, totalDifficulty: quantity(block.totalDifficulty), uncles: [], padding: this.padding,
      transactions: shown.map((transaction) => (inFull ? transactionJson(transaction) : hashTransaction(native, transaction))),
    })
  }

  #receipt(hash: string): unknown {
    for (const block of DEVNET)
      for (const [index, transaction] of block.body.transactions.entries()) {
        const receipt = block.receipts[index]
        if (receipt !== undefined && hashTransaction(native, transaction) === hash) return receiptJson(receipt)
      }
    return null
  }
}

function transactionJson(transaction: Transaction): unknown {
  const { nonce, gasPriceWei, gas, to, valueWei, data, v, r, s } = transaction
  return { nonce: quantity(nonce), gasPrice: quantity(gasPriceWei), gas: quantity(gas), to, value: quantity(valueWei), input: hexOf(data), v: quantity(v), r: quantity(r), s: quantity(s) }
}

function receiptJson(receipt: Receipt): unknown {
  return {
    status: quantity(receipt.succeeded ? 1 : 0),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    logsBloom: hexOf(receipt.bloom),
    logs: receipt.logs.map(({ address, topics, data }) => ({ address, topics, data: hexOf(data) })),
  }
}

/** [header, transactions, uncles]. */
function blockRlp(block: DevnetBlock): Uint8Array[] {
  const body = block.bodyRlp
  const inner = body.subarray((body[0] ?? 0) <= 0xf7 ? 1 : (body[0] ?? 0) - 0xf6)
  const length = block.rlp.length + inner.length
  return [Uint8Array.of(0xf9, length >> 8, length & 0xff), block.rlp, inner]
}

async function serve(reply: Reply): Promise<string> {
  const server = createServer((request, response) => {
    const pieces: Uint8Array[] = []
    request.on('data', (piece: Uint8Array) => pieces.push(piece))
    request.on('end', () => reply(request, response, Buffer.concat(pieces).toString()))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`
}

function box(urls: readonly string[], timers: Timers = systemTimers) {
  const pool = new SourcePool({ keccak: native, clock: realClock, log: silentLog, bans: forgetfulBans, maxSources: 5 })
  const ears = new Ears()
  pool.on(ears)
  const node = new RpcNode({ pool, network: NETWORK, door: new NodeHttpDoor(), keccak: native, clock: realClock, timers, log: silentLog }, urls, 250)
  nodes.push(node)
  node.start()
  return { pool, ears, node }
}

async function source(honest: Honest) {
  const url = await serve(honest.reply)
  const place = box([url])
  await place.ears.until(() => place.ears.sources.length > 0)
  const [one] = place.ears.sources
  if (one === undefined) throw new Error('no source')
  return { ...place, source: one, url }
}

describe('an honest server', () => {
  it('gives its head, and tells when it changes', async () => {
    const honest = new Honest()
    honest.height = 20
    const { source: one, ears } = await source(honest)
    expect(one.id).toMatch(/^rpc:127\.0\.0\.1:\d+$/)
    expect(one.head()).toEqual({ hash: devnet(20).hash, number: 20, totalDifficulty: devnet(20).totalDifficulty })
    honest.height = 21
    await ears.until(() => ears.heads.includes(devnet(21).hash))
    expect(one.head()?.number).toBe(21)
  })

  it('gives headers by number and hash, as their bytes were', async () => {
    const { source: one } = await source(new Honest())
    expect(await one.headers(3, 20)).toEqual(DEVNET.slice(3, 23).map((block) => block.rlp))
    expect(await one.headers(devnet(28).hash, 10)).toEqual(DEVNET.slice(28).map((block) => block.rlp))
    expect(await one.headers(31, 3)).toEqual([])
    expect(await one.headers(`0x${'12'.repeat(32)}`, 3)).toEqual([])
    expect(await one.headers(1, 0)).toEqual([])
  })

  it.each([true, false])('gives bodies with the chief transaction (hidden: %s), receipts, and no nodes', async (hidesChief) => {
    const honest = new Honest()
    honest.hidesChief = hidesChief
    const { source: one } = await source(honest)
    const numbers = [1, 9, 14, 30]
    const hashes = numbers.map((number) => devnet(number).hash)
    expect(await one.bodies([...hashes, `0x${'ab'.repeat(32)}`])).toEqual([...numbers.map((number) => devnet(number).bodyRlp), null])
    expect(await one.receipts(hashes)).toEqual(new MapServer(30).receipts(hashes))
    expect(await one.nodes(hashes)).toEqual([])
  })

  it('whose blocks are too large together gives them one by one, and few questions make many bodies', async () => {
    const honest = new Honest()
    const { source: one } = await source(honest)
    const hashes = DEVNET.slice(1, 17).map((block) => block.hash)
    const before = honest.requests
    expect(await one.bodies(hashes)).toEqual(DEVNET.slice(1, 17).map((block) => block.bodyRlp))
    expect(honest.requests - before).toBeLessThanOrEqual(4) // a poll may come between
    honest.padding = 'x'.repeat(400_000)
    expect(await one.bodies(hashes.slice(0, 8))).toEqual(DEVNET.slice(1, 9).map((block) => block.bodyRlp))
  })

  it('that shows its debugging namespace gives bodies from there, where the transactions it lists are not whole', async () => {
    const honest = new Honest()
    honest.showsDebug = true
    const plain = honest.result.bind(honest)
    honest.result = (method, params) => (method === 'eth_getRawTransactionByBlockHashAndIndex' ? undefined : plain(method, params))
    const { source: one } = await source(honest)
    expect(await one.bodies([devnet(14).hash])).toEqual([devnet(14).bodyRlp])
    honest.showsDebug = false
    expect(await one.bodies([devnet(14).hash])).toEqual([null])
  })

  it('takes transactions', async () => {
    const honest = new Honest()
    const { source: one } = await source(honest)
    const transaction = encodeTransaction(devnet(7).body.transactions[0] as Transaction)
    one.sendTransactions([transaction])
    await eventually(() => honest.sent.length > 0)
    expect(honest.sent).toEqual([hexOf(transaction)])
  })

  it('of another chain is not used', async () => {
    const url = await serve(new Honest().reply)
    const pool = new SourcePool({ keccak: native, clock: realClock, log: silentLog, bans: forgetfulBans, maxSources: 5 })
    const said: string[] = []
    const log = { ...silentLog, debug: (_: string, fields?: Readonly<Record<string, unknown>>) => void said.push(String(fields?.['error'])) }
    const node = new RpcNode({ pool, network: { ...NETWORK, genesisHash: devnet(1).hash }, door: new NodeHttpDoor(), keccak: native, clock: realClock, timers: systemTimers, log }, [url], 250)
    nodes.push(node)
    node.start()
    await eventually(() => said.length > 0)
    expect(said[0]).toContain('another chain')
    expect(pool.list()).toEqual([])
  })

  it('that dies is a source no longer, and is one again when it is back', async () => {
    const honest = new Honest()
    let isDead = false
    const url = await serve((request, response, body) => (isDead ? request.socket.destroy() : honest.reply(request, response, body)))
    const { ears } = box([url], { ...systemTimers, after: (ms, run) => systemTimers.after(ms / 20, run) })
    await ears.until(() => ears.sources.length > 0)
    isDead = true
    await ears.until(() => ears.ended.length > 0)
    isDead = false
    await ears.until(() => ears.sources.length > 0)
  })
})

describe('a server that lies', () => {
  it.each<[string, (json: Record<string, unknown>) => unknown]>([
    ['about a field', (json) => ({ ...json, gasUsed: '0x5' })],
    ['about the hash', (json) => ({ ...json, hash: devnet(1).hash })],
    ['by another block', () => new Honest().result('eth_getBlockByNumber', ['0x2', true])],
    ['with a field of a wrong form', (json) => ({ ...json, timestamp: 12 })],
    ['with a missing field', ({ nonce: _, ...json }) => json],
    ['with an endless extra', (json) => ({ ...json, extraData: `0x${'00'.repeat(5000)}` })],
    ['with a text for a block', () => 'block'],
    ['with a list for a block', () => []],
  ])('%s is found out, closed and banned', async (_, twist) => {
    const honest = new Honest()
    const { source: one, pool, ears, url } = await source(honest)
    honest.twist = twist
    await expect(one.headers(9, 1)).rejects.toMatchObject({ code: 'source-lied' })
    await ears.until(() => ears.ended.length > 0)
    expect(pool.isBanned(url)).toBe(true)
  })

  it('about a body or receipts gives none', async () => {
    const honest = new Honest()
    const { source: one } = await source(honest)
    const plain = honest.result.bind(honest)
    honest.result = (method, params) => {
      if (method === 'eth_getRawTransactionByBlockHashAndIndex') return plain(method, [devnet(3).hash, '0x0'])
      if (method === 'eth_getTransactionReceipt') return { ...(plain(method, params) as object), status: '0x0' }
      return plain(method, params)
    }
    expect(await one.bodies([devnet(9).hash])).toEqual([null])
    expect(await one.receipts([devnet(9).hash])).toEqual([null])
  })

  it('by changing its chain between two questions gets only what follows handed on', async () => {
    const honest = new Honest()
    const { source: one } = await source(honest)
    let calls = 0
    const plain = honest.result.bind(honest)
    // The header is a real one, and says the number asked for; its parent is not the header before it.
    honest.result = (method, params) => {
      const result = plain(method, params)
      return method === 'eth_getBlockByNumber' && params[0] === quantity(12) && ++calls === 1 ? orphanJson(result as Record<string, unknown>) : result
    }
    expect(await one.headers(5, 20)).toEqual(DEVNET.slice(5, 12).map((block) => block.rlp))
  })
})

/** The same block with another parent, under its own right hash. */
function orphanJson(json: Record<string, unknown>): unknown {
  const orphan = { ...json, parentHash: `0x${'77'.repeat(32)}` }
  try {
    headerOfJson(native, orphan)
  } catch (thrown) {
    const right = /0x[0-9a-f]{64}, of/.exec(thrown instanceof Error ? thrown.message : '')?.[0]?.slice(0, 66)
    return { ...orphan, hash: right }
  }
  return orphan
}

describe('a server that misbehaves', () => {
  const { bytes: noise } = randomStream('rpc')
  const big = Buffer.alloc(1 << 20, 0x20)
  const ask = async (reply: Reply, timeoutMs = 5000): Promise<Uint8Array> => {
    const door = new NodeHttpDoor()
    doors.push(door)
    return door.post(await serve(reply), '{}', { maxBytes: 4 * 1024 * 1024, timeoutMs })
  }

  it('by 100 MB without a length is cut off', async () => {
    let sent = 0
    const answer = ask((_, response) => {
      const more = (): void => {
        while (sent < 100 && !response.destroyed) {
          sent++
          if (!response.write(big)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
    })
    await expect(answer).rejects.toThrow(/above 4194304 bytes/)
    expect(sent).toBeLessThan(50)
  })

  it('by announcing 100 MB is left before they come', async () => {
    await expect(ask((_, response) => response.writeHead(200, { 'content-length': 100 << 20 }).write(big))).rejects.toThrow(/answer of 104857600 bytes/)
  })

  it.each<[string, Reply, RegExp]>([
    ['an error status', (_, response) => void response.writeHead(500).end('{}'), /status 500/],
    ['a redirect', (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /status 302/],
    ['hanging up', (request) => void request.socket.destroy(), /the server gave/],
    ['an early end', (_, response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('{"jsonrpc"')
      setImmediate(() => response.socket?.destroy())
    }, /the server gave/],
    ['no HTTP', (request) => void request.socket.end(noise(300)), /the server gave/],
    ['endless headers', (request) => void request.socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(50_000)}`), /the server gave/],
  ])('by %s is unavailable', async (_, reply, reason) => {
    await expect(ask(reply)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringMatching(reason) as string })
  })

  it.each<[string, Reply]>([
    ['silence', () => undefined],
    ['a byte now and then', (_, response) => {
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    }],
  ])('by %s is given up in time', async (_, reply) => {
    await expect(ask(reply, 300)).rejects.toThrow(/no whole answer within 0.3 s/)
  })

  it.each<[string, string]>([
    ['no JSON', '{"jsonrpc":'],
    ['a control character', '\u0000'],
    ['another id', '{"jsonrpc":"2.0","id":99,"result":1}'],
    ['a list for one question', '[{"jsonrpc":"2.0","id":1,"result":1}]'],
    ['a number', '7'],
    ['nothing', ''],
    ['lists in lists without end', '['.repeat(1_000_000)],
    ['an error that is none', '{"jsonrpc":"2.0","id":1,"error":5}'],
  ])('by %s is found out', async (_, text) => {
    const door = new NodeHttpDoor()
    doors.push(door)
    const client = new RpcClient(door, await serve((__, response) => response.end(text)))
    await expect(client.call('eth_chainId')).rejects.toMatchObject({ code: 'source-lied' })
    // The next in the queue does not suffer from it.
    await expect(client.call('eth_chainId')).rejects.toMatchObject({ code: 'source-lied' })
  })

  it('does not make questions pile up', async () => {
    const door = new NodeHttpDoor()
    doors.push(door)
    const client = new RpcClient(door, await serve(() => undefined))
    const questions = Array.from({ length: 12 }, () => client.call('eth_chainId'))
    const last = await Promise.allSettled(questions.slice(8))
    expect(last.every((one) => one.status === 'rejected' && (one.reason as { code?: string }).code === 'source-busy')).toBe(true)
    for (const question of questions) question.catch(() => undefined)
    expect(MAX_RESPONSE_BYTES).toBe(2 * 1024 * 1024)
  })
})

describe('settings', () => {
  const parts = { pool: new SourcePool({ keccak: native, clock: realClock, log: silentLog, bans: forgetfulBans, maxSources: 5 }), network: NETWORK, door: new NodeHttpDoor(), keccak: native, clock: realClock, timers: systemTimers, log: silentLog }
  it.each(['ftp://x/', 'not a url', 'http://name:word@host/'])('%s is refused', (url) => {
    expect(() => new RpcNode(parts, [url], 1000)).toThrow(/rpc:/)
  })
  it('of too many servers or too quick a poll are refused', () => {
    expect(() => new RpcNode(parts, Array.from({ length: 9 }, (_, index) => `http://h${index}/`), 1000)).toThrow(/at most 8/)
    expect(() => new RpcNode(parts, [], 10)).toThrow(/pollMs/)
  })
})
