/** Secrets are 32 bytes, their hash SHA-256 (photon.md 1.2): the same on every leg, also on other chains. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesOf, hexOf } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'

export function secretHashOf(secret: Hash): Hash {
  return hexOf(sha256(bytesOf(secret)))
}
