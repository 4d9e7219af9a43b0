/**
 * What the gate's two drivers cost, in CPU time (this process and the nft processes it keeps), with 1000 sessions in
 * the kernel: a lease renewed (book, transaction and answer), all of them in one call, and all counters read.
 */
import { join } from 'node:path'
import { Town } from '../support/netns.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker, type BoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { inTurns, pairs, summary, type Cost } from './measure.ts'
import type { DriveGateTask } from './workers/drive-gate.ts'
import type { GateDriver } from './workers/real-box.ts'

const ROUNDS = 5
const SESSIONS = 1000
const WORKS = [
  { name: 'one lease renewed', line: 'renew 100' },
  { name: 'all leases renewed in one call', line: 'all 3' },
  { name: 'all counters read', line: 'count 5' },
] as const

export const gateDrivers: Bench = { name: 'gate-drivers', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const towns: Town[] = []
  const start = async (driver: GateDriver): Promise<BoxWorker> => {
    const town = await Town.create({ guests: 0, addresses: 'static' })
    towns.push(town)
    const dir = join(place.dir, driver)
    const task: DriveGateTask = { text: boxText({ dataDir: dir }), runtimeDir: dir, sessions: SESSIONS, driver }
    const worker = startBoxWorker(town.box, 'drive-gate', task)
    await worker.next()
    return worker
  }
  try {
    const [netlink, nft] = [await start('netlink'), await start('nft')]
    const rows: BenchRow[] = []
    for (const { name, line } of WORKS) {
      const walls: number[] = []
      const cpuOf = async (worker: BoxWorker): Promise<number> => {
        worker.tell(line)
        const cost = await worker.next<Cost>()
        if (worker === netlink) walls.push(cost.wallMs)
        return cost.cpuMs + cost.childrenCpuMs
      }
      for (const worker of [netlink, nft]) await cpuOf(worker) // warm
      walls.length = 0
      const cpu = await inTurns(ROUNDS, { netlink: () => cpuOf(netlink), nft: () => cpuOf(nft) })
      rows.push({
        name: `gate, ${SESSIONS} sessions: CPU of ${name}`,
        unit: 'ms',
        ours: summary(cpu.netlink),
        peer: { name: 'through nft', value: summary(cpu.nft) },
        ratio: summary(pairs(cpu.netlink, cpu.nft, (ours, theirs) => ours / theirs)).p50,
        aim: { text: '', met: null },
        note: `wall time p50 ${summary(walls).p50.toFixed(2)} ms by netlink`,
      })
    }
    await Promise.all([netlink.stop(), nft.stop()])
    return rows
  } finally {
    for (const town of towns) await town.destroy()
  }
}
