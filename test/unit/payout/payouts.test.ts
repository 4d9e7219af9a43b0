/** Shares are paid when they are due, once, to whom the owner named, and what cannot be paid waits and says why. */
import { afterEach, describe, expect, it } from 'vitest'
import { momentOf, utf8 } from '../../../src/base/index.ts'
import { verifyStatements } from '../../../src/payout/statement/index.ts'
import { ANNA, BRIDGE, HILL, LOCK_FAILED, LOCK_SENT, noChannel, openPayoutBox, owedTo } from '../../support/payout-box.ts'
import type { PayoutBox } from '../../support/payout-box.ts'
import type { LockStanding, PayoutSettings } from '../../../src/payout/index.ts'

const HOUR = 3_600_000
const ANYBODY = { box: null, to: null, partsPerMillion: null }
let boxes: PayoutBox[] = []
async function opened(changes: Partial<PayoutSettings> = {}): Promise<PayoutBox> {
  const box = await openPayoutBox(changes)
  boxes.push(box)
  return box
}
afterEach(async () => {
  for (const box of boxes) await box.close()
  boxes = []
})
const partyOf = (box: PayoutBox, account: string): ReturnType<PayoutBox['payouts']['parties']>[number] | undefined => box.payouts.parties().find((party) => party.account === account)
const lastOf = (box: PayoutBox): ReturnType<PayoutBox['payouts']['payouts']>[number] | undefined => box.payouts.payouts({ beforeId: null, limit: 1 })[0]

describe('the threshold', () => {
  it('is what it takes, and not one unit less', async () => {
    const box = await opened({ threshold: 1_000_000n })
    await box.earn(3_999_996n)
    await box.settle()
    expect([box.channels.rows.length, partyOf(box, 'investor:anna')?.waitsFor]).toEqual([0, 'payout.threshold'])
    await box.earn(8n)
    await box.settle()
    expect(box.channels.rows).toMatchObject([{ partner: ANNA, amount: 1_000_001n, reference: lastOf(box)?.payout.reference, data: new TextEncoder().encode('payout') }])
    expect([owedTo(box, 'investor:anna'), lastOf(box)?.payout.state, lastOf(box)?.payout.reason]).toEqual([0n, 'paid', 'threshold'])
    expect(partyOf(box, 'investor:anna')).toMatchObject({ owed: 0n, paid: 1_000_001n, open: null, waitsFor: null })
  })

  it("leaves the owner's part where it is, and keeps the books balanced", async () => {
    const box = await opened({ threshold: 1n })
    await box.earn(1_000_003n)
    await box.settle()
    expect(owedTo(box, 'owner') + box.channels.paidTo(ANNA)).toBe(1_000_003n)
    expect(box.store.read((tx) => box.ledger.audit(tx))).toEqual([{ token: 'SMT', sum: 0n, unbalancedEntries: [] }])
  })
})

describe('the day', () => {
  it('pays once from its hour on, and only by a clock that is trusted', async () => {
    // It is 22:13 UTC.
    const box = await opened({ dailyHour: 23 })
    await box.earn(40n)
    await box.settle()
    expect([box.channels.rows.length, partyOf(box, 'investor:anna')?.waitsFor]).toEqual([0, '23:00 UTC'])
    box.time.trusted = false
    box.time.advance(HOUR)
    await box.settle()
    expect([box.channels.rows.length, partyOf(box, 'investor:anna')?.waitsFor]).toEqual([0, 'a clock that is trusted'])
    box.time.trusted = true
    await box.settle()
    expect([box.channels.paidTo(ANNA), lastOf(box)?.payout.reason]).toEqual([10n, 'daily'])
    await box.earn(40n)
    await box.settle()
    expect(box.channels.paidTo(ANNA)).toBe(10n)
    box.time.advance(24 * HOUR)
    await box.settle()
    expect(box.channels.paidTo(ANNA)).toBe(20n)
  })

  it('carries dust over', async () => {
    const box = await opened({ dailyHour: 0, dust: 15n })
    await box.earn(40n)
    await box.settle()
    expect([box.channels.rows.length, partyOf(box, 'investor:anna')?.waitsFor]).toEqual([0, 'more: it is less than payout.dust'])
    await expect(box.payouts.payNow('investor:anna', null)).rejects.toMatchObject({ code: 'payout-dust' })
    box.time.advance(24 * HOUR)
    await box.earn(40n)
    await box.settle()
    expect(box.channels.paidTo(ANNA)).toBe(20n)
  })
})

