/** A sealing box that has lost its state gets it back, by running blocks again or by fetching it; on a real community chain. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Log } from '../../../src/base/index.ts'
import { newCommunity } from '../../../src/spectrum/community/index.ts'
import { createInlineExecutor, memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { Block, ChainView, Executor } from '../../../src/spectrum/ports.ts'
import { createRecovery } from '../../../src/spectrum/recovery.ts'
import type { RecoveryParts, StateRecovery } from '../../../src/spectrum/recovery.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { pass, people, timeAtGenesis } from './box.ts'
import { RealBox } from './real-box.ts'

const [ANN, WALLET] = people(320, 321) as [Person, Person]
const { network } = newCommunity(native, {
  name: 'ridge', chainId: 515_153n, periodSeconds: 2, epochBlocks: 50, signerLimit: 1, startSeconds: 1_790_000_000, owner: WALLET.address, leaders: [ANN.address], miners: [], minDepositWei: 1000n,
  halvingBlocks: 1000, withdrawWaitBlocks: 10, allocations: [{ address: WALLET.address, balanceWei: 1n }], token: null,
})

interface Ridge {
  readonly ann: RealBox
  readonly time: ReturnType<typeof timeAtGenesis>
  readonly fresh: Executor
  readonly ran: number[]
  readonly errors: string[]
  recovery(change?: Partial<RecoveryParts>): StateRecovery
  until(what: string, isDone: () => boolean): Promise<void>
}

/** A chain of `blocks`, and beside it an executor whose state file is new. */
async function ridge(blocks: number): Promise<Ridge> {
  const time = timeAtGenesis(network)
  const ann = new RealBox({ who: ANN, network, time, wallet: WALLET, coinbase: WALLET.address, onBlock: () => undefined, onTransaction: () => undefined })
  await ann.open()
  onTestFinished(() => ann.close())
  ann.startSealing()
  const until = async (what: string, isDone: () => boolean): Promise<void> => {
    for (let steps = 0; !isDone(); steps++) {
      if (steps > 400) throw new Error(`not ${what}`)
      await pass(time, 500, 500)
    }
  }
  await until('grown', () => ann.chain.head().header.number >= blocks)
  await ann.stopSealing()
  const inner = createInlineExecutor({ curve: native, store: memoryStateStore(), fetchNodes: null, ancestorHash: async (_, number) => ann.chain.headerAt(number)?.hash ?? null, maxCacheBytes: 1 << 20 })
  await inner.begin(network)
  const ran: number[] = []
  const fresh: Executor = { ...inner, execute: (parent, block) => (ran.push(block.header.number), inner.execute(parent, block)) }
  const errors: string[] = []
  const log: Log = { ...silentLog, error: (_message, fields) => void errors.push(String(fields?.['error'])), room: () => log }
  return {
    ann, time, fresh, ran, errors, until,
    recovery(change = {}) {
      const recovery = createRecovery({
        chain: ann.chain,
        executor: fresh,
        nodes: async (hashes: readonly Hash[]) => hashes.flatMap((hash) => ann.executor.node(hash) ?? []),
        body: async () => null,
        breathe: () => Promise.resolve(),
        timers: time,
        log,
        ...change,
      })
      onTestFinished(() => recovery.stop())
      recovery.start()
      return recovery
    },
  }
}

/** As of a box that began at a checkpoint: nothing below `start`. */
function startedAt(chain: ChainView, start: number): ChainView {
  return {
    network: chain.network, head: () => chain.head(), safe: () => chain.safe(), final: () => chain.final(), block: (hash) => chain.block(hash), header: (hash) => chain.header(hash), totalDifficulty: (hash) => chain.totalDifficulty(hash),
    body: (hash) => chain.body(hash), receipts: (hash) => chain.receipts(hash), transaction: (hash) => chain.transaction(hash), alarm: () => chain.alarm(), on: (listener) => chain.on(listener),
    headerAt: (number) => (number < start ? null : chain.headerAt(number)),
  }
}

