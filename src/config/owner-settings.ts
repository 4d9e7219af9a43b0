/**
 * What the owner changes from the dashboard, written into the configuration text: comments, order and
 * quoting of everything else stay, and an option whose text already says the same is not touched.
 */
import { formatAmount, inputError } from '../base/index.ts'
import { loadConfig } from './load.ts'
import type { ReadContext, Rule } from './rules.ts'
import { RULES, SECTIONS, WEEKDAYS, optionName } from './schema.ts'
import type { SectionInfo } from './schema.ts'
import type { Config, HappyHourConfig, HotspotConfig, MainConfig, PackageConfig, ShareConfig } from './types.ts'
import { editUci } from './uci-edit.ts'
import type { OptionValue, UciEdit } from './uci-edit.ts'
import { parseUci } from './uci.ts'
import type { UciFile, UciSection } from './uci.ts'

/** Only what is given changes; null takes an option away. Prices are decimal texts in tokens, "0.5". */
export interface OwnerSettings {
  readonly name?: string
  readonly roles?: MainConfig['roles']
  readonly tariff?: TariffSetting
  /** Replaces the whole list, in this order. */
  readonly packages?: readonly PackageSetting[]
  /** Replaces the whole list, in this order. */
  readonly happyHours?: readonly HappyHourConfig[]
  readonly guestNetwork?: GuestNetworkSetting
  /** Replaces the whole list. */
  readonly shares?: readonly ShareConfig[]
}

export interface TariffSetting {
  readonly pricePerMinute?: string
  readonly pricePerMib?: string
  readonly burnerCap?: string
  readonly trialMinutes?: number
  readonly trialMib?: number | null
  readonly downKbps?: number | null
  readonly upKbps?: number | null
}

/** A new package without a slot gets the lowest one that no package has or had before this change. */
export type PackageSetting = Omit<PackageConfig, 'price' | 'slot' | 'tokens'> & { readonly price: string; readonly slot?: number; readonly tokens?: string | null }

export type GuestNetworkSetting = Partial<
  Pick<
    HotspotConfig,
    | 'guestInterface'
    | 'uplinkInterfaces'
    | 'portalHost'
    | 'portalAddress'
    | 'clientIsolation'
    | 'walledGardenDomains'
    | 'walledGardenAddresses'
    | 'venueUrl'
  >
>

type Setting = string | number | boolean | null | undefined | readonly string[]
type Settings = Readonly<Record<string, Setting>>
type Item = Settings & { readonly id: string }

/**
 * The text with the settings in it.
 * @throws ConfigError when `text` is not a valid configuration, or would not be one any more
 * @throws MeshBoxError `input` for an id twice or too many items, `conflict` code `section-exists` for an id
 *   that another section has
 */
export function applyOwnerSettings(text: string, settings: OwnerSettings, fileName = 'meshbox'): string {
  const before = loadConfig(text, fileName)
  const editor = new SettingsEditor(parseUci(text, fileName), before)
  editor.single('main', {
    ...(settings.name === undefined ? {} : { name: settings.name }),
    ...(settings.roles === undefined ? {} : { roles: settings.roles }),
  })
  if (settings.tariff !== undefined) editor.single('tariff', { ...settings.tariff })
  if (settings.guestNetwork !== undefined) editor.single('hotspot', { ...settings.guestNetwork })
  if (settings.packages !== undefined) editor.list('packages', withSlots(settings.packages, before))
  if (settings.happyHours !== undefined) editor.list('happyHours', settings.happyHours.map(happyHourItem))
  if (settings.shares !== undefined) editor.list('shares', settings.shares.map((share) => ({ ...share })))
  const edited = editUci(text, editor.edits, fileName)
  loadConfig(edited, fileName)
  return edited
}

class SettingsEditor {
  readonly edits: UciEdit[] = []
  readonly #uci: UciFile
  readonly #context: ReadContext

  constructor(uci: UciFile, config: Config) {
    this.#uci = uci
    this.#context = { decimals: config.token.decimals }
  }