describe('where it goes', () => {
  it('accrues without an address, and is paid when the owner has named one', async () => {
    const box = await opened({ threshold: 1n })
    await box.earn(1000n, 'mesh:relay')
    await box.settle()
    expect([box.channels.paidTo(HILL), owedTo(box, 'relay:hill'), partyOf(box, 'relay:hill')?.waitsFor]).toEqual([0n, 100n, expect.stringContaining("config payee with account 'relay:hill'")])
    await expect(box.payouts.payNow('relay:hill', null)).rejects.toMatchObject({ kind: 'conflict', code: 'payout-nowhere' })
    box.settings = { ...box.settings, payees: [...box.settings.payees, { account: 'relay:hill', address: HILL }] }
    await box.settle()
    expect(box.channels.paidTo(HILL)).toBe(100n)
  })

  it('needs a token of channels of that name, with the same decimals, and only one', async () => {
    const box = await opened({ threshold: 1n })
    await box.earn(40n)
    const [token] = box.settings.channelTokens
    if (token === undefined) throw new Error('no token')
    for (const [tokens, words] of [[[], "role 'photon'"], [[{ ...token, symbol: 'MIN' }], 'called SMT'], [[token, token], '2 are'], [[{ ...token, decimals: 18 }], 'has 18']] as const) {
      box.settings = { ...box.settings, channelTokens: tokens }
      await box.settle()
      expect([box.channels.rows.length, partyOf(box, 'investor:anna')?.waitsFor]).toEqual([0, expect.stringContaining(words)])
    }
  })

  it('is where it was begun for: another address holds for what comes later, or when the owner gives the old one up', async () => {
    const box = await opened({ threshold: 1n })
    box.channels.fails = noChannel()
    await box.earn(40n)
    await box.settle()
    box.settings = { ...box.settings, payees: [{ account: 'investor:anna', address: HILL }] }
    box.time.advance(HOUR)
    await box.settle()
    expect(lastOf(box)?.payout).toMatchObject({ id: 1, to: ANNA, state: 'open' })
    const made = await box.payouts.resume(1, true)
    expect(made.payout).toMatchObject({ id: 2, number: 1, to: HILL, amount: 10n })
    box.channels.fails = null
    box.time.advance(HOUR)
    await box.settle()
    expect([box.channels.rows.length, box.channels.paidTo(HILL), box.payouts.payout(1).payout.state]).toEqual([1, 10n, 'dropped'])
    await expect(box.payouts.resume(2, true)).rejects.toMatchObject({ code: 'payout-over' })
  })

  it('cannot be given up once the money has left', async () => {
    const box = await opened({ threshold: 1n })
    box.channels.isAway = true
    await box.earn(40n)
    await box.settle()
    expect(box.payouts.payout(1)).toMatchObject({ stage: 'paying', payout: { state: 'open' } })
    await expect(box.payouts.resume(1, true)).rejects.toMatchObject({ code: 'payout-left' })
    await box.restart()
    await expect(box.payouts.resume(1, true)).rejects.toMatchObject({ code: 'payout-left' })
    box.channels.isAway = false
    box.channels.acknowledged.add(1)
    await box.settle()
    expect([box.channels.rows.length, box.payouts.payout(1).payout.state]).toEqual([1, 'paid'])
  })
})

