/** What the owner can do with sessions and vouchers, and what he is told when he asks for nonsense. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mulDivFloor } from '../../../src/base/index.ts'
import { readQr, voucherId } from '../../../src/hotspot/voucher/index.ts'
import { encodeCode } from '../../../src/hotspot/voucher/index.ts'
import { guest, startBox, testVoucherKeys } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const anna = guest(1)
const ben = guest(2)
let box: TestBox

beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

const redeem = async (client: typeof anna, packageId: string) => box.hotspot.guests.redeem(client, (await box.voucher(packageId)).code)
const owner = () => box.hotspot.owner
/** What the till holds and what the owner was credited. */
const books = () =>
  box.store.read((tx) => ({ till: box.ledger.balance(tx, 'cash:vouchers', 'MBX'), owner: -box.ledger.balance(tx, 'owner', 'MBX'), sums: box.ledger.audit(tx).map((each) => each.sum) }))

/** What lets others have their turn needs time to pass. */
const whileTimePasses = async <T>(work: T | Promise<T>): Promise<T> => {
  await box.advance(10_000)
  return work
}

describe('sessions', () => {
  it('are listed newest first, by pages, and counted', async () => {
    const made = []
    for (let n = 1; n <= 5; n++) made.push(await redeem(guest(n), 'half-hour'))
    await owner().kick(made[1]?.id ?? '')
    await owner().pause(made[2]?.id ?? '')
    expect(owner().sessions().map((each) => each.id)).toEqual([made[4], made[3], made[2], made[0]].map((each) => each?.id))
    const first = owner().sessions({ state: 'all', limit: 2 })
    expect(first.map((each) => each.id)).toEqual([made[4]?.id, made[3]?.id])
    const rest = owner().sessions({ state: 'all', limit: 10, beforeId: first[1]?.id ?? '' })
    expect(rest.map((each) => [each.id, each.state])).toEqual([
      [made[2]?.id, 'paused'],
      [made[1]?.id, 'ended'],
      [made[0]?.id, 'active'],
    ])
    expect(owner().status()).toMatchObject({ sessionsActive: 3, sessionsPaused: 1, sessionsTotal: 5, vouchersUnused: 0, option114: 'withheld', option114Reason: 'no certificate' })
    expect(await owner().counters()).toHaveLength(5)
  })

  it('are kicked at once and keep nothing', async () => {
    const { id } = await redeem(anna, 'half-hour')
    expect(await owner().kick(id)).toMatchObject({ state: 'ended', endReason: 'ended-by-owner', refunded: 0n })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(await owner().kick(id)).toMatchObject({ state: 'ended' })
    expect(books()).toEqual({ till: 3_000_000n, owner: 3_000_000n, sums: [0n] })
  })

  it('paused by the owner are resumed only by him, and nobody loses a code to them', async () => {
    const { id } = await redeem(anna, 'half-hour')
    await owner().pause(id)
    await expect(box.hotspot.guests.resume(anna)).rejects.toMatchObject({ kind: 'conflict', code: 'paused-by-owner' })
    const more = await box.voucher('half-hour')
    await expect(box.hotspot.guests.redeem(anna, more.code)).rejects.toMatchObject({ code: 'paused-by-owner' })
    expect(owner().vouchers({ state: 'unused' }).map((each) => each.id)).toEqual([more.id])
    expect(await owner().extend(id, { seconds: 60 })).toMatchObject({ state: 'paused', secondsLeft: 1860 })
    expect(await owner().resume(id)).toMatchObject({ state: 'active', secondsLeft: 1860 })
    expect(await box.hotspot.guests.redeem(anna, more.code)).toMatchObject({ secondsLeft: 3660 })
  })

  it('paused by the guest can be taken over by the owner', async () => {
    const { id } = await redeem(anna, 'half-hour')
    await box.hotspot.guests.pause(anna)
    expect(await owner().pause(id)).toMatchObject({ pauseReason: 'owner' })
    expect(await box.hotspot.guests.pause(anna)).toMatchObject({ pauseReason: 'owner' })
  })

  it('are extended for free, by time, by bytes, by both', async () => {
    const { id } = await redeem(anna, 'half-hour')
    await box.advance(1_795_000)
    expect(await owner().extend(id, { seconds: 120 })).toMatchObject({ secondsLeft: 125, paid: 3_000_000n })
    await box.advance(60_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await owner().extend(id, { seconds: 10, bytes: 1000 })
    await box.advance(65_000)
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ quotaBytes: 1000 })
    await box.advance(10_000)
    expect(owner().session(id)).toMatchObject({ state: 'ended', endReason: 'time-used', secondsUsed: 1930 })
    await expect(owner().extend(id, { seconds: 10 })).rejects.toMatchObject({ kind: 'conflict', code: 'session-ended' })
  })
})

