/** Pausing on a slow disk, and while the session waits for its gate after a restart. */
import { PAUSES } from '../../../src/hotspot/guest-desk.ts'
import { afterEach, describe, expect, it } from 'vitest'
import { guest, makeBox, settle, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const ann = guest(1)
let box: TestBox
afterEach(() => box.dispose())

describe('a pause', () => {
  it('is charged until the gate is told, however long the disk took', async () => {
    box = await startBox()
    const { store, time } = box
    await box.hotspot.guests.redeem(ann, (await box.voucher('half-hour')).code)
    const turn = store.turn.bind(store)
    let write = (): void => undefined
    const disk = new Promise<void>((resolve) => {
      write = resolve
    })
    store.turn = async (work) => {
      await disk
      return turn(work)
    }
    const paused = box.hotspot.guests.pause(ann)
    await settle()
    time.advance(3000)
    expect(box.kernel.isOpen(ann.mac)).toBe(true)
    write()
    expect(await paused).toMatchObject({ state: 'paused', secondsUsed: 3, secondsLeft: 1797 })
    store.turn = turn
    await box.hotspot.stop()
    const again = makeBox({ folder: box.folder, store, time, kernel: box.kernel, seed: 2 })
    await again.hotspot.start()
    expect(again.hotspot.guests.view(ann).session).toMatchObject({ state: 'paused', secondsUsed: 3 })
    await again.hotspot.stop()
  })

  it('sticks while the session waits to be opened after a restart', async () => {
    box = await startBox()
    await box.hotspot.guests.redeem(ann, (await box.voucher('half-hour')).code)
    await box.hotspot.stop()
    const { folder, store, time, kernel } = box
    const again = makeBox({ folder, store, time, kernel, seed: 2 })
    again.gate.failing = 1
    await again.hotspot.start()
    expect(again.hotspot.guests.view(ann).session).toMatchObject({ state: 'paused', pauseReason: 'restart' })
    expect(await again.hotspot.guests.pause(ann)).toMatchObject({ state: 'paused', pauseReason: 'guest' })
    await again.advance(5000)
    expect(again.hotspot.guests.view(ann).session).toMatchObject({ state: 'paused', pauseReason: 'guest' })
    expect(await again.hotspot.guests.resume(ann)).toMatchObject({ state: 'active' })
    await again.hotspot.stop()
  })

  it('can be asked for often, but not without end', async () => {
    box = await startBox()
    const { guests } = box.hotspot
    await guests.redeem(ann, (await box.voucher('half-hour')).code)
    for (let i = 0; i < PAUSES.burst; i++) {
      expect(await guests.pause(ann)).toMatchObject({ state: 'paused' })
      expect(await guests.resume(ann)).toMatchObject({ state: 'active' })
    }
    await expect(guests.pause(ann)).rejects.toMatchObject({ kind: 'limit', code: 'too-many-pauses' })
    expect(guests.view(ann).session).toMatchObject({ state: 'active' })
    box.time.advance(1000 / PAUSES.perSecond)
    await settle()
    expect(await guests.pause(ann)).toMatchObject({ state: 'paused' })
    expect(await guests.pause(ann)).toMatchObject({ state: 'paused' }) // once more is no new pause
  })
})
