/** Frames of every type there and back, every bound, and bytes nobody meant. MESHBOX_LORA_FUZZ=NUMBER for more of the last. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex, toHex } from '../../../src/base/index.ts'
import { AesKey, MAX_FRM_PAYLOAD_BYTES, decodeFrame, encodeFrame, isMicRight, openData, openJoinAccept, openSessionKeys, readDownCommands, readUpCommands, sealData, sealJoinAccept } from '../../../src/iot/lorawan/index.ts'
import type { CfList, DataFrame, Frame } from '../../../src/iot/lorawan/index.ts'

const RUNS = Number(process.env.MESHBOX_LORA_FUZZ ?? 20_000)

const eui = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex)
const mic = fc.uint8Array({ minLength: 4, maxLength: 4 })
const u16 = fc.nat(0xffff)
const u24 = fc.nat(0xff_ffff)
const u32 = fc.nat(0xffff_ffff)
const key = fc.uint8Array({ minLength: 16, maxLength: 16 })

const dataFrame: fc.Arbitrary<DataFrame> = fc
  .record({
    type: fc.constant('data' as const),
    direction: fc.constantFrom('up' as const, 'down' as const),
    isConfirmed: fc.boolean(),
    devAddr: u32,
    adr: fc.boolean(),
    adrAckReq: fc.boolean(),
    ack: fc.boolean(),
    bit4: fc.boolean(),
    fCnt16: u16,
    fOpts: fc.uint8Array({ maxLength: 15 }),
    fPort: fc.option(fc.nat(255)),
    frmPayload: fc.uint8Array({ maxLength: MAX_FRM_PAYLOAD_BYTES - 15 }),
    mic,
  })
  .map((frame) => ({
    ...frame,
    adrAckReq: frame.adrAckReq && frame.direction === 'up',
    fOpts: frame.fPort === 0 ? new Uint8Array() : frame.fOpts,
    frmPayload: frame.fPort === null ? new Uint8Array() : frame.frmPayload,
  }))

const frame: fc.Arbitrary<Frame> = fc.oneof(
  dataFrame,
  fc.record({ type: fc.constant('join-request' as const), joinEui: eui, devEui: eui, devNonce: u16, mic }),
  fc.record({ type: fc.constant('join-accept' as const), sealed: fc.constantFrom(16, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })) }),
  fc.record({ type: fc.constant('rejoin-request' as const), rejoinType: fc.constantFrom(0 as const, 2 as const), netId: u24, joinEui: fc.constant(null), devEui: eui, rejoinCount: u16, mic }),
  fc.record({ type: fc.constant('rejoin-request' as const), rejoinType: fc.constant(1 as const), netId: fc.constant(null), joinEui: eui, devEui: eui, rejoinCount: u16, mic }),
  fc.record({ type: fc.constant('proprietary' as const), body: fc.uint8Array({ maxLength: 254 }) }),
)

/** Null when it was refused as it should be; anything but a MeshBoxError of kind input fails the test. */
function taken<T>(read: () => T): T | null {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') return null
    throw thrown
  }
}

