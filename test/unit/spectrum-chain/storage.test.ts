/** What is on disk: how large, how long, and that it is found again. Real SQLite files. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { verifyBody } from '../../../src/spectrum/rules/verify-body.ts'
import { verifyHeader } from '../../../src/spectrum/rules/verify-header.ts'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { encodeBody } from '../../../src/spectrum/codec/body.ts'
import { encodeHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { NewBlock } from '../../../src/spectrum/ports.ts'
import { startFromGenesis } from '../../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/chain/io/migrations.ts'
import { QUIET_RECEIPTS_ROOT } from '../../../src/spectrum/chain/compact-header.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_SIGNER } from '../spectrum/devnet.ts'
import { LEADERS, MINERS, VILLAGE, sealBlock } from '../spectrum/village.ts'
import { DRAWN_OPTIONS, DRAWN_START, drawn, drawnBranch } from './drawn-blocks.ts'
import { CLOCK, openTestChain, openTestStore, villageBlock } from './kept-chain.ts'
import type { Drawing } from './drawn-blocks.ts'

const DAY_BLOCKS = 6171
/** Of a chief-only block: one transaction, 144 bytes. */
const PARENT = { header: { ...DRAWN_START.known.header, extra: new Uint8Array(226) }, hash: DRAWN_START.known.hash }
const { body: CHIEF_BODY } = sealBlock(VILLAGE, PARENT, DRAWN_START.round, LEADERS[0] ?? never())

function never(): never {
  throw new Error('not there')
}

/** File size before and after one day of blocks on top of three thousand. */
async function growthOfDay(drawing: (number: number) => Drawing): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-chain-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'box.db')
  const sizes: number[] = []
  let at = DRAWN_START.known
  for (const length of [3000, DAY_BLOCKS]) {
    const store = openStore({ path, migrations: spectrumMigrations, log: silentLog })
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    for (let left = length; left > 0; left -= 192) {
      const blocks: NewBlock[] = []
      while (blocks.length < Math.min(192, left)) {
        const block = drawn(at, drawing(at.header.number + 1))
        blocks.push(block)
        at = block.verified
      }
      await chain.insert(blocks)
    }
    await store.close()
    sizes.push(statSync(path).size)
  }
  return (sizes[1] ?? 0) - (sizes[0] ?? 0)
}

