/** Keys for one purpose each, made of the box's key: who learns one learns neither the others nor the box's own. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { toHex, utf8 } from '../base/index.ts'
import type { SecretPurpose } from './types.ts'

const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** 32 bytes, from 1 to N - 1. A value outside, one in 2^127, is followed by the next. */
export function derivedSecret(privateKey: Uint8Array, purpose: SecretPurpose): Uint8Array {
  for (let attempt = 0; ; attempt++) {
    const secret = hmac(sha256, privateKey, utf8(`meshbox key v1: ${purpose} ${attempt}`))
    const scalar = BigInt(`0x${toHex(secret)}`)
    if (scalar > 0n && scalar < GROUP_ORDER) return secret
  }
}
