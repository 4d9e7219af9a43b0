/** MAC commands against bytes written down by hand from the specification, and every row there and back at its bounds. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/base/index.ts'
import { commandBytes, readDownCommands, readUpCommands, writeDownCommands, writeUpCommands } from '../../../src/iot/lorawan/index.ts'
import type { DownCommand, UpCommand } from '../../../src/iot/lorawan/index.ts'
import { DOWN, UP } from '../../../src/iot/lorawan/mac/layouts.ts'
import type { CommandLayout } from '../../../src/iot/lorawan/mac/layouts.ts'

const UPWARD: readonly [string, UpCommand][] = [
  ['02', { name: 'LinkCheckReq' }],
  ['0305', { name: 'LinkADRAns', channelMaskAck: 1, dataRateAck: 0, powerAck: 1 }],
  ['04', { name: 'DutyCycleAns' }],
  ['0506', { name: 'RXParamSetupAns', channelAck: 0, rx2DataRateAck: 1, rx1DrOffsetAck: 1 }],
  ['06733d', { name: 'DevStatusAns', battery: 115, margin: -3 }],
  ['06ff20', { name: 'DevStatusAns', battery: 255, margin: -32 }],
  ['06001f', { name: 'DevStatusAns', battery: 0, margin: 31 }],
  ['0703', { name: 'NewChannelAns', frequencyOk: 1, dataRateRangeOk: 1 }],
  ['08', { name: 'RXTimingSetupAns' }],
  ['09', { name: 'TXParamSetupAns' }],
  ['0a02', { name: 'DlChannelAns', frequencyOk: 0, uplinkFrequencyExists: 1 }],
  ['0d', { name: 'DeviceTimeReq' }],
  ['0b01', { name: 'RekeyInd', minor: 1 }],
  ['2002', { name: 'DeviceModeInd', class: 2 }],
]

const DOWNWARD: readonly [string, DownCommand][] = [
  ['021402', { name: 'LinkCheckAns', margin: 20, gateways: 2 }],
  ['0351ff0001', { name: 'LinkADRReq', dataRate: 5, txPower: 1, channelMask: 0x00ff, channelMaskControl: 0, nbTrans: 1 }],
  ['03f0010063', { name: 'LinkADRReq', dataRate: 15, txPower: 0, channelMask: 1, channelMaskControl: 6, nbTrans: 3 }],
  ['0407', { name: 'DutyCycleReq', maxDutyCycle: 7 }],
  ['0513d2ad84', { name: 'RXParamSetupReq', rx1DrOffset: 1, rx2DataRate: 3, frequencyHz: 869_525_000 }],
  ['06', { name: 'DevStatusReq' }],
  ['0703184f8450', { name: 'NewChannelReq', channel: 3, frequencyHz: 867_100_000, minDataRate: 0, maxDataRate: 5 }],
  ['0805', { name: 'RXTimingSetupReq', delaySeconds: 5 }],
  ['0935', { name: 'TXParamSetupReq', downlinkDwell: 1, uplinkDwell: 1, maxEirp: 5 }],
  ['0a03184f84', { name: 'DlChannelReq', channel: 3, frequencyHz: 867_100_000 }],
  ['0c65', { name: 'ADRParamSetupReq', limitExponent: 6, delayExponent: 5 }],
  ['0d4e61bc0080', { name: 'DeviceTimeAns', seconds: 0x00bc614e, fraction: 128 }],
  ['0e2d23', { name: 'ForceRejoinReq', period: 4, maxRetries: 3, rejoinType: 2, dataRate: 13 }],
  ['0f21', { name: 'RejoinParamSetupReq', maxTime: 2, maxCount: 1 }],
  ['11d2ad8403', { name: 'PingSlotChannelReq', frequencyHz: 869_525_000, dataRate: 3 }],
]

describe('MAC commands', () => {
  it.each(UPWARD)('up %s', (hex, command) => {
    expect(readUpCommands(fromHex(hex))).toEqual({ commands: [command], unread: new Uint8Array() })
    expect(toHex(writeUpCommands([command]))).toBe(hex)
  })

  it.each(DOWNWARD)('down %s', (hex, command) => {
    expect(readDownCommands(fromHex(hex))).toEqual({ commands: [command], unread: new Uint8Array() })
    expect(toHex(writeDownCommands([command]))).toBe(hex)
  })

  it('stand one after the other', () => {
    const hex = UPWARD.map(([bytes]) => bytes).join('')
    expect(readUpCommands(fromHex(hex)).commands).toEqual(UPWARD.map(([, command]) => command))
    expect(toHex(writeUpCommands(UPWARD.map(([, command]) => command)))).toBe(hex)
  })

  it('are read up to the first unknown one, whose length nobody knows', () => {
    expect(readUpCommands(fromHex('0280060102'))).toEqual({ commands: [{ name: 'LinkCheckReq' }], unread: fromHex('80060102') })
    expect(readDownCommands(fromHex('0612'))).toEqual({ commands: [{ name: 'DevStatusReq' }], unread: fromHex('12') })
  })

  it('that are cut off are left', () => {
    expect(readDownCommands(fromHex('060351ff00'))).toEqual({ commands: [{ name: 'DevStatusReq' }], unread: fromHex('0351ff00') })
  })

  it('ignore reserved bits', () => {
    expect(readUpCommands(fromHex('03fd')).commands).toEqual([{ name: 'LinkADRAns', channelMaskAck: 1, dataRateAck: 0, powerAck: 1 }])
    expect(readUpCommands(fromHex('06fec3')).commands).toEqual([{ name: 'DevStatusAns', battery: 254, margin: 3 }])
  })

  it('are refused by name when a field does not fit', () => {
    const write = (command: object) => () => writeDownCommands([command as DownCommand])
    expect(write({ name: 'LinkADRReq', dataRate: 16, txPower: 0, channelMask: 0, channelMaskControl: 0, nbTrans: 0 })).toThrow(/LinkADRReq.dataRate: 16 .* 0 to 15/)
    expect(write({ name: 'RXTimingSetupReq' })).toThrow(/RXTimingSetupReq.delaySeconds: null/)
    expect(write({ name: 'DevStatusReq', margin: 1 })).toThrow(/DevStatusReq.margin: 1 .* fields: none/)
    expect(write({ name: 'DlChannelReq', channel: 0, frequencyHz: 868_100_050 })).toThrow(/a multiple of 100/)
    expect(write({ name: 'toString' })).toThrow(/mac-command/)
    expect(() => writeUpCommands([{ name: 'DevStatusAns', battery: 1, margin: 32 }])).toThrow(/-32 to 31/)
  })

  it('have the same length when read and when written', () => {
    for (const [direction, rows] of [['up', UP], ['down', DOWN]] as const)
      for (const row of Object.values(rows) as CommandLayout[]) expect(commandBytes(direction, row.cid)).toBe(1 + row.bytes)
    expect(commandBytes('up', 0x80)).toBeNull()
  })

  it.each([['up', UP, readUpCommands, writeUpCommands], ['down', DOWN, readDownCommands, writeDownCommands]] as const)('%s: every row comes out as it went in, and no two fields share a bit', (_, rows, read, write) => {
    for (const [name, row] of Object.entries(rows) as [string, CommandLayout][]) {
      const bitsUsed = Object.values(row.fields).flatMap(([first, bits]) => Array.from({ length: bits }, (__, i) => first + i))
      expect(new Set(bitsUsed).size).toBe(bitsUsed.length)
      expect(Math.max(-1, ...bitsUsed)).toBeLessThan(row.bytes * 8)
      const fields = Object.fromEntries(
        Object.entries(row.fields).map(([field, [, bits, form]]) => [field, form === 'signed' ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }) : fc.nat(2 ** bits - 1).map((units) => (form === 'x100' ? units * 100 : units))]),
      )
      fc.assert(
        fc.property(fc.record(fields), (values) => {
          const command = { name, ...values }
          expect(read(write([command as never]))).toEqual({ commands: [command], unread: new Uint8Array() })
        }),
        { numRuns: 50 },
      )
    }
  })
})
