/** Whether a server is there, from when we asked and when it answered. Pure. Keepalives go on while it is away, ever more slowly. */
const KEEPALIVE_MS = 10_000
const LONGEST_PAUSE_MS = 60_000
/** A server that answered nothing for so long, though it was asked, is away. */
const ANSWER_MS = 25_000
/** After so long without an answer the name is looked up again: the server may have moved. */
const REOPEN_MS = 60_000

export class SessionState {
  #openedMs = 0
  #answeredMs: number | null = null
  /** Since when an answer is waited for; null: nothing is open. */
  #askedMs: number | null = null
  #pauseMs = KEEPALIVE_MS
  #isBroken = false
  #isTold = false

  opened(nowMs: number): void {
    this.#openedMs = nowMs
    this.#isBroken = false
  }

  /** It was asked; answers milliseconds until the next time. */
  pulled(nowMs: number): number {
    const isWaiting = this.#askedMs !== null
    this.#askedMs ??= nowMs
    this.#pauseMs = isWaiting ? Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2) : KEEPALIVE_MS
    return this.#pauseMs
  }

  answered(nowMs: number): void {
    this.#answeredMs = nowMs
    this.#askedMs = null
    this.#isBroken = false
    this.#isTold = false
  }

  /** The socket says that nobody is there. True: that is news since the last answer. */
  failed(): boolean {
    const isNews = !this.#isTold
    this.#isTold = true
    this.#isBroken = true
    this.#answeredMs = null
    return isNews
  }

  isOnline(nowMs: number): boolean {
    return !this.#isBroken && this.#answeredMs !== null && (this.#askedMs === null || nowMs - this.#askedMs < ANSWER_MS)
  }

  /** It is known not to answer; a session that was opened just now is not. */
  isAway(nowMs: number): boolean {
    return this.#isBroken || (this.#askedMs !== null && nowMs - this.#askedMs >= ANSWER_MS)
  }

  needsSocket(nowMs: number): boolean {
    return this.#isBroken || (this.isAway(nowMs) && nowMs - this.#openedMs >= REOPEN_MS)
  }
}
