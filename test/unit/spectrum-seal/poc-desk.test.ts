/** The owner's verbs about the miner's deposit, on a real community chain: our contracts, the EVM, proved state. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { newCommunity } from '../../../src/spectrum/community/index.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Network } from '../../../src/spectrum/index.ts'
import type { Block } from '../../../src/spectrum/ports.ts'
import { createPocDesk } from '../../../src/spectrum/seal/index.ts'
import { POC_ORDERS, judgeOrder } from '../../../src/spectrum/seal/poc/orders.ts'
import type { OrderSight, PocDesk, PocStatus } from '../../../src/spectrum/seal/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { minerKey, pass, people, timeAtGenesis } from './box.ts'
import { RealBox } from './real-box.ts'

const SMT = 10n ** 18n
const [ANN, BEN, BENS_BOX, OWNER, POOR] = people(310, 311, 312, 313, 314) as [Person, Person, Person, Person, Person]

function community(signerLimit: number, miners: readonly { miner: Address; owner: Address; depositWei: bigint }[] = []): Network {
  return newCommunity(native, {
    name: 'dale', chainId: 515_152n, periodSeconds: 2, epochBlocks: 20, signerLimit, startSeconds: 1_790_000_000, owner: OWNER.address, leaders: [ANN.address], miners, minDepositWei: SMT,
    halvingBlocks: 1_000_000, withdrawWaitBlocks: 5, allocations: [{ address: BENS_BOX.address, balanceWei: 3n * SMT }], token: null,
  }).network
}

interface Dale {
  readonly time: ReturnType<typeof timeAtGenesis>
  readonly ann: RealBox
  readonly ben: RealBox
  /** Of a box: with its own wallet. */
  deskOf(box: RealBox): PocDesk
  until(what: string, isDone: () => boolean): Promise<void>
}

async function dale(network: Network, bensWallet: Person = BENS_BOX): Promise<Dale> {
  const time = timeAtGenesis(network)
  const boxes: RealBox[] = []
  const onBlock = (block: Block, from: RealBox): void => {
    for (const other of boxes) if (other !== from && other.isOpen) void other.take(block)
  }
  const onTransaction = (raw: Uint8Array, from: RealBox): void => {
    for (const other of boxes) if (other !== from && other.isOpen) void other.pool.add(raw, 'peer')
  }
  for (const [who, wallet] of [[ANN, OWNER], [BEN, bensWallet]] as const) boxes.push(new RealBox({ who, network, time, wallet, coinbase: wallet.address, onBlock, onTransaction }))
  const [ann, ben] = boxes as [RealBox, RealBox]
  for (const box of boxes) {
    await box.open()
    box.startSealing()
  }
  onTestFinished(async () => {
    for (const box of boxes) await box.close()
  })
  return {
    time,
    ann,
    ben,
    deskOf: (box) => createPocDesk({ keccak: native, chain: box.chain, key: minerKey(box.settings.who), coinbase: box.settings.coinbase, ownAddress: box.settings.wallet.address, agent: box.agent }),
    async until(what, isDone) {
      for (let steps = 0; !isDone(); steps++) {
        if (steps > 400) throw new Error(`not ${what} at block ${ben.chain.head().header.number}`)
        await pass(time, 500, 500)
      }
    },
  }
}

