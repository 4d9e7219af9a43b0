/**
 * A code as text, for QR and for pasting: `meshbox:` and base64url of RLP [ticket, settings] and four bytes of its Keccak
 * hash. At most 600 characters, so that the QR code is read from paper and from a phone's screen.
 */
import { MeshBoxError, concatBytes, decodeRlp, encodeRlp, equalBytesConstantTime, fromBase64Url, inputError, toBase64Url } from '../../base/index.ts'
import type { InvitationKeys, InvitationParts } from './invitation.ts'

export const MAX_CODE_CHARS = 600
const PREFIX = 'meshbox:'
const CHECK_BYTES = 4
const LIMITS = { maxBytes: 512, maxItems: 3, maxDepth: 1 }

/** Errors: limit `code-too-long`. */
export function codeText(keys: Pick<InvitationKeys, 'keccak256'>, { ticket, settings }: InvitationParts): string {
  const body = encodeRlp([ticket, settings])
  const text = PREFIX + toBase64Url(concatBytes(body, keys.keccak256(body).subarray(0, CHECK_BYTES)))
  if (text.length > MAX_CODE_CHARS) throw new MeshBoxError('limit', `the code would have ${text.length} characters, and may have ${MAX_CODE_CHARS}: take a shorter name, or fewer tokens`, { code: 'code-too-long' })
  return text
}

/** Blanks and line ends, as a chat puts them in, do not matter. Errors: input `code`. Whose it is says readInvitation. */
export function codeParts(keys: Pick<InvitationKeys, 'keccak256'>, text: string): InvitationParts {
  if (text.length > 2 * MAX_CODE_CHARS) throw inputError('code', `${text.length} characters`, `at most ${MAX_CODE_CHARS} characters`)
  const tight = text.replace(/\s+/g, '')
  if (tight.length > MAX_CODE_CHARS) throw inputError('code', `${tight.length} characters`, `at most ${MAX_CODE_CHARS} characters`)
  if (!tight.startsWith(PREFIX)) throw inputError('code', tight.slice(0, 12), `${PREFIX} and what follows it on the code`)
  const bytes = fromBase64Url(tight.slice(PREFIX.length), 'code')
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECK_BYTES))
  if (body.length === 0 || !equalBytesConstantTime(keys.keccak256(body).subarray(0, CHECK_BYTES), bytes.subarray(body.length))) throw inputError('code', 'a code with a mistake in it', 'the whole code, as it was given out')
  const items = decodeRlp(body, LIMITS, 'code')
  const [ticket, settings] = items instanceof Uint8Array ? [] : items
  if (items.length !== 2 || !(ticket instanceof Uint8Array) || !(settings instanceof Uint8Array)) throw inputError('code', 'something else', 'a ticket and settings')
  return { ticket, settings }
}
