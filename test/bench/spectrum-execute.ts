/**
 * The executor: transactions per second of CPU, what building a full slot does to the main thread, and the memory
 * of a process that seals. Blocks are those of a community chain with 1,000 accounts and an ERC-20 by solc.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

/** What @ethereumjs/vm with a native recovery came to on such a machine before. */
const BASE = { transfers: 426, tokens: 221 }
const MEMORY_AIM_MIB = 160
const STALL_AIM_MS = 50

export const spectrumExecute: Bench = { name: 'spectrum-execute', run }

export interface Measured {
  readonly transfersPerSecond: readonly number[]
  readonly tokensPerSecond: readonly number[]
  readonly stallMs: readonly number[]
  readonly buildMs: readonly number[]
  readonly rssMib: number
}

async function run({ dir }: BenchPlace): Promise<BenchRow[]> {
  const program = fileURLToPath(new URL('./workers/spectrum-sealing.ts', import.meta.url))
  const speed = await measured(program, [join(dir, 'speed.sqlite'), 'speed'])
  const small = await measured(program, [join(dir, 'small.sqlite'), 'memory'], ['--max-old-space-size=64', '--max-semi-space-size=2'])
  const row = (name: string, unit: string, values: readonly number[], text: string, met: (median: number) => boolean): BenchRow => {
    const ours = summary(values)
    return { name, unit, ours, aim: { text, met: met(ours.p50) } }
  }
  return [
    row('spectrum: transfers executed', '/s of CPU', speed.transfersPerSecond, `> ${BASE.transfers}`, (median) => median > BASE.transfers),
    row('spectrum: ERC-20 transfers executed', '/s of CPU', speed.tokensPerSecond, `> ${BASE.tokens}`, (median) => median > BASE.tokens),
    row('spectrum: longest stall while 90 are packed', 'ms', speed.stallMs, `≤ ${STALL_AIM_MS}`, (median) => median <= STALL_AIM_MS),
    { ...row('spectrum: packing 90 transactions', 'ms', speed.buildMs, 'within a slot', () => true), note: '60 transfers, 30 of a token; in the thread' },
    { ...row('spectrum: memory of a sealing process', 'MiB', [small.rssMib], `≤ ${MEMORY_AIM_MIB}`, (median) => median <= MEMORY_AIM_MIB), note: 'executor alone, heap of 64 MiB, greatest resident size' },
  ]
}

function measured(program: string, args: readonly string[], flags: readonly string[] = []): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output) as Measured) : reject(new Error(`the sealing program ended with ${code}`))))
  })
}
