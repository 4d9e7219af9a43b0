/**
 * A community's own network. All rules are on from block 1, and what the original leaves unchecked at some
 * heights is checked: nobody has to be compatible with an old block here.
 */
import { inputError } from '../../base/index.ts'
import { ADDRESS_BYTES } from '../codec/fields.ts'
import type { Address, Keccak } from '../codec/fields.ts'
import { hashHeader } from '../codec/header.ts'
import { genesisHeader } from './genesis.ts'
import type { Genesis, Network } from './network.ts'

export interface CustomNetwork {
  readonly name: string
  readonly chainId: bigint
  readonly networkId: number
  readonly periodSeconds: number
  readonly genesis: Genesis
  readonly chief: Address
  readonly chiefBase: Address
  readonly poc: Address
  readonly anmap: Address | null
}

const MAX_CHAIN_ID = 2n ** 53n - 1n
const MAX_NETWORK_ID = 2 ** 32 - 1
const MAX_PERIOD_SECONDS = 3600
/** SIP004's least, which block 1 could not reach from lower: it may move by less than a 1024th. */
const MIN_GENESIS_GAS = 40_000_000n
const MAX_GAS = 2n ** 63n - 1n
const FIRST = 1

/** Errors: input, naming the field. */
export function customNetwork(keccak: Keccak, settings: CustomNetwork): Network {
  const { name, chainId, networkId, periodSeconds, genesis } = settings
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) || ['mainnet', 'testnet', 'devnet'].includes(name))
    throw inputError('name', name, '1 to 32 of a-z, 0-9 and -, and none of the public networks')
  if (chainId < 1n || chainId > MAX_CHAIN_ID) throw inputError('chainId', chainId, `1 to ${MAX_CHAIN_ID}`)
  checkWhole('networkId', networkId, 1, MAX_NETWORK_ID)
  // A slot is a period minus one second: with a period of 1 blocks would stand still in time.
  checkWhole('periodSeconds', periodSeconds, 2, MAX_PERIOD_SECONDS)
  checkWhole('genesis.timeSeconds', genesis.timeSeconds, 0, Number.MAX_SAFE_INTEGER)
  if (genesis.difficulty < 1n || genesis.difficulty > 6n) throw inputError('genesis.difficulty', genesis.difficulty, '1 to 6')
  if (genesis.gasLimit < MIN_GENESIS_GAS || genesis.gasLimit > MAX_GAS) throw inputError('genesis.gasLimit', genesis.gasLimit, `${MIN_GENESIS_GAS} to ${MAX_GAS}`)
  const contracts = { chief: settings.chief, chiefBase: settings.chiefBase, poc: settings.poc, ...(settings.anmap === null ? {} : { anmap: settings.anmap }) }
  for (const [field, address] of Object.entries({ ...contracts, 'genesis.signer': genesis.signer })) checkAddress(field, address)
  for (const account of genesis.accounts) checkAddress('genesis.accounts', account.address)
  if (new Set(Object.values(contracts)).size !== Object.values(contracts).length) throw inputError('chief', settings.chief, 'a contract of its own for each duty')
  return {
    name,
    chainId,
    networkId,
    periodSeconds,
    genesis,
    genesisHash: hashHeader(keccak, genesisHeader(keccak, genesis)),
    forks: { sip001: FIRST, sip002: FIRST, sip003: FIRST, sip004: FIRST, sip100: FIRST },
    chiefs: [{ version: '1.0.0', startBlock: FIRST, address: settings.chief }],
    chiefBase: settings.chiefBase,
    poc: settings.poc,
    anmap: settings.anmap === null ? null : { startBlock: FIRST, address: settings.anmap },
    burn: null,
    uncheckedDifficulty: [],
    uncheckedGasLimit: null,
    uncheckedVolunteer: null,
    firstJudgedBlock: FIRST,
  }
}

function checkWhole(field: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}`)
}

function checkAddress(field: string, address: Address): void {
  if (!/^0x[0-9a-f]+$/.test(address) || address.length !== 2 + 2 * ADDRESS_BYTES) throw inputError(field, address, '0x and 40 lower-case hex digits')
}
