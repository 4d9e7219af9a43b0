/** What survives: a service that is restarted, a machine that is switched off, clocks that are ten years off. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { FakeGate } from '../../support/fake-gate.ts'
import { guest, settle, startBox } from '../../support/hotspot-box.ts'
import type { BoxOptions, TestBox } from '../../support/hotspot-box.ts'

const TEN_YEARS_MS = 10 * 365 * 86_400_000
const anna = guest(1)
const ben = guest(2)

/** Another process on the same disk, kernel and clock. The old one is simply not there any more. */
async function newProcess(box: TestBox, options: BoxOptions = {}): Promise<TestBox> {
  box.time.reboot(box.time.bootId, box.time.boottimeMs())
  return startBox({ time: box.time, kernel: box.kernel, store: box.store, folder: box.folder, seed: 99, ...options })
}

/** Switched off and on again: the kernel is empty, the boot clock starts anew. */
async function powerCycle(box: TestBox, bootId = 'another-boot'): Promise<TestBox> {
  box.kernel.reboot()
  box.time.reboot(bootId, 30_000)
  return startBox({ time: box.time, kernel: box.kernel, store: box.store, folder: box.folder, seed: 99 })
}

const redeem = async (box: TestBox, client: typeof anna, packageId: string) => box.hotspot.guests.redeem(client, (await box.voucher(packageId)).code)
const shown = (box: TestBox, client: typeof anna) => box.hotspot.guests.view(client).session

describe('a restarted service', () => {
  it('charges what passed meanwhile, as far as the kernel let it, and goes on', async () => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(100_000)
    await box.hotspot.stop()
    box.time.advance(5_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    box = await newProcess(box)
    expect(shown(box, anna)).toMatchObject({ state: 'active', secondsLeft: 1695 })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await box.dispose()
  })

  it('that was away for longer than the lease does not charge for the time the gate was shut', async () => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(90_000)
    const untilMs = box.kernel.openUntilMs(anna.mac) ?? 0
    await box.hotspot.stop()
    const aliveMs = untilMs - box.time.boottimeMs()
    expect(aliveMs).toBeGreaterThan(0)
    expect(aliveMs).toBeLessThanOrEqual(60_000)
    box.time.advance(600_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    box = await newProcess(box)
    const used = 90 + aliveMs / 1000
    expect(shown(box, anna)?.secondsUsed).toBeGreaterThan(used - 41)
    expect(shown(box, anna)?.secondsUsed).toBeLessThanOrEqual(used)
    expect(shown(box, anna)).toMatchObject({ state: 'active' })
    await box.dispose()
  })

  it('knows who is paused, who has credit, and who is over', async () => {
    let box = await startBox()
    const over = await redeem(box, guest(3), 'half-hour')
    await box.hotspot.guests.end(guest(3))
    await redeem(box, anna, 'half-hour')
    await box.hotspot.guests.pause(anna)
    box.gate.failing = 1
    await redeem(box, ben, 'hundred-mib').catch(() => undefined)
    box = await newProcess(box)
    expect(shown(box, anna)).toMatchObject({ state: 'paused', pauseReason: 'guest', secondsLeft: 1800 })
    expect(shown(box, ben)).toMatchObject({ state: 'credited', bytesLeft: 104_857_600 })
    expect(shown(box, guest(3))).toMatchObject({ id: over.id, state: 'ended' })
    expect(box.kernel.openMacs()).toEqual([])
    expect((await redeem(box, guest(4), 'half-hour')).id > over.id).toBe(true)
    await box.dispose()
  })

  it('ends what ran out while it was away', async () => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(1_790_000)
    box.time.reboot(box.time.bootId, box.time.boottimeMs())
    box.time.advance(60_000)
    box = await newProcess(box)
    expect(shown(box, anna)).toMatchObject({ state: 'ended', endReason: 'time-used', secondsUsed: 1800 })
    expect(box.hotspot.owner.sessions()).toEqual([])
    await box.dispose()
  })

  it('that finds the gate shut lets time stand still until the gate is well', async () => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(60_000)
    const gate = new FakeGate(box.kernel)
    gate.failing = 4
    box = await newProcess(box, { gate })
    expect(shown(box, anna)).toMatchObject({ state: 'paused', pauseReason: 'restart', secondsLeft: 1740 })
    await box.advance(2_000)
    expect(shown(box, anna)).toMatchObject({ secondsLeft: 1740 })
    await box.advance(8_000)
    expect(shown(box, anna)?.state).toBe('active')
    expect(shown(box, anna)?.secondsLeft).toBeGreaterThan(1730)
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await box.dispose()
  })

  it('does not count bytes twice that were counted before', async () => {
    let box = await startBox()
    await redeem(box, anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 1000, 2000)
    await box.advance(25_000)
    box = await newProcess(box)
    box.kernel.traffic(anna.mac, 10, 20)
    await box.advance(5_000)
    expect(shown(box, anna)).toMatchObject({ upBytes: 1010, downBytes: 2020, bytesLeft: 104_857_600 - 3030 })
    // A device the old process knew starts from the kernel's count in a new session.
    await box.hotspot.guests.end(anna)
    box = await newProcess(box)
    expect(await redeem(box, anna, 'hundred-mib')).toMatchObject({ bytesLeft: 104_857_600 })
    await box.advance(5_000)
    expect(shown(box, anna)).toMatchObject({ upBytes: 0, bytesLeft: 104_857_600 })
    await box.dispose()
  })
})

