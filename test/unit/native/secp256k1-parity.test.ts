/**
 * The addon against noble over random inputs: 100,000 keys, digests and signatures, byte for byte. Where
 * noble would take minutes (verify and recover), its answer is known without asking it: what it signed with
 * a key must recover to the public key it gives for that key. It is asked itself on every 20th round, as
 * made and changed, and for points and tweaks on every 50th. The counts are printed; docs/native.md lists them.
 *
 * What noble answers to these inputs is the same in each run: of every 250 rounds a digest of all its answers is recorded (test/vectors/noble-parity.json).
 * Noble itself goes along in every tenth 250, and in all where its versions or the inputs are others than the recorded ones.
 *
 * MESHBOX_PARITY_ROUNDS changes the number of rounds, MESHBOX_PARITY_SEED the inputs; MESHBOX_PARITY_RECORD=1 asks noble in all and writes the digests.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { builtAddon } from './built-addon.ts'
import type { ParityCounts, ParityResult, ParityShare } from './parity-worker.ts'

const ROUNDS = Number(process.env.MESHBOX_PARITY_ROUNDS ?? 100_000)
const SEED = process.env.MESHBOX_PARITY_SEED ?? 'parity'
const WORKERS = 2
const RECORD = process.env.MESHBOX_PARITY_RECORD === '1'
const FILE = new URL('../../vectors/noble-parity.json', import.meta.url)

interface Recording {
  readonly curves: string
  readonly hashes: string
  /** By the worker's seed, of each 250 rounds. */
  readonly digests: Readonly<Record<string, readonly string[]>>
}

it(`native and noble agree on ${ROUNDS} random inputs`, { timeout: 900_000 }, async () => {
  const addon = await builtAddon()
  const shares = Array.from({ length: WORKERS }, (_, index): ParityShare => ({ addon, seed: `${SEED} ${index}`, rounds: Math.ceil(ROUNDS / WORKERS), recorded: recordedOf(`${SEED} ${index}`) }))
  const results = await Promise.all(shares.map(work))
  const total: ParityCounts = {}
  for (const { counts } of results) for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count
  console.log(Object.entries(total).map(([name, count]) => `${name}: ${count}`).join('\n'))
  for (const name of ['sign', 'recover, of a known key', 'verify, of a known key', 'keccak256', 'recover, batch', 'recoverAddress, pool']) expect(total[name], name).toBeGreaterThanOrEqual(ROUNDS)
  expect(total['rounds that noble was asked in']).toBeGreaterThanOrEqual(Math.floor(ROUNDS / 10))
  if (RECORD) writeFileSync(FILE, `${JSON.stringify({ ...versions(), digests: Object.fromEntries(shares.map(({ seed }, index) => [seed, results[index]?.digests ?? []])) } satisfies Recording)}\n`)
})

const versionOf = (name: string): string => (JSON.parse(readFileSync(new URL(`../../../node_modules/@noble/${name}/package.json`, import.meta.url), 'utf8')) as { version: string }).version
const versions = (): Pick<Recording, 'curves' | 'hashes'> => ({ curves: versionOf('curves'), hashes: versionOf('hashes') })

/** What noble, as it is installed, answers to the inputs of a seed; null where that is not known. */
function recordedOf(seed: string): readonly string[] | null {
  if (RECORD || !existsSync(FILE)) return null
  const { digests, ...of } = JSON.parse(readFileSync(FILE, 'utf8')) as Recording
  return JSON.stringify(of) === JSON.stringify(versions()) ? (digests[seed] ?? null) : null
}

function work(share: ParityShare): Promise<ParityResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./parity-worker.ts', import.meta.url), { workerData: share })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`a parity worker ended with ${code} and no counts`)))
  })
}
