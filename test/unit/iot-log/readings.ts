import type { Moment } from '../../../src/base/index.ts'
import type { Reading } from '../../../src/iot/ports.ts'

export const START_MS = 1_700_000_000_000

export function moment(wallMs: number, wallTrusted = true): Moment {
  return { bootId: '11111111-2222-4333-8444-555555555555', boottimeMs: wallMs - START_MS + 0.5, wallMs, wallTrusted }
}

export function reading(given: Partial<Reading> = {}): Reading {
  return {
    devEui: '0102030405060708',
    deviceName: 'field-3',
    devAddr: 0x2601_1f5a,
    frame: 'ab'.repeat(32),
    fCnt: 1,
    fPort: 2,
    isConfirmed: false,
    payload: Uint8Array.of(1, 2, 255),
    values: [{ name: 'soil', value: 18.5, unit: '%' }],
    problem: null,
    frequencyHz: 868_100_000,
    modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' },
    dataRate: 5,
    copies: [
      { gateway: '00000000000000aa', time: { kind: 'station', xtime: 0x7fff_ffff_ffff_ffffn, rctx: 3n }, arrivedMs: 5, utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: -57, snrDb: 9.5, channel: 2, radio: 0, board: 0, antenna: 0 },
      { gateway: '00000000000000ab', time: { kind: 'foreign', context: Uint8Array.of(9, 8) }, arrivedMs: 6, utcMs: 1, gpsTimeMs: 2, fineTimeNs: 3, rssiDbm: null, snrDb: null, channel: 1, radio: 1, board: 0, antenna: 1 },
    ],
    at: moment(START_MS),
    isLate: false,
    ...given,
  }
}
