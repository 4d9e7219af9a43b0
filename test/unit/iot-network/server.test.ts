/** The network server with real turns: joins, readings, ACKs, repetitions, replays. lora-packet is the oracle for bytes both ways. */
import loraPacket from 'lora-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/base/index.ts'
import type { SessionKeys } from '../../../src/iot/ports.ts'
import { Box, lora, otaa } from './box.ts'
import { Sensor, joined } from './sensor.ts'

const KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const EUI = '0202020202020202'
const NWK = fromHex('44024241ed4ce9a68c6a8bc055233fd3')
const APP = fromHex('ec925802ae430ca77fd3dd73cb2cc588')
const ABP_KEYS: SessionKeys = { fNwkSIntKey: NWK, sNwkSIntKey: NWK, nwkSEncKey: NWK, appSKey: APP }
const DEV_ADDR = 0x49be7df1

let box: Box
afterEach(() => box.close())

async function abp(more: Parameters<typeof otaa>[2] = {}, counters: { fCntUp?: number; fCntDown?: number } = {}): Promise<Sensor> {
  const sensor = new Sensor(EUI, KEY)
  await box.network.devices.put({ ...otaa(EUI, KEY), activation: 'abp', rootKey: null, ...more }, { ...sensor.session(ABP_KEYS, DEV_ADDR), ...counters })
  return sensor
}

describe('a join', () => {
  it('is answered five seconds later at the frequency it came on, and its first frame is a reading', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUI, KEY)
    await box.network.devices.put(otaa(EUI, KEY), null)
    const upMs = box.time.boottimeMs()
    await box.network.server.take(box.heard(sensor.joinRequest(), { frequencyHz: 868_300_000 }))
    await box.pass(4_600)
    expect(box.air.sent).toEqual([])
    await box.pass(300)
    expect(box.air.sent).toHaveLength(1)
    expect(box.air.sent[0]?.startMs).toBeCloseTo(upMs + 5_000, 1)
    expect(box.air.sent[0]?.window).toMatchObject({ frequencyHz: 868_300_000, isInverted: true, hasCrc: false })
    expect(sensor.accept(box.air.sent[0]?.window.phy as Uint8Array)).toBe(true)
    await box.pass(1_000)
    const verdict = await box.network.server.take(box.heard(sensor.frame(utf8('hello'), { fPort: 7 })))
    expect(verdict).toMatchObject({ kind: 'reading', reading: { devEui: EUI, fCnt: 0, fPort: 7, payload: utf8('hello') } })
    expect(box.readings).toHaveLength(1)
    expect(box.network.devices.device(EUI)).toMatchObject({ isOnline: true, lastJoin: { refused: null }, session: { fCntUp: 1 } })
  })

  it('goes out in RX2 when RX1 was refused, and says why', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUI, KEY)
    await box.network.devices.put(otaa(EUI, KEY), null)
    box.air.concentrators[0]?.refusals.push('COLLISION_PACKET')
    const upMs = box.time.boottimeMs()
    await box.network.server.take(box.heard(sensor.joinRequest()))
    await box.pass(5_000)
    expect(box.air.sent[0]?.startMs).toBeCloseTo(upMs + 6_000, 1)
    expect(box.air.sent[0]?.window.frequencyHz).toBe(869_525_000)
    expect(box.acks).toMatchObject([{ statuses: ['COLLISION_PACKET', 'OK'], sent: 1 }])
  })

  it('heard once more by a slow gateway is no second join, and no refusal to show', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUI, KEY)
    await box.network.devices.put(otaa(EUI, KEY), null)
    const heard = box.heard(sensor.joinRequest())
    expect((await Promise.all([box.network.server.take(heard), box.network.server.take(heard)])).map((verdict) => verdict.kind)).toEqual(['join', 'repeated'])
    expect(await box.network.server.take(heard)).toEqual({ kind: 'repeated', devEui: EUI })
    await box.pass(7_000)
    expect(box.air.sent).toHaveLength(1)
    expect(box.network.devices.device(EUI)?.lastJoin).toMatchObject({ refused: null })
    await box.restart(false)
    expect(await box.network.server.take(heard)).toMatchObject({ kind: 'join', event: { refused: expect.stringMatching(/used before/) } })
  })

  it('a DevNonce counts once: by its own rule for each version', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUI, KEY)
    const join = async (nonce: number): Promise<string | null> => {
      // A restart in between: the last request is not known as a late copy of itself.
      await box.restart(true)
      const verdict = await box.network.server.take(box.heard(sensor.joinRequest(nonce)))
      return verdict.kind === 'join' ? verdict.event.refused : verdict.kind
    }
    await box.network.devices.put(otaa(EUI, KEY), null)
    expect(await join(9)).toBeNull()
    expect(await join(9)).toMatch(/DevNonce 9 used before/)
    expect(await join(3)).toBeNull()
    await box.network.devices.put(otaa(EUI, KEY, { macVersion: '1.0.4' }), null)
    expect(await join(9)).toMatch(/not greater/)
    expect(await join(10)).toBeNull()
    expect(await join(10)).toMatch(/not greater/)
    await box.network.devices.forgetDevNonces(EUI)
    expect(await join(1)).toBeNull()
    expect(box.joins.filter((event) => event.refused === null)).toHaveLength(4)
  })

  it('JoinNonce rises for ever, also when the device is removed and comes back', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUI, KEY)
    await joined(box, sensor)
    const first = sensor.keys
    await box.network.devices.remove(EUI)
    expect(await box.network.server.take(box.heard(sensor.joinRequest()))).toEqual({ kind: 'unknown' })
    // The same DevNonce again: only the JoinNonce makes the keys other ones.
    sensor.devNonce = 0
    await joined(box, sensor)
    expect(sensor.keys?.appSKey).not.toEqual(first?.appSKey)
  })

  it('is refused with the reason: key, owner, activation, version', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUI, new Uint8Array(16))
    const why = async (): Promise<string | null | undefined> => {
      const verdict = await box.network.server.take(box.heard(sensor.joinRequest()))
      return verdict.kind === 'join' ? verdict.event.refused : undefined
    }
    await box.network.devices.put(otaa(EUI, KEY), null)
    expect(await why()).toMatch(/MIC wrong/)
    await box.network.devices.put(otaa(EUI, KEY, { isDisabled: true }), null)
    expect(await why()).toMatch(/disabled/)
    await box.network.devices.put(otaa(EUI, KEY, { joinEui: '0303030303030303' }), null)
    expect(await why()).toMatch(/JoinEUI 0101010101010101/)
    await abp()
    expect(await why()).toMatch(/ABP/)
    await expect(box.network.devices.put(otaa(EUI, KEY, { macVersion: '1.1' }), null)).rejects.toThrow(/app-key.*beside the NwkKey/)
    await box.pass(7_000)
    expect(box.air.asked).toEqual([])
  })
})

