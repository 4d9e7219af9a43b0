/** The deposit's keeper when things go wrong: restarts between any two steps, a wallet used elsewhere, calls that the contract refuses. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { decodeTransaction, encodeTransaction, signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { newCommunity } from '../../../src/spectrum/community/index.ts'
import { createPocAgent } from '../../../src/spectrum/seal/index.ts'
import { readMinerRecord } from '../../../src/spectrum/seal/poc/miner-record.ts'
import { pocCall } from '../../../src/spectrum/seal/poc/calls.ts'
import type { MinerRecord, PocAgent, PocAgentOptions } from '../../../src/spectrum/seal/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { minerKey, pass, people, settle, timeAtGenesis } from './box.ts'
import { RealBox } from './real-box.ts'

const SMT = 10n ** 18n
const GWEI = 10n ** 9n
const [ANN, BEN, WALLET, RICH, EMPTY] = people(400, 401, 402, 403, 404) as [Person, Person, Person, Person, Person]
const { network } = newCommunity(native, {
  name: 'dale',
  chainId: 616_161n,
  periodSeconds: 2,
  epochBlocks: 20,
  signerLimit: 1,
  startSeconds: 1_790_000_000,
  owner: ANN.address,
  leaders: [ANN.address],
  miners: [],
  minDepositWei: SMT,
  halvingBlocks: 1_000_000,
  withdrawWaitBlocks: 10,
  allocations: [WALLET, RICH].map(({ address }) => ({ address, balanceWei: 100n * SMT })),
  token: null,
})

interface Dale {
  readonly ann: RealBox
  readonly offered: Uint8Array[]
  agent(change?: Partial<PocAgentOptions>): PocAgent
  record(): Promise<MinerRecord>
  blocks(count: number): Promise<void>
}

/** One box that seals; the agents under test keep the deposit of another key, over its store and pool. */
async function dale(): Promise<Dale> {
  const time = timeAtGenesis(network)
  const ann = new RealBox({ who: ANN, network, time, wallet: ANN, coinbase: ANN.address, onBlock: () => undefined, onTransaction: () => undefined })
  await ann.open()
  ann.startSealing()
  const offered: Uint8Array[] = []
  const pool: PocAgentOptions['pool'] = {
    add: (raw, from) => {
      offered.push(raw)
      return ann.pool.add(raw, from)
    },
    get: (hash) => ann.pool.get(hash),
    nextNonce: (sender) => ann.pool.nextNonce(sender),
    candidates: (maxGas) => ann.pool.candidates(maxGas),
    stats: () => ann.pool.stats(),
    onAdded: (listener) => ann.pool.onAdded(listener),
  }
  return {
    ann,
    offered,
    agent: (change = {}) =>
      createPocAgent({ curve: native, chain: ann.chain, state: ann.state, pool, key: minerKey(BEN), wallet: { address: WALLET.address, sign: minerKey(WALLET).sign }, store: ann.store, log: silentLog, canSeal: () => true, ...change }),
    record: () => readMinerRecord({ keccak: native, state: ann.state, network, at: ann.chain.head().header }, BEN.address),
    blocks: async (count) => {
      const to = ann.chain.head().header.number + count
      for (let steps = 0; ann.chain.head().header.number < to; steps++) {
        if (steps > 20 * count + 40) throw new Error(`stuck at ${ann.chain.head().header.number}`)
        await pass(time, 500, 500)
      }
      await settle()
    },
  }
}

