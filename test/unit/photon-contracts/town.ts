/** Our contracts deployed in a real EVM, with people who sign, and calls at heights of our choice. */
import { createHash } from 'node:crypto'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import type { EVM } from '@ethereumjs/evm'
import { Account, Address as EvmAddress } from '@ethereumjs/util'
import { Interface } from 'ethers'
import type { InterfaceAbi, Result } from 'ethers'
import { bytesOf, concatBytes, hexOf } from '../../../src/base/index.ts'
import type { Address, Hash, Hex } from '../../../src/base/index.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { MemoryState } from './memory-state.ts'
import falseToken from './artifacts/FalseToken.json' with { type: 'json' }
import feeToken from './artifacts/FeeToken.json' with { type: 'json' }
import lyingToken from './artifacts/LyingToken.json' with { type: 'json' }
import plainToken from './artifacts/PlainToken.json' with { type: 'json' }
import reenteringToken from './artifacts/ReenteringToken.json' with { type: 'json' }
import refusingToken from './artifacts/RefusingToken.json' with { type: 'json' }
import silentToken from './artifacts/SilentToken.json' with { type: 'json' }

export const CHAIN_ID = 20_180_430n
const GAS = 100_000_000n
const TOKENS = { PlainToken: plainToken, SilentToken: silentToken, FeeToken: feeToken, FalseToken: falseToken, LyingToken: lyingToken, RefusingToken: refusingToken, ReenteringToken: reenteringToken }
export type TokenName = keyof typeof TOKENS
export type ContractName = TokenName | keyof typeof PHOTON_ARTIFACTS
const ARTIFACTS = { ...TOKENS, ...PHOTON_ARTIFACTS }
const interfaces = new Map(Object.entries(ARTIFACTS).map(([name, artifact]) => [name, new Interface(artifact.abi as InterfaceAbi)]))

export const [ALICE, BOB, CAROL, DAVE, OWNER] = [1, 2, 3, 4, 5].map((number) => person(number + 500)) as [Person, Person, Person, Person, Person]

export function interfaceOf(name: ContractName): Interface {
  const found = interfaces.get(name)
  if (found === undefined) throw new Error(`no artifact of ${name}`)
  return found
}

export interface Outcome {
  /** 'ok', or what it reverted with: 'Bad(12)'. */
  readonly verdict: string
  readonly output: Hex
  readonly logs: readonly { readonly address: Address; readonly topics: readonly Hash[]; readonly data: Uint8Array }[]
  /** What a transaction pays: with the 21,000, its data, and its refunds. */
  readonly gasUsed: bigint
}

/** A call as a transaction, and what our EVM made of it. */
export interface SeenCall {
  readonly block: number
  readonly from: Address
  /** Null: a contract is made; `output` is then its address. */
  readonly to: Address | null
  readonly data: Uint8Array
  readonly gas: bigint
  readonly isOk: boolean
  readonly output: Hex
  readonly logs: Outcome['logs']
  readonly gasUsed: bigint
  readonly what: string
}

/** Another EVM, told all that a town does. */
export interface Witness {
  build(rules: Rules): Promise<void>
  saw(call: SeenCall): Promise<void>
  mark(): Promise<void>
  back(): Promise<void>
}

const known = new Map<string, Uint8Array | null>()
/** The same few signatures are recovered again and again. */
const recovered = (digest: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array): Uint8Array => {
  const signature = concatBytes(r, s, Uint8Array.of(Number(v)))
  const name = Buffer.from(concatBytes(digest, signature)).toString('latin1')
  if (known.size > 20_000) known.clear()
  const key = known.has(name) ? known.get(name) : native.recover(digest.slice(), signature, 'accept')
  known.set(name, key ?? null)
  if (key === null || key === undefined) throw new Error('nobody signed')
  return key.subarray(1)
}
const customCrypto = { keccak256: (bytes: Uint8Array) => native.keccak256(bytes), sha256: (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()), ecrecover: recovered }

/** The chain knows the first two; the others are for comparison. */
export type Rules = 'byzantium' | 'petersburg' | 'istanbul' | 'london'
const HARDFORKS: Readonly<Record<Rules, Hardfork>> = { byzantium: Hardfork.Byzantium, petersburg: Hardfork.Petersburg, istanbul: Hardfork.Istanbul, london: Hardfork.London }

