/** Starts a box on what an earlier one left, and asks the kernel whether it holds everybody. */
import { say, task, told } from './lines.ts'
import { configOf, startRealBox } from './real-box.ts'

export interface Restored {
  /** From opening the store. */
  readonly storeMs: number
  readonly gateMs: number
  readonly sessionsMs: number
  readonly devicesHeld: number
}

const box = await startRealBox(configOf(task<{ text: string }>().text))
const held = await box.gate.counters()
const restored: Restored = { storeMs: box.took.store, gateMs: box.took.gate, sessionsMs: box.took.sessions, devicesHeld: held.length }
say(restored)
for await (const _line of told()) say(restored)
await box.stop()
