/** Block reward, the one burn of mainnet, who gets a transaction's fee, what it costs at least, and how the gas limit may move (spec 1.3). */
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { Address } from '../codec/fields.ts'
import type { Header } from '../codec/header.ts'
import type { UnsignedTransaction } from '../codec/transaction.ts'
import { isActive, isChief } from '../network/network.ts'
import type { Network } from '../network/network.ts'

const FIRST_REWARD_WEI = 35n * 10n ** 18n
const HALVING_BLOCKS = 4_505_000
const MIN_GAS = 5000n
const MIN_GAS_SIP004 = 40_000_000n
const MOST_GAS = 2n ** 63n - 1n
const GAS_BOUND = 1024n
const GAS_TRANSACTION = 21_000n
const GAS_CREATION = 53_000n
const GAS_ZERO_BYTE = 4n
const GAS_OTHER_BYTE = 68n

/** Wei created for the coinbase of block `number`; 0 before SIP100. Halved every 4,505,000 blocks. */
export function blockRewardWei(network: Pick<Network, 'forks'>, number: number): bigint {
  const { sip100 } = network.forks
  return sip100 === null || number < sip100 ? 0n : FIRST_REWARD_WEI >> BigInt(Math.floor((number - sip100) / HALVING_BLOCKS))
}

/** Wei that block `number` takes from `network.burn.address`, after its reward. */
export function burnWei(network: Pick<Network, 'burn'>, number: number, balanceWei: bigint): bigint {
  if (network.burn === null || number !== network.burn.block) return 0n
  return balanceWei < network.burn.mostWei ? balanceWei : network.burn.mostWei
}

/** Who is paid for a transaction's gas: the coinbase, the sealer where that is zero; a call of a chief is paid back. */
export function feeRecipient(network: Pick<Network, 'chiefs'>, block: { readonly coinbase: Address; readonly signer: Address }, transaction: { readonly to: Address | null; readonly sender: Address }): Address {
  if (transaction.to !== null && isChief(network, transaction.to)) return transaction.sender
  return block.coinbase === ZERO_ADDRESS ? block.signer : block.coinbase
}

export function minGasLimit(network: Pick<Network, 'forks'>, number: number): bigint {
  return isActive(network, 'sip004', number) ? MIN_GAS_SIP004 : MIN_GAS
}

/** Does the gas limit move by less than a 1024th of its parent's, and stay above the least? At one height nothing binds it. */
export function isGasLimitBound(network: Pick<Network, 'forks' | 'uncheckedGasLimit'>, parentGasLimit: bigint, header: Pick<Header, 'number' | 'gasLimit'>): boolean {
  if (header.number === network.uncheckedGasLimit) return true
  const moved = parentGasLimit > header.gasLimit ? parentGasLimit - header.gasLimit : header.gasLimit - parentGasLimit
  return moved < parentGasLimit / GAS_BOUND && header.gasLimit >= minGasLimit(network, header.number)
}

/** What a header can say at all. */
export function isGasLimitPossible(gasLimit: bigint): boolean {
  return gasLimit <= MOST_GAS
}

/** What a transaction costs before it does anything (Yellow Paper, Byzantium): nobody can pay less for its place. */
export function intrinsicGas({ to, data }: Pick<UnsignedTransaction, 'to' | 'data'>): bigint {
  let zeros = 0
  for (const byte of data) if (byte === 0) zeros++
  return (to === null ? GAS_CREATION : GAS_TRANSACTION) + BigInt(zeros) * GAS_ZERO_BYTE + BigInt(data.length - zeros) * GAS_OTHER_BYTE
}