describe('frames', () => {
  it('come out as they went in', () => {
    fc.assert(fc.property(frame, (value) => { expect(decodeFrame(encodeFrame(value))).toEqual(value) }), { numRuns: 2_000 })
  })

  it('give the same bytes again, but for reserved bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (bytes) => {
        bytes[0] = (bytes[0] ?? 0) & 0xe0
        const read = taken(() => decodeFrame(bytes))
        if (read === null) return
        if (read.type === 'data' && read.direction === 'down') bytes[5] = (bytes[5] ?? 0) & 0xbf
        expect(toHex(encodeFrame(read))).toBe(toHex(bytes))
      }),
      { numRuns: RUNS },
    )
  })

  it('are read or refused, whatever the bytes', () => {
    let read = 0
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => { if (taken(() => decodeFrame(bytes)) !== null) read += 1 }), { numRuns: RUNS })
    expect(read).toBeGreaterThan(0)
  })

  it('do not share memory with the datagram', () => {
    const phy = fromHex('40F17DBE4900020001954378762B11FF0D')
    const read = decodeFrame(phy) as DataFrame
    phy.fill(0)
    expect([toHex(read.frmPayload), toHex(read.mic)]).toEqual(['95437876', '2b11ff0d'])
  })

  it('leave a Buffer as it was, and keep nothing of it', () => {
    const keys = openSessionKeys({ fNwkSIntKey: new Uint8Array(16), sNwkSIntKey: new Uint8Array(16), nwkSEncKey: new Uint8Array(16), appSKey: new Uint8Array(16) }, false)
    for (const hex of ['0039363463336913AA05693574323831330489C65B1304', '40F17DBE4900020001954378762B11FF0D', 'c001'.padEnd(48, '3'), `20${'17'.repeat(16)}`, 'e00102', '40010203040300000206ff01aabbccdd']) {
      const phy = Buffer.from(hex, 'hex')
      const read = decodeFrame(phy)
      if (read.type === 'data') {
        openData(keys, { ...read, frmPayload: Buffer.from(read.frmPayload) }, 1)
        sealData(keys, { ...read, fCnt32: 1, frmPayload: phy.subarray(1, 3), fPort: 1 })
        readUpCommands(phy)
      }
      expect(phy.toString('hex')).toBe(hex.toLowerCase())
      const before = JSON.stringify(read)
      phy.fill(0)
      expect(JSON.stringify(read)).toBe(before)
    }
  })

  it('that were cut off are refused at every length, and never taken for longer ones', () => {
    const whole = encodeFrame({ type: 'data', direction: 'up', isConfirmed: false, devAddr: 1, adr: true, adrAckReq: true, ack: true, bit4: true, fCnt16: 1, fOpts: new Uint8Array(15).fill(2), fPort: 7, frmPayload: new Uint8Array(20), mic: new Uint8Array(4) })
    for (let length = 0; length < whole.length; length++) {
      const read = taken(() => decodeFrame(whole.subarray(0, length))) as DataFrame | null
      if (length < 12 + 15) expect(read).toBeNull()
      else expect(12 + 15 + (read?.fPort === null ? 0 : 1) + (read?.frmPayload.length ?? -99)).toBe(length)
    }
  })

  it.each([
    ['', /phy: .*1 to 255 bytes/],
    ['00'.repeat(256), /phy: .*1 to 255 bytes/],
    ['41', /mhdr: .*major version 0/],
    ['00'.repeat(22), /23 bytes for a join request/],
    ['00'.repeat(24), /23 bytes for a join request/],
    [`20${'00'.repeat(17)}`, /17 or 33 bytes/],
    ['4001020304000000aabbcc', /at least 12 bytes/],
    ['400102030401000000aabbcc', /fopts: .*1 bytes announced, 0 there/],
    ['40010203040f0000112233aabbccdd', /fopts: .*15 bytes announced, 3 there/],
    ['40010203040100000200112233aabbcc'.concat('dd'), /fopts: .*one of both/],
    ['c0', /rejoin-type/],
    [`c003${'00'.repeat(17)}`, /rejoin-type: 3/],
    [`c001${'00'.repeat(17)}`, /24 bytes for a rejoin request of type 1/],
  ])('%s is refused by name', (hex, reason) => {
    expect(() => decodeFrame(fromHex(hex))).toThrow(reason)
  })

  it('have no reserved bits set when we send them, and may have when we hear them', () => {
    const phy = fromHex('40F17DBE4900020001954378762B11FF0D')
    phy[0] = 0x5c
    expect(decodeFrame(phy)).toMatchObject({ type: 'data', direction: 'up', fPort: 1 })
    expect(encodeFrame(decodeFrame(phy))[0]).toBe(0x40)
  })

  const base: DataFrame = { type: 'data', direction: 'down', isConfirmed: false, devAddr: 1, adr: false, adrAckReq: false, ack: false, bit4: false, fCnt16: 0, fOpts: new Uint8Array(), fPort: null, frmPayload: new Uint8Array(), mic: new Uint8Array(4) }
  it.each<[string, Partial<DataFrame>, RegExp]>([
    ['an address', { devAddr: 2 ** 32 }, /dev-addr/],
    ['a counter', { fCnt16: 65_536 }, /fcnt/],
    ['a port', { fPort: 256 }, /fport/],
    ['a payload without port', { frmPayload: new Uint8Array(1) }, /fport/],
    ['FOpts', { fOpts: new Uint8Array(16) }, /fopts/],
    ['FOpts and port 0', { fOpts: new Uint8Array(1), fPort: 0 }, /fopts/],
    ['a length', { fPort: 1, frmPayload: new Uint8Array(MAX_FRM_PAYLOAD_BYTES + 1) }, /phy: .*256 bytes/],
    ['an ADR request downward', { adrAckReq: true }, /adr-ack-req/],
    ['a code', { mic: new Uint8Array(3) }, /mic/],
  ])('%s that does not fit is not sent', (_, change, reason) => {
    expect(() => encodeFrame({ ...base, ...change })).toThrow(reason)
  })

  it('may be as long as the air allows', () => {
    expect(encodeFrame({ ...base, fPort: 1, frmPayload: new Uint8Array(MAX_FRM_PAYLOAD_BYTES) })).toHaveLength(255)
  })
})

