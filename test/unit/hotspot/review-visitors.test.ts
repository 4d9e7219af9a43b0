/** Whoever came into a session by another device's link is a visitor: he neither loses what he brings nor takes what he finds. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guest, makeBox, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const ann = guest(1)
const ben = guest(2)
let box: TestBox
beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

/** Ann's voucher, and Ben in her session by the link she shows. */
async function benVisitsAnn(packageId: string): Promise<string> {
  const { code } = await box.voucher(packageId)
  await box.hotspot.guests.redeem(ann, code)
  await box.hotspot.guests.redeem(ben, box.hotspot.guests.view(ann).ticket ?? '')
  return code
}

describe('a visitor', () => {
  it('who redeems his own voucher leaves and has a session of his own', async () => {
    const annsCode = await benVisitsAnn('half-hour')
    const { code } = await box.voucher('day-gib')
    const bens = await box.hotspot.guests.redeem(ben, code)
    expect(bens).toMatchObject({ state: 'active', label: '1 day, 1 GiB', devices: [{ mac: ben.mac }] })
    const anns = await box.hotspot.guests.redeem(ann, annsCode)
    expect(anns).toMatchObject({ state: 'active', label: '30 minutes', devices: [{ mac: ann.mac }] })
    expect(anns.id).not.toBe(bens.id)
    await box.hotspot.guests.end(ann)
    expect(box.hotspot.guests.view(ben).session).toMatchObject({ id: bens.id, state: 'active' })
    expect(box.kernel.grantOf(ben.mac)?.sessionId).toBe(bens.id)
  })

  it('only leaves when he ends', async () => {
    const code = await benVisitsAnn('hundred-mib')
    await box.hotspot.guests.end(ben)
    expect(box.hotspot.guests.view(ben).session).toBeNull()
    expect(box.kernel.isOpen(ben.mac)).toBe(false)
    expect(box.hotspot.guests.view(ann).session).toMatchObject({ state: 'active', devices: [{ mac: ann.mac }] })
    expect(await box.hotspot.guests.redeem(ann, code)).toMatchObject({ state: 'active' })
  })

  it('who is alone leaves the rest to the bearer when he ends', async () => {
    const code = await benVisitsAnn('half-hour') // one device: Ann's gave its place
    expect(await box.hotspot.guests.end(ben)).toMatchObject({ state: 'paused', devices: [] })
    expect(await box.hotspot.guests.redeem(ann, code)).toMatchObject({ state: 'active', devices: [{ mac: ann.mac }] })
  })

  it('ends a session that nobody else can come back to', async () => {
    await box.hotspot.guests.startTrial(ann)
    await box.hotspot.guests.redeem(ben, box.hotspot.guests.view(ann).ticket ?? '')
    expect(await box.hotspot.guests.end(ben)).toMatchObject({ state: 'ended', endReason: 'ended-by-guest' })
  })

  it.each(['pause', 'resume'] as const)('may not %s beside a device of the bearer', async (verb) => {
    await benVisitsAnn('hundred-mib')
    if (verb === 'resume') await box.hotspot.guests.pause(ann)
    await expect(box.hotspot.guests[verb](ben)).rejects.toMatchObject({ kind: 'conflict', code: 'visitor' })
    expect(box.hotspot.guests.view(ann).session?.state).toBe(verb === 'pause' ? 'active' : 'paused')
  })

  it('may pause and resume while he is alone', async () => {
    await benVisitsAnn('half-hour')
    expect((await box.hotspot.guests.pause(ben)).state).toBe('paused')
    expect((await box.hotspot.guests.resume(ben)).state).toBe('active')
  })

  it('cannot put the session under his key', async () => {
    await benVisitsAnn('hundred-mib')
    await expect(box.hotspot.guests.keepWithKey(ben, '0x000000000000000000000000000000000000dEaD')).rejects.toMatchObject({ code: 'visitor' })
  })

  it('is none any longer once he shows the voucher', async () => {
    const code = await benVisitsAnn('hundred-mib')
    await box.hotspot.guests.redeem(ben, code)
    expect((await box.hotspot.guests.pause(ben)).state).toBe('paused')
  })

  it('is still one after a restart', async () => {
    await benVisitsAnn('hundred-mib')
    await box.hotspot.stop()
    const { folder, store, time, kernel } = box
    const again = makeBox({ folder, store, time, kernel, seed: 2 })
    await again.hotspot.start()
    await expect(again.hotspot.guests.pause(ben)).rejects.toMatchObject({ code: 'visitor' })
    await again.hotspot.stop()
  })
})
