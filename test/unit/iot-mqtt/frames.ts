import { fromHex } from '../../../src/base/index.ts'
import type { Copy, Heard } from '../../../src/iot/ports.ts'

export const GATEWAY = '016c001ff10a2035'

export function copy(given: Partial<Copy> = {}): Copy {
  return { gateway: GATEWAY, time: { kind: 'counter', tmstUs: 0x70e0_0000 }, arrivedMs: 1_000, utcMs: null, gpsTimeMs: null, fineTimeNs: null, rssiDbm: -57, snrDb: 9, channel: 2, radio: 0, board: 0, antenna: 0, ...given }
}

export function heard(given: Partial<Heard> = {}): Heard {
  return {
    id: 'ab'.repeat(32),
    phy: fromHex('40F17DBE4900020001954378762B11FF0D'),
    frequencyHz: 868_100_000,
    modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' },
    copies: [copy()],
    isLate: false,
    ...given,
  }
}
