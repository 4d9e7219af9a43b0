/**
 * The power fails at each commit in turn, before it or after it: the same story is played until it happens, then the box starts again from
 * what is on disk. Whatever was on the air was counted before; what was taken is never taken again.
 */
import { expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/base/index.ts'
import { decodeFrame } from '../../../src/iot/lorawan/index.ts'
import { Box, otaa } from './box.ts'
import { failing } from './failing-store.ts'
import { Sensor } from './sensor.ts'

const KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const EUI = '0202020202020202'

/** Joins, sends confirmed frames, is sent orders. Every promise may stay open: the power may be gone. */
async function story(box: Box, sensor: Sensor, heard: Uint8Array[]): Promise<void> {
  const { server } = box.network
  const take = async (phy: Uint8Array): Promise<void> => {
    heard.push(phy)
    void server.take(box.heard(phy))
    await box.pass(7_000, 100)
  }
  await take(sensor.joinRequest())
  const accept = box.air.sent.at(-1)?.window.phy
  if (accept === undefined || !sensor.accept(accept)) return
  for (const text of ['one', 'two']) void server.enqueue({ devEui: EUI, fPort: 2, payload: utf8(text), isConfirmed: true, asker: 'test', expiresAt: null })
  for (let round = 0; round < 3; round++) {
    await take(sensor.frame(utf8(`reading ${round}`), { isConfirmed: true }))
    listen(box, sensor)
  }
}

/** The device hears everything that was sent, in order, once. */
const listened = new WeakMap<Box, number>()
function listen(box: Box, sensor: Sensor): void {
  for (const { window } of box.air.sent.slice(listened.get(box) ?? 0)) if (decodeFrame(window.phy).type === 'data') sensor.hear(window.phy)
  listened.set(box, box.air.sent.length)
}

/** Whole frames on the air, by address and counter. Two different frames under one counter: the key stream is given away. */
function countersOnAir(box: Box): Map<string, string> {
  const seen = new Map<string, string>()
  for (const { window } of box.air.sent) {
    const frame = decodeFrame(window.phy)
    if (frame.type !== 'data') continue
    const name = `${frame.devAddr}/${frame.fCnt16}`
    const bytes = Buffer.from(window.phy).toString('hex')
    expect(seen.get(name) ?? bytes).toBe(bytes)
    seen.set(name, bytes)
  }
  return seen
}

it.each([false, true])('after any number of turns (the last one stored: %s)', { timeout: 120_000 }, async (isStored) => {
  let cuts = 0
  for (let turns = 0; ; turns++) {
    const box = new Box({ seed: 7 })
    await box.open()
    await box.network.devices.put(otaa(EUI, KEY), null)
    await box.restart(true)
    await box.network.stop()
    let isCut = (): boolean => false
    await box.store.close()
    await box.open((store) => {
      // The start of the run itself is not what is tested here.
      const cut = failing(store, turns + 3, isStored)
      isCut = cut.isCut
      return cut.store
    })
    const sensor = new Sensor(EUI, KEY)
    const heard: Uint8Array[] = []
    await story(box, sensor, heard)
    const isOver = !isCut()
    if (!isOver) cuts++
    const before = countersOnAir(box)
    await box.restart(false)
    // A recording of everything it heard: what is on disk is not taken a second time, whoever heard of it or not.
    const session = box.network.devices.device(EUI)?.session ?? null
    for (const phy of heard) {
      const verdict = await box.network.server.take(box.heard(phy))
      if (session !== null && verdict.kind === 'join') expect(verdict.event.refused).toMatch(/used before/)
      if (verdict.kind === 'reading') expect(verdict.reading.fCnt).toBeGreaterThanOrEqual(session?.fCntUp ?? 0)
      await box.pass(7_000, 100)
    }
    const told = box.readings.map((reading) => `${reading.devAddr}/${reading.fCnt}`)
    expect(new Set(told).size).toBe(told.length)
    // And life goes on: the device is heard, and what it is sent, it takes.
    if (sensor.ciphers !== null && box.network.devices.device(EUI)?.session?.devAddr === sensor.devAddr) {
      listen(box, sensor)
      expect(await box.network.server.take(box.heard(sensor.frame(utf8('after'), { isConfirmed: true })))).toMatchObject({ kind: 'reading' })
      await box.pass(3_000, 100)
      listen(box, sensor)
      expect(sensor.received.at(-1)).toMatchObject({ ack: true })
      expect(sensor.refused).toEqual([])
    }
    expect(countersOnAir(box).size).toBeGreaterThanOrEqual(before.size)
    await box.close()
    if (isOver) break
  }
  expect(cuts).toBeGreaterThan(10)
})
