/** Builds and executes blocks for the executor's benchmark: `spectrum-sealing.ts STATE speed|memory`, answers with one line of JSON. */
import { addonPath, buildNative } from '../../../scripts/native.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { createWorkerExecutor } from '../../../src/spectrum/execute/index.ts'
import type { Header, Transaction } from '../../../src/spectrum/index.ts'
import { compiledToken, tokenStorage, transferCall } from '../../unit/spectrum-execute/token.ts'
import { address, draftOn, send, townNetwork, townOver } from '../../unit/spectrum-execute/town.ts'
import { person } from '../../unit/spectrum/village.ts'
import type { Person } from '../../unit/spectrum/village.ts'
import type { Measured } from '../spectrum-execute.ts'

const [, , statePath = '', mode = 'speed'] = process.argv
const ACCOUNTS = 1000
const SLOT = { transfers: 60, tokens: 30 }
const BATCH = 300
const ROUNDS = mode === 'speed' ? 7 : 20
const TICK_MS = 1

await buildNative('host', () => undefined)
const TOKEN = address('70')
const people = Array.from({ length: ACCOUNTS }, (_, index) => person(index + 1000))
const executor = createWorkerExecutor({
  workerFile: new URL('../../../src/spectrum/execute/io/executor-worker.ts', import.meta.url),
  statePath,
  secp256k1Path: addonPath('host', 'secp256k1'),
  timers: systemTimers,
  fetchNodes: null,
  ancestorHash: () => null,
  ...(mode === 'memory' ? { maxOldGenerationSizeMb: 64, maxCacheBytes: 8 << 20 } : {}),
})
// The speed is of the whole process: the main thread does nothing else.
const place = await townOver(townNetwork({ people, accounts: [{ address: TOKEN, balanceWei: 0n, nonce: 1n, code: compiledToken(), storage: tokenStorage(people.map((one) => one.address), 10n ** 24n) }] }), executor)
const nonces = new Map<Person, number>()
let parent: Header = place.genesis
let turn = 0

function transactions(transfers: number, tokens: number): Transaction[] {
  return Array.from({ length: transfers + tokens }, (_, index) => {
    const from = people[(turn++ * 7) % ACCOUNTS] as Person
    const to = (people[(turn * 13) % ACCOUNTS] as Person).address
    const nonce = nonces.get(from) ?? 0
    nonces.set(from, nonce + 1)
    return index < transfers ? send(place.network, from, nonce, { to, valueWei: 1n }) : send(place.network, from, nonce, { to: TOKEN, gas: 100_000n, data: transferCall(to, 1n) })
  })
}

/** Executes a block of one kind: transactions per second of CPU. */
async function rate(transfers: number, tokens: number): Promise<number> {
  const { block } = await place.block(parent, transactions(transfers, tokens))
  if (block.body.transactions.length !== 1 + transfers + tokens) throw new Error('not all were packed')
  const before = process.cpuUsage()
  const verdict = await executor.execute(parent, block)
  const { user, system } = process.cpuUsage(before)
  if (!verdict.ok) throw new Error(verdict.reason)
  parent = block.header
  return ((transfers + tokens) * 1e6) / (user + system)
}

/** Packs a slot and watches how late the event loop's turns come. */
async function slot(): Promise<{ stallMs: number; buildMs: number }> {
  const draft = draftOn(place.network, parent, transactions(SLOT.transfers, SLOT.tokens))
  let stallMs = 0
  let last = performance.now()
  const watch = setInterval(() => {
    const now = performance.now()
    stallMs = Math.max(stallMs, now - last - TICK_MS)
    last = now
  }, TICK_MS)
  const start = performance.now()
  const built = await executor.build(draft)
  const buildMs = performance.now() - start
  stallMs = Math.max(stallMs, performance.now() - last - TICK_MS)
  clearInterval(watch)
  if (built.transactions.length !== 1 + draft.candidates.length) throw new Error('not all were packed')
  // Not sealed: their senders' nonces are free again.
  for (const one of people) nonces.delete(one)
  return { stallMs, buildMs }
}

const transfersPerSecond: number[] = []
const tokensPerSecond: number[] = []
const slots: { stallMs: number; buildMs: number }[] = []
let peakKib = 0
for (let round = 0; round < ROUNDS; round++) {
  if (mode === 'speed') {
    transfersPerSecond.push(await rate(BATCH, 0))
    tokensPerSecond.push(await rate(0, BATCH))
  } else await rate(SLOT.transfers, SLOT.tokens)
}
peakKib = process.resourceUsage().maxRSS
if (mode === 'speed') {
  // On a state of their own nonces.
  const fresh = new Map(nonces)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [one, nonce] of fresh) nonces.set(one, nonce)
    slots.push(await slot())
  }
} else slots.push({ stallMs: 0, buildMs: 0 })
await executor.close()
const measured: Measured = { transfersPerSecond: transfersPerSecond.slice(1), tokensPerSecond: tokensPerSecond.slice(1), stallMs: slots.map((one) => one.stallMs), buildMs: slots.map((one) => one.buildMs), rssMib: peakKib / 1024 }
process.stdout.write(JSON.stringify(measured))
