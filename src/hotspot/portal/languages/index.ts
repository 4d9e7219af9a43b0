/** The languages of the guest page, in the order in which a guest sees them. */
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fa } from './fa.ts'
import { fr } from './fr.ts'
import { hi } from './hi.ts'
import { id } from './id.ts'
import { it } from './it.ts'
import { ja } from './ja.ts'
import type { Language } from './language.ts'
import { pl } from './pl.ts'
import { pt } from './pt.ts'
import { ru } from './ru.ts'
import { sw } from './sw.ts'
import { tr } from './tr.ts'
import { zh } from './zh.ts'

export const LANGUAGES: readonly Language[] = [de, en, es, fr, id, it, sw, pl, pt, tr, ru, ar, fa, hi, zh, ja]
const FALLBACK: Language = en
const BY_CODE = new Map(LANGUAGES.map((language) => [language.code, language]))

/** Longest Accept-Language header that is looked at, and how many ranges of it. */
const MAX_HEADER_LENGTH = 512
const MAX_RANGES = 16

/** `chosen` is what `?lang=` said; a code we do not have falls back to the header, then to English. */
export function pickLanguage(chosen: string | null, acceptLanguage: string | undefined): Language {
  return (chosen === null ? undefined : BY_CODE.get(chosen)) ?? negotiate(acceptLanguage) ?? FALLBACK
}

export function isLanguageCode(code: string): boolean {
  return BY_CODE.has(code)
}

/** Accept-Language (RFC 9110, 12.5.4): highest weight first, the region ignored. */
function negotiate(header: string | undefined): Language | undefined {
  if (header === undefined || header.length > MAX_HEADER_LENGTH) return undefined
  let best: { language: Language; weight: number } | undefined
  for (const range of header.split(',').slice(0, MAX_RANGES)) {
    const match = /^\s*([A-Za-z]{2,8})(?:-[A-Za-z0-9-]{1,32})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/.exec(range)
    const language = BY_CODE.get((match?.[1] ?? '').toLowerCase())
    const weight = Number(match?.[2] ?? 1)
    if (language && weight > 0 && (best === undefined || weight > best.weight)) best = { language, weight }
  }
  return best?.language
}
