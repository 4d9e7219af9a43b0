/**
 * What verifying the chain costs: headers and state proofs per CPU second with the addon and with noble, and one
 * day of headers at full rate caught up by the real importer into the real store. The day is sealed first, with
 * real keys and VRFs; that is not measured.
 */
import { verifyMerkleProof } from '@ethereumjs/mpt'
import { join } from 'node:path'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { integerBytes, silentLog } from '../../src/base/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import type { Secp256k1 } from '../../src/native/index.ts'
import { openChain, startFromGenesis } from '../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../src/spectrum/chain/io/migrations.ts'
import { verifyHeader } from '../../src/spectrum/rules/verify-header.ts'
import { EMPTY_CODE_HASH, encodeAccount, readAccount } from '../../src/spectrum/proof/account.ts'
import { buildTrie } from '../../src/spectrum/proof/build-trie.ts'
import { EMPTY_TRIE_ROOT } from '../../src/spectrum/proof/read-trie.ts'
import { encodeBody } from '../../src/spectrum/codec/body.ts'
import { decodeHeader, encodeHeader } from '../../src/spectrum/codec/header.ts'
import { bytesOf, hexOf } from '../../src/spectrum/codec/fields.ts'
import type { Hash } from '../../src/spectrum/index.ts'
import type { ChainSource } from '../../src/spectrum/ports.ts'
import { createSync } from '../../src/spectrum/sync/index.ts'
import { openStore } from '../../src/store/index.ts'
import { EVERYBODY } from '../unit/spectrum/village.ts'
import { Valley } from '../unit/spectrum-sync/valley.ts'
import type { Spot } from '../unit/spectrum-sync/valley.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { costOf, inTurns, pairs, summary } from './measure.ts'

const DAY_BLOCKS = 6171
const ROUNDS = 5
const HEADERS = { native: 400, noble: 12 }
const ACCOUNTS = 20_000
const PROOFS = { native: 2_000, noble: 600, mpt: 200 }
const WAIT_MS = 120_000

export const spectrumSync: Bench = { name: 'spectrum-sync', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', place.say)
  const native = loadSecp256k1(addonPath('host', 'secp256k1'))
  const noble = loadSecp256k1(null)
  place.say(`bench: spectrum-sync seals ${DAY_BLOCKS} blocks …`)
  const valley = new Valley()
  const day = valley.grow(valley.genesis, DAY_BLOCKS, EVERYBODY)
  return [...(await headerRows(native, noble, valley, day)), ...(await proofRows(native, noble)), ...(await dayRows(place, native, valley, day))]
}

async function headerRows(native: Secp256k1, noble: Secp256k1, valley: Valley, day: readonly Spot[]): Promise<BenchRow[]> {
  const bytes = day.map(({ header }) => encodeHeader(header))
  const verify = (curve: Secp256k1, count: number) => perCpuSecond(count, () => {
    for (let index = 1; index <= count; index++) {
      const parent = day[index - 1] ?? valley.genesis
      const verified = verifyHeader({ curve, network: valley.network, nowSeconds: null }, parent, decodeHeader(bytes[index] ?? new Uint8Array(0)), parent.round)
      if (!verified.ok) throw new Error(`${verified.code}: ${verified.reason}`)
    }
  })
  await verify(noble, 2) // its tables
  const rates = await inTurns(ROUNDS, { native: () => verify(native, HEADERS.native), noble: () => verify(noble, HEADERS.noble) })
  const ratio = summary(pairs(rates.native, rates.noble, (ours, theirs) => ours / theirs)).p50
  const peer = { name: 'noble', value: summary(rates.noble) }
  const costs = rates.native.map((rate) => 1000 / rate)
  return [
    { name: 'header verified: decode, seal, VRF, rank', unit: '/CPU s', ours: summary(rates.native), peer, ratio, aim: { text: '≥ 20 × noble', met: ratio >= 20 } },
    { name: 'the same, cost of one header', unit: 'ms CPU', ours: summary(costs), aim: { text: '≤ 0.4 ms', met: summary(costs).p50 <= 0.4 } },
  ]
}

/** One account of 20,000, from the nodes of its path, each hashed. */
async function proofRows(native: Secp256k1, noble: Secp256k1): Promise<BenchRow[]> {
  const nodes = new Map<Hash, Uint8Array>()
  const addresses = Array.from({ length: ACCOUNTS }, (_, index) => hexOf(native.keccak256(integerBytes(index + 1)).subarray(12)))
  const entries = addresses.map((address, index) => [native.keccak256(bytesOf(address)), encodeAccount({ nonce: 1n, balanceWei: 10n ** 18n + BigInt(index), storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH })] as const)
  const root = buildTrie(native, entries, (hash, node) => nodes.set(hash, node))
  const read = (curve: Secp256k1, count: number) => perCpuSecond(count, () => {
    for (let index = 0; index < count; index++) if (readAccount(curve, root, addresses[index * 7] ?? '0x', (hash) => nodes.get(hash)).kind !== 'read') throw new Error('an account is missing')
  })
  const proofs = Array.from({ length: PROOFS.mpt }, (_, index) => pathOf(native, nodes, root, addresses[index * 7] ?? '0x'))
  const theirs = async (): Promise<number> => {
    const { cpuMs } = await costOf(async () => {
      for (const [index, proof] of proofs.entries()) if ((await verifyMerkleProof(entries[index * 7]?.[0] ?? new Uint8Array(0), [...proof])) === null) throw new Error('an account is missing')
    })
    return proofs.length / (cpuMs / 1000)
  }
  const rates = await inTurns(ROUNDS, { native: () => read(native, PROOFS.native), noble: () => read(noble, PROOFS.noble), mpt: theirs })
  const against = (other: readonly number[]): number => summary(pairs(rates.native, other, (ours, them) => ours / them)).p50
  const ours = summary(rates.native)
  return [
    { name: 'state proof checked: one account of 20,000', unit: '/CPU s', ours, peer: { name: 'noble', value: summary(rates.noble) }, ratio: against(rates.noble), aim: { text: '', met: null } },
    { name: 'the same, against @ethereumjs/mpt', unit: '/CPU s', ours, peer: { name: 'mpt', value: summary(rates.mpt) }, ratio: against(rates.mpt), aim: { text: '≥ 4 × (P12)', met: against(rates.mpt) >= 4 } },
  ]
}

