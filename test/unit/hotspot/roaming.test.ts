/** Sessions that walk, at the hotspot: what the seller's side and the holder's side do with gate, time and disk. The talk of boxes is mesh/roaming's. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RoamGuide, VisitJournal, WalkingSession } from '../../../src/hotspot/index.ts'
import { guest, makeBox, makeKeys, startBox, testSigner } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'
import { toChecksumAddress } from '../../../src/identity/index.ts'
import { encodeCode } from '../../../src/hotspot/voucher/index.ts'

const anna = guest(1)
const mac = anna.mac ?? ''
const NEXT_DOOR = '0x000000000000000000000000000000000000b0b0'
const NOTHING = { seconds: 0, bytes: 0n }
let box: TestBox

beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

const roaming = () => box.hotspot.roaming
const shown = () => box.hotspot.guests.view(anna)
/** A half hour, and five minutes of it used. */
async function bought(): Promise<string> {
  const { code } = await box.voucher('half-hour')
  const { id } = await box.hotspot.guests.redeem(anna, code)
  await box.advance(300_000)
  return id
}
const guide = (over: Partial<RoamGuide> = {}): RoamGuide => ({ seek: () => Promise.resolve(false), sight: () => null, nameOf: () => null, kept: () => Promise.resolve([]), showKey: () => Promise.resolve(false), ...over })
const visitor = (over: Partial<WalkingSession> = {}): WalkingSession => ({
  seller: NEXT_DOOR,
  sessionId: 's-7',
  mac,
  bearerHash: `0x${'11'.repeat(32)}`,
  leftSeconds: 900,
  leftBytes: null,
  unitsPerMinute: 0n,
  token: null,
  counter: 1,
  holder: testSigner.address,
  proofAfterSeconds: null,
  ...over,
})

