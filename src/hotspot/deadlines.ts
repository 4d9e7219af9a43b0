/**
 * One timer for the next moment at which a session, or the allotment it is using, runs out of time. The
 * kernel closes by itself at that moment; this writes it down, goes on with the next allotment, and closes
 * once more.
 */
import type { Cancel } from '../base/index.ts'
import type { Keeper } from './keeper.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import { deadlineOf } from './session/index.ts'
import type { Session } from './session/index.ts'

/** An end that could not be written is tried again after so long. */
const RETRY_MS = 1000

export class Deadlines {
  readonly #deps: HotspotDeps
  #watched: { readonly live: LiveSessions; readonly keeper: Keeper } | null = null
  #nextMs = Number.POSITIVE_INFINITY
  #cancel: Cancel = () => undefined

  constructor(deps: HotspotDeps) {
    this.#deps = deps
  }

  start(live: LiveSessions, keeper: Keeper): void {
    this.#watched = { live, keeper }
    this.#fire(live, keeper)
  }

  stop(): void {
    this.#watched = null
    this.#cancel()
  }

  /** To be told of every change of a session: its deadline may now be the next. */
  changed(session: Session): void {
    const deadlineMs = deadlineOf(session)
    if (this.#watched !== null && deadlineMs !== null && deadlineMs < this.#nextMs) this.#arm(deadlineMs)
  }

  #fire(live: LiveSessions, keeper: Keeper): void {
    const nowMs = this.#deps.clock.boottimeMs()
    this.#nextMs = Number.POSITIVE_INFINITY
    let nextMs = Number.POSITIVE_INFINITY
    for (const session of live.all()) {
      const deadlineMs = deadlineOf(session)
      if (deadlineMs === null) continue
      if (deadlineMs <= nowMs) this.#tick(session.id, keeper)
      nextMs = Math.min(nextMs, deadlineMs <= nowMs ? nowMs + RETRY_MS : deadlineMs)
    }
    if (nextMs < this.#nextMs) this.#arm(nextMs)
  }

  #tick(id: string, keeper: Keeper): void {
    keeper.inBackground(id, 'ending a session', async (session) => {
      if (session.state === 'active') await keeper.perform(session, { type: 'tick', at: keeper.now() })
    })
  }

  #arm(atMs: number): void {
    this.#cancel()
    this.#nextMs = atMs
    this.#cancel = this.#deps.timers.after(Math.max(0, Math.ceil(atMs - this.#deps.clock.boottimeMs())), () => {
      if (this.#watched !== null) this.#fire(this.#watched.live, this.#watched.keeper)
    })
  }
}
