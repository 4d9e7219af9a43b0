/**
 * An executor and its proved state, in memory: balances and nonces only, no EVM. Roots are hashes of what made
 * the state, so two boxes that run the same block get the same root, and another block another one.
 */
import { concatBytes, integerBytes } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { blockRewardWei, feeRecipient } from '../../../src/spectrum/rules/economy.ts'
import { excludedFrom, pickVolunteer } from '../../../src/spectrum/rules/volunteer.ts'
import { EMPTY_CODE_HASH } from '../../../src/spectrum/proof/account.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/proof/read-trie.ts'
import { bloomOfLogs } from '../../../src/spectrum/codec/receipt.ts'
import { encodeTransaction, senderOf } from '../../../src/spectrum/codec/transaction.ts'
import { bytesOf, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hash, Header, Network, Receipt, Transaction } from '../../../src/spectrum/index.ts'
import type { Block, Built, Draft, Executed, Executor, ProvedState } from '../../../src/spectrum/ports.ts'
import type { Refusal } from '../../../src/spectrum/rules/codes.ts'
import { native } from '../spectrum/curves.ts'

interface Purse {
  readonly nonce: bigint
  readonly balanceWei: bigint
}
type State = ReadonlyMap<Address, Purse>

const EMPTY: Purse = { nonce: 0n, balanceWei: 0n }
const TRANSFER_GAS = 21_000n

export class LedgerState implements Pick<Executor, 'hasState' | 'build' | 'execute'>, Pick<ProvedState, 'account' | 'round' | 'volunteer'> {
  readonly network: Network
  /** What the VRF picks from. */
  miners: readonly Address[] = []
  /** Thrown by the next calls of `build` that have candidates. */
  buildFault: Error | null = null
  executions = 0
  readonly #states = new Map<Hash, State>()

  constructor(network: Network, genesis: Header, purses: readonly (readonly [Address, bigint])[] = []) {
    this.network = network
    this.#states.set(genesis.stateRoot, new Map(purses.map(([address, balanceWei]) => [address, { nonce: 0n, balanceWei }])))
  }

  hasState(root: Hash): boolean {
    return this.#states.has(root)
  }

  forgetState(root: Hash): void {
    this.#states.delete(root)
  }

  async build(draft: Draft): Promise<Built> {
    if (this.buildFault !== null && draft.candidates.length > 0) throw this.buildFault
    const { state, receipts, transactions, refused } = this.#run(draft.parent, draft, [draft.chief], draft.candidates, draft.maxGas)
    return { transactions, receipts, stateRoot: this.#rootOf(draft.parent, draft, transactions, state), gasUsed: receipts.at(-1)?.cumulativeGasUsed ?? 0n, bloom: bloomOfLogs(native, []), refused }
  }

  async execute(parent: Header, block: Block): Promise<Executed | Refusal> {
    this.executions++
    const { header, body } = block
    const at = { number: header.number, coinbase: header.coinbase, timeSeconds: header.timeSeconds }
    const { state, receipts, transactions } = this.#run(parent, at, body.transactions, [], header.gasLimit)
    if (transactions.length !== body.transactions.length) return { ok: false, code: 'errInvalidGasUsed', reason: 'a transaction cannot be paid' }
    const root = this.#rootOf(parent, at, transactions, state)
    if (root !== header.stateRoot) return { ok: false, code: 'errInvalidReceiptsRoot', reason: `state root ${root}` }
    this.#states.set(root, state)
    return { ok: true, receipts }
  }

  async account(at: Header, address: Address): Promise<{ nonce: bigint; balanceWei: bigint; storageRoot: Hash; codeHash: Hash }> {
    return { ...(this.#at(at).get(address) ?? EMPTY), storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH }
  }

  async round(): Promise<null> {
    return null
  }

  async volunteer(_parent: Header, header: Header, round: Parameters<typeof excludedFrom>[0]): Promise<Address> {
    return pickVolunteer(header, this.miners, excludedFrom(round))
  }

  #at(header: Header): State {
    const state = this.#states.get(header.stateRoot)
    if (state === undefined) throw new Error(`no state of block ${header.number}`)
    return state
  }

  #run(parent: Header, block: { number: number; coinbase: Address }, must: readonly Transaction[], candidates: readonly Transaction[], maxGas: bigint) {
    const state = new Map(this.#at(parent))
    const receipts: Receipt[] = []
    const transactions: Transaction[] = []
    const refused: { hash: Hash; reason: string }[] = []
    let gasUsed = 0n
    const add = (address: Address, wei: bigint): void => {
      const purse = state.get(address) ?? EMPTY
      state.set(address, { ...purse, balanceWei: purse.balanceWei + wei })
    }
    for (const transaction of [...must, ...candidates]) {
      const sender = senderOf(native, transaction, this.network.chainId)
      const isChief = transactions.length === 0
      const gas = isChief ? 0n : TRANSFER_GAS
      if (sender === null || gasUsed + (isChief ? 0n : transaction.gas) > maxGas) continue
      const purse = state.get(sender) ?? EMPTY
      if (transaction.nonce < purse.nonce) refused.push({ hash: hashTransaction(native, transaction), reason: 'nonce too low' })
      const cost = isChief ? 0n : transaction.valueWei + transaction.gas * transaction.gasPriceWei
      if (transaction.nonce !== purse.nonce || cost > purse.balanceWei) continue
      state.set(sender, { nonce: purse.nonce + 1n, balanceWei: purse.balanceWei })
      if (!isChief) {
        add(sender, -transaction.valueWei - gas * transaction.gasPriceWei)
        if (transaction.to !== null) add(transaction.to, transaction.valueWei)
        add(feeRecipient(this.network, { coinbase: block.coinbase, signer: sender }, { to: transaction.to, sender }), gas * transaction.gasPriceWei)
      }
      gasUsed += gas
      receipts.push({ succeeded: true, cumulativeGasUsed: gasUsed, bloom: bloomOfLogs(native, []), logs: [] })
      transactions.push(transaction)
    }
    add(block.coinbase, blockRewardWei(this.network, block.number))
    return { state, receipts, transactions, refused }
  }

  #rootOf(parent: Header, block: { number: number; timeSeconds: number; coinbase: Address }, transactions: readonly Transaction[], state: State): Hash {
    const entries = [...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([address, { nonce, balanceWei }]) => `${address} ${nonce} ${balanceWei}`)
    return hexOf(
      native.keccak256(
        concatBytes(bytesOf(parent.stateRoot), integerBytes(block.number), integerBytes(block.timeSeconds), bytesOf(block.coinbase), ...transactions.map(encodeTransaction), Buffer.from(entries.join('\n'))),
      ),
    )
  }
}
