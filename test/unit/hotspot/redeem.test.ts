/** What a code is worth, when it is refused, and that nothing is taken then. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GATE_PATIENCE_MS } from '../../../src/hotspot/gatekeeper.ts'
import { OVERALL_GUESSES, TYPOS } from '../../../src/hotspot/guess-limits.ts'
import { findVoucher } from '../../../src/hotspot/io/voucher-tables.ts'
import { encodeCode, encodeQr } from '../../../src/hotspot/voucher/index.ts'
import type { VoucherTerms } from '../../../src/hotspot/voucher/index.ts'
import { guest, halfHour, makeKeys, settle, startBox, testVoucherKeys } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const DAY_MS = 86_400_000
const anna = guest(1)
const ben = guest(2)
let box: TestBox

beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

const entries = () => box.store.read((tx) => box.ledger.entries(tx, { limit: 100 }))
/** Well-formed codes that are nobody's: made with other keys. */
const strangers = makeKeys('somebody else')
const wrongCode = (serial: number) => encodeCode({ slot: 1, box: 0, serial }, strangers)
const otherBox: VoucherTerms = {
  slot: 1,
  box: 2,
  serial: 77,
  seconds: 900,
  bytes: null,
  tokens: null,
  devices: 1,
  downKbps: null,
  upKbps: null,
  price: 42n,
  validUntilDay: null,
}

/** Vouchers of the owner's other boxes are taken. */
function withSiblings(): void {
  box.config = { ...box.config, hotspot: { ...box.config.hotspot, voucherSiblings: [1, 2, 3] } }
}

describe('a code', () => {
  it('is taken as it is typed: case, spaces, dashes', async () => {
    const { code } = await box.voucher('half-hour')
    const session = await box.hotspot.guests.redeem(anna, ` ${code.toLowerCase().replace('-', ' ')} `)
    expect(session).toMatchObject({ state: 'active' })
  })

  it('that is used up, or taken back, is refused', async () => {
    const used = await box.voucher('half-hour')
    await box.hotspot.guests.redeem(anna, used.code)
    await box.hotspot.guests.end(anna)
    await expect(box.hotspot.guests.redeem(ben, used.code)).rejects.toMatchObject({ kind: 'conflict', code: 'voucher-used' })
    const revoked = await box.voucher('half-hour')
    await box.hotspot.owner.revokeVouchers({ id: revoked.id })
    await expect(box.hotspot.guests.redeem(ben, revoked.code)).rejects.toMatchObject({ kind: 'conflict', code: 'voucher-revoked' })
    expect(entries()).toHaveLength(1)
  })

  it('of another box of the owner gives what its package is here, once', async () => {
    withSiblings()
    const code = encodeCode({ slot: 2, box: 3, serial: 5 }, testVoucherKeys)
    expect(await box.hotspot.guests.redeem(anna, code)).toMatchObject({ label: '100 MiB', bytesLeft: 104_857_600, paid: 5_000_001n })
    await box.hotspot.guests.end(anna)
    await expect(box.hotspot.guests.redeem(ben, code)).rejects.toMatchObject({ code: 'voucher-used' })
    const unknown = encodeCode({ slot: 9, box: 3, serial: 5 }, testVoucherKeys)
    await expect(box.hotspot.guests.redeem(ben, unknown)).rejects.toMatchObject({ kind: 'input', code: 'package-unknown' })
  })

  it('scanned says itself what it is worth, and is the same voucher as its typed form', async () => {
    withSiblings()
    const qr = encodeQr(otherBox, testVoucherKeys, 'http://box.lan')
    expect(box.hotspot.guests.preview(anna, qr)).toEqual({ kind: 'voucher', label: '30 minutes', seconds: 900, bytes: null, tokens: null, devices: 1 })
    expect(entries()).toHaveLength(0)
    const session = await box.hotspot.guests.redeem(anna, qr)
    expect(session).toMatchObject({ secondsLeft: 900, paid: 42n })
    expect(await box.hotspot.guests.redeem(anna, encodeCode(otherBox, testVoucherKeys))).toMatchObject({ id: session.id })
    const forged = encodeQr(otherBox, strangers, 'http://box.lan')
    await expect(box.hotspot.guests.redeem(ben, forged)).rejects.toMatchObject({ kind: 'input', code: 'bad-code' })
    expect(() => box.hotspot.guests.preview(ben, encodeCode(otherBox, testVoucherKeys))).toThrow(expect.objectContaining({ code: 'bad-code' }))
  })

  it('printed here is worth what was printed, whatever the tariff says now', async () => {
    const { code } = await box.voucher('half-hour')
    box.config = { ...box.config, packages: [{ ...halfHour, seconds: 60, price: 1n }] }
    expect(await box.hotspot.guests.redeem(anna, code)).toMatchObject({ secondsLeft: 1800, paid: 3_000_000n })
  })

  it('without a price earns nothing and works', async () => {
    box.config = { ...box.config, packages: [{ ...halfHour, price: 0n }] }
    expect(await box.hotspot.guests.redeem(anna, (await box.voucher('half-hour')).code)).toMatchObject({ state: 'active', paid: 0n })
    expect(entries()).toHaveLength(0)
  })
})

