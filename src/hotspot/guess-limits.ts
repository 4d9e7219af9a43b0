/**
 * How often codes may be guessed. A wrong code counts against its device and against everybody together; a
 * slip of the finger (the check symbol tells) only against a wider limit of its device. Whoever is right is
 * never slowed down by others, except when the overall limit is hit. Signed texts (QR, tickets) cannot be
 * guessed and are only kept from burning the processor.
 *
 * The overall limit is wide, so that an attacker who changes his MAC address cannot easily use it up and lock out
 * everybody. A try hits each unused voucher with 2⁻⁴⁵: a 24-bit tag, and a number that was printed. With 1000 unused ones
 * and the limit used up day and night: 432,300 tries and 0.0012 % on the first day, 157.7 million tries and 0.45 % in a year.
 * docs/vouchers.md has the table.
 */
import { MeshBoxError, RateLimit } from '../base/index.ts'
import type { Config } from '../config/index.ts'

/** All devices together: bounds what an attacker with many MAC addresses can try. */
export const OVERALL_GUESSES = { burst: 300, perSecond: 5 }
/** Texts of one device that cannot be right: typos, forged signatures, stale tickets. */
export const TYPOS = { burst: 30, perSecond: 1 }
const EVERYBODY = 'everybody'

export class GuessLimits {
  readonly #perDevice: RateLimit
  readonly #overall = new RateLimit(OVERALL_GUESSES, 1)
  readonly #typos = new RateLimit(TYPOS)

  constructor(hotspot: Pick<Config['hotspot'], 'guessBurst' | 'guessSeconds'>) {
    this.#perDevice = new RateLimit({ burst: hotspot.guessBurst, perSecond: 1 / hotspot.guessSeconds })
  }

  /** Throws `limit` code `too-many-guesses`; asked before the text is looked at, so that it tells nothing. */
  admit(mac: string, isGuessable: boolean, nowMs: number): void {
    if (!this.#typos.isOpen(mac, nowMs)) throw tooMany('this device', 1 / TYPOS.perSecond)
    if (!isGuessable) return
    if (!this.#perDevice.isOpen(mac, nowMs)) throw tooMany('this device', this.#perDevice.take(mac, nowMs))
    if (!this.#overall.isOpen(EVERYBODY, nowMs)) throw tooMany('all devices together', this.#overall.take(EVERYBODY, nowMs))
  }

  /** A well-formed code that is nobody's. */
  wrongGuess(mac: string, nowMs: number): void {
    this.#perDevice.take(mac, nowMs)
    this.#overall.take(EVERYBODY, nowMs)
  }

  /** A text that could not be right. */
  typo(mac: string, nowMs: number): void {
    this.#typos.take(mac, nowMs)
  }
}

function tooMany(who: string, retryAfterSeconds: number): MeshBoxError {
  return new MeshBoxError('limit', `too many wrong codes from ${who}; wait a little`, {
    code: 'too-many-guesses',
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterSeconds)),
  })
}
