/** The kernel's lease is charged even while a guest keeps his session's lane busy. */
import { afterEach, describe, expect, it } from 'vitest'
import { guest, halfHour, settle, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

let box: TestBox
afterEach(() => box.dispose())

describe('renewals of a busy session', () => {
  it('are charged: a guest who redeems his own code at each renewal gets no minute more', async () => {
    box = await startBox({ changes: { config: { packages: [{ ...halfHour, seconds: 300 }] } } })
    const { code } = await box.voucher('half-hour')
    const ann = guest(1)
    await box.hotspot.guests.redeem(ann, code)
    let onlineSeconds = 0
    for (let second = 0; second < 600; second++) {
      // The renewal finds the lane taken: the forms were sent just before it.
      const forms = second % 20 === 19 ? Array.from({ length: 12 }, () => box.hotspot.guests.redeem(ann, code).catch(() => null)) : []
      box.time.advance(1000)
      if (box.kernel.isOpen(ann.mac)) onlineSeconds++
      await settle(4)
      await Promise.all(forms)
    }
    expect(onlineSeconds).toBeLessThanOrEqual(300)
    expect(onlineSeconds).toBeGreaterThan(295)
    expect(box.hotspot.guests.view(ann).session?.secondsUsed).toBe(300)
  })
})