describe('a lost state', () => {
  it('of a short chain comes back by running its blocks again', async () => {
    const { ann, fresh, ran, recovery, until } = await ridge(12)
    const one = recovery({ nodes: () => Promise.reject(new Error('nobody is asked')) })
    expect(one.isRecovering()).toBe(true)
    await until('back', () => !one.isRecovering())
    expect(ran).toEqual(Array.from({ length: ann.chain.head().header.number }, (_, index) => index + 1))
    expect(fresh.hasState(ann.chain.head().header.stateRoot)).toBe(true)
  })

  it('that is there costs nothing, and one that a head brings without it is run after it', async () => {
    const { ann, fresh, ran, recovery, until } = await ridge(3)
    const one = recovery()
    await until('back', () => !one.isRecovering())
    ran.length = 0
    ann.startSealing() // its blocks are not run here, as one that was being judged when the state came back
    await until('two more', () => ann.chain.head().header.number >= 5)
    await ann.stopSealing()
    await until('back again', () => !one.isRecovering() && fresh.hasState(ann.chain.head().header.stateRoot))
    expect(ran).toEqual(Array.from({ length: ann.chain.head().header.number - 3 }, (_, index) => index + 4))
    const another = recovery()
    expect(another.isRecovering()).toBe(false)
  })

  it('of a chain that begins at a checkpoint is fetched at the final block, and the rest is run', async () => {
    const { ann, fresh, ran, recovery, until } = await ridge(45)
    const head = ann.chain.head().header
    const one = recovery({ chain: startedAt(ann.chain, 8) })
    await until('back', () => !one.isRecovering())
    expect(ran).toEqual(Array.from({ length: 34 }, (_, index) => head.number - 33 + index))
    expect(fresh.hasState(head.stateRoot)).toBe(true)
    const balance = { from: ANN.address, to: WALLET.address, data: new Uint8Array(0), valueWei: 0n, gas: 30_000n, gasPriceWei: 0n }
    expect(await fresh.call(head, balance)).toEqual(await ann.executor.call(head, balance))
  })

  it('waits for a final block, for nodes and for bodies, less and less often, and goes on when they come', async () => {
    const { ann, time, recovery, until } = await ridge(45)
    let isThere = false
    let asked = 0
    const nodes: RecoveryParts['nodes'] = async (hashes) => {
      asked++
      return isThere ? hashes.flatMap((hash) => ann.executor.node(hash) ?? []) : []
    }
    const one = recovery({ chain: startedAt(ann.chain, 8), nodes })
    await pass(time, 3_600_000, 1_000)
    expect([one.isRecovering(), asked > 5, asked < 20]).toEqual([true, true, true])
    isThere = true
    await pass(time, 600_000, 1_000)
    await until('back', () => !one.isRecovering())

    const young = await ridge(5)
    const two = young.recovery({ chain: startedAt(young.ann.chain, 3) })
    await pass(young.time, 60_000, 1_000)
    expect([two.isRecovering(), young.errors]).toEqual([true, []])
  })

  it('asks others for bodies that are not kept', async () => {
    const { ann, ran, recovery, until } = await ridge(6)
    const bare: ChainView = { ...startedAt(ann.chain, 0), body: () => null }
    const one = recovery({ chain: bare, body: async ({ hash }) => ann.chain.body(hash) })
    await until('back', () => !one.isRecovering())
    expect(ran).toHaveLength(ann.chain.head().header.number)
  })

  it('of a block that does not come out is not made up: nothing is sealed on it, and the log says so', async () => {
    const { ann, fresh, errors, recovery, time } = await ridge(6)
    const wrong: Executor = { ...fresh, execute: async (parent, block: Block) => (block.header.number === 4 ? { ok: false, code: 'errInvalidStateRoot', reason: 'another root' } : fresh.execute(parent, block)) }
    const one = recovery({ executor: wrong })
    await pass(time, 5_000, 500)
    expect(one.isRecovering()).toBe(true)
    expect(fresh.hasState(ann.chain.headerAt(3)?.header.stateRoot ?? '0x')).toBe(true)
    expect(errors.join()).toContain('block 4 does not come out')
    await one.stop()
    const before = errors.length
    await pass(time, 1_200_000, 10_000)
    expect(errors.length).toBe(before)
  })
})
