/** Sessions of LoRaWAN 1.1: join, RekeyInd, two counters down, the codes of both directions, ResetInd, rejoins. lora-packet is the oracle for keys and bytes. */
import loraPacket from 'lora-packet'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/base/index.ts'
import { decodeFrame } from '../../../src/iot/lorawan/index.ts'
import { networkRows } from '../../../src/iot/network/index.ts'
import type { NetworkSession } from '../../../src/iot/network/session.ts'
import type { DeviceSession, SessionKeys } from '../../../src/iot/ports.ts'
import { Box, otaa, testSeal } from './box.ts'
import { Sensor, JOIN_EUI, joined } from './sensor.ts'
import { Sensor11, joined11, speak } from './sensor-11.ts'

const NWK_KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const APP_KEY = fromHex('100f0e0d0c0b0a090807060504030201')
const OTHER_KEY = fromHex('00112233445566778899aabbccddeeff')
const EUI = '0202020202020202'
const rows = networkRows(testSeal)
let box: Box
afterEach(() => box.close())

const newSensor = (): Sensor11 => new Sensor11(EUI, NWK_KEY, APP_KEY)
const stored = (): NetworkSession => box.store.read((tx) => rows.session(tx, EUI)) as NetworkSession
const offered = (): NetworkSession | null => box.store.read((tx) => rows.offered(tx, EUI))
const send = (text: string, isConfirmed = false) => box.network.server.enqueue({ devEui: EUI, fPort: 9, payload: utf8(text), isConfirmed, asker: 'test', expiresAt: null })
const lastPhy = (): Uint8Array => box.air.sent.at(-1)?.window.phy as Uint8Array
const reversed = (bytes: Uint8Array): Buffer => Buffer.from(bytes).reverse()

/** The request is answered; what the device makes of the accept is the test's. */
async function ask(sensor: Sensor11, phy: Uint8Array): Promise<Uint8Array> {
  expect(await box.network.server.take(sensor.heardOn(box, phy))).toMatchObject({ kind: 'join', event: { refused: null } })
  const sent = box.air.sent.length
  await box.pass(5_000)
  expect(box.air.sent).toHaveLength(sent + 1)
  return lastPhy()
}

async function refusal(sensor: Sensor11, phy: Uint8Array): Promise<string | null> {
  const verdict = await box.network.server.take(sensor.heardOn(box, phy))
  expect(verdict.kind).toBe('join')
  return verdict.kind === 'join' ? verdict.event.refused : null
}