describe('a session of this box that is used elsewhere', () => {
  it('is found by its device with what is left, and stands still here from then on', async () => {
    const id = await bought()
    expect(roaming().find({ mac })).toMatchObject({ sessionId: id, leftSeconds: 1500, leftBytes: null, counter: 0 })
    expect(await roaming().handOver(id, NEXT_DOOR, 1)).toMatchObject({ leftSeconds: 1500, counter: 1, holder: NEXT_DOOR })
    expect(box.kernel.isOpen(mac)).toBe(false)
    await box.advance(120_000)
    expect(shown().session).toMatchObject({ state: 'paused', pauseReason: 'away', secondsLeft: 1500 })
  })

  it('comes back less what was used there, however often it is said; a figure that was too high is given back', async () => {
    const id = await bought()
    await roaming().handOver(id, NEXT_DOOR, 1)
    await roaming().handOver(id, NEXT_DOOR, 1)
    await roaming().setSpentElsewhere(id, { seconds: 90, bytes: 0n })
    await roaming().setSpentElsewhere(id, { seconds: 90, bytes: 0n })
    expect(shown().session?.secondsLeft).toBe(1410)
    await roaming().setSpentElsewhere(id, { seconds: 60, bytes: 0n })
    await roaming().takeBack(id, 2, { seconds: 60, bytes: 0n })
    await roaming().takeBack(id, 2, { seconds: 60, bytes: 0n })
    expect(shown().session).toMatchObject({ state: 'active', secondsLeft: 1440 })
    expect(box.kernel.isOpen(mac)).toBe(true)
    await roaming().setSpentElsewhere(id, { seconds: 70, bytes: 0n })
    expect(shown().session).toMatchObject({ state: 'active', secondsLeft: 1430 })
  })

  it('is refused back by a move that is older than the last', async () => {
    const id = await bought()
    await roaming().handOver(id, NEXT_DOOR, 3)
    await expect(roaming().takeBack(id, 2, NOTHING)).rejects.toMatchObject({ code: 'old-move' })
    expect(box.kernel.isOpen(mac)).toBe(false)
  })

  it('with the key that holds it is another device’s from then on, here and away, also one that its guest has paused', async () => {
    const id = await bought()
    const fresh = guest(5)
    const freshMac = fresh.mac ?? ''
    const address = toChecksumAddress(`0x${'ab'.repeat(20)}`)
    expect(roaming().find({ mac })).toMatchObject({ proofAfterSeconds: null })
    await box.hotspot.guests.keepWithKey(anna, address)
    expect(roaming().find({ mac })).toMatchObject({ proofAfterSeconds: 120, bearerHash: roaming().hashOfKey(`0x${'ab'.repeat(20)}`) })
    box.config = { ...box.config, mesh: { ...box.config.mesh, roamSecondsWithoutKey: 600 } }
    expect(roaming().find({ mac })).toMatchObject({ proofAfterSeconds: 600 })
    await box.hotspot.guests.pause(anna)
    expect(roaming().find({ sessionId: id, isByKey: false })).toBe(null)
    expect(roaming().find({ key: `0x${'ab'.repeat(20)}` })).toMatchObject({ sessionId: id, mac })
    expect(roaming().find({ key: NEXT_DOOR })).toBe(null)
    await box.hotspot.guests.resume(anna)
    await roaming().rebind(id, freshMac)
    await roaming().rebind(id, freshMac)
    expect([box.kernel.isOpen(mac), box.kernel.isOpen(freshMac)]).toEqual([false, false])
    expect(await roaming().handOver(id, NEXT_DOOR, 1)).toMatchObject({ mac: freshMac, leftSeconds: 1500 })
    await roaming().takeBack(id, 2, { seconds: 60, bytes: 0n })
    expect([box.kernel.isOpen(mac), box.kernel.isOpen(freshMac)]).toEqual([false, true])
    expect(box.hotspot.guests.view(fresh).session).toMatchObject({ id, state: 'active', secondsLeft: 1440 })
    expect(shown().session).toBe(null)
    // Who has time of his own here loses it to nobody.
    await box.hotspot.guests.redeem(anna, (await box.voucher('half-hour')).code)
    await expect(roaming().rebind(id, mac)).rejects.toMatchObject({ code: 'session-running' })
  })

  it('survives a crash: it is still away, with what was said of it', async () => {
    const id = await bought()
    await roaming().handOver(id, NEXT_DOOR, 1)
    await roaming().setSpentElsewhere(id, { seconds: 200, bytes: 0n })
    const again = makeBox({ time: box.time, kernel: box.kernel, store: box.store, folder: box.folder })
    await again.hotspot.start()
    expect(again.kernel.isOpen(mac)).toBe(false)
    expect(again.hotspot.guests.view(anna).session).toMatchObject({ pauseReason: 'away', secondsLeft: 1300 })
    await again.hotspot.roaming.takeBack(id, 2, { seconds: 200, bytes: 0n })
    expect(again.hotspot.guests.view(anna).session).toMatchObject({ state: 'active', secondsLeft: 1300 })
    await again.hotspot.stop()
  })

  it('is over when its price is given back, wherever it is then', async () => {
    const id = await bought()
    await roaming().handOver(id, NEXT_DOOR, 1)
    await roaming().setSpentElsewhere(id, { seconds: 200, bytes: 0n })
    expect(roaming().isOver(id)).toBe(false)
    await box.hotspot.owner.refund(id)
    expect(roaming().isOver(id)).toBe(true)
  })

  it('that is used up there ends when it is back, and not before its last word', async () => {
    const id = await bought()
    await roaming().handOver(id, NEXT_DOOR, 1)
    await roaming().setSpentElsewhere(id, { seconds: 1500, bytes: 0n })
    expect(shown().session).toMatchObject({ state: 'paused', secondsLeft: 0 })
    expect(roaming().find({ mac })).toBe(null)
    await roaming().setSpentElsewhere(id, { seconds: 1400, bytes: 0n })
    expect(roaming().find({ mac })).toMatchObject({ leftSeconds: 100 })
    await roaming().setSpentElsewhere(id, { seconds: 1500, bytes: 0n })
    await box.advance(800_000)
    expect(shown().session).toMatchObject({ state: 'ended', endReason: 'time-used' })
  })

  it('walks neither while its guest has paused it, nor as a trial, nor by bytes alone, nor on two devices', async () => {
    const id = await bought()
    await box.hotspot.guests.pause(anna)
    expect(roaming().find({ sessionId: id, isByKey: false })).toBe(null)
    const ben = guest(2)
    await box.hotspot.guests.startTrial(ben)
    expect(roaming().find({ mac: ben.mac ?? '' })).toBe(null)
    const cleo = guest(3)
    await box.hotspot.guests.redeem(cleo, (await box.voucher('hundred-mib')).code)
    expect(roaming().find({ mac: cleo.mac ?? '' })).toBe(null)
  })

  it('is opened here by nobody while other boxes are asked; without them it comes home when its guest asks', async () => {
    const id = await bought()
    await roaming().handOver(id, NEXT_DOOR, 1)
    const asked: (string | null)[] = []
    const undo = roaming().guideBy(guide({ seek: (_, code) => Promise.resolve(asked.push(code) < 0) }))
    await expect(box.hotspot.guests.resume(anna)).rejects.toMatchObject({ code: 'session-away' })
    expect(asked).toEqual([null])
    expect(box.kernel.isOpen(mac)).toBe(false)
    undo()
    expect(await box.hotspot.guests.resume(anna)).toMatchObject({ state: 'active', secondsLeft: 1500 })
  })

  it('a wrong code while a session runs here is a wrong code: nobody is asked', async () => {
    await bought()
    const asked: (string | null)[] = []
    roaming().guideBy(guide({ seek: (_, code) => Promise.resolve(asked.push(code) > 0) }))
    await expect(box.hotspot.guests.redeem(anna, 'AAAAA-AAAAA')).rejects.toMatchObject({ kind: 'input' })
    expect(asked).toEqual([])
  })
})

