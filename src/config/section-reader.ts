/** One section of the file read by the rules of its kind, with the places later checks point at. */
import { MAX_PROBLEMS_SHOWN } from './config-error.ts'
import type { ConfigProblem } from './config-error.ts'
import type { ReadContext } from './rules.ts'
import { optionName } from './schema.ts'
import type { Rules } from './schema.ts'
import type { UciFile, UciOption, UciSection } from './uci.ts'

export interface SectionRead<S> {
  readonly values: S
  /** As messages name it. */
  readonly title: string
  /** Line to point at for an option: its own, else the section's, else 0. */
  readonly lineOf: (property: keyof S & string) => number
  readonly isGiven: (property: keyof S & string) => boolean
  /** False when one of these options was refused or may have been lost in an unreadable line. */
  readonly isSound: (...properties: (keyof S & string)[]) => boolean
}

/**
 * Reads one section; `section` undefined means it is not in the file and everything is at its default.
 * Refused values are reported, and replaced by the default (or by what the caller never looks at).
 */
export function readSection<S>(
  rules: Rules<S>,
  section: UciSection | undefined,
  title: string,
  uci: UciFile,
  context: ReadContext,
  problems: ConfigProblem[],
): SectionRead<S> {
  const properties = Object.keys(rules) as (keyof S & string)[]
  const given = new Map((section?.options ?? []).map((option) => [option.name, option]))
  const refused = new Set<string>()
  const values: Partial<S> = {}
  const place = { file: uci.file, section: title }
  for (const property of properties) {
    const rule = rules[property]
    const name = optionName(property)
    const option = given.get(name)
    given.delete(name)
    if (option === undefined || isEmptyOption(option)) {
      if (rule.fallback !== undefined) values[property] = rule.fallback.value
      else {
        refused.add(property)
        if (section?.isDamaged !== true)
          problems.push({ ...place, line: section?.statement.line ?? 0, option: name, what: 'is missing', allowed: rule.allowed })
      }
      continue
    }
    const read = option.kind === rule.form ? rule.read(option.values.map((value) => value.text), context) : null
    if (read !== null && 'value' in read) {
      values[property] = read.value
      continue
    }
    refused.add(property)
    if (rule.fallback !== undefined) values[property] = rule.fallback.value
    problems.push({ ...place, option: name, ...(read === null ? wrongForm(option, rule.form) : wrongValue(option, read.refused)) })
  }
  const names = properties.map(optionName)
  for (const option of given.values()) {
    const near = problems.length < MAX_PROBLEMS_SHOWN ? nearest(option.name, names) : null
    problems.push({
      ...place,
      line: option.values[0]?.line ?? 0,
      option: option.name,
      what: `is not an option of this section${near === null ? '' : `; did you mean ${near}?`}`,
      ...(near === null ? { allowed: names.join(', ') } : {}),
    })
  }
  const optionOf = (property: string): UciOption | undefined => section?.options.find((option) => option.name === optionName(property))
  return {
    values: values as S,
    title,
    lineOf: (property) => optionOf(property)?.values[0]?.line ?? section?.statement.line ?? 0,
    isGiven: (property) => optionOf(property) !== undefined,
    isSound: (...asked) => section?.isDamaged !== true && asked.every((property) => !refused.has(property)),
  }
}

/** libuci takes an empty value for none at all; so do we. */
function isEmptyOption(option: UciOption): boolean {
  return option.kind === 'option' && option.values[0]?.text === ''
}

function wrongForm(option: UciOption, form: 'option' | 'list'): Pick<ConfigProblem, 'line' | 'what' | 'allowed'> {
  return { line: option.values[0]?.line ?? 0, what: `is written as ${option.kind}`, allowed: `${form} ${option.name} '…'` }
}

function wrongValue(option: UciOption, allowed: string): Pick<ConfigProblem, 'line' | 'what' | 'allowed' | 'value'> {
  const long = option.values.find((value) => value.text.includes('\n'))
  const shown = long ?? option.values[0]
  return {
    line: shown?.line ?? 0,
    value: option.kind === 'list' ? option.values.map((value) => value.text).join(', ') : (shown?.text ?? ''),
    what: long === undefined ? 'is not allowed' : 'runs over several lines; is a closing quote missing?',
    allowed,
  }
}

/** The known name that differs least, when it differs little enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name, candidate)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Letters to insert, delete or replace (Levenshtein); names are at most 64 letters long. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replace, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}

