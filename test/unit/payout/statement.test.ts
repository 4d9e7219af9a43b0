/** A statement is checked without the box: nothing in it can be changed, left out or told twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Address } from '../../../src/base/index.ts'
import { toHex } from '../../../src/base/index.ts'
import { referenceOf, renderBody, renderIntent, verifyStatements } from '../../../src/payout/statement/index.ts'
import type { StatementWishes } from '../../../src/payout/statement/index.ts'
import { ANNA, HILL, openPayoutBox } from '../../support/payout-box.ts'
import type { PayoutBox } from '../../support/payout-box.ts'

const ANYBODY: StatementWishes = { box: null, to: null, partsPerMillion: null }
const SHARE = 250_000
let box: PayoutBox
let [first, second, series] = ['', '', '']
const problemsOf = (text: string, wishes: Partial<StatementWishes> = {}): readonly string[] => verifyStatements(text, { ...ANYBODY, ...wishes }).problems

beforeAll(async () => {
  box = await openPayoutBox({ threshold: 10n })
  await box.earn(1001n)
  await box.earn(3n, 'mesh:relay')
  await box.earn(77n, 'photon:fee')
  await box.settle()
  await box.earn(1_000_000n)
  await box.settle()
  ;[first, second, series] = [box.payouts.statement(1, false), box.payouts.statement(2, false), box.payouts.statement(2, true)]
})
afterAll(() => box.close())

/** What a box that lies could sign. */
function signed(change: (intent: string) => string): string {
  const intent = change(first.slice(0, first.indexOf('\nPayment: ')))
  const body = renderBody(intent, { wallMs: 1_700_000_000_000, isTrusted: true })
  return `${body}\nSignature: 0x${toHex(box.identity.signText(body))}\n`
}

it('is written the same for the same payouts', async () => {
  await expect(series).toMatchFileSnapshot('../../vectors/payout/series.txt')
})

it('holds, alone and in a series, for whom it was made', () => {
  const wishes = { box: box.identity.address.toLowerCase() as Address, to: ANNA, partsPerMillion: SHARE }
  for (const text of [first, second, series, series.replaceAll('\n', '\r\n'), `${first}${second}`, first.trimEnd()]) expect(problemsOf(text, wishes)).toEqual([])
  const check = verifyStatements(series, wishes)
  expect(check.statements.map(({ number, amount, reference }) => [number, amount, reference])).toEqual(box.channels.rows.map(({ amount, reference }, index) => [index + 1, amount, reference]))
  expect(verifyStatements(second, ANYBODY).notes).toEqual([expect.stringContaining('begins with statement 2')])
})

it('fails when any character of it is another', () => {
  for (let at = 0; at < first.length - 1; at += 7) {
    const other = first[at] === '1' ? '2' : '1'
    expect([at, problemsOf(`${first.slice(0, at)}${other}${first.slice(at + 1)}`).length > 0]).toEqual([at, true])
  }
})

it('fails when a line is left out, moved or told twice, even where the box signs that', () => {
  const lines = first.split('\n')
  const row = (index: number): string => lines[12 + index] ?? ''
  const fewer = (intent: string): string => intent.replace('Lines: 3', 'Lines: 2').replace(`\n${row(2)}`, '')
  expect(problemsOf(signed((intent) => intent))).toEqual([])
  expect(problemsOf(signed(fewer))).toEqual([expect.stringContaining('its lines make')])
  expect(problemsOf(signed((intent) => intent.replace(`${row(0)}\n${row(1)}`, `${row(1)}\n${row(0)}`)))).toEqual([expect.stringContaining('out of order')])
  expect(problemsOf(signed((intent) => intent.replace('Lines: 3', 'Lines: 4')))).toEqual([expect.stringContaining('as Lines: 4 says')])
  expect(problemsOf(signed((intent) => intent.replace('Entries: after 0', 'Entries: after 1')))).toEqual([expect.stringContaining('out of order')])
})

it('fails when an earning is split otherwise than was agreed', () => {
  expect(problemsOf(first, { partsPerMillion: 240_000 })[0]).toContain('is not 240000 parts per million')
  const cheat = (intent: string): string => intent.replace('Amount: 270', 'Amount: 269').replace('1001 250', '1001 249')
  const lied = signed(cheat)
  expect(problemsOf(lied, { partsPerMillion: SHARE })).toEqual([expect.stringContaining('249 of 1001 is not 250000')])
  expect(verifyStatements(lied, ANYBODY)).toMatchObject({ isValid: true, notes: [expect.stringContaining('1 earnings were split by another share')] })
  expect(problemsOf(signed((intent) => intent.replace('1001 250', '101 250')))[0]).toContain('more than the whole')
})

it('fails for another box, another recipient, another payment', () => {
  expect(problemsOf(first, { box: HILL })[0]).toContain('is of the box')
  expect(problemsOf(first, { to: HILL })[0]).toContain('was paid to')
  const body = first.slice(0, first.indexOf('\nSignature')).replace(/Payment: 0x../, 'Payment: 0xee')
  expect(problemsOf(`${body}\nSignature: 0x${toHex(box.identity.signText(body))}\n`)[0]).toContain('is not for these lines')
})

describe('a series', () => {
  it('fails with a gap, a statement twice, or out of order', () => {
    expect(problemsOf(`${second}\n${first}`)).not.toEqual([])
    expect(problemsOf(`${first}\n${first}`)).not.toEqual([])
    const later = second.replace('Number: 2', 'Number: 3')
    expect(problemsOf(`${first}\n${later}`)).not.toEqual([])
  })

  it('is nothing where there is no statement', () => {
    for (const text of ['', '\n', 'MeshBox payout statement 1', `Signature: 0x${'00'.repeat(65)}\n`, '\u0000'.repeat(1000)]) expect(problemsOf(text)).not.toEqual([])
  })
})

it('carries any account and evidence in one way', () => {
  const facts = { id: 1, account: 'relay:Å 1,%2c@x', number: 1, previous: null, token: 'é,T', decimals: 6, tokenAddress: ANNA, to: HILL, terms: [], afterEntry: 0, upToEntry: 5, amount: 2n }
  const intent = renderIntent(box.identity.address, facts, [{ entryId: 5, day: 'boot:12345678', kind: 'post', source: 'a:b', evidence: 'x:y z\u00a0%', total: 2n, gained: 2n }])
  const body = renderBody(intent, { wallMs: 0, isTrusted: false })
  const check = verifyStatements(`${body}\nSignature: 0x${toHex(box.identity.signText(body))}`, ANYBODY)
  expect(check.problems).toEqual([])
  expect(check.statements[0]).toMatchObject({ ...facts, reference: referenceOf(intent), paidAt: '1970-01-01 00:00:00 UTC (clock not verified)', lines: [{ evidence: 'x:y z\u00a0%' }] })
  expect(/^[\x20-\x7e\n]*$/.test(body)).toBe(true)
})
