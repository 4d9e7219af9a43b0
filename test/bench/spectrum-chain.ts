/**
 * The chain on disk: bytes per header and per day of a quiet and of a busy chain (file growth from block 3000
 * on, so that tables, indexes, free pages and the last 2048 bodies are counted as they are in the field), blocks
 * stored per second in the importer's batches, how long the event loop stands still for one, and what a
 * restart and a served answer cost. Blocks are made, not verified: that is measured elsewhere.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { silentLog } from '../../src/base/index.ts'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/index.ts'
import { createChainServer, openChain } from '../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../src/spectrum/chain/io/migrations.ts'
import type { KeptChain } from '../../src/spectrum/chain/index.ts'
import { QUIET_RECEIPTS_ROOT } from '../../src/spectrum/chain/compact-header.ts'
import type { NewBlock } from '../../src/spectrum/ports.ts'
import { DRAWN_OPTIONS, DRAWN_START, drawn } from '../unit/spectrum-chain/drawn-blocks.ts'
import type { Drawing } from '../unit/spectrum-chain/drawn-blocks.ts'
import { native } from '../unit/spectrum/curves.ts'
import { LEADERS, VILLAGE, sealBlock } from '../unit/spectrum/village.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { costOf, summary } from './measure.ts'

const DAY_BLOCKS = 6171
const WARM_BLOCKS = 3000
/** As the importer hands them over, and as a peer asks for them. */
const BATCH = 64
const ASKED = 192
const AIM_HEADER_BYTES = 400
const AIM_DAY_MB = 2.5
const AIM_STALL_MS = 50

export const spectrumChain: Bench = { name: 'spectrum-chain', run }

interface Day {
  readonly bytes: number
  readonly blocksPerSecond: number
  readonly blocksPerCpuSecond: number
  readonly stallMs: number
}

async function run({ dir, say }: BenchPlace): Promise<BenchRow[]> {
  const parent = { header: { ...DRAWN_START.known.header, extra: new Uint8Array(226) }, hash: DRAWN_START.known.hash }
  const { body } = sealBlock(VILLAGE, parent, DRAWN_START.round, LEADERS[0] ?? never())
  const bloom = new Uint8Array(256)
  for (const place of [3, 40, 41, 97, 150, 222]) bloom[place] = 1 << (place % 8)
  const rows: BenchRow[] = []
  for (const [name, drawing] of [['quiet', { body, receiptsRoot: QUIET_RECEIPTS_ROOT }], ['busy', { body, bloom }]] as const) {
    const path = join(dir, `${name}.db`)
    const day = await storeDay(path, drawing)
    say(`bench: spectrum-chain: ${name} day stored`)
    rows.push(
      row(`chain on disk: a header, ${name}, all indexes`, 'bytes', [day.bytes / DAY_BLOCKS], AIM_HEADER_BYTES),
      row(`chain on disk: a day of ${DAY_BLOCKS} blocks, ${name}`, 'MB', [day.bytes / 1e6], AIM_DAY_MB),
      ...(name === 'busy' ? [...speedRows(day), ...(await restartRows(path))] : []),
    )
  }
  return rows
}

function speedRows({ blocksPerSecond, blocksPerCpuSecond, stallMs }: Day): BenchRow[] {
  return [
    row(`chain: blocks stored, ${BATCH} a turn`, '/s', [blocksPerSecond]),
    row(`chain: blocks stored, ${BATCH} a turn`, '/CPU s', [blocksPerCpuSecond]),
    row(`chain: longest stall of the event loop, ${BATCH} blocks a turn`, 'ms', [stallMs], AIM_STALL_MS),
  ]
}

/** On top of three thousand blocks. */
async function storeDay(path: string, drawing: Drawing): Promise<Day> {
  let at = DRAWN_START.known
  const batchesOf = (length: number): NewBlock[][] => {
    const batches: NewBlock[][] = []
    for (let left = length; left > 0; left -= BATCH)
      batches.push(
        Array.from({ length: Math.min(BATCH, left) }, () => {
          const block = drawn(at, drawing)
          at = block.verified
          return block
        }),
      )
    return batches
  }
  await withChain(path, async (chain) => {
    for (const batch of batchesOf(WARM_BLOCKS)) await chain.insert(batch)
  })
  const before = statSync(path).size
  const batches = batchesOf(DAY_BLOCKS)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const cost = await withChain(path, async (chain) => {
    delay.enable()
    const spent = await costOf(async () => {
      for (const batch of batches) await chain.insert(batch)
    })
    delay.disable()
    return spent
  })
  return { bytes: statSync(path).size - before, blocksPerSecond: DAY_BLOCKS / (cost.wallMs / 1000), blocksPerCpuSecond: DAY_BLOCKS / (cost.cpuMs / 1000), stallMs: delay.max / 1e6 }
}

async function restartRows(path: string): Promise<BenchRow[]> {
  const [restarts, answers, single]: [number[], number[], number[]] = [[], [], []]
  const store = openChainStore(path)
  try {
    for (let round = 0; round < 7; round++) {
      const start = performance.now()
      const chain = await openKept(store)
      restarts.push(performance.now() - start)
      const server = createChainServer(chain, { node: () => undefined })
      const asked = performance.now()
      if (server.headers(2000 + round, ASKED, 30, false).length !== ASKED) throw new Error('the archive has gaps')
      answers.push(performance.now() - asked)
      for (let block = 0; block < 20; block++) {
        const inserted = performance.now()
        await chain.insert([drawn(chain.head())])
        single.push(performance.now() - inserted)
      }
    }
  } finally {
    await store.close()
  }
  return [
    row('chain: tree read at start', 'ms', restarts),
    row(`chain: ${ASKED} headers served, each from another segment`, 'ms', answers, AIM_STALL_MS),
    row('chain: one block → on disk', 'ms', single),
  ]
}

async function withChain<T>(path: string, work: (chain: KeptChain) => Promise<T>): Promise<T> {
  const store = openChainStore(path)
  try {
    return await work(await openKept(store))
  } finally {
    await store.close()
  }
}

function openChainStore(path: string): Store {
  return openStore({ path, migrations: spectrumMigrations, log: silentLog })
}

function openKept(store: Store): Promise<KeptChain> {
  return openChain({ store, curve: native, clock: { wallMs: () => 1_800_000_000_000 }, log: silentLog, ...DRAWN_OPTIONS })
}

function row(name: string, unit: string, values: readonly number[], most?: number): BenchRow {
  const ours = summary(values)
  return { name, unit, ours, aim: most === undefined ? { text: '–', met: null } : { text: `≤ ${most} ${unit}`, met: ours.p50 <= most } }
}

function never(): never {
  throw new Error('the village has leaders')
}
