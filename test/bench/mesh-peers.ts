/**
 * Boxes that talk: the peers' node against bare TCP and TLS with the same frames, in turns in one run; what a connection costs in time and
 * memory; and how soon two boxes on a link without any route have found each other. Goals: P15.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { build } from 'esbuild'
import { peer } from '../../scripts/bundle/programs.ts'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { V8_FLAGS } from '../../scripts/bundle/start-scripts.ts'
import { Namespace, runProgram } from '../support/netns.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { inTurns, pairs, summary } from './measure.ts'
import type { Asked, MeshPeerOrder, MeshPeerTask, PeerFigures } from './workers/mesh-peer.ts'

const ROUNDS = 5
const BULK = { window: 256, count: 40_000 }
const ONE_BY_ONE = { window: 1, count: 1500 }
/** Below what one box takes of others, and beside the partner. */
const CROWD = 45
const FINDINGS = 4
const AIM = { bulkMicroseconds: 12, dialMs: 60, foundMs: 2000 }
const TRANSPORTS = ['mesh', 'tcp', 'tls'] as const

const CHILD = new URL('../netns/peer-child.ts', import.meta.url).pathname

export const meshPeers: Bench = { name: 'mesh-peers', run }

async function run({ dir, say }: BenchPlace): Promise<BenchRow[]> {
  const file = join(dir, 'mesh-peer.cjs')
  await build({ ...peer, entryPoints: ['test/bench/workers/mesh-peer.ts'], outfile: file })
  await buildNative('host', say, { only: ['secp256k1'] })
  const rows = await talking(file)
  say('mesh-peers: connections')
  rows.push(...(await connecting(file)))
  say('mesh-peers: finding')
  return [...rows, await finding()]
}

class Process {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  address = ''

  private constructor(file: string, task: MeshPeerTask) {
    this.#child = spawn(process.execPath, [...V8_FLAGS, '--expose-gc', file, JSON.stringify(task)], { env: { ...process.env, MALLOC_ARENA_MAX: '1' }, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  static async start(file: string, given: Omit<MeshPeerTask, 'secp256k1Path'>): Promise<Process> {
    const made = new Process(file, { ...given, secp256k1Path: addonPath('host', 'secp256k1') })
    made.address = (await made.#next<{ address: string }>()).address
    return made
  }

  async tell<Answer>(order: MeshPeerOrder): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    return this.#next()
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }

  async #next<Answer>(): Promise<Answer> {
    const { done, value } = await this.#lines.next()
    if (done === true) throw new Error('an end of the peers ended')
    return JSON.parse(value) as Answer
  }
}

interface Talk {
  readonly cpuMicroseconds: number
  readonly perSecond: number
  readonly p50Ms: number
}

async function talking(file: string): Promise<BenchRow[]> {
  const ends = new Map<string, readonly [Process, Process]>()
  try {
    for (const transport of TRANSPORTS) {
      const pair = [await Process.start(file, { transport, number: 1 }), await Process.start(file, { transport, number: 2 })] as const
      ends.set(transport, pair)
      await pair[0].tell({ do: 'dial', address: pair[1].address })
    }
    const cpu = async (pair: readonly Process[]): Promise<number> => (await Promise.all(pair.map((each) => each.tell<PeerFigures>({ do: 'figures' })))).reduce((sum, { cpuMs }) => sum + cpuMs, 0)
    const talks = new Map<string, Talk[]>()
    const measured = (transport: string, { window, count }: typeof BULK) => async (): Promise<number> => {
      const pair = ends.get(transport)
      if (pair === undefined) throw new Error(`${transport} was not started`)
      const before = await cpu(pair)
      const { wallMs, p50Ms } = await pair[0].tell<Asked>({ do: 'ask', window, count })
      const cpuMicroseconds = (((await cpu(pair)) - before) * 1000) / count
      const key = `${transport} ${window}`
      talks.set(key, [...(talks.get(key) ?? []), { cpuMicroseconds, perSecond: (count * 1000) / wallMs, p50Ms }])
      return cpuMicroseconds
    }
    for (const work of [BULK, ONE_BY_ONE]) {
      for (const transport of TRANSPORTS) {
        await measured(transport, work)() // warm
        talks.delete(`${transport} ${work.window}`)
      }
      await inTurns(ROUNDS, { mesh: measured('mesh', work), tcp: measured('tcp', work), tls: measured('tls', work) })
    }
    const of = (transport: string, { window }: typeof BULK, figure: keyof Talk): number[] => (talks.get(`${transport} ${window}`) ?? []).map((talk) => talk[figure])
    const row = (name: string, unit: string, work: typeof BULK, figure: keyof Talk, against: 'tcp' | 'tls', aim: BenchRow['aim']): BenchRow => {
      const [ours, theirs] = [of('mesh', work, figure), of(against, work, figure)]
      return { name, unit, ours: summary(ours), peer: { name: against.toUpperCase(), value: summary(theirs) }, ratio: summary(pairs(ours, theirs, (a, b) => a / b)).p50, aim }
    }
    const bulk = summary(of('mesh', BULK, 'cpuMicroseconds')).p50
    return [
      row('mesh peers: frames of 200 B there and back, 256 under way, CPU of both', 'µs', BULK, 'cpuMicroseconds', 'tcp', { text: `≤ ${AIM.bulkMicroseconds} µs`, met: bulk <= AIM.bulkMicroseconds }),
      row('mesh peers: the same against TLS', 'µs', BULK, 'cpuMicroseconds', 'tls', { text: '', met: null }),
      row('mesh peers: round trips, 256 under way', '/s', BULK, 'perSecond', 'tls', { text: '', met: null }),
      row('mesh peers: one by one', '/s', ONE_BY_ONE, 'perSecond', 'tls', { text: '', met: null }),
      row('mesh peers: one by one, p50 against TCP', 'ms', ONE_BY_ONE, 'p50Ms', 'tcp', { text: '', met: null }),
      row('mesh peers: one by one, p50 against TLS', 'ms', ONE_BY_ONE, 'p50Ms', 'tls', { text: '', met: null }),
    ]
  } finally {
    for (const pair of ends.values()) for (const each of pair) each.stop()
  }
}

