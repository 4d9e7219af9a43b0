/** UCI text → one typed configuration, or every reason why not. */
import { checkTogether } from './cross-checks.ts'
import { ConfigError } from './config-error.ts'
import type { ConfigProblem } from './config-error.ts'
import { ID_MAX_CHARS, PACKAGE_NAME, RULES, SECTIONS } from './schema.ts'
import type { SectionInfo, Rules } from './schema.ts'
import { nearest, readSection } from './section-reader.ts'
import type { SectionRead } from './section-reader.ts'
import type { ReadContext } from './rules.ts'
import type { Config } from './types.ts'
import { readUci, sectionTitle } from './uci.ts'
import type { UciFile, UciSection } from './uci.ts'

/** A package, happy hour, share or uplink: its rules make all but the id, which is the section's name. */
type Named<S> = S & { readonly id: string }

/** Every section as read, for the checks that look at more than one option. */
export interface ReadConfig {
  readonly main: SectionRead<Config['main']>
  readonly token: SectionRead<Config['token']>
  readonly hotspot: SectionRead<Config['hotspot']>
  readonly owner: SectionRead<Config['owner']>
  readonly chain: SectionRead<Config['chain']>
  readonly photon: SectionRead<Config['photon']>
  readonly mesh: SectionRead<Config['mesh']>
  readonly packages: readonly SectionRead<Config['packages'][number]>[]
  readonly happyHours: readonly SectionRead<Config['happyHours'][number]>[]
  readonly shares: readonly SectionRead<Config['shares'][number]>[]
  readonly uplinks: readonly SectionRead<Config['uplinks'][number]>[]
  readonly iot: SectionRead<Config['iot']>
  readonly payees: readonly SectionRead<Config['payees'][number]>[]
}

/**
 * Reads a configuration. An empty text is valid: everything is at its default, and the box has no role.
 * @param text UCI text, at most 256 KiB
 * @param fileName shown in errors
 * @throws ConfigError with all problems of the file
 */
export function loadConfig(text: string, fileName: string): Config {
  const { uci, problems } = readUci(text, fileName)
  if (uci.package !== null && uci.package !== PACKAGE_NAME)
    problems.push({ file: fileName, line: 0, what: `this is the configuration of another package, '${uci.package}'`, allowed: `package ${PACKAGE_NAME}, or no package line` })
  const sorted = sortSections(uci, problems)
  const one = (key: keyof Config): UciSection | undefined => sorted.get(key)?.[0]

  // Prices are read with the token's decimals, so the token comes first.
  const anyDecimals = { decimals: null }
  const token = readSection(RULES.token, one('token'), "token 'token'", uci, anyDecimals, problems)
  const context: ReadContext = { decimals: token.isSound('decimals') ? token.values.decimals : null }
  const single = <S>(key: keyof Config, rules: Rules<S>): SectionRead<S> => readSection(rules, one(key), singleTitle(key), uci, context, problems)
  const named = <S>(key: keyof Config, rules: Rules<S>): SectionRead<Named<S>>[] =>
    (sorted.get(key) ?? []).map((section) => {
      const read = readSection(rules, section, sectionTitle(section), uci, context, problems)
      return { ...read, values: { ...read.values, id: section.name ?? '' } } as SectionRead<Named<S>>
    })

  const read = {
    main: single('main', RULES.main),
    token,
    hotspot: single('hotspot', RULES.hotspot),
    owner: single('owner', RULES.owner),
    chain: single('chain', RULES.chain),
    photon: single('photon', RULES.photon),
    mesh: single('mesh', RULES.mesh),
    tariff: single('tariff', RULES.tariff),
    packages: named('packages', RULES.packages),
    happyHours: named('happyHours', RULES.happyHours),
    shares: named('shares', RULES.shares),
    uplinks: named('uplinks', RULES.uplinks),
    iot: single('iot', RULES.iot),
    payout: single('payout', RULES.payout),
    payees: named('payees', RULES.payees),
    milestones: named('milestones', RULES.milestones),
  }
  problems.push(...checkTogether(read, fileName))
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    main: read.main.values,
    token: read.token.values,
    hotspot: read.hotspot.values,
    owner: read.owner.values,
    tariff: read.tariff.values,
    packages: read.packages.map((section) => section.values),
    happyHours: read.happyHours.map((section) => section.values),
    shares: read.shares.map((section) => section.values),
    chain: read.chain.values,
    photon: read.photon.values,
    mesh: read.mesh.values,
    uplinks: read.uplinks.map((section) => section.values),
    iot: read.iot.values,
    payout: read.payout.values,
    payees: read.payees.map((section) => section.values),
    milestones: read.milestones.map((section) => section.values),
  }
}

/** The sections of the file by what they make; those that have no place are reported and left out. */
function sortSections(uci: UciFile, problems: ConfigProblem[]): Map<keyof Config, UciSection[]> {
  const sorted = new Map<keyof Config, UciSection[]>()
  for (const section of uci.sections) {
    const report = (what: string, allowed?: string): void => {
      const place = { file: uci.file, line: section.statement.line, section: sectionTitle(section) }
      problems.push({ ...place, what, ...(allowed === undefined ? {} : { allowed }) })
    }
    const info = SECTIONS.find((known) => known.type === section.type)
    const types = SECTIONS.map((known) => known.type)
    if (info === undefined) {
      const near = nearest(section.type, types)
      report(`there is no such section${near === null ? '' : `; did you mean config ${near}?`}`, types.join(', '))
      continue
    }
    const sections = sorted.get(info.key) ?? []
    const fault = faultOf(section, info, sections.length)
    if (fault === null) sorted.set(info.key, [...sections, section])
    else report(fault.what, fault.allowed)
  }
  return sorted
}

function faultOf(section: UciSection, info: SectionInfo, already: number): { what: string; allowed: string } | null {
  if (info.name !== null)
    return section.name === info.name ? null : { what: 'has the wrong name', allowed: `config ${info.type} '${info.name}', once` }
  if (section.name === null) return { what: 'has no name', allowed: `config ${info.type} '<id>', with an id of its own` }
  if (section.name.length > ID_MAX_CHARS) return { what: 'has too long a name', allowed: `at most ${ID_MAX_CHARS} characters` }
  if (already >= info.max) return { what: 'is one too many', allowed: `at most ${info.max} sections of this type` }
  return null
}

function singleTitle(key: keyof Config): string {
  const info = SECTIONS.find((known) => known.key === key)
  return sectionTitle({ type: info?.type ?? key, name: info?.name ?? null })
}
