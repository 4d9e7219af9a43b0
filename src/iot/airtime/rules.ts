/** What a transmitter may do, band by band: the region's sub-bands with the owner's wishes, and with what the gateway does on its own. */
import { inputError } from '../../base/index.ts'
import type { Region } from '../lorawan/index.ts'
import type { Gateway } from '../ports.ts'

/** Of ETSI's rules: shares of one hour, wherever it begins. */
export const WINDOW_US = 3_600_000_000
/** What is looked at: longer than the law's hour by more than a concentrator may start late. */
export const COUNTED_US = WINDOW_US + 2_000_000
export const WHOLE_PPM = 1_000_000

export interface AirBand {
  readonly name: string
  readonly fromHz: number
  readonly toHz: number
  /** Parts per million of the window; null: no limit by time. */
  readonly dutyPpm: number | null
  readonly maxEirpDbm: number
  /** For a started millisecond of somebody else's downlink while the band is idle. */
  readonly basePricePerMs: bigint
}

export interface AirRules {
  readonly bands: readonly AirBand[]
  /** `window`: the sum of any hour. `blocking`: after each frame the band rests until start + duration / duty, as Basics Station does it. */
  readonly model: Gateway['dutyModel']
  /** Parts per million of each band's budget that only the owner's joins and ACKs may use. */
  readonly reservedPpm: number
  /**
   * Parts per million of any hour of a band that may have been on the air, whoever's frames those are, when a tenant's is taken: a gateway that
   * sends hears nothing, and in most regions no law keeps its ears free. Where the law's share is smaller, that counts.
   */
  readonly soldPpm: number
  /** The price rises in a straight line from `fromPpm` of the budget used to `timesPpm` of the base price when all is used. Null: it stays. */
  readonly surge: { readonly fromPpm: number; readonly timesPpm: number } | null
}

export interface AirWishes {
  readonly reservedPpm?: number
  readonly soldPpm?: number
  readonly surge?: AirRules['surge']
  /** By name of band; `*`: the others. Default 0. */
  readonly pricesPerMs?: Readonly<Record<string, bigint>>
  /** Lower shares than the region's, by name of band; a higher one is refused. */
  readonly dutyPpm?: Readonly<Record<string, number>>
}

const DEFAULT_RESERVED_PPM = 200_000
/** As much as EU868 allows in its widest band. */
const DEFAULT_SOLD_PPM = 100_000

/** Basics Station takes 865–868 MHz for 0.1 %, where ETSI has 1 %, and drops silently what is above: we must not order it. */
const STATION_DUTY_PPM: Readonly<Record<string, number>> = { L: 1_000 }

/** Errors: input, naming the wish that cannot be. */
export function airRules(region: Region, model: Gateway['dutyModel'], wishes: AirWishes = {}): AirRules {
  const { reservedPpm = DEFAULT_RESERVED_PPM, soldPpm = DEFAULT_SOLD_PPM, surge = null, pricesPerMs = {}, dutyPpm = {} } = wishes
  checkPpm(reservedPpm, 'airtime-reserved')
  checkPpm(soldPpm, 'airtime-sold')
  if (surge !== null) {
    checkPpm(surge.fromPpm, 'airtime-surge-from')
    if (surge.fromPpm === WHOLE_PPM) throw inputError('airtime-surge-from', surge.fromPpm, `less than ${WHOLE_PPM}`)
    if (!Number.isInteger(surge.timesPpm) || surge.timesPpm < WHOLE_PPM || surge.timesPpm > 1_000 * WHOLE_PPM) throw inputError('airtime-surge-times', surge.timesPpm, `${WHOLE_PPM} (the same) to ${1_000 * WHOLE_PPM}`)
  }
  const names = new Set(region.subBands.map((band) => band.name))
  for (const [field, wished] of [['airtime_band_prices', pricesPerMs], ['airtime-duty', dutyPpm]] as const)
    for (const name of Object.keys(wished)) if (name !== '*' && !names.has(name)) throw inputError(field, name, `a sub-band of ${region.name}: ${[...names].join(', ')}`)
  const bands = region.subBands.map((band): AirBand => {
    const legal = model === 'blocking' && region.name === 'EU868' ? (STATION_DUTY_PPM[band.name] ?? band.dutyPpm) : band.dutyPpm
    const wished = dutyPpm[band.name] ?? dutyPpm['*']
    if (wished !== undefined) {
      checkPpm(wished, 'airtime-duty')
      if (band.dutyPpm !== null && dutyPpm[band.name] !== undefined && wished > band.dutyPpm) throw inputError('airtime-duty', wished, `at most ${band.dutyPpm} in ${band.name}`)
    }
    const price = pricesPerMs[band.name] ?? pricesPerMs['*'] ?? 0n
    if (price < 0n) throw inputError('airtime-price', price, 'not below 0')
    return { name: band.name, fromHz: band.fromHz, toHz: band.toHz, dutyPpm: wished === undefined ? legal : Math.min(wished, legal ?? WHOLE_PPM), maxEirpDbm: band.maxEirpDbm, basePricePerMs: price }
  })
  return { bands, model, reservedPpm, soldPpm, surge }
}

/** Microseconds of a window; null: no limit. */
export function budgetUs(band: AirBand): number | null {
  return band.dutyPpm === null ? null : Math.floor((WINDOW_US / WHOLE_PPM) * band.dutyPpm)
}

/** Microseconds of a window up to which tenants' frames are taken. */
export function soldUs(rules: AirRules): number {
  return (WINDOW_US / WHOLE_PPM) * rules.soldPpm
}

function checkPpm(value: number, field: string): void {
  if (!Number.isInteger(value) || value < 0 || value > WHOLE_PPM) throw inputError(field, value, `parts per million, 0 to ${WHOLE_PPM}`)
}