describe('refunds', () => {
  it('give back the unused part to the unit, and end the session', async () => {
    const { id } = await redeem(anna, 'half-hour')
    await box.advance(601_000)
    const { session, refunded } = await owner().refund(id)
    expect(refunded).toBe(mulDivFloor(3_000_000n, 1_199_000n, 1_800_000n))
    expect(session).toMatchObject({ state: 'ended', endReason: 'refunded', refunded, paid: 3_000_000n, secondsUsed: 601 })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(books()).toEqual({ till: 3_000_000n - refunded, owner: 3_000_000n - refunded, sums: [0n] })
    expect(await owner().refund(id)).toEqual({ session, refunded })
    expect(books().till).toBe(3_000_000n - refunded)
  })

  it('of time and bytes go by the smaller part that is left', async () => {
    const { id } = await redeem(anna, 'day-gib')
    box.kernel.traffic(anna.mac, 0, 805_306_368)
    await box.advance(3_600_000)
    const { refunded } = await owner().refund(id)
    expect(refunded).toBe(mulDivFloor(9_999_999n, 1n, 4n))
  })

  it('count what was used up to this moment, read from the kernel', async () => {
    const { id } = await redeem(anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 4_857_600, 50_000_000)
    const { refunded } = await owner().refund(id)
    expect(refunded).toBe(mulDivFloor(5_000_001n, 50_000_000n, 104_857_600n))
  })

  it('of several vouchers are one reversal each; gifts and trials give nothing', async () => {
    const { id } = await redeem(anna, 'half-hour')
    await redeem(anna, 'hundred-mib')
    await owner().extend(id, { seconds: 600 })
    await box.advance(900_000)
    const { refunded } = await owner().refund(id)
    expect(refunded).toBe(1_500_000n + 5_000_001n)
    expect(box.store.read((tx) => box.ledger.entries(tx, { limit: 10 }))).toHaveLength(4)
    expect(books()).toMatchObject({ till: 1_500_000n, sums: [0n] })
    const trial = await box.hotspot.guests.startTrial(ben)
    expect(await owner().refund(trial.id)).toMatchObject({ refunded: 0n, session: { state: 'ended', endReason: 'refunded' } })
  })

  it('split between sharers are taken back from each', async () => {
    box.config = { ...box.config, shares: [{ id: 's', role: 'investor', beneficiary: 'one', partsPerMillion: 333_333, sources: [] }] }
    const { id } = await redeem(anna, 'hundred-mib')
    expect((await owner().refund(id)).refunded).toBe(5_000_001n)
    box.store.read((tx) => {
      for (const account of ['cash:vouchers', 'owner', 'investor:one']) expect(box.ledger.balance(tx, account, 'MBX')).toBe(0n)
    })
  })

  it('of a session that was kicked are refused', async () => {
    const { id } = await redeem(anna, 'half-hour')
    await owner().kick(id)
    await expect(owner().refund(id)).rejects.toMatchObject({ kind: 'conflict', code: 'session-ended' })
  })
})

