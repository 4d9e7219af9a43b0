/** CN470-510 as RP001 has it: 96 channels upward from 470.3 MHz, 48 downward from 500.3. Not the 20 and 26 MHz plans of RP002, whose join channels and masks differ. */
import { both, lora, powerSteps } from './types.ts'
import type { Region } from './types.ts'

export const CN470: Region = {
  name: 'CN470',
  dataRates: [
    both(lora(12, 125_000), 51),
    both(lora(11, 125_000), 51),
    both(lora(10, 125_000), 51),
    both(lora(9, 125_000), 115),
    both(lora(8, 125_000), 242),
    both(lora(7, 125_000), 242),
  ],
  channels: Array.from({ length: 96 }, (_, i) => ({ frequencyHz: 470_300_000 + 200_000 * i, minDataRate: 0, maxDataRate: 5 })),
  maxChannels: 96,
  hasFixedChannels: true,
  cfList: 'masks',
  fromHz: 470_000_000,
  toHz: 510_000_000,
  maxRx1DrOffset: 5,
  rx2: { frequencyHz: 505_300_000, dataRate: 0 },
  maxEirpDbm: 19,
  txPowerStepsDb: powerSteps(8),
  dwellUs: null,
  defaultDwell: { up: false, down: false },
  hasTxParamSetup: false,
  subBands: [{ name: 'CN', fromHz: 470_000_000, toHz: 510_000_000, dutyPpm: null, maxEirpDbm: 19 }],
  rx1DataRate: (up, offset) => Math.max(up - offset, 0),
  rx1FrequencyHz: (_, channel) => 500_300_000 + 200_000 * (channel % 48),
}