async function connecting(file: string): Promise<BenchRow[]> {
  const [box, others] = [await Process.start(file, { transport: 'mesh', number: 1 }), await Process.start(file, { transport: 'mesh', number: 2 })]
  try {
    const figures = (): Promise<readonly [PeerFigures, PeerFigures]> => Promise.all([box.tell<PeerFigures>({ do: 'figures' }), others.tell<PeerFigures>({ do: 'figures' })])
    const before = await figures()
    const { tookMs } = await others.tell<{ tookMs: number[] }>({ do: 'crowd', address: box.address, count: CROWD })
    const after = await figures()
    const [alone, crowded] = [before[0].rssMib, after[0].rssMib]
    const cpuMs = after.reduce((sum, { cpuMs: used }) => sum + used, 0) - before.reduce((sum, { cpuMs: used }) => sum + used, 0)
    // The first pays for what is loaded and compiled once.
    const dials = summary(tookMs.slice(5))
    return [
      { name: 'mesh peers: from dialling to an open stream, both ends on one machine', unit: 'ms', ours: dials, aim: { text: `p50 ≤ ${AIM.dialMs} ms`, met: dials.p50 <= AIM.dialMs }, note: 'signatures by the addon, as in the service' },
      { name: 'mesh peers: the same, CPU of both ends, with the start of the box that dials', unit: 'ms', ours: summary([cpuMs / CROWD]), aim: { text: '', met: null } },
      { name: `mesh peers: memory a connected box, of ${CROWD}`, unit: 'MiB', ours: summary([(crowded - alone) / CROWD]), aim: { text: '', met: null }, note: `RSS alone ${alone.toFixed(0)} MiB, with all ${crowded.toFixed(0)} MiB` },
    ]
  } finally {
    box.stop()
    others.stop()
  }
}

/** Two namespaces, one link, no route: from a box's start to the stream between both. */
async function finding(): Promise<BenchRow> {
  const prefix = `mb${process.pid.toString(36)}${randomBytes(2).toString('hex')}`
  const [one, other] = [new Namespace(`${prefix}-one`), new Namespace(`${prefix}-other`)]
  const tookMs: number[] = []
  try {
    for (const { name } of [one, other]) await made('netns', 'add', name)
    await one.ip('link', 'add', 'bat0', 'type', 'veth', 'peer', 'name', 'bat0', 'netns', other.name)
    for (const [index, place] of [one, other].entries()) {
      for (const link of ['lo', 'bat0']) await place.ip('link', 'set', link, 'up')
      await place.ip('addr', 'add', `fd00:5::${index + 1}/64`, 'dev', 'bat0', 'nodad')
    }
    const stays = new FoundBox(one, 1)
    await stays.next('ready')
    for (let round = 0; round < FINDINGS; round++) {
      const comes = new FoundBox(other, 2 + round)
      const readyMs = await comes.next('ready')
      tookMs.push(Math.max(await comes.next('opened'), await stays.next('opened')) - readyMs)
      await other.killAll()
    }
  } finally {
    for (const place of [one, other]) {
      await place.killAll()
      await runProgram('ip', ['netns', 'del', place.name])
    }
  }
  const found = summary(tookMs)
  return { name: 'mesh peers: a box comes → found, and a stream open, no route', unit: 'ms', ours: found, aim: { text: `≤ ${AIM.foundMs} ms`, met: found.max <= AIM.foundMs } }
}

async function made(...words: string[]): Promise<void> {
  const { code, stderr } = await runProgram('ip', words)
  if (code !== 0) throw new Error(stderr)
}

class FoundBox {
  readonly #lines: AsyncIterator<string>

  constructor(place: Namespace, number: number) {
    const child = place.spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, String(number), 'bat0', 'fd00:5::/64', addonPath('host', 'secp256k1')], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (child.stdout === null) throw new Error('no output')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** When it said so; the wall clock is this machine's. */
  async next(what: 'ready' | 'opened'): Promise<number> {
    for (;;) {
      const { done, value } = await this.#lines.next()
      if (done === true) throw new Error(`a box ended before it said ${what}`)
      const said = JSON.parse(value) as Record<string, unknown>
      if (what in said) return Number(said['atMs'])
    }
  }
}