describe('the last day of a voucher', () => {
  const today = () => Math.floor(box.time.wallMs() / DAY_MS)
  const voucher = async (validUntilDay: number) => {
    const [made] = await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 1, validUntilDay })
    if (made === undefined) throw new Error('none made')
    return made
  }
  const dateCheck = (id: string) =>
    box.store.read((tx) => tx.get<{ c: string }>('SELECT date_check AS c FROM hotspot_voucher WHERE id = ?', id)?.c)

  it('counts while the clock is trusted', async () => {
    box.time.trusted = true
    const [over, last] = [await voucher(today() - 1), await voucher(today())]
    await expect(box.hotspot.guests.redeem(anna, over.code)).rejects.toMatchObject({ kind: 'conflict', code: 'voucher-expired' })
    expect(await box.hotspot.guests.redeem(anna, last.code)).toMatchObject({ state: 'active' })
    expect([dateCheck(over.id), dateCheck(last.id)]).toEqual(['none', 'ok'])
  })

  it('is looked at later when nobody knows the date', async () => {
    const [over, good] = [await voucher(today() - 1), await voucher(today() + 1)]
    expect(await box.hotspot.guests.redeem(anna, over.code)).toMatchObject({ state: 'active' })
    await box.hotspot.guests.redeem(ben, good.code)
    expect([dateCheck(over.id), dateCheck(good.id)]).toEqual(['pending', 'pending'])
    await box.advance(600_000)
    expect(dateCheck(over.id)).toBe('pending')
    box.time.trusted = true
    await box.advance(600_000)
    expect([dateCheck(over.id), dateCheck(good.id)]).toEqual(['late', 'ok'])
    expect(box.hotspot.guests.view(anna).session).toMatchObject({ state: 'active' })
  })
})

describe('guessing', () => {
  it('is slowed down for the device that does it, not for others', async () => {
    const good = await box.voucher('half-hour')
    for (let guess = 0; guess < 5; guess++)
      await expect(box.hotspot.guests.redeem(anna, wrongCode(guess))).rejects.toMatchObject({ kind: 'input', code: 'bad-code' })
    await expect(box.hotspot.guests.redeem(anna, wrongCode(6))).rejects.toMatchObject({ kind: 'limit', code: 'too-many-guesses', retryAfterSeconds: 30 })
    // Not even a right one, so that the answer tells nothing.
    await expect(box.hotspot.guests.redeem(anna, good.code)).rejects.toMatchObject({ code: 'too-many-guesses' })
    expect(await box.hotspot.guests.redeem(ben, good.code)).toMatchObject({ state: 'active' })
    box.time.advance(30_000)
    await expect(box.hotspot.guests.redeem(anna, wrongCode(7))).rejects.toMatchObject({ code: 'bad-code' })
    await expect(box.hotspot.guests.redeem(anna, wrongCode(8))).rejects.toMatchObject({ code: 'too-many-guesses' })
  })

  it('is bounded over all devices; scanned vouchers are not held up by it', async () => {
    withSiblings()
    for (let guess = 0; guess < OVERALL_GUESSES.burst; guess++)
      await expect(box.hotspot.guests.redeem(guest(100 + guess), wrongCode(guess))).rejects.toMatchObject({ code: 'bad-code' })
    const { code } = await box.voucher('half-hour')
    await expect(box.hotspot.guests.redeem(anna, code)).rejects.toMatchObject({ kind: 'limit', code: 'too-many-guesses' })
    expect(await box.hotspot.guests.redeem(anna, encodeQr(otherBox, testVoucherKeys, 'http://box.lan'))).toMatchObject({ state: 'active' })
    box.time.advance(1000 / OVERALL_GUESSES.perSecond)
    expect(await box.hotspot.guests.redeem(anna, code)).toMatchObject({ state: 'active' })
  })

  it('is not what a slip of the finger is: that has a wider limit, and costs nobody else', async () => {
    const { code } = await box.voucher('half-hour')
    const typo = `${code.slice(0, -1)}${code.endsWith('2') ? '3' : '2'}`
    for (let slip = 0; slip < TYPOS.burst; slip++)
      await expect(box.hotspot.guests.redeem(anna, typo)).rejects.toMatchObject({ kind: 'input', code: 'code-typo' })
    await expect(box.hotspot.guests.redeem(anna, typo)).rejects.toMatchObject({ code: 'too-many-guesses' })
    box.time.advance(1000)
    expect(await box.hotspot.guests.redeem(anna, code)).toMatchObject({ state: 'active' })
  })
})

