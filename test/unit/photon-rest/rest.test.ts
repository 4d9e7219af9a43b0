/** `/api/1` as the original answers it, every path, and `/api/2`; big numbers, errors, damaged requests, a real server. */
import Fastify from 'fastify'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { MeshBoxError, inputError } from '../../../src/base/index.ts'
import { createRest, serveRest } from '../../../src/photon/rest/index.ts'
import type { PhotonApi } from '../../../src/photon/rest/index.ts'
import { ROUTES } from '../../../src/photon/rest/rest.ts'
import { CHANNEL, HUGE, PARTNER, SECRET, SECRET_HASH, SELF, TOKEN, memoryNode } from './memory-node.ts'

const faults: unknown[] = []
const node = memoryNode()
const rest = createRest(node, (fault) => faults.push(fault))

interface Shown {
  readonly status: number
  readonly body: string
  readonly code: number
  readonly data: unknown
  readonly message: string
}

async function ask(method: string, path: string, body: string | object = '', of = rest): Promise<Shown> {
  const [bare = '', query = ''] = path.split('?')
  const answer = await of.answer({ method, path: bare, query: new Map(new URLSearchParams(query)), body: typeof body === 'string' ? body : JSON.stringify(body) })
  const parsed = JSON.parse(answer.body) as { error_code: number; error_message: string; data: unknown }
  return { ...answer, code: parsed.error_code, data: parsed.data, message: parsed.error_message }
}

const deposit = { partner_address: PARTNER, token_address: TOKEN, balance: 5, settle_timeout: 600, new_channel: true }
const swap = { role: 'maker', sending_amount: 10, sending_token: TOKEN, receiving_amount: 20, receiving_token: TOKEN, secret: SECRET }
const rates = { account_fee: { fee_constant: 1, fee_percent: 1000 }, token_fee_map: { [TOKEN]: { fee_constant: 2, fee_percent: 0 } }, channel_fee_map: { [CHANNEL]: { fee_constant: 3, fee_percent: 50 } } }
const CALLS: readonly (readonly [string, string, (string | object)?])[] = [
  ['GET', 'address'], ['GET', 'version'], ['GET', 'balance'], ['GET', `balance/${TOKEN}`], ['GET', 'tokens'], ['GET', `tokens/${TOKEN}/partners`], ['GET', 'channels'], ['GET', `channels/${CHANNEL}`],
  ['PUT', 'deposit', deposit], ['PUT', 'deposit', { ...deposit, settle_timeout: 0, new_channel: false }],
  ['PATCH', `channels/${CHANNEL}`, { state: 'closed', force: true }], ['PATCH', `channels/${CHANNEL}`, { state: 'closed' }], ['PATCH', `channels/${CHANNEL}`, { state: 'settled' }],
  ['PUT', `withdraw/${CHANNEL}`, { amount: 3 }], ['PUT', `withdraw/${CHANNEL}`, { op: 'preparewithdraw' }], ['PUT', `withdraw/${CHANNEL}`, { op: 'cancelprepare' }], ['PUT', `settle/${CHANNEL}`], ['GET', `thirdparty/${CHANNEL}/${PARTNER}`],
  ['POST', `transfers/${TOKEN}/${PARTNER}`, `{"amount":${HUGE},"is_direct":true,"data":"hello","secret":""}`],
  ['POST', `transfers/${TOKEN}/${PARTNER}`, { amount: 7, sync: true, secret: SECRET, route_info: [{ path_id: 1, path_hop: 2, fee: 5, result: [PARTNER, SELF] }] }],
  ['GET', `transferstatus/${TOKEN}/${SECRET_HASH}`], ['POST', `transfercancel/${TOKEN}/${SECRET_HASH}`], ['POST', 'transfers/allowrevealsecret', { lock_secret_hash: SECRET_HASH, token_address: TOKEN }],
  ['POST', 'registersecret', { secret: SECRET, token_address: TOKEN }], ['GET', `getunfinishedreceivedtransfer/${TOKEN}/${SECRET_HASH}`],
  ['GET', `querysenttransfer?from_block=1&to_block=9000&token_address=${TOKEN}`], ['GET', 'queryreceivedtransfer?from_block=-1&to_block=-1'], ['GET', 'secret'],
  ['PUT', `token_swaps/${PARTNER}/${SECRET_HASH}`, swap], ['GET', `path/${PARTNER}/${TOKEN}/100`],
  ['GET', 'fee_policy'], ['POST', 'fee_policy', rates], ['GET', 'fee'], ['POST', 'income/details', { token_address: TOKEN, from_time: 0, to_time: 1_600_000_000, limit: -1 }], ['POST', 'income/days', { token_address: '', days: 3 }],
  ['POST', 'tx/query', { channel_identifier: CHANNEL, open_block_number: 3, token_address: TOKEN, tx_type: 'ChannelDeposit', tx_status: '' }],
  ['GET', 'switch/true'], ['POST', 'updatenodes', [{ address: PARTNER, ip_port: '192.0.2.1:40001', device_type: 'mobile' }]], ['POST', 'prepare-update'], ['GET', 'stop'],
  ['GET', 'debug/system-status'], ['GET', 'debug/ethstatus'], ['GET', `debug/balance/${TOKEN}/${PARTNER}`], ['GET', `debug/ethbalance/${PARTNER}`], ['GET', `node-status/${PARTNER}`], ['POST', `transfer-smt/${PARTNER}/${HUGE}`],
]

