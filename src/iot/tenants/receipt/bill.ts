/** A payer's bill from text to verdict, with the curve of this process: what the command line does. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { inputError } from '../../../base/index.ts'
import type { Address } from '../../../base/index.ts'
import { nobleSigner } from '../../../identity/index.ts'
import { parseAudit } from './text.ts'
import { auditReceipts } from './verify.ts'
import type { AuditResult } from './verify.ts'

export interface BillVerdict extends AuditResult {
  /** Of the newest sound receipt; null: none is. */
  readonly signer: Address | null
  readonly receipts: number
}

/** `gateway`, `payer`: whom the receipts must be by and for; null: whoever. `pricePerUnit`: as Audit has it. Errors: input. */
export function auditBill(text: string, meant: { readonly gateway: Address | null; readonly payer: Address | null; readonly pricePerUnit?: bigint | null }): BillVerdict {
  const given = parseAudit(text)
  if (given.receipts.length === 0) throw inputError('receipts', 'none', 'at least one receipt')
  const result = auditReceipts({ ...given, ...meant }, { keccak: (bytes) => keccak_256(bytes), recover: nobleSigner.recover })
  return { ...result, signer: result.newest?.gateway ?? null, receipts: given.receipts.length }
}