describe('before anything is taken', () => {
  it('the gate must be able to open', async () => {
    const voucher = await box.voucher('half-hour')
    box.gate.preflightFails = true
    await expect(box.hotspot.guests.redeem(anna, voucher.code)).rejects.toMatchObject({ kind: 'unavailable', code: 'gate-failed' })
    expect(box.store.read((tx) => findVoucher(tx, voucher.id))).toMatchObject({ state: 'unused' })
    expect(entries()).toHaveLength(0)
    expect(box.hotspot.owner.sessions({ state: 'all' })).toEqual([])
    box.gate.preflightFails = false
    expect(await box.hotspot.guests.redeem(anna, voucher.code)).toMatchObject({ state: 'active', secondsLeft: 1800 })
  })

  it('there must be room, also when many come at once', async () => {
    box.config = { ...box.config, hotspot: { ...box.config.hotspot, maxSessions: 3 } }
    const vouchers = await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 6 })
    const outcomes = await Promise.allSettled(vouchers.map(({ code }, index) => box.hotspot.guests.redeem(guest(10 + index), code)))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(3)
    for (const outcome of refused) expect(outcome.reason).toMatchObject({ kind: 'limit', code: 'no-room' })
    expect(box.kernel.openMacs()).toHaveLength(3)
    expect(entries()).toHaveLength(3)
    // A pause makes room; coming back needs it.
    await box.hotspot.guests.pause(guest(10))
    expect(await box.hotspot.guests.redeem(guest(15), vouchers[5]?.code ?? '')).toMatchObject({ state: 'active' })
    await expect(box.hotspot.guests.resume(guest(10))).rejects.toMatchObject({ code: 'no-room' })
  })

  it('the disk must take it', async () => {
    const { code, id } = await box.voucher('half-hour')
    const turn = box.store.turn.bind(box.store)
    box.store.turn = () => Promise.reject(new Error('disk full'))
    await expect(box.hotspot.guests.redeem(anna, code)).rejects.toThrow('disk full')
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(box.hotspot.guests.view(anna).session).toBeNull()
    box.store.turn = turn
    expect(box.store.read((tx) => findVoucher(tx, id))).toMatchObject({ state: 'unused' })
    expect(await box.hotspot.guests.redeem(anna, code)).toMatchObject({ state: 'active' })
  })

  it('the device must be known', async () => {
    const { code } = await box.voucher('half-hour')
    for (const mac of ['', 'unknown', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '02:00:00:00:00', `${anna.mac}00`, '02:00:00:00:00:0g'])
      await expect(box.hotspot.guests.redeem({ ...anna, mac }, code)).rejects.toMatchObject({ kind: 'input', field: 'mac' })
    expect(entries()).toHaveLength(0)
    expect(await box.hotspot.guests.redeem({ ...anna, mac: anna.mac.toUpperCase(), ip4: null }, code)).toMatchObject({ devices: [{ mac: anna.mac }] })
  })

  it('the text must be one that could be a code', async () => {
    for (const text of ['', ' ', 'x'.repeat(100_000), '\u0000', '💰💰💰💰💰', 'AAAAA', '../../etc/passwd', `U${'0'.repeat(36)}`, 'http://box.lan/V/AAAA'])
      await expect(box.hotspot.guests.redeem(anna, text)).rejects.toMatchObject({ kind: 'input' })
  })
})