function pathOf(curve: Secp256k1, nodes: ReadonlyMap<Hash, Uint8Array>, root: Hash, address: Hash): readonly Uint8Array[] {
  const path: Uint8Array[] = []
  readAccount(curve, root, address, (hash) => {
    const node = nodes.get(hash)
    if (node !== undefined) path.push(node)
    return node
  })
  return path
}

/** From genesis to the head of the day: follower, importer, store on disk. The source answers at once. */
async function dayRows(place: BenchPlace, native: Secp256k1, valley: Valley, day: readonly Spot[]): Promise<BenchRow[]> {
  const store = openStore({ path: join(place.dir, 'day.db'), migrations: spectrumMigrations, log: silentLog })
  const last = day.at(-1) ?? valley.genesis
  const clock = { boottimeMs: () => performance.now(), bootId: 'bench', wallMs: () => last.header.timeSeconds * 1000, isWallTrusted: () => true }
  const chain = await openChain({ store, curve: native, network: valley.network, clock, log: silentLog, start: startFromGenesis(native, valley.network) })
  const sync = createSync({
    curve: native,
    chain,
    executor: null,
    nodes: null,
    clock,
    timers: { after: (ms, go) => cancelling(setTimeout(go, ms)), every: (ms, go) => cancelling(setInterval(go, ms)) },
    randomness: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    log: silentLog,
    mayBeAlone: () => false,
  })
  const server = dayServer(valley, day)
  const stalls = watchStalls()
  let cpuMs = 0
  const start = performance.now()
  try {
    const cost = await costOf(async () => {
      const arrived = new Promise<void>((resolve, reject) => {
        const tooLong = setTimeout(() => reject(new Error(`at block ${chain.head().header.number} after ${WAIT_MS / 1000} s`)), WAIT_MS)
        chain.on((event) => {
          if (event.kind !== 'head' || event.head.hash !== last.hash) return
          clearTimeout(tooLong)
          resolve()
        })
      })
      sync.start()
      sync.listener.opened(server)
      await arrived
    })
    cpuMs = cost.cpuMs
  } finally {
    sync.stop()
  }
  const seconds = (performance.now() - start) / 1000
  const worst = stalls()
  const bytes = store.stats().fileBytes + store.stats().walBytes
  await store.close()
  const one = (value: number) => summary([value])
  return [
    { name: `one day (${DAY_BLOCKS} blocks) caught up`, unit: 's', ours: one(seconds), aim: { text: '≤ 3 s', met: seconds <= 3 }, note: 'headers, bodies, rounds, volunteers of the last rounds and of some others, into the store on disk' },
    { name: 'the same, CPU', unit: 's CPU', ours: one(cpuMs / 1000), aim: { text: '', met: null } },
    { name: 'the same, longest work between two turns of the event loop', unit: 'ms CPU', ours: one(worst), aim: { text: '≤ 50 ms', met: worst <= 50 } },
    { name: 'the same, store on disk', unit: 'bytes/block', ours: one(bytes / DAY_BLOCKS), aim: { text: '', met: null }, note: 'bodies of the last 2,048 blocks included' },
  ]
}

function dayServer(valley: Valley, day: readonly Spot[]): ChainSource {
  const all = [valley.genesis, ...day]
  const headers = all.map(({ header }) => encodeHeader(header))
  const bodies = new Map(all.map(({ hash, body }) => [hash, encodeBody(body)]))
  const last = all.at(-1) ?? valley.genesis
  return {
    id: 'bench:day',
    kind: 'local',
    head: () => ({ hash: last.hash, number: last.header.number, totalDifficulty: last.totalDifficulty }),
    headers: (from, count) => Promise.resolve(typeof from === 'number' ? headers.slice(from, from + count) : []),
    bodies: (hashes) => Promise.resolve(hashes.map((hash) => bodies.get(hash) ?? null)),
    receipts: (hashes) => Promise.resolve(hashes.map(() => null)),
    nodes: (hashes) => Promise.resolve(hashes.flatMap((hash) => valley.nodes.get(hash) ?? [])),
    sendTransactions: () => undefined,
    announceBlock: () => undefined,
    close: (reason) => {
      throw new Error(`the source of the day was closed: ${reason}`)
    },
  }
}

function cancelling(timer: NodeJS.Timeout): () => void {
  return () => clearTimeout(timer)
}

/** Gives the most CPU time between two turns of the event loop since it was called: a busy machine does not add to it. */
function watchStalls(): () => number {
  const used = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  let [worst, last, isOver] = [0, used(), false]
  const look = (): void => {
    const now = used()
    worst = Math.max(worst, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    isOver = true
    return worst
  }
}

async function perCpuSecond(count: number, work: () => void): Promise<number> {
  return count / ((await costOf(async () => work())).cpuMs / 1000)
}