describe('a power cut', () => {
  it('gives back at most a checkpoint, and everybody is online again with his devices', async () => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(119_000)
    box = await powerCycle(box)
    const left = shown(box, anna)?.secondsLeft ?? 0
    expect(left).toBeGreaterThanOrEqual(1800 - 119)
    expect(left).toBeLessThanOrEqual(1800 - 119 + 20)
    expect(shown(box, anna)).toMatchObject({ state: 'active', devices: [{ mac: anna.mac, ip4: anna.ip4 }] })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await box.advance(left * 1000)
    expect(shown(box, anna)).toMatchObject({ state: 'ended', endReason: 'time-used', secondsUsed: 1800 })
    await box.dispose()
  })

  it('with counters that start from nothing charges bytes once', async () => {
    let box = await startBox()
    await redeem(box, anna, 'hundred-mib')
    box.kernel.traffic(anna.mac, 5_000, 0)
    await box.advance(25_000)
    box = await powerCycle(box)
    box.kernel.traffic(anna.mac, 6_000, 0)
    await box.advance(5_000)
    expect(shown(box, anna)).toMatchObject({ upBytes: 11_000, bytesLeft: 104_857_600 - 11_000 })
    await box.dispose()
  })

  it('leaves a paused session paused, however long it lasts', async () => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(300_000)
    await box.hotspot.guests.pause(anna)
    for (const bootId of ['b', 'c', 'd']) box = await powerCycle(box, bootId)
    expect(shown(box, anna)).toMatchObject({ state: 'paused', secondsLeft: 1500 })
    expect(box.kernel.openMacs()).toEqual([])
    expect(await box.hotspot.guests.resume(anna)).toMatchObject({ state: 'active', secondsLeft: 1500 })
    await box.dispose()
  })

  it('does not give a used trial back before a day of uptime, or of trusted time, has passed', async () => {
    let box = await startBox()
    await box.hotspot.guests.startTrial(anna)
    await box.hotspot.guests.end(anna)
    await box.advance(10 * 3_600_000)
    box = await powerCycle(box)
    box.time.jumpWall(TEN_YEARS_MS)
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ code: 'trial-used' })
    // 10 h before, 13 h now: not yet. Another hour and a bit: a day in all.
    await box.advance(13 * 3_600_000)
    await expect(box.hotspot.guests.startTrial(anna)).rejects.toMatchObject({ code: 'trial-used' })
    await box.advance(3_600_000 + 600_000)
    expect(await box.hotspot.guests.startTrial(anna)).toMatchObject({ state: 'active' })
    await box.dispose()
  })

  it('gives a trial back when the trusted clock says that a day is over', async () => {
    let box = await startBox()
    box.time.trusted = true
    await box.hotspot.guests.startTrial(anna)
    await box.hotspot.guests.end(anna)
    box = await powerCycle(box)
    box.time.jumpWall(86_400_000)
    expect(box.hotspot.guests.view(anna).trialAvailable).toBe(true)
    await box.dispose()
  })
})

