/** What a rule may say: checked once, before it is stored. */
import { inputError } from '../../base/index.ts'
import type { Rule } from '../ports.ts'

/** The port's rule, and by how much a value must be back before a spell ends: 19.9, 20.1, 19.9 is one spell of "below 20" with 0.5. */
export interface LocalRule extends Rule {
  readonly hysteresis?: number
}

export const MAX_RULES = 64
const MAX_SECONDS = 7 * 86_400
/** Shorter would let two rules that call each other fill the air. */
const MIN_COOL_DOWN_SECONDS = 10
const MAX_JSON = 512
const OPERATORS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '=', '!='])

/** Errors: input, naming the field. */
export function checkRule(rule: LocalRule): LocalRule {
  const { when, then } = rule
  must(/^[a-z0-9][a-z0-9-]{0,31}$/.test(rule.id), 'id', rule.id, 'lower-case letters, digits and -, at most 32')
  must(rule.name.length >= 1 && rule.name.length <= 80, 'name', rule.name, '1 to 80 characters')
  must(/^[0-9a-f]{16}$/.test(when.devEui), 'when.devEui', when.devEui, '16 lower-case hex digits')
  must(/^[A-Za-z0-9_]{1,64}$/.test(when.value), 'when.value', when.value, 'letters, digits and _, at most 64')
  must(OPERATORS.has(when.is), 'when.is', when.is, [...OPERATORS].join(' '))
  const isNumber = typeof when.than === 'number' && Number.isFinite(when.than)
  must(isNumber || typeof when.than === 'boolean' || (typeof when.than === 'string' && when.than.length <= 64), 'when.than', when.than, 'a number, a text of at most 64 characters, true or false')
  must(isNumber || when.is === '=' || when.is === '!=', 'when.is', when.is, '= or != for what is no number')
  must(isWhole(when.forSeconds, 0, MAX_SECONDS), 'when.forSeconds', when.forSeconds, `0 to ${MAX_SECONDS}`)
  must(/^[0-9a-f]{16}$/.test(then.devEui), 'then.devEui', then.devEui, '16 lower-case hex digits')
  must(isSmallJson(then.on), 'then.on', then.on, `JSON of at most ${MAX_JSON} characters`)
  must(then.off === null || isSmallJson(then.off), 'then.off', then.off, `JSON of at most ${MAX_JSON} characters`)
  must(then.durationSeconds === null || isWhole(then.durationSeconds, 1, MAX_SECONDS), 'then.durationSeconds', then.durationSeconds, `1 to ${MAX_SECONDS}`)
  must((then.off === null) === (then.durationSeconds === null), 'then.off', then.off, 'with durationSeconds, or neither of the two')
  must(isWhole(rule.coolDownSeconds, MIN_COOL_DOWN_SECONDS, MAX_SECONDS), 'coolDownSeconds', rule.coolDownSeconds, `${MIN_COOL_DOWN_SECONDS} to ${MAX_SECONDS}`)
  const { hysteresis } = rule
  must(hysteresis === undefined || (isNumber && Number.isFinite(hysteresis) && hysteresis >= 0 && when.is !== '=' && when.is !== '!='), 'hysteresis', hysteresis, 'a number from 0 on, for < <= > >=')
  return rule
}

/** Whether both do the same; name, dry run and pause aside. */
export function doesTheSame(left: LocalRule, right: LocalRule): boolean {
  const deed = ({ when, then, coolDownSeconds, hysteresis }: LocalRule): string =>
    JSON.stringify([when.devEui, when.value, when.is, when.than, when.forSeconds, then.devEui, then.on, then.off, then.durationSeconds, then.isConfirmed, coolDownSeconds, hysteresis ?? 0])
  return deed(left) === deed(right)
}

function isSmallJson(value: unknown): boolean {
  const text = JSON.stringify(value) as string | undefined
  return text !== undefined && text !== 'null' && text.length <= MAX_JSON
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function must(isRight: boolean, field: string, value: unknown, allowed: string): void {
  if (!isRight) throw inputError(field, value ?? null, allowed)
}
