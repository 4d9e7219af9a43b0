/** The pure parts: slots, chain time, pace, gas limit, the miner's plan, what a block earned. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGasLimitBound } from '../../../src/spectrum/rules/economy.ts'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { DEVNET, MAINNET } from '../../../src/spectrum/network/networks.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/proof/read-trie.ts'
import { bloomOfLogs } from '../../../src/spectrum/codec/receipt.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Header, Receipt, Round, Transaction } from '../../../src/spectrum/index.ts'
import { earnedIn } from '../../../src/spectrum/seal/earnings.ts'
import { nextAction, pocState } from '../../../src/spectrum/seal/poc/plan.ts'
import { nextGasLimit } from '../../../src/spectrum/seal/assemble.ts'
import { blockTime, decideSlot, isAlone } from '../../../src/spectrum/seal/slot.ts'
import type { PocSight } from '../../../src/spectrum/seal/index.ts'
import { ChainTime } from '../../../src/spectrum/seal/chain-time.ts'
import { START_PACE, gasCap, leadMs, measured } from '../../../src/spectrum/seal/pace.ts'
import { FakeTime } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { EVERYBODY, GENESIS_ROUND, LEADERS, VILLAGE, genesisOf } from '../spectrum/village.ts'

const SMT = 10n ** 18n

describe('a slot', () => {
  const head = { header: { ...genesisOf(VILLAGE).header, number: 7 }, round: GENESIS_ROUND }
  const base = { network: VILLAGE, head, self: LEADERS[0]?.address ?? ZERO_ADDRESS, nowMs: 1_700_000_000_000, hasState: true, isInSync: true, hasAlarm: false, isSealed: false, isKeyElsewhere: false }

  it('opens for everybody exactly when, and as, the rank table says', () => {
    for (const { address: self } of EVERYBODY) {
      const rank = rankOf(GENESIS_ROUND, 8, VILLAGE.periodSeconds, self)
      const slot = decideSlot({ ...base, self })
      if (!rank.isAuthorised) expect(slot).toEqual({ kind: 'idle', reason: 'not-authorised' })
      else expect(slot).toMatchObject({ kind: 'slot', number: 8, rank, opensAtSeconds: head.header.timeSeconds + rank.delaySeconds })
    }
  })

  it.each([
    [{ hasAlarm: true }, 'alarm'],
    [{ isInSync: false }, 'not-in-sync'],
    [{ isSealed: true }, 'sealed-already'],
    [{ isKeyElsewhere: true }, 'key-elsewhere'],
    [{ nowMs: null }, 'no-clock'],
    [{ hasState: false }, 'not-executed'],
    [{ network: MAINNET }, 'before-sip100'],
  ] as const)('%o: %s', (change, reason) => {
    expect(decideSlot({ ...base, ...change })).toEqual({ kind: 'idle', reason })
  })

  it('a block’s time is never before its slot and never in the future', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 0, max: 10 ** 7 }), (opensAt, lateMs) => {
        const nowMs = opensAt * 1000 + lateMs
        const time = blockTime(opensAt, nowMs)
        expect(time).toBeGreaterThanOrEqual(opensAt)
        expect(time * 1000).toBeLessThanOrEqual(nowMs)
      }),
    )
  })

  it('alone is who shares neither the round, nor the next, nor the lead', () => {
    const [ann, ben] = LEADERS.map((leader) => leader.address) as [Address, Address]
    const alone: Round = { signers: [ann, ZERO_ADDRESS], next: [], leaders: [ann], volunteerLimit: 1, epochBlocks: 9 }
    expect(isAlone(alone, ann)).toBe(true)
    for (const other of [{ signers: [ann, ben] }, { next: [ben] }, { leaders: [ann, ben] }]) expect(isAlone({ ...alone, ...other }, ann)).toBe(false)
    expect(isAlone(alone, ben)).toBe(false)
  })
})

describe('chain time', () => {
  it('without a trusted clock goes on evenly from the head, only forwards, and only alone', () => {
    const time = new FakeTime()
    const chain = new ChainTime(time)
    expect(chain.nowMs(1000, false)).toBeNull()
    time.advance(400)
    expect(chain.nowMs(1000, true)).toBe(1_000_400)
    time.advance(700)
    // Our own block of 1001: the rest of the second is not lost.
    expect(chain.nowMs(1001, true)).toBe(1_001_100)
    // A head ahead of the count moves it.
    expect(chain.nowMs(1010, true)).toBe(1_010_000)
    time.jumpWall(10 ** 9)
    time.advance(100)
    expect(chain.nowMs(1010, true)).toBe(1_010_100)
    time.trusted = true
    expect(chain.nowMs(1010, false)).toBe(time.wallMs())
    const trusted = time.wallMs()
    time.trusted = false
    time.advance(250)
    expect(chain.nowMs(1010, true)).toBe(trusted + 250)
  })
})

describe('pace', () => {
  it('starts with 2 M gas, slows at once, speeds up bit by bit, and stays inside the slot and the block', () => {
    expect(gasCap(START_PACE, 14, 0, 40_000_000n)).toBe(2_000_000n)
    const fast = measured(START_PACE, { gasUsed: 2_000_000n, elapsedMs: 400 })
    const slow = measured(fast, { gasUsed: 2_000_000n, elapsedMs: 4_000 })
    expect(slow.gasPerMs).toBeLessThan((fast.gasPerMs ?? 0) * 0.6)
    const again = measured(slow, { gasUsed: 2_000_000n, elapsedMs: 400 })
    expect((again.gasPerMs ?? 0) - (slow.gasPerMs ?? 0)).toBeLessThan((fast.gasPerMs ?? 0) * 0.1)
    fc.assert(
      fc.property(fc.array(fc.record({ gasUsed: fc.bigInt({ min: 0n, max: 40_000_000n }), elapsedMs: fc.integer({ min: 0, max: 60_000 }) }), { maxLength: 30 }), fc.integer({ min: 1, max: 100 }), fc.nat(50), (runs, delay, turn) => {
        const pace = runs.reduce(measured, START_PACE)
        const cap = gasCap(pace, delay, turn, 40_000_000n)
        expect(cap).toBeGreaterThanOrEqual(250_000n)
        expect(cap).toBeLessThanOrEqual(40_000_000n)
        expect(leadMs(pace, delay, cap)).toBeLessThanOrEqual(delay * 500)
        // Every eighth block has room for what is larger than a slot.
        expect(gasCap(pace, delay, 7, 40_000_000n)).toBeGreaterThanOrEqual(gasCap(pace, delay, 6, 40_000_000n))
      }),
      { seed: 3 },
    )
  })
})

describe('gas limit', () => {
  it('is one that every verifier takes, and finds its way to the least', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 40_000_000n, max: 2n ** 40n }), fc.bigInt({ min: 0n, max: 1000n }), (gasLimit, used) => {
        const parent = { number: 5, gasLimit, gasUsed: (gasLimit * used) / 1000n }
        const next = nextGasLimit(VILLAGE, parent)
        expect(isGasLimitBound(VILLAGE, gasLimit, { number: 6, gasLimit: next })).toBe(true)
      }),
      { seed: 4 },
    )
    let header = { number: 0, gasLimit: 41_000_000n, gasUsed: 0n }
    for (; header.number < 200; header = { number: header.number + 1, gasLimit: nextGasLimit(VILLAGE, header), gasUsed: 0n });
    expect(header.gasLimit).toBe(40_000_000n)
    expect(nextGasLimit(VILLAGE, { ...header, gasUsed: 40_000_000n })).toBeGreaterThan(40_000_000n)
    // Where SIP004 starts nothing binds: it is reached at once.
    expect(nextGasLimit({ ...DEVNET, uncheckedGasLimit: 4 }, { number: 3, gasLimit: 16_000_000n, gasUsed: 0n })).toBe(40_000_000n)
  })
})

describe('the miner’s plan', () => {
  const miner = EVERYBODY[5]?.address ?? ZERO_ADDRESS
  const wallet: Address = `0x${'aa'.repeat(20)}`
  const record = { owner: wallet, amountWei: SMT, stopBlock: 0n, isBlack: false, isLocked: false }
  const sight: PocSight = { goal: 'mining', record, binding: wallet, terms: { minDepositWei: SMT, withdrawWaitBlocks: 10n }, round: { signers: [], next: [] }, number: 100, miner, wallet, canSeal: true }
  const none = { ...record, owner: ZERO_ADDRESS, amountWei: 0n }
  const stopped = { ...record, stopBlock: 89n }

  it.each<[string, Partial<PocSight>, string, string | null]>([
    ['nothing yet', { record: none }, 'not-deposited', 'deposit'],
    ['nothing yet, and the box cannot seal', { record: none, canSeal: false }, 'not-deposited', null],
    ['nothing wanted', { record: none, goal: 'none' }, 'not-deposited', null],
    ['in the list, not bound', { binding: ZERO_ADDRESS }, 'waiting', 'bind'],
    ['in the list, on a chain that binds nobody', { binding: null }, 'waiting', null],
    ['in the list, bound to another wallet', { binding: `0x${'bb'.repeat(20)}` }, 'waiting', null],
    ['picked', { round: { signers: [], next: [miner] } }, 'picked', null],
    ['in the round', { round: { signers: [miner], next: [] } }, 'active', null],
    ['missed', { record: { ...stopped, isBlack: true } }, 'missed', null],
    ['forgiven', { record: stopped }, 'stopped', 'start'],
    ['forgiven, and the box cannot seal', { record: stopped, canSeal: false }, 'stopped', null],
    ['locked', { record: { ...stopped, isLocked: true } }, 'locked', null],
    ['somebody else’s', { record: { ...record, owner: `0x${'bb'.repeat(20)}` } }, 'foreign-owner', null],
    ['to be stopped', { goal: 'stopped' }, 'waiting', 'stop'],
    ['stopped as wanted', { goal: 'stopped', record: stopped }, 'stopped', null],
    ['to leave, in the round', { goal: 'withdrawn', round: { signers: [miner], next: [] } }, 'active', 'stop'],
    ['to leave, the wait just over', { goal: 'withdrawn', record: { ...stopped, stopBlock: 90n } }, 'stopped', 'withdraw'],
    ['to leave, a block too early', { goal: 'withdrawn', record: { ...stopped, stopBlock: 91n } }, 'stopped', null],
    ['to leave, but missed', { goal: 'withdrawn', record: { ...stopped, isBlack: true } }, 'missed', null],
    ['left', { goal: 'withdrawn', record: none }, 'withdrawn', null],
  ])('%s', (_, change, state, action) => {
    expect(pocState({ ...sight, ...change })).toBe(state)
    expect(nextAction({ ...sight, ...change })).toBe(action)
  })
})

describe('what a block earned', () => {
  const header: Header = { ...genesisOf(VILLAGE).header, number: 9, gasUsed: 71_000n }
  const transaction = (to: Address | null, gasPriceWei: bigint): Transaction => ({ nonce: 0n, gasPriceWei, gas: 100_000n, to, valueWei: 0n, data: new Uint8Array(0), v: 37n, r: 1n, s: 1n })
  const receipt = (cumulativeGasUsed: bigint): Receipt => ({ succeeded: true, cumulativeGasUsed, bloom: bloomOfLogs(native, []), logs: [] })
  const chief = VILLAGE.chiefs[0]?.address ?? ZERO_ADDRESS
  const body = { transactions: [transaction(chief, 18n), transaction(null, 7n), transaction(chief, 11n), transaction(ZERO_ADDRESS, 5n)], uncles: [] }
  const receipts = [receipt(0n), receipt(21_000n), receipt(42_000n), receipt(71_000n)]
  const known = { header, hash: EMPTY_TRIE_ROOT }

  it('is the reward, and each transaction’s gas at its price but for calls of the chief', () => {
    expect(earnedIn(VILLAGE, known, body, receipts)).toEqual({ rewardWei: 35n * SMT, feesWei: 21_000n * 7n + 29_000n * 5n })
    expect(earnedIn(VILLAGE, { ...known, header: { ...header, gasUsed: 0n } }, null, null)).toEqual({ rewardWei: 35n * SMT, feesWei: 0n })
  })

  it('is not guessed where receipts are missing or are another block’s', () => {
    expect(earnedIn(VILLAGE, known, body, null).feesWei).toBeNull()
    expect(earnedIn(VILLAGE, known, null, receipts).feesWei).toBeNull()
    expect(earnedIn(VILLAGE, known, body, receipts.slice(1)).feesWei).toBeNull()
    expect(earnedIn(VILLAGE, { ...known, header: { ...header, gasUsed: 71_001n } }, body, receipts).feesWei).toBeNull()
  })
})
