/**
 * AS923 and its groups -2, -3, -4, which lie 1.8, 6.6 and 5.9 MHz below. Dwell limits of 400 ms are on until TXParamSetupReq says otherwise:
 * upward always, downward as RP001 1.0.3 has it (RP002: off; a frame that keeps the limit is right for both). Listening before
 * talking, which Japan asks for, is the concentrator's work.
 */
import { FSK_50K, both, lora, powerSteps } from './types.ts'
import type { Region, RegionName } from './types.ts'

const LEAST_UNDER_DWELL = 2
const MOST_IN_RX1 = 5

function group(name: RegionName, offsetHz: number): Region {
  const at = (hz: number): number => hz + offsetHz
  return {
    name,
    dataRates: [
      both(lora(12, 125_000), 51, 0),
      both(lora(11, 125_000), 51, 0),
      both(lora(10, 125_000), 51, 11),
      both(lora(9, 125_000), 115, 53),
      both(lora(8, 125_000), 242, 125),
      both(lora(7, 125_000), 242),
      both(lora(7, 250_000), 242),
      both(FSK_50K, 242),
    ],
    channels: [923_200_000, 923_400_000].map((hz) => ({ frequencyHz: at(hz), minDataRate: 0, maxDataRate: 5 })),
    maxChannels: 16,
    hasFixedChannels: false,
    cfList: 'frequencies',
    fromHz: 915_000_000,
    toHz: 928_000_000,
    maxRx1DrOffset: 7,
    rx2: { frequencyHz: at(923_200_000), dataRate: 2 },
    maxEirpDbm: 16,
    txPowerStepsDb: powerSteps(8),
    dwellUs: 400_000,
    defaultDwell: { up: true, down: true },
    hasTxParamSetup: true,
    subBands: [{ name: 'AS', fromHz: 915_000_000, toHz: 928_000_000, dutyPpm: null, maxEirpDbm: 16 }],
    // Offsets 6 and 7 stand for −1 and −2.
    rx1DataRate: (up, offset, hasDownlinkDwell) => Math.min(MOST_IN_RX1, Math.max(hasDownlinkDwell ? LEAST_UNDER_DWELL : 0, up - (offset > 5 ? 5 - offset : offset))),
    rx1FrequencyHz: (upFrequencyHz) => upFrequencyHz,
  }
}

export const AS923_GROUPS: readonly Region[] = [group('AS923', 0), group('AS923-2', -1_800_000), group('AS923-3', -6_600_000), group('AS923-4', -5_900_000)]