describe('orders of the owner', () => {
  it('put a deposit down, stop, start and take it back, and say what stands in the way of the rest', async () => {
    const { ann, ben, deskOf, until } = await dale(community(3))
    const desk = deskOf(ben)
    await until('there', () => ann.chain.head().header.number >= 2 && ben.chain.head().hash === ann.chain.head().hash)
    for (const early of ['start', 'stop', 'withdraw'] as const) await expect(desk.order(early)).rejects.toMatchObject({ kind: 'conflict', code: 'poc-no-deposit' })

    expect(await desk.order('deposit')).toMatchObject({ miner: BEN.address, wallet: BENS_BOX.address, coinbase: BENS_BOX.address, status: { goal: 'mining', walletWei: 3n * SMT, action: { kind: 'deposit', outcome: null } } })
    await until('bound', () => desk.view().status?.boundTo === BENS_BOX.address)
    expect(desk.view().status).toMatchObject({ depositWei: SMT, obstacle: null })
    await expect(desk.order('deposit')).rejects.toMatchObject({ kind: 'conflict', code: 'poc-deposited' })

    await desk.order('stop')
    await until('stopped', () => desk.view().status?.state === 'stopped')
    await desk.order('start')
    await until('started', () => ['waiting', 'picked', 'active'].includes(desk.view().status?.state ?? ''))
    await desk.order('withdraw')
    await until('withdrawn', () => desk.view().status?.state === 'withdrawn')
    const { balanceWei } = await ben.state.account(ben.chain.head().header, BENS_BOX.address)
    expect(balanceWei).toBeGreaterThan(3n * SMT - SMT / 5n) // all but the gas is there again, and what was sealed meanwhile
  })

  it('take back one that has not arrived yet', async () => {
    const { ben, deskOf, until } = await dale(community(3))
    const desk = deskOf(ben)
    await until('there', () => ben.chain.head().header.number >= 2)
    await desk.order('deposit')
    expect(await desk.order('withdraw')).toMatchObject({ status: { goal: 'withdrawn' } })
    await until('mined', () => desk.view().status?.action?.kind === 'withdraw' && desk.view().status?.state === 'withdrawn')
  })

  it('are refused to a leader, and where rounds have no place for miners', async () => {
    const { ann, ben, deskOf, until } = await dale(community(3))
    await until('there', () => ann.chain.head().header.number >= 2)
    await expect(deskOf(ann).order('deposit')).rejects.toMatchObject({ kind: 'conflict', code: 'poc-leader' })
    expect(deskOf(ann).view().status?.goal).toBe('none')
    const alone = await dale(community(1))
    await alone.until('there', () => alone.ben.chain.head().header.number >= 2)
    await expect(alone.deskOf(alone.ben).order('deposit')).rejects.toMatchObject({ kind: 'conflict', code: 'poc-no-places' })
    expect(ben.agent.status().action).toBeNull()
  })

  it('name the money that is missing', async () => {
    const { ben, deskOf, until } = await dale(community(3), POOR)
    await until('there', () => ben.chain.head().header.number >= 2)
    await expect(deskOf(ben).order('deposit')).rejects.toMatchObject({ kind: 'conflict', code: 'poc-no-funds', message: `a deposit needs 1.0072 SMT (1 and gas) in ${POOR.address}; it has 0` })
  })

  it("leave somebody else's deposit alone", async () => {
    const { ben, deskOf, until } = await dale(community(3, [{ miner: BEN.address, owner: OWNER.address, depositWei: SMT }]))
    await until('there', () => ben.chain.head().header.number >= 2)
    for (const order of POC_ORDERS) await expect(deskOf(ben).order(order)).rejects.toMatchObject({ kind: 'conflict', code: 'poc-foreign-owner' })
  })

  it('move nothing while the chain has an alarm', async () => {
    const { ben, deskOf, until } = await dale(community(3))
    const desk = deskOf(ben)
    await until('there', () => ben.chain.head().header.number >= 2)
    await ben.chain.disputeCheckpoint('for the test')
    for (const order of POC_ORDERS) await expect(desk.order(order)).rejects.toMatchObject({ kind: 'conflict', code: 'chain-alarm' })
    // A wish from before the alarm waits as well.
    await ben.agent.setGoal('mining')
    await ben.agent.look()
    expect(ben.agent.status()).toMatchObject({ action: null, obstacle: 'an alarm of the chain is set: for the test' })
    await ben.chain.clearAlarm()
    await ben.agent.look()
    expect(ben.agent.status().action).toMatchObject({ kind: 'deposit', outcome: null })
  })

  it('are not the box\'s where the coinbase is a wallet outside of it; the miner\'s word for that wallet is enough', async () => {
    const { ann, ben, until } = await dale(community(3))
    const desk = createPocDesk({ keccak: native, chain: ben.chain, key: minerKey(BEN), coinbase: OWNER.address, ownAddress: BENS_BOX.address, agent: null })
    expect(desk.view()).toEqual({ miner: BEN.address, wallet: null, coinbase: OWNER.address, status: null })
    await expect(desk.order('deposit')).rejects.toMatchObject({ kind: 'conflict', code: 'poc-other-wallet' })
    await until('there', () => ann.chain.head().header.number >= 2)
    const head = ben.chain.head().header
    const [deposit, bind] = desk.callsFor(OWNER.address)
    if (deposit === undefined || bind === undefined) throw new Error('no calls')
    const run = (from: Address, call: typeof deposit, valueWei: bigint) => ben.executor.call(head, { from, to: call.to, data: call.data, valueWei, gas: 400_000n, gasPriceWei: 0n })
    expect(await run(OWNER.address, bind, 0n)).toMatchObject({ status: 'returned' })
    // And a deposit, from a wallet that has the money.
    const [own] = desk.callsFor(BENS_BOX.address)
    if (own === undefined) throw new Error('no call')
    expect(await run(BENS_BOX.address, own, SMT)).toMatchObject({ status: 'returned' })
    for (const wallet of [ZERO_ADDRESS, BEN.address]) expect(() => desk.callsFor(wallet)).toThrow(expect.objectContaining({ kind: 'input', field: 'wallet' }))
  })
})

describe('an order, judged', () => {
  const status: PocStatus = { goal: 'none', state: 'not-deposited', depositWei: 0n, boundTo: ZERO_ADDRESS, minDepositWei: SMT, walletWei: 10n * SMT, action: null, obstacle: null, number: 5 }
  const round = { signers: [ANN.address, ZERO_ADDRESS, ZERO_ADDRESS], next: [], leaders: [ANN.address], volunteerLimit: 2, epochBlocks: 20 }
  const sight = (more: Partial<PocStatus>): OrderSight => ({ network: community(3), head: { round }, alarm: null, miner: BEN.address, wallet: BENS_BOX.address, status: { ...status, ...more }, callCostWei: SMT / 100n })

  it('is put off where nothing can be proved', () => {
    for (const order of POC_ORDERS) expect(() => judgeOrder(order, sight({ state: null, obstacle: 'nobody has this state now' }))).toThrow(expect.objectContaining({ kind: 'unavailable', code: 'poc-unproved' }))
  })

  it('asks for the deposit and its gas together', () => {
    expect(judgeOrder('deposit', sight({ walletWei: SMT + SMT / 100n }))).toBe('mining')
    expect(() => judgeOrder('deposit', sight({ walletWei: SMT + SMT / 100n - 1n }))).toThrow(expect.objectContaining({ code: 'poc-no-funds' }))
  })

  it('lets a locked deposit be stopped, never started', () => {
    expect(() => judgeOrder('start', sight({ state: 'locked' }))).toThrow(expect.objectContaining({ code: 'poc-locked' }))
    expect(judgeOrder('stop', sight({ state: 'locked' }))).toBe('stopped')
  })
})
