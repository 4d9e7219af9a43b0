/** Logs and filters over real blocks: two of the public test chain's blocks, 11 and 12, have one log each. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { bloomOfLogs } from '../../../src/spectrum/codec/receipt.ts'
import type { Hash, LogEntry } from '../../../src/spectrum/index.ts'
import { bloomTest, matchesLog } from '../../../src/spectrum/rpc/log-filter.ts'
import { OWNER_POLICY, Rpc } from '../../../src/spectrum/rpc/index.ts'
import type { RpcPolicy } from '../../../src/spectrum/rpc/index.ts'
import { native } from '../spectrum/curves.ts'
import { devnetBlock } from '../spectrum/devnet.ts'
import { createWorld } from './memory-chain.ts'

const CALLER = { key: 'test' }
const logOf = (number: number): LogEntry => devnetBlock(number).receipts[1]?.logs[0] ?? ({} as LogEntry)
const [LOG11, LOG12] = [logOf(11), logOf(12)]
const topic = (log: LogEntry, at: number): Hash => log.topics[at] ?? '0x'

function open(policy: Partial<RpcPolicy> = {}, head = 30) {
  const world = createWorld(head)
  const rpc = new Rpc(world.ports, { ...OWNER_POLICY, ...policy })
  return { world, rpc, ask: (method: string, ...params: unknown[]) => rpc.call(method, params, CALLER) as Promise<Record<string, unknown>[]> }
}

const numbers = (logs: readonly Record<string, unknown>[]): unknown[] => logs.map((log) => log['blockNumber'])

describe('eth_getLogs', () => {
  it('finds the logs of the chain with everything about them', async () => {
    const logs = await open().ask('eth_getLogs', { fromBlock: 'earliest', toBlock: 'latest' })
    const { transactions } = devnetBlock(11).body
    expect(numbers(logs)).toEqual(['0xb', '0xc'])
    expect(logs[0]).toEqual({
      address: LOG11.address,
      topics: LOG11.topics,
      data: `0x${Buffer.from(LOG11.data).toString('hex')}`,
      blockHash: devnetBlock(11).hash,
      blockNumber: '0xb',
      transactionHash: hashTransaction(native, transactions[1] ?? ({} as (typeof transactions)[0])),
      transactionIndex: '0x1',
      logIndex: '0x0',
      removed: false,
    })
  })

  it.each([
    ['an address', { address: LOG11.address }, 2],
    ['another address', { address: `0x${'11'.repeat(20)}` }, 0],
    ['one of two', { address: [`0x${'11'.repeat(20)}`, LOG11.address] }, 2],
    ['no address at all', { address: [] }, 2],
    ['its first topic', { topics: [topic(LOG11, 0)] }, 2],
    ['any first, exact second topic', { topics: [null, topic(LOG11, 1)] }, topic(LOG11, 1) === topic(LOG12, 1) ? 2 : 1],
    ['choices, an open place', { topics: [[`0x${'00'.repeat(32)}`, topic(LOG11, 0)], []] }, 2],
    ['a topic at the wrong place', { topics: [topic(LOG11, 1)] }, 0],
    ['more places than the log has', { topics: [null, null, null, null] }, LOG11.topics.length === 4 ? 2 : 0],
    ['exactly as many places', { topics: LOG11.topics.map(() => null) }, 2],
  ])('by %s', async (_what, filter, count) => {
    expect(await open().ask('eth_getLogs', { fromBlock: '0x0', ...filter })).toHaveLength(count)
  })

  it('in one block by hash, in the latest by default, and above the head nothing', async () => {
    const { ask } = open({}, 12)
    expect(numbers(await ask('eth_getLogs', { blockHash: devnetBlock(11).hash }))).toEqual(['0xb'])
    expect(numbers(await ask('eth_getLogs', {}))).toEqual(['0xc'])
    expect(await ask('eth_getLogs', { fromBlock: '0xd', toBlock: '0x14' })).toEqual([])
    await expect(ask('eth_getLogs', { blockHash: `0x${'00'.repeat(32)}` })).rejects.toMatchObject({ code: -32001 })
    await expect(ask('eth_getLogs', { fromBlock: '0x9', toBlock: '0x8' })).rejects.toMatchObject({ code: -32602 })
    await expect(ask('eth_getLogs', { blockHash: devnetBlock(11).hash, fromBlock: '0x1' })).rejects.toMatchObject({ code: -32602 })
  })

  it('within bounds of blocks, of logs and of what a filter names', async () => {
    await expect(open({ maxLogBlocks: 10 }).ask('eth_getLogs', { fromBlock: '0x5', toBlock: '0xf' })).rejects.toMatchObject({ code: -32005 })
    expect(await open({ maxLogBlocks: 11 }).ask('eth_getLogs', { fromBlock: '0x5', toBlock: '0xf' })).toHaveLength(2)
    await expect(open({ maxLogs: 1 }).ask('eth_getLogs', { fromBlock: '0x5', toBlock: '0xf' })).rejects.toMatchObject({ code: -32005 })
    await expect(open({ maxResponseBytes: 1000 }).ask('eth_getLogs', { fromBlock: '0x5', toBlock: '0xf' })).rejects.toMatchObject({ code: -32005 })
    const { ask } = open()
    await expect(ask('eth_getLogs', { topics: [null, null, null, null, null] })).rejects.toMatchObject({ code: -32602 })
    await expect(ask('eth_getLogs', { address: Array.from({ length: 65 }, () => LOG11.address) })).rejects.toMatchObject({ code: -32602 })
    await expect(ask('eth_getLogs', { topics: ['0x12'] })).rejects.toMatchObject({ code: -32602, message: expect.stringContaining('params[0].topics[0]') as string })
  })

  it('never a part of the answer: where receipts are not kept it is an error, unless the bloom rules the block out', async () => {
    const { ask, world } = open()
    world.chain.keptFrom = 12
    await expect(ask('eth_getLogs', { fromBlock: '0x0' })).rejects.toMatchObject({ code: -32001 })
    expect(await ask('eth_getLogs', { fromBlock: '0x0', topics: [`0x${'12'.repeat(32)}`] })).toEqual([])
    expect(numbers(await ask('eth_getLogs', { fromBlock: '0xc' }))).toEqual(['0xc'])
  })
})

describe('the bloom asked first', () => {
  it('never rules out a log that matches', () => {
    const hash = fc.integer({ min: 0, max: 5 }).map((n): Hash => `0x${n.toString(16).padStart(64, '0')}`)
    const address = fc.integer({ min: 0, max: 5 }).map((n): Hash => `0x${n.toString(16).padStart(40, '0')}`)
    const log = fc.record({ address, topics: fc.array(hash, { maxLength: 4 }), data: fc.constant(new Uint8Array(0)) })
    const filter = fc.record({ addresses: fc.option(fc.array(address, { minLength: 1, maxLength: 3 })), topics: fc.array(fc.option(fc.array(hash, { minLength: 1, maxLength: 3 })), { maxLength: 4 }) })
    let matched = 0
    fc.assert(
      fc.property(fc.array(log, { maxLength: 3 }), filter, (logs, wanted) => {
        if (!logs.some((one) => matchesLog(wanted, one))) return
        matched++
        expect(bloomTest(native, wanted)(bloomOfLogs(native, logs))).toBe(true)
      }),
      { numRuns: 2000, seed: 5 },
    )
    expect(matched).toBeGreaterThan(50)
  })

  it('rules out almost every block that has nothing', () => {
    const test = bloomTest(native, { addresses: [LOG11.address], topics: [] })
    expect([10, 11, 12, 13].map((number) => test(devnetBlock(number).header.bloom))).toEqual([false, true, true, false])
  })
})

describe('filters', () => {
  it('tell new blocks once, and logs of blocks that come and go', async () => {
    const { ask, world } = open({}, 9)
    const call = ask as (method: string, ...params: unknown[]) => Promise<unknown>
    const blocks = await call('eth_newBlockFilter')
    const logs = await call('eth_newFilter', { address: LOG11.address })
    expect([blocks, logs].every((id) => /^0x1[0-9a-f]{30}$/.test(String(id)))).toBe(true)
    expect([await call('eth_getFilterChanges', blocks), await call('eth_getFilterChanges', logs)]).toEqual([[], []])
    world.chain.moveTo(11)
    expect(await call('eth_getFilterChanges', blocks)).toEqual([devnetBlock(10).hash, devnetBlock(11).hash])
    expect(await call('eth_getFilterChanges', blocks)).toEqual([])
    world.chain.moveTo(10)
    world.chain.moveTo(12)
    expect(((await call('eth_getFilterChanges', logs)) as Record<string, unknown>[]).map((log) => [log['blockNumber'], log['removed']])).toEqual([['0xb', false], ['0xb', true], ['0xb', false], ['0xc', false]])
    expect(await call('eth_getFilterLogs', logs)).toHaveLength(1)
    expect([await call('eth_uninstallFilter', blocks), await call('eth_uninstallFilter', blocks)]).toEqual([true, false])
    await expect(call('eth_getFilterChanges', blocks)).rejects.toMatchObject({ code: -32000, message: 'filter not found' })
  })

  it('keep to their own block range', async () => {
    const { ask, world } = open({}, 9)
    const id = await ask('eth_newFilter', { fromBlock: '0xc', toBlock: '0xd' })
    world.chain.moveTo(14)
    expect(numbers(await ask('eth_getFilterChanges', id))).toEqual(['0xc'])
  })

  it('lose nothing when an answer could not be made', async () => {
    const { ask, world } = open({}, 9)
    const id = await ask('eth_newFilter', {})
    world.chain.moveTo(12)
    world.chain.keptFrom = 13
    await expect(ask('eth_getFilterChanges', id)).rejects.toMatchObject({ code: -32001 })
    world.chain.keptFrom = 0
    expect(numbers(await ask('eth_getFilterChanges', id))).toEqual(['0xb', '0xc'])
  })

  it('belong to who made them, are few, and end when nobody polls', async () => {
    const { ask, world, rpc } = open({ maxFilters: 2 })
    const first = await ask('eth_newBlockFilter')
    await ask('eth_newBlockFilter')
    await expect(ask('eth_newBlockFilter')).rejects.toMatchObject({ code: -32005 })
    await expect(rpc.call('eth_getFilterChanges', [first], { key: 'stranger' })).rejects.toMatchObject({ code: -32000 })
    expect(await rpc.call('eth_uninstallFilter', [first], { key: 'stranger' })).toBe(false)
    world.clock.ms += 5 * 60_000 + 1
    await expect(ask('eth_getFilterChanges', first)).rejects.toMatchObject({ code: -32000 })
    await ask('eth_newBlockFilter') // the old ones count no more
    expect(world.chain.listeners).toBe(1)
    rpc.close()
    expect(world.chain.listeners).toBe(0)
  })

  it('that sleep too long are told so rather than told a part', async () => {
    const { ask, world } = open({}, 9)
    const id = await ask('eth_newBlockFilter')
    for (let turn = 0; turn < 600; turn++) world.chain.moveTo(turn % 2 === 0 ? 10 : 9)
    expect(await ask('eth_getFilterChanges', id)).toHaveLength(300)
    for (let turn = 0; turn < 1200; turn++) world.chain.moveTo(turn % 2 === 0 ? 10 : 9)
    await expect(ask('eth_getFilterChanges', id)).rejects.toMatchObject({ code: -32000 })
  })
})