describe('a payment that was lost with its channel', () => {
  async function lostOne(): Promise<PayoutBox> {
    const box = await opened({ threshold: 1n })
    box.channels.isAway = true
    await box.earn(40n)
    await box.settle()
    box.channels.lost.add(1)
    box.channels.fails = noChannel()
    return box
  }

  it('is found out by a process that waits for it, and by the next one, is not booked, and is paid anew', async () => {
    for (const isNext of [false, true]) {
      const box = await lostOne()
      if (isNext) await box.restart()
      for (let seconds = 0; seconds < 60; seconds += 10) {
        box.time.advance(10_000)
        await box.settle()
      }
      expect([box.payouts.payout(1).payout.state, owedTo(box, 'investor:anna')]).toEqual(['open', 10n])
      Object.assign(box.channels, { fails: null, isAway: false })
      box.time.advance(HOUR)
      await box.settle()
      expect([box.channels.rows.map(({ reference }) => reference === box.payouts.payout(1).payout.reference), box.payouts.payout(1).payout.state, owedTo(box, 'investor:anna')]).toEqual([[true, true], 'paid', 0n])
      expect(verifyStatements(box.payouts.statement(1, false), ANYBODY).problems).toEqual([])
    }
  })

  it('of which nothing shows whether it was is not paid again and not booked: an alarm, until it is acknowledged or the owner gives it up', async () => {
    const box = await opened({ threshold: 1n })
    box.channels.isAway = true
    await box.earn(40n)
    await box.settle()
    await box.restart()
    box.channels.untold.add(1)
    for (let look = 0; look < 3; look++) {
      box.time.advance(HOUR)
      await box.payouts.round()
      for (let turn = 0; turn < 5; turn++) await box.store.turn(() => undefined)
    }
    expect(box.payouts.payout(1)).toMatchObject({ stage: 'waiting', isAlarm: true, payout: { state: 'open', problem: expect.stringContaining('nothing shows whether') as string } })
    expect([box.channels.rows.length, owedTo(box, 'investor:anna')]).toEqual([1, 10n])
    box.channels.locked.hasRoute = true
    expect((await box.payouts.resume(1, true)).payout.id).toBe(2)
    expect(box.payouts.payout(1).payout.state).toBe('dropped')
  })

  it('can be given up and made anew', async () => {
    const box = await lostOne()
    await box.restart()
    const made = await box.payouts.resume(1, true)
    expect([made.payout.id, box.payouts.payout(1).payout.state]).toEqual([2, 'dropped'])
    Object.assign(box.channels, { fails: null, isAway: false })
    box.time.advance(HOUR)
    await box.settle()
    expect([box.payouts.payout(2).payout.state, box.channels.rows.length, owedTo(box, 'investor:anna')]).toEqual(['paid', 2, 0n])
  })
})

describe('what cannot be paid now', () => {
  it('is tried again less and less often, says why, and becomes an alarm', async () => {
    const box = await opened({ threshold: 1n })
    box.channels.fails = noChannel()
    await box.earn(40n)
    await box.settle()
    expect(box.payouts.payout(1)).toMatchObject({ stage: 'waiting', retrySeconds: 30, isAlarm: false, payout: { attempts: 1, problem: expect.stringMatching(/^there is no open channel; and over other boxes there is no way now that costs at most 5 units/) as string } })
    box.time.advance(29_000)
    await box.settle()
    expect(box.payouts.payout(1).payout.attempts).toBe(1)
    for (const wait of [1_000, 60_000]) {
      box.time.advance(wait)
      await box.settle()
    }
    expect(box.payouts.payout(1)).toMatchObject({ isAlarm: true, retrySeconds: 120, payout: { attempts: 3 } })
    // The next process still knows, and tries at once.
    await box.restart()
    expect(box.payouts.payout(1)).toMatchObject({ isAlarm: true, payout: { attempts: 3, problem: expect.stringMatching(/^there is no open channel; and over other boxes there is no way now that costs at most 5 units/) as string } })
    box.channels.fails = null
    expect((await box.payouts.resume(1, false)).isAlarm).toBe(false)
    await box.settle()
    expect([box.channels.paidTo(ANNA), box.payouts.payout(1).payout.state]).toEqual([10n, 'paid'])
  })

  it('waits for channels that are not up without counting tries', async () => {
    const box = await opened({ threshold: 1n })
    box.use = null
    await box.earn(40n)
    for (let look = 0; look < 5; look++) await box.settle()
    expect(box.payouts.payout(1)).toMatchObject({ isAlarm: false, payout: { attempts: 0, problem: 'payment channels are not up yet' } })
    box.use = box.channels
    await box.settle()
    expect(box.channels.paidTo(ANNA)).toBe(10n)
  })
})

