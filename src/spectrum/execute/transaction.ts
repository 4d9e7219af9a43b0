/**
 * One transaction on a world (spec 1.3, 2.9). An ordinary one buys its gas, pays 21,000 and for its data (53,000
 * where it creates a contract), runs, gets half of what it used at most refunded, and pays the block's beneficiary,
 * or itself where it called a chief. A chief's update buys nothing and costs nothing. The chain knows no base fee,
 * no typed transactions, no ban of senders with code.
 */
import { Account, Address as EvmAddress } from '@ethereumjs/util'
import type { Address, Hash } from '../codec/fields.ts'
import { bytesOf, hexOf } from '../codec/fields.ts'
import { bloomOfLogs } from '../codec/receipt.ts'
import type { LogEntry, Receipt } from '../codec/receipt.ts'
import type { UnsignedTransaction } from '../codec/transaction.ts'
import { isActive, isChief } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import { feeRecipient, intrinsicGas } from '../rules/economy.ts'
import { volunteerOf } from '../rules/volunteer.ts'
import type { Secp256k1 } from '../../native/index.ts'
import { Machine, runsCode } from './evm.ts'
import type { BlockHashOf } from './evm.ts'
import { Unprovable } from './meter.ts'
import type { Meter } from './meter.ts'
import type { World } from './world.ts'

/** What of a block its transactions can see, and who is paid. */
export interface BlockContext {
  readonly number: number
  readonly timeSeconds: number
  readonly gasLimit: bigint
  readonly difficulty: bigint
  readonly coinbase: Address
  /** Stands in for a coinbase of zero. */
  readonly signer: Address
}

export interface Workplace {
  readonly network: Network
  readonly curve: Secp256k1
  readonly world: World
  readonly meter: Meter
  readonly machine: Machine
  readonly block: BlockContext
}

export interface Applied {
  readonly ok: true
  readonly receipt: Receipt
  /** That counts for the block: none for the chief's update. */
  readonly gasUsed: bigint
}

export interface Inapplicable {
  readonly ok: false
  readonly reason: string
  /** May it do later, or after others? Not where its nonce is used up or its gas can never do. */
  readonly mayDoLater: boolean
}

export interface Outcome {
  readonly output: Uint8Array
  readonly logs: readonly LogEntry[]
  /** Null: it returned. */
  readonly error: string | null
  readonly gasLeft: bigint
  readonly refund: bigint
  /** Contracts that destroyed themselves. */
  readonly destroyed: readonly Address[]
}

const MAX_UINT64 = 2n ** 64n - 1n

export function workplace(options: { readonly network: Network; readonly curve: Secp256k1; readonly world: World; readonly meter: Meter; readonly block: BlockContext; readonly blockHash: BlockHashOf }): Workplace {
  const { network, curve, world, meter, block, blockHash } = options
  return { network, curve, world, meter, block, machine: new Machine({ network, curve, world, meter, number: block.number, blockHash }) }
}

/**
 * A call of `update` on any chief, from SIP001 on. The fork counts by the parent's height on the public networks;
 * a network whose rules are all on from block 1 has them on in block 1 too.
 */
function isChiefUpdate(network: Network, blockNumber: number, transaction: UnsignedTransaction): boolean {
  return transaction.to !== null && isChief(network, transaction.to) && volunteerOf(transaction.data) !== null && isActive(network, 'sip001', Math.max(blockNumber - 1, 1))
}

/**
 * Applies it, or says why no block may hold it here, and then has changed nothing. `gasUsedBefore`: of the
 * transactions before it. Errors: Unprovable, and the source's; the world is of no use then.
 */
