/** Bytes: who is charged, how often the kernel is asked, and what a quota means to the kernel. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guest, settle, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const MIB = 1_048_576
const anna = guest(1)
const ben = guest(2)
let box: TestBox

beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

const redeem = async (client: typeof anna, packageId: string) => box.hotspot.guests.redeem(client, (await box.voucher(packageId)).code)
const session = (id: string) => box.hotspot.owner.sessions({ state: 'all' }).find((each) => each.id === id)

/** Readings of the counters while `ms` pass. */
async function readings(ms: number): Promise<number> {
  let count = 0
  const counters = box.gate.counters.bind(box.gate)
  box.gate.counters = () => {
    count++
    return counters()
  }
  await box.advance(ms)
  box.gate.counters = counters
  return count
}

describe('bytes', () => {
  it('of all devices of a session are charged together', async () => {
    const { code } = await box.voucher('hundred-mib')
    const { id } = await box.hotspot.guests.redeem(anna, code)
    await box.hotspot.guests.redeem(ben, code)
    box.kernel.traffic(anna.mac, MIB, 10 * MIB)
    box.kernel.traffic(ben.mac, 0, 9 * MIB)
    await box.advance(2000)
    expect(session(id)).toMatchObject({ upBytes: MIB, downBytes: 19 * MIB, bytesLeft: 80 * MIB })
    expect(box.kernel.traffic(ben.mac, 0, 80 * MIB)).toBe(true)
    expect(box.kernel.traffic(anna.mac, 1, 0)).toBe(false)
    await box.advance(2000)
    expect(session(id)).toMatchObject({ state: 'ended', endReason: 'bytes-used' })
  })

  it('that passed before a device joined are not charged to the session it joins', async () => {
    const first = await redeem(anna, 'half-hour')
    box.kernel.traffic(anna.mac, 7 * MIB, 0)
    await box.hotspot.guests.end(anna)
    expect(session(first.id)).toMatchObject({ upBytes: 7 * MIB })
    const second = await redeem(anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, MIB, 0)
    await box.advance(2000)
    expect(session(second.id)).toMatchObject({ upBytes: MIB, bytesLeft: 99 * MIB })
  })

  it('count on over pause, eviction and coming back', async () => {
    const { code } = await box.voucher('day-gib')
    const { id } = await box.hotspot.guests.redeem(anna, code)
    box.kernel.traffic(anna.mac, 100, 0)
    await box.hotspot.guests.pause(anna)
    await box.hotspot.guests.resume(anna)
    box.kernel.traffic(anna.mac, 20, 0)
    for (const n of [2, 3, 4]) await box.hotspot.guests.redeem(guest(n), code)
    await box.hotspot.guests.redeem(anna, code)
    box.kernel.traffic(anna.mac, 3, 0)
    await box.advance(2000)
    expect(session(id)?.upBytes).toBeLessThanOrEqual(123)
    expect(session(id)?.upBytes).toBeGreaterThanOrEqual(103)
  })

  it('are told to the kernel with what was used, so that a renewal gives nothing away', async () => {
    const { id } = await redeem(anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 0, 99 * MIB)
    await box.advance(2000)
    await box.hotspot.owner.extend(id, { bytes: 5 * MIB })
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ quotaBytes: 6 * MIB, usedBytes: 99 * MIB })
    // Traffic that the books have not seen yet does not come back with a renewed lease.
    box.kernel.traffic(anna.mac, 0, 6 * MIB)
    box.gate.counters = () => Promise.reject(new Error('not now'))
    await box.advance(60_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
  })

  it('used up to the last packet end the session when the kernel says so', async () => {
    const { id } = await redeem(anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 0, 100 * MIB - 1000)
    box.hotspot.onSpent(id)
    await settle()
    expect(session(id)).toMatchObject({ state: 'ended', endReason: 'bytes-used', bytesLeft: 0, downBytes: 100 * MIB - 1000 })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
  })

  it('bought at the moment when the kernel says they are used up are not lost', async () => {
    const { id } = await redeem(anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 0, 100 * MIB)
    const extended = box.hotspot.owner.extend(id, { bytes: 50 * MIB })
    box.hotspot.onSpent(id)
    box.hotspot.onSpent('00000000ffffffff')
    await extended
    await settle()
    expect(session(id)).toMatchObject({ state: 'active', bytesLeft: 50 * MIB })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
  })

  it('that passed unseen while a device was replaced are the session\'s all the same', async () => {
    const { code } = await box.voucher('hundred-mib')
    const { id } = await box.hotspot.guests.redeem(anna, code)
    await box.hotspot.guests.redeem(ben, code)
    box.kernel.traffic(anna.mac, 0, 60 * MIB)
    await box.hotspot.guests.redeem(guest(3), code) // anna gives way, her last bytes not read yet
    box.kernel.traffic(ben.mac, 0, 40 * MIB)
    expect(box.kernel.isOpen(ben.mac)).toBe(false)
    box.hotspot.onSpent(id)
    await settle()
    expect(session(id)).toMatchObject({ state: 'ended', endReason: 'bytes-used', bytesLeft: 0 })
  })

  it('beyond what a gate takes are not limited, and rates are kept within its bounds', async () => {
    box.config = { ...box.config, packages: [{ ...box.config.packages[1]!, bytes: 2 ** 52, downKbps: 1, upKbps: 4_000_000_000 }] }
    await redeem(anna, 'hundred-mib')
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ quotaBytes: null, downKbps: 8, upKbps: 10_000_000 })
  })
})

describe('the counters', () => {
  it('are read every 2 s only while it matters', async () => {
    expect(await readings(60_000)).toBe(0)
    await redeem(anna, 'half-hour')
    await box.advance(31_000)
    expect(await readings(60_000)).toBeLessThanOrEqual(3)
    box.hotspot.guests.view(anna)
    expect(await readings(10_000)).toBeGreaterThanOrEqual(4)
    await box.advance(10_000)
    await redeem(ben, 'hundred-mib')
    expect(await readings(20_000)).toBe(10)
  })

  it('that cannot be read leave the books as they are', async () => {
    const { id } = await redeem(anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 5, 5)
    await box.advance(2000)
    const counters = box.gate.counters.bind(box.gate)
    box.gate.counters = () => Promise.reject(new Error('no answer'))
    box.kernel.traffic(anna.mac, 5, 5)
    await box.advance(10_000)
    expect(session(id)).toMatchObject({ state: 'active', upBytes: 5 })
    expect(await box.hotspot.guests.pause(anna)).toMatchObject({ state: 'paused' })
    box.gate.counters = counters
    expect(await box.hotspot.guests.resume(anna)).toMatchObject({ state: 'active' })
    await box.advance(2000)
    expect(session(id)).toMatchObject({ upBytes: 10, downBytes: 10 })
  })
})
