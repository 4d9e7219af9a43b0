/** Who misbehaves before it has shown who it is: penalties by the address it comes from, bounded, forgotten at a restart. */
import { GOOD_STANDING, isBanned, penalised } from './penalties.ts'
import type { Standing } from './penalties.ts'

export const MAX_HOSTS = 256

export class HostBook {
  readonly #standings = new Map<string, Standing>()

  get size(): number {
    return this.#standings.size
  }

  isBanned(host: string, nowMs: number): boolean {
    const standing = this.#standings.get(host)
    return standing !== undefined && isBanned(standing, nowMs)
  }

  penalise(host: string, points: number, reason: string, nowMs: number): void {
    const standing = penalised(this.#standings.get(host) ?? GOOD_STANDING, points, reason, nowMs)
    this.#standings.delete(host) // the map's order is that of last breach
    this.#standings.set(host, standing)
    const oldest = this.#standings.keys().next()
    if (this.#standings.size > MAX_HOSTS && !oldest.done) this.#standings.delete(oldest.value)
  }
}
