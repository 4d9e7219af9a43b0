/** What the owner sees of an audit, and that two who ask at once make one audit. */
import { expect, it } from 'vitest'
import { audit } from '../../../src/cli/commands/audit.ts'
import type { Context } from '../../../src/cli/command.ts'
import { AuditVerb } from '../../../src/owner/audit.ts'
import type { AuditJson } from '../../../src/owner/api/audit.ts'

const SOUND: AuditJson = { isSound: true, differences: [], unnamed: 0, looked: { voucher: 2, stream: 1 }, unchecked: [], contracts: [] }
const DIFFERENT: AuditJson = {
  isSound: false,
  differences: [
    { check: 'voucher', what: 'a used voucher is not in the ledger', where: 'voucher v1', amount: { expected: '3000', found: '0', token: '' }, advice: 'look' },
    { check: 'receipts', what: 'receipt 3 is not signed by this box', where: 'tenant farm, account 1', amount: null, advice: 'compare' },
  ],
  unnamed: 5,
  looked: { voucher: 2 },
  unchecked: [{ check: 'chain', why: 'the box follows no chain' }],
  contracts: [{ contract: '0xc0', token: 'TOK', block: 9, channels: 1, pot: '2000' }],
}

const contextOf = (answer: AuditJson): Context => ({ service: { call: () => Promise.resolve(answer) }, busy: <T>(_what: string, work: Promise<T>): Promise<T> => work }) as unknown as Context

it('names each difference with its figures and what to do; exit code 1', async () => {
  const { text, exitCode, json } = await audit.run(contextOf(DIFFERENT))
  expect(exitCode).toBe(1)
  expect(json).toEqual(DIFFERENT)
  expect(text).toBe(`voucher: a used voucher is not in the ledger
  where: voucher v1
  expected 3000, found 0
  do: look
receipts: receipt 3 is not signed by this box
  where: tenant farm, account 1
  do: compare
not compared (chain): the box follows no chain
contract 0xc0 at block 9: 1 channel with 2000 TOK
7 differences in 2 comparisons, the first 2 are named.`)
})

it('sound books: one line and exit code 0', async () => {
  expect(await audit.run(contextOf(SOUND))).toEqual({ json: SOUND, text: 'No difference in 3 comparisons.', exitCode: 0 })
})

it('who asks while an audit runs gets the same answer; the next one is new', async () => {
  let runs = 0
  const verb = new AuditVerb(async () => {
    runs++
    return SOUND
  })
  await Promise.all([verb.run(), verb.run()])
  expect(runs).toBe(1)
  await verb.run()
  expect(runs).toBe(2)
  expect(() => new AuditVerb(null).run()).toThrow(expect.objectContaining({ code: 'no-audit' }))
})
