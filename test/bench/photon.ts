/**
 * Payments between processes on loopback, every one signed and on both disks: direct over TCP and libp2p at several windows,
 * on disk and on tmpfs; hash-locked between two; mediated over a third. The bound is what the curve and its hashes cost in
 * the same minute. MESHBOX_PHOTON_STORED=1000000 compares the rate after so many stored payments with the fresh one (100,000).
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../support/netns.ts'
import type { Bench, BenchPlace, BenchRow, Summary } from './measure.ts'
import { circumstances, inTurns, pairs, summary } from './measure.ts'
import { Peer, bundlePeer } from './photon-peers.ts'
import type { PeerProgram } from './photon-peers.ts'

const ROUNDS = 5
const PRIMITIVE_MS = 60
const COUNT: Readonly<Record<number, number>> = { 1: 100, 16: 800, 64: 2000, 256: 5000 }
const STORED = Number(process.env['MESHBOX_PHOTON_STORED'] ?? 100_000)
/** Less, and the compilers are at work while it is measured: as much again as the payments. */
const WARM_LOCKED = 6000
const TMPFS = '/dev/shm'
/** With curve and hashes in JavaScript a payment costs some thirty times as much. */
const NOBLE_WINDOW = 64
const NOBLE_COUNT = 128

export const photon: Bench = { name: 'photon', run }

type Transport = 'tcp' | 'libp2p'

interface Cell {
  readonly wallRate: number[]
  readonly cpuRate: number[]
  /** (sign + recover) / CPU of all nodes. */
  readonly bare: number[]
  /** (sign + recover + their hashes) / CPU of all nodes. */
  readonly hashed: number[]
  readonly p50Ms: number[]
  readonly commits: number[]
}

async function run({ dir, say }: BenchPlace): Promise<BenchRow[]> {
  const program = await bundlePeer(dir, say)
  const shm = mkdtempSync(join(TMPFS, 'meshbox-photon-'))
  try {
    const rows: BenchRow[] = []
    for (const [place, base] of [['disk', dir], ['tmpfs', shm]] as const)
      for (const transport of ['tcp', 'libp2p'] as const) {
        say(`photon: ${transport}, ${place}`)
        rows.push(...(await directRows(program, place, base, transport)))
      }
    say('photon: locks')
    rows.push(...(await lockedRows(program, shm)))
    say('photon: disk waits, memory')
    rows.push(...(await syncRows(program, dir)), ...(await memoryRows(program, shm)))
    say('photon: without the addon')
    rows.push(await nobleRow(program, shm))
    say(`photon: ${STORED} stored payments`)
    rows.push(await flatRow(program, shm))
    return rows
  } finally {
    rmSync(shm, { recursive: true, force: true })
  }
}

async function directRows(program: PeerProgram, place: string, base: string, transport: Transport): Promise<BenchRow[]> {
  return withPair(program, base, transport, async (a, b) => {
    await a.pay('direct', 256, 6000) // the compilers have seen it
    const rows: BenchRow[] = []
    for (const window of [1, 16, 64, 256]) {
      const syncMs = circumstances(base).fdatasyncMs
      const cell = await measured('direct', [a, b], window, COUNT[window] ?? 1000, 1)
      const name = `photon: direct, ${transport}, ${place}, ${window} in flight`
      if (window === 1) rows.push(latencyRow(name, transport, cell, syncMs))
      rows.push({ name, unit: '/s wall', ours: summary(cell.wallRate), aim: window === 256 ? { text: '≥ 2,000', met: summary(cell.wallRate).p50 >= 2000 } : NO_AIM })
      if (window < 64) continue
      rows.push({ name, unit: '/s of CPU, both ends', ours: summary(cell.cpuRate), aim: window === 256 ? { text: '≥ 4,000', met: summary(cell.cpuRate).p50 >= 4000 } : NO_AIM })
      if (window === 256) rows.push(...efficiencyRows(name, cell, transport === 'tcp' ? 0.7 : 0.6))
    }
    return rows
  })
}

const NO_AIM = { text: '', met: null } as const