describe('the wall clock', () => {
  it.each([-TEN_YEARS_MS, TEN_YEARS_MS])('jumping by %d ms changes nothing', async (jumpMs) => {
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await box.advance(60_000)
    box.time.jumpWall(jumpMs)
    await box.advance(60_000)
    expect(shown(box, anna)).toMatchObject({ state: 'active', secondsLeft: 1680 })
    box = await newProcess(box)
    box.time.jumpWall(-2 * jumpMs)
    expect(shown(box, anna)).toMatchObject({ state: 'active', secondsLeft: 1680 })
    await box.advance(1_680_000)
    expect(shown(box, anna)).toMatchObject({ state: 'ended', secondsUsed: 1800 })
    expect(box.hotspot.guests.receipt(anna)).toContain('Time used: 1800 s')
    await box.dispose()
  })
})

describe('a disk that is full', () => {
  it('does not keep anybody online whose time is over, and is made up for later', async () => {
    const box = await startBox()
    const { id } = await redeem(box, anna, 'half-hour')
    await box.advance(1_795_000)
    const turn = box.store.turn.bind(box.store)
    box.store.turn = () => Promise.reject(new Error('disk full'))
    await box.advance(30_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    expect(box.kernel.openMacs()).toEqual([])
    expect(shown(box, anna)).toMatchObject({ secondsLeft: 0 })
    box.store.turn = turn
    await box.advance(1_500)
    expect(box.hotspot.owner.session(id)).toMatchObject({ state: 'ended', endReason: 'time-used' })
    await box.dispose()
  })

  it('refuses what would have to be written, and leaves the session as it was', async () => {
    const box = await startBox()
    const { id } = await redeem(box, anna, 'half-hour')
    const turn = box.store.turn.bind(box.store)
    box.store.turn = () => Promise.reject(new Error('disk full'))
    await expect(box.hotspot.guests.pause(anna)).rejects.toThrow('disk full')
    await expect(box.hotspot.owner.refund(id)).rejects.toThrow('disk full')
    await expect(box.hotspot.owner.extend(id, { seconds: 60 })).rejects.toThrow('disk full')
    expect(shown(box, anna)).toMatchObject({ state: 'active', secondsLeft: 1800 })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    box.store.turn = turn
    expect(await box.hotspot.guests.pause(anna)).toMatchObject({ state: 'paused' })
    await box.dispose()
  })
})

describe('a gate that fails while guests are online', () => {
  it('costs nobody time after the lease ran out, and is told again every second', async () => {
    const box = await startBox()
    await redeem(box, anna, 'half-hour')
    box.gate.failing = Number.POSITIVE_INFINITY
    await box.advance(120_000)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    const { secondsLeft } = shown(box, anna) ?? {}
    expect(secondsLeft).toBeGreaterThanOrEqual(1740)
    box.gate.failing = 0
    await box.advance(1_500)
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await box.advance(10_000)
    expect(shown(box, anna)?.secondsLeft).toBeLessThan(secondsLeft ?? 0)
    await box.dispose()
  })

  it('to shut somebody out does so a second later', async () => {
    const box = await startBox()
    await redeem(box, anna, 'half-hour')
    box.gate.failing = 1
    expect(await box.hotspot.guests.pause(anna)).toMatchObject({ state: 'paused' })
    expect(box.kernel.isOpen(anna.mac)).toBe(true)
    await box.advance(1_500)
    expect(box.kernel.isOpen(anna.mac)).toBe(false)
    await box.dispose()
  })

  it('to take one of them still renews the others, also after a restart', async () => {
    /** A gate without room for ben. */
    const refuseBen = (gate: FakeGate): void => {
      for (const verb of ['apply', 'replace'] as const) {
        const carryOut = gate[verb].bind(gate) as (argument: unknown) => Promise<void>
        const refusing = (argument: { open: { mac: string }[] } | { mac: string }[]): Promise<void> => {
          const open = Array.isArray(argument) ? argument : argument.open
          if (open.some((grant) => grant.mac === ben.mac)) return Promise.reject(new MeshBoxError('limit', 'no room', { code: 'no-room' }))
          return carryOut(argument)
        }
        Object.assign(gate, { [verb]: refusing })
      }
    }
    let box = await startBox()
    await redeem(box, anna, 'half-hour')
    await redeem(box, ben, 'half-hour')
    refuseBen(box.gate)
    await box.advance(90_000)
    expect(box.kernel.openMacs()).toEqual([anna.mac])
    expect(shown(box, anna)).toMatchObject({ state: 'active', secondsLeft: 1710 })
    expect(shown(box, ben)?.secondsLeft).toBeGreaterThanOrEqual(1740)
    const gate = new FakeGate(box.kernel)
    refuseBen(gate)
    box = await newProcess(box, { gate })
    expect(box.kernel.openMacs()).toEqual([anna.mac])
    expect(shown(box, ben)).toMatchObject({ state: 'paused', pauseReason: 'restart' })
    box = await newProcess(box)
    expect(box.kernel.openMacs().sort()).toEqual([anna.mac, ben.mac])
    await box.dispose()
  })

  it('and was rebuilt is told whom it should let through', async () => {
    const box = await startBox()
    await redeem(box, anna, 'half-hour')
    const paused = await redeem(box, ben, 'half-hour')
    await box.hotspot.guests.pause(ben)
    await box.advance(30_000)
    box.kernel.reboot()
    const desired = box.hotspot.desiredGrants()
    expect(desired).toMatchObject([{ mac: anna.mac, ip4: anna.ip4, leaseMs: 60_000 }])
    expect(desired.some((grant) => grant.sessionId === paused.id)).toBe(false)
    box.hotspot.onAlarm({ kind: 'repaired', detail: 'the table was flushed' })
    expect(box.hotspot.owner.status().alarms).toMatchObject([{ kind: 'repaired', wallMs: box.time.wallMs() }])
    await box.dispose()
  })
})

describe('a thousand sessions', () => {
  it('are opened, restored in one kernel change, checkpointed in one turn, and end to the second', async () => {
    let box = await startBox({ folder: mkdtempSync(join(tmpdir(), 'meshbox-thousand-')) })
    const vouchers = await box.hotspot.owner.createVouchers({ packageId: 'half-hour', count: 1000 })
    await Promise.all(vouchers.map(({ code }, n) => box.hotspot.guests.redeem(guest(n), code)))
    expect(box.kernel.openMacs()).toHaveLength(1000)
    expect(box.store.stats().commits).toBeLessThan(100)
    await expect(redeem(box, guest(1000), 'half-hour')).rejects.toMatchObject({ code: 'no-room' })

    await box.advance(10_000)
    const before = box.store.stats().turns
    await box.advance(10_000)
    expect(box.store.stats().turns - before).toBe(1)

    const gate = new FakeGate(box.kernel)
    box.kernel.reboot()
    box.time.reboot('after', 10_000)
    box = await startBox({ time: box.time, kernel: box.kernel, gate, store: box.store, folder: box.folder })
    expect(box.kernel.openMacs()).toHaveLength(1000)
    expect(gate.changes).toEqual([])
    expect(box.hotspot.owner.status()).toMatchObject({ sessionsActive: 1000 })

    // Everybody but the first is paused now, so that there is one deadline to be met among many.
    await Promise.all(vouchers.slice(1).map((_, n) => box.hotspot.guests.pause(guest(n + 1))))
    expect(box.kernel.openMacs()).toEqual([guest(0).mac])
    await box.advance(1_780_000)
    expect(box.kernel.openMacs()).toEqual([])
    expect(box.hotspot.owner.status()).toMatchObject({ sessionsActive: 0, sessionsPaused: 999 })
    await settle()
    await box.dispose()
  })
})
