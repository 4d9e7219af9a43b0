/** A session under a guest's key: who may put it there, who may take it up, and what that costs (nothing). */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClientAddress } from '../../../src/hotspot/index.ts'
import { keptSessions, keyOf as keptBy } from '../../../src/hotspot/wallet/index.ts'
import { MAX_SESSIONS_PER_KEY } from '../../../src/hotspot/wallet/io/key-tables.ts'
import { guest, openTestStore, startBox, type TestBox } from '../../support/hotspot-box.ts'

const KEY = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const OTHER_KEY = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94'
const [anna, ben, carla] = [guest(1), guest(2), guest(3)] as const

let box: TestBox
beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

async function buy(client: ClientAddress, packageId = 'half-hour'): Promise<string> {
  const voucher = await box.voucher(packageId)
  return (await box.hotspot.guests.redeem(client, voucher.code)).id
}
const paid = (): unknown[] => box.store.read((tx) => box.ledger.entries(tx, { limit: 100 }))

describe('keeping', () => {
  it('is for the devices of the session, and can be repeated and changed by them', async () => {
    const id = await buy(anna)
    expect(box.hotspot.guests.keptAddress(anna)).toBeNull()
    for (const key of [KEY, KEY, OTHER_KEY]) {
      expect(await box.hotspot.guests.keepWithKey(anna, key)).toMatchObject({ id, state: 'active' })
      expect(box.hotspot.guests.keptAddress(anna)).toBe(key)
    }
    expect(box.store.read((tx) => keptSessions(tx, KEY))).toEqual([])
    await expect(box.hotspot.guests.openWithKey(carla, KEY)).rejects.toMatchObject({ code: 'key-unknown' })
  })
  it('is not for others: they have no session, or only their own', async () => {
    const id = await buy(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await expect(box.hotspot.guests.keepWithKey(ben, OTHER_KEY)).rejects.toMatchObject({ kind: 'not-found', code: 'no-session' })
    const own = await buy(ben)
    await box.hotspot.guests.keepWithKey(ben, OTHER_KEY)
    expect(box.store.read((tx) => [keptBy(tx, id), keptBy(tx, own)])).toEqual([KEY, OTHER_KEY])
    expect(box.hotspot.guests.keptAddress(carla)).toBeNull()
  })
  it('is not for a visitor who came by a link', async () => {
    const id = await buy(anna, 'hundred-mib')
    await box.hotspot.guests.keepWithKey(anna, KEY)
    const { ticket } = box.hotspot.guests.view(anna)
    expect(await box.hotspot.guests.redeem(ben, ticket ?? '')).toMatchObject({ id })
    await expect(box.hotspot.guests.keepWithKey(ben, OTHER_KEY)).rejects.toMatchObject({ kind: 'conflict', code: 'visitor' })
    expect(box.hotspot.guests.keptAddress(anna)).toBe(KEY)
  })
  it('works while paused, and not for a session that is over', async () => {
    await buy(anna)
    await box.hotspot.guests.pause(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await box.hotspot.guests.end(anna)
    await expect(box.hotspot.guests.keepWithKey(anna, KEY)).rejects.toMatchObject({ code: 'no-session' })
    expect(box.hotspot.guests.keptAddress(anna)).toBeNull()
  })
  it(`is for at most ${MAX_SESSIONS_PER_KEY} open sessions a key`, async () => {
    for (let n = 0; n < MAX_SESSIONS_PER_KEY; n++) {
      await buy(guest(10 + n))
      await box.hotspot.guests.keepWithKey(guest(10 + n), KEY)
    }
    await buy(anna)
    await expect(box.hotspot.guests.keepWithKey(anna, KEY)).rejects.toMatchObject({ kind: 'conflict', code: 'key-full' })
    expect(box.hotspot.guests.keptAddress(anna)).toBeNull()
    await box.hotspot.guests.end(guest(10))
    await box.hotspot.guests.keepWithKey(anna, KEY)
    expect(box.hotspot.guests.keptAddress(anna)).toBe(KEY)
  })
  it('at the same moment by two devices never goes over that', async () => {
    const guests = Array.from({ length: 8 }, (_, n) => guest(20 + n))
    for (const each of guests) await buy(each)
    const outcomes = await Promise.allSettled(guests.map((each) => box.hotspot.guests.keepWithKey(each, KEY)))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(MAX_SESSIONS_PER_KEY)
    expect(box.store.read((tx) => keptSessions(tx, KEY))).toHaveLength(MAX_SESSIONS_PER_KEY)
  })
  it('is not said to have happened when the disk did not take it', async () => {
    const id = await buy(anna)
    const { store } = box
    await box.hotspot.stop()
    let isFull = false
    const failing: TestBox['store'] = {
      turn: (body) => (isFull ? Promise.reject(new Error('disk full')) : store.turn(body)),
      read: (body) => store.read(body),
      backup: (path) => store.backup(path),
      stats: () => store.stats(),
      close: () => store.close(),
    }
    box = await startBox({ folder: box.folder, store: failing, time: box.time, kernel: box.kernel })
    isFull = true
    await expect(box.hotspot.guests.keepWithKey(anna, KEY)).rejects.toThrow('disk full')
    isFull = false
    expect(box.hotspot.guests.keptAddress(anna)).toBeNull()
    expect(store.read((tx) => keptBy(tx, id))).toBeNull()
  })
})

describe('taking up', () => {
  it('moves the newest session to the new device, charges nothing, keeps the receipt', async () => {
    await buy(guest(9))
    await box.hotspot.guests.keepWithKey(guest(9), KEY)
    const id = await buy(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    const before = paid()
    await box.advance(60_000)
    expect(await box.hotspot.guests.openWithKey(ben, KEY)).toMatchObject({ id, state: 'active', secondsLeft: 1740, devices: [{ mac: ben.mac }] })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(box.kernel.isOpen(ben.mac)).toBe(true)
    expect(paid()).toEqual(before)
    expect(box.hotspot.guests.receipt(ben)).toContain('Bought: 30 minutes')
    expect(box.hotspot.guests.keptAddress(ben)).toBe(KEY)
  })
  it('goes on with a paused one, and twice is the same as once', async () => {
    const id = await buy(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await box.hotspot.guests.pause(anna)
    for (let turn = 0; turn < 2; turn++) expect(await box.hotspot.guests.openWithKey(ben, KEY)).toMatchObject({ id, state: 'active', devices: [{ mac: ben.mac }] })
    expect(await box.hotspot.guests.openWithKey(anna, KEY)).toMatchObject({ id, devices: [{ mac: anna.mac }] })
  })
  it('goes on with one that the gate could not open', async () => {
    await buy(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await box.hotspot.guests.pause(anna)
    box.gate.failing = 1
    await expect(box.hotspot.guests.openWithKey(ben, KEY)).rejects.toMatchObject({ code: 'gate-failed' })
    expect(await box.hotspot.guests.openWithKey(ben, KEY)).toMatchObject({ state: 'active' })
  })
  it('lets a device in beside the others while there is room', async () => {
    await buy(anna, 'hundred-mib')
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await box.hotspot.guests.openWithKey(ben, KEY)
    expect(box.kernel.openMacs().sort()).toEqual([anna.mac, ben.mac].sort())
    await box.hotspot.guests.openWithKey(carla, KEY)
    expect(box.kernel.openMacs().sort()).toEqual([ben.mac, carla.mac].sort())
  })
  it('skips what is used up, and says so when nothing is left', async () => {
    const older = await buy(anna, 'day-gib')
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await buy(ben)
    await box.hotspot.guests.keepWithKey(ben, KEY)
    await box.advance(1_800_500)
    expect(await box.hotspot.guests.openWithKey(carla, KEY)).toMatchObject({ id: older })
    await box.hotspot.guests.end(carla)
    await expect(box.hotspot.guests.openWithKey(carla, KEY)).rejects.toMatchObject({ kind: 'not-found', code: 'key-unknown' })
  })
  it('leaves one that the owner paused where it is', async () => {
    const id = await buy(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await box.hotspot.owner.pause(id)
    await expect(box.hotspot.guests.openWithKey(ben, KEY)).rejects.toMatchObject({ code: 'paused-by-owner' })
  })
  it('still works after a restart of the box', async () => {
    const id = await buy(anna)
    await box.hotspot.guests.keepWithKey(anna, KEY)
    await box.hotspot.stop()
    await box.store.close()
    box = await startBox({ folder: box.folder, store: openTestStore(box.folder), time: box.time, kernel: box.kernel })
    expect(await box.hotspot.guests.openWithKey(ben, KEY)).toMatchObject({ id, state: 'active' })
  })
})

describe('whatever happens', () => {
  it('a session has one key, a key at most four open sessions, and only a holder ever gets in', async () => {
    const actors = [anna, ben, carla]
    const stepArb = fc.tuple(fc.constantFrom('buy', 'keep', 'open', 'pause', 'end'), fc.nat({ max: 2 }), fc.constantFrom(KEY, OTHER_KEY))
    await fc.assert(
      fc.asyncProperty(fc.array(stepArb, { maxLength: 14 }), async (steps) => {
        const world = await startBox()
        const holders = new Map<string, string>()
        try {
          for (const [verb, who, key] of steps) {
            const actor = actors[who] ?? anna
            const desk = world.hotspot.guests
            const at = desk.view(actor).session
            const mine = at !== null && at.state !== 'ended' ? at.id : null
            try {
              if (verb === 'buy') await desk.redeem(actor, (await world.voucher('half-hour')).code)
              else if (verb === 'keep') holders.set((await desk.keepWithKey(actor, key)).id, key)
              else if (verb === 'open') expect(holders.get((await desk.openWithKey(actor, key)).id)).toBe(key)
              else await desk[verb](actor)
              if (verb === 'keep') expect(mine).not.toBeNull()
            } catch (error) {
              expect(['no-session', 'key-unknown', 'key-full', 'wrong-state']).toContain((error as { code?: string }).code)
            }
            for (const [id, holder] of holders) expect(world.store.read((tx) => keptBy(tx, id))).toBe(holder)
            for (const each of [KEY, OTHER_KEY]) expect(world.store.read((tx) => keptSessions(tx, each)).length).toBeLessThanOrEqual(MAX_SESSIONS_PER_KEY)
          }
        } finally {
          await world.dispose()
        }
      }),
      { numRuns: 25 },
    )
  })
})