describe('every path', () => {
  it.each([1, 2])('/api/%i answers as it should', async (version) => {
    const before = node.asked.length
    let all = ''
    for (const [method, path, body = ''] of CALLS) {
      const answer = await ask(method, `/api/${version}/${path}`, body)
      all += `${method} /api/${version}/${path}${body === '' ? '' : ` ${typeof body === 'string' ? body : JSON.stringify(body)}`}\n${answer.status} ${answer.body}\n\n`
    }
    if (version === 1) all += `asked of the node:\n${node.asked.slice(before).join('\n')}\n`
    await expect(all).toMatchFileSnapshot(`golden/api-${version}.txt`)
  })

  it('is among the calls above', () => {
    const called = (route: (typeof ROUTES)[number]): boolean => {
      const pattern = new RegExp(`^${route.path.replace(/:[a-zA-Z]+/g, '[^/?]+')}(\\?|$)`)
      return CALLS.some(([method, path]) => method === route.method && pattern.test(path))
    }
    expect(ROUTES.filter((route) => !called(route)).map((route) => route.path)).toEqual([])
  })
})

describe('amounts', () => {
  it('are bare digits of any size in /api/1, text in /api/2', async () => {
    expect((await ask('GET', '/api/1/balance')).body).toContain(`"balance":${HUGE},`)
    expect((await ask('GET', '/api/2/balance')).body).toContain(`"balance":"${HUGE}",`)
  })

  it('come in exactly, whichever way they are written', async () => {
    for (const written of [`${HUGE}`, `"${HUGE}"`]) {
      expect((await ask('POST', `/api/1/transfers/${TOKEN}/${PARTNER}`, `{"amount":${written}}`)).body).toContain(`"amount":${HUGE},`)
      expect(node.asked.at(-1)).toContain(`transfer ${HUGE} `)
    }
  })

  it.each(['0', '-1', '1.5', '1e30', '"x"', 'null', '[]', `"${'9'.repeat(79)}"`, '9'.repeat(100), 'true'])('refuse %s', async (written) => {
    const answer = await ask('POST', `/api/1/transfers/${TOKEN}/${PARTNER}`, `{"amount":${written}}`)
    expect([answer.status, [1, 1003].includes(answer.code), answer.data]).toEqual([200, true, null])
  })
})

