/** IN865-867. */
import { FSK_50K, both, lora, powerSteps } from './types.ts'
import type { Region } from './types.ts'

const FSK = 7
/** DR6 does not exist: FSK's first step down is DR5. */
const FSK_RX1: readonly number[] = [7, 5, 5, 4, 3, 2, 7, 7]

export const IN865: Region = {
  name: 'IN865',
  dataRates: [
    both(lora(12, 125_000), 51),
    both(lora(11, 125_000), 51),
    both(lora(10, 125_000), 51),
    both(lora(9, 125_000), 115),
    both(lora(8, 125_000), 242),
    both(lora(7, 125_000), 242),
    null,
    both(FSK_50K, 242),
  ],
  channels: [865_062_500, 865_402_500, 865_985_000].map((frequencyHz) => ({ frequencyHz, minDataRate: 0, maxDataRate: 5 })),
  maxChannels: 16,
  hasFixedChannels: false,
  cfList: 'frequencies',
  fromHz: 865_000_000,
  toHz: 867_000_000,
  maxRx1DrOffset: 7,
  rx2: { frequencyHz: 866_550_000, dataRate: 2 },
  maxEirpDbm: 30,
  txPowerStepsDb: powerSteps(11),
  dwellUs: null,
  defaultDwell: { up: false, down: false },
  hasTxParamSetup: false,
  subBands: [{ name: 'IN', fromHz: 865_000_000, toHz: 867_000_000, dutyPpm: null, maxEirpDbm: 30 }],
  // Offsets 6 and 7 stand for −1 and −2.
  rx1DataRate: (up, offset) => (up === FSK ? (FSK_RX1[offset] ?? 2) : Math.min(5, Math.max(0, up - (offset > 5 ? 5 - offset : offset)))),
  rx1FrequencyHz: (upFrequencyHz) => upFrequencyHz,
}
