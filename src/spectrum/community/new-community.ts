/**
 * Makes a community's own chain: the genesis with our contracts in it (spec 1.2, 2.10), and the network's
 * parameters. All contracts lie at fixed addresses, whose keys nobody can have. docs/community-chain.md
 */
import { inputError } from '../../base/index.ts'
import { ZERO_ADDRESS, bytesOf } from '../codec/fields.ts'
import type { Address, Keccak } from '../codec/fields.ts'
import { customNetwork } from '../network/custom.ts'
import type { CustomNetwork } from '../network/custom.ts'
import type { GenesisAccount, Network } from '../network/network.ts'
import { MAX_SIGNERS } from '../rules/round.ts'
import { ARTIFACTS } from './artifacts.ts'
import type { ContractName } from './artifacts.ts'
import { baseStorage, chiefStorage, pocStorage, tokenStorage } from './contract-storage.ts'
import type { Miner, Storage, TokenStorage } from './contract-storage.ts'
import { PARAMETERS_ADDRESS, parametersAccount } from './parameters.ts'
import type { Parameters } from './parameters.ts'

export interface CommunitySettings {
  /** 1 to 32 of a-z, 0-9 and -. */
  readonly name: string
  readonly chainId: bigint
  /** Of the peer-to-peer handshake. Default: the chain id's low 32 bits. */
  readonly networkId?: number
  /** P: a block is made every P - 1 seconds while everybody keeps its slot. 2 or more. */
  readonly periodSeconds: number
  /** Blocks after which missed slots are forgiven. */
  readonly epochBlocks: number
  /** Blocks in a round: 1 has leaders take turns, block by block, and no miners. See `fitSignerLimit`. */
  readonly signerLimit: number
  /** Of the first block's parent. Not in the future of any box that is to start. */
  readonly startSeconds: number
  /** Adds and removes leaders. */
  readonly owner: Address
  /** 1 to 5, in the order of their turns. */
  readonly leaders: readonly Address[]
  readonly miners: readonly Miner[]
  /** Of miners that come later too. 8 wei or more. */
  readonly minDepositWei: bigint
  /** Blocks after which the least deposit halves, three times at most. */
  readonly halvingBlocks: number
  /** Blocks from stop to withdrawal. */
  readonly withdrawWaitBlocks: number
  readonly allocations: readonly Allocation[]
  /** The community's own ERC-20; all of it goes to one holder. */
  readonly token: (TokenStorage & { readonly holder: Address }) | null
  /** Of other rooms, which say what is in them: payment channels, for one. Default: none. */
  readonly moreContracts?: readonly GenesisAccount[]
}

export interface Allocation {
  readonly address: Address
  readonly balanceWei: bigint
}

export interface Community {
  /** What `customNetwork` makes the network of. */
  readonly custom: CustomNetwork
  readonly network: Network
}

/** `MeshBox`, zeros, a number. */
export const COMMUNITY_ADDRESSES: Readonly<Record<ContractName, Address>> = {
  Chief: '0x4d657368426f7800000000000000000000001001',
  ChiefBase: '0x4d657368426f7800000000000000000000001002',
  Poc: '0x4d657368426f7800000000000000000000001003',
  Anmap: '0x4d657368426f7800000000000000000000001004',
  WrappedSmt: '0x4d657368426f7800000000000000000000001005',
  CommunityToken: '0x4d657368426f7800000000000000000000001006',
}

const MAX_COMMUNITY_LEADERS = 5
export const MAX_GENESIS_MINERS = 256
const MAX_ALLOCATIONS = 1024
/** Halved three times it is still something. */
const MIN_DEPOSIT_WEI = 8n
const WRAPPED_SMT: TokenStorage = { name: 'Wrapped SMT', symbol: 'WSMT', decimals: 18, supply: 0n, holder: null }
/** SIP004's least: it never has to fall. */
const GENESIS_GAS = 40_000_000n
const GENESIS_DIFFICULTY = 1n
/** Contracts begin with nonce 1 (EIP-161). */
const CONTRACT_NONCE = 1n
const MAX_BLOCKS = 2 ** 32 - 1
/** Of all balances together: sums of them stay far from 2^256. */
const MAX_TOTAL_WEI = 2n ** 128n
const MAX_WORD = 2n ** 256n - 1n
const MAX_DECIMALS = 36
const PUBLIC_SIGNER_LIMIT = 17