describe('a device of 1.1', () => {
  it('joins, confirms its keys, reads and is read, and after a power cut no counter comes twice', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    expect(sensor.received).toMatchObject([{ counter: 'network', commands: [{ name: 'RekeyConf', minor: 1 }, { name: 'DevStatusReq' }] }])
    expect(await speak(box, sensor, sensor.frame(utf8('one'), { fPort: 7 }))).toMatchObject({ kind: 'reading', reading: { fCnt: 1, fPort: 7, payload: utf8('one') } })
    expect(stored()).toMatchObject({ battery: 200, is11: true })
    // What the owner orders is counted apart from what the network says.
    await send('open', true)
    expect(await speak(box, sensor, sensor.frame(utf8('two'), { isConfirmed: true }))).toMatchObject({ kind: 'reading' })
    expect(sensor.received.at(-1)).toMatchObject({ counter: 'application', fCnt: 0, ack: true, isConfirmed: true, payload: utf8('open') })
    expect(await speak(box, sensor, sensor.frame(utf8('three')))).toMatchObject({ kind: 'reading' })
    expect(box.queue.at(-1)).toMatchObject({ state: 'acknowledged' })
    const before = stored()
    expect([before.fCntDown, before.aFCntDown]).toEqual([sensor.nFCntDown + 1, 1])
    await box.restart(false)
    expect([stored().fCntDown, stored().aFCntDown]).toEqual([before.fCntDown + 32, 33])
    await send('shut', true)
    expect(await speak(box, sensor, sensor.frame(utf8('four'), { isConfirmed: true }))).toMatchObject({ kind: 'reading' })
    expect(sensor.received.at(-1)).toMatchObject({ counter: 'application', fCnt: 33, ack: true, payload: utf8('shut') })
    expect(await speak(box, sensor, sensor.frame(utf8('five'), { isConfirmed: true }))).toMatchObject({ kind: 'reading' })
    expect(sensor.received.at(-1)).toMatchObject({ counter: 'network', fCnt: before.fCntDown + 32, ack: true })
    expect(box.queue.at(-1)).toMatchObject({ state: 'acknowledged' })
    expect(sensor.refused).toEqual([])
    await box.restart(true)
    expect(stored().aFCntDown).toBe(34)
  })

  it('has the keys another implementation derives, and what it is sent has the code of that one', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    const numbers = Buffer.from(sensor.lastJoinNonce.toString(16).padStart(6, '0'), 'hex')
    const theirs = loraPacket.generateSessionKeys11(Buffer.from(APP_KEY), Buffer.from(NWK_KEY), Buffer.from(JOIN_EUI, 'hex'), numbers, Buffer.from('0000', 'hex'))
    const keys = box.store.read((tx) => rows.sessionKeys(tx, EUI, stored().number)) as SessionKeys
    expect([keys.fNwkSIntKey, keys.sNwkSIntKey, keys.nwkSEncKey, keys.appSKey].map(toHex)).toEqual([theirs.FNwkSIntKey, theirs.SNwkSIntKey, theirs.NwkSEncKey, theirs.AppSKey].map((key) => key.toString('hex')))
    await send('yes')
    await speak(box, sensor, sensor.frame(utf8('open?'), { isConfirmed: true }))
    const down = loraPacket.fromWire(Buffer.from(lastPhy()))
    expect(loraPacket.verifyMIC(down, theirs.FNwkSIntKey, theirs.SNwkSIntKey, undefined, reversed(fromHex('0001')))).toBe(true)
    expect(loraPacket.verifyMIC(down, theirs.FNwkSIntKey, theirs.SNwkSIntKey, undefined, reversed(fromHex('0002')))).toBe(false)
    expect(loraPacket.decrypt(down, theirs.AppSKey, theirs.NwkSEncKey).toString()).toBe('yes')
  })

  it('of the published vectors says RekeyInd, and its session is in use', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    await joined11(box, newSensor())
    const keys: SessionKeys = {
      fNwkSIntKey: fromHex('07c105892e1bbb7f7101d13a5f78249b'), sNwkSIntKey: fromHex('f9162a2fcf6e70867cee523249282844'),
      nwkSEncKey: fromHex('a5406d11c50850c965c2545ad81980a7'), appSKey: fromHex('38034b6efc87cf9c40ac0b45b460d395'),
    }
    const before = stored()
    const number = before.number + 1
    await box.store.turn((tx) => rows.offerSession(tx, { ...before, number, devAddr: 0xe0109867, fCntUp: 0, fCntDown: 0, aFCntDown: 0 }, keys))
    const slow = { kind: 'lora', spreadingFactor: 12, bandwidthHz: 125_000, codingRate: '4/5' } as const
    const phy = fromHex('40679810e080000000c2c5248de748')
    // It was sent on the second channel, and its code says so.
    expect(await box.network.server.take(box.heard(phy, { modulation: slow }))).toEqual({ kind: 'unknown' })
    expect(await box.network.server.take(box.heard(phy, { modulation: slow, frequencyHz: 868_300_000 }))).toMatchObject({ kind: 'mac' })
    expect(stored()).toMatchObject({ number, devAddr: 0xe0109867, fCntUp: 1 })
  })

  it('keeps the session it has until it speaks under the new one, and then has only that', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    await speak(box, sensor, sensor.frame(utf8('old')))
    const before = stored()
    // Two accepts it does not hear, and goes on as it was.
    const old = { keys: sensor.keys as SessionKeys, devAddr: sensor.devAddr, fCntUp: sensor.fCntUp }
    await ask(sensor, sensor.joinRequest())
    const lost = offered()?.devAddr
    const accept = await ask(sensor, sensor.joinRequest())
    expect(await speak(box, sensor, sensor.frame(utf8('still the old one')))).toMatchObject({ kind: 'reading' })
    expect(stored()).toMatchObject({ number: before.number, devAddr: before.devAddr })
    expect(offered()?.devAddr).not.toBe(lost)
    expect(sensor.accept(accept)).toBe(true)
    // The device must say that it has new keys, in its first frame and in each until that is confirmed.
    const number = offered()?.number
    expect(await box.network.server.take(box.heard(sensor.frame(utf8('no word of it'), { withoutRekeyInd: true })))).toMatchObject({ kind: 'refused', why: expect.stringMatching(/RekeyInd/) })
    expect(stored().number).toBe(before.number)
    expect(await speak(box, sensor, sensor.frame(utf8('new')))).toMatchObject({ kind: 'reading' })
    expect(stored()).toMatchObject({ number, devAddr: sensor.devAddr, fCntUp: 2 })
    expect(offered()).toBeNull()
    expect(sensor.mustSay).toBeNull()
    const past = new Sensor11(EUI, NWK_KEY, APP_KEY)
    past.start(old.keys, old.devAddr)
    expect(await box.network.server.take(box.heard(past.frame(utf8('late'), { fCnt: old.fCntUp + 5 })))).toEqual({ kind: 'unknown' })
  })

  it('whose RekeyConf was lost says RekeyInd again and is answered again', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await box.network.devices.put(sensor.registered(), null)
    expect(sensor.accept(await ask(sensor, sensor.joinRequest()))).toBe(true)
    for (let round = 0; round < 3; round++) {
      expect(await box.network.server.take(box.heard(sensor.frame(utf8('x'))))).toMatchObject({ kind: 'reading' })
      await box.pass(3_000, 100)
    }
    expect(sensor.mustSay).not.toBeNull()
    for (const { window } of box.air.sent) if (decodeFrame(window.phy).type === 'data') sensor.hear(window.phy)
    expect(sensor.received.map(({ commands }) => commands[0]?.name)).toEqual(['RekeyConf', 'RekeyConf', 'RekeyConf'])
    await speak(box, sensor, sensor.frame(utf8('y')))
    expect(sensor.refused).toEqual([])
  })

  it('is not let in a second time with the same request, nor with other keys, nor after it was heard', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    sensor.devNonce = 7
    const request = sensor.joinRequest()
    await box.network.devices.put(sensor.registered(), null)
    const accept = await ask(sensor, request)
    const stranger = new Sensor11(EUI, OTHER_KEY, APP_KEY)
    stranger.devNonce = 8
    expect(stranger.accept(accept)).toBe(false)
    expect(sensor.accept(accept)).toBe(true)
    // A device takes no accept twice: JoinNonce only rises.
    expect(sensor.accept(accept)).toBe(false)
    const first = sensor.frame(utf8('first'))
    await speak(box, sensor, first)
    await box.restart(true)
    expect(await refusal(sensor, request)).toMatch(/DevNonce 7 is not greater/)
    expect(await refusal(sensor, sensor.joinRequest(6))).toMatch(/DevNonce 6 is not greater/)
    expect(await refusal(sensor, new Sensor11(EUI, OTHER_KEY, APP_KEY).joinRequest(99))).toMatch(/MIC wrong.*NwkKey/)
    expect(offered()).toBeNull()
    await speak(box, sensor, sensor.frame(utf8('second')))
    expect(await box.network.server.take(box.heard(first))).toMatchObject({ kind: 'refused', why: expect.stringMatching(/used before/) })
    const broken = sensor.frame(utf8('third'))
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1
    expect(await box.network.server.take(box.heard(broken))).toEqual({ kind: 'unknown' })
  })

  it('says on which channel it sent: also on one that the accept told it of', async () => {
    box = await new Box({ wishes: { hasAdr: false, extraChannelsHz: [867_100_000, 867_300_000] } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    expect(sensor.frequencies).toHaveLength(5)
    expect(await speak(box, sensor, sensor.frame(utf8('a'), { channel: 4 }), 4)).toMatchObject({ kind: 'reading' })
    expect(await speak(box, sensor, sensor.frame(utf8('b'), { channel: 3 }), 4)).toEqual({ kind: 'unknown' })
  })

  it('that repeats a confirmed frame on another channel is answered again and read once; its ACK is for one downlink and no other', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    await speak(box, sensor, sensor.frame(utf8('status')))
    await send('first', true)
    await speak(box, sensor, sensor.frame(utf8('x')))
    const acked = sensor.toAck
    expect(acked).toBe(0)
    const again = { fCnt: sensor.fCntUp, isConfirmed: true }
    // The frame with the ACK; its answer, another confirmed one, is not heard.
    await send('second', true)
    const phy = sensor.frame(utf8('y'), again)
    expect(await box.network.server.take(sensor.heardOn(box, phy))).toMatchObject({ kind: 'reading' })
    expect(box.queue.filter(({ state }) => state === 'acknowledged')).toHaveLength(1)
    await box.pass(3_000, 100)
    sensor.toAck = acked
    expect(await box.network.server.take(sensor.heardOn(box, sensor.frame(utf8('y'), { ...again, channel: 2 }), 2))).toMatchObject({ kind: 'repeated' })
    await box.pass(3_000, 100)
    expect(sensor.hear(lastPhy())).toMatchObject({ ack: true })
    sensor.fCntUp++
    // An ACK of the first is none of the second, which goes out again.
    sensor.toAck = acked
    expect(await speak(box, sensor, sensor.frame(utf8('z')))).toMatchObject({ kind: 'reading' })
    expect(box.queue.filter(({ state }) => state === 'acknowledged')).toHaveLength(1)
    expect(sensor.received.at(-1)).toMatchObject({ payload: utf8('second'), isConfirmed: true })
    expect(await speak(box, sensor, sensor.frame(utf8('done')))).toMatchObject({ kind: 'reading' })
    expect(box.queue.filter(({ state }) => state === 'acknowledged')).toHaveLength(2)
    expect(sensor.refused).toEqual([])
  })

  it('that listens always is sent nothing under new keys before it has spoken under them', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await box.network.devices.put(sensor.registered({ deviceClass: 'C' }), null)
    await send('on')
    expect(sensor.accept(await ask(sensor, sensor.joinRequest()))).toBe(true)
    const sent = box.air.sent.length
    await box.pass(20_000, 200)
    expect(box.air.sent).toHaveLength(sent)
    expect(await speak(box, sensor, sensor.frame(null))).toMatchObject({ kind: 'mac' })
    expect(sensor.received.at(-1)).toMatchObject({ counter: 'application', fCnt: 0, payload: utf8('on'), commands: [{ name: 'RekeyConf' }, { name: 'DevStatusReq' }] })
    await box.pass(10_000, 200)
    await send('off')
    await box.pass(10_000, 200)
    expect(sensor.hear(lastPhy())).toMatchObject({ counter: 'application', fCnt: 1, payload: utf8('off') })
    expect(sensor.refused).toEqual([])
  })

  it('registered as 1.0.4 with its NwkKey falls back to a session of 1.0', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await box.network.devices.put(otaa(EUI, NWK_KEY, { macVersion: '1.0.4' }), null)
    expect(sensor.accept(await ask(sensor, sensor.joinRequest()))).toBe(true)
    expect([sensor.ciphers?.is11, sensor.mustSay]).toEqual([false, null])
    await send('down')
    expect(await speak(box, sensor, sensor.frame(utf8('up'), { isConfirmed: true }))).toMatchObject({ kind: 'reading', reading: { payload: utf8('up') } })
    expect(sensor.received).toMatchObject([{ counter: 'network', payload: utf8('down'), ack: true }])
    expect(stored()).toMatchObject({ is11: false, fCntDown: 1, aFCntDown: 0 })
    // Registered as 1.1 by now, it goes on as it began until it joins again; and back.
    await box.network.devices.put(sensor.registered(), null)
    expect(await speak(box, sensor, sensor.frame(utf8('still')))).toMatchObject({ kind: 'reading' })
    expect(sensor.accept(await ask(sensor, sensor.joinRequest()))).toBe(true)
    expect(await speak(box, sensor, sensor.frame(utf8('now')))).toMatchObject({ kind: 'reading' })
    expect(stored()).toMatchObject({ is11: true })
  })

  it('needs both root keys, and counters that never start again', async () => {
    box = await new Box().open()
    const sensor = newSensor()
    await expect(box.network.devices.put(sensor.registered({ appKey: null }), null)).rejects.toThrow(/app-key.*beside the NwkKey/)
    await expect(box.network.devices.put(sensor.registered({ rootKey: null }), null)).rejects.toThrow(/nwk-key/)
    await expect(box.network.devices.put(sensor.registered({ macVersion: '1.0.4' }), null)).rejects.toThrow(/second key/)
    await expect(box.network.devices.put(sensor.registered({ activation: 'abp', appKey: null, rootKey: null, allowsCounterReset: true }), null)).rejects.toThrow(/never start again/)
  })
})

