/** A block's body: RLP([transactions, uncles]). Tribe has no uncles; a body that carries some decodes, and rule 24 refuses it by name. */
import { decodeRlp, encodeRlp } from '../../base/index.ts'
import type { RlpItem } from '../../base/index.ts'
import { listField } from './fields.ts'
import { headerItem, headerOf } from './header.ts'
import type { Header } from './header.ts'
import { transactionItem, transactionOf } from './transaction.ts'
import type { Transaction } from './transaction.ts'

export interface Body {
  readonly transactions: readonly Transaction[]
  readonly uncles: readonly Header[]
}

/** eth/63 sends no larger messages. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024
/** 16,000 transactions of 21,000 gas would be a block of 340 M gas; the largest allowed on the networks known is 40 M. */
export const MAX_TRANSACTIONS = 16_000
/** More than any valid block has, so that too many of them is an error of its own. */
const MAX_UNCLES = 8
const LIMITS = { maxBytes: MAX_BODY_BYTES, maxItems: 3 + 10 * MAX_TRANSACTIONS + 16 * MAX_UNCLES, maxDepth: 3 }

/** Errors: input, naming the field; nothing else, whatever the bytes are. */
export function decodeBody(bytes: Uint8Array): Body {
  return bodyOf(decodeRlp(bytes, LIMITS, 'body'))
}

export function bodyOf(item: RlpItem): Body {
  const [transactions, uncles] = listField(item, 'body', 2)
  return {
    transactions: listField(transactions, 'body.transactions').map(transactionOf),
    uncles: listField(uncles, 'body.uncles').map(headerOf),
  }
}

export function encodeBody(body: Body): Uint8Array {
  return encodeRlp([body.transactions.map(transactionItem), body.uncles.map((uncle) => headerItem(uncle))])
}
