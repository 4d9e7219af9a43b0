/** The result of checking a receipt, as lines a person can read; pure. */
import { formatAmount } from '../base/index.ts'
import type { ReceiptCheck } from '../hotspot/receipt/index.ts'
import type { ReceiptVerifyReply } from './api/settings.ts'

/** `ownAddress`: of this box; null when nobody asked for a certain box. */
export function receiptJson(check: ReceiptCheck, ownAddress: string | null): ReceiptVerifyReply {
  if (!check.valid) return { valid: false, ours: false, signer: null, reason: check.reason, facts: [] }
  const { facts } = check
  const amount = (units: bigint): string => `${formatAmount(units, facts.tokenDecimals)} ${facts.tokenSymbol}`
  const date = (unixSeconds: number, trusted: boolean): string =>
    `${new Date(unixSeconds * 1000).toISOString().replace('T', ' ').slice(0, 19)} UTC${trusted ? '' : ' (clock not verified)'}`
  const limit = (value: number | null, unit: string): string => (value === null ? 'not limited' : `${value} ${unit}`)
  return {
    valid: true,
    ours: ownAddress !== null && check.address === ownAddress,
    signer: check.address,
    reason: null,
    facts: [
      { name: 'Venue', value: facts.venue },
      { name: 'Receipt', value: facts.receiptNumber },
      { name: 'Session', value: facts.sessionId },
      { name: 'Bought', value: facts.label },
      { name: 'Time bought', value: limit(facts.boughtSeconds, 's') },
      { name: 'Data bought', value: limit(facts.boughtBytes, 'bytes') },
      { name: 'Price', value: amount(facts.price) },
      { name: 'Refunded', value: amount(facts.refunded) },
      { name: 'Time used', value: `${facts.secondsUsed} s` },
      { name: 'Data sent', value: `${facts.upBytes} bytes` },
      { name: 'Data received', value: `${facts.downBytes} bytes` },
      { name: 'Started', value: date(facts.startedUnixSeconds, facts.startedTrusted) },
      { name: 'Ended', value: facts.endedUnixSeconds === null ? 'not yet' : date(facts.endedUnixSeconds, facts.endedTrusted) },
    ],
  }
}
