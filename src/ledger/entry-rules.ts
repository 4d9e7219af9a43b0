/** What an entry may look like. All of it comes from our own rooms; a breach is a bug or a hostile setting. */
import { MAX_AMOUNT, MeshBoxError, inputError } from '../base/index.ts'
import type { Moment } from '../base/index.ts'
import type { Evidence, Posting } from './types.ts'

const SOURCE = /^[a-z][a-z0-9-]*(:[a-z0-9-]+)*$/
const ACCOUNT = /^[a-z][a-z0-9-]*(:[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*)?$/
const EVIDENCE_TYPE = /^[a-z][a-z0-9-]*$/
const VISIBLE = /^[^\u0000-\u001f\u007f]+$/
const MAX_SOURCE = 64
const MAX_ACCOUNT = 160
const MAX_TOKEN = 32
const MAX_EVIDENCE_TYPE = 32
const MAX_EVIDENCE_ID = 200
const MAX_FACTS = 4096
const MAX_MEMO = 200
const MAX_POSTINGS = 128

export function checkHead(source: string, token: string, evidence: Evidence, at: Moment, memo?: string): void {
  checkText('source', source, SOURCE, MAX_SOURCE, 'room:what, e.g. hotspot:voucher')
  checkText('token', token, VISIBLE, MAX_TOKEN, 'the symbol of a token')
  checkText('evidence.type', evidence.type, EVIDENCE_TYPE, MAX_EVIDENCE_TYPE, 'a word, e.g. voucher')
  checkText('evidence.id', evidence.id, VISIBLE, MAX_EVIDENCE_ID, 'the id of the thing')
  if (memo !== undefined) checkText('memo', memo, VISIBLE, MAX_MEMO, 'a line of text')
  for (const [name, value] of [['at.boottimeMs', at.boottimeMs], ['at.wallMs', at.wallMs]] as const)
    if (!Number.isFinite(value)) throw inputError(name, value, 'a number of milliseconds')
}

export function checkAccount(account: string, field = 'account'): void {
  checkText(field, account, ACCOUNT, MAX_ACCOUNT, 'class or class:name, e.g. cash:vouchers')
}

/** Two or more lines, none zero, Σ = 0. */
export function checkPostings(postings: readonly Posting[]): void {
  if (postings.length < 2 || postings.length > MAX_POSTINGS) throw inputError('postings', postings.length, `2 to ${MAX_POSTINGS} lines`)
  let sum = 0n
  for (const { account, amount } of postings) {
    checkAccount(account)
    if (amount === 0n || amount > MAX_AMOUNT || amount < -MAX_AMOUNT) throw inputError('postings.amount', amount, 'not zero, less than 2^128 smallest units')
    sum += amount
  }
  if (sum !== 0n) throw new MeshBoxError('internal', `an entry must balance; this one is off by ${sum}`, { code: 'ledger-unbalanced', value: sum })
}

/** Facts as stored: JSON, or null for none. */
export function factsText(facts: Evidence['facts']): string | null {
  if (facts === undefined) return null
  const text = JSON.stringify(facts)
  if (text.length > MAX_FACTS) throw inputError('evidence.facts', `${text.length} characters`, `at most ${MAX_FACTS} characters of JSON`)
  return text
}

function checkText(field: string, text: string, pattern: RegExp, maxLength: number, what: string): void {
  if (text.length > maxLength || !pattern.test(text)) throw inputError(field, text, `${what}, at most ${maxLength} characters`)
}
