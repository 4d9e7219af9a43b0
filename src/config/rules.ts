/**
 * Kinds of option values: how a text is read, what is allowed, in words. schema.ts says which option is of
 * which kind. Every rule is total: it gives a value or refuses, and never throws for a text of a file.
 */
import { MAX_AMOUNT, MeshBoxError, parseAmount, utf8 } from '../base/index.ts'

/** What an option's text may depend on. */
export interface ReadContext {
  /** Digits after the point of the token, or null when `decimals` itself could not be read. */
  readonly decimals: number | null
}

/** A value that was read, or the words for what is allowed instead. */
export type Read<T> = { readonly value: T } | { readonly refused: string }

interface RuleFacts {
  /** One sentence for the owner; printed into docs/configuration.md. */
  readonly doc: string
  /** True when the running service cannot take a change over: it has to be restarted. */
  readonly restart?: boolean
}

export interface Rule<T> {
  readonly form: 'option' | 'list'
  /** e.g. `whole number`, for the documentation. */
  readonly kind: string
  /** What may stand there, in words. */
  readonly allowed: string
  readonly doc: string
  readonly restart: boolean
  /** Absent when the option has to be given. */
  readonly fallback?: { readonly value: T; readonly text: string }
  /** Reads the texts of one option (exactly one) or list (one or more). */
  readonly read: (texts: readonly string[], context: ReadContext) => Read<T>
}

type Reader<T> = (text: string, context: ReadContext) => T | undefined

interface Kind<T> {
  readonly kind: string
  readonly allowed: string
  readonly read: Reader<T>
}

/** An option that has a default. `show` is the default as one would write it. */
export function option<T>(kind: Kind<T>, value: T, show: string, facts: RuleFacts): Rule<T> {
  return { ...requiredOption(kind, facts), fallback: { value, text: show } }
}

/** An option that may be left out: then the value is null. */
export function optional<T>(kind: Kind<T>, whenAbsent: string, facts: RuleFacts): Rule<T | null> {
  return { ...requiredOption<T | null>(kind, facts), fallback: { value: null, text: `not set: ${whenAbsent}` } }
}

/** An option without which its section says nothing. */
export function requiredOption<T>(kind: Kind<T>, facts: RuleFacts): Rule<T> {
  return {
    form: 'option',
    kind: kind.kind,
    allowed: kind.allowed,
    doc: facts.doc,
    restart: facts.restart ?? false,
    read: (texts, context) => {
      const value = kind.read(texts[0] ?? '', context)
      return value === undefined ? { refused: kind.allowed } : { value }
    },
  }
}

/** A `list`: at most `max` items, each once. */
export function listOf<T>(kind: Kind<T>, max: number, whenAbsent: { value: readonly T[]; text: string }, facts: RuleFacts): Rule<readonly T[]> {
  const allowed = `${kind.allowed}; at most ${max} items, each once`
  return {
    form: 'list',
    kind: `list of ${kind.kind}`,
    allowed,
    doc: facts.doc,
    restart: facts.restart ?? false,
    fallback: whenAbsent,
    read: (texts, context) => {
      if (texts.length > max || new Set(texts).size !== texts.length) return { refused: allowed }
      const items: T[] = []
      for (const text of texts) {
        const item = kind.read(text, context)
        if (item === undefined) return { refused: allowed }
        items.push(item)
      }
      return { value: items }
    },
  }
}

/** A whole number without sign or leading zeros. `unit` as in `seconds`. */
export function wholeNumber(min: number, max: number, unit: string): Kind<number> {
  return {
    kind: `whole number (${unit})`,
    allowed: `a whole number from ${min} to ${max} (${unit})`,
    read: (text) => (/^(0|[1-9]\d{0,15})$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  }
}

export const flag: Kind<boolean> = {
  kind: '0 or 1',
  allowed: '0 (no) or 1 (yes)',
  read: (text) => (text === '1' ? true : text === '0' ? false : undefined),
}

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    kind: 'choice',
    allowed: choices.join(', '),
    read: (text) => choices.find((choice) => choice === text),
  }
}

/** Visible text of 1 to `max` characters, as people count them, on one line. */
export function line(max: number): Kind<string> {
  return {
    kind: 'text',
    allowed: `1 to ${max} characters on one line, no blank at either end`,
    read: (text) => {
      if (text.length > max * 8 || text.trim() !== text || /[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}]/u.test(text)) return undefined
      const count = [...text].length
      return count >= 1 && count <= max ? text : undefined
    },
  }
}

/** Text of a fixed form. */
export function matching(kind: string, allowed: string, fits: (text: string) => boolean): Kind<string> {
  return { kind, allowed, read: (text) => (fits(text) ? text : undefined) }
}

export function absolutePath(maxBytes = 255): Kind<string> {
  return matching(
    'path',
    `an absolute path below / without . and .. parts, at most ${maxBytes} bytes`,
    (text) =>
      /^\/[^\u0000-\u001f\u007f]+$/.test(text) &&
      utf8(text).length <= maxBytes &&
      !text.split('/').some((part) => part === '.' || part === '..'),
  )
}

/** Money as a decimal text in whole tokens. */
export const money: Kind<bigint> = {
  kind: 'amount in tokens',
  allowed: 'a decimal number such as 0.5, with no more digits after the point than the token has',
  read: (text, context) => {
    // While the token's decimals are themselves wrong, only the form can be judged.
    if (context.decimals === null) return /^\d{1,40}(\.\d{1,36})?$/.test(text) ? 0n : undefined
    try {
      const amount = parseAmount(text, context.decimals, 'price')
      return amount <= MAX_PRICE ? amount : undefined
    } catch (thrown) {
      if (thrown instanceof MeshBoxError) return undefined
      throw thrown
    }
  },
}

/** So low that a price times a year in minutes, or times a TiB in MiB, is still an amount. */
const MAX_PRICE = MAX_AMOUNT >> 40n

/** A minute of the day as HH:MM, or a plain number of minutes. */
export function minuteOf(max: number): Kind<number> {
  const plain = wholeNumber(0, max, 'minutes')
  return {
    kind: 'HH:MM or minutes',
    allowed: `a time such as 14:30 (00:00 to 24:00), or ${plain.allowed}`,
    read: (text, context) => {
      const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text)
      if (!match) return plain.read(text, context)
      const minutes = Number(match[1]) * 60 + Number(match[2])
      return minutes <= 1440 ? minutes : undefined
    },
  }
}
