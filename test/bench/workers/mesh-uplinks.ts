/**
 * A box with two ways out, inside its namespace: the watch and its routes as the service runs them, and a stream of datagrams to a
 * far echo that goes where the kernel sends it. Tells the way that is taken, and gaps in what comes back.
 */
import { createSocket } from 'node:dgram'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { KernelUplinkRoutes, UplinkWatch, createUplinkLinks, createUplinkProbe } from '../../../src/mesh/uplinks/index.ts'
import { say, task } from './lines.ts'

export interface UplinksTask {
  readonly interfaceNames: readonly string[]
  readonly far: string
  readonly farPort: number
}

/** `gapMs`: this long nothing came back, and now something did; `silentMs`: since when nothing came back. */
export type UplinksSaid = { readonly chosen: string | null; readonly health: Readonly<Record<string, string>>; readonly silentMs: number } | { readonly gapMs: number }

const EVERY_MS = 10
/** A shorter gap is not told: the datagrams themselves come so far apart. */
const GAP_MS = 2 * EVERY_MS

const { interfaceNames, far, farPort } = task<UplinksTask>()
const clock = new SystemClock('always')
const links = createUplinkLinks()
const routes = new KernelUplinkRoutes({ interfaceNames, links, gatewayMode: { set: async () => undefined }, timers: systemTimers, log: silentLog })
const watch = new UplinkWatch({
  settings: interfaceNames.map((interfaceName) => ({ name: interfaceName, kind: 'ethernet', interfaceName, unitsPerMiB: 0n, downKbit: 10_000, upKbit: 10_000, targets: [`${far}:${farPort}`] })),
  probe: createUplinkProbe({ clock, timers: systemTimers, randomness: systemRandomness }),
  ...{ links, routes, purses: new Map(), clock, timers: systemTimers, log: silentLog },
})
await routes.start()
watch.start()

let cameAtMs = performance.now()
const socket = createSocket('udp4')
socket.on('message', () => {
  const gapMs = performance.now() - cameAtMs
  cameAtMs = performance.now()
  if (gapMs > GAP_MS) say({ gapMs } satisfies UplinksSaid)
})
// A way that is gone refuses now and then; the next datagram tries again.
socket.on('error', () => undefined)
socket.bind(0, () => systemTimers.every(EVERY_MS, () => socket.send('are you there', farPort, far, () => undefined)))
systemTimers.every(200, () => {
  const states = watch.states()
  const health = Object.fromEntries(states.map(({ interfaceName, health }) => [interfaceName, health]))
  say({ chosen: states.find(({ isChosen }) => isChosen)?.interfaceName ?? null, health, silentMs: performance.now() - cameAtMs } satisfies UplinksSaid)
})