describe('vouchers', () => {
  it('are numbered on, listed, counted, and come out on paper and as a table', async () => {
    const first = await owner().createVouchers({ packageId: 'half-hour', count: 3, note: 'For Anna & <co>', validUntilDay: 20_000 })
    const second = await owner().createVouchers({ packageId: 'half-hour', count: 2 })
    for (const { id } of [...first, ...second]) expect(id).toMatch(/^1\.0\.\d+$/)
    expect(new Set([...first, ...second].map((each) => each.id)).size).toBe(5)
    expect(first[0]).toMatchObject({ batch: '0-1', label: 'For Anna & <co>', state: 'unused', terms: { seconds: 1800, validUntilDay: 20_000 }, sessionId: null })
    expect(first[0]?.code).toBe(encodeCode(first[0]!.terms, testVoucherKeys))
    await box.hotspot.guests.redeem(anna, second[0]?.code ?? '')
    await owner().revokeVouchers({ code: first[2]?.code ?? '' })
    expect(owner().voucherBatches()).toEqual([
      { batch: '0-2', label: '30 minutes', createdWallMs: second[0]?.createdWallMs, price: 3_000_000n, count: 2, unused: 1, used: 1, revoked: 0 },
      { batch: '0-1', label: 'For Anna & <co>', createdWallMs: first[0]?.createdWallMs, price: 3_000_000n, count: 3, unused: 2, used: 0, revoked: 1 },
    ])
    expect(owner().vouchers({ limit: 2, offset: 1 }).map((each) => each.id)).toEqual([second[0]?.id, first[2]?.id])
    expect(owner().vouchers({ batch: '0-1', state: 'revoked' }).map((each) => each.id)).toEqual([first[2]?.id])
    const sheet = await whileTimePasses(owner().voucherSheet('0-1'))
    expect(sheet).toContain(first[0]?.code)
    expect(sheet).not.toContain('<co>')
    const [head, row] = (await whileTimePasses(owner().voucherCsv('0-1'))).split('\r\n')
    expect(head).toContain('code')
    const url = /HTTP:\/\/BOX\.LAN:2080\/V\/[0-9A-Z]+/i.exec(row ?? '')?.[0] ?? ''
    expect(voucherId(readQr(url, testVoucherKeys))).toBe(first[0]?.id)
  })

  it('taken back end their session, unless something else was paid for it', async () => {
    const one = await box.voucher('half-hour')
    const two = await box.voucher('hundred-mib')
    const { id } = await box.hotspot.guests.redeem(anna, one.code)
    await box.hotspot.guests.redeem(anna, two.code)
    await box.advance(60_000)
    expect(await owner().revokeVouchers({ id: one.id })).toEqual({ revoked: 1 })
    expect(owner().session(id)).toMatchObject({ state: 'active', label: '100 MiB', secondsLeft: null })
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ quotaBytes: 104_857_600, downKbps: null })
    expect(await owner().revokeVouchers({ code: two.code })).toEqual({ revoked: 1 })
    expect(owner().session(id)).toMatchObject({ state: 'ended', endReason: 'revoked' })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(await owner().revokeVouchers({ code: two.code })).toEqual({ revoked: 0 })
  })

  it('of a whole run are taken back together, used or not', async () => {
    const run = await owner().createVouchers({ packageId: 'half-hour', count: 20 })
    for (let n = 0; n < 5; n++) await box.hotspot.guests.redeem(guest(10 + n), run[n]?.code ?? '')
    await owner().revokeVouchers({ id: run[19]?.id ?? '' })
    expect(await owner().revokeVouchers({ batch: run[0]?.batch ?? '' })).toEqual({ revoked: 19 })
    expect(box.kernel.openMacs()).toEqual([])
    await expect(box.hotspot.guests.redeem(anna, run[7]?.code ?? '')).rejects.toMatchObject({ code: 'voucher-revoked' })
  })

  it('of another box can be refused here before they were seen', async () => {
    const code = encodeCode({ slot: 1, box: 3, serial: 9 }, testVoucherKeys)
    expect(await owner().revokeVouchers({ code })).toEqual({ revoked: 1 })
    await expect(box.hotspot.guests.redeem(anna, code)).rejects.toMatchObject({ code: 'voucher-revoked' })
  })

  it('redeemed and taken back at the same moment end up revoked, whoever is first', async () => {
    for (let n = 0; n < 5; n++) {
      const voucher = await box.voucher('half-hour')
      await Promise.allSettled([box.hotspot.guests.redeem(anna, voucher.code), owner().revokeVouchers({ id: voucher.id })])
      expect(owner().vouchers({ limit: 1 })[0]).toMatchObject({ id: voucher.id, state: 'revoked' })
      expect(box.kernel.isOpen(anna.mac)).toBe(false)
    }
  })

  it('run out of numbers one day, and then say so', async () => {
    await box.store.turn((tx) => tx.run(`WITH RECURSIVE n(serial) AS (SELECT 0 UNION ALL SELECT serial + 1 FROM n WHERE serial < 32760)
      INSERT INTO hotspot_voucher (id, batch, slot, box, serial, label, devices, price, created_wall_ms, state, date_check)
      SELECT '1.0.' || serial, 'x', 1, 0, serial, 'x', 1, '0', 0, 'unused', 'none' FROM n`))
    await expect(owner().createVouchers({ packageId: 'half-hour', count: 8 })).rejects.toMatchObject({ kind: 'limit', code: 'no-serials' })
    expect(await owner().createVouchers({ packageId: 'half-hour', count: 7 })).toHaveLength(7)
    await expect(owner().createVouchers({ packageId: 'half-hour', count: 1 })).rejects.toMatchObject({ code: 'no-serials' })
  })
})

