/**
 * EU863-870. Sub-bands: ETSI EN 300 220 with ERC 70-03; ERP there, EIRP = ERP + 2.15 dB here, rounded down. What lies between the bands may
 * not be used at all. DR8 to DR11 are LR-FHSS, upward only.
 */
import type { Modulation } from '../../ports.ts'
import { FSK_50K, both, lora, powerSteps, upOnly } from './types.ts'
import type { Region } from './types.ts'

const lrFhss = (codingRate: '1/3' | '2/3', widthHz: number): Modulation => ({ kind: 'lr-fhss', widthHz, codingRate, gridSteps: 8 })

/** LR-FHSS answers as RP002 has it: DR8, DR10 as DR1; DR9, DR11 as DR2. */
const RX1_AS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 1, 2, 1, 2]

export const EU868: Region = {
  name: 'EU868',
  dataRates: [
    both(lora(12, 125_000), 51),
    both(lora(11, 125_000), 51),
    both(lora(10, 125_000), 51),
    both(lora(9, 125_000), 115),
    both(lora(8, 125_000), 242),
    both(lora(7, 125_000), 242),
    both(lora(7, 250_000), 242),
    both(FSK_50K, 242),
    upOnly(lrFhss('1/3', 136_719), 50),
    upOnly(lrFhss('2/3', 136_719), 115),
    upOnly(lrFhss('1/3', 335_938), 50),
    upOnly(lrFhss('2/3', 335_938), 115),
  ],
  channels: [868_100_000, 868_300_000, 868_500_000].map((frequencyHz) => ({ frequencyHz, minDataRate: 0, maxDataRate: 5 })),
  maxChannels: 16,
  hasFixedChannels: false,
  cfList: 'frequencies',
  fromHz: 863_000_000,
  toHz: 870_000_000,
  maxRx1DrOffset: 5,
  rx2: { frequencyHz: 869_525_000, dataRate: 0 },
  maxEirpDbm: 16,
  txPowerStepsDb: powerSteps(8),
  dwellUs: null,
  defaultDwell: { up: false, down: false },
  hasTxParamSetup: false,
  subBands: [
    { name: 'K', fromHz: 863_000_000, toHz: 865_000_000, dutyPpm: 1_000, maxEirpDbm: 16 },
    { name: 'L', fromHz: 865_000_000, toHz: 868_000_000, dutyPpm: 10_000, maxEirpDbm: 16 },
    { name: 'M', fromHz: 868_000_000, toHz: 868_600_000, dutyPpm: 10_000, maxEirpDbm: 16 },
    { name: 'N', fromHz: 868_700_000, toHz: 869_200_000, dutyPpm: 1_000, maxEirpDbm: 16 },
    { name: 'P', fromHz: 869_400_000, toHz: 869_650_000, dutyPpm: 100_000, maxEirpDbm: 29 },
    { name: 'R', fromHz: 869_700_000, toHz: 870_000_000, dutyPpm: 10_000, maxEirpDbm: 16 },
  ],
  rx1DataRate: (up, offset) => Math.max((RX1_AS[up] ?? 0) - offset, 0),
  rx1FrequencyHz: (upFrequencyHz) => upFrequencyHz,
}
