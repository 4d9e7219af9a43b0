/** Before anything is taken: is there room, and can the gate open? And afterwards: opening it. */
import { MeshBoxError } from '../base/index.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import type { Keeper } from './keeper.ts'
import type { LiveSessions } from './live-sessions.ts'
import { takesPlace } from './live-sessions.ts'
import type { Metering } from './metering.ts'
import type { HotspotDeps } from './ports.ts'
import type { Session } from './session/index.ts'

export class Opening {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #keeper: Keeper
  readonly #gatekeeper: Gatekeeper
  readonly #metering: Metering
  /** Sessions on their way to a place that are not counted as having one yet. */
  readonly #reserved = new Set<string>()
  /** What is paused as away may be in use at another box, which has to let go of it first (roaming/). */
  isAwayElsewhere = false

  constructor(deps: HotspotDeps, live: LiveSessions, keeper: Keeper, gatekeeper: Gatekeeper, metering: Metering) {
    this.#deps = deps
    this.#live = live
    this.#keeper = keeper
    this.#gatekeeper = gatekeeper
    this.#metering = metering
  }

  /**
   * Runs `task` with a place kept for session `id` and a gate that said it is able to open. Throws `limit`
   * code `no-room` or `unavailable` code `gate-failed` before `task` begins.
   */
  async withPlace<T>(id: string, task: () => Promise<T>): Promise<T> {
    const { maxSessions } = this.#deps.config().hotspot
    if (!this.#hasPlace(id)) {
      const onTheWay = [...this.#reserved].filter((other) => !this.#hasPlace(other)).length
      if (this.#live.taken + onTheWay >= maxSessions)
        throw new MeshBoxError('limit', `all ${maxSessions} places are taken; nothing was used up, try again later`, {
          code: 'no-room',
          retryAfterSeconds: 60,
        })
    }
    this.#reserved.add(id)
    try {
      await this.#gatekeeper.preflight()
      return await task()
    } finally {
      this.#reserved.delete(id)
    }
  }

  /** Opens a journaled, paused or credited session; one that is open stays as it is. Its lane is held. */
  async open(session: Session, by: 'guest' | 'owner' | 'service'): Promise<Session> {
    if (session.state === 'active') return session
    if (this.isAwayElsewhere && session.pauseReason === 'away') throw new MeshBoxError('conflict', 'this time is used at another box now', { code: 'session-away', retryAfterSeconds: 2 })
    const charged = session.state === 'journaled' ? session : await this.#metering.charge(session)
    return this.#keeper.perform(charged, { type: 'open', by })
  }

  #hasPlace(id: string): boolean {
    const session = this.#live.get(id)
    return session !== undefined && takesPlace(session)
  }
}
