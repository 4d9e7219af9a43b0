/** A code worth tokens, from the slip to the channel: real hotspot, store and ledger; the channel on paper. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, toHex } from '../../../src/base/index.ts'
import type { GuestConsent, OpeningTerms, TopUpAnswer } from '../../../src/hotspot/index.ts'
import { encodeQr } from '../../../src/hotspot/voucher/index.ts'
import { hotspotMigrations } from '../../../src/hotspot/index.ts'
import { ledgerMigrations } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { GuestFunding } from '../../../src/main/guest-funding.ts'
import { openConsentDigest } from '../../../src/photon/contracts/orders.ts'
import { streamSigner } from '../../../src/web/stream/index.ts'
import { guest, halfHour, settle, startBox, testVoucherKeys, type TestBox } from '../../support/hotspot-box.ts'
import { DOMAIN, PaperSide, TOKEN } from './paper-side.ts'

const ANNA = streamSigner(new Uint8Array(32).fill(7))
const BEN = streamSigner(new Uint8Array(32).fill(8))
const phone = guest(1)
const WORTH = 20_000_000n
const PRICE = 18_000_000n
const tenTokens = { ...halfHour, id: 'tokens', slot: 5, label: 'Twenty tokens', seconds: null, tokens: WORTH, price: PRICE }

let box: TestBox
let side: PaperSide
let funding: GuestFunding
let code: string

function newFunding(): GuestFunding {
  const made = new GuestFunding({ side, desk: side.photon.desk, keccak: keccak_256, news: box.hotspot.topUps, token: TOKEN, settleTimeout: 600, timers: box.time, log: silentLog })
  made.start()
  box.hotspot.topUps.connect(made)
  return made
}
/** Timers, and what they began. */
async function pass(ms: number): Promise<void> {
  await box.advance(ms)
  await funding.quiet()
  await settle()
}
function signed(terms: OpeningTerms, by = ANNA): GuestConsent {
  const digest = openConsentDigest(keccak_256, DOMAIN, { ...terms, channel: terms.channel as `0x${string}`, participant: ANNA.address })
  return { ...terms, amount: terms.amount.toString(), epoch: terms.epoch.toString(), signature: toHex(by.sign(digest)).replace(/^(0x)?/, '0x') }
}
const topUp = (consent: GuestConsent | null = null, payer: string = ANNA.address): Promise<TopUpAnswer> => box.hotspot.guests.topUp(phone, code, payer, consent)
const voucherState = (): string => box.hotspot.owner.vouchers()[0]?.state ?? ''
const ledgerOf = (account: string): bigint => box.store.read((tx) => box.ledger.balance(tx, account, 'MBX'))

beforeEach(async () => {
  box = await startBox({ changes: { config: { packages: [halfHour, tenTokens] } } })
  side = new PaperSide()
  funding = newFunding()
  code = (await box.voucher('tokens')).code
})
afterEach(async () => {
  await funding.stop()
  await box.dispose()
})

