/**
 * The executor: transactions per second of CPU, what building a full slot does to the main thread, and the memory
 * of a process that seals. Blocks are those of a community chain with 1,000 accounts and an ERC-20 by solc.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { server } from '../../scripts/bundle/programs.ts'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { toHex } from '../../src/base/index.ts'
import { compiledToken } from '../unit/spectrum-execute/token.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

/** What @ethereumjs/vm with a native recovery came to on such a machine before. */
const BASE = { transfers: 426, tokens: 221 }
const MEMORY_AIM_MIB = 160
const STALL_AIM_MS = 50

export const spectrumExecute: Bench = { name: 'spectrum-execute', run }

/** What the sealing program is told. */
export interface SealingSettings {
  readonly workerFile: string
  readonly statePath: string
  readonly sqliteBinding: string
  readonly secp256k1Path: string
  readonly tokenCode: string
  readonly rounds: number
  /** As on a box with little memory. */
  readonly isSmall: boolean
}

export interface Measured {
  readonly transfersPerSecond: readonly number[]
  readonly tokensPerSecond: readonly number[]
  readonly stallMs: readonly number[]
  /** Of the main thread, while a slot is packed. */
  readonly busyMs: readonly number[]
  readonly buildMs: readonly number[]
  readonly rssMib: number
}

async function run({ dir, say }: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', say)
  const [program, workerFile] = [join(dir, 'sealing.cjs'), join(dir, 'executor.cjs')]
  await build({ ...server, entryPoints: ['test/bench/workers/spectrum-sealing.ts'], outfile: program })
  await build({ ...server, entryPoints: ['src/spectrum/execute/io/executor-worker.ts'], outfile: workerFile })
  const sqlite = join(dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')), `prebuilds/linux-${process.arch}.node`)
  const settings = { workerFile, sqliteBinding: sqlite, secp256k1Path: addonPath('host', 'secp256k1'), tokenCode: toHex(compiledToken()) }
  const speed = await measured(program, { ...settings, statePath: join(dir, 'speed.sqlite'), rounds: 8, isSmall: false })
  const small = await measured(program, { ...settings, statePath: join(dir, 'small.sqlite'), rounds: 20, isSmall: true }, ['--max-old-space-size=64', '--max-semi-space-size=2'])
  const row = (name: string, unit: string, values: readonly number[], text: string, met: (median: number) => boolean): BenchRow => {
    const ours = summary(values)
    return { name, unit, ours, aim: { text, met: met(ours.p50) } }
  }
  return [
    row('spectrum: transfers executed', '/s of CPU', speed.transfersPerSecond, `> ${BASE.transfers}`, (median) => median > BASE.transfers),
    row('spectrum: ERC-20 transfers executed', '/s of CPU', speed.tokensPerSecond, `> ${BASE.tokens}`, (median) => median > BASE.tokens),
    row('spectrum: longest stall while 90 are packed', 'ms', speed.stallMs, `≤ ${STALL_AIM_MS}`, (median) => median <= STALL_AIM_MS),
    { ...row('spectrum: main thread busy while 90 are packed', 'ms', speed.busyMs, `≤ ${STALL_AIM_MS}`, (median) => median <= STALL_AIM_MS), note: 'all its turns together' },
    { ...row('spectrum: packing 90 transactions', 'ms', speed.buildMs, 'a number', () => true), note: '60 transfers, 30 of a token; in the thread' },
    { ...row('spectrum: memory of a sealing process', 'MiB', [small.rssMib], `≤ ${MEMORY_AIM_MIB}`, (median) => median <= MEMORY_AIM_MIB), note: 'executor alone, heaps of 64 MiB, greatest resident size after 20 full slots' },
  ]
}

function measured(program: string, settings: SealingSettings, flags: readonly string[] = []): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, program, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output) as Measured) : reject(new Error(`the sealing program ended with ${code}`))))
  })
}
