/**
 * When the wall clock may be believed: two independent sources agree with it.
 *
 * A source is anything that says what time it is: the kernel's NTP state, the browser of a logged-in
 * owner, later a signed block header or a mesh neighbour. Each observation is kept as an offset to the
 * boot clock, so a later jump of the wall clock takes the trust away until the sources agree again.
 */
export const TRUST_TOLERANCE_MS = 120_000
const MAX_SOURCES = 16

export class TimeTrust {
  readonly #offsets = new Map<string, number>()

  /** `source` names who says so; the same source counts once, its newest word. */
  observe(source: string, wallMs: number, boottimeMs: number): void {
    if (!Number.isFinite(wallMs)) return
    this.#offsets.delete(source)
    if (this.#offsets.size >= MAX_SOURCES) {
      const oldest = this.#offsets.keys().next()
      if (!oldest.done) this.#offsets.delete(oldest.value)
    }
    this.#offsets.set(source, wallMs - boottimeMs)
  }

  forget(source: string): void {
    this.#offsets.delete(source)
  }

  /** Does the system's own wall clock agree with at least two sources? */
  agrees(wallMs: number, boottimeMs: number): boolean {
    const offset = wallMs - boottimeMs
    let agreeing = 0
    for (const other of this.#offsets.values()) if (Math.abs(other - offset) <= TRUST_TOLERANCE_MS) agreeing++
    return agreeing >= 2
  }

  sources(): string[] {
    return [...this.#offsets.keys()]
  }
}