describe('a device of 1.1 with a fixed session', () => {
  const KEYS: SessionKeys = { fNwkSIntKey: new Uint8Array(16).fill(1), sNwkSIntKey: new Uint8Array(16).fill(2), nwkSEncKey: new Uint8Array(16).fill(3), appSKey: new Uint8Array(16).fill(4) }
  const ADDRESS = 0x01020304

  async function abp(counters: Partial<DeviceSession> = {}): Promise<Sensor11> {
    const sensor = newSensor()
    sensor.start(KEYS, ADDRESS)
    sensor.mustSay = { name: 'ResetInd', minor: 1 }
    await box.network.devices.put(sensor.registered({ activation: 'abp', rootKey: null, appKey: null }), { ...new Sensor(EUI, NWK_KEY).session(KEYS, ADDRESS), ...counters })
    return sensor
  }

  it('says ResetInd until it is confirmed, and is taken to have what it was made with', async () => {
    box = await new Box({ wishes: { hasAdr: false, rxDelaySeconds: 2, extraChannelsHz: [867_100_000] } }).open()
    const sensor = await abp()
    expect(await speak(box, sensor, sensor.frame(utf8('a')))).toMatchObject({ kind: 'reading', reading: { payload: utf8('a') } })
    expect(sensor.received[0]).toMatchObject({ counter: 'network', fCnt: 0, commands: expect.arrayContaining([{ name: 'ResetConf', minor: 1 }]) })
    for (let round = 0; round < 3; round++) await speak(box, sensor, sensor.frame(utf8('b')))
    expect(stored()).toMatchObject({ rxDelaySeconds: 2, is11: true })
    expect(stored().channels).toHaveLength(4)
    const { fCntUp, fCntDown } = stored()
    // The battery was changed: counters go on, the rest is as it was made.
    sensor.mustSay = { name: 'ResetInd', minor: 1 }
    const phy = sensor.frame(utf8('c'))
    expect(await box.network.server.take(sensor.heardOn(box, phy))).toMatchObject({ kind: 'reading' })
    expect(stored()).toMatchObject({ rxDelaySeconds: 1, fCntUp: fCntUp + 1, fCntDown })
    expect(stored().channels).toHaveLength(3)
    await box.pass(3_000, 100)
    expect(sensor.hear(lastPhy())?.commands).toContainEqual({ name: 'ResetConf', minor: 1 })
    expect(sensor.refused).toEqual([])
  })

  it('registered again under the same keys never has a counter twice, also when it was removed in between', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = await abp({ aFCntDown: 40, fCntDown: 20 })
    sensor.aFCntDown = 39
    sensor.nFCntDown = 19
    await send('x')
    await speak(box, sensor, sensor.frame(utf8('a')))
    expect(sensor.received.at(-1)).toMatchObject({ counter: 'application', fCnt: 40 })
    await box.network.devices.remove(EUI)
    await abp()
    expect([stored().fCntUp, stored().fCntDown, stored().aFCntDown]).toEqual([1, 20, 41])
    await expect(box.network.devices.put(sensor.registered({ macVersion: '1.0.4', activation: 'abp', rootKey: null, appKey: null }), null)).rejects.toThrow(/session/)
    await expect(box.network.devices.put(sensor.registered({ macVersion: '1.0.4', activation: 'abp', rootKey: null, appKey: null }), new Sensor(EUI, NWK_KEY).session(KEYS, ADDRESS))).rejects.toThrow(/three network keys/)
  })
})

