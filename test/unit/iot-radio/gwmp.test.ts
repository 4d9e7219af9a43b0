/** GWMP as real forwarders speak it, with their quirks; what we send to them; bytes nobody meant. MESHBOX_GWMP_FUZZ=NUMBER for more of the last. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex, fromUtf8, toHex, utf8 } from '../../../src/base/index.ts'
import { MAX_DATAGRAM_BYTES, ackFor, decodeDatagram, encodeDatagram, readPullResp, readPushData, readTxAck, slotUs, writePullResp, writeTxAck } from '../../../src/iot/radio/gwmp/index.ts'
import type { DatagramKind } from '../../../src/iot/radio/gwmp/index.ts'
import type { TxStatus, TxWindow } from '../../../src/iot/ports.ts'

const RUNS = Number(process.env.MESHBOX_GWMP_FUZZ ?? 5_000)
const GATEWAY = '0016c001ff10a235'

const RXPK = {
  time: '2013-03-31T16:21:17.528002Z', tmst: 3_512_348_611, chan: 2, rfch: 0, freq: 866.349812, stat: 1, modu: 'LORA', datr: 'SF7BW125', codr: '4/6',
  rssi: -35, lsnr: 5.1, size: 17, data: 'QPF9vkkAAgABlUN4disR/w0=',
}
const push = (json: unknown): ReturnType<typeof readPushData> => readPushData(utf8(JSON.stringify(json)))
const one = (change: object = {}) => {
  const { packets, refused } = push({ rxpk: [{ ...RXPK, ...change }] })
  return { packet: packets[0], field: refused[0]?.field }
}

/** Null when it was refused as it should be. */
function taken<T>(read: () => T): T | null {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') return null
    throw thrown
  }
}

describe('datagrams', () => {
  it.each<[string, object]>([
    [`02123400${GATEWAY}7b7d`, { version: 2, token: 0x1234, kind: 'push-data', gateway: GATEWAY, body: utf8('{}') }],
    ['02123401', { version: 2, token: 0x1234, kind: 'push-ack', gateway: null, body: new Uint8Array() }],
    [`01ffff02${GATEWAY}`, { version: 1, token: 0xffff, kind: 'pull-data', gateway: GATEWAY, body: new Uint8Array() }],
    ['020000037b7d', { version: 2, token: 0, kind: 'pull-resp', gateway: null, body: utf8('{}') }],
    ['02000104', { version: 2, token: 1, kind: 'pull-ack', gateway: null, body: new Uint8Array() }],
    [`02abcd05${GATEWAY}`, { version: 2, token: 0xabcd, kind: 'tx-ack', gateway: GATEWAY, body: new Uint8Array() }],
  ])('%s', (hex, expected) => {
    expect(decodeDatagram(fromHex(hex))).toEqual(expected)
    expect(toHex(encodeDatagram(decodeDatagram(fromHex(hex))))).toBe(hex)
  })

  it('lose NULs and blanks at the end', () => {
    expect(fromUtf8(decodeDatagram(fromHex(`02123400${GATEWAY}7b7d0a200000`)).body)).toBe('{}')
  })

  it.each([['', '4 to'], ['021234', '4 to'], ['03123400', 'version'], ['00123400', 'version'], ['02123406', 'kinds'], [`02123400${GATEWAY.slice(2)}`, 'at least 12'], ['02123402', 'at least 12']])('%s is refused', (hex, reason) => {
    expect(() => decodeDatagram(fromHex(hex))).toThrow(reason)
  })

  it('are acknowledged with their own version and token, before anything is parsed', () => {
    expect(toHex(ackFor(fromHex(`02abcd00${GATEWAY}00`)) as Uint8Array)).toBe('02abcd01')
    expect(toHex(ackFor(fromHex(`01abcd02${GATEWAY}`)) as Uint8Array)).toBe('01abcd04')
    for (const hex of ['', '02abcd00', `02abcd05${GATEWAY}`, `03abcd00${GATEWAY}`, '02abcd03', `02abcdff${GATEWAY}`]) expect(ackFor(fromHex(hex))).toBeNull()
  })

  it('come out as they went in', () => {
    const datagram = fc
      .record({ version: fc.constantFrom(1 as const, 2 as const), token: fc.nat(0xffff), kind: fc.constantFrom<DatagramKind>('push-data', 'push-ack', 'pull-data', 'pull-resp', 'pull-ack', 'tx-ack'), gateway: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex), body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(...bytes, 0x7d)) })
      .map((value) => ({ ...value, gateway: ['push-data', 'pull-data', 'tx-ack'].includes(value.kind) ? value.gateway : null }))
    fc.assert(fc.property(datagram, (value) => { expect(decodeDatagram(encodeDatagram(value))).toEqual(value) }))
  })

  it('are not made longer than UDP allows, nor with a gateway where none belongs', () => {
    expect(() => encodeDatagram({ version: 2, token: 1, kind: 'push-data', gateway: null, body: new Uint8Array() })).toThrow(/gateway/)
    expect(() => encodeDatagram({ version: 2, token: 1, kind: 'pull-ack', gateway: GATEWAY, body: new Uint8Array() })).toThrow(/gateway/)
    expect(() => encodeDatagram({ version: 2, token: 1, kind: 'pull-resp', gateway: null, body: new Uint8Array(MAX_DATAGRAM_BYTES) })).toThrow(/datagram/)
    expect(() => encodeDatagram({ version: 2, token: 65_536, kind: 'pull-ack', gateway: null, body: new Uint8Array() })).toThrow(/token/)
  })
})

