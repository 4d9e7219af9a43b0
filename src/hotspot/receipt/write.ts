/** Writes a receipt: the body of layout.ts, then the box's signature over it (EIP-191, personal_sign). */
import { toHex } from '../../base/index.ts'
import { renderBody } from './layout.ts'
import type { ReceiptFacts, ReceiptSigner } from './types.ts'

/**
 * UTF-8 text of 18 lines, each ended by a line feed, the last one `Signature: 0x…` over the lines above
 * without the line feed before it: what any Ethereum wallet's "verify message" checks as well.
 * Throws `input` for facts out of range (see ReceiptFacts); names are cleaned, never refused.
 */
export function writeReceipt(facts: ReceiptFacts, signer: ReceiptSigner): string {
  const body = renderBody({ address: signer.address, facts })
  return `${body}\nSignature: 0x${toHex(signer.signText(body))}\n`
}
