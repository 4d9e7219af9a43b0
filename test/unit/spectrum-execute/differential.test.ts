/** Where the rules are Ethereum's, every transaction comes out as with @ethereumjs/vm over its own Merkle trie. */
import { createBlock } from '@ethereumjs/block'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import { createTxFromRLP } from '@ethereumjs/tx'
import { Account, createAddressFromString, setLengthLeft } from '@ethereumjs/util'
import { createVM, runTx } from '@ethereumjs/vm'
import { describe, expect, it } from 'vitest'
import { integerBytes } from '../../../src/base/index.ts'
import { Meter } from '../../../src/spectrum/execute/meter.ts'
import { NodeSource } from '../../../src/spectrum/execute/node-source.ts'
import { memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import { applyTransaction, workplace } from '../../../src/spectrum/execute/transaction.ts'
import { World } from '../../../src/spectrum/execute/world.ts'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { encodeTransaction, senderOf } from '../../../src/spectrum/codec/transaction.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Hash, Network, Transaction } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { PEOPLE, randomAccounts, randomPrograms, randomTransactions } from './random-town.ts'
import { COINBASE, SEALER, townNetwork } from './town.ts'

async function oracle(network: Network): Promise<Awaited<ReturnType<typeof createVM>>> {
  const common = new Common({ chain: { ...Mainnet, chainId: Number(network.chainId) }, hardfork: Hardfork.Petersburg })
  const stateManager = new MerkleStateManager({ common, trie: await createMPT({ useKeyHashing: true, common }) })
  const vm = await createVM({ common, stateManager })
  for (const { address, balanceWei, nonce = 0n, code, storage = new Map<bigint, bigint>() } of network.genesis.accounts) {
    const at = createAddressFromString(address)
    await stateManager.putAccount(at, new Account(nonce, balanceWei))
    if (code !== undefined) await stateManager.putCode(at, code)
    for (const [slot, word] of storage) await stateManager.putStorage(at, setLengthLeft(integerBytes(slot), 32), integerBytes(word))
  }
  return vm
}

describe('against @ethereumjs/vm', () => {
  it.each(['a', 'b', 'c'])('seed %s: gas, success, logs and roots', async (seed) => {
    const counts = await compare(randomTransactions(`differential ${seed}`))
    expect(counts.succeeded).toBeGreaterThan(60)
    expect(counts.failed).toBeGreaterThan(5)
    expect(counts.refused).toBeLessThan(100)
  })

  it.each(['d', 'e', 'f'])('seed %s: programs of any opcodes', async (seed) => {
    const counts = await compare(randomPrograms(seed))
    expect(counts.refused).toBe(0)
    expect(counts.succeeded).toBeGreaterThan(10)
    expect(counts.failed).toBeGreaterThan(10)
  })
})

async function compare(make: (network: Network, count: number) => Transaction[]): Promise<{ succeeded: number; failed: number; refused: number }> {
  const network = townNetwork({ people: PEOPLE, accounts: randomAccounts() })
  const vm = await oracle(network)
  const nodes = new Map<Hash, Uint8Array>()
  let { stateRoot } = genesisHeader(native, network.genesis, (hash, node) => void nodes.set(hash, node))
  expect(hexOf(await vm.stateManager.getStateRoot())).toBe(stateRoot)
  const store = memoryStateStore(nodes)
  const source = new NodeSource({ keccak: native, store, fetch: null, maxCacheBytes: 100_000 })
  let [succeeded, failed, refused] = [0, 0, 0]
  for (let number = 1; number <= 5; number++) {
    const context = { number, timeSeconds: 1_700_000_000 + number, gasLimit: 41_000_000n, difficulty: 6n, coinbase: COINBASE, signer: SEALER.address }
    const block = createBlock({ header: { number, timestamp: context.timeSeconds, gasLimit: context.gasLimit, difficulty: 6, coinbase: COINBASE } }, { common: vm.common })
    const world = new World(source, native, stateRoot)
    const place = workplace({ network, curve: native, world, meter: new Meter(1e9), block: context, blockHash: () => Promise.reject(new Error('none')) })
    let gasUsed = 0n
    for (const transaction of make(network, 40)) {
      const sender = senderOf(native, transaction, network.chainId) ?? '0x'
      const ours = await applyTransaction(place, transaction, sender, gasUsed)
      const tx = createTxFromRLP(encodeTransaction(transaction), { common: vm.common })
      const theirs = await runTx(vm, { tx, block, skipHardForkValidation: true, skipBlockGasLimitValidation: true }).catch((error: unknown) => String(error))
      if (!ours.ok || typeof theirs === 'string') {
        // Both refuse it, and for the same kind of reason.
        expect([ours.ok, typeof theirs]).toEqual([false, 'string'])
        refused++
        continue
      }
      expect(ours.gasUsed).toBe(theirs.totalGasSpent)
      expect(ours.receipt.succeeded).toBe(theirs.execResult.exceptionError === undefined)
      expect(ours.receipt.bloom).toEqual(theirs.bloom.bitvector)
      gasUsed += ours.gasUsed
      if (ours.receipt.succeeded) succeeded++
      else failed++
    }
    const commit = await world.finish()
    expect(commit.root).toBe(hexOf(await vm.stateManager.getStateRoot()))
    store.write(commit.nodes, commit.root)
    stateRoot = commit.root
  }
  return { succeeded, failed, refused }
}
