/**
 * Talks to the gate: with bounded patience, remembering what the kernel was told, and such that one session the
 * gate cannot take does not cost the others theirs.
 */
import { MeshBoxError, asError } from '../base/index.ts'
import type { DeviceCounters, GateChange, Grant, MacAddress } from './gate/types.ts'
import type { HotspotDeps } from './ports.ts'
import { allowanceOf } from './session/index.ts'

/** A guest waits no longer than this for the gate; what happens after it is reconciled. */
export const GATE_PATIENCE_MS = 5000
const NOBODY: ReadonlySet<string> = new Set()

export class Gatekeeper {
  readonly #deps: HotspotDeps
  /** Devices the gate failed to close; their leases run out by themselves, the renewal closes them earlier. */
  readonly unclosed = new Set<MacAddress>()
  /** Told before the gate is asked to open these: from then on it may hold counters of them. */
  onOpening: (macs: readonly MacAddress[]) => void = () => undefined
  /** Byte allowances of running sessions that the kernel is known to have. */
  readonly #allowances = new Map<string, number | null>()

  constructor(deps: HotspotDeps) {
    this.#deps = deps
  }

  /** Asks the gate whether it could open one more. Throws `unavailable` code `gate-failed`; nothing was taken. */
  async preflight(): Promise<void> {
    try {
      await this.#patiently(this.#deps.gate.preflight())
    } catch (thrown) {
      this.#deps.log.warn('the gate is not ready to open', { error: asError(thrown) })
      throw new MeshBoxError('unavailable', 'the gate is not ready: nothing was taken, try again in a moment', {
        code: 'gate-failed',
        retryAfterSeconds: 5,
        cause: thrown,
      })
    }
  }

  async counters(): Promise<DeviceCounters[]> {
    return this.#patiently(this.#deps.gate.counters())
  }

  /** One change. `late` hears if it was carried out after all when we had given up waiting. */
  async tell(change: GateChange, late: () => void = () => undefined): Promise<void> {
    this.onOpening(change.open.map((grant) => grant.mac))
    const applied = this.#deps.gate.apply(change)
    let hasGivenUp = false
    applied.then(
      () => {
        if (hasGivenUp) late()
      },
      () => undefined, // refused in the end, as we said
    )
    try {
      await this.#patiently(applied)
    } catch (thrown) {
      hasGivenUp = true
      for (const mac of change.close) this.unclosed.add(mac)
      throw thrown
    }
    this.#note(change.open)
  }

  /**
   * Grants of many sessions in one change, or instead of all others (`replace`). If that is refused because of
   * one of them, each session by itself. Ids of the sessions that were refused; throws when all were.
   */
  async tellAll(grants: readonly Grant[], close: readonly MacAddress[], how: 'apply' | 'replace' = 'apply'): Promise<ReadonlySet<string>> {
    const { gate, log } = this.#deps
    try {
      if (how === 'apply') await this.tell({ open: grants, close })
      else {
        this.onOpening(grants.map((grant) => grant.mac))
        await this.#patiently(gate.replace(grants))
        this.#note(grants)
      }
      return NOBODY
    } catch (thrown) {
      if (!isAboutOne(thrown)) throw thrown
      log.warn('the gate cannot take all sessions together; telling it of each', { error: asError(thrown) })
    }
    if (how === 'replace') await this.#patiently(gate.replace([]))
    if (close.length > 0) await this.tell({ open: [], close })
    const bySession = new Map<string, Grant[]>()
    for (const grant of grants) bySession.set(grant.sessionId, [...(bySession.get(grant.sessionId) ?? []), grant])
    const refused = new Set<string>()
    await Promise.all(
      [...bySession].map(([id, open]) =>
        this.tell({ open, close: [] }).catch((thrown: unknown) => {
          log.warn('the gate does not take a session', { session: id, error: asError(thrown) })
          refused.add(id)
        }),
      ),
    )
    return refused
  }

  /** Bytes the kernel was told the session may use in all; null = not limited, or never told. */
  allowanceTold(id: string): number | null {
    return this.#allowances.get(id) ?? null
  }

  forget(id: string): void {
    this.#allowances.delete(id)
  }

  #note(grants: readonly Grant[]): void {
    for (const grant of grants) this.#allowances.set(grant.sessionId, allowanceOf(grant))
  }

  /** A gate that hangs is one that failed. */
  async #patiently<T>(work: Promise<T>): Promise<T> {
    let cancel: () => void = () => undefined
    const impatience = new Promise<never>((_resolve, reject) => {
      cancel = this.#deps.timers.after(GATE_PATIENCE_MS, () =>
        reject(new MeshBoxError('unavailable', `the gate did not answer within ${GATE_PATIENCE_MS / 1000} s`, { code: 'gate-failed' })),
      )
    })
    try {
      return await Promise.race([work, impatience])
    } finally {
      cancel()
    }
  }
}

/** No room for it, or nothing the kernel understands: other grants may be taken nevertheless. */
function isAboutOne(thrown: unknown): boolean {
  return thrown instanceof MeshBoxError && (thrown.kind === 'limit' || thrown.kind === 'input')
}