/**
 * The longest round whose places are all taken, up to the public network's 17. Who has a place in a round cannot be
 * picked for the next, so it takes two miners for each place but the leader's; with none, leaders take turns alone.
 */
export function fitSignerLimit(minerCount: number): number {
  return Math.min(PUBLIC_SIGNER_LIMIT, 1 + Math.floor(minerCount / 2))
}

/** Errors: input, naming the field. */
export function newCommunity(keccak: Keccak, settings: CommunitySettings): Community {
  check(settings)
  const at = COMMUNITY_ADDRESSES
  const [leader] = settings.leaders
  if (leader === undefined) throw inputError('leaders', 0, `1 to ${MAX_COMMUNITY_LEADERS}`)
  const { signerLimit, epochBlocks, miners, minDepositWei, halvingBlocks, withdrawWaitBlocks, token } = settings
  const deposits = miners.reduce((sum, miner) => sum + miner.depositWei, 0n)
  const contracts = [
    contract('Chief', chiefStorage(keccak, at.ChiefBase, leader, signerLimit)),
    contract('ChiefBase', baseStorage(keccak, { owner: settings.owner, chief: at.Chief, poc: at.Poc, epochBlocks, signerLimit, leaders: settings.leaders })),
    contract('Poc', pocStorage(keccak, { base: at.ChiefBase, minDepositWei, withdrawWaitBlocks, halvingBlocks, miners }), deposits),
    contract('Anmap', new Map()),
    contract('WrappedSmt', tokenStorage(keccak, WRAPPED_SMT)),
    ...(token === null ? [] : [contract('CommunityToken', tokenStorage(keccak, token))]),
    ...(settings.moreContracts ?? []),
  ]
  const parameters: Parameters = {
    name: settings.name,
    chainId: settings.chainId,
    networkId: settings.networkId ?? networkIdOf(settings.chainId),
    periodSeconds: settings.periodSeconds,
    chief: at.Chief,
    chiefBase: at.ChiefBase,
    poc: at.Poc,
    anmap: at.Anmap,
  }
  const genesis = { timeSeconds: settings.startSeconds, difficulty: GENESIS_DIFFICULTY, gasLimit: GENESIS_GAS, signer: leader }
  // It checks them: what is hashed next has to have a form.
  customNetwork(keccak, { ...parameters, genesis: { ...genesis, accounts: [] } })
  const people = settings.allocations.map(({ address, balanceWei }) => ({ address, balanceWei }))
  const custom: CustomNetwork = { ...parameters, genesis: { ...genesis, accounts: [parametersAccount(keccak, parameters), ...contracts, ...people] } }
  return { custom, network: customNetwork(keccak, custom) }
}

function contract(name: ContractName, storage: Storage, balanceWei = 0n): GenesisAccount {
  return { address: COMMUNITY_ADDRESSES[name], balanceWei, nonce: CONTRACT_NONCE, code: bytesOf(ARTIFACTS[name].runtime), storage }
}

/** 0 is none. */
function networkIdOf(chainId: bigint): number {
  return Number(BigInt.asUintN(32, chainId)) || 1
}