export async function applyTransaction(place: Workplace, transaction: UnsignedTransaction, sender: Address, gasUsedBefore: bigint): Promise<Applied | Inapplicable> {
  const { world, network, block, curve } = place
  const account = (await world.account(sender)) ?? new Account()
  if (account.nonce !== transaction.nonce) return inapplicable(`nonce ${transaction.nonce}; the account's is ${account.nonce}`, transaction.nonce > account.nonce)
  if (account.nonce >= MAX_UINT64) return inapplicable('an account whose nonces are used up', false)
  const isUpdate = isChiefUpdate(network, block.number, transaction)
  const gas = isUpdate ? 0n : transaction.gas
  const intrinsic = isUpdate ? 0n : intrinsicGas(transaction)
  if (gas > MAX_UINT64) return inapplicable('gas above 2^64', false)
  if (gas > block.gasLimit - gasUsedBefore) return inapplicable(`${gas} gas; the block has ${block.gasLimit - gasUsedBefore} left`, gas <= block.gasLimit)
  if (gas < intrinsic) return inapplicable(`${gas} gas; it takes ${intrinsic} before anything runs`, false)
  const priceWei = transaction.gasPriceWei
  if (account.balance < gas * priceWei + transaction.valueWei) return inapplicable(`${gas * priceWei + transaction.valueWei} wei needed; the account has ${account.balance}`, true)

  account.nonce += 1n
  account.balance -= gas * priceWei
  world.setAccount(sender, account)
  const outcome = await run(place, { from: sender, to: transaction.to, data: transaction.data, valueWei: transaction.valueWei, gas: gas - intrinsic, gasPriceWei: priceWei })
  // Gas made of nothing by an unmetered call: the original would pay it out, in no way that its own headers can hold.
  if (outcome.gasLeft > gas) throw new Unprovable('a transaction that gains gas')
  const spent = gas - outcome.gasLeft
  const gasUsed = spent - (outcome.refund < spent / 2n ? outcome.refund : spent / 2n)
  if (!isUpdate) {
    await world.credit(sender, (gas - gasUsed) * priceWei)
    await world.credit(feeRecipient(network, block, { to: transaction.to, sender }), gasUsed * priceWei)
  }
  // After the fees: contracts that destroyed themselves go, and accounts that were touched and are empty (EIP-161).
  for (const address of outcome.destroyed) world.removeAccount(address)
  await place.machine.journal.cleanup()
  return { ok: true, gasUsed, receipt: { succeeded: outcome.error === null, cumulativeGasUsed: gasUsedBefore + gasUsed, bloom: bloomOfLogs(curve, outcome.logs), logs: outcome.logs } }
}

/** One message at depth 0: a call or a creation, whose value the caller can pay. The sender's nonce has moved on already. */
export async function run(place: Workplace, message: { readonly from: Address; readonly to: Address | null; readonly data: Uint8Array; readonly valueWei: bigint; readonly gas: bigint; readonly gasPriceWei: bigint }): Promise<Outcome> {
  const { world, machine, meter } = place
  meter.begin()
  if (message.to !== null && !(await runsCode(machine, world, message.to))) {
    const payer = (await world.account(message.from)) ?? new Account()
    payer.balance -= message.valueWei
    world.setAccount(message.from, payer)
    await world.credit(message.to, message.valueWei)
    return { output: new Uint8Array(0), logs: [], error: null, gasLeft: message.gas, refund: 0n, destroyed: [] }
  }
  const { execResult } = await machine.runCall({
    caller: evmAddress(message.from),
    origin: evmAddress(message.from),
    ...(message.to === null ? {} : { to: evmAddress(message.to) }),
    data: message.data,
    value: message.valueWei,
    gasLimit: message.gas,
    gasPrice: message.gasPriceWei,
    block: blockOf(place.block),
    skipNonceIncrement: true,
  })
  return {
    output: execResult.returnValue,
    logs: (execResult.logs ?? []).map(([address, topics, data]): LogEntry => ({ address: hexOf(address), topics: topics.map((topic): Hash => hexOf(topic)), data })),
    error: execResult.exceptionError?.error ?? null,
    gasLeft: message.gas - execResult.executionGasUsed,
    refund: execResult.gasRefund ?? 0n,
    destroyed: [...(execResult.selfdestruct?.keys() ?? [])].map((address) => address as Address),
  }
}

function evmAddress(address: Address): EvmAddress {
  return new EvmAddress(bytesOf(address))
}

function inapplicable(reason: string, mayDoLater: boolean): Inapplicable {
  return { ok: false, reason, mayDoLater }
}

type EvmBlock = NonNullable<NonNullable<Parameters<Machine['runCall']>[0]>['block']>

function blockOf(block: BlockContext): EvmBlock {
  return {
    header: {
      number: BigInt(block.number),
      coinbase: evmAddress(/^0x0+$/.test(block.coinbase) ? block.signer : block.coinbase),
      timestamp: BigInt(block.timeSeconds),
      difficulty: block.difficulty,
      prevRandao: new Uint8Array(32),
      gasLimit: block.gasLimit,
      getBlobGasPrice: () => undefined,
    },
  }
}
