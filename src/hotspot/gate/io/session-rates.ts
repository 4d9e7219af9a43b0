/**
 * When the shaper is asked for which rates. A class is made beside the lease and costs its guest no time; the
 * first rates need whole queue disciplines, which take a while, so those come before the lease: a session opened
 * meanwhile would be without its rate.
 */
import type { Cancel, Timers } from '../../../base/index.ts'
import type { Book, BookedSession, Draft } from '../book.ts'
import type { SessionRate } from '../shaper.ts'
import type { TcShaper } from './tc-shaper.ts'

/** A guest who has paid does not wait longer for queue disciplines. */
const PATIENCE_MS = 1000

export class SessionRates {
  readonly #shaper: TcShaper
  readonly #timers: Timers
  /** The shaper was told of some. */
  #hasRates = false

  constructor(shaper: TcShaper, timers: Timers) {
    this.#shaper = shaper
    this.#timers = timers
  }

  /** Before the draft's leases are set. */
  async beforeOpening(draft: Draft): Promise<void> {
    const rates = ratesOf(draft.sessions.values())
    if (rates.length === 0 || !this.#shaper.mustInstallFor(rates)) return
    let cancel: Cancel = () => undefined
    const patience = new Promise<void>((resolve) => { cancel = this.#timers.after(PATIENCE_MS, resolve) })
    await Promise.race([this.#shaper.sync(rates), patience])
    cancel()
  }

  /** After the book changed. */
  follow(book: Book): void {
    if (book.minors.size === 0 && !this.#hasRates) return
    this.#hasRates = book.minors.size > 0
    void this.#shaper.sync(ratesOf(book.sessions.values()))
  }

  /** An interface was made anew. */
  forget(device: string): void {
    this.#shaper.forget(device)
  }

  close(): Promise<void> {
    return this.#shaper.close()
  }
}

function ratesOf(sessions: Iterable<BookedSession>): SessionRate[] {
  return [...sessions].flatMap(({ minor, downKbps, upKbps }) => (minor === null ? [] : [{ minor, downKbps, upKbps }]))
}
