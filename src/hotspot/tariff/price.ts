/** What things cost. Smallest units, bigint; a part of a unit is rounded up, for the owner. */
import { mulDivCeil } from '../../base/index.ts'
import type { Config, HappyHourConfig } from '../../config/index.ts'
import type { Offer, PriceBoard } from '../types.ts'
import { happyHourAt } from './happy-hour.ts'
import type { TariffMoment } from './happy-hour.ts'

const MIB = 1_048_576n

/** What guests see before they pay, with the happy hour of this moment worked in. */
export function priceBoard(config: Config, now: TariffMoment): PriceBoard {
  const hour = happyHourAt(config.happyHours, now)
  const { tariff, token } = config
  return {
    symbol: token.symbol,
    decimals: token.decimals,
    pricePerMinute: discounted(tariff.pricePerMinute, hour),
    pricePerMib: discounted(tariff.pricePerMib, hour),
    offers: config.packages.filter((each) => each.offered && each.tokens === null).map(
      (each): Offer => ({
        packageId: each.id,
        label: each.label,
        seconds: each.seconds,
        bytes: each.bytes,
        devices: each.devices,
        price: discounted(each.price, hour),
        priceBefore: hour === null || each.price === 0n ? null : each.price,
      }),
    ),
    happyHour: hour === null ? null : { label: hour.label, discountPercent: hour.discountPercent },
    trial: tariff.trialMinutes > 0 && config.hotspot.trialsPerDay > 0 ? { minutes: tariff.trialMinutes, mib: tariff.trialMib } : null,
  }
}

/**
 * Price of time and bytes bought singly, each rounded up to the unit. Time that is not sold singly (price
 * 0) costs nothing here: the caller offers only what the tariff sells.
 */
export function priceOf(
  tariff: Pick<Config['tariff'], 'pricePerMinute' | 'pricePerMib'>,
  bought: { readonly seconds: number; readonly bytes: number },
  hour: Pick<HappyHourConfig, 'discountPercent'> | null,
): bigint {
  const time = mulDivCeil(tariff.pricePerMinute, BigInt(bought.seconds), 60n)
  const bytes = mulDivCeil(tariff.pricePerMib, BigInt(bought.bytes), MIB)
  return discounted(time + bytes, hour)
}

export function discounted(price: bigint, hour: Pick<HappyHourConfig, 'discountPercent'> | null): bigint {
  return hour === null ? price : mulDivCeil(price, BigInt(100 - hour.discountPercent), 100n)
}