describe('on disk', () => {
  it('a header of a quiet chain takes less than 350 bytes, one of a busy chain less than 400, with all indexes; a day less than 2.5 MB', async () => {
    const quiet = await growthOfDay(() => ({ body: CHIEF_BODY, receiptsRoot: QUIET_RECEIPTS_ROOT }))
    const bloom = new Uint8Array(256)
    for (const place of [3, 40, 41, 97, 150, 222]) bloom[place] = 1 << (place % 8)
    const busy = await growthOfDay(() => ({ body: CHIEF_BODY, bloom }))
    expect(encodeBody(CHIEF_BODY).length).toBeLessThan(160)
    expect(quiet / DAY_BLOCKS).toBeLessThan(350)
    expect(busy / DAY_BLOCKS).toBeLessThan(400)
    expect(busy).toBeLessThan(2_500_000)
  })

  it('bodies and transactions go after so many blocks, headers later, and then one per round stays', async () => {
    const store = openTestStore()
    const options = { ...DRAWN_OPTIONS, keep: { bodyBlocks: 200, headerBlocks: 300, roundHeaderBlocks: 600 } }
    const chain = await openTestChain(store, options)
    const bodyOf = (number: number) => ({ transactions: [{ nonce: BigInt(number), gasPriceWei: 1n, gas: 21_000n, to: null, valueWei: 0n, data: new Uint8Array(0), v: 37n, r: 1n, s: 1n }], uncles: [] })
    let at = DRAWN_START.known
    const blocks = Array.from({ length: 1500 }, () => {
      const block = drawn(at, { body: bodyOf(at.header.number + 1) })
      at = block.verified
      return block
    })
    for (let from = 0; from < blocks.length; from += 100) await chain.insert(blocks.slice(from, from + 100))
    const restarted = await openTestChain(store, options)
    const numbers = (has: (block: NewBlock) => boolean): number[] => blocks.filter(has).map(({ verified }) => verified.header.number)
    for (const one of [chain, restarted]) {
      expect(numbers(({ verified }) => one.body(verified.hash) !== null)).toEqual(Array.from({ length: 200 }, (_, index) => 1301 + index))
      expect(numbers(({ body }) => one.transaction(hashTransaction(native, body.transactions[0] ?? never())) !== null)).toEqual(Array.from({ length: 200 }, (_, index) => 1301 + index))
      const byHash = numbers(({ verified }) => one.header(verified.hash) !== null)
      expect(byHash).toEqual(numbers(({ verified }) => one.headerAt(verified.header.number)?.hash === verified.hash))
      const whole = byHash.filter((number) => number > 1200)
      expect(whole).toHaveLength(300)
      const old = byHash.filter((number) => number <= 1150)
      expect(old.every((number) => number % 17 === 16)).toBe(true)
      expect(old.length).toBeGreaterThan(10)
      expect(Math.min(...old)).toBeGreaterThan(850)
      for (const { verified } of blocks) {
        const kept = one.header(verified.hash)
        if (kept !== null) expect(encodeHeader(kept.header)).toEqual(encodeHeader(verified.header))
      }
      const kept = blocks[1140]?.verified ?? never()
      const oldTotal = one.totalDifficulty((blocks.find(({ verified }) => verified.header.number === old.at(-1))?.verified ?? kept).hash)
      expect(oldTotal).toBe(6n + 6n * BigInt(old.at(-1) ?? 0))
    }
  })

  it.each([[1, 17], [5, 20], [34, 34]])('with %i signers, one of every %i old headers stays', async (signers, stride) => {
    const round = { ...DRAWN_START.round, signers: Array.from({ length: signers }, () => DRAWN_START.round.signers[0] ?? never()), volunteerLimit: 0 }
    const chain = await openTestChain(openTestStore(), { ...DRAWN_OPTIONS, keep: { bodyBlocks: 200, headerBlocks: 200, roundHeaderBlocks: 2000 } })
    const blocks = drawnBranch(DRAWN_START.known, 700, { round })
    for (let from = 0; from < blocks.length; from += 64) await chain.insert(blocks.slice(from, from + 64))
    const old = Array.from({ length: 401 }, (_, number) => number).filter((number) => chain.headerAt(number) !== null)
    expect(old.filter((number) => number < 300)).toEqual(Array.from({ length: 300 }, (_, number) => number).filter((number) => number % stride === stride - 1))
  })

  it('a reorganisation moves the transactions that the chain has', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    const transaction = (nonce: bigint) => ({ nonce, gasPriceWei: 1n, gas: 21_000n, to: null, valueWei: 0n, data: new Uint8Array(0), v: 37n, r: 1n, s: 1n })
    const [shared, ours, theirs] = [transaction(1n), transaction(2n), transaction(3n)].map((one) => ({ one, hash: hashTransaction(native, one) })) as [{ one: ReturnType<typeof transaction>; hash: Hash }, { one: ReturnType<typeof transaction>; hash: Hash }, { one: ReturnType<typeof transaction>; hash: Hash }]
    const first = drawn(DRAWN_START.known, { difficulty: 5n, body: { transactions: [shared.one, ours.one], uncles: [] } })
    const other = drawn(DRAWN_START.known, { difficulty: 5n, salt: 'b', body: { transactions: [theirs.one], uncles: [] } })
    const onOther = drawn(other.verified, { salt: 'b', body: { transactions: [shared.one], uncles: [] } })
    await chain.insert([first, other])
    expect(chain.transaction(shared.hash)).toEqual({ blockHash: first.verified.hash, number: 1, index: 0 })
    expect(chain.transaction(theirs.hash)).toBeNull()
    await chain.insert([onOther])
    for (const one of [chain, await openTestChain(store, DRAWN_OPTIONS)]) {
      expect(one.transaction(shared.hash)).toEqual({ blockHash: onOther.verified.hash, number: 2, index: 0 })
      expect(one.transaction(theirs.hash)).toEqual({ blockHash: other.verified.hash, number: 1, index: 0 })
      expect(one.transaction(ours.hash)).toBeNull()
    }
  })

  it('a chain kept for another network is not opened, and not touched', async () => {
    const store = openTestStore()
    await (await openTestChain(store, DRAWN_OPTIONS)).insert(drawnBranch(DRAWN_START.known, 3))
    await expect(openTestChain(store)).rejects.toMatchObject({ kind: 'conflict', code: 'chain-foreign' })
    expect((await openTestChain(store, DRAWN_OPTIONS)).head().header.number).toBe(3)
    const fresh = await openTestChain(store, { isRestart: true })
    expect(fresh.head().hash).toBe(VILLAGE.genesisHash)
  })

  it('nothing kept and nothing to start from is said so; a public genesis alone starts nothing', async () => {
    await expect(openTestChain(openTestStore(), { start: null })).rejects.toMatchObject({ kind: 'not-found', code: 'chain-not-started' })
    expect(() => startFromGenesis(native, DEVNET_NETWORK)).toThrow(expect.objectContaining({ kind: 'conflict', code: 'checkpoint-needed' }))
  })

  it('limits that would lose what the tree needs are refused', async () => {
    for (const keep of [{ bodyBlocks: 10 }, { headerBlocks: 100 }, { roundHeaderBlocks: 1.5 }]) await expect(openTestChain(openTestStore(), { keep })).rejects.toMatchObject({ kind: 'input', field: Object.keys(keep)[0] })
    for (const limits of [{ windowBlocks: 63 }, { segmentBlocks: 0 }]) await expect(openTestChain(openTestStore(), { limits })).rejects.toMatchObject({ kind: 'input', field: Object.keys(limits)[0] })
  })

  it.each([
    ['an entry', 'UPDATE spectrum_block SET entry = substr(entry, 1, 100) WHERE id = (SELECT max(id) FROM spectrum_block)'],
    ['a hash', "UPDATE spectrum_block SET entry = CAST(replace(entry, substr(entry, 60, 4), x'00000000') AS BLOB) WHERE id = (SELECT max(id) FROM spectrum_block)"],
    ['a round', "UPDATE spectrum_block SET round = x'c0'"],
    ['the head', 'UPDATE spectrum_chain SET head = 77'],
  ])('damage is said so: %s', async (_what, sql) => {
    const store = openTestStore()
    await (await openTestChain(store, DRAWN_OPTIONS)).insert(drawnBranch(DRAWN_START.known, 3))
    await store.turn((tx) => tx.run(sql))
    await expect(openTestChain(store, DRAWN_OPTIONS)).rejects.toMatchObject({ kind: 'unavailable', code: 'chain-damaged' })
  })
})

