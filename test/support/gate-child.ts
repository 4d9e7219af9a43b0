/**
 * The gate as a process of its own, to be killed: `node gate-child.ts <runtime folder> <rules JSON> <grants JSON> <driver>`
 * inside the box's namespace. Opens the grants, prints `open`, then renews them twice a second for ever.
 */
import { silentLog } from '../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../src/base/io/system.ts'
import { NftGate } from '../../src/hotspot/gate/io/nft-gate.ts'
import { systemLink } from '../../src/hotspot/gate/io/guest-link.ts'
import type { GateRules } from '../../src/hotspot/gate/rules.ts'
import type { Grant } from '../../src/hotspot/gate/types.ts'
import { openNetlink } from './netlink.ts'

const [runtimeDir = '', rulesText = '', grantsText = '', driver = ''] = process.argv.slice(2)
const rules = JSON.parse(rulesText) as GateRules
const grants = JSON.parse(grantsText) as Grant[]
const gate = new NftGate({
  rules,
  uplinkInterfaces: [],
  readLink: systemLink(rules.guestInterface),
  callbacks: { desired: () => grants, alarm: (alarm) => console.error(JSON.stringify(alarm)) },
  clock: new SystemClock(),
  timers: systemTimers,
  log: silentLog,
  runtimeDir,
  openNetlink: driver === 'netlink' ? () => openNetlink(null) : null,
})
await gate.start()
if (gate.health().driver !== driver) throw new Error(`the gate works through ${gate.health().driver}`)
await gate.replace(grants)
console.log(`open ${JSON.stringify(gate.health())}`)
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 500))
  await gate.apply({ open: grants, close: [] })
}
