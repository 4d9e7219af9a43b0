/** The half-typed prices: texts as they stand in the fields, and what of them has changed. */
import type { TariffChange, TariffJson } from '../../../owner/api.ts'
import { typedDecimal, typedUnits, unitsOf } from '../money.ts'
import * as S from '../strings.ts'

export interface Draft {
  readonly pricePerMinute: string
  readonly pricePerMib: string
  readonly burnerCap: string
  readonly trialOn: boolean
  readonly trialMinutes: string
  readonly trialMib: string
  readonly downKbps: string
  readonly upKbps: string
}

const DEFAULT_TRIAL_MINUTES = '10'

export function draftOf(tariff: TariffJson): Draft {
  return {
    pricePerMinute: tariff.pricePerMinute.text,
    pricePerMib: tariff.pricePerMib.text,
    burnerCap: tariff.burnerCap.text,
    trialOn: tariff.trialMinutes > 0,
    trialMinutes: tariff.trialMinutes > 0 ? String(tariff.trialMinutes) : DEFAULT_TRIAL_MINUTES,
    trialMib: textOf(tariff.trialMib),
    downKbps: textOf(tariff.downKbps),
    upKbps: textOf(tariff.upKbps),
  }
}

export function textOf(value: number | null): string {
  return value === null ? '' : String(value)
}

/** A whole number, null when empty, NaN when it is neither. */
export function wholeOrNull(text: string): number | null {
  const trimmed = text.trim()
  if (trimmed === '') return null
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : Number.NaN
}

export type DraftProblems = { readonly [Field in keyof Draft]?: string }

/** What the fields hold that cannot be sent at all; ranges are the box's business. */
export function draftProblems(draft: Draft, decimals: number): DraftProblems {
  const price = (text: string): string | undefined => (typedUnits(text, decimals) === null ? S.pricesPriceWrong(decimals) : undefined)
  const whole = (text: string): string | undefined => (Number.isNaN(wholeOrNull(text)) ? S.pricesNumberWrong : undefined)
  const trial = draft.trialOn && !((wholeOrNull(draft.trialMinutes) ?? 0) >= 1) ? S.guestExtendWrong : undefined
  const found = {
    pricePerMinute: price(draft.pricePerMinute),
    pricePerMib: price(draft.pricePerMib),
    burnerCap: price(draft.burnerCap),
    trialMinutes: trial,
    trialMib: draft.trialOn ? whole(draft.trialMib) : undefined,
    downKbps: whole(draft.downKbps),
    upKbps: whole(draft.upKbps),
  }
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined))
}

/** Only what differs from what the box has. */
export function changeOf(draft: Draft, tariff: TariffJson): TariffChange {
  const { decimals } = tariff.token
  const isOtherPrice = (text: string, now: TariffJson['pricePerMib']): boolean => typedUnits(text, decimals) !== unitsOf(now)
  const trialMinutes = draft.trialOn ? (wholeOrNull(draft.trialMinutes) ?? 0) : 0
  const trialMib = draft.trialOn ? wholeOrNull(draft.trialMib) : tariff.trialMib
  const down = wholeOrNull(draft.downKbps)
  const up = wholeOrNull(draft.upKbps)
  return {
    ...(isOtherPrice(draft.pricePerMinute, tariff.pricePerMinute) ? { pricePerMinute: typedDecimal(draft.pricePerMinute) ?? '' } : {}),
    ...(isOtherPrice(draft.pricePerMib, tariff.pricePerMib) ? { pricePerMib: typedDecimal(draft.pricePerMib) ?? '' } : {}),
    ...(isOtherPrice(draft.burnerCap, tariff.burnerCap) ? { burnerCap: typedDecimal(draft.burnerCap) ?? '' } : {}),
    ...(trialMinutes === tariff.trialMinutes ? {} : { trialMinutes }),
    ...(trialMib === tariff.trialMib ? {} : { trialMib }),
    ...(down === tariff.downKbps ? {} : { downKbps: down }),
    ...(up === tariff.upKbps ? {} : { upKbps: up }),
  }
}
