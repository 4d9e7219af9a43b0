/**
 * The boards: firmware/profiles/NAME.json, the package lists of firmware/packages.json, and the names that are known
 * (firmware/known-packages.txt). Reading refuses what is not there or not of the right form, by file and field.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export class FirmwareError extends Error {}

export const FIRMWARE = import.meta.dirname

export interface Profile {
  /** The file's name without `.json`: what `PROFILE=` takes. */
  readonly name: string
  readonly title: string
  /** `mediatek/filogic` */
  readonly target: string
  /** The profile of the ImageBuilder. */
  readonly profile: string
  /** As opkg writes it. */
  readonly arch: string
  /** Does the binary repository of the Node feed name this architecture? */
  readonly nodeInFeed: boolean
  readonly wifi: boolean
  readonly ramMiB: number
  /** Room for kernel, system and data together. */
  readonly flashMiB: number
  /** Size of the root partition where the image has one of a fixed size. */
  readonly rootfsPartsizeMiB: number | null
  readonly packages: readonly string[]
  readonly options: readonly string[]
  readonly notes: readonly string[]
}

export interface PackageLists {
  readonly nodePackage: string
  readonly common: readonly string[]
  readonly wifi: readonly string[]
  readonly options: Readonly<Record<string, readonly string[]>>
  /** Compressed, in the image; `""` is OpenWrt itself with its kernel. All of them estimates. */
  readonly sizesKiB: Readonly<Record<string, number>>
  /** For packages that are not named. */
  readonly smallKiB: number
  readonly roomForDataKiB: number
}

export interface KnownPackage {
  readonly targets: readonly string[] | 'all'
  readonly how: string
  readonly source: string
}

export function profileNames(folder = FIRMWARE): string[] {
  return readdirSync(join(folder, 'profiles')).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5)).sort()
}

/** By our name, or by the ImageBuilder's. */
export function findProfile(wanted: string, folder = FIRMWARE): Profile {
  const all = profileNames(folder).map((name) => readProfile(name, folder))
  const found = all.find((profile) => profile.name === wanted) ?? all.find((profile) => profile.profile === wanted)
  if (found === undefined) throw new FirmwareError(`${wanted === '' ? 'PROFILE= is missing' : `PROFILE='${wanted}' is not known`}; there are:\n${listing(all)}`)
  return found
}

function listing(profiles: readonly Profile[]): string {
  return profiles.map(({ name, title }) => `  ${name.padEnd(14)} ${title}`).join('\n')
}

const NAME = /^-?[a-z0-9][a-z0-9+._-]*$/

export function readProfile(name: string, folder = FIRMWARE): Profile {
  const file = join(folder, 'profiles', `${name}.json`)
  const fields = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>
  const need = <T>(field: string, isRight: (value: unknown) => value is T, allowed: string): T => {
    const value = fields[field]
    if (!isRight(value)) throw new FirmwareError(`${file}: ${field}: ${JSON.stringify(value)}; allowed: ${allowed}`)
    return value
  }
  const text = (pattern: RegExp) => (value: unknown): value is string => typeof value === 'string' && pattern.test(value)
  const mebibytes = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0
  const texts = (pattern: RegExp) => (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string' && pattern.test(item))
  return {
    name,
    title: need('title', text(/^\S.*$/), 'a name for people'),
    target: need('target', text(/^[a-z0-9]+\/[a-z0-9]+$/), 'target/subtarget'),
    profile: need('profile', text(/^[a-z0-9_-]+$/), 'a profile of the ImageBuilder'),
    arch: need('arch', text(/^[a-z0-9_-]+$/), 'an architecture as opkg writes it'),
    nodeInFeed: need('nodeInFeed', (value): value is boolean => typeof value === 'boolean', 'true, false'),
    wifi: need('wifi', (value): value is boolean => typeof value === 'boolean', 'true, false'),
    ramMiB: need('ramMiB', mebibytes, 'MiB'),
    flashMiB: need('flashMiB', mebibytes, 'MiB'),
    rootfsPartsizeMiB: need('rootfsPartsizeMiB', (value): value is number | null => value === null || mebibytes(value), 'MiB, or null'),
    packages: need('packages', texts(NAME), 'names of packages, - before one that goes'),
    options: need('options', texts(/^[a-z]+$/), 'names of options'),
    notes: need('notes', texts(/^\S.*$/), 'lines of text'),
  }
}

export function readPackageLists(folder = FIRMWARE): PackageLists {
  return JSON.parse(readFileSync(join(folder, 'packages.json'), 'utf8')) as PackageLists
}

/** The package list of a board, `-name` for what goes. Errors: an option the board does not have. */
export function packageList(profile: Profile, lists: PackageLists, options: readonly string[], extra: readonly string[] = []): string[] {
  for (const option of options)
    if (!profile.options.includes(option)) throw new FirmwareError(`OPTIONS='${option}' is not for ${profile.name}; it has: ${profile.options.join(', ') || 'none'}`)
  for (const name of extra) if (!NAME.test(name)) throw new FirmwareError(`EXTRA='${name}' is no name of a package`)
  return [...new Set([...lists.common, ...(profile.wifi ? lists.wifi : []), ...profile.packages, ...options.flatMap((option) => lists.options[option] ?? []), ...extra])]
}

export function readKnownPackages(folder = FIRMWARE): Map<string, KnownPackage> {
  const file = join(folder, 'known-packages.txt')
  const known = new Map<string, KnownPackage>()
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [name = '', targets = '', how = '', source = '', ...rest] = line.split('|').map((part) => part.trim())
    if (!NAME.test(name) || targets === '' || !/^[DVIUO]$/.test(how) || source === '' || rest.length > 0 || known.has(name))
      throw new FirmwareError(`${file}:${index + 1}: expected: name | targets | D, V, I, U or O | source, each name once`)
    known.set(name, { targets: targets === 'all' ? 'all' : targets.split(/\s+/), how, source })
  }
  return known
}

/** Names of the list that are not known for the target. */
export function unknownPackages(list: readonly string[], target: string, known: ReadonlyMap<string, KnownPackage>): string[] {
  return list.filter((entry) => {
    const found = known.get(entry.replace(/^-/, ''))
    return found === undefined || (found.targets !== 'all' && !found.targets.includes(target))
  })
}

export interface FlashEstimate {
  readonly imageKiB: number
  readonly roomKiB: number
  readonly fits: boolean
}

/** A guess before anything is built; the ImageBuilder says what is true. */
export function estimateFlash(profile: Profile, list: readonly string[], lists: PackageLists): FlashEstimate {
  const imageKiB = list.filter((name) => !name.startsWith('-')).reduce((sum, name) => sum + (lists.sizesKiB[name] ?? lists.smallKiB), lists.sizesKiB[''] ?? 0)
  const roomKiB = profile.flashMiB * 1024
  return { imageKiB, roomKiB, fits: imageKiB + lists.roomForDataKiB <= roomKiB }
}