function check(settings: CommunitySettings): void {
  const { leaders, miners, allocations, token } = settings
  checkWhole('signerLimit', settings.signerLimit, 1, MAX_SIGNERS)
  checkWhole('epochBlocks', settings.epochBlocks, 1, MAX_BLOCKS)
  checkWhole('halvingBlocks', settings.halvingBlocks, 1, MAX_BLOCKS)
  checkWhole('withdrawWaitBlocks', settings.withdrawWaitBlocks, 0, MAX_BLOCKS)
  checkAmount('minDepositWei', settings.minDepositWei, MIN_DEPOSIT_WEI, MAX_TOTAL_WEI)
  checkAddress('owner', settings.owner)
  checkCount('leaders', leaders, 1, MAX_COMMUNITY_LEADERS)
  leaders.forEach((leader, index) => { checkAddress(`leaders[${index}]`, leader) })
  checkDifferent('leaders', leaders)
  checkCount('miners', miners, 0, MAX_GENESIS_MINERS)
  miners.forEach((one, index) => {
    checkAddress(`miners[${index}].miner`, one.miner)
    checkAddress(`miners[${index}].owner`, one.owner)
    checkAmount(`miners[${index}].depositWei`, one.depositWei, settings.minDepositWei, MAX_TOTAL_WEI)
    // A leader with a place of its own in the round cannot stand in for the round's leader: if all have one, a
    // single box that is switched off stops the chain.
    if (leaders.includes(one.miner)) throw inputError(`miners[${index}].miner`, one.miner, 'a miner that is not a leader')
  })
  checkDifferent('miners', miners.map((one) => one.miner))
  checkCount('allocations', allocations, 0, MAX_ALLOCATIONS)
  const more = (settings.moreContracts ?? []).map((one) => one.address)
  const own: readonly string[] = [PARAMETERS_ADDRESS, ...Object.values(COMMUNITY_ADDRESSES)]
  more.forEach((address, index) => {
    checkAddress(`moreContracts[${index}].address`, address)
    if (own.includes(address)) throw inputError(`moreContracts[${index}].address`, address, "none of the chain's own contracts")
  })
  checkDifferent('moreContracts', more)
  const contracts: readonly string[] = [...own, ...more]
  allocations.forEach(({ address, balanceWei }, index) => {
    checkAddress(`allocations[${index}].address`, address)
    checkAmount(`allocations[${index}].balanceWei`, balanceWei, 1n, MAX_TOTAL_WEI)
    if (contracts.includes(address)) throw inputError(`allocations[${index}].address`, address, 'no address of a contract')
  })
  checkDifferent('allocations', allocations.map((one) => one.address))
  const total = [...allocations.map((one) => one.balanceWei), ...miners.map((one) => one.depositWei)].reduce((sum, wei) => sum + wei, 0n)
  if (total > MAX_TOTAL_WEI) throw inputError('allocations', total, `at most ${MAX_TOTAL_WEI} wei together with the deposits`)
  if (token !== null) checkToken(token)
}

function checkToken(token: NonNullable<CommunitySettings['token']>): void {
  // Printable ASCII: it is shown to people who pay with it, and must not look like another.
  if (!/^[!-~](?:[ -~]{0,29}[!-~])?$/.test(token.name)) throw inputError('token.name', token.name, '1 to 31 printable ASCII characters, no space at either end')
  if (!/^[A-Za-z0-9]{1,11}$/.test(token.symbol)) throw inputError('token.symbol', token.symbol, '1 to 11 letters and digits')
  checkWhole('token.decimals', token.decimals, 0, MAX_DECIMALS)
  checkAmount('token.supply', token.supply, 1n, MAX_WORD)
  checkAddress('token.holder', token.holder)
}

function checkWhole(field: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}`)
}

function checkAmount(field: string, value: bigint, least: bigint, most: bigint): void {
  if (value < least || value > most) throw inputError(field, value, `${least} to ${most}`)
}

function checkCount(field: string, list: readonly unknown[], least: number, most: number): void {
  if (list.length < least || list.length > most) throw inputError(field, list.length, `${least} to ${most}`)
}

function checkAddress(field: string, address: Address): void {
  if (!/^0x[0-9a-f]{40}$/.test(address) || address === ZERO_ADDRESS) throw inputError(field, address, '0x and 40 lower-case hex digits, not all zero')
}

function checkDifferent(field: string, addresses: readonly Address[]): void {
  const twice = addresses.find((address, index) => addresses.indexOf(address) !== index)
  if (twice !== undefined) throw inputError(field, twice, 'each once')
}
