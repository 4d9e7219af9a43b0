/**
 * Goes through all books page by page and names what does not fit. It reads only; between pages others have their turn, so what is compared
 * with each other is read in one look. No clock, no I/O: see docs/audit.md for what each check holds against what.
 */
import { chainCheck } from './checks/chain.ts'
import { channelChecks } from './checks/channels.ts'
import { hotspotChecks } from './checks/hotspot.ts'
import { iotChecks } from './checks/iot.ts'
import { ledgerChecks } from './checks/ledger.ts'
import { meshChecks } from './checks/mesh.ts'
import { payoutChecks } from './checks/payouts.ts'
import { settledCheck } from './checks/settled.ts'
import { receiptChecks } from './checks/receipts.ts'
import { streamChecks, streamClaimCheck } from './checks/streams.ts'
import { Findings } from './findings.ts'
import type { Step } from './findings.ts'
import type { AuditPorts, AuditReport } from './types.ts'

/** Errors: what `look` throws, when the book cannot be read. */
export async function audit(ports: AuditPorts): Promise<AuditReport> {
  const findings = new Findings()
  const { limits } = ports
  const steps: readonly Step[] = [
    ...ledgerChecks(findings),
    ...hotspotChecks(findings),
    ...streamChecks(findings, limits),
    streamClaimCheck(findings),
    ...channelChecks(findings, limits),
    settledCheck(findings),
    ...meshChecks(findings, limits),
    ...iotChecks(findings, ports.nextChainHash),
    ...receiptChecks(findings),
    ...payoutChecks(findings),
  ]
  for (const step of steps) {
    while (ports.look(step)) await ports.pause()
    await ports.pause()
  }
  await chainCheck(findings, ports)
  return findings.report()
}
