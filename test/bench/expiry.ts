/**
 * How exact the kernel ends a lease: a guest sends a datagram each millisecond while its lease runs out;
 * the last one that comes back says when the gate closed. Late would be stolen time of the owner's, early
 * is lost time of the guest's.
 */
import { join } from 'node:path'
import { TOWN, Town } from '../support/netns.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'
import type { HoldGateTask, Opened } from './workers/hold-gate.ts'
import type { Knocked } from './workers/probe.ts'

const GUESTS = 3
const ROUNDS = 5
const LEASE_MS = 1500
const STEP_MS = 137 // no two leases end in the same tick
const KNOCK_MS = 1
const AIM_EARLY_MS = 100

export const expiry: Bench = { name: 'expiry', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const town = await Town.create({ guests: GUESTS, addresses: 'static' })
  try {
    const echo = startBoxWorker(town.internet, 'echo', null)
    const dir = join(place.dir, 'expiry')
    const task: HoldGateTask = { text: boxText({ dataDir: dir }), runtimeDir: dir, others: 0, devices: [], leaseMs: LEASE_MS }
    const gate = startBoxWorker(town.box, 'hold-gate', task)
    const probes = town.guests.map((guest) => startBoxWorker(guest.ns, 'probe', { address: TOWN.internet4 }))
    for (const worker of [echo, gate, ...probes]) await worker.next()
    const [early, late]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      const leases = town.guests.map((guest, index) => ({ guest, leaseMs: LEASE_MS + (round * GUESTS + index) * STEP_MS }))
      const longest = Math.max(...leases.map((lease) => lease.leaseMs))
      for (const probe of probes) probe.tell(`knock ${KNOCK_MS} ${longest + 400}`)
      for (const { guest, leaseMs } of leases) gate.tell(`open ${guest.mac} ${guest.ip4} ${leaseMs}`)
      for (const [index, { leaseMs }] of leases.entries()) {
        const { askedAtMs, heldAtMs } = await gate.next<Opened>()
        const { lastMs } = await (probes[index] as (typeof probes)[number]).next<Knocked>()
        if (lastMs === null) throw new Error('no datagram came back while the lease ran')
        early.push(askedAtMs + leaseMs - lastMs)
        late.push(lastMs - (heldAtMs + leaseMs))
      }
    }
    await Promise.all([gate, echo, ...probes].map((worker) => worker.stop()))
    return [
      {
        name: 'expiry: last packet before the asked end',
        unit: 'ms early',
        ours: summary(early),
        aim: { text: `≤ ${AIM_EARLY_MS} ms early`, met: summary(early).max <= AIM_EARLY_MS },
        note: `a datagram each ${KNOCK_MS} ms: that much of it is the probe's own grain`,
      },
      {
        name: 'expiry: last packet after the asked end',
        unit: 'ms late',
        ours: summary(late),
        aim: { text: 'never late (≤ 0)', met: summary(late).max <= 0 },
      },
    ]
  } finally {
    await town.destroy()
  }
}