describe('a frame', () => {
  it('of the published vectors is read, and its answer is right for another implementation', async () => {
    box = await new Box().open()
    await abp()
    const verdict = await box.network.server.take(box.heard(fromHex('40F17DBE4900020001954378762B11FF0D')))
    expect(verdict).toMatchObject({ kind: 'reading', reading: { fCnt: 2, fPort: 1, payload: utf8('test'), devAddr: DEV_ADDR } })
    const text = await box.network.server.take(box.heard(fromHex('40f17dbe490004000155332de41a11adc072553544429ce7787707d1c316e027e7e5e334263376affb8aa17ad30075293f28dea8a20af3c5e7')))
    expect(text).toMatchObject({ reading: { payload: utf8('The quick brown fox jumps over the lazy dog.') } })
    const confirmed = loraPacket.fromFields({ MType: 'Confirmed Data Up', DevAddr: Buffer.from('49be7df1', 'hex'), FCnt: 5, FPort: 3, payload: 'open?' }, Buffer.from(APP), Buffer.from(NWK))
    expect(await box.network.server.take(box.heard(new Uint8Array(confirmed.getPHYPayload() as Buffer)))).toMatchObject({ reading: { isConfirmed: true, payload: utf8('open?') } })
    await box.network.server.enqueue({ devEui: EUI, fPort: 9, payload: utf8('yes'), isConfirmed: true, asker: 'test', expiresAt: null })
    await box.pass(1_000)
    const down = loraPacket.fromWire(Buffer.from(box.air.sent.at(-1)?.window.phy as Uint8Array))
    expect(loraPacket.verifyMIC(down, Buffer.from(NWK))).toBe(true)
    expect(down.getFCtrlACK()).toBe(true)
    expect(down.getFPort()).toBe(9)
    expect(loraPacket.decrypt(down, Buffer.from(APP), Buffer.from(NWK)).toString()).toBe('yes')
  })

  it('heard by several gateways is one reading, answered by the best', async () => {
    box = await new Box({ gateways: 3 }).open()
    const sensor = await abp()
    await box.network.server.take(box.heard(sensor.frame(utf8('a'), { isConfirmed: true }), { gateways: [2, 0, 1] }))
    await box.pass(1_200)
    expect(box.readings).toHaveLength(1)
    expect(box.readings[0]?.copies).toHaveLength(3)
    expect(box.air.sent.map((sent) => sent.gateway)).toEqual([box.air.concentrators[2]?.id])
  })

  it('that a device repeats is answered again under a new counter and read once, eight times and no more', async () => {
    box = await new Box().open()
    const sensor = await abp()
    const phy = sensor.frame(utf8('a'), { isConfirmed: true })
    expect(await box.network.server.take(box.heard(phy))).toMatchObject({ kind: 'reading' })
    for (let round = 0; round < 10; round++) {
      await box.pass(3_000)
      expect(await box.network.server.take(box.heard(phy))).toMatchObject({ kind: 'repeated' })
    }
    await box.pass(3_000)
    expect(box.readings).toHaveLength(1)
    expect(box.air.sent).toHaveLength(9)
    for (const { window } of box.air.sent) expect(sensor.hear(window.phy)).toMatchObject({ ack: true })
    expect(sensor.refused).toEqual([])
  })

  it('that is played again is refused, so is a jump, and nothing of it is stored', async () => {
    box = await new Box().open()
    const sensor = await abp()
    const [old, next] = [sensor.frame(utf8('a')), sensor.frame(utf8('b'))]
    await box.network.server.take(box.heard(old))
    await box.network.server.take(box.heard(next))
    expect(await box.network.server.take(box.heard(old))).toMatchObject({ kind: 'refused', why: expect.stringMatching(/used before/) })
    expect(await box.network.server.take(box.heard(next))).toMatchObject({ kind: 'repeated' })
    expect(await box.network.server.take(box.heard(sensor.frame(utf8('c'), { fCnt: 2 + 16_384 })))).toMatchObject({ kind: 'refused', why: expect.stringMatching(/16384 ahead/) })
    expect(await box.network.server.take(box.heard(sensor.frame(utf8('c'), { fCnt: 2 + 16_383 })))).toMatchObject({ kind: 'reading' })
    expect(box.readings.map((reading) => reading.fCnt)).toEqual([0, 1, 16_385])
    await box.restart(false)
    expect(await box.network.server.take(box.heard(next))).toMatchObject({ kind: 'refused' })
  })

  it('from 0 again is taken only of a device that may, and our own counter goes on', async () => {
    box = await new Box().open()
    const sensor = await abp({}, { fCntUp: 500, fCntDown: 40 })
    expect(await box.network.server.take(box.heard(sensor.frame(utf8('a'), { fCnt: 0 })))).toMatchObject({ kind: 'refused' })
    await box.network.devices.put({ ...otaa(EUI, KEY), activation: 'abp', rootKey: null, allowsCounterReset: true }, null)
    expect(await box.network.server.take(box.heard(sensor.frame(utf8('a'), { fCnt: 0, isConfirmed: true })))).toMatchObject({ kind: 'reading', reading: { fCnt: 0 } })
    await box.pass(1_200)
    expect(sensor.hear(box.air.sent[0]?.window.phy as Uint8Array)?.fCnt).toBe(40)
    expect(await box.network.server.take(box.heard(sensor.frame(utf8('b'), { fCnt: 1 })))).toMatchObject({ kind: 'reading', reading: { fCnt: 1 } })
  })

  it('of two devices with one address belongs to the one whose key fits', async () => {
    box = await new Box().open()
    const sensor = await abp()
    const others = Array.from({ length: 70 }, (_, index) => new Sensor((0xa000 + index).toString(16).padStart(16, '0'), KEY))
    for (const [index, other] of others.entries()) {
      const key = new Uint8Array(16).fill(index + 1)
      await box.network.devices.put({ ...otaa(other.devEui, KEY), activation: 'abp', rootKey: null }, other.session({ fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key }, DEV_ADDR))
    }
    expect(await box.network.server.take(box.heard((others[3] as Sensor).frame(utf8('x'))))).toMatchObject({ reading: { devEui: others[3]?.devEui } })
    // More than are tried in one step of the event loop: the last is found after a breath.
    const last = box.network.server.take(box.heard(sensor.frame(utf8('x'))))
    await box.pass(50)
    expect(await last).toMatchObject({ reading: { devEui: EUI } })
  })

  it('that is foreign, cut, late or downward changes nothing', async () => {
    box = await new Box().open()
    const sensor = await abp()
    const phy = sensor.frame(utf8('a'))
    expect(await box.network.server.take(box.heard(phy.map((byte, at) => (at === 12 ? byte ^ 1 : byte))))).toEqual({ kind: 'unknown' })
    expect(await box.network.server.take(box.heard(phy.subarray(0, 9)))).toMatchObject({ kind: 'refused', devEui: null })
    expect(await box.network.server.take({ ...box.heard(phy), isLate: true })).toMatchObject({ kind: 'refused' })
    expect(await box.network.server.take(box.heard(fromHex('60f17dbe4920020001f9d65d27')))).toEqual({ kind: 'unknown' })
    expect(await box.network.server.take(box.heard(phy, { modulation: { ...lora(7), bandwidthHz: 62_500 } as ReturnType<typeof lora> }))).toEqual({ kind: 'unknown' })
    expect(await box.network.server.take(box.heard(phy))).toMatchObject({ kind: 'reading' })
  })
})

