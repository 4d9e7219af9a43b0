/**
 * Contracts in a real EVM (Petersburg), without blocks and fees around them: calls at a given height, and the state
 * after them as the account list that a genesis is made of, so that proofs can be read from it.
 */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import type { EVM } from '@ethereumjs/evm'
import { SimpleStateManager } from '@ethereumjs/statemanager'
import { Account, Address as EvmAddress, setLengthLeft } from '@ethereumjs/util'
import { Interface } from 'ethers'
import type { InterfaceAbi, Result } from 'ethers'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { bytesOf, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, GenesisAccount, Hash, Hex, LogEntry, NodeSource } from '../../../src/spectrum/index.ts'
import { integerBytes } from '../../../src/base/index.ts'
import { ARTIFACTS } from '../../../src/spectrum/community/artifacts.ts'
import type { ContractName } from '../../../src/spectrum/community/index.ts'
import { native } from '../spectrum/curves.ts'

const GAS = 1n << 40n
const common = new Common({ chain: Mainnet, hardfork: Hardfork.Petersburg, customCrypto: { keccak256: (bytes) => native.keccak256(bytes) } })

export interface Call {
  readonly from: Address
  readonly to: Address
  readonly data: Uint8Array
  readonly valueWei?: bigint
  readonly number: number
}

export interface Outcome {
  readonly isOk: boolean
  readonly output: Hex
  readonly logs: readonly LogEntry[]
}

export class World {
  private readonly evm: EVM
  private readonly state: SimpleStateManager

  private constructor(evm: EVM, state: SimpleStateManager) {
    this.evm = evm
    this.state = state
  }

  static async of(accounts: readonly GenesisAccount[]): Promise<World> {
    const state = new SimpleStateManager({ common })
    const evm = await createEVM({ common, stateManager: state, allowUnlimitedContractSize: true })
    const world = new World(evm, state)
    for (const account of accounts) await world.put(account)
    return world
  }

  async put(account: GenesisAccount): Promise<void> {
    const address = evmAddress(account.address)
    await this.state.putAccount(address, new Account(account.nonce ?? 0n, account.balanceWei))
    if (account.code !== undefined) await this.state.putCode(address, account.code)
    for (const [slot, word] of account.storage ?? []) await this.write(account.address, slot, word)
  }

  async write(address: Address, slot: bigint, word: bigint): Promise<void> {
    await this.state.putStorage(evmAddress(address), setLengthLeft(integerBytes(slot), 32), integerBytes(word))
  }

  /** A constructor at an address of our choice: what it leaves is there afterwards. Errors: where it fails. */
  async construct(address: Address, creation: Uint8Array, number: number): Promise<void> {
    await this.put({ address, balanceWei: 0n, nonce: 1n, code: creation })
    const { isOk, output } = await this.call({ from: address, to: address, data: new Uint8Array(0), number })
    if (!isOk) throw new Error(`the constructor at ${address} failed: ${output}`)
    await this.state.putCode(evmAddress(address), bytesOf(output))
  }

  /** As a transaction would: kept where it succeeds. */
  async call(call: Call): Promise<Outcome> {
    const { execResult } = await this.evm.runCall({
      caller: evmAddress(call.from),
      origin: evmAddress(call.from),
      to: evmAddress(call.to),
      data: call.data,
      value: call.valueWei ?? 0n,
      gasLimit: GAS,
      skipNonceIncrement: true,
      block: { header: { number: BigInt(call.number), coinbase: evmAddress(`0x${'00'.repeat(20)}`), timestamp: BigInt(call.number), difficulty: 6n, prevRandao: new Uint8Array(32), gasLimit: GAS, cliqueSigner: () => evmAddress(call.from), getBlobGasPrice: () => undefined } } as never,
    })
    await this.evm.journal.cleanup()
    const isOk = execResult.exceptionError === undefined
    const logs = (isOk ? (execResult.logs ?? []) : []).map(([address, topics, data]): LogEntry => ({ address: hexOf(address), topics: topics.map(hexOf), data }))
    return { isOk, output: hexOf(execResult.returnValue), logs }
  }

  balance(address: Address): bigint {
    return this.state.accountStack.at(-1)?.get(address)?.balance ?? 0n
  }

  /** Slot → word, without zeros. */
  storage(address: Address): ReadonlyMap<bigint, bigint> {
    const out = new Map<bigint, bigint>()
    for (const [key, bytes] of this.state.storageStack.at(-1) ?? []) {
      const [owner, slot] = key.split('_')
      const word = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
      if (owner === address && slot !== undefined && word !== 0n) out.set(BigInt(slot.startsWith('0x') ? slot : `0x${slot}`), word)
    }
    return out
  }

  code(address: Address): Hex {
    return hexOf(this.state.codeStack.at(-1)?.get(address) ?? new Uint8Array(0))
  }

  /** The root and the nodes of a state of these contracts alone. */
  proofs(addresses: readonly Address[]): { readonly stateRoot: Hash; readonly nodeOf: NodeSource } {
    const nodes = new Map<Hash, Uint8Array>()
    const accounts = addresses.map((address): GenesisAccount => ({ address, balanceWei: this.balance(address), nonce: 1n, code: bytesOf(this.code(address)), storage: this.storage(address) }))
    const header = genesisHeader(native, { timeSeconds: 0, difficulty: 1n, gasLimit: 0n, signer: `0x${'00'.repeat(20)}`, accounts }, (hash, node) => nodes.set(hash, node))
    return { stateRoot: header.stateRoot, nodeOf: (hash) => nodes.get(hash) }
  }
}

const interfaces = new Map(Object.entries(ARTIFACTS).map(([name, artifact]) => [name, new Interface(artifact.abi as InterfaceAbi)]))

export function interfaceOf(name: ContractName): Interface {
  const found = interfaces.get(name)
  if (found === undefined) throw new Error(`no artifact of ${name}`)
  return found
}

/** Data of a call of one of our contracts. */
export function data(name: ContractName, method: string, ...values: readonly unknown[]): Uint8Array {
  return bytesOf(interfaceOf(name).encodeFunctionData(method, values) as Hex)
}

export function decode(name: ContractName, method: string, output: Hex): Result {
  return interfaceOf(name).decodeFunctionResult(method, output)
}

/** Addresses of a result in our lower-case form. */
export function addressesOf(list: unknown): readonly Address[] {
  if (!Array.isArray(list)) throw new Error('not a list in the result')
  return Array.from(list as readonly unknown[], (one) => String(one).toLowerCase() as Address)
}

function evmAddress(address: Address): EvmAddress {
  return new EvmAddress(bytesOf(address))
}
