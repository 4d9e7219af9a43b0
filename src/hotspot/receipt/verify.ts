/** Checks a receipt: strict form, and that the box it names has signed it (EIP-191). */
import { asError, fromHex } from '../../base/index.ts'
import { recoverTextSigner } from '../../identity/index.ts'
import { parseBody } from './layout.ts'
import type { SignedFacts } from './layout.ts'
import type { ReceiptFacts } from './types.ts'

export type ReceiptCheck =
  | {
      readonly valid: true
      /** Who signed: the caller compares it with the address of the box it means. */
      readonly address: string
      readonly facts: ReceiptFacts
    }
  | { readonly valid: false; readonly reason: string }

const MAX_RECEIPT_LENGTH = 4096
/** Half the order of secp256k1's group (SEC 2, section 2.4.1): a larger s is a re-written signature. */
const MAX_S = 0x7fffffff_ffffffff_ffffffff_ffffffff_5d576e73_57a4501d_dfe92f46_681b20a0n

/**
 * Never throws. Windows line ends are taken for line feeds, and the one at the very end may be missing;
 * any other difference from what `writeReceipt` wrote makes the receipt invalid.
 */
export function verifyReceipt(text: string): ReceiptCheck {
  if (text.length > MAX_RECEIPT_LENGTH) return invalid('too long for a receipt')
  const match = /^([^\r]+)\nSignature: 0x([0-9a-f]{130})\n?$/.exec(text.replaceAll('\r\n', '\n'))
  if (match === null) return invalid('the last line is not a signature')
  const [, body = '', hex = ''] = match
  const signature = fromHex(hex)
  if (BigInt(`0x${hex.slice(64, 128)}`) > MAX_S || (signature[64] !== 27 && signature[64] !== 28))
    return invalid('the signature is not in its one allowed form')
  let signed: SignedFacts
  let signer: string | null
  try {
    signed = parseBody(body)
    signer = recoverTextSigner(body, signature)
  } catch (thrown) {
    return invalid(asError(thrown).message)
  }
  if (signer !== signed.address) return invalid(`not signed by ${signed.address}, or changed afterwards`)
  return { valid: true, address: signed.address, facts: signed.facts }
}

function invalid(reason: string): ReceiptCheck {
  return { valid: false, reason }
}
