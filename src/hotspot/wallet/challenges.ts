/**
 * Challenges for guests' keys. Nothing is remembered when one is given out: it carries its own time and a seal.
 *
 *   offset  bytes  content
 *   0       6      boot clock in whole milliseconds, big endian
 *   6       8      random
 *   14      16     first half of HMAC-SHA-256(key, "wallet" ‖ 0 ‖ mac ‖ 0 ‖ action ‖ 0 ‖ bytes 0 to 13)
 *
 * as 40 characters base64url. The key is drawn at each start, so that a challenge of before it is nobody's. Good for
 * one device, one action, ten minutes and one use; the used ones are remembered for those ten minutes.
 */
import { createHmac } from 'node:crypto'
import { concatBytes, equalBytesConstantTime, toBase64Url, utf8 } from '../../base/index.ts'
import type { WalletAction } from './statement.ts'

export const CHALLENGE_MS = 600_000
/** More than the signature limit lets through in ten minutes: a used challenge is never forgotten too early. */
export const MAX_REMEMBERED = 2048
const TIME_BYTES = 6
export const NONCE_BYTES = 8
const SEAL_BYTES = 16
const LENGTH = TIME_BYTES + NONCE_BYTES + SEAL_BYTES
export const CHALLENGE_TEXT = /^[A-Za-z0-9_-]{40}$/

export class Challenges {
  readonly #key: Uint8Array
  /** Challenge → boot clock from which on it would be stale anyway. In the order of use, not of that time. */
  readonly #used = new Map<string, number>()

  /** `key`: 32 random bytes. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  issue(mac: string, action: WalletAction, nowMs: number, nonce: Uint8Array): string {
    const head = concatBytes(timeBytes(nowMs), nonce.slice(0, NONCE_BYTES))
    return toBase64Url(concatBytes(head, this.#seal(mac, action, head)))
  }

  /** Given out by us to this device for this action, still fresh, and not used yet? */
  isGood(challenge: string, mac: string, action: WalletAction, nowMs: number): boolean {
    if (!CHALLENGE_TEXT.test(challenge)) return false
    const bytes = new Uint8Array(Buffer.from(challenge, 'base64url'))
    if (bytes.length !== LENGTH) return false
    const head = bytes.subarray(0, TIME_BYTES + NONCE_BYTES)
    if (!equalBytesConstantTime(bytes.subarray(head.length), this.#seal(mac, action, head))) return false
    const ageMs = Math.floor(nowMs) - timeOf(head)
    return ageMs >= 0 && ageMs <= CHALLENGE_MS && !this.#used.has(challenge)
  }

  /** From now on it is used. False if there is no room to remember it: then it must not be believed either. */
  use(challenge: string, nowMs: number): boolean {
    for (const [old, staleAtMs] of this.#used) if (staleAtMs < nowMs) this.#used.delete(old)
    if (this.#used.size >= MAX_REMEMBERED) return false
    this.#used.set(challenge, nowMs + CHALLENGE_MS)
    return true
  }

  #seal(mac: string, action: WalletAction, head: Uint8Array): Uint8Array {
    const hmac = createHmac('sha256', this.#key).update(utf8(`wallet\0${mac}\0${action}\0`)).update(head)
    return new Uint8Array(hmac.digest().subarray(0, SEAL_BYTES))
  }
}

function timeBytes(ms: number): Uint8Array {
  const bytes = Buffer.alloc(TIME_BYTES)
  bytes.writeUIntBE(Math.max(0, Math.floor(ms)), 0, TIME_BYTES)
  return new Uint8Array(bytes)
}

function timeOf(head: Uint8Array): number {
  return Buffer.from(head.buffer, head.byteOffset, TIME_BYTES).readUIntBE(0, TIME_BYTES)
}
