/** A community chain that runs: people with money, a chief of a few opcodes, and blocks that are built, sealed and executed. */
import { concatBytes } from '../../../src/base/index.ts'
import { createInlineExecutor, memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import type { EngineOptions, StateStore } from '../../../src/spectrum/execute/inline.ts'
import { chiefTransaction } from '../../../src/spectrum/rules/verify-body.ts'
import { customNetwork } from '../../../src/spectrum/network/custom.ts'
import { EMPTY_UNCLE_HASH, genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { receiptsRootOf, transactionsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hashHeader, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, ZERO_HASH } from '../../../src/spectrum/codec/fields.ts'
import type { Address, GenesisAccount, Header, Network, Transaction, UnsignedTransaction } from '../../../src/spectrum/index.ts'
import type { Block, Built, Draft, Executor } from '../../../src/spectrum/ports.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { assemble } from './assembly.ts'

export const address = (byte: string): Address => `0x${byte.repeat(20)}`
export const [CHIEF, BASE, POC] = [address('0c'), address('0b'), address('0d')]
export const COINBASE = address('c0')
export const SEALER = person(0)
export const SMT = 10n ** 18n
export const GAS_PRICE = 10n ** 9n

/** update(): counts blocks in slot 4, and tells the volunteer's word. */
export const CHIEF_CODE = assemble('NUMBER', 4, 'SSTORE', 4, 'CALLDATALOAD', 0, 'MSTORE', 32, 0, 'LOG0', 'STOP')

export interface TownOptions {
  readonly people?: readonly Person[]
  readonly accounts?: readonly GenesisAccount[]
  readonly chiefCode?: Uint8Array
  readonly sip004?: number
}

export function townNetwork(options: TownOptions = {}): Network {
  const { people = [], accounts = [], chiefCode = CHIEF_CODE } = options
  const network = customNetwork(native, {
    name: 'town',
    chainId: 777_002n,
    networkId: 777_002,
    periodSeconds: 2,
    genesis: {
      timeSeconds: 1_700_000_000,
      difficulty: 1n,
      gasLimit: 41_000_000n,
      signer: SEALER.address,
      accounts: [{ address: CHIEF, balanceWei: 0n, nonce: 1n, code: chiefCode }, ...people.map((one) => ({ address: one.address, balanceWei: 1000n * SMT })), ...accounts],
    },
    chief: CHIEF,
    chiefBase: BASE,
    poc: POC,
    anmap: null,
  })
  return options.sip004 === undefined ? network : { ...network, forks: { ...network.forks, sip004: options.sip004 } }
}

export interface Town {
  readonly network: Network
  readonly executor: Executor
  readonly genesis: Header
  /** Built by the executor on `parent`, and sealed; not executed. */
  block(parent: Header, candidates: readonly Transaction[], change?: Partial<Draft>): Promise<{ readonly block: Block; readonly built: Built }>
  /** Built, sealed and executed. Throws where the executor refuses what it built. */
  next(parent: Header, candidates: readonly Transaction[], change?: Partial<Draft>): Promise<Block>
}

export async function town(options: TownOptions = {}, engine: Partial<EngineOptions> = {}): Promise<Town> {
  const network = townNetwork(options)
  const store: StateStore = engine.store ?? memoryStateStore()
  const executor = createInlineExecutor({ curve: native, fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 8 << 20, ...engine, store })
  return townOver(network, executor)
}

export async function townOver(network: Network, executor: Executor): Promise<Town> {
  await executor.begin(network)
  const genesis = genesisHeader(native, network.genesis)
  const block: Town['block'] = async (parent, candidates, change = {}) => {
    const draft = draftOn(network, parent, candidates, change)
    const built = await executor.build(draft)
    return { built, block: sealed(draft, built) }
  }
  return {
    network,
    executor,
    genesis,
    block,
    next: async (parent, candidates, change) => {
      const made = await block(parent, candidates, change)
      const verdict = await executor.execute(parent, made.block)
      if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.reason}`)
      return made.block
    },
  }
}

export function draftOn(network: Network, parent: Header, candidates: readonly Transaction[], change: Partial<Draft> = {}): Draft {
  const number = parent.number + 1
  return {
    parent,
    number,
    timeSeconds: parent.timeSeconds + 2,
    coinbase: COINBASE,
    signer: SEALER.address,
    gasLimit: parent.gasLimit,
    difficulty: 6n,
    chief: chiefOf(network, number),
    candidates,
    maxGas: 40_000_000n,
    ...change,
  }
}

/** The sealer sends nothing but this: its nonce is the number of blocks before. */
export function chiefOf(network: Network, number: number, change: Partial<UnsignedTransaction> = {}): Transaction {
  const unsigned = chiefTransaction(network, number, BigInt(number - 1), ZERO_ADDRESS)
  if (unsigned === null) throw new Error('no chief')
  return signTransaction(native, { ...unsigned, ...change }, network.chainId, SEALER.key)
}

export function sealed(draft: Draft, built: Built): Block {
  const header: Header = {
    parentHash: hashHeader(native, draft.parent),
    uncleHash: EMPTY_UNCLE_HASH,
    coinbase: draft.coinbase,
    stateRoot: built.stateRoot,
    transactionsRoot: transactionsRootOf(native, built.transactions),
    receiptsRoot: receiptsRootOf(native, built.receipts),
    bloom: built.bloom,
    difficulty: draft.difficulty,
    number: draft.number,
    gasLimit: draft.gasLimit,
    gasUsed: built.gasUsed,
    timeSeconds: draft.timeSeconds,
    extra: concatBytes(new Uint8Array(161), new Uint8Array(65)),
    mixDigest: ZERO_HASH,
    nonce: '0x0000000000000000',
  }
  return { header: sealHeader(native, header, SEALER.key), body: { transactions: built.transactions, uncles: [] } }
}

export function send(network: Network, from: Person, nonce: bigint | number, change: Partial<UnsignedTransaction>): Transaction {
  return signTransaction(native, { nonce: BigInt(nonce), gasPriceWei: GAS_PRICE, gas: 21_000n, to: COINBASE, valueWei: 0n, data: new Uint8Array(0), ...change }, network.chainId, from.key)
}