describe('a gate that fails after the voucher was taken', () => {
  it('leaves a credit, and the same code goes on', async () => {
    const { code, id } = await box.voucher('half-hour')
    box.gate.failing = 1
    await expect(box.hotspot.guests.redeem(anna, code)).rejects.toMatchObject({ kind: 'unavailable', code: 'gate-failed' })
    expect(box.hotspot.guests.view(anna).session).toMatchObject({ state: 'credited', secondsLeft: 1800 })
    expect(box.store.read((tx) => findVoucher(tx, id))).toMatchObject({ state: 'used' })
    await box.advance(100_000)
    const session = await box.hotspot.guests.redeem(anna, code)
    expect(session).toMatchObject({ state: 'active', secondsLeft: 1800 })
    expect(entries()).toHaveLength(1)
  })

  it('can be asked again by resuming, or from another device', async () => {
    const { code } = await box.voucher('half-hour')
    box.gate.failing = 2
    await expect(box.hotspot.guests.redeem(anna, code)).rejects.toMatchObject({ code: 'gate-failed' })
    await expect(box.hotspot.guests.resume(anna)).rejects.toMatchObject({ code: 'gate-failed' })
    expect(await box.hotspot.guests.redeem(ben, code)).toMatchObject({ state: 'active', secondsLeft: 1800, devices: [{ mac: ben.mac }] })
  })

  it('is not waited for longer than a guest has patience; when it opens late, the session goes on', async () => {
    const { code } = await box.voucher('half-hour')
    let release = (): void => undefined
    box.gate.hold = new Promise((resolve) => (release = resolve))
    const answer = box.hotspot.guests.redeem(anna, code).catch((thrown: unknown) => thrown)
    await settle()
    await box.advance(GATE_PATIENCE_MS)
    expect(await answer).toMatchObject({ kind: 'unavailable', code: 'gate-failed' })
    expect(box.hotspot.guests.view(anna).session).toMatchObject({ state: 'credited', secondsLeft: 1800 })
    await box.advance(20_000)
    box.gate.hold = null
    release()
    await settle()
    expect(box.hotspot.guests.view(anna).session).toMatchObject({ state: 'active', secondsLeft: 1800 })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    expect(entries()).toHaveLength(1)
  })

  it('and opens for a session that is over by then is shut again', async () => {
    const { code } = await box.voucher('half-hour')
    let release = (): void => undefined
    box.gate.hold = new Promise((resolve) => (release = resolve))
    const answer = box.hotspot.guests.redeem(anna, code).catch((thrown: unknown) => thrown)
    await settle()
    await box.advance(GATE_PATIENCE_MS)
    await answer
    const [credited] = box.hotspot.owner.sessions()
    const ended = box.hotspot.owner.kick(credited?.id ?? '')
    await settle()
    box.gate.hold = null
    release()
    await ended
    await settle()
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
  })

  it('for a second device of a running session leaves the first one online, and the code goes on', async () => {
    const { code } = await box.voucher('day-gib')
    await box.hotspot.guests.redeem(anna, code)
    box.gate.failing = 1
    await expect(box.hotspot.guests.redeem(ben, code)).rejects.toMatchObject({ code: 'gate-failed' })
    expect(box.kernel.openMacs()).toEqual([anna.mac])
    expect(box.hotspot.guests.view(anna).session).toMatchObject({ state: 'active', devices: [{ mac: anna.mac }] })
    await box.advance(1500)
    expect(box.kernel.openMacs()).toEqual([anna.mac])
    expect(await box.hotspot.guests.redeem(ben, code)).toMatchObject({ state: 'active', paid: 9_999_999n })
    expect(box.kernel.openMacs().sort()).toEqual([anna.mac, ben.mac])
  })
})