describe('packets of a forwarder', () => {
  it('have frequency, modulation, time and strength', () => {
    expect(one().packet).toEqual({
      phy: fromHex('40f17dbe4900020001954378762b11ff0d'),
      frequencyHz: 866_349_800,
      modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/6' },
      crc: 'right',
      copies: [{ time: { kind: 'counter', tmstUs: 3_512_348_611 }, utcMs: Date.UTC(2013, 2, 31, 16, 21, 17, 528), gpsTimeMs: null, fineTimeNs: null, channel: 2, radio: 0, board: 0, antenna: 0, rssiDbm: -35, snrDb: 5.1 }],
    })
  })

  it.each<[string, object, object]>([
    ['float noise', { freq: 869.525024 }, { frequencyHz: 869_525_000 }],
    ['float32', { freq: 869.5250244140625 }, { frequencyHz: 869_525_000 }],
    ['a channel of IN865', { freq: 865.0625 }, { frequencyHz: 865_062_500 }],
    ['base64 without padding', { data: 'QPF9vkkAAgABlUN4disR_w0' }, { phy: fromHex('40f17dbe4900020001954378762b11ff0d') }],
    ['a size that is wrong', { size: 3 }, { phy: fromHex('40f17dbe4900020001954378762b11ff0d') }],
    ['FSK whose rate is in quotes', { modu: 'FSK', datr: '50000' }, { modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 0 } }],
    ['FSK', { modu: 'FSK', datr: 50_000, codr: undefined, lsnr: undefined }, { modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 0 } }],
    ['LR-FHSS', { modu: 'LR-FHSS', datr: 'M0CW137', codr: '4/6', hpw: 8 }, { modulation: { kind: 'lr-fhss', widthHz: 137_000, codingRate: '2/3', gridSteps: 8 } }],
    ['an old coding rate', { codr: '2/3' }, { modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/6' } }],
    ['no coding rate', { codr: undefined }, { modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' } }],
    ['no CRC', { stat: 0 }, { crc: 'none' }],
    ['a wrong CRC', { stat: -1 }, { crc: 'wrong' }],
    ['nothing said of the CRC', { stat: undefined }, { crc: 'right' }],
  ])('may come with %s', (_, change, expected) => {
    expect(one(change).packet).toMatchObject(expected)
  })

  it('may have no counter, and then cannot be answered', () => {
    expect(one({ tmst: undefined }).packet?.copies[0]?.time).toEqual({ kind: 'foreign', context: new Uint8Array() })
    expect(one({ tmst: 2 ** 32 }).packet?.copies[0]?.time.kind).toBe('foreign')
  })

  it('may say what time it is, if that is a time', () => {
    for (const time of [undefined, 5, '', 'now', '2013-03-31T16:21:17', '2013-99-31T16:21:17Z', '2013-03-31T16:21:17Z'.repeat(3)]) expect(one({ time }).packet?.copies[0]?.utcMs).toBeNull()
  })

  it('have a copy for each antenna', () => {
    const copies = one({ rssi: undefined, lsnr: undefined, ftime: 5, rsig: [{ ant: 0, chan: 7, rssic: -103, lsnr: -2 }, null, { ant: 1, chan: 23, rssic: -99, lsnr: 3.5, ftime: 6 }] }).packet?.copies
    expect(copies).toMatchObject([{ antenna: 0, channel: 7, rssiDbm: -103, snrDb: -2, fineTimeNs: 5 }, { antenna: 1, channel: 23, rssiDbm: -99, snrDb: 3.5, fineTimeNs: 6 }])
    expect(one({ rsig: Array.from({ length: 1_000 }, () => ({ ant: 1 })) }).packet?.copies).toHaveLength(16)
  })

  it.each<[string, object]>([
    ['data', { data: '' }],
    ['data', { data: 'A'.repeat(344) }],
    ['data', { data: '§§§§' }],
    ['data', { data: 17 }],
    ['freq', { freq: '868.1' }],
    ['freq', { freq: 0 }],
    ['modu', { modu: 'Fsk' }],
    ['datr', { datr: 'SF13BW125' }],
    ['datr', { datr: 50_000 }],
    ['datr', { modu: 'FSK', datr: 'SF7BW125' }],
    ['codr', { codr: '9/9' }],
    ['codr', { codr: 'toString' }],
  ])('are refused by name: %s', (field, change) => {
    expect(one(change)).toEqual({ packet: undefined, field })
  })

  it('that cannot be read take no other with them', () => {
    const { packets, refused, stats } = push({ rxpk: [RXPK, { ...RXPK, modu: 'x' }, null, 7, 'a', [], RXPK, {}], stat: { rxnb: 2 } })
    expect(packets).toHaveLength(2)
    expect(refused.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 7])
    expect(stats?.received).toBe(2)
  })

  it('are read up to 255 in a datagram', () => {
    const { packets, refused } = push({ rxpk: Array.from({ length: 300 }, () => RXPK) })
    expect([packets.length, refused]).toEqual([255, [{ index: 255, field: 'rxpk', reason: 'more than 255 packets' }]])
  })

  it('may be none', () => {
    expect(push({})).toEqual({ packets: [], refused: [], stats: null })
    expect(push({ rxpk: 'none', stat: [] })).toEqual({ packets: [], refused: [], stats: null })
    expect(() => readPushData(utf8('[]'))).toThrow(/json/)
    expect(() => readPushData(utf8('{"rxpk":[{"a":'))).toThrow(/json/)
    expect(() => readPushData(new Uint8Array())).toThrow(/json/)
  })
})

describe('what a gateway says of itself', () => {
  it('is read field by field', () => {
    expect(push({ stat: { time: '2014-01-12 08:59:28 GMT', lati: 46.24, long: 3.2523, alti: 145, rxnb: 2, rxok: 2, rxfw: 2, ackr: 100.0, dwnb: 2, txnb: 2, temp: 23.2 } }).stats).toEqual({
      location: { latitude: 46.24, longitude: 3.2523, altitudeMeters: 145 }, received: 2, receivedOk: 2, forwarded: 2, downlinksAsked: 2, downlinksSent: 2, ackPercent: 100, temperatureC: 23.2,
    })
    expect(push({ stat: { lati: 200, long: 3, rxnb: -1, ackr: 'all' } }).stats).toEqual({
      location: null, received: 0, receivedOk: 0, forwarded: 0, downlinksAsked: 0, downlinksSent: 0, ackPercent: null, temperatureC: null,
    })
  })
})

const WINDOW: TxWindow = {
  phy: fromHex('60f17dbe4920020001f9d65d27'), frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, powerDbm: 14,
  timing: { kind: 'after', time: { kind: 'counter', tmstUs: 4_294_000_000 }, arrivedMs: 0, delayUs: 1_000_000 }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0,
}

describe('packets to send', () => {
  it('have what a forwarder needs and nothing else', () => {
    expect(fromUtf8(writePullResp(WINDOW))).toBe('{"txpk":{"tmst":32704,"rfch":0,"freq":868.1,"powe":14,"modu":"LORA","datr":"SF7BW125","codr":"4/5","ipol":true,"size":13,"data":"YPF9vkkgAgAB+dZdJw==","ncrc":true}}')
    expect(JSON.parse(fromUtf8(writePullResp({ ...WINDOW, timing: { kind: 'now' }, hasCrc: true, preambleSymbols: 12, board: 1, antenna: 2, powerDbm: 14.9, frequencyHz: 865_062_500, modulation: { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 } })))).toEqual({
      txpk: { imme: true, rfch: 0, freq: 865.0625, powe: 14, modu: 'FSK', datr: 50_000, fdev: 25_000, ipol: true, prea: 12, size: 13, data: 'YPF9vkkgAgAB+dZdJw==', brd: 1, ant: 2 },
    })
  })

  it('go round with the counter', () => {
    expect(slotUs({ kind: 'after', time: { kind: 'counter', tmstUs: 2 ** 32 - 1 }, arrivedMs: 0, delayUs: 1 })).toBe(0)
    expect(slotUs({ kind: 'after', time: { kind: 'counter', tmstUs: 5 }, arrivedMs: 0, delayUs: 15_000_000 })).toBe(15_000_005)
    expect(() => slotUs({ kind: 'after', time: { kind: 'station', xtime: 1n, rctx: 0n }, arrivedMs: 0, delayUs: 1 })).toThrow(/timing: station/)
  })

  it('are read as we write them', () => {
    expect(readPullResp(writePullResp(WINDOW))).toEqual({ ...WINDOW, timing: { kind: 'counter', tmstUs: 32_704 } })
    const gps: TxWindow = { ...WINDOW, timing: { kind: 'gps', gpsTimeMs: 1_300_000_000_000 } }
    expect(readPullResp(writePullResp(gps))).toEqual(gps)
  })

  it('are read as other servers write them', () => {
    expect(readPullResp(utf8('{"txpk":{"imme":true,"freq":864.123456,"rfch":0,"powe":14,"modu":"LORA","datr":"SF11BW125","codr":"4/6","ipol":false,"prea":null,"size":32,"data":"H3P3N2i9qc4yt7rK7ldqoeCVJGBybzPY5h1Dd7P7p8v"}}'))).toMatchObject({
      timing: { kind: 'now' }, frequencyHz: 864_123_500, preambleSymbols: 8, hasCrc: true, modulation: { spreadingFactor: 11, codingRate: '4/6' },
    })
  })

  it.each<[string, object]>([['txpk', {}], ['data', { txpk: {} }], ['freq', { txpk: { data: 'AA==' } }], ['tmst', { txpk: { data: 'AA==', freq: 868.1, modu: 'LORA', datr: 'SF7BW125' } }], ['powe', { txpk: { data: 'AA==', freq: 868.1, powe: 'loud' } }]])('are refused by name: %s', (field, json) => {
    expect(() => readPullResp(utf8(JSON.stringify(json)))).toThrow(new RegExp(`^${field}:`))
  })
})

describe('what became of them', () => {
  it.each<[string, TxStatus]>([['', 'OK'], ['{"txpk_ack":{"error":"NONE"}}', 'OK'], ['{"txpk_ack":{}}', 'OK'], ['{}', 'OK'], ['{"txpk_ack":{"error":"COLLISION_PACKET"}}', 'COLLISION_PACKET'], ['{"txpk_ack":{"error":"TOO_LATE"}}', 'TOO_LATE']])('%s: %s', (json, status) => {
    expect(readTxAck(utf8(json))).toEqual({ status, unknown: null, sentWithDbm: null })
  })

  it('may be a word we do not have, or a warning', () => {
    expect(readTxAck(utf8('{"txpk_ack":{"error":"OUT_OF_COFFEE"}}'))).toEqual({ status: 'INTERNAL_ERROR', unknown: 'OUT_OF_COFFEE', sentWithDbm: null })
    expect(readTxAck(utf8('{"txpk_ack":{"error":{"toString":1}}}'))).toEqual({ status: 'INTERNAL_ERROR', unknown: 'object', sentWithDbm: null })
    expect(readTxAck(utf8('{"txpk_ack":{"warn":"TX_POWER","value":12}}'))).toEqual({ status: 'OK', unknown: null, sentWithDbm: 12 })
  })

  it('goes north in words that GWMP has', () => {
    expect(readTxAck(writeTxAck('OK')).status).toBe('OK')
    expect(readTxAck(writeTxAck('TX_FREQ')).status).toBe('TX_FREQ')
    for (const status of ['DUTY_CYCLE_OVERFLOW', 'QUEUE_FULL', 'GATEWAY_AWAY', 'INTERNAL_ERROR', 'IGNORED'] as const) expect(readTxAck(writeTxAck(status)).status).toBe('TOO_LATE')
  })
})

describe('bytes nobody meant', () => {
  it('are read or refused, envelope and JSON', () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('LORA', 'SF7BW125', '4/5', 868.1, 1, -1, 2 ** 53, 'QA=='))
    const packet = fc.dictionary(fc.constantFrom(...Object.keys(RXPK), 'rsig', 'ftime', 'tmms', 'brd', 'ant', 'hpw', 'imme', 'powe', '__proto__', 'error'), value)
    const json = fc.oneof(fc.record({ rxpk: fc.oneof(fc.array(fc.oneof(packet, packet.map((change) => ({ ...RXPK, ...change })), value)), value), stat: fc.oneof(packet, value) }), fc.record({ txpk: fc.oneof(packet, packet.map((change) => ({ ...RXPK, ...change }))) }), fc.record({ txpk_ack: fc.oneof(packet, value) }), value)
    const body = fc.oneof(json.map((one) => utf8(JSON.stringify(one))), fc.uint8Array({ maxLength: 80 }), json.chain((one) => fc.nat(200).map((cut) => utf8(JSON.stringify(one)).slice(0, cut))))
    let packets = 0
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2), fc.nat(6), body, (version, kind, bytes) => {
        const whole = Uint8Array.of(version, 0, 1, kind, ...fromHex(GATEWAY), ...bytes)
        const datagram = taken(() => decodeDatagram(whole))
        expect(ackFor(whole) !== null).toBe(version > 0 && (kind === 0 || kind === 2))
        if (datagram === null) return
        packets += taken(() => readPushData(bytes))?.packets.length ?? 0
        taken(() => readPullResp(bytes))
        taken(() => readTxAck(bytes))
      }),
      { numRuns: RUNS },
    )
    expect(packets).toBeGreaterThan(0)
  })

  it('cost no more than they are long: a whole datagram of brackets', () => {
    expect(taken(() => readPushData(new Uint8Array(60_000).fill(0x5b)))).toBeNull()
    const deep = `{"rxpk":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
    expect(taken(() => readPushData(utf8(deep)))?.refused).toHaveLength(1)
  })
})
