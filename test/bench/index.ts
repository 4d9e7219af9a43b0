/**
 * All benchmarks, one table: `node test/bench/index.ts [--json] [--write] [name …]`. Needs root, and the
 * bundle in dist/. `--write`: a run of all of them leaves its table in docs/benchmarks.md. Exits 1 when a benchmark could not run; a number
 * that misses its aim is only shown.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot, runProgram } from '../support/netns.ts'
import { armInstructions } from './arm-instructions.ts'
import { authorisations } from './authorisations.ts'
import { expiry } from './expiry.ts'
import { firstPacket } from './first-packet.ts'
import { forwarding } from './forwarding.ts'
import { gateDrivers } from './gate-drivers.ts'
import { iot } from './iot.ts'
import type { Bench } from './measure.ts'
import { circumstances, figure, table } from './measure.ts'
import { memory } from './memory.ts'
import { meshMetering } from './mesh-metering.ts'
import { meshPeers } from './mesh-peers.ts'
import { meshRoaming } from './mesh-roaming.ts'
import { meshUplinks } from './mesh-uplinks.ts'
import { meshView } from './mesh-view.ts'
import { nativeSecp256k1 } from './native-secp256k1.ts'
import { nfnetlink } from './nfnetlink.ts'
import { photonEconomy } from './photon-economy.ts'
import { photonStream } from './photon-stream.ts'
import { photon } from './photon.ts'
import { inserted, machine, report, type Outcome } from './report.ts'
import { restore } from './restore.ts'
import { service } from './service.ts'
import { spectrumChain } from './spectrum-chain.ts'
import { spectrumExecute } from './spectrum-execute.ts'
import { spectrumMemory } from './spectrum-memory.ts'
import { spectrumSync } from './spectrum-sync.ts'

const BENCHES: readonly Bench[] = [
  ...[authorisations, gateDrivers, forwarding, expiry, restore, service, memory, firstPacket, nfnetlink, nativeSecp256k1],
  ...[spectrumSync, spectrumExecute, spectrumChain, spectrumMemory, photon, photonStream, photonEconomy, meshPeers, meshUplinks, meshMetering, meshRoaming, meshView, iot, armInstructions],
]

const PAGE = join(import.meta.dirname, '../../docs/benchmarks.md')

const names = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const isJson = process.argv.includes('--json')
const isWritten = process.argv.includes('--write')
if (isWritten && names.length > 0) {
  console.error(`bench: --write is for a run of all benchmarks; leave out ${names.join(', ')}`)
  process.exit(2)
}
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`bench: unknown: ${unknown.join(', ')}; allowed: ${BENCHES.map((bench) => bench.name).join(', ')}`)
  process.exit(2)
}
if (!isRoot()) {
  console.error('bench: network namespaces need root')
  process.exit(1)
}

let isInterrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    isInterrupted = true
    void removeOwnNamespaces().finally(() => process.exit(130))
  })

const say = (line: string): void => console.error(line)
const wanted = BENCHES.filter((bench) => names.length === 0 || names.includes(bench.name))
const outcomes: Outcome[] = []
for (const bench of wanted) if (!isInterrupted) outcomes.push(await runOne(bench))
if (isInterrupted) await new Promise(() => undefined) // the signal's own work ends the process

if (isJson) console.log(JSON.stringify(outcomes, null, 2))
else console.log(`\n${table(outcomes.flatMap((outcome) => outcome.rows))}\n`)
if (isWritten) {
  writeFileSync(PAGE, inserted(readFileSync(PAGE, 'utf8'), report(outcomes, new Date().toISOString().slice(0, 10), machine())))
  say('bench: the table is in docs/benchmarks.md, "The last whole run"')
}
for (const { bench, failure } of outcomes) if (failure !== undefined) say(`bench: ${bench} could not run: ${failure}`)
process.exit(outcomes.some((outcome) => outcome.failure !== undefined) ? 1 : 0)

async function runOne(bench: Bench): Promise<Outcome> {
  // On disk, as a rule: the cost of a durable commit is part of what is measured, and printed.
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-bench-'))
  const removeDir = (): void => rmSync(dir, { recursive: true, force: true })
  process.once('exit', removeDir) // also when a signal ends it
  const before = circumstances(dir)
  say(`bench: ${bench.name} … (load ${figure(before.load1)}, fdatasync p50 ${figure(before.fdatasyncMs.p50)} ms, p99 ${figure(before.fdatasyncMs.p99)} ms)`)
  const start = performance.now()
  const seconds = (): number => (performance.now() - start) / 1000
  try {
    const rows = await bench.run({ dir, say })
    say(`bench: ${bench.name} took ${seconds().toFixed(1)} s`)
    return { bench: bench.name, seconds: seconds(), before, rows }
  } catch (error) {
    return { bench: bench.name, seconds: seconds(), before, rows: [], failure: error instanceof Error ? error.message : String(error) }
  } finally {
    removeDir()
    process.off('exit', removeDir)
  }
}

/** Whatever towns this process has standing, by their names, until there are none: one may just be in the making. */
async function removeOwnNamespaces(): Promise<void> {
  const own = new RegExp(`^mb${process.pid.toString(36)}[0-9a-f]{4}-`)
  for (let quietLooks = 0; quietLooks < 3; quietLooks++) {
    const listed = await runProgram('ip', ['netns', 'list'])
    for (const name of listed.stdout.split('\n').map((line) => line.split(' ')[0] ?? '').filter((word) => own.test(word))) {
      quietLooks = 0
      const pids = await runProgram('ip', ['netns', 'pids', name])
      for (const pid of pids.stdout.split('\n').filter((line) => line !== '')) await runProgram('kill', ['-9', pid])
      await runProgram('ip', ['netns', 'del', name])
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
