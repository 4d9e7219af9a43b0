/**
 * A block's body and receipts against its verified header (spec 2.6, checks 21 to 26 and after). State root
 * and gas need execution; what is here needs none.
 */
import type { Secp256k1 } from '../../native/index.ts'
import type { Address } from '../codec/fields.ts'
import type { Body } from '../codec/body.ts'
import type { Header } from '../codec/header.ts'
import { bloomOfLogs } from '../codec/receipt.ts'
import type { Receipt } from '../codec/receipt.ts'
import { isProtected, senderOf } from '../codec/transaction.ts'
import type { UnsignedTransaction } from '../codec/transaction.ts'
import { chiefAt, isActive } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import { receiptsRootOf, transactionsRootOf } from '../proof/inclusion.ts'
import { refuse } from './codes.ts'
import type { Refusal } from './codes.ts'
import type { VerifiedHeader } from './verify-header.ts'
import { updateCall, volunteerOf } from './volunteer.ts'

export interface VerifiedBody {
  readonly ok: true
  /** Of the chief transaction; null in blocks that are not judged. */
  readonly volunteer: Address | null
}

const CHIEF_GAS = 4_712_388n
const CHIEF_GAS_PRICE_WEI = 18_000_000_000n

/** `expected`: the VRF's choice, proved; null: not known, and then the volunteer is **not** judged. */
export function verifyBody(curve: Secp256k1, network: Network, block: VerifiedHeader, body: Body, expected: Address | null): VerifiedBody | Refusal {
  const { header } = block
  const isJudged = header.number >= network.firstJudgedBlock
  const chief = isJudged ? verifyChiefTransaction(curve, network, block, body, expected) : null
  if (chief?.ok === false) return chief
  if (body.uncles.length > 0) return refuse('errUnclesNotAllowed', `${body.uncles.length} uncles`)
  if (isActive(network, 'sip003', header.number)) {
    const bare = body.transactions.findIndex((transaction) => !isProtected(transaction))
    if (bare >= 0) return refuse('errUnprotectedTransaction', `transaction ${bare} names no chain`)
  }
  const root = transactionsRootOf(curve, body.transactions)
  if (root !== header.transactionsRoot) return refuse('errInvalidTransactionsRoot', `${root}; the header has ${header.transactionsRoot}`)
  return chief ?? { ok: true, volunteer: null }
}

function verifyChiefTransaction(curve: Secp256k1, network: Network, block: VerifiedHeader, body: Body, expected: Address | null): VerifiedBody | Refusal {
  const { number } = block.header
  if (body.transactions.length === 0) return refuse('ErrTribeNotAllowEmptyTxList', 'no transactions')
  const chief = chiefAt(network, number)
  let volunteer: Address | null = null
  for (const [index, transaction] of body.transactions.entries()) {
    if (chief === null || transaction.to !== chief.address) continue
    const named = volunteerOf(transaction.data)
    if (named === null) continue
    if (index !== 0) return refuse('ErrTribeChiefTxMustAtPositionZero', `at position ${index}`)
    const sender = senderOf(curve, transaction, network.chainId)
    if (sender !== block.signer) return refuse('ErrTribeChiefTxSignerAndBlockSignerNotMatch', `from ${sender ?? 'nobody'}, sealed by ${block.signer}`)
    if (expected !== null && number !== network.uncheckedVolunteer && isActive(network, 'sip100', number) && named !== expected) return refuse('verify_volunteer_fail', `${named}; the VRF picks ${expected}`)
    volunteer = named
  }
  return volunteer === null ? refuse('ErrTribeMustContainChiefTx', 'no call of update') : { ok: true, volunteer }
}

/** All receipts of a block: the chief transaction succeeded, and gas, bloom and root are the header's. */
export function verifyReceipts(curve: Secp256k1, network: Network, header: Header, receipts: readonly Receipt[]): { readonly ok: true } | Refusal {
  if (isActive(network, 'sip100', header.number) && receipts[0]?.succeeded !== true) return refuse('errChiefTxFailed', 'the first receipt is no success')
  const gasUsed = receipts.at(-1)?.cumulativeGasUsed ?? 0n
  if (gasUsed !== header.gasUsed) return refuse('errInvalidGasUsed', `${gasUsed}; the header has ${header.gasUsed}`)
  const bloom = bloomOfLogs(curve, receipts.flatMap((receipt) => receipt.logs))
  if (Buffer.compare(bloom, header.bloom) !== 0) return refuse('errInvalidBloom', 'not that of the logs')
  const root = receiptsRootOf(curve, receipts)
  return root === header.receiptsRoot ? { ok: true } : refuse('errInvalidReceiptsRoot', `${root}; the header has ${header.receiptsRoot}`)
}

/**
 * The chief transaction that a sealer of block `number` puts first (spec 2.7), unsigned; null where no chief
 * rules. `nonce`: the sealer's account's, after the parent.
 */
export function chiefTransaction(network: Network, number: number, nonce: bigint, volunteer: Address): UnsignedTransaction | null {
  const chief = chiefAt(network, number)
  return chief === null ? null : { nonce, gasPriceWei: CHIEF_GAS_PRICE_WEI, gas: CHIEF_GAS, to: chief.address, valueWei: 0n, data: updateCall(volunteer) }
}
