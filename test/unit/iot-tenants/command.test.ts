/** `meshbox lora receipt verify`: a payer's own check, with no service and no box. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { meshbox } from '../cli/console.ts'

const BILL = readFileSync(join(import.meta.dirname, '../../vectors/iot/tenant-bill.json'), 'utf8')
const BOX = '0xe8fb7b3c5c6d4ebc11c105e9d8e87549b3b2697c'
const PAYER = `0x${'22'.repeat(20)}`

async function verify(bill: string, options = ''): Promise<{ code: number; valid: unknown; problems: string[]; json: Record<string, unknown> }> {
  const { code, out } = await meshbox(`lora receipt verify - ${options} --json`.replace('  ', ' '), { stdin: bill, env: { MESHBOX_SOCKET: '/nowhere.sock' } })
  const json = JSON.parse(out) as Record<string, unknown>
  return { code, valid: json['valid'], problems: ((json['problems'] ?? []) as { code: string }[]).map((problem) => problem.code), json }
}

const changed = (change: (bill: { receipts: Record<string, string>[]; units: Record<string, string | number>[]; frames: string[] }) => void): string => {
  const bill = JSON.parse(BILL) as Parameters<typeof change>[0]
  change(bill)
  return JSON.stringify(bill)
}

describe('lora receipt verify', () => {
  it('says whose the bill is, and that it holds', async () => {
    expect(await verify(BILL, `--box ${BOX} --payer ${PAYER}`)).toMatchObject({ code: 0, valid: true, json: { signer: BOX, payer: PAYER, receipts: 2, provenUnits: 5, newest: { seq: '5', cumAmount: '70' } } })
    const { out } = await meshbox('lora receipt verify -', { stdin: BILL })
    expect(out).toContain(`VALID, signed by ${BOX}`)
  })

  it.each<[string, string, Parameters<typeof changed>[0]]>([
    ['a sum', 'signature', (bill) => void (bill.receipts[0]!['cumAmount'] = '60')],
    ['an amount', 'chain', (bill) => void (bill.units[4]!['amount'] = '10')],
    ['the order', 'chain', (bill) => void ([bill.units[0]!['frame'], bill.units[1]!['frame']] = [bill.units[1]!['frame']!, bill.units[0]!['frame']!])],
    ['a unit less', 'gap', (bill) => void bill.units.splice(1, 1)],
    ['a frame that never came', 'not-received', (bill) => void bill.frames.pop()],
  ])('%s: it does not hold, exit code 1, with the reason', async (_what, code, change) => {
    const found = await verify(changed(change))
    expect(found).toMatchObject({ code: 1, valid: false })
    expect(found.problems).toContain(code)
    const { out } = await meshbox('lora receipt verify -', { stdin: changed(change) })
    expect(out).toMatch(new RegExp(`^NOT VALID\n${code} at \\d`, 'm'))
  })

  it('another box or payer than was meant', async () => {
    expect((await verify(BILL, `--box ${PAYER}`)).problems).toContain('gateway')
    expect((await verify(BILL, `--payer ${BOX}`)).problems).toContain('payer')
    expect((await meshbox('lora receipt verify - --box 12', { stdin: BILL })).code).toBe(2)
  })

  it.each(['', 'x', '{}', '{"receipts":[]}', '[1]'])('what is no bill is told: %s', async (text) => {
    const { code, err } = await meshbox('lora receipt verify -', { stdin: text })
    expect(code).toBe(1)
    expect(err).toMatch(/file|receipt/)
  })
})
