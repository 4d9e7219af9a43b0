/** The transaction pool: every refusal by its code, order, room, heads and reorganisations, restarts; and the book under any schedule. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { encodeTransaction, signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Transaction, UnsignedTransaction } from '../../../src/spectrum/index.ts'
import type { PoolRefusalCode } from '../../../src/spectrum/ports.ts'
import { openTransactionPool } from '../../../src/spectrum/seal/index.ts'
import { DEFAULT_POOL_LIMITS } from '../../../src/spectrum/seal/pool/limits.ts'
import type { PoolLimits, PoolOptions, SealingPool } from '../../../src/spectrum/seal/index.ts'
import { PoolBook } from '../../../src/spectrum/seal/pool/book.ts'
import type { Waiting } from '../../../src/spectrum/seal/pool/book.ts'
import { seededRandom } from '../../support/fakes.ts'
import { ORDER } from '../native/scalars.ts'
import { native } from '../spectrum/curves.ts'
import { VILLAGE } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { Box, openBoxStore, pass, people, settle, timeAtGenesis } from './box.ts'

const GWEI = 10n ** 9n
const SMT = 10n ** 18n
const SINK: Address = `0x${'42'.repeat(20)}`
const [ANN, RICH, POOR, OTHER] = people(0, 50, 51, 52) as [Person, Person, Person, Person]
const ALONE = { signers: [ANN.address], next: [], leaders: [ANN.address], volunteerLimit: 0, epochBlocks: 25 }

const signed = (from: Person, change: Partial<UnsignedTransaction> = {}, chainId = VILLAGE.chainId): Transaction =>
  signTransaction(native, { nonce: 0n, gasPriceWei: 20n * GWEI, gas: 21_000n, to: SINK, valueWei: 1n, data: new Uint8Array(0), ...change }, chainId, from.key)
const raw = (from: Person, change: Partial<UnsignedTransaction> = {}, chainId = VILLAGE.chainId): Uint8Array => encodeTransaction(signed(from, change, chainId))

interface Bench {
  readonly box: Box
  readonly pool: SealingPool
  readonly time: ReturnType<typeof timeAtGenesis>
  reopen(change?: Partial<PoolOptions>): Promise<SealingPool>
}

async function bench(change: Partial<PoolOptions> = {}): Promise<Bench> {
  const time = timeAtGenesis()
  const box = new Box({ who: ANN, round: ALONE, time, purses: [[RICH.address, 100n * SMT], [OTHER.address, 100n * SMT], [POOR.address, 10n ** 15n]] })
  const open = (more: Partial<PoolOptions> = {}): Promise<SealingPool> =>
    openTransactionPool({ curve: native, chain: box.chain, state: box.state, store: box.store, clock: time, timers: time, log: silentLog, isSealer: true, ...change, ...more })
  return { box, pool: await open(), time, reopen: open }
}
const codeOf = async (pool: SealingPool, bytes: Uint8Array, from: 'wallet' | 'peer' = 'peer'): Promise<PoolRefusalCode | 'ok'> => {
  const added = await pool.add(bytes, from)
  return added.ok ? 'ok' : added.code
}

describe('what is refused', () => {
  const highS = (): Uint8Array => {
    const good = signed(RICH)
    return encodeTransaction({ ...good, s: ORDER - good.s, v: good.v % 2n === 0n ? good.v - 1n : good.v + 1n })
  }
  const unprotected = (): Uint8Array => encodeTransaction({ ...signed(RICH), v: 27n })
  const typed = (): Uint8Array => Uint8Array.of(2, ...raw(RICH))
  it.each<[string, PoolRefusalCode, () => Uint8Array]>([
    ['more than 32 KiB', 'too-large', () => raw(RICH, { gas: 30_000_000n, data: new Uint8Array(33_000) })],
    ['a gas price below the sealer’s 18 Gwei', 'underpriced', () => raw(RICH, { gasPriceWei: 18n * GWEI - 1n })],
    ['another chain', 'wrong-chain', () => raw(RICH, {}, VILLAGE.chainId + 1n)],
    ['no chain', 'wrong-chain', unprotected],
    ['the chief’s update', 'chief-transaction', () => raw(ANN, { to: VILLAGE.chiefs[0]?.address ?? SINK, data: Uint8Array.of(0x1c, 0x1b, 0x87, 0x72) })],
    ['any call of a chief, whose fee comes back', 'chief-transaction', () => raw(RICH, { to: VILLAGE.chiefs[0]?.address ?? SINK })],
    ['more gas than a block has', 'gas-limit', () => raw(RICH, { gas: 41_000_001n })],
    ['less gas than it costs to be there', 'gas-limit', () => raw(RICH, { data: Uint8Array.of(1) })],
    ['high s', 'bad-signature', highS],
    ['r of zero', 'bad-signature', () => encodeTransaction({ ...signed(RICH), r: 0n })],
    ['a typed transaction', 'bad-signature', typed],
    ['bytes of nothing', 'bad-signature', () => new Uint8Array(0)],
    ['more than the sender has', 'insufficient-funds', () => raw(POOR, { valueWei: 10n ** 15n })],
    ['a nonce far ahead', 'nonce-gap', () => raw(RICH, { nonce: 64n })],
  ])('%s: %s', async (_, code, bytes) => {
    const { pool } = await bench()
    expect(await codeOf(pool, bytes())).toBe(code)
    expect(await codeOf(pool, bytes(), 'wallet')).toBe(code)
    expect(pool.stats().transactions).toBe(0)
  })

  it('known ones, nonces that are used, and a replacement that does not bid a tenth more', async () => {
    const { box, pool, time } = await bench()
    expect(await codeOf(pool, raw(RICH))).toBe('ok')
    expect(await codeOf(pool, raw(RICH))).toBe('known')
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 22n * GWEI - 1n }))).toBe('replacement-underpriced')
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 22n * GWEI }))).toBe('ok')
    expect(pool.stats().transactions).toBe(1)
    expect(pool.candidates(10n ** 7n).map(({ gasPriceWei }) => gasPriceWei)).toEqual([22n * GWEI])
    await box.switchOn()
    await box.pool.add(raw(RICH), 'peer')
    await pass(time, 1_000)
    expect(box.chain.head().header.number).toBe(1)
    await pool.settled()
    expect(pool.stats().transactions).toBe(0)
    expect(await codeOf(pool, raw(RICH, { valueWei: 2n }))).toBe('nonce-too-low')
    await box.switchOff()
  })

  it('one purse does not pay for more than it holds, all that waits together', async () => {
    const { pool } = await bench()
    const each = 21_000n * 20n * GWEI + 1n
    const most = 10n ** 15n / each
    const outcomes: string[] = []
    for (let nonce = 0n; nonce <= most; nonce++) outcomes.push(await codeOf(pool, raw(POOR, { nonce })))
    expect(outcomes).toEqual([...Array.from({ length: Number(most) }, () => 'ok'), 'insufficient-funds'])
  })

  it('whatever bytes a peer sends is a refusal, never an error', async () => {
    const { pool } = await bench()
    const good = raw(RICH)
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.tuple(fc.nat(good.length - 1), fc.nat(254)).map(([place, xor]) => good.map((byte, index) => (index === place ? byte ^ (xor + 1) : byte)))), async (bytes) => {
        const added = await pool.add(bytes, 'peer')
        // A changed bit may still be somebody's signature: of a purse that is empty.
        expect(added.ok).toBe(false)
      }),
      { numRuns: 300, seed: 5 },
    )
  })

  it('where accounts cannot be proved a wallet hears so, and a peer’s is let go', async () => {
    const { pool } = await bench({ state: { account: () => Promise.reject(new MeshBoxError('unavailable', 'nobody has this state now', { code: 'state-unavailable' })) } })
    expect(await codeOf(pool, raw(RICH), 'peer')).toBe('pool-full')
    await expect(pool.add(raw(RICH), 'wallet')).rejects.toThrow('nobody has this state now')
  })

  it('a box that does not seal relays what pays at all', async () => {
    const { pool } = await bench({ isSealer: false })
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 0n }))).toBe('underpriced')
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 1n }))).toBe('ok')
  })
})

describe('order', () => {
  it('is by price, each sender’s by nonce, without holes', async () => {
    const { pool } = await bench()
    for (const [from, nonce, price] of [[RICH, 1n, 90n], [RICH, 0n, 20n], [OTHER, 0n, 50n], [OTHER, 2n, 80n], [OTHER, 1n, 30n], [OTHER, 4n, 99n]] as const) expect(await codeOf(pool, raw(from, { nonce, gasPriceWei: price * GWEI }))).toBe('ok')
    expect(pool.candidates(10n ** 7n).map(({ gasPriceWei }) => gasPriceWei / GWEI)).toEqual([50n, 30n, 80n, 20n, 90n])
    expect(pool.nextNonce(OTHER.address)).toBe(3n)
    expect(pool.nextNonce(RICH.address)).toBe(2n)
    expect(pool.nextNonce(SINK)).toBeNull()
    // What has no room ends its sender's row, not the others'.
    expect(pool.candidates(42_000n).map(({ gasPriceWei }) => gasPriceWei / GWEI)).toEqual([50n, 30n])
  })

  it('new ones are told, once', async () => {
    const { pool } = await bench()
    const told: string[] = []
    pool.onAdded((_, hash, isAgain) => told.push(`${hash} ${isAgain}`))
    await pool.add(raw(RICH), 'peer')
    await pool.add(raw(RICH), 'peer')
    await pool.add(raw(RICH, { nonce: 1n, gasPriceWei: 1n }), 'peer')
    expect(told).toEqual([`${hashTransaction(native, signed(RICH))} false`])
  })
})

describe('telling', () => {
  it('goes on each minute while a wallet’s transaction waits, after a restart too', async () => {
    const { pool, time, reopen } = await bench()
    await pool.add(raw(RICH), 'wallet')
    await pool.add(raw(OTHER), 'peer')
    await pool.close()
    const again = await reopen()
    const told: string[] = []
    again.onAdded((_, hash, isAgain) => told.push(`${hash} ${isAgain}`))
    await pass(time, 120_000, 30_000)
    expect(told).toEqual([`${hashTransaction(native, signed(RICH))} true`, `${hashTransaction(native, signed(RICH))} true`])
    await again.close()
    await pass(time, 120_000, 30_000)
    expect(told).toHaveLength(2)
  })
})

describe('heads', () => {
  it('a reorganisation puts back what was sealed, and a restart finds what wallets sent', async () => {
    const { box, pool, time, reopen } = await bench()
    await pool.add(raw(RICH), 'wallet')
    await pool.add(raw(OTHER), 'peer')
    await box.switchOn()
    await box.pool.add(raw(OTHER), 'peer')
    await pass(time, 1_000)
    await pool.settled()
    expect(box.chain.head().header.number).toBe(1)
    expect(box.chain.body(box.chain.head().hash)?.transactions).toHaveLength(3)
    expect(pool.stats().transactions).toBe(0)
    await box.switchOff()
    // A heavier branch without them, of the same key on another machine.
    const same = new Box({ who: ANN, round: ALONE, time, purses: [[RICH.address, 100n * SMT], [OTHER.address, 100n * SMT], [POOR.address, 10n ** 15n]] })
    await same.switchOn()
    await pass(time, 2_000)
    await same.switchOff()
    expect(same.published.length).toBeGreaterThan(1)
    for (const block of same.published) await box.take(block)
    await pool.settled()
    expect(box.chain.head().hash).toBe(same.chain.head().hash)
    expect(pool.stats().transactions).toBe(2)
    expect(pool.candidates(10n ** 7n)).toHaveLength(2)
    // A new start knows the wallet's only.
    await pool.close()
    const again = await reopen()
    expect(again.candidates(10n ** 7n).map((one) => hashTransaction(native, one))).toEqual([hashTransaction(native, signed(RICH))])
  })

  it('a wallet’s transaction is on disk before it is acknowledged', async () => {
    const { box, pool } = await bench()
    const kept = (): number => box.store.read((tx) => tx.all('SELECT 1 FROM spectrum_pool')).length
    await pool.add(raw(OTHER), 'peer')
    expect(kept()).toBe(0)
    await pool.add(raw(RICH), 'wallet')
    expect(kept()).toBe(1)
    await pool.add(raw(RICH, { gasPriceWei: 30n * GWEI }), 'peer')
    expect(box.store.read((tx) => tx.all<{ hash: string }>('SELECT hash FROM spectrum_pool'))).toEqual([{ hash: hashTransaction(native, signed(RICH, { gasPriceWei: 30n * GWEI })) }])
    await box.store.close()
    await expect(pool.add(raw(RICH, { nonce: 1n }), 'wallet')).rejects.toMatchObject({ kind: 'unavailable' })
    expect(pool.stats().transactions).toBe(2)
    box.store = openBoxStore(box.path)
  })

  it('a kept one that has no place at this head waits for a better one, and is not lost', async () => {
    const { box, pool, reopen } = await bench()
    await pool.add(raw(RICH), 'wallet')
    await pool.close()
    let isDown = true
    const state = { account: (at: Parameters<typeof box.state.account>[0], who: Address) => (isDown ? Promise.reject(new MeshBoxError('unavailable', 'no nodes', { code: 'state-unavailable' })) : box.state.account(at, who)) }
    const again = await reopen({ state })
    expect(again.stats().transactions).toBe(0)
    isDown = false
    const { time } = box.settings
    await box.switchOn()
    box.state.buildFault = new Error('only the chief')
    await pass(time, 1_000)
    await again.settled()
    expect(box.chain.head().header.number).toBe(1)
    expect(again.stats().transactions).toBe(1)
    await box.switchOff()
    await settle()
  })
})

describe('room', () => {
  const small: PoolLimits = { ...DEFAULT_POOL_LIMITS, transactions: 4, walletTransactions: 2, futureTransactions: 2, perSender: { wallet: 4, walletInCrowd: 1, peer: 4, bytes: 4096, future: 2 } }

  it('a full pool gives a place to who bids a tenth more, from the end of the cheapest row; wallets’ stay', async () => {
    const { pool } = await bench({ limits: small })
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 18n * GWEI }), 'wallet')).toBe('ok')
    for (const nonce of [0n, 1n, 2n]) expect(await codeOf(pool, raw(OTHER, { nonce, gasPriceWei: 30n * GWEI }))).toBe('ok')
    expect(await codeOf(pool, raw(POOR, { gasPriceWei: 33n * GWEI - 1n }))).toBe('pool-full')
    expect(await codeOf(pool, raw(POOR, { nonce: 1n, gasPriceWei: 40n * GWEI }))).toBe('pool-full') // a future one pushes nobody out
    expect(await codeOf(pool, raw(POOR, { gasPriceWei: 33n * GWEI }))).toBe('ok')
    expect(pool.nextNonce(OTHER.address)).toBe(2n)
    expect(pool.nextNonce(RICH.address)).toBe(1n)
    expect(pool.stats().transactions).toBe(4)
  })

  it('one wallet does not fill the wallets’ part: when it is half full the others still get in', async () => {
    const { pool } = await bench({ limits: { ...small, transactions: 20, walletTransactions: 8 } })
    for (const nonce of [0n, 1n, 2n, 3n]) expect(await codeOf(pool, raw(RICH, { nonce }), 'wallet')).toBe('ok')
    expect(await codeOf(pool, raw(OTHER), 'wallet')).toBe('ok')
    expect(await codeOf(pool, raw(OTHER, { nonce: 1n }), 'wallet')).toBe('pool-full')
    expect(await codeOf(pool, raw(OTHER, { gasPriceWei: 30n * GWEI }), 'wallet')).toBe('ok') // in the place of its own
    expect(await codeOf(pool, raw(POOR), 'wallet')).toBe('ok')
  })

  it('of peers only so many wait as a box may have of theirs, however much room there is; who bids more takes the place of another', async () => {
    const { pool } = await bench({ limits: { ...small, transactions: 20, walletTransactions: 8, peerTransactions: 3 } })
    for (const nonce of [0n, 1n, 2n]) expect(await codeOf(pool, raw(OTHER, { nonce }))).toBe('ok')
    expect(await codeOf(pool, raw(POOR))).toBe('pool-full')
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 30n * GWEI }), 'wallet')).toBe('ok')
    expect([pool.stats().transactions, pool.nextNonce(OTHER.address)]).toEqual([4, 3n])
    expect(await codeOf(pool, raw(OTHER, { nonce: 2n, gasPriceWei: 30n * GWEI }))).toBe('ok') // in the place of its own
    expect(await codeOf(pool, raw(POOR, { gasPriceWei: 40n * GWEI }))).toBe('ok')
    expect([pool.stats().transactions, pool.nextNonce(OTHER.address)]).toEqual([4, 2n])
  })

  it('a large cheap one does not sweep out many small ones', async () => {
    const { pool } = await bench({ limits: { ...small, transactions: 40, bytes: 5_000, perSender: { ...small.perSender, peer: 40, bytes: 5_000 } } })
    let count = 0
    while ((await codeOf(pool, raw(OTHER, { nonce: BigInt(count) }))) === 'ok') count++
    expect(count).toBeGreaterThan(30)
    const before = pool.stats()
    // Zeros cost little for their bytes: 4,000 of them as much as two transfers, and would push out thirty.
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 22n * GWEI, gas: 60_000n, data: new Uint8Array(4_000) }))).toBe('pool-full')
    expect(pool.stats()).toEqual(before)
    expect(await codeOf(pool, raw(RICH, { gasPriceWei: 22n * GWEI }))).toBe('ok')
  })
})

describe('the book, whatever comes', () => {
  const limits: PoolLimits = { transactions: 12, bytes: 2_400, walletTransactions: 5, walletBytes: 1_500, peerTransactions: 9, futureTransactions: 4, perSender: { wallet: 6, walletInCrowd: 3, peer: 4, bytes: 1_000, future: 2 } }
  const senders = Array.from({ length: 5 }, (_, index): Address => `0x${(index + 1).toString(16).padStart(40, '0')}`)
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), who: fc.nat(4), nonce: fc.nat(9), price: fc.integer({ min: 1, max: 60 }), bytes: fc.integer({ min: 80, max: 500 }), wallet: fc.boolean() }),
    fc.record({ kind: fc.constant('move' as const), who: fc.nat(4), nonce: fc.nat(6), balance: fc.integer({ min: 0, max: 12_000_000 }) }),
    fc.record({ kind: fc.constant('drop' as const), which: fc.nat(20) }),
  )

  it('keeps every limit, loses no wallet’s for room, and offers rows without holes, best first', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const book = new PoolBook(limits)
        const accounts = senders.map(() => ({ nonce: 0n, balanceWei: 20_000_000n }))
        let serial = 0
        for (const one of steps) {
          if (one.kind === 'add') {
            const sender = senders[one.who] as Address
            const account = accounts[one.who] as (typeof accounts)[number]
            const transaction: Transaction = { nonce: BigInt(one.nonce), gasPriceWei: BigInt(one.price), gas: 21_000n, to: SINK, valueWei: 0n, data: new Uint8Array(0), v: 37n, r: BigInt(++serial), s: 1n }
            book.refresh(sender, account)
            const wallets = walletsOf(book)
            const verdict = book.judge({ ok: true, hash: hashTransaction(native, transaction), transaction, sender, bytes: one.bytes }, one.wallet ? 'wallet' : 'peer', account)
            if (verdict.ok) book.apply(verdict)
            const lost = wallets.filter((item) => book.get(item.hash) === null)
            expect(lost.every((item) => verdict.ok && verdict.replaced === item)).toBe(true)
          } else if (one.kind === 'move') {
            accounts[one.who] = { nonce: BigInt(one.nonce), balanceWei: BigInt(one.balance) }
            book.refresh(senders[one.who] as Address, accounts[one.who] as (typeof accounts)[number])
          } else {
            const item = [...book.items()][one.which]
            if (item !== undefined) book.drop(item.hash)
          }
          expectSound(book, accounts)
        }
      }),
      { numRuns: 300, seed: 11 },
    )
  })

  const walletsOf = (book: PoolBook): Waiting[] => [...book.items()].filter((item) => item.from === 'wallet')

  function expectSound(book: PoolBook, accounts: readonly { nonce: bigint; balanceWei: bigint }[]): void {
    const items = [...book.items()]
    const wallets = items.filter((item) => item.from === 'wallet')
    const bytes = (of: readonly Waiting[]): number => of.reduce((sum, item) => sum + item.bytes, 0)
    const stats = book.stats()
    expect(items.length).toBeLessThanOrEqual(limits.transactions)
    expect(bytes(items)).toBeLessThanOrEqual(limits.bytes)
    expect(wallets.length).toBeLessThanOrEqual(limits.walletTransactions)
    expect(bytes(wallets)).toBeLessThanOrEqual(limits.walletBytes)
    expect(items.length - wallets.length).toBeLessThanOrEqual(limits.peerTransactions)
    expect([stats.transactions, stats.bytes, stats.wallets]).toEqual([items.length, bytes(items), wallets.length])
    let futures = 0
    for (const [index, sender] of senders.entries()) {
      const own = items.filter((item) => item.sender === sender)
      const account = accounts[index] as (typeof accounts)[number]
      expect(own.length).toBeLessThanOrEqual(limits.perSender.wallet)
      expect(bytes(own)).toBeLessThanOrEqual(limits.perSender.bytes)
      expect(new Set(own.map((item) => item.transaction.nonce)).size).toBe(own.length)
      expect(own.every((item) => item.transaction.nonce >= account.nonce)).toBe(true)
      const cost = own.reduce((sum, { transaction: { gas, gasPriceWei, valueWei } }) => sum + gas * gasPriceWei + valueWei, 0n)
      expect(cost).toBeLessThanOrEqual(account.balanceWei)
      let ready = 0
      while (own.some((item) => item.transaction.nonce === account.nonce + BigInt(ready))) ready++
      futures += own.length - ready
      if (own.length > 0) expect(book.nextNonce(sender)).toBe(account.nonce + BigInt(ready))
    }
    expect(stats.futures).toBe(futures)
    expectOrder(book, items, accounts)
  }

  /** At each place stands the best bid of those whose predecessors stand before it. */
  function expectOrder(book: PoolBook, items: readonly Waiting[], accounts: readonly { nonce: bigint }[]): void {
    const next = new Map(senders.map((sender, index) => [sender, (accounts[index] as { nonce: bigint }).nonce]))
    const byTransaction = new Map(items.map((item) => [item.transaction, item]))
    for (const transaction of book.candidates(10n ** 9n, 100)) {
      const item = byTransaction.get(transaction)
      if (item === undefined) throw new Error('a candidate that does not wait')
      expect(transaction.nonce).toBe(next.get(item.sender))
      const heads = items.filter((one) => one.transaction.nonce === next.get(one.sender)).map((one) => one.transaction.gasPriceWei)
      // Behind a dearer predecessor that is chosen already, a sender's own row may go on before an equal one.
      expect(heads.every((price) => price <= transaction.gasPriceWei)).toBe(true)
      next.set(item.sender, transaction.nonce + 1n)
    }
    for (const item of items) expect(item.transaction.nonce === next.get(item.sender)).toBe(false)
  }

  it('ten thousand hostile newcomers do not make it slow or large', () => {
    const random = seededRandom(3)
    const book = new PoolBook(DEFAULT_POOL_LIMITS)
    for (let index = 0; index < 10_000; index++) {
      const sender: Address = hexOf(Uint8Array.from({ length: 20 }, (_, place) => (place < 2 ? Math.floor(random.next() * 64) : 7)))
      const transaction: Transaction = { nonce: BigInt(Math.floor(random.next() * 6)), gasPriceWei: BigInt(Math.floor(random.next() * 1e6) + 1), gas: 21_000n, to: SINK, valueWei: 0n, data: new Uint8Array(0), v: 37n, r: BigInt(index + 1), s: 1n }
      const verdict = book.judge({ ok: true, hash: hashTransaction(native, transaction), transaction, sender, bytes: 120 + Math.floor(random.next() * 4000) }, 'peer', { nonce: 0n, balanceWei: SMT })
      if (verdict.ok) book.apply(verdict)
    }
    expect(book.stats().transactions).toBeLessThanOrEqual(DEFAULT_POOL_LIMITS.transactions)
    expect(book.stats().bytes).toBeLessThanOrEqual(DEFAULT_POOL_LIMITS.bytes)
    const first = book.candidates(2_000_000n, 512)
    expect(first.length).toBe(95)
  })
})
