/**
 * The real gate in a namespace with so many sessions, through one driver. Told `renew <n>`, it renews n of them one
 * after the other; `all` renews all in one call; `count <n>` reads the counters n times. Says what one of them cost.
 */
import type { Grant } from '../../../src/hotspot/gate/index.ts'
import { costOf, type Cost } from '../measure.ts'
import { say, task, told } from './lines.ts'
import { configOf, gateOf, guestAddress, type GateDriver } from './real-box.ts'

export interface DriveGateTask {
  readonly text: string
  readonly runtimeDir: string
  readonly sessions: number
  readonly driver: GateDriver
}

const settings = task<DriveGateTask>()
const grants = Array.from({ length: settings.sessions }, (_, n): Grant => {
  const { mac, ip4 } = guestAddress(n)
  return { sessionId: `bench-${n}`, mac, ip4, leaseMs: 600_000, quotaBytes: null, downKbps: null, upKbps: null }
})
const gate = gateOf(configOf(settings.text), settings.runtimeDir, () => grants, settings.driver)
await gate.start()
await gate.replace(grants)
if (gate.health().driver !== settings.driver) throw new Error(`the gate works through ${String(gate.health().driver)}`)
say({ ready: true })
for await (const line of told()) {
  const [what = '', countText = '1'] = line.split(' ')
  const count = Number(countText)
  const work: Record<string, (n: number) => Promise<unknown>> = {
    renew: (n) => gate.apply({ open: grants.slice(n % grants.length, (n % grants.length) + 1), close: [] }),
    all: () => gate.apply({ open: grants, close: [] }),
    count: () => gate.counters(),
  }
  const cost = await costOf(async () => {
    for (let n = 0; n < count; n++) await work[what]?.(n)
  })
  const each: Cost = { wallMs: cost.wallMs / count, cpuMs: cost.cpuMs / count, childrenCpuMs: cost.childrenCpuMs / count }
  say(each)
}
await gate.stop()
