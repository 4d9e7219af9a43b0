/** What a receipt and a sheet say about money, and what a receipt costs. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rememberingSigner } from '../../../src/hotspot/receipts.ts'
import { guest, makeBox, startBox, testSigner } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const ann = guest(1)
let box: TestBox
beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

describe('a receipt', () => {
  it('names the money that was paid, whatever the box is set to later, also after a restart', async () => {
    await box.hotspot.guests.redeem(ann, (await box.voucher('half-hour')).code)
    expect(box.hotspot.guests.receipt(ann)).toContain('Token: MBX, 6 decimals\nPrice: 3 MBX\n')
    await box.hotspot.guests.end(ann)
    await box.hotspot.stop()
    const { folder, store, time, kernel } = box
    const again = makeBox({ folder, store, time, kernel, seed: 2, changes: { config: { token: { symbol: 'XYZ', decimals: 2 } } } })
    await again.hotspot.start()
    expect(again.hotspot.guests.receipt(ann)).toContain('Token: MBX, 6 decimals\nPrice: 3 MBX\n')
    await again.hotspot.stop()
  })

  it('is signed once for as long as it says the same, and few are remembered', () => {
    let signed = 0
    const signer = rememberingSigner({ address: testSigner.address, signText: (text) => (signed++, testSigner.signText(text)) }, 2)
    for (const text of ['a', 'a', 'b', 'a', 'b']) expect(signer.signText(text)).toEqual(testSigner.signText(text))
    expect(signed).toBe(2)
    for (const text of ['c', 'b', 'a']) signer.signText(text)
    expect(signed).toBe(4)
  })
})

describe('a sheet', () => {
  it('says what each voucher costs', async () => {
    const [voucher] = await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 1 })
    let sheet: string | null = null
    void Promise.resolve(box.hotspot.owner.voucherSheet(voucher?.batch ?? '')).then((text) => {
      sheet = text
    })
    while (sheet === null) await box.advance(1)
    expect(sheet).toContain('3 MBX')
  })
})
