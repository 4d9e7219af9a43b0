/** A guest's session as portal and kernel see it: bought, counted, paused, moved, bought more, over. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyReceipt } from '../../../src/hotspot/receipt/verify.ts'
import { guest, settle, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const anna = guest(1)
const ben = guest(2)
const carla = guest(3)
const dora = guest(4)
let box: TestBox

beforeEach(async () => {
  box = await startBox()
})
afterEach(() => box.dispose())

const redeem = async (client: typeof anna, packageId: string) => {
  const { code } = await box.voucher(packageId)
  return box.hotspot.guests.redeem(client, code)
}
const shown = (client: typeof anna) => box.hotspot.guests.view(client).session

describe('a voucher', () => {
  it('opens the gate, counts down, and closes to the second', async () => {
    const session = await redeem(anna, 'half-hour')
    expect(session).toMatchObject({ state: 'active', secondsLeft: 1800, paid: 3_000_000n, source: 'voucher', devices: [{ mac: anna.mac, ip4: anna.ip4 }] })
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ sessionId: session.id, downKbps: 4000, upKbps: 1000, quotaBytes: null })

    await box.advance(1_799_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    expect(shown(anna)).toMatchObject({ state: 'active', secondsLeft: 1, secondsUsed: 1799 })

    await box.advance(1_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(shown(anna)).toMatchObject({ state: 'ended', endReason: 'time-used', secondsLeft: 0, secondsUsed: 1800 })
  })

  it('is cut off by the kernel alone at the right moment, not earlier than a blink and never later', async () => {
    const session = await redeem(anna, 'half-hour')
    await box.advance(1_750_000)
    const untilMs = box.kernel.openUntilMs(anna.mac) ?? 0
    const endMs = box.time.boottimeMs() + 50_000
    expect(session.secondsLeft).toBe(1800)
    expect(endMs - untilMs).toBeGreaterThanOrEqual(0)
    expect(endMs - untilMs).toBeLessThanOrEqual(100)
  })

  it('gives one session and one earning, however often and at once it is used by the same device', async () => {
    const { code } = await box.voucher('half-hour')
    const sessions = await Promise.all([1, 2, 3, 4].map(() => box.hotspot.guests.redeem(anna, code)))
    expect(new Set(sessions.map((session) => session.id)).size).toBe(1)
    await box.hotspot.guests.redeem(anna, code)
    expect(shown(anna)).toMatchObject({ secondsLeft: 1800, paid: 3_000_000n })
    expect(box.store.read((tx) => box.ledger.entries(tx, { limit: 10 }))).toHaveLength(1)
  })

  it('used by two devices at once goes to one of them at a time', async () => {
    const { code } = await box.voucher('half-hour')
    const [first, second] = await Promise.all([box.hotspot.guests.redeem(anna, code), box.hotspot.guests.redeem(ben, code)])
    expect(first.id).toBe(second.id)
    expect(box.kernel.openMacs()).toEqual([ben.mac])
    expect(shown(ben)?.devices).toEqual([{ mac: ben.mac, ip4: ben.ip4 }])
    expect(shown(anna)).toBeNull()
  })

  it('holds no lease longer than configured, and renews it before it runs out', async () => {
    await redeem(anna, 'half-hour')
    for (let minute = 0; minute < 5; minute++) {
      expect((box.kernel.openUntilMs(anna.mac) ?? 0) - box.time.boottimeMs()).toBeLessThanOrEqual(60_000)
      await box.advance(60_000)
      expect(box.kernel.isOpen(anna.mac)).toBe(true)
    }
  })

  it('of another kind is used after the first one, with its own rates and quota', async () => {
    await redeem(anna, 'half-hour')
    await redeem(anna, 'hundred-mib')
    expect(shown(anna)).toMatchObject({ secondsLeft: 1800, bytesLeft: null, devicesMax: 1, paid: 8_000_001n })
    box.kernel.traffic(anna.mac, 1000, 9000)
    await box.advance(1_800_500)
    expect(shown(anna)).toMatchObject({ state: 'active', secondsLeft: null, bytesLeft: 104_857_600, devicesMax: 2, label: '100 MiB' })
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ downKbps: null, quotaBytes: 104_857_600 })

    box.kernel.traffic(anna.mac, 4_857_600, 100_000_000)
    await box.advance(2500)
    expect(shown(anna)).toMatchObject({ state: 'ended', endReason: 'bytes-used', bytesLeft: 0, upBytes: 4_858_600, downBytes: 100_009_000 })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
  })
})

describe('pausing', () => {
  it('freezes what is left and shuts the gate, and resuming goes on from there', async () => {
    await redeem(anna, 'half-hour')
    await box.advance(600_000)
    expect(await box.hotspot.guests.pause(anna)).toMatchObject({ state: 'paused', pauseReason: 'guest', secondsLeft: 1200 })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    await box.advance(10_000_000)
    expect(await box.hotspot.guests.pause(anna)).toMatchObject({ secondsLeft: 1200 })
    expect(await box.hotspot.guests.resume(anna)).toMatchObject({ state: 'active', secondsLeft: 1200 })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await box.advance(1_200_000)
    expect(shown(anna)).toMatchObject({ state: 'ended', secondsUsed: 1800 })
  })

  it('loses less than a second, however often', async () => {
    await redeem(anna, 'half-hour')
    for (let round = 0; round < 50; round++) {
      await box.hotspot.guests.pause(anna)
      await box.hotspot.guests.resume(anna)
    }
    expect(shown(anna)).toMatchObject({ secondsLeft: 1800 })
  })

  it('happens by itself after minutes without traffic, if so configured', async () => {
    box.config = { ...box.config, hotspot: { ...box.config.hotspot, idlePauseMinutes: 5 } }
    await redeem(anna, 'half-hour')
    for (let minute = 0; minute < 6; minute++) {
      box.kernel.traffic(anna.mac, 10, 10)
      await box.advance(60_000)
    }
    expect(shown(anna)).toMatchObject({ state: 'active' })
    await box.advance(360_000)
    expect(shown(anna)).toMatchObject({ state: 'paused', pauseReason: 'idle' })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(await box.hotspot.guests.resume(anna)).toMatchObject({ state: 'active' })
  })

  it('and everything else needs a session', async () => {
    for (const verb of ['pause', 'resume', 'end'] as const)
      await expect(box.hotspot.guests[verb](anna)).rejects.toMatchObject({ kind: 'not-found', code: 'no-session' })
    expect(() => box.hotspot.guests.receipt(anna)).toThrow(/no session/)
  })
})

describe('other devices', () => {
  it('take the session along with its code; the oldest gives way in the same kernel change', async () => {
    const { code } = await box.voucher('day-gib')
    for (const client of [anna, ben, carla]) await box.hotspot.guests.redeem(client, code)
    expect(box.kernel.openMacs().sort()).toEqual([anna.mac, ben.mac, carla.mac])
    const before = box.gate.changes.length
    const session = await box.hotspot.guests.redeem(dora, code)
    expect(session.devices.map((device) => device.mac)).toEqual([ben.mac, carla.mac, dora.mac])
    expect(box.gate.changes.slice(before)).toMatchObject([{ close: [anna.mac] }])
    expect(box.kernel.openMacs().sort()).toEqual([ben.mac, carla.mac, dora.mac])
    expect(session.paid).toBe(9_999_999n)
  })

  it('use the ticket shown on the first one, once', async () => {
    await redeem(anna, 'half-hour')
    const ticket = box.hotspot.guests.view(anna).ticket ?? ''
    expect(box.hotspot.guests.preview(ben, ticket)).toEqual({ kind: 'ticket', label: '30 minutes', seconds: 1800, bytes: null, tokens: null, devices: 1 })
    const session = await box.hotspot.guests.redeem(ben, ticket)
    expect(session).toMatchObject({ state: 'active', devices: [{ mac: ben.mac }] })
    expect(box.kernel.openMacs()).toEqual([ben.mac])
    // Again by the same device: nothing new. By another one: the link was used.
    expect(await box.hotspot.guests.redeem(ben, ticket)).toMatchObject({ id: session.id })
    await expect(box.hotspot.guests.redeem(anna, ticket)).rejects.toMatchObject({ kind: 'conflict', code: 'ticket-stale' })
    expect(() => box.hotspot.guests.preview(carla, ticket)).toThrow(expect.objectContaining({ code: 'ticket-stale' }))
    expect(await box.hotspot.guests.redeem(anna, box.hotspot.guests.view(ben).ticket ?? '')).toMatchObject({ devices: [{ mac: anna.mac }] })
  })

  it('lost to another device cannot come back with the ticket seen before', async () => {
    const { code } = await box.voucher('half-hour')
    await box.hotspot.guests.redeem(anna, code)
    const seen = box.hotspot.guests.view(anna).ticket ?? ''
    await box.hotspot.guests.redeem(ben, code)
    await expect(box.hotspot.guests.redeem(anna, seen)).rejects.toMatchObject({ code: 'ticket-stale' })
  })

  it('that join another session leave their own one paused, with nothing lost', async () => {
    const own = await redeem(anna, 'half-hour')
    const { code } = await box.voucher('day-gib')
    await box.hotspot.guests.redeem(ben, code)
    await box.advance(100_000)
    const joined = await box.hotspot.guests.redeem(anna, code)
    expect(joined.devices.map((device) => device.mac)).toEqual([ben.mac, anna.mac])
    expect(box.hotspot.owner.session(own.id)).toMatchObject({ state: 'paused', pauseReason: 'guest', secondsLeft: 1700, devices: [] })
    expect(box.kernel.grantOf(anna.mac)?.sessionId).toBe(joined.id)
    await expect(box.hotspot.owner.resume(own.id)).rejects.toMatchObject({ kind: 'conflict', code: 'no-device' })
  })

  it('keep their session when DHCP gives them another address', async () => {
    const session = await redeem(anna, 'half-hour')
    box.neighbours.move(anna.mac, '10.0.9.9')
    await settle()
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ ip4: '10.0.9.9', sessionId: session.id })
    expect(shown(anna)).toMatchObject({ devices: [{ mac: anna.mac, ip4: '10.0.9.9' }], paid: 3_000_000n })
    box.neighbours.move(ben.mac, '10.0.9.10')
    await settle()
    expect(box.kernel.isOpen(ben.mac)).toBe(false)
  })

  it('are counted against the number of the allotment in use: fewer places, the oldest go', async () => {
    const { code } = await box.voucher('hundred-mib')
    await box.hotspot.guests.redeem(anna, code)
    await box.hotspot.guests.redeem(ben, code)
    await redeem(anna, 'half-hour')
    expect(box.kernel.openMacs()).toHaveLength(2)
    box.kernel.traffic(ben.mac, 0, 104_857_600)
    await box.advance(2500)
    expect(shown(ben)).toMatchObject({ state: 'active', label: '30 minutes', devices: [{ mac: ben.mac }] })
    expect(box.kernel.openMacs()).toEqual([ben.mac])
  })
})

describe('the free trial', () => {
  it('is once a day for a device, ever again after a day of uptime', async () => {
    expect(box.hotspot.guests.view(anna).trialAvailable).toBe(true)
    const session = await box.hotspot.guests.startTrial(anna)
    expect(session).toMatchObject({ state: 'active', source: 'trial', secondsLeft: 600, bytesLeft: 52_428_800, paid: 0n })
    expect(box.kernel.grantOf(anna.mac)).toMatchObject({ downKbps: 2000, upKbps: 500, quotaBytes: 52_428_800 })
    expect(await box.hotspot.guests.startTrial(anna)).toMatchObject({ id: session.id })
    await box.hotspot.guests.end(anna)
    expect(box.hotspot.guests.view(anna).trialAvailable).toBe(false)
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ kind: 'conflict', code: 'trial-used' })
    box.time.jumpWall(10 * 365 * 86_400_000)
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ code: 'trial-used' })
    box.time.advance(24 * 3_600_000)
    await settle()
    expect(await box.hotspot.guests.startTrial(anna)).toMatchObject({ state: 'active' })
    expect(box.store.read((tx) => box.ledger.entries(tx, { limit: 10 }))).toEqual([])
  })

  it('is bounded over all devices, and by the owner', async () => {
    box.config = { ...box.config, hotspot: { ...box.config.hotspot, trialsPerDay: 2 } }
    const outcomes = await Promise.allSettled([anna, ben, carla].map((client) => box.hotspot.guests.startTrial(client)))
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    box.config = { ...box.config, tariff: { ...box.config.tariff, trialMinutes: 0 } }
    await expect(box.hotspot.guests.startTrial(dora)).rejects.toMatchObject({ code: 'no-trial' })
    expect(box.hotspot.guests.view(dora)).toMatchObject({ trialAvailable: false, board: { trial: null } })
  })

  it('is not for a device with a session, and a voucher extends it', async () => {
    await redeem(anna, 'half-hour')
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ code: 'session-running' })
    const trial = await box.hotspot.guests.startTrial(ben)
    const session = await redeem(ben, 'half-hour')
    expect(session).toMatchObject({ id: trial.id, source: 'voucher', secondsLeft: 2400, label: 'Free trial' })
  })

  it('that the gate could not open is still there', async () => {
    box.gate.preflightFails = true
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ kind: 'unavailable' })
    expect(box.hotspot.guests.view(anna).trialAvailable).toBe(true)
    box.gate.preflightFails = false
    box.gate.failing = 1
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ code: 'gate-failed' })
    expect(shown(anna)).toMatchObject({ state: 'credited', secondsLeft: 600 })
    expect(await box.hotspot.guests.startTrial(anna)).toMatchObject({ state: 'active', secondsLeft: 600 })
  })
})

describe('the end', () => {
  it('asked for by the guest is final and idempotent', async () => {
    await redeem(anna, 'half-hour')
    await box.advance(60_000)
    expect(await box.hotspot.guests.end(anna)).toMatchObject({ state: 'ended', endReason: 'ended-by-guest', secondsUsed: 60 })
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(await box.hotspot.guests.end(anna)).toMatchObject({ state: 'ended', secondsUsed: 60 })
    await expect(box.hotspot.guests.resume(anna)).rejects.toMatchObject({ code: 'no-session' })
  })

  it('is shown for an hour, and its receipt can be had later', async () => {
    await redeem(anna, 'half-hour')
    box.kernel.traffic(anna.mac, 1234, 56_789)
    await box.hotspot.guests.end(anna)
    await box.advance(3_590_000)
    expect(shown(anna)).toMatchObject({ state: 'ended' })
    await box.advance(20_000)
    expect(shown(anna)).toBeNull()
    const receipt = box.hotspot.guests.receipt(anna)
    expect(receipt).toContain('Venue: Café Ñandú')
    expect(receipt).toContain('Bought: 30 minutes')
    expect(receipt).toContain('Price: 3 MBX')
    expect(receipt).toMatch(/Data sent: 1234 bytes/)
    expect(receipt).toMatch(/Data received: 56789 bytes/)
    expect(() => verifyReceipt(receipt)).not.toThrow()
  })
})