describe('a rejoin', () => {
  it.each([0, 1, 2] as const)('of type %i offers a session under new keys; the old one goes on until the new one is used', async (rejoinType) => {
    box = await new Box({ wishes: { hasAdr: false, rxDelaySeconds: 3, extraChannelsHz: [867_100_000] } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    await speak(box, sensor, sensor.frame(utf8('status')))
    const before = stored()
    const oldKeys = sensor.keys
    // The first accept is lost.
    await ask(sensor, sensor.rejoinRequest(rejoinType, 3))
    expect(await speak(box, sensor, sensor.frame(utf8('on')))).toMatchObject({ kind: 'reading' })
    const count = 4
    const accept = await ask(sensor, sensor.rejoinRequest(rejoinType, count))
    expect(sensor.accept(accept, { rejoinType: rejoinType === 2 ? 0 : 2, count })).toBe(false)
    expect(sensor.accept(accept, { rejoinType, count: 3 })).toBe(false)
    expect(sensor.accept(accept, { rejoinType, count })).toBe(true)
    expect(sensor.keys).not.toEqual(oldKeys)
    expect(sensor.devAddr).not.toBe(before.devAddr)
    expect(sensor.frequencies).toHaveLength(4)
    expect(await speak(box, sensor, sensor.frame(utf8('new'), { channel: 3 }), 3)).toMatchObject({ kind: 'reading', reading: { fCnt: 0 } })
    expect(sensor.mustSay).toBeNull()
    expect(stored()).toMatchObject({ devAddr: sensor.devAddr, fCntUp: 1, rxDelaySeconds: 3, battery: rejoinType === 2 ? 200 : null })
    expect(sensor.refused).toEqual([])
  })

  it('that was heard before, or has a lower count, is refused; RJcount0 starts again with a session, RJcount1 never', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await joined11(box, sensor)
    const requests = ([0, 1] as const).map((type) => ({ type, phy: sensor.rejoinRequest(type, 9) }))
    for (const { phy } of requests) await ask(sensor, phy)
    await box.restart(false)
    for (const { phy, type } of requests) expect(await refusal(sensor, phy)).toMatch(new RegExp(`RJcount${type} 9 is not greater`))
    expect(await refusal(sensor, sensor.rejoinRequest(2, 9))).toMatch(/RJcount0 9 is not greater/)
    const count = 10
    const accept = await ask(sensor, sensor.rejoinRequest(0, count))
    const past = { keys: sensor.keys as SessionKeys, devAddr: sensor.devAddr }
    const old = sensor.rejoinRequest(0, 11)
    expect(sensor.accept(accept, { rejoinType: 0, count })).toBe(true)
    await speak(box, sensor, sensor.frame(null))
    await ask(sensor, sensor.rejoinRequest(0, 0))
    expect(await refusal(sensor, sensor.rejoinRequest(1, 9))).toMatch(/RJcount1 9 is not greater/)
    // Of the session before.
    expect(past.devAddr).not.toBe(sensor.devAddr)
    expect(await refusal(sensor, old)).toMatch(/MIC wrong/)
    // The owner may let a device in that lost count.
    await box.network.devices.forgetDevNonces(EUI)
    await ask(sensor, sensor.rejoinRequest(1, 9))
  })

  it('under other keys, of another network or JoinEUI, without a session, or of a device of 1.0, is refused with the reason; a stranger is unknown', async () => {
    box = await new Box({ wishes: { hasAdr: false } }).open()
    const sensor = newSensor()
    await box.network.devices.put(sensor.registered(), null)
    expect(await refusal(sensor, new Sensor11(EUI, OTHER_KEY, APP_KEY).rejoinRequest(1))).toMatch(/MIC wrong.*NwkKey/)
    expect(await refusal(sensor, sensor.rejoinRequest(1, 0, '0909090909090909'))).toMatch(/JoinEUI 0909090909090909/)
    sensor.start({ fNwkSIntKey: OTHER_KEY, sNwkSIntKey: OTHER_KEY, nwkSEncKey: OTHER_KEY, appSKey: OTHER_KEY }, 1)
    expect(await refusal(sensor, sensor.rejoinRequest(0))).toMatch(/without a session of 1\.1/)
    sensor.devNonce = 1
    await joined11(box, sensor)
    sensor.netId = 0x13
    expect(await refusal(sensor, sensor.rejoinRequest(2))).toMatch(/NetID 000013/)
    sensor.netId = 0
    const wrong = sensor.rejoinRequest(0)
    wrong[18] = (wrong[18] ?? 0) ^ 1
    expect(await refusal(sensor, wrong)).toMatch(/MIC wrong/)
    const old = new Sensor('0303030303030303', OTHER_KEY)
    await joined(box, old)
    expect(await refusal(sensor, new Sensor11(old.devEui, OTHER_KEY, APP_KEY).rejoinRequest(1))).toMatch(/1\.0\.3 is registered/)
    expect(await box.network.server.take(sensor.heardOn(box, new Sensor11('0404040404040404', OTHER_KEY, APP_KEY).rejoinRequest(1)))).toEqual({ kind: 'unknown' })
    const asked = box.air.asked.length
    await box.pass(7_000)
    expect(box.air.asked.slice(asked).filter(({ purpose }) => purpose === 'join')).toEqual([])
  })
})