function efficiencyRows(name: string, cell: Cell, aim: number): BenchRow[] {
  const [bare, hashed] = [summary(cell.bare), summary(cell.hashed)]
  return [
    { name: `${name}: of the bound`, unit: 'of sign + recover + hashes', ours: hashed, ratio: hashed.p50, aim: { text: `≥ ${aim}`, met: hashed.p50 >= aim }, note: 'hashes of the body, the typed proof and the digest, at both ends' },
    { name: `${name}: of the curve alone`, unit: 'of sign + recover', ours: bare, ratio: bare.p50, aim: { text: `≥ ${aim}`, met: bare.p50 >= aim } },
  ]
}

function latencyRow(name: string, transport: Transport, cell: Cell, syncMs: Summary): BenchRow {
  const limit = 1 + 2.6 * syncMs.p50 + (transport === 'tcp' ? 0 : 0.6)
  const ours = summary(cell.p50Ms)
  return { name: `${name}: p50 until it is on both disks`, unit: 'ms', ours, peer: { name: 'limit of the minute', value: summary([limit]) }, ratio: ours.p50 / limit, aim: { text: `≤ 1.0 + 2.6 × fdatasync${transport === 'tcp' ? '' : ' + 0.6'}`, met: ours.p50 <= limit } }
}

async function lockedRows(program: PeerProgram, base: string): Promise<BenchRow[]> {
  const two = await withPair(program, base, 'tcp', async (a, b) => {
    await a.pay('locked', 24, WARM_LOCKED)
    return measured('locked', [a, b], 24, 1000, 5)
  })
  const three = await withPeers(program, base, 'tcp', [{ key: 1, partners: [2], route: [2, 3] }, { key: 2, partners: [1, 3], route: [] }, { key: 3, partners: [2], route: [] }], async ([a, b, c]) => {
    if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes were to start')
    await a.dial(b, true)
    await b.dial(c, true)
    await c.dial(a, false)
    await a.pay('locked', 24, WARM_LOCKED)
    return measured('locked', [a, b, c], 24, 800, 8)
  })
  const row = (name: string, unit: string, values: readonly number[], text: string, met: boolean | null): BenchRow => ({ name, unit, ours: summary(values), aim: { text, met } })
  const cost = summary(two.bare.map((share) => 1 / share))
  return [
    row('photon: hash-locked between two, 24 locks at once', '/s of CPU, both ends', two.cpuRate, '', null),
    row('photon: hash-locked: CPU in (5 signs + 5 recovers)', '×', two.bare.map((share) => 1 / share), '≤ 2', cost.p50 <= 2),
    row('photon: mediated over one box, 24 locks at once', '/s of CPU, all three', three.cpuRate, '≥ 800', summary(three.cpuRate).p50 >= 800),
    row('photon: mediated over one box, 24 locks at once', '/s wall', three.wallRate, '', null),
  ]
}