describe('over other boxes', () => {
  const hashesOf = (box: PayoutBox): readonly string[] => box.channels.locked.all.map(({ secretHash }) => secretHash)
  async function begun(next: LockStanding | null, changes: Partial<PayoutSettings> = {}): Promise<PayoutBox> {
    const box = await opened({ threshold: 1n, ...changes })
    box.channels.fails = noChannel()
    box.channels.locked.hasRoute = true
    box.channels.locked.next = next
    await box.earn(40n)
    await box.settle()
    return box
  }

  it('is paid where no channel with the recipient has enough; the fee is the owner\'s cost, and the statement names the lock', async () => {
    const box = await begun(LOCK_SENT)
    const view = box.payouts.payout(1)
    const [lock] = box.channels.locked.all
    expect([view.payout.state, view.routed]).toEqual(['paid', { secretHash: lock?.secretHash, fee: 2n, via: [BRIDGE], tries: 1, lock: null }])
    expect(lock).toMatchObject({ to: ANNA, amount: 10n, maxFee: 5n, data: utf8(`payout ${view.payout.reference}`) })
    expect([owedTo(box, 'investor:anna'), owedTo(box, 'cost:payout'), owedTo(box, 'owner')]).toEqual([0n, -2n, 30n])
    expect(box.store.read((tx) => box.ledger.audit(tx))).toEqual([{ token: 'SMT', sum: 0n, unbalancedEntries: [] }])
    const text = box.payouts.statement(1, false)
    expect(text).toContain(`\nRouted: ${lock?.secretHash}, fee 2, over ${BRIDGE}\nPaid: `)
    const check = verifyStatements(text, ANYBODY)
    expect([check.problems, check.statements[0]?.routed, check.notes]).toEqual([[], { secretHash: lock?.secretHash, fee: 2n, via: [BRIDGE] }, [expect.stringContaining('which got 2 on top')]])
    expect(verifyStatements(text.replace('fee 2', 'fee 1'), ANYBODY).problems).toEqual([expect.stringContaining('not signed')])
  })

  it('has its hash on disk before anything is ordered', async () => {
    const box = await opened({ threshold: 1n })
    box.channels.fails = noChannel()
    box.channels.locked.hasRoute = true
    const known: unknown[] = []
    const pay = box.channels.locked.pay.bind(box.channels.locked)
    box.channels.locked.pay = (order) => {
      known.push(box.store.read((tx) => tx.all('SELECT payout, number, lower(hex(secret_hash)) AS hash, outcome FROM payout_tries')))
      return pay(order)
    }
    await box.earn(40n)
    await box.settle()
    expect(known).toEqual([[{ payout: 1, number: 1, hash: hashesOf(box)[0]?.slice(2), outcome: null }]])
  })

  it('waits for a lock that is open, through any number of starts and orders, and says until when', async () => {
    const box = await begun(null)
    for (let start = 0; start < 3; start++) {
      expect(box.payouts.payout(1)).toMatchObject({ stage: 'paying', routed: { fee: 2n, via: [BRIDGE], tries: 1, lock: { isRevealed: false, isGivenUp: false, endsBlock: 137, endsInSeconds: 600 } } })
      await expect(box.payouts.resume(1, true)).rejects.toMatchObject({ code: 'payout-left' })
      await box.payouts.resume(1, false)
      await box.payouts.payNow('investor:anna', null)
      // A channel of its own that comes meanwhile is for later payouts.
      box.channels.fails = null
      box.time.advance(HOUR)
      await box.restart()
      await box.settle()
    }
    expect([hashesOf(box).length, box.channels.rows.length]).toEqual([1, 0])
    box.channels.locked.conclude(LOCK_SENT)
    box.time.advance(1000)
    await box.settle()
    expect([box.payouts.payout(1).payout.state, box.channels.paidTo(ANNA), hashesOf(box).length]).toEqual(['paid', 10n, 1])
  })

  it('is tried again under another hash when the one before is over for good, and directly where that can be by then', async () => {
    const box = await begun(LOCK_FAILED)
    expect(box.payouts.payout(1)).toMatchObject({ stage: 'waiting', retrySeconds: 30, payout: { attempts: 1, problem: expect.stringContaining('nobody claimed it in time') as string } })
    box.channels.locked.next = null
    box.time.advance(30_000)
    await box.settle()
    expect([new Set(hashesOf(box)).size, box.payouts.payout(1).routed?.tries]).toEqual([2, 2])
    box.channels.locked.conclude(LOCK_FAILED)
    box.channels.fails = null
    box.time.advance(1000)
    await box.settle()
    box.time.advance(HOUR)
    await box.settle()
    expect([hashesOf(box).length, box.channels.rows.length, box.payouts.payout(1).payout.state, box.payouts.payout(1).routed]).toEqual([2, 1, 'paid', null])
  })

  it('is neither ordered again nor given up under another contract, whose channels know nothing of the lock', async () => {
    const box = await begun(null)
    const { all, contract } = box.channels.locked
    const locks = all.splice(0) // the other contract's channels have another record and another history
    box.channels.locked.contract = `0x${'c1'.repeat(20)}`
    await box.restart()
    for (let day = 0; day < 3; day++) {
      box.time.advance(24 * HOUR)
      await box.settle()
    }
    expect([all.length, box.channels.rows.length, box.payouts.payout(1).payout.state]).toEqual([0, 0, 'open'])
    expect(box.payouts.payout(1).payout.problem).toContain(`set photon.contract back until this payout has ended`)
    await expect(box.payouts.resume(1, true)).rejects.toMatchObject({ code: 'payout-other-contract' })

    box.channels.locked.contract = contract
    all.push(...locks)
    box.channels.locked.conclude(LOCK_SENT)
    await box.restart()
    box.time.advance(24 * HOUR)
    await box.settle()
    expect([box.payouts.payout(1).payout.state, hashesOf(box).length]).toEqual(['paid', 1])
  })

  it('of before its contract was written down goes on under the configured one', async () => {
    const box = await begun(null)
    await box.store.turn((tx) => tx.run('UPDATE payout_tries SET contract = NULL'))
    box.channels.locked.contract = `0x${'c1'.repeat(20)}`
    await box.restart()
    box.channels.locked.conclude(LOCK_SENT)
    box.time.advance(1000)
    await box.settle()
    expect([box.payouts.payout(1).payout.state, hashesOf(box).length]).toEqual(['paid', 1])
  })

  it('stands in the history when its record is gone', async () => {
    const box = await begun(null)
    await box.restart()
    for (const lock of box.channels.locked.all) lock.isForgotten = true
    box.channels.locked.conclude(LOCK_SENT)
    await box.settle()
    expect([box.payouts.payout(1).payout.state, hashesOf(box).length]).toEqual(['paid', 1])
  })

  it('asks the owner where the recipient has it already, and is given up by him alone', async () => {
    const box = await begun({ state: 'failed', problem: 'this hash has been paid already (1015)', isKnownThere: true })
    for (let hour = 0; hour < 3; hour++) {
      box.time.advance(HOUR)
      await box.settle()
    }
    expect([hashesOf(box).length, box.payouts.payout(1).payout.problem]).toEqual([1, expect.stringContaining('ask him for his history')])
    box.channels.locked.next = LOCK_SENT
    const made = await box.payouts.resume(1, true)
    await box.settle()
    expect([made.payout.id, box.payouts.payout(2).payout.state, box.payouts.payout(1).payout.state]).toEqual([2, 'paid', 'dropped'])
  })

  it('costs no more than the owner allows', async () => {
    const box = await begun(LOCK_SENT, { maxFeePpm: 199_999 })
    expect([hashesOf(box).length, box.payouts.payout(1).payout.problem]).toEqual([0, expect.stringContaining('costs at most 1 units (payout.max_fee_ppm)')])
  })
})