describe('real blocks', () => {
  it('of the public test chain: heads, total difficulties, bodies and receipts are the original’s', async () => {
    const round = { signers: [DEVNET_SIGNER as Hash], next: [], leaders: [DEVNET_SIGNER as Hash], volunteerLimit: 0, epochBlocks: 25 }
    const store = openTestStore()
    const options = { network: DEVNET_NETWORK, start: startFromGenesis(native, DEVNET_NETWORK, round), clock: CLOCK }
    const chain = await openTestChain(store, options)
    const blocks = DEVNET.slice(1).map((block, index): NewBlock => {
      const parent = DEVNET[index] ?? never()
      // The test chain was sealed before SIP004's gas limit was thought of; docs/spectrum.md.
      const network = { ...DEVNET_NETWORK, forks: { ...DEVNET_NETWORK.forks, sip004: null } }
      const verified = verifyHeader({ curve: native, network, nowSeconds: null }, parent, block.header, null)
      if (!verified.ok) throw new Error(`${block.number}: ${verified.code} ${verified.reason}`)
      expect(verifyBody(native, DEVNET_NETWORK, verified, block.body, null)).toMatchObject({ ok: true })
      return { verified, body: block.body, receipts: block.receipts, round, from: 'vectors' }
    })
    expect(await chain.insert(blocks)).toEqual(blocks.map(() => 'head'))
    for (const one of [chain, await openTestChain(store, { ...options, start: null })]) {
      for (const block of DEVNET.slice(1)) {
        expect(one.headerAt(block.number)).toEqual({ header: block.header, hash: block.hash })
        expect(one.totalDifficulty(block.hash)).toBe(block.totalDifficulty)
        expect(hexOf(one.bodyBytes(block.hash) ?? new Uint8Array(0))).toBe(hexOf(block.bodyRlp))
        expect(one.receipts(block.hash)).toEqual(block.receipts)
      }
      expect(one.receipts(DEVNET[0]?.hash ?? '0x')).toBeNull()
    }
  })

  it('of a village: signers take turns, one is skipped, rounds are those of the rules after a restart', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store)
    const blocks: NewBlock[] = []
    for (let number = 1; number <= 12; number++) {
      const due = chain.head().round.signers[number % 5]
      const sealer = [...LEADERS, ...MINERS].find(({ address }) => address === due && number !== 3) ?? LEADERS[0] ?? never()
      const block = villageBlock(chain.head(), sealer)
      blocks.push(block)
      expect(await chain.insert([block])).toEqual(['head'])
    }
    expect(blocks[2]?.round.signers[3]).toBe(ZERO_ADDRESS)
    const restarted = await openTestChain(store)
    expect(restarted.head()).toEqual(chain.head())
    for (const { verified, round } of blocks) expect(restarted.block(verified.hash)?.round).toEqual(round)
  })
})
