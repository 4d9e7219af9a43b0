/**
 * The bundled service as its own process, as procd starts it: how long until it is ready, and what memory it
 * keeps, with nobody there and with 1000 sessions whose leases it renews. RssAnon is what it takes for
 * itself; the rest of RSS is the Node binary's pages, which the kernel can drop.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Town } from '../support/netns.ts'
import { boxFiles, startService, type BoxFiles, type Service } from '../support/town-services.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow, Summary } from './measure.ts'
import { cpuMsOf, memoryOf, summary } from './measure.ts'

const ROUNDS = 3
const SESSIONS = 1000
const LEASE_SECONDS = 15
/** Two renewals and a checkpoint later the first use of everything is behind it. */
const SETTLE_MS = 11_000
const AIM_ANON_MIB = 30

export const service: Bench = { name: 'service', run }

interface Measured {
  readonly readyMs: number
  /** CPU time used until ready; what a busy machine cannot stretch. */
  readonly readyCpuMs: number
  readonly rssMib: number
  readonly rssAnonMib: number
}

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const towns = [await Town.create({ guests: 0, addresses: 'static' }), await Town.create({ guests: 0, addresses: 'static' })] as const
  try {
    const [idleFiles, busyFiles] = [filesOf(place, 'service-idle'), filesOf(place, 'service-busy')]
    const filling = startBoxWorker(towns[1].box, 'fill', { text: textOf(busyFiles), sessions: SESSIONS })
    await filling.next()
    await filling.stop()
    const [idle, busy]: [Measured[], Measured[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      // Side by side: both settle in the same minute, and the minute is not spent twice.
      const [first, second] = [await start(towns[0], idleFiles), await start(towns[1], busyFiles)]
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
      idle.push({ ...first.start, ...memory(first.service) })
      busy.push({ ...second.start, ...memory(second.service) })
      await Promise.all([first.service.stop(), second.service.stop()])
    }
    return [
      row('service: start to ready, nobody there', 'ms', idle, (one) => one.readyMs),
      row(`service: start to ready, ${SESSIONS} sessions`, 'ms', busy, (one) => one.readyMs),
      row('service: CPU until ready, nobody there', 'ms', idle, (one) => one.readyCpuMs),
      row(`service: CPU until ready, ${SESSIONS} sessions`, 'ms', busy, (one) => one.readyCpuMs),
      row('service: RSS idle', 'MiB', idle, (one) => one.rssMib),
      row('service: RssAnon idle', 'MiB', idle, (one) => one.rssAnonMib, AIM_ANON_MIB),
      row(`service: RSS, ${SESSIONS} sessions`, 'MiB', busy, (one) => one.rssMib),
      row(`service: RssAnon, ${SESSIONS} sessions`, 'MiB', busy, (one) => one.rssAnonMib, AIM_ANON_MIB),
    ]
  } finally {
    for (const town of towns) await town.destroy()
  }
}

function row(name: string, unit: string, measured: readonly Measured[], pick: (one: Measured) => number, aim?: number): BenchRow {
  const ours: Summary = summary(measured.map(pick))
  return { name, unit, ours, aim: aim === undefined ? { text: '', met: null } : { text: `≤ ${aim} ${unit}`, met: ours.p50 <= aim } }
}

function filesOf(place: BenchPlace, name: string): BoxFiles {
  const files = boxFiles(join(place.dir, name))
  writeFileSync(files.config, textOf(files))
  return files
}

function textOf(files: BoxFiles): string {
  return boxText({ dataDir: files.dataDir, controlSocket: files.socket, leaseSeconds: LEASE_SECONDS })
}

async function start(town: Town, files: BoxFiles): Promise<{ service: Service; start: Pick<Measured, 'readyMs' | 'readyCpuMs'> }> {
  const service = await startService(town.box, files)
  const readyCpuMs = cpuMsOf(pidOf(service))
  // The service's own count begins with its process, and has no grain of a poll.
  const readyMs = Number(/\bready sinceStartMs=(\d+)/.exec(service.log())?.[1] ?? Number.NaN)
  return { service, start: { readyMs, readyCpuMs } }
}

function pidOf(service: Service): number {
  const pid = service.process.pid
  if (pid === undefined) throw new Error('the service has no process')
  return pid
}

function memory(service: Service): Pick<Measured, 'rssMib' | 'rssAnonMib'> {
  const { rssKib, rssAnonKib } = memoryOf(pidOf(service))
  return { rssMib: rssKib / 1024, rssAnonMib: rssAnonKib / 1024 }
}