  /** Options of a section that is in the file at most once; it is added when it is not there. */
  single(key: keyof Config, settings: Settings): void {
    const info = infoOf(key)
    const name = info.name ?? ''
    const section = this.#uci.sections.find((known) => known.type === info.type)
    const rules: Readonly<Record<string, Rule<unknown>>> = RULES[key]
    const changes = Object.entries(settings).filter(([property, value]) => value !== undefined && this.#differs(rules[property], section, property, value))
    if (changes.length === 0) return
    if (section === undefined) this.edits.push({ do: 'add-section', section: { type: info.type, name, options: optionsOf(changes) } })
    else for (const [property, value] of changes) this.#set(name, property, value)
  }

  /** The whole list of packages, happy hours or shares. */
  list(key: keyof Config, items: readonly Item[]): void {
    const info = infoOf(key)
    const ids = items.map((item) => item.id)
    const twice = ids.find((id, index) => ids.indexOf(id) !== index)
    if (twice !== undefined) throw inputError(`${info.type} id`, twice, 'each id once')
    if (items.length > info.max) throw inputError(key, items.length, `at most ${info.max}`)
    const present = this.#uci.sections.filter((section) => section.type === info.type)
    const isPresent = (id: string): boolean => present.some((section) => section.name === id)
    const stay = present.filter((section) => section.name !== null && ids.includes(section.name))
    const isSameOrder = ids.filter(isPresent).join() === stay.map((section) => section.name).join()
    const isNewFirst = stay.length > 0 && !isPresent(ids[0] ?? '')
    // Sections are edited where they stand, unless their order changes: then they are written anew.
    const kept = isSameOrder && !isNewFirst ? stay : []
    for (const section of present) if (!kept.includes(section)) this.edits.push({ do: 'delete-section', section: { name: section.name ?? '' } })
    let previous: string | null = null
    for (const item of items) {
      this.#item(info, item, kept.find((section) => section.name === item.id), previous)
      previous = item.id
    }
  }

  #item(info: SectionInfo, item: Item, section: UciSection | undefined, previous: string | null): void {
    const changes = Object.entries<Rule<unknown>>(RULES[info.key])
      .filter(([property, rule]) => this.#differs(rule, section, property, item[property]))
      .map(([property]) => [property, item[property]] as const)
    if (section !== undefined) {
      for (const [property, value] of changes) this.#set(item.id, property, value)
      return
    }
    const added = { type: info.type, name: item.id, options: optionsOf(changes) }
    this.edits.push({ do: 'add-section', section: added, ...(previous === null ? {} : { after: { name: previous } }) })
  }

  /** Would the file say something else with this value than it says now? */
  #differs(rule: Rule<unknown> | undefined, section: UciSection | undefined, property: string, value: Setting): boolean {
    const option = section?.options.find((known) => known.name === optionName(property))
    const now = option === undefined ? rule?.fallback?.value : readValue(rule, option.values.map((entry) => entry.text), this.#context)
    const texts = textsOf(value)
    const then = texts.length === 0 ? rule?.fallback?.value : readValue(rule, texts, this.#context)
    return then === undefined || now === undefined || String(now) !== String(then)
  }

  #set(name: string, property: string, value: Setting): void {
    const [section, option] = [{ name }, optionName(property)]
    if (isList(value)) this.edits.push({ do: 'set-list', section, option, values: value })
    else if (value === null || value === undefined) this.edits.push({ do: 'delete-option', section, option })
    else this.edits.push({ do: 'set-option', section, option, value: textOf(property, value) })
  }
}

function infoOf(key: keyof Config): SectionInfo {
  const info = SECTIONS.find((known) => known.key === key)
  if (info === undefined) throw inputError('section', key, SECTIONS.map((known) => known.key).join(', '))
  return info
}

function readValue(rule: Rule<unknown> | undefined, texts: readonly string[], context: ReadContext): unknown {
  const read = rule?.read(texts, context)
  return read !== undefined && 'value' in read ? read.value : undefined
}

/** The options of a new section; what is absent is not written. */
function optionsOf(changes: readonly (readonly [string, Setting])[]): Record<string, OptionValue> {
  const given = changes.filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(given.map(([property, value]) => [optionName(property), isList(value) ? value : textOf(property, value)]))
}

/** An empty text would be no option at all. */
function textOf(property: string, value: Setting): string {
  const [text = ''] = textsOf(value)
  if (text === '') throw inputError(optionName(property), text, 'a text; null takes the option away')
  return text
}

function textsOf(value: Setting): readonly string[] {
  if (value === null || value === undefined) return []
  if (isList(value)) return value
  return [typeof value === 'boolean' ? (value ? '1' : '0') : String(value)]
}

function isList(value: Setting): value is readonly string[] {
  return Array.isArray(value)
}

/** What a door does not know of yet, tokens, stays as it was. */
function withSlots(packages: readonly PackageSetting[], before: Pick<Config, 'packages' | 'token'>): Item[] {
  const tokensBefore = new Map(before.packages.map(({ id, tokens }) => [id, tokens === null ? null : formatAmount(tokens, before.token.decimals)]))
  const slotBefore = new Map(before.packages.map((known) => [known.id, known.slot]))
  const slotOf = (item: PackageSetting): number | undefined => item.slot ?? slotBefore.get(item.id)
  const taken = new Set(packages.map(slotOf))
  const used = new Set([...taken, ...slotBefore.values()])
  const allSlots = Array.from({ length: 16 }, (_, slot) => slot)
  return packages.map((item) => {
    // Vouchers of a package that goes may still be about: its slot is the last one to be given again.
    const slot = slotOf(item) ?? allSlots.find((free) => !used.has(free)) ?? allSlots.find((free) => !taken.has(free))
    taken.add(slot)
    used.add(slot)
    return { ...item, slot, tokens: item.tokens === undefined ? (tokensBefore.get(item.id) ?? null) : item.tokens }
  })
}

function happyHourItem(hour: HappyHourConfig): Item {
  const isClock = hour.basis === 'clock'
  const isEveryDay = WEEKDAYS.every((day) => hour.days.includes(day))
  return {
    ...hour,
    fromMinute: isClock ? timeOfDay(hour.fromMinute) : hour.fromMinute,
    toMinute: isClock ? timeOfDay(hour.toMinute) : hour.toMinute,
    days: isClock && !isEveryDay ? hour.days : null,
  }
}

/** 870 → '14:30'; what is not a minute of a day goes through as it is, to be refused with its value. */
function timeOfDay(minute: number): string {
  if (!Number.isInteger(minute) || minute < 0 || minute > 1440) return String(minute)
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
