/** One block: its header, its transactions, and whether the two belong together. */
import type { Secp256k1 } from '../../../native/index.ts'
import { hexOf } from '../../codec/fields.ts'
import type { Address, Hash } from '../../codec/fields.ts'
import type { Header } from '../../codec/header.ts'
import { hashTransaction, isProtected, senderOf } from '../../codec/transaction.ts'
import type { Transaction } from '../../codec/transaction.ts'
import type { Network } from '../../network/network.ts'
import { transactionsRootOf } from '../../proof/inclusion.ts'
import { verifyBody } from '../../rules/verify-body.ts'
import { inspectHeader, shownNumber } from './inspect-header.ts'
import type { HeaderInspection } from './inspect-header.ts'
import type { BlockInput } from './read-input.ts'

export interface BlockInspection extends HeaderInspection {
  /** Computed from the transactions. */
  readonly transactionsRoot: Hash
  /** In the chief transaction; which of the miners the VRF picks needs the state, and is not judged here. */
  readonly volunteer: Address | null
  readonly transactions: readonly Readonly<Record<string, string | number | boolean | null>>[]
  readonly uncles: number
}

export function inspectBlock(curve: Secp256k1, network: Network, { header, body }: BlockInput, parent: Header | null): BlockInspection {
  const { inspection, verified } = inspectHeader(curve, network, header, parent)
  const judged = verified === null ? null : verifyBody(curve, network, verified, body, null)
  const refusal = judged !== null && !judged.ok ? judged : null
  return {
    ...inspection,
    ...(refusal === null ? {} : { ok: false, error: refusal.code, reason: refusal.reason }),
    transactionsRoot: transactionsRootOf(curve, body.transactions),
    volunteer: judged?.ok === true ? judged.volunteer : null,
    transactions: body.transactions.map((transaction) => shownTransaction(curve, network, transaction)),
    uncles: body.uncles.length,
  }
}

function shownTransaction(curve: Secp256k1, network: Network, transaction: Transaction): Readonly<Record<string, string | number | boolean | null>> {
  return {
    hash: hashTransaction(curve, transaction),
    from: senderOf(curve, transaction, network.chainId),
    to: transaction.to,
    nonce: shownNumber(transaction.nonce),
    value: transaction.valueWei.toString(),
    gas: shownNumber(transaction.gas),
    gasPrice: transaction.gasPriceWei.toString(),
    input: hexOf(transaction.data),
    isProtected: isProtected(transaction),
  }
}