describe('errors', () => {
  const of = (change: Partial<PhotonApi>): ReturnType<typeof createRest> => createRest(memoryNode(change), (fault) => faults.push(fault))
  const failing = (error: Error): Partial<PhotonApi> => ({ tokens: () => Promise.reject(error) })

  it.each([
    [3002, 'GET', `channels/${SECRET}`, ''],
    [3002, 'PATCH', `channels/${SECRET}`, { state: 'settled' }],
    [3001, 'GET', `tokens/${PARTNER}/partners`, ''],
    [3004, 'GET', `transferstatus/${TOKEN}/${SECRET}`, ''],
    [3004, 'GET', `getunfinishedreceivedtransfer/${TOKEN}/${SECRET}`, ''],
    [1021, 'POST', 'prepare-update', ''],
    [1017, 'POST', `transfercancel/${TOKEN}/${SECRET}`, ''],
    [1003, 'PUT', `withdraw/${CHANNEL}`, { amount: 0 }],
    [1, 'PUT', `withdraw/${CHANNEL}`, {}],
    [1, 'PUT', `withdraw/${CHANNEL}`, { op: 'other' }],
    [1, 'PUT', 'deposit', { ...deposit, new_channel: false }],
    [1, 'PUT', 'deposit', {}],
    [1, 'PATCH', `channels/${CHANNEL}`, { state: 'open' }],
    [1, 'GET', 'channels/0x12', ''],
    [1, 'GET', 'switch/maybe', ''],
    [1, 'PUT', `token_swaps/${PARTNER}/${SECRET_HASH}`, { ...swap, secret: '' }],
    [1, 'POST', `transfers/${TOKEN}/${PARTNER}`, { amount: 1, data: 'ä'.repeat(129) }],
    [1, 'POST', `transfers/${TOKEN}/${PARTNER}`, '{'],
    [1, 'POST', `transfer-smt/${PARTNER}/0`, ''],
    [1, 'POST', 'updatenodes', {}],
  ])('%i for %s %s', async (code, method, path, body) => {
    const answer = await ask(method, `/api/1/${path}`, body)
    expect([answer.status, answer.code, answer.data]).toEqual([200, code, null])
    expect(answer.message.length).toBeGreaterThan(3)
  })

  it('get the nearest general number; a fault of ours is told to us, not to the client', async () => {
    const codeOf = async (error: Error): Promise<number> => (await ask('GET', '/api/1/tokens', '', of(failing(error)))).code
    expect(await codeOf(inputError('x', 1, '2'))).toBe(1)
    expect(await codeOf(new MeshBoxError('not-found', 'gone', { code: 'gone' }))).toBe(1001)
    expect(await codeOf(new MeshBoxError('unavailable', 'no chain', { code: 'no-chain' }))).toBe(2008)
    expect(await codeOf(new MeshBoxError('conflict', 'not enough (1002)', { code: 'photon-refused' }))).toBe(1002)
    expect(await codeOf(new MeshBoxError('conflict', 'no number', { code: 'photon-refused' }))).toBe(-1)
    expect(await codeOf(new MeshBoxError('not-found', 'x', { code: 'photon-channel' }))).toBe(3002)
    expect(await codeOf(new MeshBoxError('unavailable', 'x', { code: 'photon-not-ready' }))).toBe(1016)
    expect(await codeOf(new MeshBoxError('limit', 'x', { code: 'photon-in-flight' }))).toBe(1013)
    expect(await codeOf(new MeshBoxError('internal', 'x', { code: 'photon-channel' }))).toBe(-1)
    faults.length = 0
    const secretive = new Error('password 123')
    const answer = await ask('GET', '/api/1/tokens', '', of(failing(secretive)))
    expect([answer.code, answer.body.includes('123'), faults]).toEqual([-1, false, [secretive]])
  })

  it('404 for what is not offered: no test hooks, no other versions', async () => {
    const paths = ['debug/transfer/a/b/1', 'debug/force-unlock/a/b', 'debug/shutdown', 'debug/register-secret-onchain/a', 'debug/notify_network_down', 'debug/pfs/a', 'nothing', '', 'channels//', 'channels/a/b', '__proto__', 'constructor']
    for (const path of paths) for (const method of ['GET', 'POST']) expect([path, (await ask(method, `/api/1/${path}`)).status]).toEqual([path, 404])
    for (const path of ['/api/3/address', '/api/address', '/1/address', '//api/1/address', 'api/1/address', '/api/1/../1/address']) expect([path, (await ask('GET', path)).status]).toEqual([path, 404])
    expect((await ask('DELETE', '/api/1/channels')).status).toBe(404)
    expect((await ask('POST', '/api/1/updatenodes', 'x'.repeat(65_537))).status).toBe(413)
    expect((await ask('POST', '/api/1/updatenodes', '['.repeat(32_000) + ']'.repeat(32_000))).code).toBe(1)
  })

  it('never a throw, whatever is asked', async () => {
    faults.length = 0
    const word = fc.oneof(fc.constantFrom(...ROUTES.flatMap((route) => route.path.split('/')), '1', TOKEN, CHANNEL, ''), fc.string({ maxLength: 8 }))
    const body = fc.oneof(fc.json({ maxDepth: 3 }), fc.string({ maxLength: 30 }), fc.constantFrom('{"amount":1}', '{"state":"closed"}', '[[[[]]]]', '{"__proto__":{"amount":1}}'))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'PUT', 'POST', 'PATCH'), fc.array(word, { maxLength: 5 }), body, async (method, words, text) => {
        const answer = await ask(method, `/api/1/${words.join('/')}`, text)
        expect([200, 404]).toContain(answer.status)
      }),
      { numRuns: 500, seed: 12 },
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...CALLS), body, async ([method, path], text) => {
        expect((await ask(method, `/api/1/${path}`, text)).status).toBe(200)
      }),
      { numRuns: 500, seed: 13 },
    )
    expect(faults).toEqual([])
  })
})