describe('a restart', () => {
  it('between the disk and the pool sends the same bytes, and the miner deposits once', async () => {
    const { ann, agent, offered, record, blocks } = await dale()
    const dying = agent({ pool: { ...poolThatDies(), nextNonce: (sender) => ann.pool.nextNonce(sender) } })
    dying.start()
    await dying.setGoal('mining')
    await settle()
    const written = dying.status().action
    expect(written).toMatchObject({ kind: 'deposit', outcome: null })
    expect(offered).toEqual([])
    // The service is started again, and again.
    for (let times = 0; times < 3; times++) {
      const again = agent()
      again.start()
      await again.look()
      expect(again.status().action).toEqual(written)
      await again.stop()
    }
    expect(offered.map((raw) => hashTransaction(native, decodeTransaction(raw)))).toEqual([written?.hash])
    const last = agent()
    last.start()
    await blocks(4)
    await last.look()
    expect(await record()).toMatchObject({ owner: WALLET.address, amountWei: SMT })
    await blocks(3)
    await last.look()
    expect(last.status()).toMatchObject({ state: 'waiting', boundTo: WALLET.address, action: { kind: 'bind', outcome: 'mined' } })
    expect(new Set(offered.map((raw) => decodeTransaction(raw).nonce))).toEqual(new Set([0n, 1n]))
    await last.stop()
    await ann.close()
  })

  function poolThatDies(): PocAgentOptions['pool'] {
    return { add: () => new Promise(() => undefined), get: () => null, nextNonce: () => null, candidates: () => [], stats: () => ({ transactions: 0, bytes: 0, senders: 0 }), onAdded: () => () => undefined }
  }
})

describe('a wallet', () => {
  it('used elsewhere with the same nonce: the step is given up, and made anew later', async () => {
    const { ann, agent, record, blocks } = await dale()
    const ben = agent()
    ben.start()
    await ben.setGoal('mining')
    await ben.look()
    const first = ben.status().action
    expect(first).toMatchObject({ kind: 'deposit', outcome: null })
    const rival = signTransaction(native, { nonce: 0n, gasPriceWei: 40n * GWEI, gas: 21_000n, to: RICH.address, valueWei: 1n, data: new Uint8Array(0) }, network.chainId, WALLET.key)
    expect(await ann.pool.add(encodeTransaction(rival), 'wallet')).toMatchObject({ ok: true })
    await blocks(3)
    await ben.look()
    expect(ben.status().action).toMatchObject({ hash: first?.hash, outcome: 'dropped' })
    expect((await record()).amountWei).toBe(0n)
    await blocks(18)
    await ben.look()
    await blocks(2)
    await ben.look()
    expect(await record()).toMatchObject({ owner: WALLET.address, amountWei: SMT })
    await ben.stop()
    await ann.close()
  })

  it('with too little sends nothing and says what is missing', async () => {
    const { ann, agent, offered, blocks } = await dale()
    const ben = agent({ wallet: { address: EMPTY.address, sign: minerKey(EMPTY).sign } })
    ben.start()
    await ben.setGoal('mining')
    await blocks(2)
    await ben.look()
    expect(ben.status()).toMatchObject({ state: 'not-deposited', action: null, obstacle: expect.stringContaining('it has 0') as unknown })
    expect(offered).toEqual([])
    await expect(ben.setGoal('rich' as 'none')).rejects.toMatchObject({ kind: 'input', field: 'goal' })
    await ben.stop()
    await ann.close()
  })
})

describe('a call that the contract refuses', () => {
  it('is shown as failed and not sent again and again', async () => {
    const { ann, agent, offered, record, blocks } = await dale()
    // Somebody with a higher bid deposits for the miner first, with the miner's own word for that wallet.
    const call = pocCall(native, network, 'deposit', minerKey(BEN), RICH.address)
    if (call === null) throw new Error('no contract')
    const first = signTransaction(native, { nonce: 0n, gasPriceWei: 90n * GWEI, gas: 400_000n, to: call.to, valueWei: SMT, data: call.data }, network.chainId, RICH.key)
    const ben = agent()
    ben.start()
    await ben.setGoal('mining')
    await ben.look()
    expect(await ann.pool.add(encodeTransaction(first), 'peer')).toMatchObject({ ok: true })
    await blocks(40)
    await ben.look()
    expect(await record()).toMatchObject({ owner: RICH.address })
    expect(ben.status()).toMatchObject({ state: 'foreign-owner', action: { kind: 'deposit', outcome: 'failed', reason: 'the contract refused it' } })
    expect(offered).toHaveLength(1)
    await ben.stop()
    await ann.close()
  })
})