/** What a byte of data other than zero costs. */
const DATA_GAS: Readonly<Record<Rules, bigint>> = { byzantium: 68n, petersburg: 68n, istanbul: 16n, london: 16n }
const MAKER: Address = `0x${'dd'.repeat(20)}`

export class Town {
  /** Of all towns that are built from now on. */
  static witness: Witness | null = null
  static rules: Rules = 'byzantium'
  number = 1000
  readonly #rules: Rules
  readonly #witness: Witness | null = Town.witness
  readonly #evm: EVM
  readonly #state: MemoryState
  #deployed = 0
  #last: Promise<unknown> = Promise.resolve()
  #names = new Map<Address, ContractName>()
  registry: Address = '0x'
  photon: Address = '0x'
  purse: Address = '0x'

  private constructor(rules: Rules, evm: EVM, state: MemoryState) {
    this.#rules = rules
    this.#evm = evm
    this.#state = state
  }

  static async build(rules = Town.rules): Promise<Town> {
    const common = new Common({ chain: Mainnet, hardfork: HARDFORKS[rules], customCrypto })
    const state = new MemoryState()
    const town = new Town(rules, await createEVM({ common, stateManager: state }), state)
    await town.#witness?.build(rules)
    town.registry = await town.deploy('SecretRegistry')
    town.photon = await town.deploy('PhotonV2', CHAIN_ID, town.registry)
    town.purse = await town.deploy('Purse', CHAIN_ID, town.photon)
    return town
  }

  deployGas = 0n

