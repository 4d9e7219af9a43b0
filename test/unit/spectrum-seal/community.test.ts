/** The whole life on a real community chain: a box alone, a second one deposits, seals, misses, starts again, leaves; and every wei of it in the ledger. */
import { describe, expect, it } from 'vitest'
import { encodeTransaction, signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import type { Address } from '../../../src/spectrum/index.ts'
import { newCommunity } from '../../../src/spectrum/community/index.ts'
import { FINAL_DEPTH } from '../../../src/spectrum/chain/tree.ts'
import type { Block } from '../../../src/spectrum/ports.ts'
import type { PocState } from '../../../src/spectrum/seal/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { pass, people, timeAtGenesis } from './box.ts'
import { RealBox } from './real-box.ts'

const SMT = 10n ** 18n
const GWEI = 10n ** 9n
const [ANN, BEN, ANNS_WALLET, BENS_WALLET, RICH] = people(300, 301, 302, 303, 304) as [Person, Person, Person, Person, Person]
const { network } = newCommunity(native, {
  name: 'hill',
  chainId: 515_151n,
  periodSeconds: 2,
  epochBlocks: 20,
  signerLimit: 3,
  startSeconds: 1_790_000_000,
  owner: ANNS_WALLET.address,
  leaders: [ANN.address],
  miners: [],
  minDepositWei: SMT,
  halvingBlocks: 1_000_000,
  withdrawWaitBlocks: 10,
  allocations: [BENS_WALLET, RICH].map(({ address }) => ({ address, balanceWei: 100n * SMT })),
  token: null,
})

function hill(): { time: ReturnType<typeof timeAtGenesis>; ann: RealBox; ben: RealBox; sent: Map<string, number> } {
  const time = timeAtGenesis(network)
  const boxes: RealBox[] = []
  /** Raw transactions of wallets that left Ben's box: how often. */
  const sent = new Map<string, number>()
  const onBlock = (block: Block, from: RealBox): void => {
    for (const other of boxes) if (other !== from && other.isOpen) void other.take(block)
  }
  const onTransaction = (raw: Uint8Array, from: RealBox): void => {
    if (from === ben) sent.set(Buffer.from(raw).toString('hex'), (sent.get(Buffer.from(raw).toString('hex')) ?? 0) + 1)
    for (const other of boxes) if (other !== from && other.isOpen) void other.pool.add(raw, 'peer')
  }
  const box = (who: Person, wallet: Person): RealBox => {
    const made = new RealBox({ who, network, time, wallet, coinbase: wallet.address, onBlock, onTransaction })
    boxes.push(made)
    return made
  }
  const ann = box(ANN, ANNS_WALLET)
  const ben = box(BEN, BENS_WALLET)
  return { time, ann, ben, sent }
}

describe('a community of our contracts', () => {
  it('takes a miner in, skips it when it misses, takes it back, and lets it go', async () => {
    const { time, ann, ben, sent } = hill()
    await ann.open()
    await ben.open()
    ann.startSealing()
    ben.startSealing()
    const states: PocState[] = []
    const until = async (what: string, isDone: () => boolean): Promise<void> => {
      for (let steps = 0; !isDone(); steps++) {
        if (steps > 600) throw new Error(`not ${what} at ${ben.chain.head().header.number}: ${JSON.stringify([ben.agent.status(), ann.sealer.status(), ben.sealer.status()], (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))}`)
        await pass(time, 500, 500)
        const { state } = ben.agent.status()
        if (state !== null && states.at(-1) !== state) states.push(state)
      }
    }
    await until('there', () => ann.chain.head().header.number >= 2)
    expect(ben.agent.status()).toMatchObject({ goal: 'none', state: 'not-deposited', minDepositWei: SMT, action: null })

    await ben.agent.setGoal('mining')
    await until('bound', () => ben.agent.status().boundTo === BENS_WALLET.address)
    expect(ben.agent.status()).toMatchObject({ depositWei: SMT, action: { kind: 'bind', outcome: 'mined' } })
    await until('sealing', () => ben.published.length >= 2)
    expect(ann.chain.head().hash).toBe(ben.chain.head().hash)
    expect(ben.sealer.status().missed).toBe(0)

    // Ben's box is switched off and lets its slot pass: the contracts stop it until the epoch ends.
    await ben.stopSealing()
    await until('missed', () => states.at(-1) === 'missed')
    ben.isSealing = true
    await until('forgiven', () => states.at(-1) === 'stopped')
    expect(ben.chain.head().header.number % 20).toBe(0)
    ben.startSealing()
    await until('started again', () => ['waiting', 'picked', 'active'].includes(states.at(-1) ?? ''))
    const before = ben.published.length
    await until('sealing again', () => ben.published.length > before)

    await ben.agent.setGoal('withdrawn')
    await until('gone', () => states.at(-1) === 'withdrawn')
    const deposits = await ben.state.account(ben.chain.head().header, network.poc)
    expect(deposits.balanceWei).toBe(0n)
    // In this order, with what a miner goes through in between; nothing was sent twice.
    expect(states.filter((state) => !['picked', 'active'].includes(state))).toEqual(expect.arrayContaining(['not-deposited', 'waiting', 'missed', 'stopped', 'withdrawn']))
    expect([...sent.values()]).toEqual(Array.from({ length: 5 }, () => 1)) // deposit, bind, start, stop, withdraw
    await ann.close()
    await ben.close()
  })

  it('books rewards and fees exactly, once, when final, across restarts', async () => {
    const { time, ann } = hill()
    await ann.open()
    ann.startSealing()
    const pays = (nonce: bigint, to: Address, gasPriceWei: bigint): Uint8Array => encodeTransaction(signTransaction(native, { nonce, gasPriceWei, gas: 60_000n, to, valueWei: 5n, data: new Uint8Array(0) }, network.chainId, RICH.key))
    const balance = (): bigint => ann.store.read((tx) => ann.ledger.balance(tx, 'owner', 'VIL'))
    for (let nonce = 0n; nonce < 5n; nonce++) {
      expect(await ann.pool.add(pays(nonce, BENS_WALLET.address, (20n + nonce) * GWEI), 'wallet')).toMatchObject({ ok: true })
      await pass(time, 3_000)
    }
    const grow = async (to: number): Promise<void> => {
      for (let steps = 0; ann.chain.head().header.number < to; steps++) {
        if (steps > 900) throw new Error(`stuck at ${ann.chain.head().header.number}`)
        await pass(time, 1_000, 500)
      }
      await ann.earnings.settled()
    }
    await grow(FINAL_DEPTH - 1)
    expect(balance()).toBe(0n)
    await grow(FINAL_DEPTH + 3)
    // Switched off and on again in the middle of it.
    await ann.close()
    await ann.open()
    ann.startSealing()
    await grow(FINAL_DEPTH + 12)
    await ann.stopSealing()
    await ann.earnings.settled()
    const final = ann.chain.final()
    if (final === null) throw new Error('nothing is final')
    // The chain's own account of it is the proof: nothing of it has been spent.
    const earned = await ann.state.account(final.header, ANNS_WALLET.address)
    expect(earned.balanceWei).toBeGreaterThan(35n * SMT * 10n)
    expect(-balance()).toBe(earned.balanceWei)
    expect(ann.store.read((tx) => ann.ledger.audit(tx))).toEqual([{ token: 'VIL', sum: 0n, unbalancedEntries: [] }])
    const entries = ann.store.read((tx) => ann.ledger.entries(tx, { limit: 1000 }))
    expect(entries.filter((entry) => entry.source === 'chain:reward')).toHaveLength(final.header.number)
    expect(entries.filter((entry) => entry.source === 'chain:gas').length).toBeGreaterThan(0)
    expect(entries[0]?.evidence).toMatchObject({ type: 'block', id: ann.chain.headerAt(1)?.hash, facts: { number: 1, coinbase: ANNS_WALLET.address } })
    expect(ann.earnings.status()).toEqual({ postedTo: final.header.number, uncounted: 0 })
    await ann.close()
  })
})