describe('a device', () => {
  it('that is registered wrongly is refused, naming the field', async () => {
    box = await new Box().open()
    const { devices } = box.network
    await expect(devices.put(otaa('02', KEY), null)).rejects.toThrow(/dev-eui/)
    await expect(devices.put(otaa(EUI, KEY.subarray(1)), null)).rejects.toThrow(/app-key/)
    await expect(devices.put(otaa(EUI, KEY, { region: 'US915' }), null)).rejects.toThrow(/region/)
    await expect(devices.put(otaa(EUI, KEY, { allowsCounterReset: true }), null)).rejects.toThrow(/allows-counter-reset/)
    await expect(devices.put({ ...otaa(EUI, KEY), activation: 'abp', rootKey: null }, null)).rejects.toThrow(/session/)
    const session = new Sensor(EUI, KEY).session(ABP_KEYS, DEV_ADDR)
    await expect(devices.put({ ...otaa(EUI, KEY), activation: 'abp', rootKey: null }, { ...session, keys: { ...ABP_KEYS, nwkSEncKey: APP } })).rejects.toThrow(/three are LoRaWAN 1\.1/)
    await expect(devices.put({ ...otaa(EUI, KEY), activation: 'abp', rootKey: null }, { ...session, fCntUp: -1 })).rejects.toThrow(/fCntUp/)
    expect(devices.devices()).toEqual([])
  })

  it('that comes back under the same keys goes on counting; its keys are in no view and not in the file', async () => {
    box = await new Box().open()
    let sensor = await abp()
    await box.network.server.take(box.heard(sensor.frame(utf8('a'), { isConfirmed: true })))
    await box.pass(1_200)
    await box.network.devices.remove(EUI)
    expect(box.network.devices.device(EUI)).toBeNull()
    sensor = await abp()
    expect(box.network.devices.device(EUI)?.session).toMatchObject({ fCntUp: 1, fCntDown: 1 })
    const view = JSON.stringify(box.network.devices.devices(), (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value))
    expect(view).not.toMatch(/"(rootKey|appKey|keys)"/)
    const stored = box.store.read((tx) => tx.all<{ key: Uint8Array }>('SELECT f_nwk_s_int_key AS key FROM iot_session'))
    expect(stored.map(({ key }) => new Uint8Array(key))).not.toContainEqual(NWK)
    // Other keys may count from where they like.
    const key = new Uint8Array(16).fill(7)
    await box.network.devices.put({ ...otaa(EUI, KEY), activation: 'abp', rootKey: null }, sensor.session({ fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key }, DEV_ADDR))
    expect(box.network.devices.device(EUI)?.session).toMatchObject({ fCntUp: 0, fCntDown: 0 })
  })

  it('is offline after an hour of silence, or three of its intervals', async () => {
    box = await new Box().open()
    const sensor = await abp({ expectedIntervalSeconds: 1_800 })
    await box.network.server.take(box.heard(sensor.frame(utf8('a'))))
    box.time.advance(5_300_000)
    expect(box.network.devices.device(EUI)?.isOnline).toBe(true)
    box.time.advance(200_000)
    expect(box.network.devices.device(EUI)?.isOnline).toBe(false)
  })
})
