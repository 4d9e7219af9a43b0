/**
 * The sessions that are not over, in memory, as they are on disk plus the use counted since. Found by id,
 * by a bound device, or by the bearer that paid. Changes only after the turn that wrote them resolved.
 */
import type { MacAddress } from './gate/types.ts'
import { boundDevices, isOver } from './session/index.ts'
import type { Session } from './session/index.ts'

export class LiveSessions {
  readonly #byId = new Map<string, Session>()
  readonly #byMac = new Map<MacAddress, string>()
  readonly #byBearer = new Map<string, string>()
  readonly #changed: (session: Session) => void
  #taken = 0
  #paused = 0

  /** `changed` hears of every put. */
  constructor(changed: (session: Session) => void) {
    this.#changed = changed
  }

  /** Takes the place of the older copy; a session that is over leaves. */
  put(session: Session): void {
    const before = this.#byId.get(session.id)
    if (before !== undefined) this.#unlist(before)
    if (!isOver(session)) this.#list(session)
    this.#changed(session)
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  ofDevice(mac: MacAddress): Session | undefined {
    const id = this.#byMac.get(mac)
    return id === undefined ? undefined : this.#byId.get(id)
  }

  ofBearer(bearer: string): Session | undefined {
    const id = this.#byBearer.get(bearer)
    return id === undefined ? undefined : this.#byId.get(id)
  }

  all(): IterableIterator<Session> {
    return this.#byId.values()
  }

  /** Sessions that have a place in the gate, or are about to have one: what `maxSessions` limits. */
  get taken(): number {
    return this.#taken
  }

  get paused(): number {
    return this.#paused
  }

  #list(session: Session): void {
    this.#byId.set(session.id, session)
    for (const device of boundDevices(session)) this.#byMac.set(device.mac, session.id)
    for (const { bearer } of session.allotments) if (bearer !== null) this.#byBearer.set(bearer, session.id)
    if (takesPlace(session)) this.#taken++
    if (session.state === 'paused') this.#paused++
  }

  #unlist(session: Session): void {
    this.#byId.delete(session.id)
    for (const device of boundDevices(session))
      if (this.#byMac.get(device.mac) === session.id) this.#byMac.delete(device.mac)
    for (const { bearer } of session.allotments) if (bearer !== null) this.#byBearer.delete(bearer)
    if (takesPlace(session)) this.#taken--
    if (session.state === 'paused') this.#paused--
  }
}

export function takesPlace(session: Session): boolean {
  return session.state === 'active' || session.state === 'gate-open' || session.state === 'journaled'
}
