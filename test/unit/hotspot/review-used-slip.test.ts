/** A voucher that gave all it was worth opens nothing any more, also where others paid for more. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guest, settle, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const ann = guest(1)
const finder = guest(2)
let box: TestBox
beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

describe('a used-up slip', () => {
  it('that somebody finds does not take over the session it began', async () => {
    const slip = await box.voucher('half-hour')
    await box.hotspot.guests.redeem(ann, slip.code)
    const day = await box.voucher('day-gib')
    const { id } = await box.hotspot.guests.redeem(ann, day.code)
    await box.advance(1_801_000)
    expect(box.hotspot.guests.view(ann).session?.label).toBe('1 day, 1 GiB')
    await expect(box.hotspot.guests.redeem(finder, slip.code)).rejects.toMatchObject({ kind: 'conflict', code: 'voucher-used' })
    expect(box.kernel.isOpen(finder.mac)).toBe(false)
    // Not by way of a link either.
    await box.hotspot.guests.redeem(finder, box.hotspot.guests.view(ann).ticket ?? '')
    await expect(box.hotspot.guests.redeem(finder, slip.code)).rejects.toMatchObject({ code: 'voucher-used' })
    // Its own device is simply shown its session, and what was paid since opens it anywhere.
    expect(await box.hotspot.guests.redeem(ann, slip.code)).toMatchObject({ id })
    expect(await box.hotspot.guests.redeem(guest(3), day.code)).toMatchObject({ id, state: 'active' })
    await settle()
  })
})
