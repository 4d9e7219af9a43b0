/** Prices, packages and happy hours. */
import type { Money, ReloadReportJson, TokenJson } from './amounts.ts'

export interface TariffJson {
  readonly token: TokenJson
  readonly pricePerMinute: Money
  readonly pricePerMib: Money
  /** "10" for "1 token = 10 minutes", at most 6 digits after the point; null when time is not sold singly. */
  readonly minutesPerToken: string | null
  /** The most a guest page that came by plain HTTP spends by the second; 0: the price of an hour. */
  readonly burnerCap: Money
  readonly trialMinutes: number
  readonly trialMib: number | null
  readonly downKbps: number | null
  readonly upKbps: number | null
  readonly packages: readonly PackageJson[]
  readonly happyHours: readonly HappyHourJson[]
  readonly happyHourNow: { readonly label: string; readonly discountPercent: number } | null
}
export interface PackageJson {
  readonly id: string
  readonly slot: number
  readonly label: string
  readonly seconds: number | null
  readonly bytes: number | null
  /** What its vouchers put into a guest's payment channel; then neither `seconds` nor `bytes`. */
  readonly tokens: Money | null
  readonly price: Money
  readonly devices: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  readonly offered: boolean
}
export interface HappyHourJson {
  readonly id: string
  readonly label: string
  readonly basis: 'clock' | 'uptime'
  readonly fromMinute: number
  readonly toMinute: number
  readonly days: readonly Weekday[]
  readonly discountPercent: number
}
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'

/** Only what is given changes. A list, when given, replaces the whole list. Prices in tokens: "0.5". */
export interface TariffChange {
  readonly pricePerMinute?: string
  /** Instead of `pricePerMinute`: "1 token = 10 minutes". 0 = time is not sold singly. */
  readonly minutesPerToken?: number
  readonly pricePerMib?: string
  readonly burnerCap?: string
  readonly trialMinutes?: number
  readonly trialMib?: number | null
  readonly downKbps?: number | null
  readonly upKbps?: number | null
  readonly packages?: readonly PackageChange[]
  readonly happyHours?: readonly HappyHourJson[]
}
/** `slot` may be left out for a new package: the lowest free one is taken. `tokens` left out: as it was. */
export type PackageChange = Omit<PackageJson, 'price' | 'slot' | 'tokens'> & { readonly price: string; readonly slot?: number; readonly tokens?: string | null }

export interface TariffReply {
  readonly tariff: TariffJson
  readonly reload: ReloadReportJson
}
