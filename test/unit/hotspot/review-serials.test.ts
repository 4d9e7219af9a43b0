/** Which voucher numbers are printed, and which are taken. */
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_SERIAL, drawSerials, freeSerials } from '../../../src/hotspot/serials.ts'
import { encodeCode, encodeQr } from '../../../src/hotspot/voucher/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { guest, startBox, testVoucherKeys } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const ann = guest(1)
let box: TestBox
afterEach(() => box.dispose())

const terms = { slot: 1, box: 0, serial: 32_767, seconds: 600, bytes: null, tokens: null, devices: 1, downKbps: null, upKbps: null, price: 1n, validUntilDay: null }
const codeOf = (number: { slot: number; box: number; serial: number }): string => encodeCode(number, testVoucherKeys)

describe('numbers that are taken', () => {
  it('refuses a typed number of its own that was never printed, and counts it as a guess', async () => {
    box = await startBox()
    for (let serial = MAX_SERIAL; serial > MAX_SERIAL - 5; serial--)
      await expect(box.hotspot.guests.redeem(ann, codeOf({ slot: 1, box: 0, serial }))).rejects.toMatchObject({ kind: 'input', code: 'bad-code' })
    const { code } = await box.voucher('half-hour')
    await expect(box.hotspot.guests.redeem(ann, code)).rejects.toMatchObject({ code: 'too-many-guesses' })
    expect(await box.hotspot.guests.redeem(guest(2), code)).toMatchObject({ state: 'active' })
  })

  it('takes a scanned one of its own that the table has lost, once', async () => {
    box = await startBox()
    const qr = encodeQr(terms, testVoucherKeys, 'http://box.lan')
    expect(await box.hotspot.guests.redeem(ann, qr)).toMatchObject({ state: 'active', secondsLeft: 600 })
    await box.hotspot.guests.end(ann)
    await expect(box.hotspot.guests.redeem(guest(2), qr)).rejects.toMatchObject({ code: 'voucher-used' })
    expect(await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 1 })).toHaveLength(1)
  })

  it('takes those of other boxes only when they are listed', async () => {
    box = await startBox()
    const typed = codeOf({ slot: 1, box: 2, serial: 5 })
    const scanned = encodeQr({ ...terms, box: 2, serial: 6 }, testVoucherKeys, 'http://other.lan')
    for (const text of [typed, scanned]) await expect(box.hotspot.guests.redeem(ann, text)).rejects.toMatchObject({ code: 'bad-code' })
    expect(() => box.hotspot.guests.preview(ann, scanned)).toThrow(expect.objectContaining({ code: 'bad-code' }))
    box.config = { ...box.config, hotspot: { ...box.config.hotspot, voucherSiblings: [2] } }
    expect(await box.hotspot.guests.redeem(ann, typed)).toMatchObject({ label: '30 minutes' })
    expect(await box.hotspot.guests.redeem(guest(2), scanned)).toMatchObject({ secondsLeft: 600 })
    await expect(box.hotspot.guests.redeem(guest(3), codeOf({ slot: 1, box: 3, serial: 5 }))).rejects.toMatchObject({ code: 'bad-code' })
  })
})

describe('numbers that are printed', () => {
  it('are other ones after the table was set back: few codes are sold twice', async () => {
    const printed = async (seed: number): Promise<string[]> => {
      box = await startBox({ seed })
      const codes = (await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 100 })).map((each) => each.code)
      if (seed === 1) await box.dispose()
      return codes
    }
    const [first, second] = [await printed(1), await printed(2)]
    expect(new Set(first).size).toBe(100)
    expect(second.filter((code) => first.includes(code)).length).toBeLessThan(5)
  })

  it('are drawn from what is free, down to the last, without repeats', async () => {
    box = await startBox()
    const known = Array.from({ length: MAX_SERIAL - 1 }, (_, serial) => serial)
    const free = freeSerials(known)
    expect(free).toEqual([MAX_SERIAL - 1, MAX_SERIAL])
    expect(drawSerials(free, 2, seededRandom(7)).sort()).toEqual(free)
    expect(new Set(drawSerials(freeSerials([]), MAX_SERIAL + 1, seededRandom(8))).size).toBe(MAX_SERIAL + 1)
  })
})
