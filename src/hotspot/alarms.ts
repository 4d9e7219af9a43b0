/** The gate's newest alarms, for the owner; older ones are only in the log. */
import type { GateAlarm } from './gate/types.ts'

const KEPT = 100

export type DatedAlarm = GateAlarm & { readonly wallMs: number }

export class Alarms {
  readonly #alarms: DatedAlarm[] = []

  add(alarm: GateAlarm, wallMs: number): void {
    this.#alarms.push({ ...alarm, wallMs })
    if (this.#alarms.length > KEPT) this.#alarms.shift()
  }

  newestFirst(): DatedAlarm[] {
    return this.#alarms.toReversed()
  }
}
