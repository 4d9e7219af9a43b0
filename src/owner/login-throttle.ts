/**
 * Slows down guessing of the owner's password and of the set-up code, pure: time comes as an argument
 * (boot clock).
 *
 * Two brakes, both counted before the slow scrypt runs so that parallel tries cannot slip past:
 *
 *   per address   3 tries free, then a wait of 2, 4, 8 … at most 900 seconds after each wrong one
 *   over all      30 tries free, then a wait of 1, 2, 4 … at most 15 seconds after each wrong one
 *
 * The second is short on purpose, and does not hold for the last few addresses that were right before:
 * somebody on the owner's network must not be able to lock the owner out. Counts are forgotten 30 minutes after the last wrong try of that address (or of anybody).
 * An IPv6 address counts with its whole /64, because one device can take any address in it.
 */
import { MeshBoxError } from '../base/index.ts'

interface Brake {
  failures: number
  /** No try before this. */
  openAtMs: number
  lastMs: number
}

interface BrakeRule {
  readonly free: number
  readonly firstSeconds: number
  readonly maxSeconds: number
}

const PER_ADDRESS: BrakeRule = { free: 3, firstSeconds: 2, maxSeconds: 900 }
const OVERALL: BrakeRule = { free: 30, firstSeconds: 1, maxSeconds: 15 }
const FORGET_MS = 30 * 60_000
const MAX_ADDRESSES = 1024
const MAX_KNOWN = 16
/** scrypt needs tens of megabytes each: so many may run at once. */
const MAX_AT_ONCE = 2

export class LoginThrottle {
  readonly #addresses = new Map<string, Brake>()
  /** Addresses that were right, oldest first. */
  readonly #known = new Set<string>()
  #overall: Brake = fresh()
  #running = 0
  readonly #atOnce: number

  constructor(atOnce = MAX_AT_ONCE) {
    this.#atOnce = atOnce
  }

  /**
   * Books a try as failed in advance. Throws MeshBoxError `limit`, code `too-many-tries`, with the
   * seconds to wait. Call `passed` if the try was right, and `done` in any case when it is over.
   */
  begin(address: string, nowMs: number): void {
    const key = addressKey(address)
    const brake = this.#addresses.get(key) ?? fresh()
    const overall = this.#overall
    for (const one of [brake, overall]) if (nowMs - one.lastMs > FORGET_MS) Object.assign(one, fresh())
    const waitMs = Math.max(brake.openAtMs, this.#known.has(key) ? 0 : overall.openAtMs) - nowMs
    if (waitMs > 0) throw tooMany(Math.ceil(waitMs / 1000))
    if (this.#running >= this.#atOnce) throw tooMany(1)
    this.#running++
    book(brake, PER_ADDRESS, nowMs)
    book(overall, OVERALL, nowMs)
    this.#addresses.delete(key) // re-inserted: the map's order is the order of last use
    if (this.#addresses.size >= MAX_ADDRESSES) {
      const oldest = this.#addresses.keys().next()
      if (!oldest.done) this.#addresses.delete(oldest.value)
    }
    this.#addresses.set(key, brake)
  }

  done(): void {
    this.#running = Math.max(0, this.#running - 1)
  }

  /** The try was right: its address starts anew, and it does not count against the others. */
  passed(address: string): void {
    const key = addressKey(address)
    this.#addresses.delete(key)
    this.#known.delete(key)
    this.#known.add(key)
    for (const oldest of this.#known) if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest)
    this.#overall.failures = Math.max(0, this.#overall.failures - 1)
    if (this.#overall.failures <= OVERALL.free) this.#overall.openAtMs = 0
  }
}

function fresh(): Brake {
  return { failures: 0, openAtMs: 0, lastMs: 0 }
}

function book(brake: Brake, rule: BrakeRule, nowMs: number): void {
  brake.failures++
  brake.lastMs = nowMs
  const over = brake.failures - rule.free
  const seconds = over < 0 ? 0 : Math.min(rule.maxSeconds, rule.firstSeconds * 2 ** Math.min(over, 20))
  brake.openAtMs = nowMs + seconds * 1000
}

function tooMany(seconds: number): MeshBoxError {
  return new MeshBoxError('limit', `too many tries; wait ${seconds} s and try again`, {
    code: 'too-many-tries',
    retryAfterSeconds: seconds,
  })
}

/** IPv4 as it is, IPv6 by its first four groups. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = tail === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
