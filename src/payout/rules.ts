/** Who is to be paid now, pure: threshold, hour of the day, dust, and where it goes. */
import type { Address, Moment } from '../base/index.ts'
import { dayOf } from '../ledger/index.ts'
import type { PayoutReason, PayoutSettings } from './types.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface Debt {
  /** Smallest units that the account is owed. */
  readonly owed: bigint
  /** Day of the newest daily payout of the account; null: there was none. */
  readonly lastDaily: string | null
}

/** Where and in what an account is paid, or why it is not. */
export type Destination = { readonly to: Address; readonly tokenAddress: Address; readonly decimals: number } | { readonly waitsFor: string }

export function destinationOf(settings: PayoutSettings, account: string, token: string): Destination {
  const payee = settings.payees.find((each) => each.account === account)
  if (payee === undefined) return { waitsFor: `an address: add a config payee with account '${account}'` }
  const named = settings.channelTokens.filter(({ symbol }) => symbol === token)
  const [one] = named
  if (one === undefined) return { waitsFor: settings.channelTokens.length === 0 ? "payment channels: this box has not the role 'photon', or names no token" : `a token of channels that is called ${token}` }
  if (named.length > 1) return { waitsFor: `one token of channels that is called ${token}: ${named.length} are` }
  if (token === settings.token.symbol && one.decimals !== settings.token.decimals) return { waitsFor: `a token with ${settings.token.decimals} decimals: the channels' ${token} has ${one.decimals}` }
  return { to: payee.address, tokenAddress: one.address, decimals: one.decimals }
}

/** A sum in the box's token as so many whole tokens of another, rounded down. */
export function inDecimals(amount: bigint, from: number, to: number): bigint {
  return to >= from ? amount * 10n ** BigInt(to - from) : amount / 10n ** BigInt(from - to)
}

/** Never below one smallest unit. */
export function dustOf({ dust, token }: PayoutSettings, decimals: number): bigint {
  const scaled = inDecimals(dust, token.decimals, decimals)
  return scaled > 1n ? scaled : 1n
}

/** Null: not now. */
export function dueReason(settings: PayoutSettings, decimals: number, { owed, lastDaily }: Debt, now: Moment): Exclude<PayoutReason, 'ordered'> | null {
  if (owed < dustOf(settings, decimals)) return null
  const { threshold, dailyHour, token } = settings
  if (threshold > 0n && owed >= inDecimals(threshold, token.decimals, decimals)) return 'threshold'
  if (dailyHour === null || !now.wallTrusted) return null
  const hour = Math.floor((now.wallMs % DAY_MS) / HOUR_MS)
  return hour >= dailyHour && lastDaily !== dayOf(now) ? 'daily' : null
}

/** In words, while nothing is due. */
export function whyNotDue(settings: PayoutSettings, decimals: number, { owed }: Debt, now: Moment): string | null {
  if (owed <= 0n) return null
  if (owed < dustOf(settings, decimals)) return 'more: it is less than payout.dust'
  const { threshold, dailyHour } = settings
  if (dailyHour !== null) return now.wallTrusted ? `${String(dailyHour).padStart(2, '0')}:00 UTC${threshold > 0n ? ', or payout.threshold' : ''}` : 'a clock that is trusted'
  return threshold > 0n ? 'payout.threshold' : "the owner's order: neither payout.threshold nor payout.daily_hour is set"
}
