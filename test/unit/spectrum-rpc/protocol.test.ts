/** JSON-RPC 2.0 itself, its limits, and whatever else strangers may send. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { GUEST_POLICY, OWNER_POLICY, Rpc } from '../../../src/spectrum/rpc/index.ts'
import { METHODS } from '../../../src/spectrum/rpc/methods.ts'
import { GUEST_METHODS } from '../../../src/spectrum/rpc/policy.ts'
import type { RpcPolicy } from '../../../src/spectrum/rpc/index.ts'
import { createWorld } from './memory-chain.ts'

interface Response {
  readonly jsonrpc: string
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

function open(policy: Partial<RpcPolicy> = {}, base = OWNER_POLICY) {
  const world = createWorld()
  const rpc = new Rpc(world.ports, { ...base, ...policy })
  const send = async (text: string, key = 'test'): Promise<unknown> => {
    const { text: answer } = await rpc.answer(text, { key })
    return answer === null ? null : (JSON.parse(answer) as unknown)
  }
  return { world, rpc, send, one: (body: unknown, key?: string) => send(JSON.stringify(body), key) as Promise<Response> }
}

describe('one call', () => {
  it.each([0, 1, -7, 1.5, 'abc', '', null])('with id %j gets that id', async (id) => {
    expect(await open().one({ jsonrpc: '2.0', id, method: 'eth_chainId' })).toEqual({ jsonrpc: '2.0', id, result: '0x4' })
  })

  it.each([
    ['no JSON', '{', -32700],
    ['nothing', '', -32700],
    ['a number', '7', -32600],
    ['null', 'null', -32600],
    ['no version', '{"id":1,"method":"eth_chainId"}', -32600],
    ['version 1', '{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600],
    ['no method', '{"jsonrpc":"2.0","id":1}', -32600],
    ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ['an id that is a list', '{"jsonrpc":"2.0","id":[1],"method":"eth_chainId"}', -32600],
    ['an unknown field', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","context":{}}', -32600],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"eth_chainid"}', -32601],
    ['named parameters', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602],
    ['too many parameters', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32602],
    ['very many parameters', `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[${'1,'.repeat(40)}1]}`, -32602],
  ])('%s is refused with its code', async (_what, text, code) => {
    expect(((await open().send(text)) as Response).error?.code).toBe(code)
  })

  it('without an id gets no answer, not even an error', async () => {
    expect(await open().send('{"jsonrpc":"2.0","method":"eth_chainId"}')).toBeNull()
    expect(await open().send('{"jsonrpc":"2.0","method":"nonsense"}')).toBeNull()
  })

  it('that breaks inside says nothing of the inside, and the log has it', async () => {
    const world = createWorld()
    const lines: unknown[] = []
    const ports = { ...world.ports, gasPriceWei: () => { throw new Error('the secret reason') }, log: { ...silentLog, error: (_message: string, fields?: unknown) => void lines.push(fields) } }
    const { text } = await new Rpc(ports, OWNER_POLICY).answer('{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}', { key: 'a' })
    expect(JSON.parse(text ?? '')).toMatchObject({ error: { code: -32603 } })
    expect(text).not.toContain('secret')
    expect(lines).toMatchObject([{ method: 'eth_gasPrice', error: { message: 'the secret reason' } }])
  })
})

describe('a batch', () => {
  const call = (id: unknown, method = 'eth_chainId'): object => ({ jsonrpc: '2.0', id, method })

  it('is answered one by one, without notifications, bad ones among them', async () => {
    const answers = (await open().send(JSON.stringify([call(1), { jsonrpc: '2.0', method: 'eth_chainId' }, 7, call('b', 'nope'), call(3)]))) as Response[]
    expect(answers.map((answer) => [answer.id, answer.error?.code ?? answer.result])).toEqual([[1, '0x4'], [null, -32600], ['b', -32601], [3, '0x4']])
    expect(await open().send(JSON.stringify([{ jsonrpc: '2.0', method: 'eth_chainId' }]))).toBeNull()
  })

  it('is neither empty nor larger than 100', async () => {
    const { send } = open()
    expect(((await send('[]')) as Response).error?.code).toBe(-32600)
    expect(await send(JSON.stringify(Array.from({ length: 100 }, (_, id) => call(id))))).toHaveLength(100)
    expect(((await send(JSON.stringify(Array.from({ length: 101 }, (_, id) => call(id))))) as Response).error?.code).toBe(-32600)
  })

  it('has one bound for all that it gives', async () => {
    const block = { jsonrpc: '2.0', method: 'eth_getBlockByNumber', params: ['0xa', true] }
    const answers = (await open({ maxResponseBytes: 80_000 }).send(JSON.stringify([{ ...block, id: 1 }, { ...block, id: 2 }, { ...block, id: 3 }, call(4)]))) as Response[]
    expect(answers.map((answer) => answer.error?.code ?? 'given')).toEqual(['given', 'given', -32005, 'given'])
  })
})

describe('limits', () => {
  it('by rate, each caller for itself, with the seconds to wait', async () => {
    const { rpc, world } = open({ rate: { burst: 2, perSecond: 0.5 } })
    const ask = (key: string) => rpc.answer('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', { key })
    expect([(await ask('a')).retryAfterSeconds, (await ask('a')).retryAfterSeconds]).toEqual([null, null])
    const late = await ask('a')
    expect([late.retryAfterSeconds, (JSON.parse(late.text ?? '') as Response).error?.code]).toEqual([2, -32005])
    expect((await ask('b')).retryAfterSeconds).toBeNull()
    world.clock.ms += 2000
    expect((await ask('a')).retryAfterSeconds).toBeNull()
  })

  it('by rate also for what is no call, or none here', async () => {
    const { rpc } = open({ rate: { burst: 3, perSecond: 0.5 } })
    const ask = async (text: string): Promise<number | null> => (await rpc.answer(text, { key: 'a' })).retryAfterSeconds
    expect([await ask('{'), await ask('7'), await ask('{"jsonrpc":"2.0","id":1,"method":"nope"}'), await ask('{'), await ask('7')]).toEqual([null, null, null, 2, 2])
  })

  it('of what is heavy, also for all callers together', async () => {
    const { one } = open({ heavyRate: { burst: 2, perSecond: 0.1 }, heavyRateOfAll: { burst: 3, perSecond: 0.1 } })
    const logs = { jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [{}] }
    const codes = [await one(logs, 'a'), await one(logs, 'a'), await one(logs, 'a'), await one(logs, 'b'), await one(logs, 'c')].map((answer) => answer.error?.code ?? 0)
    expect(codes).toEqual([0, 0, -32005, 0, -32005])
    expect((await one({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, 'a')).result).toBe('0x4')
  })

  it('of calls at once', async () => {
    const { world, rpc } = open({ maxInFlight: 1 })
    const waits: (() => void)[] = []
    world.executor.call = () => new Promise((resolve) => void waits.push(() => resolve({ status: 'returned', output: new Uint8Array(0), gasUsed: 0n, reason: null })))
    const first = rpc.call('eth_call', [{ to: `0x${'11'.repeat(20)}` }], { key: 'a' })
    await expect(rpc.call('eth_chainId', [], { key: 'a' })).rejects.toMatchObject({ code: -32005, retryAfterSeconds: 1 })
    waits[0]?.()
    expect(await first).toBe('0x')
    expect(await rpc.call('eth_chainId', [], { key: 'a' })).toBe('0x4')
  })
})

describe('guests', () => {
  it('have their own methods and no others', async () => {
    const { one } = open({ rate: { burst: 1000, perSecond: 1 } }, GUEST_POLICY)
    for (const method of METHODS.keys()) {
      const { error } = await one({ jsonrpc: '2.0', id: 1, method, params: [] })
      expect([method, error?.code === -32601]).toEqual([method, !GUEST_METHODS.has(method)])
    }
    for (const method of GUEST_METHODS) expect(METHODS.has(method)).toBe(true)
  })

  it('have their calls cut to their gas', async () => {
    const { rpc, world } = open({}, GUEST_POLICY)
    await rpc.call('eth_call', [{ to: `0x${'11'.repeat(20)}`, gas: '0xffffff' }], { key: 'g' })
    expect(world.executor.asked[0]?.request.gas).toBe(GUEST_POLICY.maxCallGas)
  })
})

describe('whatever strangers send', () => {
  const json = fc.jsonValue({ maxDepth: 3 })
  const hexish = fc.oneof(
    fc.constantFrom('0x', '0x0', '0x1e', '0x00', '0x01', 'latest', 'pending', 'safe', 'finalized', 'earliest', '', 'x', `0x${'ab'.repeat(20)}`, `0x${'ab'.repeat(32)}`, `0x${'f'.repeat(64)}`, '0xbf1736a65f8beadd71b321be585fd883503fdeaa'),
    fc.string(),
  )
  const param: fc.Arbitrary<unknown> = fc.oneof(hexish, json, fc.array(hexish, { maxLength: 3 }), fc.dictionary(fc.constantFrom('to', 'from', 'data', 'gas', 'fromBlock', 'toBlock', 'blockHash', 'address', 'topics', '__proto__', 'blockNumber'), fc.oneof(hexish, fc.array(hexish, { maxLength: 3 }))))

  it('is answered by every method with a result or an error of the protocol, never -32603', async () => {
    const { rpc } = open({ rate: { burst: 1e9, perSecond: 1e9 }, heavyRate: { burst: 1e9, perSecond: 1e9 }, heavyRateOfAll: { burst: 1e9, perSecond: 1e9 }, maxFilters: 1e6 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...METHODS.keys()), fc.array(param, { maxLength: 4 }), async (method, params) => {
        const { text } = await rpc.answer(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), { key: 'fuzz' })
        const answer = JSON.parse(text ?? '') as Response
        expect(answer.jsonrpc).toBe('2.0')
        if (answer.error) expect([-32000, -32001, -32002, -32003, -32005, -32602, 3]).toContain(answer.error.code)
        else expect('result' in answer).toBe(true)
      }),
      { numRuns: 3000, seed: 11 },
    )
  })

  it('as text never breaks the door', async () => {
    const { rpc } = open({ rate: { burst: 1e9, perSecond: 1e9 } })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), json.map((value) => JSON.stringify(value))), async (text) => {
        const answer = await rpc.answer(text, { key: 'fuzz' })
        if (answer.text !== null) JSON.parse(answer.text)
      }),
      { numRuns: 1000, seed: 12 },
    )
  })
})