describe('the owner', () => {
  it('pays now, below the threshold, and twice is once', async () => {
    const box = await opened({ threshold: 1_000_000n })
    await box.earn(40n)
    const [one, two] = await Promise.all([box.payouts.payNow('investor:anna', null), box.payouts.payNow('investor:anna', 'SMT')])
    await box.settle()
    expect([one.payout.id, two.payout.id, box.channels.rows.length, one.payout.reason]).toEqual([1, 1, 1, 'ordered'])
    await expect(box.payouts.payNow('investor:ann', null)).rejects.toMatchObject({ kind: 'not-found', message: expect.stringContaining('investor:anna, relay:hill') as string })
  })

  it('writes down what was paid in another way, at most what is owed, and not while a payout runs', async () => {
    const box = await opened({ threshold: 30n })
    await box.earn(100n)
    const terms = { account: 'investor:anna', token: null, memo: 'in cash' }
    await expect(box.payouts.note({ ...terms, amount: 26n })).rejects.toMatchObject({ field: 'amount', message: expect.stringContaining('25') as string })
    expect(await box.payouts.note({ ...terms, amount: 5n })).toMatchObject({ owed: 20n })
    expect(await box.payouts.note({ ...terms, amount: 5n })).toMatchObject({ owed: 15n })
    box.channels.fails = noChannel()
    await box.earn(100n)
    await box.settle()
    await expect(box.payouts.note({ ...terms, amount: 1n })).rejects.toMatchObject({ code: 'payout-open' })
    box.channels.fails = null
    await box.payouts.resume(1, false)
    await box.settle()
    expect(box.channels.paidTo(ANNA)).toBe(40n)
    const check = verifyStatements(box.payouts.statement(1, false), ANYBODY)
    expect([check.isValid, check.statements[0]?.lines.map(({ kind, gained }) => [kind, gained])]).toEqual([true, [['earn', 25n], ['post', -5n], ['post', -5n], ['earn', 25n]]])
  })
})

