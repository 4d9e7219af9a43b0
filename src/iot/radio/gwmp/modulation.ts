/** `modu`, `datr`, `codr` ↔ Modulation. */
import { inputError } from '../../../base/index.ts'
import type { CodingRate, Modulation } from '../../ports.ts'
import { numberOf, wholeOf } from './json.ts'
import type { JsonObject } from './json.ts'

/** As forwarders write them; old ones cut the fraction down. */
const LORA_RATES: Readonly<Record<string, CodingRate>> = { '4/5': '4/5', '4/6': '4/6', '2/3': '4/6', '4/7': '4/7', '4/8': '4/8', '1/2': '4/8', '4/5LI': '4/5LI', '4/6LI': '4/6LI', '4/8LI': '4/8LI', OFF: 'OFF' }
const LR_FHSS_RATES: Readonly<Record<string, CodingRate>> = { '1/3': '1/3', '2/6': '1/3', '2/3': '2/3', '4/6': '2/3' }

/** `packet`: an rxpk or a txpk. Errors: input `modu`, `datr`, `codr`. */
export function modulationOf(packet: JsonObject): Modulation {
  const { modu, datr } = packet
  switch (modu) {
    case 'LORA': {
      const [, factor, kilohertz] = (typeof datr === 'string' ? /^SF(\d{1,2})BW(\d{2,4})$/.exec(datr) : null) ?? []
      if (factor === undefined || kilohertz === undefined || Number(factor) < 5 || Number(factor) > 12) throw inputError('datr', datr ?? null, 'as SF7BW125')
      return { kind: 'lora', spreadingFactor: Number(factor), bandwidthHz: Number(kilohertz) * 1_000, codingRate: codingRateOf(packet['codr'] ?? '4/5', LORA_RATES) }
    }
    case 'FSK': {
      // A number; some write it as they write LoRa's, in quotes.
      const bitsPerSecond = wholeOf(typeof datr === 'string' && /^\d{3,7}$/.test(datr) ? Number(datr) : datr, 600, 1_000_000)
      if (bitsPerSecond === null) throw inputError('datr', datr ?? null, 'bits per second')
      return { kind: 'fsk', bitsPerSecond, deviationHz: numberOf(packet['fdev'], 0, 1_000_000) ?? 0 }
    }
    case 'LR-FHSS': {
      const [, kilohertz] = (typeof datr === 'string' ? /^M0CW(\d{2,4})$/.exec(datr) : null) ?? []
      if (kilohertz === undefined) throw inputError('datr', datr ?? null, 'as M0CW137')
      return { kind: 'lr-fhss', widthHz: Number(kilohertz) * 1_000, codingRate: codingRateOf(packet['codr'], LR_FHSS_RATES), gridSteps: wholeOf(packet['hpw'], 0, 255) ?? 0 }
    }
    default:
      throw inputError('modu', modu ?? null, 'LORA, FSK, LR-FHSS')
  }
}

function codingRateOf(value: unknown, rates: Readonly<Record<string, CodingRate>>): CodingRate {
  const rate = typeof value === 'string' && Object.hasOwn(rates, value) ? rates[value] : undefined
  if (rate === undefined) throw inputError('codr', value ?? null, Object.keys(rates).join(', '))
  return rate
}

/** For a txpk. `fdev` only for FSK: forwarders drop a packet without it. */
export function modulationFields(modulation: Modulation): JsonObject {
  switch (modulation.kind) {
    case 'lora':
      return { modu: 'LORA', datr: `SF${modulation.spreadingFactor}BW${modulation.bandwidthHz / 1_000}`, codr: modulation.codingRate }
    case 'fsk':
      return { modu: 'FSK', datr: modulation.bitsPerSecond, fdev: modulation.deviationHz }
    case 'lr-fhss':
      throw inputError('modulation', modulation.kind, 'lora or fsk: gateways do not send LR-FHSS')
  }
}
