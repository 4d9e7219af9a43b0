/** US902-928: 64 channels of 125 kHz and 8 of 500 kHz, both upward; 8 of 500 kHz downward. No duty cycle; 400 ms on 125 kHz (FCC 15.247). */
import type { Modulation } from '../../ports.ts'
import { downOnly, lora, powerSteps, upOnly } from './types.ts'
import type { Region } from './types.ts'

const lrFhss = (codingRate: '1/3' | '2/3'): Modulation => ({ kind: 'lr-fhss', widthHz: 1_523_438, codingRate, gridSteps: 52 })

/** Data rate of RX1 at offset 0. */
const RX1: readonly number[] = [10, 11, 12, 13, 14, 10, 11]
const [LEAST_DOWN, MOST_DOWN] = [8, 13]

export const US915: Region = {
  name: 'US915',
  dataRates: [
    upOnly(lora(10, 125_000), 11),
    upOnly(lora(9, 125_000), 53),
    upOnly(lora(8, 125_000), 125),
    upOnly(lora(7, 125_000), 242),
    upOnly(lora(8, 500_000), 242),
    upOnly(lrFhss('1/3'), 50),
    upOnly(lrFhss('2/3'), 125),
    null,
    downOnly(lora(12, 500_000), 53),
    downOnly(lora(11, 500_000), 129),
    downOnly(lora(10, 500_000), 242),
    downOnly(lora(9, 500_000), 242),
    downOnly(lora(8, 500_000), 242),
    downOnly(lora(7, 500_000), 242),
  ],
  channels: [
    ...Array.from({ length: 64 }, (_, i) => ({ frequencyHz: 902_300_000 + 200_000 * i, minDataRate: 0, maxDataRate: 3 })),
    ...Array.from({ length: 8 }, (_, i) => ({ frequencyHz: 903_000_000 + 1_600_000 * i, minDataRate: 4, maxDataRate: 6 })),
  ],
  maxChannels: 72,
  hasFixedChannels: true,
  cfList: 'masks',
  fromHz: 902_000_000,
  toHz: 928_000_000,
  maxRx1DrOffset: 3,
  rx2: { frequencyHz: 923_300_000, dataRate: 8 },
  maxEirpDbm: 30,
  txPowerStepsDb: powerSteps(15),
  dwellUs: 400_000,
  defaultDwell: { up: true, down: false },
  hasTxParamSetup: false,
  subBands: [{ name: 'US', fromHz: 902_000_000, toHz: 928_000_000, dutyPpm: null, maxEirpDbm: 30 }],
  rx1DataRate: (up, offset) => Math.min(MOST_DOWN, Math.max(LEAST_DOWN, (RX1[up] ?? LEAST_DOWN) - offset)),
  rx1FrequencyHz: (_, channel) => 923_300_000 + 600_000 * (channel % 8),
}