async function syncRows(program: PeerProgram, dir: string): Promise<BenchRow[]> {
  const hasStrace = (await runProgram('sh', ['-c', 'command -v strace'])).code === 0
  if (!hasStrace) return []
  const logs = [join(dir, 'syncs-1'), join(dir, 'syncs-2')]
  const counted = (): { readonly syncs: number; readonly bytes: number } => {
    const calls = logs.flatMap((log) => readFileSync(log, 'utf8').split('\n'))
    const written = calls.map((call) => Number(/pwrite64\(.* = (\d+)$/.exec(call)?.[1] ?? 0))
    return { syncs: calls.filter((call) => /f(data)?sync\(/.test(call)).length, bytes: written.reduce((sum, bytes) => sum + bytes, 0) }
  }
  const peers = await Promise.all([1, 2].map((key) => Peer.start(program, { key, partners: [3 - key], route: [3 - key], transport: 'tcp', base: dir, syncLog: logs[key - 1] ?? '' })))
  try {
    const [a, b] = peers
    if (a === undefined || b === undefined) throw new Error('two nodes were to start')
    await a.dial(b, true)
    await a.pay('direct', 256, 1000)
    const rows: BenchRow[] = []
    for (const { window, count, syncs, kilobytes } of DISK_AIMS) {
      const before = counted()
      await a.pay('direct', window, count)
      const after = counted()
      const [each, kilobytesEach] = [(after.syncs - before.syncs) / count, (after.bytes - before.bytes) / count / peers.length / 1000]
      rows.push({ name: `photon: waits for the disk per payment, ${window} in flight`, unit: 'fsync + fdatasync, both ends', ours: summary([each]), aim: { text: `≤ ${syncs}`, met: each <= syncs }, note: 'counted by strace, checkpoints included' })
      rows.push({ name: `photon: written per payment, ${window} in flight`, unit: 'KB, each end', ours: summary([kilobytesEach]), aim: kilobytes === null ? NO_AIM : { text: `≤ ${kilobytes}`, met: kilobytesEach <= kilobytes } })
    }
    return rows
  } finally {
    for (const peer of peers) peer.kill()
  }
}

const DISK_AIMS = [
  { window: 1, count: 400, syncs: 2.1, kilobytes: 6 },
  { window: 64, count: 2000, syncs: 0.15, kilobytes: null },
  { window: 256, count: 4000, syncs: 0.04, kilobytes: 1 },
] as const

/** The same nodes on @noble/curves, in turns. */
async function nobleRow(program: PeerProgram, base: string): Promise<BenchRow> {
  const pair = (isNoble: boolean): Promise<readonly Peer[]> => Promise.all([1, 2].map((key) => Peer.start(program, { key, partners: [3 - key], route: [3 - key], transport: 'tcp', base, isNoble })))
  const [native, noble] = [await pair(false), await pair(true)]
  const cost = async (peers: readonly Peer[], count: number): Promise<number> => {
    const cpuMs = async (): Promise<number> => (await Promise.all(peers.map((peer) => peer.figures()))).reduce((sum, one) => sum + one.cpuMs, 0)
    const before = await cpuMs()
    await peers[0]?.pay('direct', NOBLE_WINDOW, count)
    return (1000 * count) / ((await cpuMs()) - before)
  }
  try {
    for (const [a, b] of [native, noble]) if (a !== undefined && b !== undefined) await a.dial(b, true)
    await cost(native, 6000)
    await cost(noble, NOBLE_COUNT)
    const rates = await inTurns(3, { native: () => cost(native, COUNT[NOBLE_WINDOW] ?? 1000), noble: () => cost(noble, NOBLE_COUNT) })
    const ratio = summary(pairs(rates.native, rates.noble, (ours, theirs) => ours / theirs)).p50
    return { name: `photon: direct, tcp, tmpfs, ${NOBLE_WINDOW} in flight, beside @noble/curves`, unit: '/s of CPU, both ends', ours: summary(rates.native), peer: { name: 'noble', value: summary(rates.noble) }, ratio, aim: { text: '≥ 20', met: ratio >= 20 } }
  } finally {
    for (const peer of [...native, ...noble]) peer.kill()
  }
}

async function memoryRows(program: PeerProgram, base: string): Promise<BenchRow[]> {
  const bare = await Peer.start(program, { key: 1, partners: [], route: [], transport: 'none', base })
  const without = (await bare.figures()).rssMib
  bare.kill()
  const added = async (transport: Transport): Promise<number> =>
    withPair(program, base, transport, async (a, b) => {
      await a.pay('direct', 16, 2000)
      return Math.max((await a.figures()).rssMib, (await b.figures()).rssMib) - without
    })
  const [tcp, libp2p] = [await added('tcp'), await added('libp2p')]
  return [
    { name: 'photon: memory added over TCP', unit: 'MiB', ours: summary([tcp]), aim: NO_AIM },
    { name: 'photon: memory added with libp2p', unit: 'MiB', ours: summary([libp2p]), aim: { text: '≤ 30', met: libp2p <= 30 }, note: `after 2,000 payments; without: ${without.toFixed(0)} MiB` },
  ]
}

async function flatRow(program: PeerProgram, base: string): Promise<BenchRow> {
  return withPair(program, base, 'tcp', async (a, b) => {
    await a.pay('direct', 256, 10_000)
    const fresh = await measured('direct', [a, b], 256, 5000, 1)
    await a.pay('direct', 256, STORED)
    const later = await measured('direct', [a, b], 256, 5000, 1)
    // Of the bound of the same moment: the machine's own speed cancels out.
    const ratio = summary(later.hashed).p50 / summary(fresh.hashed).p50
    return { name: `photon: after ${STORED} stored payments`, unit: '/s of CPU', ours: summary(later.cpuRate), peer: { name: 'fresh', value: summary(fresh.cpuRate) }, ratio, aim: { text: '≥ 0.9', met: ratio >= 0.9 } }
  })
}

/** `signatures`: signs, and as many recovers, of one payment over all nodes. */
async function measured(kind: 'direct' | 'locked', nodes: readonly Peer[], window: number, count: number, signatures: number): Promise<Cell> {
  const cell: Cell = { wallRate: [], cpuRate: [], bare: [], hashed: [], p50Ms: [], commits: [] }
  const [payer] = nodes
  if (payer === undefined) throw new Error('a payer is needed')
  const sums = async (): Promise<{ cpuMs: number; commits: number }> => {
    const figures = await Promise.all(nodes.map((node) => node.figures()))
    return { cpuMs: figures.reduce((sum, one) => sum + one.cpuMs, 0), commits: figures.reduce((sum, one) => sum + one.commits, 0) }
  }
  for (let round = 0; round < ROUNDS; round++) {
    const bound = await primitivesOf(nodes)
    const before = await sums()
    const { wallMs, p50Ms } = await payer.pay(kind, window, count)
    const after = await sums()
    const again = await primitivesOf(nodes)
    const cpuMicros = ((after.cpuMs - before.cpuMs) * 1000) / count
    const [curve, hash] = pairs([bound.curve, bound.hash], [again.curve, again.hash], (x, y) => (x + y) / 2)
    cell.wallRate.push((count / wallMs) * 1000)
    cell.cpuRate.push(1e6 / cpuMicros)
    cell.bare.push((signatures * (curve ?? Number.NaN)) / cpuMicros)
    cell.hashed.push((signatures * ((curve ?? Number.NaN) + (hash ?? Number.NaN))) / cpuMicros)
    cell.p50Ms.push(p50Ms)
    cell.commits.push((after.commits - before.commits) / count)
  }
  return cell
}

/** At the same time in all of them, as they are at work at the same time. */
async function primitivesOf(nodes: readonly Peer[]): Promise<{ readonly curve: number; readonly hash: number }> {
  const all = await Promise.all(nodes.map((node) => node.primitives(PRIMITIVE_MS)))
  const mean = (of: (one: (typeof all)[number]) => number): number => all.reduce((sum, one) => sum + of(one), 0) / all.length
  return { curve: mean((one) => one.sign) + mean((one) => one.recover), hash: mean((one) => one.hash) }
}

function withPair<T>(program: PeerProgram, base: string, transport: Transport, work: (a: Peer, b: Peer) => Promise<T>): Promise<T> {
  return withPeers(program, base, transport, [{ key: 1, partners: [2], route: [2] }, { key: 2, partners: [1], route: [1] }], async ([a, b]) => {
    if (a === undefined || b === undefined) throw new Error('two nodes were to start')
    await a.dial(b, true)
    return work(a, b)
  })
}

async function withPeers<T>(program: PeerProgram, base: string, transport: Transport, who: readonly { readonly key: number; readonly partners: readonly number[]; readonly route: readonly number[] }[], work: (peers: readonly Peer[]) => Promise<T>): Promise<T> {
  const peers = await Promise.all(who.map((one) => Peer.start(program, { ...one, transport, base })))
  try {
    const result = await work(peers)
    for (const peer of peers) await peer.stop()
    return result
  } catch (thrown) {
    for (const peer of peers) peer.kill()
    throw thrown
  }
}