describe('a guest of another box', () => {
  it('is in for his lease, shown with what is left of it, and out when it is over', async () => {
    await roaming().admit(visitor(), 60)
    expect(box.kernel.isOpen(mac)).toBe(true)
    roaming().guideBy(guide({ nameOf: () => 'Harbour' }))
    expect(shown()).toMatchObject({ roam: 'visiting', ticket: null, session: { state: 'active', label: 'Harbour', secondsLeft: 900 } })
    await box.advance(30_000)
    expect(box.kernel.isOpen(mac)).toBe(true)
    expect(shown().session?.secondsLeft).toBe(870)
    expect(roaming().used(NEXT_DOOR, 's-7', 1)).toMatchObject({ seconds: 30 })
    await box.advance(40_000)
    expect(box.kernel.isOpen(mac)).toBe(false)
    expect(roaming().used(NEXT_DOOR, 's-7', 1)).toMatchObject({ seconds: 60 })
  })

  it('is renewed with the same number and counted on; with a higher one from nothing', async () => {
    await roaming().admit(visitor(), 60)
    await box.advance(40_000)
    await roaming().admit(visitor({ leftSeconds: 860 }), 60)
    await box.advance(40_000)
    expect(roaming().used(NEXT_DOOR, 's-7', 1)).toMatchObject({ seconds: 80 })
    await roaming().admit(visitor({ counter: 3, leftSeconds: 800 }), 60)
    expect(roaming().used(NEXT_DOOR, 's-7', 3)).toMatchObject({ seconds: 0 })
    expect(roaming().used(NEXT_DOOR, 's-7', 1)).toEqual(NOTHING)
  })

  it('is out at once when he is let go, and what he used is still known', async () => {
    await roaming().admit(visitor(), 60)
    await box.advance(10_000)
    await roaming().release(NEXT_DOOR, 's-7')
    expect(box.kernel.isOpen(mac)).toBe(false)
    await box.advance(20_000)
    expect(roaming().used(NEXT_DOOR, 's-7', 1)).toMatchObject({ seconds: 10 })
  })

  it('when this process dies the kernel shuts him out within ten seconds', async () => {
    await roaming().admit(visitor(), 60)
    expect((box.kernel.openUntilMs(mac) ?? Number.NaN) - box.time.boottimeMs()).toBeLessThanOrEqual(10_000)
  })

  it('stays in over a restart, and what he used before it is not forgotten', async () => {
    let note: string | null = null
    const journal: VisitJournal = { read: () => note, write: (text) => void (note = text) }
    const first = makeBox({ time: box.time, visitJournal: journal })
    await first.hotspot.start()
    await first.hotspot.roaming.admit(visitor(), 60)
    await first.advance(20_000)
    const second = makeBox({ time: box.time, kernel: first.kernel, store: first.store, folder: first.folder, visitJournal: journal })
    await second.hotspot.start()
    expect(second.kernel.isOpen(mac)).toBe(true)
    expect(second.hotspot.roaming.used(NEXT_DOOR, 's-7', 1).seconds).toBeGreaterThanOrEqual(14)
    expect(second.hotspot.roaming.used(NEXT_DOOR, 's-7', 1).seconds).toBeLessThanOrEqual(20)
    await second.hotspot.stop()
    await first.dispose()
  })

  it('buys here: his own session comes first, and the visit counts no more', async () => {
    await roaming().admit(visitor(), 60)
    await box.advance(10_000)
    await box.hotspot.guests.redeem(anna, (await box.voucher('half-hour')).code)
    await box.advance(20_000)
    expect(roaming().used(NEXT_DOOR, 's-7', 1).seconds).toBeLessThanOrEqual(11)
    expect(shown().session).toMatchObject({ label: '30 minutes', secondsLeft: 1780 })
    await roaming().release(NEXT_DOOR, 's-7')
    expect(box.kernel.isOpen(mac)).toBe(true)
  })

  it('is not let in where all places are taken', async () => {
    box.config = { ...box.config, hotspot: { ...box.config.hotspot, maxSessions: 1 } }
    await box.hotspot.guests.redeem(guest(2), (await box.voucher('half-hour')).code)
    await expect(roaming().admit(visitor(), 60)).rejects.toMatchObject({ code: 'no-room' })
  })
})