describe('a milestone', () => {
  const reward = { id: 'first-hour', account: 'investor:anna', measure: 'minutes', count: 60, reward: 7n, sources: ['hotspot'] } as const

  it("is rewarded once, out of the owner's part, when that covers it", async () => {
    const box = await opened({ milestones: [reward, { ...reward, id: 'ten', measure: 'earnings', count: 7, account: 'relay:hill' }] })
    for (let sold = 0; sold < 5; sold++) await box.earn(1n)
    await box.earn(1n, 'iot:uplink')
    await box.settle()
    expect(box.payouts.milestones()).toMatchObject([{ reached: 3000n, entryId: null, isWaiting: false }, { reached: 5n }])
    await box.earn(0n)
    await box.settle()
    // 60 minutes are there; of 7 units earned the owner has 6.
    expect(box.payouts.milestones()[0]).toMatchObject({ reached: 3600n, entryId: null, isWaiting: true })
    await box.earn(4n)
    await box.settle()
    expect(box.payouts.milestones()).toMatchObject([{ entryId: expect.any(Number) as number }, { reached: 7n, entryId: null, isWaiting: true }])
    const after = [owedTo(box, 'investor:anna'), owedTo(box, 'owner')]
    await box.restart()
    await box.settle()
    box.settings = { ...box.settings, milestones: [{ ...reward, reward: 9n }] }
    await box.settle()
    expect([owedTo(box, 'investor:anna'), owedTo(box, 'owner')]).toEqual(after)
    expect(box.store.read((tx) => box.ledger.entries(tx, { limit: 10, evidence: { type: 'milestone', id: 'first-hour' } }))).toMatchObject([{ source: 'milestone:reward', postings: [{ account: 'owner', amount: 7n }, { account: 'investor:anna', amount: -7n }] }])
  })

  it('counts days and tokens, and tokens that were given back do not count', async () => {
    const box = await opened({ milestones: [{ ...reward, measure: 'days', count: 2 }, { ...reward, id: 'tokens', measure: 'tokens', count: 1 }] })
    const entry = await box.earn(900_000n)
    await box.store.turn((tx) => box.ledger.reverse(tx, entry, 400_000n, { type: 'refund', id: 'r' }, momentOf(box.time)))
    await box.settle()
    expect(box.payouts.milestones().map(({ reached }) => reached)).toEqual([1n, 500_000n])
    box.time.advance(24 * HOUR)
    await box.earn(500_000n)
    await box.settle()
    expect(box.payouts.milestones()).toMatchObject([{ reached: 2n, entryId: expect.any(Number) as number }, { reached: 1_000_000n, entryId: expect.any(Number) as number }])
  })
})
