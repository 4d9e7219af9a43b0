/**
 * The power fails at each commit of a 1.1 device's story in turn: before it, or after it with nobody told. What was on the air was counted before, by the
 * counter it belongs to; nothing that was heard is taken twice; and the device, which knows nothing of it, is served on.
 */
import { expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/base/index.ts'
import { decodeFrame } from '../../../src/iot/lorawan/index.ts'
import { Box } from './box.ts'
import { failing } from './failing-store.ts'
import { Sensor11 } from './sensor-11.ts'

const NWK_KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const APP_KEY = fromHex('100f0e0d0c0b0a090807060504030201')
const EUI = '0202020202020202'

/** Joins, says RekeyInd, is sent orders, rejoins. Every promise may stay open: the power may be gone. */
async function story(box: Box, sensor: Sensor11, heard: Uint8Array[]): Promise<void> {
  const take = async (phy: Uint8Array): Promise<Uint8Array | null> => {
    heard.push(phy)
    const sent = box.air.sent.length
    void box.network.server.take(sensor.heardOn(box, phy))
    await box.pass(7_000, 100)
    listen(box, sensor)
    const last = box.air.sent.slice(sent).at(-1)?.window.phy
    return last !== undefined && decodeFrame(last).type === 'join-accept' ? last : null
  }
  const accept = await take(sensor.joinRequest())
  if (accept === null || !sensor.accept(accept)) return
  for (const text of ['one', 'two']) void box.network.server.enqueue({ devEui: EUI, fPort: 2, payload: utf8(text), isConfirmed: true, asker: 'test', expiresAt: null })
  for (let round = 0; round < 2; round++) await take(sensor.frame(utf8(`reading ${round}`), { isConfirmed: true }))
  const again = await take(sensor.rejoinRequest(0, 0))
  if (again !== null) sensor.accept(again, { rejoinType: 0, count: 0 })
  await take(sensor.frame(utf8('after'), { isConfirmed: true }))
}

const listened = new WeakMap<Box, number>()
function listen(box: Box, sensor: Sensor11): void {
  for (const { window } of box.air.sent.slice(listened.get(box) ?? 0)) if (decodeFrame(window.phy).type === 'data') sensor.hear(window.phy)
  listened.set(box, box.air.sent.length)
}

/** By address and counter, the network's and the application's apart. Two different frames under one: the key stream is given away. */
function checkCounters(box: Box): void {
  const seen = new Map<string, string>()
  for (const { window } of box.air.sent) {
    const frame = decodeFrame(window.phy)
    if (frame.type !== 'data') continue
    const name = `${frame.devAddr}/${frame.fPort === null || frame.fPort === 0 ? 'network' : 'application'}/${frame.fCnt16}`
    const bytes = Buffer.from(window.phy).toString('hex')
    expect(seen.get(name) ?? bytes).toBe(bytes)
    seen.set(name, bytes)
  }
}

it.each([false, true])('after any number of turns (the last one stored: %s)', { timeout: 240_000 }, async (isStored) => {
  let cuts = 0
  for (let turns = 0; ; turns++) {
    const box = await new Box({ seed: 7, wishes: { hasAdr: false } }).open()
    const sensor = new Sensor11(EUI, NWK_KEY, APP_KEY)
    await box.network.devices.put(sensor.registered(), null)
    await box.network.stop()
    await box.store.close()
    let isCut = (): boolean => false
    await box.open((store) => {
      // The start of the run itself is not what is tested here.
      const cut = failing(store, turns + 3, isStored)
      isCut = cut.isCut
      return cut.store
    })
    const heard: Uint8Array[] = []
    await story(box, sensor, heard)
    const isOver = !isCut()
    if (!isOver) cuts++
    await box.restart(false)
    // A recording of everything it heard.
    const before = box.network.devices.device(EUI)?.session ?? null
    const known = box.readings.map((reading) => `${reading.devAddr}/${reading.fCnt}`)
    for (const phy of heard) {
      const verdict = await box.network.server.take(sensor.heardOn(box, phy))
      if (verdict.kind === 'reading' && verdict.reading.devAddr === before?.devAddr) expect(verdict.reading.fCnt).toBeGreaterThanOrEqual(before.fCntUp)
      await box.pass(7_000, 100)
    }
    // The device does not listen to what answers a recording: its windows are over.
    listened.set(box, box.air.sent.length)
    const told = box.readings.map((reading) => `${reading.devAddr}/${reading.fCnt}`)
    expect(new Set(told).size).toBe(told.length)
    expect(told.slice(0, known.length)).toEqual(known)
    // And life goes on. A device whose accept was never stored, or never sent, joins again; the others are heard as they are.
    if (sensor.ciphers !== null) {
      const verdict = await box.network.server.take(sensor.heardOn(box, sensor.frame(utf8('alive'), { isConfirmed: true })))
      if (verdict.kind === 'reading') {
        await box.pass(3_000, 100)
        listen(box, sensor)
        expect(sensor.received.at(-1)).toMatchObject({ ack: true })
      } else {
        expect(verdict.kind).toBe('unknown')
        expect(box.network.devices.device(EUI)?.session?.devAddr).not.toBe(sensor.devAddr)
      }
      expect(sensor.refused).toEqual([])
    }
    checkCounters(box)
    await box.close()
    if (isOver) break
  }
  expect(cuts).toBeGreaterThan(10)
})