describe('sealed frames', () => {
  it('open to what was sealed, under the same keys and counter only', () => {
    fc.assert(
      fc.property(dataFrame, u32, key, key, key, key, fc.boolean(), (value, fCnt32, a, b, c, d, is11) => {
        const keys = openSessionKeys({ fNwkSIntKey: a, sNwkSIntKey: b, nwkSEncKey: c, appSKey: d }, is11)
        const around = { confFCnt: 9, dataRate: 3, channel: 2 }
        const phy = sealData(keys, { ...value, fCnt32 }, around)
        const read = decodeFrame(phy) as DataFrame
        expect(isMicRight(keys, phy, value.direction, fCnt32, around)).toBe(true)
        expect(openData(keys, read, fCnt32)).toEqual({ fOpts: value.fOpts, payload: value.frmPayload })
        expect(isMicRight(keys, phy, value.direction, (fCnt32 + 0x1_0000) % 2 ** 32, around)).toBe(false)
        phy[1 + (fCnt32 % (phy.length - 1))] = (phy[1 + (fCnt32 % (phy.length - 1))] ?? 0) ^ 1
        expect(isMicRight(keys, phy, value.direction, fCnt32, around)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

const cfList: fc.Arbitrary<CfList> = fc.oneof(
  fc.array(u24.map((units) => units * 100), { minLength: 5, maxLength: 5 }).map((frequenciesHz) => ({ kind: 'frequencies' as const, frequenciesHz })),
  fc.array(u16, { minLength: 6, maxLength: 6 }).map((masks) => ({ kind: 'masks' as const, masks })),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => (bytes[15] ?? 0) > 1).map((bytes) => ({ kind: 'unknown' as const, bytes })),
)

describe('join accepts', () => {
  it('open to what was sealed, with every kind of CFList', () => {
    const accept = fc.record({ joinNonce: u24, netId: u24, devAddr: u32, optNeg: fc.boolean(), rx1DrOffset: fc.nat(7), rx2DataRate: fc.nat(15), rxDelaySeconds: fc.nat(15), cfList: fc.option(cfList) })
    fc.assert(
      fc.property(accept, key, key, eui, u16, (value, root, jsIntKey, joinEui, devNonce) => {
        const version = value.optNeg ? { jsIntKey, requestType: 0xff, joinEui, devNonce } : null
        const opened = openJoinAccept(new AesKey(root), sealJoinAccept(new AesKey(root), value, version), version)
        expect(opened).toMatchObject({ accept: value, isMicRight: true })
      }),
      { numRuns: 300 },
    )
  })

  it('are refused when a list does not fit', () => {
    const accept = { joinNonce: 1, netId: 1, devAddr: 1, optNeg: false, rx1DrOffset: 0, rx2DataRate: 0, rxDelaySeconds: 1 }
    const sealed = (list: CfList) => () => sealJoinAccept(new AesKey(new Uint8Array(16)), { ...accept, cfList: list })
    expect(sealed({ kind: 'frequencies', frequenciesHz: [868_100_050] })).toThrow(/cf-list/)
    expect(sealed({ kind: 'frequencies', frequenciesHz: [1, 2, 3, 4, 5, 6] })).toThrow(/at most 5/)
    expect(sealed({ kind: 'masks', masks: [0x1_0000] })).toThrow(/cf-list/)
    expect(sealed({ kind: 'unknown', bytes: new Uint8Array(16) })).toThrow(/cf-list/)
  })

  it('fill a short list with nothing', () => {
    const phy = sealJoinAccept(new AesKey(new Uint8Array(16)), { joinNonce: 1, netId: 1, devAddr: 1, optNeg: false, rx1DrOffset: 0, rx2DataRate: 0, rxDelaySeconds: 1, cfList: { kind: 'frequencies', frequenciesHz: [867_100_000] } })
    expect(phy).toHaveLength(33)
    expect(openJoinAccept(new AesKey(new Uint8Array(16)), phy).accept.cfList).toEqual({ kind: 'frequencies', frequenciesHz: [867_100_000, 0, 0, 0, 0] })
  })

  it('are read or refused, whatever the bytes', () => {
    const root = new AesKey(new Uint8Array(16))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => { taken(() => openJoinAccept(root, bytes)) }), { numRuns: 2_000 })
  })
})

describe('MAC commands of peers', () => {
  it('are read or left, whatever the bytes; nothing is lost', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 242 }), (bytes) => {
        for (const { commands, unread } of [readUpCommands(bytes), readDownCommands(bytes)]) {
          expect(commands.length).toBeLessThanOrEqual(bytes.length - unread.length)
          expect(toHex(unread)).toBe(toHex(bytes.subarray(bytes.length - unread.length)))
        }
      }),
      { numRuns: RUNS },
    )
  })
})
