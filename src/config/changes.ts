/** What differs between two configurations, option by option, and which of it needs a restart. */
import { formatAmount } from '../base/index.ts'
import { RULES, SECTIONS, optionName } from './schema.ts'
import type { SectionInfo } from './schema.ts'
import type { Rule } from './rules.ts'
import type { Config } from './types.ts'

export interface ConfigChange {
  /** `section.option`, or `section.id.option` for packages, happy hours and shares. */
  readonly option: string
  /** As the file would say it; `not set` when absent. */
  readonly from: string
  readonly to: string
  /** True when the running service keeps the old value until it is restarted. */
  readonly restart: boolean
}

/**
 * The configuration in force after a re-read: `next`, with the options that need a restart as the service was
 * started with. When the token's decimals change, prices wait too: read with other decimals they would be
 * other amounts.
 */
export function keepUntilRestart(started: Config, next: Config): Config {
  const isRedenominated = started.token.decimals !== next.token.decimals
  const kept = (key: keyof Config): unknown => {
    if (isRedenominated && PRICED.includes(key)) return started[key]
    if (SECTIONS.some((info) => info.key === key && info.name === null)) return next[key]
    const rules: Readonly<Record<string, Rule<unknown>>> = RULES[key]
    const [old, now] = [valuesAt(started, key), valuesAt(next, key)]
    return Object.fromEntries(Object.keys(rules).map((property) => [property, rules[property]?.restart ? old[property] : now[property]]))
  }
  return Object.fromEntries(SECTIONS.map((info) => [info.key, kept(info.key)])) as unknown as Config
}

/** Sections that hold amounts of the token. */
const PRICED: readonly (keyof Config)[] = ['tariff', 'packages', 'mesh', 'uplinks']

type Values = Readonly<Record<string, unknown>>

/** Every option whose value differs, in the order of the documentation. */
export function configChanges(before: Config, after: Config): ConfigChange[] {
  return SECTIONS.flatMap((info) => {
    if (info.name !== null) return changesOf(info, info.type, valuesAt(before, info.key), valuesAt(after, info.key), before, after)
    const [old, now] = [listAt(before, info.key), listAt(after, info.key)]
    const ids = [...new Set([...old, ...now].map((values) => String(values['id'])))]
    const byId = ids.flatMap((id) => {
      const find = (list: readonly Values[]): Values | undefined => list.find((values) => values['id'] === id)
      return changesOf(info, `${info.type}.${id}`, find(old), find(now), before, after)
    })
    const order = (list: readonly Values[]): string => list.map((values) => values['id']).join(', ')
    const isSameSet = old.length === now.length && old.every((values) => now.some((other) => other['id'] === values['id']))
    if (!isSameSet || order(old) === order(now)) return byId
    return [...byId, { option: `${info.type} (order)`, from: order(old), to: order(now), restart: false }]
  })
}

/** The changes the running service cannot take over. */
export function restartNeeded(before: Config, after: Config): ConfigChange[] {
  return configChanges(before, after).filter((change) => change.restart)
}

function changesOf(info: SectionInfo, prefix: string, old: Values | undefined, now: Values | undefined, before: Config, after: Config): ConfigChange[] {
  const rules: Readonly<Record<string, Rule<unknown>>> = RULES[info.key]
  const waits = PRICED.includes(info.key) && before.token.decimals !== after.token.decimals
  const changes: ConfigChange[] = []
  for (const [property, rule] of Object.entries(rules)) {
    const [from, to] = [valueText(old?.[property], before), valueText(now?.[property], after)]
    if (from !== to) changes.push({ option: `${prefix}.${optionName(property)}`, from, to, restart: rule.restart || waits })
  }
  return changes
}

function valuesAt(config: Config, key: keyof Config): Values {
  return config[key] as unknown as Values
}

function listAt(config: Config, key: keyof Config): readonly Values[] {
  return config[key] as unknown as readonly Values[]
}

function valueText(value: unknown, config: Config): string {
  if (value === null || value === undefined) return 'not set'
  if (typeof value === 'bigint') return formatAmount(value, config.token.decimals)
  if (typeof value === 'boolean') return value ? '1' : '0'
  return Array.isArray(value) ? value.join(', ') : String(value)
}
