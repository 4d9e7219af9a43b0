/** Joins and first answers in every region: windows, lists of channels, dwell limits, masks. */
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/base/index.ts'
import { AesKey, decodeFrame, makeJoinRequest, openData, openJoinAccept, openSessionKeys, readDownCommands, regionNamed, sealData, sessionKeys10, timeOnAirUs, writeUpCommands } from '../../../src/iot/lorawan/index.ts'
import type { JoinAccept, UpCommand } from '../../../src/iot/lorawan/index.ts'
import type { NetworkWishes } from '../../../src/iot/network/index.ts'
import type { Device, Modulation, TxWindow } from '../../../src/iot/ports.ts'
import { Box, otaa } from './box.ts'

const KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const EUI = '0202020202020202'
let box: Box
afterEach(() => box.close())

const rateOf = (region: string, dataRate: number): Modulation => regionNamed(region).dataRates[dataRate]?.modulation as Modulation

async function join(wishes: Partial<NetworkWishes> & { region: string }, up: { hz: number; dataRate: number }, more: Partial<Device> = {}): Promise<{ accept: JoinAccept; windows: readonly TxWindow[] }> {
  box = await new Box({ wishes }).open()
  await box.network.devices.put(otaa(EUI, KEY, { region: wishes.region, ...more }), null)
  const phy = makeJoinRequest(new AesKey(KEY), { joinEui: '0101010101010101', devEui: EUI, devNonce: 1 })
  await box.network.server.take(box.heard(phy, { frequencyHz: up.hz, modulation: rateOf(wishes.region, up.dataRate) }))
  await box.pass(5_000)
  const windows = box.air.asked.at(-1)?.windows ?? []
  const { accept, isMicRight } = openJoinAccept(new AesKey(KEY), windows[0]?.phy as Uint8Array)
  expect(isMicRight).toBe(true)
  return { accept, windows }
}

/** One frame of the joined device and what it is told. */
async function say(accept: JoinAccept, region: string, up: { hz: number; dataRate: number; fCnt: number; commands?: readonly UpCommand[] }) {
  const keys = openSessionKeys(sessionKeys10(KEY, { joinNonce: accept.joinNonce, netId: accept.netId, devNonce: 1 }), false)
  const phy = sealData(keys, { direction: 'up', isConfirmed: true, devAddr: accept.devAddr, adr: true, adrAckReq: false, ack: false, bit4: false, fCnt32: up.fCnt, fOpts: writeUpCommands(up.commands ?? []), fPort: 1, frmPayload: utf8('x') })
  expect(await box.network.server.take(box.heard(phy, { frequencyHz: up.hz, modulation: rateOf(region, up.dataRate), snrDb: -4 }))).toMatchObject({ kind: 'reading', reading: { dataRate: up.dataRate } })
  await box.pass(3_000)
  const windows = box.air.asked.at(-1)?.windows ?? []
  const frame = decodeFrame(windows[0]?.phy as Uint8Array)
  if (frame.type !== 'data') throw new Error('no data frame')
  return { windows, commands: readDownCommands(openData(keys, frame, frame.fCnt16).fOpts).commands }
}

describe.each([
  ['EU868', 868_300_000, 5, [[868_300_000, 5], [869_525_000, 0]]],
  ['US915', 903_900_000, 3, [[923_300_000, 13], [923_300_000, 8]]],
  ['AS923', 923_400_000, 3, [[923_400_000, 3], [923_200_000, 2]]],
  ['AS923-2', 921_400_000, 5, [[921_400_000, 5], [921_400_000, 2]]],
  ['CN470', 470_500_000, 4, [[500_500_000, 4], [505_300_000, 0]]],
  ['IN865', 865_402_500, 5, [[865_402_500, 5], [866_550_000, 2]]],
] as [string, number, number, [number, number][]][])('%s', (region, hz, dataRate, expected) => {
  it('answers a join and a confirmed frame where the device listens, within power and dwell', async () => {
    const { accept, windows } = await join({ region }, { hz, dataRate })
    const answered = await say(accept, region, { hz, dataRate, fCnt: 0 })
    for (const sent of [windows, answered.windows]) {
      expect(sent.map((window) => [window.frequencyHz, window.modulation])).toEqual(expected.map(([at, rate]) => [at, rateOf(region, rate)]))
      for (const window of sent) {
        expect(window.powerDbm).toBeLessThanOrEqual(regionNamed(region).maxEirpDbm)
        if (regionNamed(region).defaultDwell.down) expect(timeOnAirUs(window.modulation, window.phy.length, window)).toBeLessThanOrEqual(400_000)
      }
    }
  })
})

it('AS923: a list of channels that would make the accept too long is told afterwards instead', async () => {
  const { accept } = await join({ region: 'AS923', extraChannelsHz: [923_600_000] }, { hz: 923_200_000, dataRate: 2 })
  expect(accept.cfList).toBeNull()
  const { commands } = await say(accept, 'AS923', { hz: 923_200_000, dataRate: 5, fCnt: 0 })
  expect(commands).toContainEqual({ name: 'NewChannelReq', channel: 2, frequencyHz: 923_600_000, minDataRate: 0, maxDataRate: 5 })
})

it('US915: a device of 1.0.3 learns its eight channels in the accept, one of 1.0.2 by masks, and the server knows when it has', async () => {
  const channelsOn = Array.from({ length: 72 }, (_, index) => (index >= 8 && index < 16) || index === 65)
  const new3 = await join({ region: 'US915', channelsOn }, { hz: 903_900_000, dataRate: 0 })
  expect(new3.accept.cfList).toEqual({ kind: 'masks', masks: [0xff00, 0, 0, 0, 2, 0] })
  expect(box.network.devices.device(EUI)?.session?.channels.filter((channel) => channel?.isEnabled)).toHaveLength(9)
  await box.close()
  const { accept } = await join({ region: 'US915', channelsOn, hasAdr: false }, { hz: 903_900_000, dataRate: 0 }, { macVersion: '1.0.2' })
  const { commands } = await say(accept, 'US915', { hz: 903_900_000, dataRate: 3, fCnt: 0 })
  const masks = commands.filter((command) => command.name === 'LinkADRReq')
  expect(masks.length).toBeGreaterThan(0)
  await say(accept, 'US915', { hz: 903_900_000, dataRate: 3, fCnt: 1, commands: masks.map(() => ({ name: 'LinkADRAns', channelMaskAck: 1, dataRateAck: 1, powerAck: 1 })) })
  expect(box.network.devices.device(EUI)?.session?.channels.flatMap((channel, index) => (channel?.isEnabled === true ? [index] : []))).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 65])
})
