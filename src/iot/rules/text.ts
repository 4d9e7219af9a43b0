/**
 * A rule as a sentence, for the command line and the dashboard:
 *
 *   if soil of field-3 < 20 for 10 min set pump-1 {"valve":3,"open":true} for 10 min then {"valve":3,"open":false} wait 1 h confirmed
 *   └─ value  device  op than  └─ spell    device └─ what its codec encodes  └─ and back          cool-down
 *
 * `for …` behind the number, `for … then …`, `near NUMBER` (hysteresis), `wait …` (default 10 min) and `confirmed` may be left out. A device is its name, quoted when
 * it has blanks, or its DevEUI.
 */
import { inputError } from '../../base/index.ts'
import type { Eui } from '../ports.ts'
import type { LocalRule } from './rule.ts'

export type RuleDeed = Pick<LocalRule, 'when' | 'then' | 'coolDownSeconds' | 'hysteresis'>

const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600, d: 86_400 }
const DEFAULT_WAIT_SECONDS = 600
const MAX_TEXT = 2_000

/** `devEuiOf`: null for a name that no device has. Errors: input `rule`, saying what was expected and where. */
export function parseRule(text: string, devEuiOf: (name: string) => Eui | null): RuleDeed {
  const reader = new Reader(text, devEuiOf)
  reader.word('if')
  const value = reader.match(/[A-Za-z0-9_]{1,64}/y, 'the name of a value')
  reader.word('of')
  const watched = reader.device()
  const is = reader.match(/<=|>=|!=|<|>|=/y, '< <= > >= = !=') as LocalRule['when']['is']
  const than = reader.literal()
  const hysteresis = reader.has('near') ? Number(reader.match(/\d+(\.\d+)?(e[+-]?\d+)?/y, 'a number')) : undefined
  const forSeconds = reader.has('for') ? reader.duration() : 0
  reader.word('set')
  const target = reader.device()
  const on = reader.json()
  const durationSeconds = reader.has('for') ? reader.duration() : null
  let off: unknown = null
  if (durationSeconds !== null) {
    reader.word('then')
    off = reader.json()
  }
  const coolDownSeconds = reader.has('wait') ? reader.duration() : DEFAULT_WAIT_SECONDS
  const isConfirmed = reader.has('confirmed')
  reader.end()
  return {
    when: { devEui: watched, value, is, than, forSeconds },
    then: { devEui: target, on, off, durationSeconds, isConfirmed },
    coolDownSeconds,
    ...(hysteresis === undefined ? {} : { hysteresis }),
  }
}

/** What parseRule reads back. `nameOf`: the device's name. */
export function ruleText({ when, then, coolDownSeconds, hysteresis }: RuleDeed, nameOf: (devEui: Eui) => string): string {
  const name = (devEui: Eui): string => {
    const known = nameOf(devEui)
    return /^[\w-]+$/.test(known) ? known : JSON.stringify(known)
  }
  return [
    `if ${when.value} of ${name(when.devEui)} ${when.is} ${JSON.stringify(when.than)}`,
    ...(hysteresis === undefined ? [] : [`near ${hysteresis}`]),
    ...(when.forSeconds === 0 ? [] : [`for ${durationText(when.forSeconds)}`]),
    `set ${name(then.devEui)} ${JSON.stringify(then.on)}`,
    ...(then.durationSeconds === null ? [] : [`for ${durationText(then.durationSeconds)} then ${JSON.stringify(then.off)}`]),
    `wait ${durationText(coolDownSeconds)}`,
    ...(then.isConfirmed ? ['confirmed'] : []),
  ].join(' ')
}

function durationText(seconds: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, each]) => seconds % each === 0) ?? ['s', 1]
  return `${seconds / size} ${unit}`
}

class Reader {
  readonly #text: string
  readonly #devEuiOf: (name: string) => Eui | null
  #at = 0

  constructor(text: string, devEuiOf: (name: string) => Eui | null) {
    if (text.length > MAX_TEXT) throw inputError('rule', `${text.length} characters`, `at most ${MAX_TEXT} characters`)
    this.#text = text
    this.#devEuiOf = devEuiOf
    this.#skip()
  }

  match(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) throw this.#wrong(expected)
    this.#at += found.length
    this.#skip()
    return found
  }

  has(word: string): boolean {
    if (!new RegExp(`${word}(?![\\w-])`, 'y').test(this.#text.slice(this.#at))) return false
    this.#at += word.length
    this.#skip()
    return true
  }

  word(word: string): void {
    if (!this.has(word)) throw this.#wrong(`"${word}"`)
  }

  device(): Eui {
    const from = this.#at
    const name = this.#text[from] === '"' ? this.json() : this.match(/[\w-]{1,80}/y, 'the name of a device')
    const devEui = typeof name === 'string' ? (this.#devEuiOf(name) ?? (/^[0-9a-f]{16}$/.test(name) ? name : null)) : null
    if (devEui === null) throw inputError('rule', name, `at character ${from + 1}, the name or DevEUI of a device that is registered`)
    return devEui
  }

  literal(): number | string | boolean {
    if (this.#text[this.#at] === '"') return String(this.json())
    if (this.has('true')) return true
    if (this.has('false')) return false
    return Number(this.match(/-?\d+(\.\d+)?(e[+-]?\d+)?/y, 'a number, "text", true or false'))
  }

  duration(): number {
    const count = this.match(/\d{1,6}/y, 'a number of s, min, h or d')
    return Number(count) * (UNITS[this.match(/min|s|h|d/y, 's, min, h or d')] ?? 1)
  }

  /** The shortest piece that is JSON and ends here: braces and brackets counted outside of quotes. */
  json(): unknown {
    const from = this.#at
    let depth = 0
    let isQuoted = false
    for (let at = from; at < this.#text.length; at++) {
      const character = this.#text[at] ?? ''
      if (isQuoted && character === '\\') at++
      else if (character === '"') isQuoted = !isQuoted
      else if (!isQuoted && '{['.includes(character)) depth++
      else if (!isQuoted && '}]'.includes(character)) depth--
      const isLast = at + 1 >= this.#text.length || /\s/.test(this.#text[at + 1] ?? '')
      if (depth <= 0 && !isQuoted && isLast) {
        const value = parsed(this.#text.slice(from, at + 1))
        if (value === undefined) break
        this.#at = at + 1
        this.#skip()
        return value
      }
    }
    throw this.#wrong('JSON, as {"open":true}')
  }

  end(): void {
    if (this.#at < this.#text.length) throw this.#wrong('the end')
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  #wrong(expected: string): Error {
    return inputError('rule', this.#text.slice(this.#at, this.#at + 30), `at character ${this.#at + 1}, ${expected}`)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}
