/** A guest buys time: from the code to the end, as portal and kernel see it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guest, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const anna = guest(1)
const ben = guest(2)
let box: TestBox

beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

describe('a voucher', () => {
  it('opens the gate, counts down, and closes to the second', async () => {
    const { code } = await box.voucher('half-hour')
    const session = await box.hotspot.guests.redeem(anna, code)
    expect(session).toMatchObject({ state: 'active', secondsLeft: 1800, paid: 3_000_000n, source: 'voucher', devices: [{ mac: anna.mac, ip4: anna.ip4 }] })
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ sessionId: session.id, downKbps: 4000, upKbps: 1000, quotaBytes: null })

    await box.advance(1_799_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    expect(box.hotspot.guests.view(anna).session).toMatchObject({ state: 'active', secondsLeft: 1, secondsUsed: 1799 })

    await box.advance(1_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(box.hotspot.guests.view(anna)).toMatchObject({ session: { state: 'ended', endReason: 'time-used', secondsLeft: 0, secondsUsed: 1800 }, ticket: null })
  })

  it('gives one session and one earning, however often and at once it is used by the same device', async () => {
    const { code } = await box.voucher('half-hour')
    const sessions = await Promise.all([1, 2, 3, 4].map(() => box.hotspot.guests.redeem(anna, code)))
    expect(new Set(sessions.map((session) => session.id)).size).toBe(1)
    expect(sessions[3]).toMatchObject({ secondsLeft: 1800, paid: 3_000_000n })
    expect(box.store.read((tx) => box.ledger.entries(tx, { limit: 10 }))).toHaveLength(1)
    await expect(box.hotspot.guests.redeem(ben, 'AAAAA-AAAAA')).rejects.toMatchObject({ kind: 'input' })
  })
})
