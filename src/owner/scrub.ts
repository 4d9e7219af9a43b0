/**
 * Takes secrets and guests' identities out of text that leaves the box in a support bundle; pure.
 *
 * Rooms do not log secrets, and the log hides fields that are named like one. This is the second net, for
 * what slipped through: it hides by form, and rather too much than too little.
 *
 *   MAC address              → mac-<6 hex>: the same device has the same name within one bundle only
 *   IPv6 address             → ip6-<6 hex> (its last half often holds the MAC)
 *   password=…, cookie: …    → the name stays, the value goes
 *   voucher code             → 10 symbols, with or without the dash
 *   24 and more of base64url, hex, base64 in one piece: keys, hashes, tickets, cookies, signatures
 *   12 and more short lower-case words in a row: recovery words
 */
import { createHmac } from 'node:crypto'
import { parseAddress, isLoopback, isUnspecified } from './ip-address.ts'

const HIDDEN = '[hidden]'
const NAMED =
  /\b([\w-]*(?:passw|passphrase|secret|private|credential|cookie|ticket|bearer|authorization|seed|mnemonic|words)[\w-]*|(?:api|access|auth|csrf|voucher|code|set-?up)[_-]?(?:key|token|code))(["']?\s*[=:]\s*|\s+(?=["']))("[^"]*"|'[^']*'|[^\s,;&]+)/gi
const UCI_SECRET_OPTION = /^(\s*(?:option|list)\s+["']?\w*(?:passw|passphrase|secret|private|seed|mnemonic|words|cookie|_key|_token)\w*["']?\s+)(.*)$/gim
const MAC = /(?<![0-9a-f:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![0-9a-f:-])/gi
const IP6 = /(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:[0-9.]{4,12})?(?![\w:.])/gi
const CODE = /(?<![0-9A-Za-z])(?:[0-9A-Z]{5}[-\u2010-\u2015 ][0-9A-Z]{5}|[0-9a-z]{5}-[0-9a-z]{5}|(?=[0-9]*[A-Z])[0-9A-Z]{10}|(?=[a-z]*[0-9])(?=[0-9]*[a-z])[0-9a-z]{10})(?![0-9A-Za-z])/g
const SET_UP_CODE = /(?<![0-9A-Za-z])[0-9A-Z]{4}-[0-9A-Z]{4}(?![0-9A-Za-z])/g
const LONG = /(?<![\w-])[\w-]{24,}(?![\w-])/g
const BASE64 = /(?<![A-Za-z0-9+/=])(?=[^\s]*[A-Z])(?=[^\s]*[a-z])(?=[^\s]*[0-9])[A-Za-z0-9+/]{24,}={0,2}/g
const WORDS = /(?<![a-z])(?:[a-z]{3,8}[ ,]+){11,}[a-z]{3,8}(?![a-z])/g

export type Scrub = (text: string) => string

/** `salt` is thrown away afterwards, so that the short names cannot be traced back to a device. */
export function createScrub(salt: Uint8Array, knownSecrets: readonly string[] = []): Scrub {
  const short = (value: string): string => createHmac('sha256', salt).update(value.toLowerCase()).digest('hex').slice(0, 6)
  const known = knownSecrets.filter((secret) => secret.length >= 4)
  return (text) => {
    let clean = text
    for (const secret of known) clean = clean.replaceAll(secret, HIDDEN)
    return clean
      .replace(UCI_SECRET_OPTION, `$1'${HIDDEN}'`)
      .replace(NAMED, (_all, name: string, sign: string) => `${name}${sign}${HIDDEN}`)
      .replace(MAC, (mac) => `mac-${short(mac.replaceAll('-', ':'))}`)
      .replace(IP6, (candidate) => {
        const address = parseAddress(candidate)
        return address === null || isLoopback(address) || isUnspecified(address) ? candidate : `ip6-${short(candidate)}`
      })
      .replace(WORDS, HIDDEN)
      .replace(BASE64, HIDDEN)
      .replace(LONG, HIDDEN)
      .replace(CODE, HIDDEN)
      .replace(SET_UP_CODE, HIDDEN)
  }
}

/** The same over every text in a JSON value; numbers and names of fields stay as they are. */
export function scrubJson(value: unknown, scrub: Scrub): unknown {
  if (typeof value === 'string') return scrub(value)
  if (Array.isArray(value)) return value.map((item) => scrubJson(item, scrub))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scrubJson(item, scrub)]))
  return value
}