describe('a code worth tokens', () => {
  it('first asks for a signature, using nothing; then it is used, booked, and opens the channel', async () => {
    const asked = await topUp()
    expect(asked).toMatchObject({ state: 'unsigned', amount: WORTH, consent: { channel: side.channelOf(ANNA.address), amount: WORTH, settleTimeout: 600, epoch: 1n } })
    expect(voucherState()).toBe('unused')
    if (asked.consent === null) throw new Error('nothing to sign')
    expect(await topUp(signed(asked.consent))).toEqual({ state: 'promised', amount: WORTH, consent: null })
    expect(voucherState()).toBe('used')
    expect([ledgerOf('cash:vouchers'), ledgerOf('top-up:difference'), ledgerOf('purse:channels')].map(String)).toEqual([PRICE, WORTH - PRICE, -WORTH].map(String))
    await pass(6000)
    expect(side.opened).toHaveLength(1)
    expect(side.opened[0]).toMatchObject({ payer: ANNA.address, token: TOKEN, amount: WORTH, epoch: 1n })
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(WORTH)
    side.confirm(WORTH)
    await pass(6000)
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(0n)
    expect(await topUp()).toEqual({ state: 'funded', amount: WORTH, consent: null })
    expect(side.opened).toHaveLength(1)
    expect(side.funded).toEqual([])
    expect(box.store.read((tx) => box.ledger.audit(tx)).every(({ sum, unbalancedEntries }) => sum === 0n && unbalancedEntries.length === 0)).toBe(true)
  })
  it('signed and sent twice at the same moment is one deposit', async () => {
    const { consent } = await topUp()
    if (consent === null) throw new Error('nothing to sign')
    const both = await Promise.all([topUp(signed(consent)), topUp(signed(consent))])
    expect(both.map(({ state }) => state)).toEqual(['promised', 'promised'])
    await pass(6000)
    side.confirm(WORTH)
    for (let look = 0; look < 20; look++) await pass(6000)
    expect([side.opened.length, side.funded]).toEqual([1, []])
    expect(await topUp()).toMatchObject({ state: 'funded' })
  })
  it('goes into a channel that is open, without a signature; used again by anybody else it is used', async () => {
    side.channelState = 'open'
    side.deposit = 5n
    expect(await topUp()).toMatchObject({ state: 'promised' })
    expect(await topUp()).toMatchObject({ amount: WORTH })
    await pass(6000)
    expect(side.funded).toEqual([WORTH])
    await expect(topUp(null, BEN.address)).rejects.toMatchObject({ kind: 'conflict', code: 'voucher-used' })
    await expect(box.hotspot.guests.redeem(phone, code)).rejects.toMatchObject({ kind: 'conflict' })
    expect(await box.hotspot.owner.revokeVouchers({ code })).toEqual({ revoked: 0 })
  })
  it('is for two at the same moment only one’s', async () => {
    side.channelState = 'open'
    const outcomes = await Promise.allSettled([topUp(), topUp(null, BEN.address), topUp()])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(box.hotspot.topUps.promisedTo(BEN.address)).toBe(0n)
  })
  it.each(['somebody else’s signature', 'another amount', 'another epoch', 'an old block'])('is not used up by a consent with %s', async (what) => {
    const { consent } = await topUp()
    if (consent === null) throw new Error('nothing to sign')
    const wrong: Record<string, () => GuestConsent> = {
      'somebody else’s signature': () => signed(consent, BEN),
      'another amount': () => signed({ ...consent, amount: 1n }),
      'another epoch': () => signed({ ...consent, epoch: 9n }),
      'an old block': () => signed({ ...consent, validUntil: 900 }),
    }
    await expect(topUp(wrong[what]?.() ?? null)).rejects.toMatchObject({ code: what.startsWith('somebody') ? 'bad-signature' : 'offer-old' })
    expect(voucherState()).toBe('unused')
    expect(ledgerOf('cash:vouchers')).toBe(0n)
  })
  it('is no code for time, and a code for time is none for tokens', async () => {
    await expect(box.hotspot.guests.redeem(phone, code)).rejects.toMatchObject({ code: 'token-code' })
    const time = await box.voucher('half-hour')
    await expect(box.hotspot.guests.topUp(phone, time.code, ANNA.address, null)).rejects.toMatchObject({ code: 'not-tokens' })
    expect(box.hotspot.owner.vouchers().map(({ state }) => state)).toEqual(['unused', 'unused'])
    expect(await box.hotspot.guests.redeem(phone, time.code)).toMatchObject({ state: 'active' })
  })
  it('shows what it is worth when it is scanned, and is taken in that form too', async () => {
    side.channelState = 'open'
    const [row] = box.hotspot.owner.vouchers()
    if (row === undefined) throw new Error('no voucher')
    code = encodeQr(row.terms, testVoucherKeys, 'http://box.lan')
    expect(box.hotspot.guests.preview(phone, code)).toMatchObject({ label: 'Twenty tokens', tokens: WORTH, seconds: null })
    expect(await topUp()).toMatchObject({ state: 'promised', amount: WORTH })
  })
  it('of another box is refused, for that box holds the cash', async () => {
    box.config = { ...box.config, hotspot: { ...box.config.hotspot, voucherSiblings: [2] } }
    const [row] = box.hotspot.owner.vouchers()
    if (row === undefined) throw new Error('no voucher')
    code = encodeQr({ ...row.terms, box: 2 }, testVoucherKeys, 'http://box.lan')
    await expect(topUp()).rejects.toMatchObject({ code: 'bad-code' })
  })
  it('stays good while there are no channels, is taken back by the owner, and counts as a guess when it is wrong', async () => {
    box.hotspot.topUps.connect(null)
    await expect(topUp()).rejects.toMatchObject({ kind: 'unavailable', code: 'no-streams' })
    expect(voucherState()).toBe('unused')
    await box.hotspot.owner.revokeVouchers({ code })
    await expect(topUp()).rejects.toMatchObject({ code: 'voucher-revoked' })
    code = 'ABCDE-FGHJK'
    await expect(topUp()).rejects.toMatchObject({ kind: 'input' })
    await expect(topUp(null, '0xAB')).rejects.toMatchObject({ kind: 'input', field: 'address' })
  })
})

