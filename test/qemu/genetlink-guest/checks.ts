/** What was looked at in the guest, and what came of it. */
import { isDeepStrictEqual } from 'node:util'
import { MeshBoxError } from '../../../src/base/index.ts'

export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was seen instead, for a check that failed. */
  readonly detail: unknown
}

/** A bound against hanging, not a measure: an emulated router on a busy machine is slow. */
const PATIENCE_MS = 120_000
const LOOK_AGAIN_MS = 100

export class Checks {
  readonly list: Check[] = []
  /** Numbers and things worth knowing. */
  readonly notes: Record<string, unknown> = {}

  add(name: string, ok: boolean, detail: unknown): void {
    this.list.push({ name, ok, detail: ok ? null : detail })
  }

  equal(name: string, seen: unknown, expected: unknown): void {
    this.add(name, isDeepStrictEqual(seen, expected), { seen, expected })
  }

  /** Looks again until it is so; what was seen last is the detail. */
  async until<Seen>(name: string, look: () => Promise<Seen> | Seen, isSo: (seen: Seen) => boolean, { patienceMs = PATIENCE_MS, everyMs = LOOK_AGAIN_MS }: { readonly patienceMs?: number; readonly everyMs?: number } = {}): Promise<Seen> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const seen = await look()
      if (isSo(seen) || performance.now() > deadline) {
        this.add(name, isSo(seen), seen)
        return seen
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }

  /** The promise must reject with a MeshBoxError of this code. */
  async refuses(name: string, code: string, promise: Promise<unknown>): Promise<void> {
    const seen = await promise.then(
      (value) => ({ value }),
      (error: unknown) => (error instanceof MeshBoxError ? { code: error.code, message: error.message } : { error: String(error) }),
    )
    this.add(name, 'code' in seen && seen.code === code, seen)
  }
}