describe('nonsense', () => {
  it.each([
    ['sessions', () => owner().sessions({ limit: 0 }), 'limit'],
    ['sessions', () => owner().sessions({ limit: 1e9 }), 'limit'],
    ['sessions', () => owner().sessions({ limit: 1.5 }), 'limit'],
    ['sessions', () => owner().sessions({ state: 'closed' as 'all' }), 'state'],
    ['sessions', () => owner().sessions({ beforeId: "' OR 1=1" }), 'beforeId'],
    ['session', () => owner().session('../../etc'), 'session'],
    ['kick', () => owner().kick(''), 'session'],
    ['extend', () => owner().extend('0000000001abcdef', { seconds: 0 }), 'seconds'],
    ['extend', () => owner().extend('0000000001abcdef', { seconds: 366 * 86_400 + 1 }), 'seconds'],
    ['extend', () => owner().extend('0000000001abcdef', { bytes: 2 ** 40 + 1 }), 'bytes'],
    ['extend', () => owner().extend('0000000001abcdef', { bytes: Number.NaN }), 'bytes'],
    ['extend', () => owner().extend('0000000001abcdef', {}), 'extend'],
    ['createVouchers', () => owner().createVouchers({ packageId: 'nope', count: 1 }), 'packageId'],
    ['createVouchers', () => owner().createVouchers({ packageId: 'half-hour', count: 0 }), 'count'],
    ['createVouchers', () => owner().createVouchers({ packageId: 'half-hour', count: 1001 }), 'count'],
    ['createVouchers', () => owner().createVouchers({ packageId: 'half-hour', count: 1, note: ' ' }), 'note'],
    ['createVouchers', () => owner().createVouchers({ packageId: 'half-hour', count: 1, note: 'x'.repeat(49) }), 'note'],
    ['createVouchers', () => owner().createVouchers({ packageId: 'half-hour', count: 1, validUntilDay: -1 }), 'validUntilDay'],
    ['vouchers', () => owner().vouchers({ limit: 1001 }), 'limit'],
    ['vouchers', () => owner().vouchers({ offset: -1 }), 'offset'],
    ['vouchers', () => owner().vouchers({ state: 'lost' as 'used' }), 'state'],
    ['voucherBatches', () => owner().voucherBatches(0), 'limit'],
    ['revokeVouchers', () => owner().revokeVouchers({}), 'voucher'],
    ['revokeVouchers', () => owner().revokeVouchers({ id: '1.0.1', batch: '0-1' }), 'voucher'],
    ['revokeVouchers', () => owner().revokeVouchers({ id: '16.0.1' }), 'id'],
    ['revokeVouchers', () => owner().revokeVouchers({ id: '1.4.1' }), 'id'],
    ['revokeVouchers', () => owner().revokeVouchers({ id: '1.0.32768' }), 'id'],
    ['revokeVouchers', () => owner().revokeVouchers({ id: '01.0.1' }), 'id'],
    ['revokeVouchers', () => owner().revokeVouchers({ code: 'nonsense' }), 'code'],
  ])('%s refuses it and names the field', async (_verb, ask, field) => {
    await expect((async () => ask())()).rejects.toMatchObject({ kind: 'input', field })
  })

  it.each([
    ['session', () => owner().session('00000000ffffffff')],
    ['kick', () => owner().kick('00000000ffffffff')],
    ['refund', () => owner().refund('00000000ffffffff')],
    ['voucherSheet', () => owner().voucherSheet('9-9')],
    ['voucherCsv', () => owner().voucherCsv('x'.repeat(10_000))],
    ['revokeVouchers', () => owner().revokeVouchers({ batch: '' })],
    ['revokeVouchers', () => owner().revokeVouchers({ id: '1.0.5' })],
  ])('%s says when there is no such thing', async (_verb, ask) => {
    await expect((async () => ask())()).rejects.toMatchObject({ kind: 'not-found' })
  })
})