describe('a deposit', () => {
  it('is ordered once, although the process died after the order was written down or after it was placed', async () => {
    side.channelState = 'open'
    side.isBroken = true
    await topUp()
    await funding.quiet()
    expect(side.funded).toEqual([])
    // Killed between the note and the order: it is ordered again, once, whatever the guest has put in himself meanwhile.
    await funding.stop()
    side.deposit += 2n * WORTH
    funding = newFunding()
    await pass(120_000)
    expect(side.funded).toEqual([WORTH])
    // Killed after the order: it is on its way.
    await funding.stop()
    funding = newFunding()
    await pass(300_000)
    expect(side.funded).toEqual([WORTH])
    side.confirm(WORTH)
    await pass(6000)
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(0n)
  })
  it('that got into the chain while the box was off is not made again', async () => {
    side.channelState = 'open'
    await topUp()
    await pass(6000)
    await funding.stop()
    side.confirm(WORTH)
    await box.hotspot.stop()
    box = await startBox({ folder: box.folder, store: box.store, time: box.time, kernel: box.kernel, changes: { config: { packages: [halfHour, tenTokens] } } })
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(WORTH)
    funding = newFunding()
    await pass(300_000)
    expect(side.funded).toEqual([WORTH])
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(0n)
  })
  it('that failed is ordered again under another name, whatever the guest has put in himself meanwhile', async () => {
    side.channelState = 'open'
    await topUp()
    await pass(6000)
    side.deposit += 2n * WORTH
    side.end('failed')
    side.status = { ...side.status, head: 1020 }
    await pass(12_000)
    expect(side.funded).toEqual([WORTH, WORTH])
    expect(new Set(side.placed.values())).toEqual(new Set(['failed', 'waiting']))
    side.confirm(WORTH)
    await pass(12_000)
    expect(await topUp()).toMatchObject({ state: 'funded' })
  })
  it('that nobody remembers is ordered again only when the chain is in view, and surely has it not', async () => {
    side.channelState = 'open'
    await topUp()
    await pass(6000)
    side.duties = []
    side.placed.clear()
    side.status = { ...side.status, head: 9000, state: 'offline' }
    await pass(600_000)
    expect(side.funded).toEqual([WORTH])
    side.status = { ...side.status, state: 'ready' }
    await pass(12_000)
    expect(side.funded).toEqual([WORTH, WORTH])
    side.placed.clear()
    side.deposit += WORTH
    side.duties = []
    side.status = { ...side.status, head: 19_000 }
    await pass(12_000)
    expect(await topUp()).toMatchObject({ state: 'funded' })
    expect(side.funded).toEqual([WORTH, WORTH])
  })
  it('that waited long and then failed is ordered again, whatever the guest has put in himself meanwhile', async () => {
    side.channelState = 'open'
    await topUp()
    await pass(6000)
    side.status = { ...side.status, head: 9000 }
    side.deposit += 2n * WORTH
    await pass(6000)
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(WORTH)
    side.end('failed')
    await pass(12_000)
    expect(side.funded).toEqual([WORTH, WORTH])
  })
  it('whose receipt nobody has seen is not ordered again', async () => {
    side.channelState = 'open'
    await topUp()
    await pass(6000)
    side.end('unseen')
    await pass(600_000)
    expect([side.funded, box.hotspot.topUps.promisedTo(ANNA.address)]).toEqual([[WORTH], WORTH])
    side.deposit += WORTH
    await pass(6000)
    expect([side.funded, box.hotspot.topUps.promisedTo(ANNA.address)]).toEqual([[WORTH], 0n])
  })
  it('that is promised is in a backup made while the box runs, and kept by the box that is put back from it', async () => {
    side.channelState = 'open'
    await topUp()
    const copy = join(box.folder, 'copy.db')
    await box.store.backup(copy)
    const restored = await startBox({ store: openStore({ path: copy, migrations: [...ledgerMigrations, ...hotspotMigrations], log: silentLog }), folder: mkdtempSync(join(tmpdir(), 'meshbox-put-back-')), changes: { config: { packages: [halfHour, tenTokens] } } })
    try {
      expect(restored.hotspot.topUps.promisedTo(ANNA.address)).toBe(WORTH)
      await expect(restored.hotspot.guests.topUp(phone, code, BEN.address, null)).rejects.toMatchObject({ code: 'voucher-used' })
      expect(restored.store.read((tx) => restored.ledger.balance(tx, 'purse:channels', 'MBX'))).toBe(-WORTH)
    } finally {
      await restored.dispose()
    }
  })
  it('waits for the one before it of the same guest', async () => {
    side.channelState = 'open'
    await topUp()
    await pass(6000)
    code = (await box.voucher('tokens')).code
    await topUp()
    await pass(60_000)
    expect(side.funded).toEqual([WORTH])
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(2n * WORTH)
    side.confirm(WORTH)
    await pass(12_000)
    expect(side.funded).toEqual([WORTH, WORTH])
    side.confirm(WORTH)
    await pass(12_000)
    expect(box.hotspot.topUps.promisedTo(ANNA.address)).toBe(0n)
  })
  it('of one guest does not wait for another’s, of whom the chain cannot say anything now', async () => {
    const { consent } = await topUp()
    if (consent === null) throw new Error('nothing to sign')
    await topUp(signed(consent))
    code = (await box.voucher('tokens')).code
    side.channelState = 'open'
    await topUp(null, BEN.address)
    side.unknown.add(ANNA.address)
    await pass(60_000)
    expect(side.funded).toEqual([WORTH])
  })
  it('whose signature became too old is asked for again with the same code', async () => {
    const { consent } = await topUp()
    if (consent === null) throw new Error('nothing to sign')
    side.isBroken = true
    await topUp(signed(consent))
    await funding.quiet()
    side.status = { ...side.status, head: 9000 }
    await pass(120_000)
    expect(side.opened).toEqual([])
    const again = await topUp()
    expect(again.state).toBe('unsigned')
    if (again.consent === null) throw new Error('nothing to sign')
    expect(await topUp(signed(again.consent))).toMatchObject({ state: 'promised' })
    await pass(6000)
    expect(side.opened).toHaveLength(1)
    expect(ledgerOf('purse:channels')).toBe(-WORTH)
  })
})
