/**
 * What counting and settling what neighbours carry costs: the kernel's counters read (they are per neighbour: a thousand flows of one
 * neighbour cost as much as one), and what two neighbours say to each other about it, beside the traffic that it is about.
 */
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { silentLog } from '../../src/base/index.ts'
import { CarryKernel } from '../../src/mesh/io/carry-kernel.ts'
import { loadNfnetlink } from '../../src/native/index.ts'
import { Village } from '../unit/mesh-metering/village.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { costOf, summary } from './measure.ts'

export const meshMetering: Bench = { name: 'mesh-metering', run }

const NEIGHBOURS = [8, 400] as const
const FRAMES = new URL('../netns/mesh-programs/frames.py', import.meta.url).pathname
const FLOWS = 1000
const FRAMES_OF_FLOW = 30
const SENDER = '02:6d:00:00:ff:ff'
const READ_EVERY_MS = 5000
const READS = 30
const ROUNDS_BEFORE = 12
/** A quarter of an hour. */
const ROUNDS = 180
const ROUNDS_OF_HOUR = 720
/** What neighbours carry for each other in an evening, of a line of 20 Mbit/s: 2 Mbit/s. */
const BYTES_PER_ROUND = 1_250_000n
const AIM_PER_CENT = 0.1

async function run({ dir, say }: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', say, { only: ['nfnetlink'] })
  return [...(await reading(dir)), ...(await settling())]
}

async function reading(dir: string): Promise<BenchRow[]> {
  const name = `mb${process.pid.toString(36)}${randomBytes(2).toString('hex')}-carry`
  execFileSync('ip', ['netns', 'add', name])
  const netlink = loadNfnetlink(addonPath('host', 'nfnetlink'))?.open({ namespacePath: `/run/netns/${name}` })
  if (netlink === undefined) throw new Error('no addon')
  try {
    execFileSync('ip', ['-n', name, 'link', 'add', 'mesh0', 'type', 'veth', 'peer', 'name', 'mesh1', 'address', SENDER])
    for (const link of ['mesh0', 'mesh1']) execFileSync('ip', ['-n', name, 'link', 'set', link, 'up'])
    const runtimeDir = join(dir, 'carry')
    mkdirSync(runtimeDir)
    const kernel = new CarryKernel({ netlink, nft: ['ip', 'netns', 'exec', name, 'nft'], runtimeDir, log: silentLog })
    const rows: BenchRow[] = []
    for (const count of NEIGHBOURS) {
      await kernel.install({ interfaces: ['mesh0'], own: ['02:00:00:00:00:01'], isGated: true })
      await kernel.setAllowed(new Map(Array.from({ length: count }, (_, index) => [`02:6d:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`, 'open'] as const)))
      const values: number[] = []
      for (let read = 0; read < READS; read++) values.push((await costOf(async () => void (await kernel.read()))).cpuMs)
      rows.push({ name: `mesh metering: counters of ${count} neighbours read, CPU`, unit: 'ms', ours: summary(values), aim: { text: '', met: null }, ...(count === NEIGHBOURS[0] ? { note: 'each 5 s; whatever the number of flows' } : {}) })
    }
    rows.push(await readWhileFlowsPass(name, kernel))
    return rows
  } finally {
    await netlink.close()
    execFileSync('ip', ['netns', 'del', name])
  }
}

/** Frames of a thousand flows of one of eight neighbours, to as many boxes behind this one; all of them must have been counted. */
async function readWhileFlowsPass(place: string, kernel: CarryKernel): Promise<BenchRow> {
  const others = Array.from({ length: NEIGHBOURS[0] - 1 }, (_, index) => `02:6d:00:00:00:0${index}`)
  await kernel.remove()
  await kernel.install({ interfaces: ['mesh0'], own: ['02:00:00:00:00:01'], isGated: true })
  await kernel.setAllowed(new Map([SENDER, ...others].map((mac) => [mac, 'open'] as const)))
  const orders = Array.from({ length: FLOWS }, (_, flow) => ({ to: '02:00:00:00:00:01', type: 0x40, originator: `02:6d:01:00:${(flow >> 8).toString(16).padStart(2, '0')}:${(flow & 255).toString(16).padStart(2, '0')}`, bytes: 600, count: FRAMES_OF_FLOW }))
  const sending = promisify(execFile)('ip', ['netns', 'exec', place, 'python3', FRAMES, 'send', 'mesh1', JSON.stringify(orders)])
  let isOver = false
  const over = sending.finally(() => (isOver = true))
  const values: number[] = []
  do values.push((await costOf(async () => void (await kernel.read()))).cpuMs)
  while (!isOver)
  await over
  const counted = (await kernel.read()).find(({ neighbour }) => neighbour === SENDER)?.receivedPackets
  if (counted !== BigInt(FLOWS * FRAMES_OF_FLOW)) throw new Error(`${counted} frames of ${FLOWS * FRAMES_OF_FLOW} were counted`)
  const ours = summary(values)
  return { name: `mesh metering: counters read while ${FLOWS} flows pass, CPU`, unit: 'ms', ours, aim: { text: '', met: null }, note: `each 5 s: ${((ours.p50 / READ_EVERY_MS) * 100).toFixed(3)} % of a core; what is counted is a neighbour, never a flow` }
}

/** Three boxes in a line; the one in the middle has a client and a carrier. */
async function settling(): Promise<BenchRow[]> {
  const village = await Village.line(0n, 1000n, 2000n)
  try {
    const [a, b, c] = [village.box(0), village.box(1), village.box(2)]
    await village.rounds(ROUNDS_BEFORE)
    const [framesBefore, paidBefore] = [village.frames.length, village.bank.paid.size]
    let carried = 0n
    const cost = await costOf(() =>
      village.rounds(ROUNDS, () => {
        const passed = village.carry([a, b, c], BYTES_PER_ROUND / 10n, (BYTES_PER_ROUND * 9n) / 10n)
        carried += passed.up + passed.down
      }),
    )
    if (carried !== BigInt(ROUNDS) * BYTES_PER_ROUND) throw new Error(`${carried} bytes were let through`)
    const perHour = ROUNDS_OF_HOUR / ROUNDS
    const said = village.frames.slice(framesBefore).filter(({ from, to }) => [from, to].includes(a) && [from, to].includes(b))
    const bytes = said.reduce((sum, { frame }) => sum + frame.length, 0)
    const perCent = (bytes * 100) / Number(carried)
    const one = (name: string, unit: string, value: number, aim: BenchRow['aim'] = { text: '', met: null }, note?: string): BenchRow => ({ name: `mesh settlement: ${name}`, unit, ours: summary([value]), aim, ...(note === undefined ? {} : { note }) })
    return [
      one('messages of two neighbours in an hour', '', said.length * perHour),
      one('their bytes in an hour', 'KB', (bytes * perHour) / 1000),
      one('their part of what is carried, at 2 Mbit/s', '%', perCent, { text: `< ${AIM_PER_CENT} %`, met: perCent < AIM_PER_CENT }, 'without the headers of TCP, noise and yamux'),
      one('payments of one neighbour in an hour', '', ((village.bank.paid.size - paidBefore) / 2) * perHour),
      one('CPU of three boxes in an hour, signatures by noble', 's', (cost.cpuMs * perHour) / 1000, { text: '', met: null }, 'the service signs with the addon, some 25 times faster'),
    ]
  } finally {
    await village.remove()
  }
}
