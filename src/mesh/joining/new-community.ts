/** What a community begins with: a password for its mesh and a range of addresses, drawn; this box's key is the community's. */
import { inputError, toBase64Url, toHex } from '../../base/index.ts'
import type { Randomness } from '../../base/index.ts'
import type { BoxId } from '../ports.ts'
import { MAX_CHANNEL, MAX_NAME_BYTES, NONCE_BYTES } from './invitation.ts'
import type { CommunityCode } from './invitation.ts'

export const DEFAULT_CHANNEL = 36
const NAME = /^[^\s\p{C}](?:[^\p{C}]{0,30}[^\s\p{C}])?$/u
const SECRET_BYTES = 15

/** As on a code, for planJoin. Errors: input `name`, `channel`. */
export function newCommunity(box: BoxId, name: string, channel: number, randomness: Pick<Randomness, 'bytes'>): CommunityCode {
  if (!NAME.test(name) || new TextEncoder().encode(name).length > MAX_NAME_BYTES) throw inputError('name', name, `a name of at most ${MAX_NAME_BYTES} bytes without blanks at its ends`)
  if (!Number.isInteger(channel) || channel < 1 || channel > MAX_CHANNEL) throw inputError('channel', channel, `1..${MAX_CHANNEL}`)
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = randomness.bytes(5)
  const groups = [0xfd00 | a, (b << 8) | c, (d << 8) | e]
  return {
    community: box,
    issuedBy: box,
    name,
    number: 1,
    uses: 1,
    notAfterSeconds: null,
    nonce: new Uint8Array(NONCE_BYTES),
    chainFileHash: null,
    contract: null,
    tokens: [],
    prices: { token: null, perMiB: 0n, perMinute: 0n },
    meshId: `meshbox-${toHex(randomness.bytes(3))}`,
    meshChannel: channel,
    meshSecret: toBase64Url(randomness.bytes(SECRET_BYTES)),
    ulaPrefix: `${groups.map((group) => group.toString(16)).join(':')}::/64`,
  }
}