  /** Errors: where the constructor reverts. */
  async deploy(name: ContractName, ...values: readonly unknown[]): Promise<Address> {
    const deployer = new EvmAddress(bytesOf(MAKER))
    await this.#state.putAccount(deployer, new Account(BigInt(++this.#deployed), 0n))
    const creation = bytesOf(`${ARTIFACTS[name].bytecode}${interfaceOf(name).encodeDeploy(values).slice(2)}` as Hex)
    this.#warm(MAKER, null)
    const { createdAddress, execResult } = await this.#evm.runCall({ caller: deployer, origin: deployer, data: creation, gasLimit: GAS, skipNonceIncrement: true, block: this.#block() })
    await this.#over()
    if (createdAddress === undefined || execResult.exceptionError !== undefined) throw new Error(`${name} was not deployed: ${verdictOf(name, execResult.returnValue)}`)
    const intrinsic = 53_000n + dataGas(creation, DATA_GAS[this.#rules])
    this.deployGas = execResult.executionGasUsed + intrinsic
    const address = createdAddress.toString() as Address
    await this.#witness?.saw({ block: this.number, from: MAKER, to: null, data: creation, gas: GAS + intrinsic, isOk: true, output: address, logs: [], gasUsed: this.deployGas, what: `making ${name}` })
    this.#names.set(address, name)
    return address
  }

  /** The next call is a transaction of its own, also for what storage cost before it. */
  async #over(): Promise<void> {
    await this.#evm.journal.cleanup()
    this.#state.clearCaches()
  }

  /** EIP-2929: whom a transaction has touched when it begins. */
  #warm(from: Address, to: Address | null): void {
    if (this.#rules !== 'london') return
    for (const precompile of this.#evm.precompiles.keys()) this.#evm.journal.addAlwaysWarmAddress(precompile)
    for (const one of [from, to]) if (one !== null) this.#evm.journal.addAlwaysWarmAddress(one.slice(2))
  }

  #block(): never {
    const zero = new EvmAddress(new Uint8Array(20))
    return { header: { number: BigInt(this.number), coinbase: zero, timestamp: BigInt(this.number), difficulty: 6n, prevRandao: new Uint8Array(32), gasLimit: GAS, cliqueSigner: () => zero, getBlobGasPrice: () => undefined } } as never
  }

  /** One after the other, also when a test asks for several at once: the EVM has one journal. */
  raw(from: Address, to: Address, data: Uint8Array, gasLimit = GAS): Promise<Outcome> {
    const outcome = this.#last.then(() => this.#run(from, to, data, gasLimit))
    this.#last = outcome.catch(() => undefined)
    return outcome
  }

  async #run(from: Address, to: Address, data: Uint8Array, gasLimit: bigint): Promise<Outcome> {
    const caller = new EvmAddress(bytesOf(from))
    this.#warm(from, to)
    const { execResult } = await this.#evm.runCall({ caller, origin: caller, to: new EvmAddress(bytesOf(to)), data, gasLimit, skipNonceIncrement: true, block: this.#block() })
    await this.#over()
    const isOk = execResult.exceptionError === undefined
    const logs = (isOk ? (execResult.logs ?? []) : []).map(([address, topics, bytes]) => ({ address: hexOf(address), topics: topics.map(hexOf), data: bytes }))
    const intrinsic = 21_000n + dataGas(data, DATA_GAS[this.#rules])
    const spent = execResult.executionGasUsed + intrinsic
    const refund = isOk ? (execResult.gasRefund ?? 0n) : 0n
    const most = spent / (this.#rules === 'london' ? 5n : 2n)
    const name = this.#names.get(to) ?? 'PhotonV2'
    const outcome: Outcome = { verdict: isOk ? 'ok' : verdictOf(name, execResult.returnValue), output: hexOf(execResult.returnValue), logs, gasUsed: spent - (refund < most ? refund : most) }
    await this.#witness?.saw({ block: this.number, from, to, data, gas: gasLimit + intrinsic, isOk, ...outcome, what: `${name} ${hexOf(data.subarray(0, 4))} (${outcome.verdict})` })
    return outcome
  }

  /** A call by name of the contract that stands at `to`. */
  call(from: Address, to: Address, method: string, ...values: readonly unknown[]): Promise<Outcome> {
    return this.raw(from, to, this.data(to, method, ...values))
  }

  data(to: Address, method: string, ...values: readonly unknown[]): Uint8Array {
    const name = this.#names.get(to)
    if (name === undefined) throw new Error(`nothing of ours at ${to}`)
    return bytesOf(interfaceOf(name).encodeFunctionData(method, values) as Hex)
  }

  async ask(to: Address, method: string, ...values: readonly unknown[]): Promise<Result> {
    const { verdict, output } = await this.call(ALICE.address, to, method, ...values)
    if (verdict !== 'ok') throw new Error(`${method}: ${verdict}`)
    return interfaceOf(this.#names.get(to) ?? 'PhotonV2').decodeFunctionResult(method, output)
  }

  async number256(to: Address, method: string, ...values: readonly unknown[]): Promise<bigint> {
    return BigInt(String((await this.ask(to, method, ...values))[0]))
  }

  balance(token: Address, owner: Address): Promise<bigint> {
    return this.number256(token, 'balanceOf', owner)
  }

  async word(contract: Address, slot: bigint): Promise<bigint> {
    const key = bytesOf(`0x${slot.toString(16).padStart(64, '0')}`)
    return BigInt(`0x0${Buffer.from(await this.#state.getStorage(new EvmAddress(bytesOf(contract)), key)).toString('hex')}`)
  }

  /** A token where everybody named has `amount`, all of it allowed to `spender`. */
  async token(name: TokenName, amount: bigint, people: readonly Address[] = [ALICE.address, BOB.address, CAROL.address, OWNER.address], spenders: readonly Address[] = [this.photon, this.purse]): Promise<Address> {
    const token = await this.deploy(name)
    for (const one of people) {
      await this.call(one, token, 'mint', one, amount)
      for (const spender of spenders) await this.call(one, token, 'approve', spender, 2n ** 255n)
    }
    return token
  }

  async mark(): Promise<void> {
    await this.#witness?.mark()
    await this.#state.checkpoint()
  }

  /** Back to the last mark. */
  async back(): Promise<void> {
    await this.#witness?.back()
    await this.#state.revert()
  }
}

function verdictOf(name: ContractName, output: Uint8Array): string {
  if (output.length < 4) return 'reverted'
  const parsed = interfaceOf(name).parseError(hexOf(output))
  return parsed === null ? hexOf(output) : `${parsed.name}(${parsed.args.map(String).join(',')})`
}

function dataGas(data: Uint8Array, perByte: bigint): bigint {
  let zeros = 0n
  for (const byte of data) if (byte === 0) zeros++
  return zeros * 4n + (BigInt(data.length) - zeros) * perByte
}
