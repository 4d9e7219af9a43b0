import gw from '@chirpstack/chirpstack-api/gw/gw_pb.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex, toHex } from '../../../src/base/index.ts'
import { connState, downlinkFrame, downlinkTxAck, gatewayStats, uplinkFrame } from '../../../src/iot/mqtt/chirpstack/messages.ts'
import type { CodingRate, TxStatus } from '../../../src/iot/ports.ts'
import { GATEWAY, copy, heard } from './frames.ts'

const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())

describe('an uplink for ChirpStack', () => {
  it('has the bytes of the reference', () => {
    expect(toHex(uplinkFrame(heard(), copy(), 123, 'protobuf'))).toBe(
      '0a1140f17dbe4900020001954378762b11ff0d221208a0cff89d03120a1a0808c8d007100728012a2f0a1030313663303031666631306132303335107b30c7ffffffffffffffff013d0000104140026a0470e00000800102',
    )
  })

  it('is the same JSON as proto3 says', () => {
    expect(json(uplinkFrame(heard(), copy({ utcMs: 1_700_000_000_123, gpsTimeMs: 1_384_035_218_123, fineTimeNs: 5, snrDb: 9.2 }), 123, 'json'))).toEqual({
      phyPayload: 'QPF9vkkAAgABlUN4disR/w0=',
      txInfo: { frequency: 868_100_000, modulation: { lora: { bandwidth: 125_000, spreadingFactor: 7, codeRate: 'CR_4_5' } } },
      rxInfo: { gatewayId: GATEWAY, uplinkId: 123, gwTime: '2023-11-14T22:13:20.123Z', timeSinceGpsEpoch: '1384035218.123s', fineTimeSinceGpsEpoch: '1384035218.000000005s', rssi: -57, snr: 9.2, channel: 2, context: 'cOAAAA==', crcStatus: 'CRC_OK' },
    })
  })

  it('leaves out a time that no calendar has', () => {
    expect(json(uplinkFrame(heard(), copy({ utcMs: 1e300 }), 1, 'json'))).not.toHaveProperty('rxInfo.gwTime')
    expect(gw.UplinkFrame.deserializeBinary(uplinkFrame(heard(), copy({ utcMs: -1e300 }), 1, 'protobuf')).getRxInfo()?.hasGwTime()).toBe(false)
  })

  it('is read by ChirpStack\'s own decoder, whatever is in it', () => {
    const modulation = fc.oneof(
      fc.record({ kind: fc.constant('lora' as const), spreadingFactor: fc.integer({ min: 5, max: 12 }), bandwidthHz: fc.constantFrom(125_000, 250_000, 500_000), codingRate: fc.constantFrom<CodingRate>('4/5', '4/6', '4/7', '4/8', '4/5LI', '4/6LI', '4/8LI') }),
      fc.record({ kind: fc.constant('fsk' as const), bitsPerSecond: fc.integer({ min: 600, max: 300_000 }), deviationHz: fc.integer({ min: 0, max: 100_000 }) }),
      fc.record({ kind: fc.constant('lr-fhss' as const), widthHz: fc.constantFrom(137_000, 336_000), codingRate: fc.constantFrom<CodingRate>('1/3', '2/3'), gridSteps: fc.integer({ min: 0, max: 255 }) }),
    )
    fc.assert(
      fc.property(
        fc.record({
          phy: fc.uint8Array({ minLength: 1, maxLength: 255 }),
          modulation,
          frequencyHz: fc.integer({ min: 100_000_000, max: 2_500_000_000 }),
          rssi: fc.option(fc.integer({ min: -200, max: 20 })),
          snr: fc.option(fc.integer({ min: -320, max: 200 }).map((tenth) => tenth / 10)),
          uplinkId: fc.nat({ max: 0xffff_ffff }),
          context: fc.uint8Array({ maxLength: 40 }),
          places: fc.tuple(fc.nat({ max: 63 }), fc.nat({ max: 3 }), fc.nat({ max: 7 }), fc.nat({ max: 7 })),
          utcMs: fc.option(fc.integer({ min: 0, max: 4e12 })),
          gpsTimeMs: fc.option(fc.integer({ min: 0, max: 4e12 })),
        }),
        ({ phy, modulation: how, frequencyHz, rssi, snr, uplinkId, context, places: [channel, radio, board, antenna], utcMs, gpsTimeMs }) => {
          const bytes = uplinkFrame(heard({ phy, modulation: how, frequencyHz }), copy({ rssiDbm: rssi, snrDb: snr, time: { kind: 'foreign', context }, channel, radio, board, antenna, utcMs, gpsTimeMs }), uplinkId, 'protobuf')
          const frame = gw.UplinkFrame.deserializeBinary(bytes)
          const rx = frame.getRxInfo()!
          const sent = frame.getTxInfo()!.getModulation()!
          expect(toHex(frame.getPhyPayload_asU8())).toBe(toHex(phy))
          expect(toHex(rx.getContext_asU8())).toBe(toHex(context))
          expect([frame.getTxInfo()!.getFrequency(), rx.getGatewayId(), rx.getUplinkId(), rx.getRssi(), rx.getSnr(), rx.getCrcStatus()]).toEqual([frequencyHz, GATEWAY, uplinkId, rssi ?? 0, Math.fround(snr ?? 0), gw.CRCStatus.CRC_OK])
          expect([rx.getChannel(), rx.getRfChain(), rx.getBoard(), rx.getAntenna()]).toEqual([channel, radio, board, antenna])
          expect(rx.getGwTime()?.toDate().getTime() ?? null).toBe(utcMs)
          const gps = rx.getTimeSinceGpsEpoch()
          expect(gps === undefined ? null : gps.getSeconds() * 1_000 + gps.getNanos() / 1e6).toBe(gpsTimeMs)
          if (how.kind === 'lora') expect([sent.getLora()!.getSpreadingFactor(), sent.getLora()!.getBandwidth()]).toEqual([how.spreadingFactor, how.bandwidthHz])
          else if (how.kind === 'fsk') expect([sent.getFsk()!.getDatarate(), sent.getFsk()!.getFrequencyDeviation()]).toEqual([how.bitsPerSecond, how.deviationHz])
          else expect([sent.getLrFhss()!.getOperatingChannelWidth(), sent.getLrFhss()!.getGridSteps()]).toEqual([how.widthHz, how.gridSteps])
          // The same fields in the same order: the reference writes what it read as we wrote it.
          expect(toHex(frame.serializeBinary())).toBe(toHex(bytes))
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('state, stats and answers for ChirpStack', () => {
  it('are read by its own decoder', () => {
    for (const isOnline of [true, false]) {
      const state = gw.ConnState.deserializeBinary(connState(GATEWAY, isOnline, 'protobuf'))
      expect([state.getGatewayId(), state.getState()]).toEqual([GATEWAY, isOnline ? gw.ConnState.State.ONLINE : gw.ConnState.State.OFFLINE])
    }
    expect(json(connState(GATEWAY, false, 'json'))).toEqual({ gatewayId: GATEWAY })
    expect(json(connState(GATEWAY, true, 'json'))).toEqual({ gatewayId: GATEWAY, state: 'ONLINE' })

    const at = { bootId: 'b', boottimeMs: 1, wallMs: 1_700_000_000_000, wallTrusted: true }
    const stats = gw.GatewayStats.deserializeBinary(gatewayStats({ gateway: GATEWAY, at, location: { latitude: 47.1, longitude: -8.5, altitudeMeters: 400 }, received: 10, receivedOk: 9, forwarded: 9, downlinksAsked: 3, downlinksSent: 2, ackPercent: null, temperatureC: 30 }, 'protobuf'))
    expect([stats.getGatewayId(), stats.getTime()?.toDate().getTime(), stats.getRxPacketsReceived(), stats.getRxPacketsReceivedOk(), stats.getTxPacketsReceived(), stats.getTxPacketsEmitted()]).toEqual([GATEWAY, at.wallMs, 10, 9, 3, 2])
    expect([stats.getLocation()?.getLatitude(), stats.getLocation()?.getLongitude(), stats.getLocation()?.getAltitude()]).toEqual([47.1, -8.5, 400])

    const all: TxStatus[] = ['IGNORED', 'OK', 'TOO_LATE', 'TOO_EARLY', 'COLLISION_PACKET', 'COLLISION_BEACON', 'TX_FREQ', 'TX_POWER', 'GPS_UNLOCKED', 'QUEUE_FULL', 'INTERNAL_ERROR', 'DUTY_CYCLE_OVERFLOW', 'GATEWAY_AWAY']
    const ack = gw.DownlinkTxAck.deserializeBinary(downlinkTxAck(GATEWAY, 77, all, 'protobuf'))
    expect([ack.getGatewayId(), ack.getDownlinkId()]).toEqual([GATEWAY, 77])
    expect(ack.getItemsList().map((item) => item.getStatus())).toEqual(all.map((name) => (name === 'GATEWAY_AWAY' ? gw.TxAckStatus.INTERNAL_ERROR : gw.TxAckStatus[name])))
    expect(json(downlinkTxAck(GATEWAY, 77, ['TOO_LATE', 'IGNORED'], 'json'))).toEqual({ gatewayId: GATEWAY, downlinkId: 77, items: [{ status: 'TOO_LATE' }, {}] })
  })
})

function made<T>(message: T, set: (message: T) => void): T {
  set(message)
  return message
}

/** As ChirpStack makes it. */
function serverFrame(): InstanceType<typeof gw.DownlinkFrame> {
  const lora = made(new gw.Modulation(), (one) =>
    one.setLora(
      made(new gw.LoraModulationInfo(), (info) => {
        info.setBandwidth(125_000)
        info.setSpreadingFactor(9)
        info.setCodeRate(gw.CodeRate.CR_4_5)
        info.setPolarizationInversion(true)
        info.setNoCrc(true)
      }),
    ),
  )
  const fsk = made(new gw.Modulation(), (one) =>
    one.setFsk(
      made(new gw.FskModulationInfo(), (info) => {
        info.setDatarate(50_000)
        info.setFrequencyDeviation(25_000)
      }),
    ),
  )
  const rx1 = made(new gw.DownlinkTxInfo(), (tx) => {
    tx.setFrequency(868_100_000)
    tx.setPower(14)
    tx.setModulation(lora)
    // 1.5 s
    tx.setTiming(made(new gw.Timing(), (timing) => timing.setDelay(gw.DelayTimingInfo.deserializeBinary(fromHex('0a0808011080cab5ee01')))))
    tx.setContext(fromHex('70e00000'))
    tx.setBoard(1)
    tx.setAntenna(2)
  })
  const now = made(new gw.DownlinkTxInfo(), (tx) => {
    tx.setFrequency(869_525_000)
    tx.setPower(-3)
    tx.setModulation(fsk)
    tx.setTiming(made(new gw.Timing(), (timing) => timing.setImmediately(new gw.ImmediatelyTimingInfo())))
  })
  const beacon = made(new gw.DownlinkTxInfo(), (tx) => {
    tx.setFrequency(869_525_000)
    tx.setModulation(lora)
    // 1384035218.000001 s
    tx.setTiming(made(new gw.Timing(), (timing) => timing.setGpsEpoch(gw.GPSEpochTimingInfo.deserializeBinary(fromHex('0a090892e7fa930510e807')))))
  })
  return made(new gw.DownlinkFrame(), (frame) => {
    frame.setDownlinkId(0xfedc_ba98)
    frame.setGatewayId(GATEWAY)
    for (const tx of [rx1, now, beacon])
      frame.addItems(
        made(new gw.DownlinkFrameItem(), (item) => {
          item.setPhyPayload(fromHex('60aabbccdd'))
          item.setTxInfo(tx)
        }),
      )
  })
}

describe('an order of ChirpStack', () => {
  const windows = [
    { phy: fromHex('60aabbccdd'), frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 9, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14, timing: { kind: 'after', context: fromHex('70e00000'), delayUs: 1_500_000 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 1, antenna: 2 },
    { phy: fromHex('60aabbccdd'), frequencyHz: 869_525_000, modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }, powerDbm: -3, timing: { kind: 'now' }, isInverted: false, preambleSymbols: 5, hasCrc: true, board: 0, antenna: 0 },
    { phy: fromHex('60aabbccdd'), frequencyHz: 869_525_000, modulation: { kind: 'lora', spreadingFactor: 9, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 0, timing: { kind: 'gps', gpsTimeMs: 1_384_035_218_000.001 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0 },
  ]

  it('is read as it was meant, in both encodings', () => {
    expect(downlinkFrame(serverFrame().serializeBinary(), GATEWAY, 'protobuf')).toEqual({ downlinkId: 0xfedc_ba98, gateway: GATEWAY, windows })
    const lora = { bandwidth: 125_000, spreadingFactor: 9, codeRate: 'CR_4_5', polarizationInversion: true, noCrc: true }
    const text = {
      downlinkId: 0xfedc_ba98,
      gatewayId: GATEWAY,
      items: [
        { phyPayload: 'YKq7zN0=', txInfo: { frequency: 868_100_000, power: 14, modulation: { lora }, timing: { delay: { delay: '1.500s' } }, context: 'cOAAAA==', board: 1, antenna: 2 } },
        { phy_payload: 'YKq7zN0', txInfo: { frequency: '869525000', power: -3, modulation: { fsk: { datarate: 50_000, frequency_deviation: 25_000 } }, timing: { immediately: {} } } },
        { phyPayload: 'YKq7zN0=', txInfo: { frequency: 869_525_000, modulation: { lora: { ...lora, codeRate: 1 } }, timing: { gpsEpoch: { timeSinceGpsEpoch: '1384035218.000001s' } } } },
      ],
    }
    expect(downlinkFrame(Buffer.from(JSON.stringify(text)), GATEWAY, 'json')).toEqual({ downlinkId: 0xfedc_ba98, gateway: GATEWAY, windows })
  })

  it('is refused when it names another gateway than its topic, or has no windows', () => {
    expect(() => downlinkFrame(serverFrame().serializeBinary(), 'ffffffffffffffff', 'protobuf')).toThrow(expect.objectContaining({ kind: 'input', field: 'gatewayId' }))
    expect(() => downlinkFrame(made(new gw.DownlinkFrame(), (frame) => frame.setGatewayId(GATEWAY)).serializeBinary(), GATEWAY, 'protobuf')).toThrow(expect.objectContaining({ field: 'items' }))
    expect(() => downlinkFrame(new Uint8Array(20_000), GATEWAY, 'json')).toThrow(expect.objectContaining({ field: 'DownlinkFrame' }))
  })

  it('of any bytes is an order or an input error', () => {
    const whole = serverFrame().serializeBinary()
    const runs = Number(process.env.MESHBOX_FUZZ_RUNS ?? 4_000)
    const check = (bytes: Uint8Array): void => {
      for (const encoding of ['protobuf', 'json'] as const)
        try {
          downlinkFrame(bytes, GATEWAY, encoding)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: runs })
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat({ max: whole.length - 1 }), to: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 5 }), fc.nat({ max: whole.length }), (changes, cut) => {
        const bytes = whole.slice(0, cut)
        for (const { at, to } of changes) if (at < cut) bytes[at] = to
        check(bytes)
      }),
      { numRuns: runs },
    )
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => check(Buffer.from(JSON.stringify({ gatewayId: GATEWAY, items: value })))), { numRuns: 500 })
  })
})