describe('a device that may not pass', () => {
  it('is told of when it is heard; one that may is not', async () => {
    const told: string[] = []
    roaming().onUnknownGuest((each) => told.push(each))
    box.neighbours.hear(mac)
    expect(told).toEqual([]) // nobody is there to ask
    roaming().guideBy(guide())
    box.neighbours.hear(mac)
    expect(told).toEqual([mac])
    await roaming().admit(visitor(), 60)
    box.neighbours.hear(mac)
    expect(told).toEqual([mac])
  })

  it('is looked for when its page is shown, once a second at most, and told why it is out', async () => {
    const sought: string[] = []
    roaming().guideBy(guide({ seek: (each) => Promise.resolve(sought.push(each) < 0), sight: () => 'silent' }))
    expect(shown()).toMatchObject({ session: null, roam: 'silent' })
    shown()
    expect(sought).toEqual([mac])
    await box.advance(1500)
    shown()
    expect(sought).toEqual([mac, mac])
  })

  it('shows a code of another box: it is handed on, and its session shown', async () => {
    const theirs = encodeCode({ slot: 1, box: 0, serial: 5 }, makeKeys('next door'))
    const shownCodes: (string | null)[] = []
    roaming().guideBy(
      guide({
        seek: async (_, code) => {
          shownCodes.push(code)
          await roaming().admit(visitor(), 60)
          return true
        },
        nameOf: () => 'Harbour',
      }),
    )
    expect(await box.hotspot.guests.redeem(anna, theirs)).toMatchObject({ state: 'active', label: 'Harbour', secondsLeft: 900 })
    expect(shownCodes).toEqual([theirs])
  })
})
