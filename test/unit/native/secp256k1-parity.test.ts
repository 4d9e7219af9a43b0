/**
 * The addon against noble over random inputs: 100,000 keys, digests and signatures, byte for byte. Where
 * noble would take minutes (verify and recover), its answer is known without asking it: what it signed with
 * a key must recover to the public key it gives for that key. It is asked itself on every 20th round, as
 * made and changed, and for points and tweaks on every 50th. The counts are printed; docs/native.md lists them.
 *
 * MESHBOX_PARITY_ROUNDS changes the number of rounds, MESHBOX_PARITY_SEED the inputs.
 */
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { builtAddon } from './built-addon.ts'
import type { ParityCounts, ParityShare } from './parity-worker.ts'

const ROUNDS = Number(process.env.MESHBOX_PARITY_ROUNDS ?? 100_000)
const SEED = process.env.MESHBOX_PARITY_SEED ?? 'parity'
const WORKERS = 2

it(`native and noble agree on ${ROUNDS} random inputs`, { timeout: 900_000 }, async () => {
  const addon = await builtAddon()
  const shares = Array.from({ length: WORKERS }, (_, index): ParityShare => ({ addon, seed: `${SEED} ${index}`, rounds: Math.ceil(ROUNDS / WORKERS) }))
  const results = await Promise.all(shares.map(work))
  const total: ParityCounts = {}
  for (const counts of results) for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count
  console.log(Object.entries(total).map(([name, count]) => `${name}: ${count}`).join('\n'))
  for (const name of ['sign', 'recover, of a known key', 'verify, of a known key', 'keccak256', 'recover, batch', 'recoverAddress, pool']) expect(total[name], name).toBeGreaterThanOrEqual(ROUNDS)
})

function work(share: ParityShare): Promise<ParityCounts> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./parity-worker.ts', import.meta.url), { workerData: share })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`a parity worker ended with ${code} and no counts`)))
  })
}
