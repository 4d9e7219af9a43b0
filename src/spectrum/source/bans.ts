/**
 * Who is kept out, by identity: a node id, a server's URL. Bounded; the one that ends first is dropped first.
 * The end is kept in wall time, because it must outlive a restart, and in this boot's time, because the wall
 * clock of a router may jump by years: banned is who is so by either, until both have passed.
 */
import type { Clock } from '../../base/index.ts'

export interface Ban {
  readonly identity: string
  readonly reason: string
  /** Unix time. */
  readonly untilSeconds: number
}

/** Where bans outlive a restart. */
export interface BanStore {
  load(): readonly Ban[]
  /** All there are now. May fail later than it returns; a lost ban is a peer that is banned again. */
  save(bans: readonly Ban[]): void
}

/** For a box that keeps none. */
export const forgetfulBans: BanStore = { load: () => [], save: () => undefined }

export class Bans {
  readonly #most: number
  readonly #store: BanStore
  readonly #clock: Clock
  readonly #bans = new Map<string, Ban & { readonly untilBoottimeMs: number }>()

  constructor(store: BanStore, clock: Clock, most: number) {
    this.#store = store
    this.#clock = clock
    this.#most = most
    for (const ban of store.load().slice(0, most)) this.#bans.set(ban.identity, { ...ban, untilBoottimeMs: 0 })
  }

  get size(): number {
    this.#expire()
    return this.#bans.size
  }

  list(): readonly Ban[] {
    this.#expire()
    return [...this.#bans.values()].map(({ identity, reason, untilSeconds }) => ({ identity, reason, untilSeconds }))
  }

  isBanned(identity: string): boolean {
    const ban = this.#bans.get(identity)
    return ban !== undefined && !this.#isOver(ban)
  }

  /** A longer ban is not shortened by a shorter one. */
  add(identity: string, reason: string, seconds: number): void {
    this.#expire()
    const ban = { identity, reason: reason.slice(0, 200), untilSeconds: Math.floor(this.#clock.wallMs() / 1000) + seconds, untilBoottimeMs: this.#clock.boottimeMs() + seconds * 1000 }
    const before = this.#bans.get(identity)
    if (before !== undefined && before.untilSeconds >= ban.untilSeconds && before.untilBoottimeMs >= ban.untilBoottimeMs) return
    this.#bans.set(identity, ban)
    while (this.#bans.size > this.#most) this.#dropFirstToEnd()
    this.#store.save(this.list())
  }

  lift(identity: string): void {
    if (this.#bans.delete(identity)) this.#store.save(this.list())
  }

  #isOver(ban: { readonly untilSeconds: number; readonly untilBoottimeMs: number }): boolean {
    return ban.untilBoottimeMs <= this.#clock.boottimeMs() && ban.untilSeconds * 1000 <= this.#clock.wallMs()
  }

  #expire(): void {
    for (const [identity, ban] of this.#bans) if (this.#isOver(ban)) this.#bans.delete(identity)
  }

  #dropFirstToEnd(): void {
    const [first] = [...this.#bans.values()].sort((a, b) => a.untilSeconds - b.untilSeconds)
    if (first !== undefined) this.#bans.delete(first.identity)
  }
}