describe('on a server', () => {
  const server = Fastify()
  afterAll(() => server.close())

  it('asks who may ask first, keeps amounts exact, leaves the server’s other routes alone', async () => {
    await serveRest(server, rest, async (request, reply) => {
      if (request.headers.authorization !== 'Basic b3duZXI6c2VjcmV0') return reply.code(401).send()
      return undefined
    })
    server.get('/api/own/thing', async () => ({ own: true }))
    server.post('/other', async (request) => ({ got: request.body }))
    await server.listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.server.address() as { port: number }
    const call = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: { authorization: 'Basic b3duZXI6c2VjcmV0', 'content-type': 'application/json', ...init.headers } })
    expect((await call('/api/1/address', { headers: { authorization: '' } })).status).toBe(401)
    const before = node.asked.length
    expect((await call('/api/1/stop', { headers: { authorization: 'Basic eA==' } })).status).toBe(401)
    expect(node.asked.length).toBe(before)
    const paid = await call(`/api/1/transfers/${TOKEN}/${PARTNER}`, { method: 'POST', body: `{"amount":${HUGE}}` })
    expect([paid.status, paid.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(await paid.text()).toContain(`"amount":${HUGE},`)
    // Clients that forget to name the type.
    expect(await (await call(`/api/1/channels/${CHANNEL}`, { method: 'PATCH', body: '{"state":"closed","force":true}', headers: { 'content-type': 'text/plain' } })).text()).toContain('"state":4,')
    expect((await call('/api/1/address')).status).toBe(200)
    expect(await (await call('/api/1/querysenttransfer?from_block=5&to_block=6')).json()).toMatchObject({ error_code: 0 })
    expect(node.asked.at(-1)).toBe('sent-transfers 5 6 null')
    expect((await call('/api/1/%zz')).status).toBeGreaterThanOrEqual(400)
    expect((await call('/api/1/nothing')).status).toBe(404)
    expect(await (await call('/api/own/thing', { headers: { authorization: '' } })).json()).toEqual({ own: true })
    expect((await call('/api/1/updatenodes', { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(413)
    expect(await (await call('/other', { method: 'POST', body: '{"a":1}' })).json()).toEqual({ got: { a: 1 } })
  })
})
