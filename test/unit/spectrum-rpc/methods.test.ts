/** What each method answers over real blocks and their real state. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { receiptsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { readAccount, readSlot } from '../../../src/spectrum/proof/account.ts'
import { nodeSet } from '../../../src/spectrum/proof/read-trie.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hashHeader } from '../../../src/spectrum/codec/header.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hash } from '../../../src/spectrum/index.ts'
import { OWNER_POLICY, Rpc } from '../../../src/spectrum/rpc/index.ts'
import { RpcError } from '../../../src/spectrum/rpc/rpc-error.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_SIGNER, devnetBlock } from '../spectrum/devnet.ts'
import { createWorld } from './memory-chain.ts'
import type { World } from './memory-chain.ts'

const CALLER = { key: 'test' }
const RICH = '0xbf1736a65f8beadd71b321be585fd883503fdeaa'
const CHIEF = '0x57d2bcd8d702999daf240793919675c90b12a17a'
const PAYER = '0x901c0636c4fc83f353bca2db85e2ace886a9416d'

interface Door {
  readonly world: World
  readonly rpc: Rpc
  ask(method: string, ...params: unknown[]): Promise<unknown>
  fails(method: string, ...params: unknown[]): Promise<{ code: number; message: string; data?: unknown }>
}

function open(head = 30): Door {
  const world = createWorld(head)
  const rpc = new Rpc(world.ports, OWNER_POLICY)
  const send = async (method: string, params: unknown[]): Promise<{ result?: unknown; error?: { code: number; message: string; data?: unknown } }> =>
    JSON.parse((await rpc.answer(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), CALLER)).text ?? '') as { result?: unknown }
  return {
    world,
    rpc,
    ask: async (method, ...params) => {
      const answer = await send(method, params)
      if (answer.error) throw new Error(`${method}: ${answer.error.code} ${answer.error.message}`)
      return answer.result
    },
    fails: async (method, ...params) => {
      const { error } = await send(method, params)
      if (error === undefined) throw new Error(`${method} did not fail`)
      return error
    },
  }
}

describe('the node', () => {
  it('says which chain it is on and how far', async () => {
    const { ask } = open()
    expect(await ask('eth_chainId')).toBe('0x4')
    expect(await ask('net_version')).toBe('4')
    expect(await ask('eth_blockNumber')).toBe('0x1e')
    expect(await ask('web3_clientVersion')).toBe('MeshBox/0.1.0/devnet')
    expect(await ask('eth_protocolVersion')).toBe('0x3f')
    expect(await ask('eth_gasPrice')).toBe('0x430e23400')
    expect(await ask('eth_accounts')).toEqual([])
    expect(await ask('web3_sha3', '0x')).toBe('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  })

  it('tells its sources and whether it is behind', async () => {
    const { ask, world } = open(20)
    expect([await ask('net_listening'), await ask('net_peerCount'), await ask('eth_syncing')]).toEqual([false, '0x0', false])
    const source = (id: string, kind: string, headNumber: number | null) => ({ id, kind, headHash: null, headNumber, agrees: null })
    world.status = { state: 'syncing', headAgeSeconds: 900, sources: [source('a', 'eth63', null), source('b', 'rpc', 300), source('c', 'local', 20)], agreeing: 1, banned: 0 }
    expect([await ask('net_listening'), await ask('net_peerCount')]).toEqual([true, '0x2'])
    expect(await ask('eth_syncing')).toEqual({ startingBlock: '0x14', currentBlock: '0x14', highestBlock: '0x12c' })
  })

  it('tells its miner, or that it has none', async () => {
    const { ask, fails, world } = open()
    expect([await ask('eth_mining'), await ask('tribe_getMiner')]).toEqual([false, null])
    expect((await fails('eth_coinbase')).code).toBe(-32000)
    world.miner = { address: DEVNET_SIGNER, coinbase: RICH, isSealing: true }
    expect([await ask('eth_mining'), await ask('eth_coinbase')]).toEqual([true, RICH])
    expect(await ask('tribe_getMiner')).toEqual({ address: DEVNET_SIGNER, coinbase: RICH, isSealing: true })
  })

  it.each(['eth_feeHistory', 'eth_maxPriorityFeePerGas', 'eth_sendTransaction', 'eth_sign', 'eth_subscribe', 'personal_unlockAccount', 'debug_traceCall', 'toString', '__proto__', 'constructor'])('does not know %s', async (method) => {
    expect((await open().fails(method)).code).toBe(-32601)
  })
})

describe('blocks', () => {
  it('are shown so that the hash can be computed from what is shown', async () => {
    const { ask } = open()
    for (const block of DEVNET) {
      const shown = (await ask('eth_getBlockByNumber', `0x${block.number.toString(16)}`, false)) as Record<string, string>
      const field = (name: string): string => shown[name] ?? ''
      const header = {
        ...block.header,
        parentHash: field('parentHash') as Hash,
        uncleHash: field('sha3Uncles') as Hash,
        coinbase: field('miner') as Address,
        stateRoot: field('stateRoot') as Hash,
        transactionsRoot: field('transactionsRoot') as Hash,
        receiptsRoot: field('receiptsRoot') as Hash,
        bloom: fromHex(field('logsBloom')),
        difficulty: BigInt(field('difficulty')),
        number: Number(field('number')),
        gasLimit: BigInt(field('gasLimit')),
        gasUsed: BigInt(field('gasUsed')),
        timeSeconds: Number(field('timestamp')),
        extra: fromHex(field('extraData')),
        mixDigest: field('mixHash') as Hash,
        nonce: field('nonce') as Hash,
      }
      expect([block.number, hashHeader(native, header), field('hash')]).toEqual([block.number, block.hash, block.hash])
      expect(BigInt(field('totalDifficulty'))).toBe(block.totalDifficulty)
      expect(shown['transactions']).toEqual(block.body.transactions.map((one) => hashTransaction(native, one)))
      expect(shown['signer']).toBe(block.number === 0 ? null : DEVNET_SIGNER)
    }
  })

  it('have their seal hash, as the spec has it for block 7', async () => {
    const shown = (await open().ask('eth_getBlockByHash', devnetBlock(7).hash, true)) as { sealHash: string; transactions: { from: string; type: string; blockNumber: string }[] }
    expect(shown.sealHash).toBe('0xb751dcfabd7216c3dd2b89574412762d772542eb12d929df35ffd20460f862b5')
    expect(shown.transactions[0]).toMatchObject({ from: DEVNET_SIGNER, to: CHIEF, type: '0x0', blockNumber: '0x7', transactionIndex: '0x0' })
  })

  it('are found by tag; pending is nobody’s', async () => {
    const { ask, fails } = open()
    const numberAt = async (tag: string): Promise<unknown> => ((await ask('eth_getBlockByNumber', tag, false)) as { number: string } | null)?.number ?? null
    expect([await numberAt('latest'), await numberAt('safe'), await numberAt('finalized'), await numberAt('earliest'), await numberAt('pending')]).toEqual(['0x1e', '0xd', null, '0x0', null])
    expect(await ask('eth_getBlockByNumber', '0x1f', false)).toBeNull()
    expect(await ask('eth_getBlockByHash', `0x${'ab'.repeat(32)}`, false)).toBeNull()
    expect((await fails('eth_getBlockByNumber')).message).toContain('params[0]')
    expect((await fails('eth_getBlockByNumber', 'newest', false)).code).toBe(-32602)
    expect((await fails('eth_getBlockByNumber', '0x01', false)).code).toBe(-32602)
    expect((await fails('eth_getBlockByNumber', 30, false)).code).toBe(-32602)
  })

  it('whose bodies are not kept are an error, unless a source has them and the roots agree', async () => {
    const world = createWorld()
    world.chain.keptFrom = 20
    const told = { lie: false }
    const rpc = new Rpc(
      {
        ...world.ports,
        blocks: {
          body: async (hash) => {
            const block = DEVNET.find((one) => one.hash === hash)
            return block === undefined || block.number < 8 ? null : told.lie ? { transactions: [...block.body.transactions].reverse(), uncles: [] } : block.body
          },
          receipts: async (hash) => DEVNET.find((one) => one.hash === hash)?.receipts.map((receipt) => (told.lie ? { ...receipt, succeeded: false } : receipt)) ?? null,
        },
      },
      OWNER_POLICY,
    )
    const count = (number: number): Promise<unknown> => rpc.call('eth_getBlockTransactionCountByNumber', [`0x${number.toString(16)}`], CALLER)
    const hash = hashTransaction(native, devnetBlock(9).body.transactions[1] ?? fail())
    expect([await count(25), await count(24), await count(9)]).toEqual(['0x1', '0x3', '0x2'])
    await expect(count(5)).rejects.toMatchObject({ code: -32001 })
    expect(await rpc.call('eth_getTransactionReceipt', [hash], CALLER)).toMatchObject({ status: '0x1', gasUsed: '0xfc13' })
    told.lie = true
    await expect(count(9)).rejects.toMatchObject({ code: -32001 })
    await expect(rpc.call('eth_getTransactionReceipt', [hash], CALLER)).rejects.toBeInstanceOf(RpcError)
  })

  it('count their transactions and have no uncles', async () => {
    const { ask } = open()
    expect(await ask('eth_getBlockTransactionCountByNumber', '0x18')).toBe('0x3')
    expect(await ask('eth_getBlockTransactionCountByHash', devnetBlock(24).hash)).toBe('0x3')
    expect(await ask('eth_getUncleCountByBlockNumber', 'latest')).toBe('0x0')
    expect(await ask('eth_getUncleCountByBlockHash', `0x${'00'.repeat(32)}`)).toBeNull()
    expect(await ask('eth_getTransactionByBlockNumberAndIndex', '0x18', '0x2')).toMatchObject({ to: null, blockNumber: '0x18', transactionIndex: '0x2' })
    expect(await ask('eth_getTransactionByBlockHashAndIndex', devnetBlock(24).hash, '0x3')).toBeNull()
  })
})

describe('transactions', () => {
  it('have receipts with the gas of each', async () => {
    const { ask } = open()
    for (const block of DEVNET)
      for (const [index, transaction] of block.body.transactions.entries()) {
        const hash = hashTransaction(native, transaction)
        const receipt = (await ask('eth_getTransactionReceipt', hash)) as Record<string, string>
        expect([block.number, index, BigInt(receipt['gasUsed'] ?? '')]).toEqual([block.number, index, block.gasUsed[index]])
        expect(receipt).toMatchObject({ transactionHash: hash, blockHash: block.hash, status: '0x1', type: '0x0' })
        const found = (await ask('eth_getTransactionByHash', hash)) as Record<string, string>
        expect([BigInt(found['v'] ?? ''), BigInt(found['r'] ?? ''), BigInt(found['s'] ?? '')]).toEqual([transaction.v, transaction.r, transaction.s])
        expect(found['from']).toBe(receipt['from'])
      }
    expect(receiptsRootOf(native, devnetBlock(11).receipts)).toBe(devnetBlock(11).header.receiptsRoot)
  })

  it('that make a contract say where it lies: there is code', async () => {
    const { ask } = open()
    const receipt = (await ask('eth_getTransactionReceipt', hashTransaction(native, devnetBlock(8).body.transactions[1] ?? fail()))) as { contractAddress: string; to: null }
    expect(receipt.to).toBeNull()
    expect(((await ask('eth_getCode', receipt.contractAddress, '0x8')) as string).length).toBeGreaterThan(1000)
    expect(await ask('eth_getCode', receipt.contractAddress, '0x7')).toBe('0x')
  })

  it('are null before anybody has them, and pending while they wait', async () => {
    const { ask, world } = open(9)
    const mined = devnetBlock(11).body.transactions[1] ?? fail()
    const hash = hashTransaction(native, mined)
    expect([await ask('eth_getTransactionByHash', hash), await ask('eth_getTransactionReceipt', hash)]).toEqual([null, null])
    world.pool.taken.set(hash, mined)
    expect(await ask('eth_getTransactionByHash', hash)).toMatchObject({ hash, blockHash: null, blockNumber: null, transactionIndex: null })
    world.chain.moveTo(11)
    expect(await ask('eth_getTransactionByHash', hash)).toMatchObject({ hash, blockHash: devnetBlock(11).hash, blockNumber: '0xb' })
  })

  it('are sent to the pool, whose refusals have the words that wallets look for', async () => {
    const { ask, fails, world } = open()
    const transaction = devnetBlock(9).body.transactions[1] ?? fail()
    const raw = hexOf(encodeTransaction(transaction))
    expect(await ask('eth_sendRawTransaction', raw)).toBe(hashTransaction(native, transaction))
    expect(world.pool.taken.size).toBe(1)
    for (const [code, words] of [['known', 'already known'], ['insufficient-funds', 'insufficient funds'], ['nonce-too-low', 'nonce too low'], ['replacement-underpriced', 'replacement transaction underpriced'], ['wrong-chain', 'only replay-protected']] as const) {
      world.pool.refusal = code
      expect(await fails('eth_sendRawTransaction', raw)).toMatchObject({ code: -32003, message: expect.stringContaining(words) as string, data: { code } })
    }
    world.pool.refusal = null
    expect((await fails('eth_sendRawTransaction', '0x02f8')).code).toBe(-32602)
    expect((await fails('eth_sendRawTransaction', `0x${'00'.repeat(32 * 1024 + 1)}`)).message).toContain('32768')
  })

  it('are not sent while the alarm stands', async () => {
    const { fails, world } = open()
    world.chain.stoodAlarm = { code: 'deep-reorg', reason: 'two chains', atSeconds: 1 }
    expect(await fails('eth_sendRawTransaction', '0x')).toMatchObject({ code: -32003, data: { code: 'alarm' } })
    expect(world.pool.taken.size).toBe(0)
  })
})

describe('state', () => {
  it('is that of the block named', async () => {
    const { ask } = open()
    expect(await ask('eth_getBalance', RICH, 'earliest')).toBe(`0x${(5n * 10n ** 27n).toString(16)}`)
    const later = BigInt((await ask('eth_getBalance', RICH, '0x1')) as string)
    const { balanceWei } = await createWorld().state.account(devnetBlock(1).header, RICH)
    expect(later).toBe(balanceWei)
    expect(later).not.toBe(5n * 10n ** 27n)
    expect(await ask('eth_getBalance', RICH.toUpperCase().replace('0X', '0x'), { blockHash: devnetBlock(0).hash, requireCanonical: true })).toBe(await ask('eth_getBalance', RICH, { blockNumber: '0x0' }))
    expect(await ask('eth_getTransactionCount', `0x${'77'.repeat(20)}`)).toBe('0x0')
  })

  it('counts what waits only when asked for pending', async () => {
    const { ask, world } = open()
    const nonce = BigInt((await ask('eth_getTransactionCount', DEVNET_SIGNER, 'latest')) as string)
    expect(nonce).toBeGreaterThan(20n)
    expect(await ask('eth_getTransactionCount', DEVNET_SIGNER, 'pending')).toBe(`0x${nonce.toString(16)}`)
    world.pool.nonce = nonce + 3n
    expect(await ask('eth_getTransactionCount', DEVNET_SIGNER, 'pending')).toBe(`0x${(nonce + 3n).toString(16)}`)
    expect(await ask('eth_getTransactionCount', DEVNET_SIGNER, 'latest')).toBe(`0x${nonce.toString(16)}`)
    world.pool.nonce = 1n // a transaction that the chain has overtaken
    expect(await ask('eth_getTransactionCount', DEVNET_SIGNER, 'pending')).toBe(`0x${nonce.toString(16)}`)
  })

  it('reads slots as words, by short and by full keys', async () => {
    const { ask } = open()
    const word = (await ask('eth_getStorageAt', PAYER, '0x0', 'latest')) as string
    expect(word).toMatch(/^0x[0-9a-f]{64}$/)
    expect(await ask('eth_getStorageAt', PAYER, `0x${'00'.repeat(32)}`, 'latest')).toBe(word)
    expect(await ask('eth_getStorageAt', PAYER, '0xffff')).toBe(`0x${'00'.repeat(32)}`)
  })

  it('is proved: eth_getProof holds against the header by itself', async () => {
    const { ask } = open()
    for (const [address, slots] of [[CHIEF, ['0x0', '0x2', `0x${'00'.repeat(31)}05`]], [`0x${'77'.repeat(20)}`, ['0x0']], [RICH, []]] as const) {
      const proof = (await ask('eth_getProof', address, slots, '0x14')) as { accountProof: string[]; balance: string; nonce: string; codeHash: string; storageHash: Hash; storageProof: { key: string; value: string; proof: string[] }[] }
      const nodes = nodeSet(native, proof.accountProof.map((node) => fromHex(node)))
      const account = readAccount(native, devnetBlock(20).header.stateRoot, address, nodes)
      expect(account).toMatchObject({ kind: 'read', value: { nonce: BigInt(proof.nonce), balanceWei: BigInt(proof.balance), codeHash: proof.codeHash, storageRoot: proof.storageHash } })
      expect(proof.storageProof.map((one) => one.key)).toEqual([...slots])
      for (const slot of proof.storageProof)
        expect(readSlot(native, proof.storageHash, BigInt(slot.key), nodeSet(native, slot.proof.map((node) => fromHex(node))))).toEqual({ kind: 'read', value: BigInt(slot.value) })
    }
  })

  it('that nobody has is an error to try again, and an unknown block another', async () => {
    const { fails, world } = open(12)
    expect((await fails('eth_getBalance', RICH, '0x13')).code).toBe(-32001)
    expect((await fails('eth_getBalance', RICH, 'safe')).message).toContain('too short')
    expect((await fails('eth_getBalance', RICH, { blockHash: devnetBlock(20).hash, requireCanonical: true })).code).toBe(-32001)
    world.state.isReachable = false
    expect((await fails('eth_getBalance', RICH)).code).toBe(-32002)
  })
})

describe('calls', () => {
  const CALL = { to: CHIEF, data: '0x4e69d560' }

  it('run at the block named, with gas up to the policy’s', async () => {
    const { ask, world } = open()
    expect(await ask('eth_call', CALL, '0x5')).toBe('0xab')
    expect(world.executor.asked[0]).toMatchObject({ at: { number: 5 }, request: { from: `0x${'00'.repeat(20)}`, to: CHIEF, valueWei: 0n, gasPriceWei: 0n, gas: devnetBlock(5).header.gasLimit } })
    await ask('eth_call', { ...CALL, gas: '0x5208', from: RICH, value: '0x1', gasPrice: '0x2', input: CALL.data, type: '0x0', chainId: '0x4', nonce: '0x0', accessList: [] }, 'pending')
    expect(world.executor.asked[1]).toMatchObject({ at: { number: 30 }, request: { from: RICH, gas: 21_000n, valueWei: 1n, gasPriceWei: 2n, data: fromHex(CALL.data) } })
    const small = new Rpc(world.ports, { ...OWNER_POLICY, maxCallGas: 100n })
    await small.call('eth_call', [{ ...CALL, gas: '0xffffffffffffffff' }], CALLER)
    expect(world.executor.asked[2]?.request.gas).toBe(100n)
  })

  it('that revert come back as code 3 with the data and its text', async () => {
    const { fails, world } = open()
    const text = Buffer.from('not enough').toString('hex')
    const output = fromHex(`08c379a0${'20'.padStart(64, '0')}${'0a'.padStart(64, '0')}${text.padEnd(64, '0')}`)
    world.executor.result = { status: 'reverted', output, gasUsed: 1n, reason: 'not enough' }
    expect(await fails('eth_call', CALL)).toEqual({ code: 3, message: 'execution reverted: not enough', data: hexOf(output) })
    world.executor.result = { status: 'reverted', output: fromHex('deadbeef'), gasUsed: 1n, reason: null }
    expect(await fails('eth_call', CALL)).toEqual({ code: 3, message: 'execution reverted', data: '0xdeadbeef' })
    world.executor.result = { status: 'failed', output: new Uint8Array(0), gasUsed: 1n, reason: 'out of gas' }
    expect(await fails('eth_call', CALL)).toMatchObject({ code: -32000, message: 'execution failed: out of gas' })
  })

  it('are estimated; one that never returns says why', async () => {
    const { ask, fails, world } = open()
    expect(await ask('eth_estimateGas', CALL)).toBe('0x5208')
    world.executor.estimate = new MeshBoxError('input', 'reverts: no', { code: 'reverted' })
    world.executor.result = { status: 'reverted', output: Uint8Array.of(1), gasUsed: 1n, reason: null }
    expect(await fails('eth_estimateGas', CALL)).toMatchObject({ code: 3, data: '0x01' })
    world.executor.result = { status: 'returned', output: new Uint8Array(0), gasUsed: 1n, reason: null }
    expect(await fails('eth_estimateGas', CALL)).toMatchObject({ code: -32000, message: 'reverts: no' })
    world.executor.estimate = new MeshBoxError('unavailable', 'no state', { code: 'no-state' })
    expect((await fails('eth_estimateGas', CALL)).code).toBe(-32002)
  })

  it.each([
    [{ to: '0x12' }, 'params[0].to'],
    [{ to: CHIEF, data: '0x1' }, 'params[0].data'],
    [{ to: CHIEF, data: '0x12', input: '0x13' }, 'params[0].input'],
    [{ to: CHIEF, gas: '0x00' }, 'params[0].gas'],
    [{ to: CHIEF, gas: 21000 }, 'params[0].gas'],
    [{ to: CHIEF, value: `0x1${'00'.repeat(32)}` }, 'params[0].value'],
    [{ to: CHIEF, maxFeePerGas: '0x1' }, 'params[0].maxFeePerGas'],
    [{ to: CHIEF, type: '0x2' }, 'params[0].type'],
    [{ to: CHIEF, chainId: '0x1' }, 'params[0].chainId'],
    [{ to: CHIEF, accessList: [{}] }, 'params[0].accessList'],
    [{ to: CHIEF, evil: 1 }, 'evil'],
    [{}, 'params[0].to'],
    [[], 'params[0]'],
    [undefined, 'params[0]'],
  ])('with %j are refused, naming %s', async (call, named) => {
    expect(await open().fails('eth_call', call)).toMatchObject({ code: -32602, message: expect.stringContaining(named) as string })
  })

  it('need an executor, and know no overrides', async () => {
    const { world, fails } = open()
    expect((await fails('eth_call', CALL, 'latest', { [CHIEF]: { balance: '0x1' } })).message).toContain('params[2]')
    const rpc = new Rpc({ ...world.ports, executor: null }, OWNER_POLICY)
    await expect(rpc.call('eth_call', [CALL], CALLER)).rejects.toMatchObject({ code: -32002 })
  })
})

describe('Tribe', () => {
  it('shows the round after the head', async () => {
    const { ask } = open()
    expect(await ask('tribe_getStatus')).toMatchObject({ number: '0x1e', signerList: [DEVNET_SIGNER, expect.anything(), expect.anything()], leaderList: [DEVNET_SIGNER], signerLimit: '0x3', epoch: '0x19', place: '0x1' })
    expect(await ask('tribe_getSigners')).toEqual([
      { place: '0x0', address: DEVNET_SIGNER, isLeader: true },
      { place: '0x1', address: null, isLeader: false },
      { place: '0x2', address: '0x00000000000000000000000000000000000000a1', isLeader: false },
    ])
    expect(await ask('tribe_getVolunteers')).toEqual(['0x00000000000000000000000000000000000000b2'])
  })

  it('reads the lists of contracts by proof, and says where there are none', async () => {
    const { ask, fails } = open()
    expect(await ask('tribe_getSinners')).toEqual([])
    expect(await ask('tribe_pocGetStatus')).toEqual({ normal: [], stopped: [], black: [], locked: [] })
    expect(await ask('tribe_pocGetStatus', RICH)).toEqual({ miner: RICH, owner: null, amount: '0x0', stopBlock: '0x0', lists: [] })
    expect(await ask('tribe_bindInfo', RICH)).toBeNull()
    expect((await fails('tribe_getStatus', '0x2')).code).toBe(-32000)
  })
})

function fail(): never {
  throw new Error('the vectors are not what this test thinks')
}
