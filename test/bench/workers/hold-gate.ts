/**
 * The real gate in a namespace, with grants as told. First it opens the devices of its task; then each line
 * `open <mac> <ip4> <ms>` opens one more, and it says when that was asked and when the kernel had it.
 */
import type { Grant } from '../../../src/hotspot/gate/index.ts'
import { say, task, told } from './lines.ts'
import { configOf, gateOf, guestAddress } from './real-box.ts'

export interface HoldGateTask {
  readonly text: string
  readonly runtimeDir: string
  /** Devices nobody uses: other guests' sessions. */
  readonly others: number
  readonly devices: readonly { readonly mac: string; readonly ip4: string }[]
  readonly leaseMs: number
}

/** CLOCK_MONOTONIC, ms: the same clock in every process of the machine. */
export interface Opened {
  readonly askedAtMs: number
  readonly heldAtMs: number
}

const settings = task<HoldGateTask>()
const grant = (mac: string, ip4: string | null, leaseMs: number): Grant => ({ sessionId: `bench-${mac}`, mac, ip4, leaseMs, quotaBytes: null, downKbps: null, upKbps: null })
const grants = [
  ...settings.devices.map(({ mac, ip4 }) => grant(mac, ip4, settings.leaseMs)),
  ...Array.from({ length: settings.others }, (_, n) => guestAddress(n)).map(({ mac, ip4 }) => grant(mac, ip4, settings.leaseMs)),
]
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

const gate = gateOf(configOf(settings.text), settings.runtimeDir, () => grants)
await gate.start()
await gate.apply({ open: grants, close: [] })
say({ ready: true, devices: gate.health().devices })
for await (const line of told()) {
  const [, mac = '', ip4 = '', ms = '0'] = line.split(' ')
  const askedAtMs = monotonicMs()
  await gate.apply({ open: [grant(mac, ip4, Number(ms))], close: [] })
  const opened: Opened = { askedAtMs, heldAtMs: monotonicMs() }
  say(opened)
}
await gate.stop()
