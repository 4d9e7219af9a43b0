/** The boards: every package list resolves, holds what the service needs, and fits; mistakes are named. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FIRMWARE, estimateFlash, findProfile, packageList, profileNames, readKnownPackages, readPackageLists, readProfile, unknownPackages } from '../../../firmware/profiles.ts'
import { describeLuci } from '../../../scripts/package/describe.ts'
import { ipkName } from '../../../scripts/package/ipk.ts'
import { ARCHITECTURES } from '../../../scripts/package/places.ts'

const lists = readPackageLists()
const known = readKnownPackages()
const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

it('has the boards of the plan', () => {
  expect(profileNames().map((name) => readProfile(name).profile).sort()).toEqual(['bananapi_bpi-r3', 'generic', 'glinet_gl-mt3000', 'glinet_gl-mt6000', 'linksys_mr8300', 'openwrt_one', 'rpi-4'])
})

describe.each(profileNames())('%s', (name) => {
  const profile = readProfile(name)
  const everything = packageList(profile, lists, profile.options)

  it('names only packages that are known for its target, with any options', () => {
    for (const options of [[], ['lora'], ['disk'], profile.options]) expect(unknownPackages(packageList(profile, lists, options), profile.target, known)).toEqual([])
  })

  it('has everything that the package of the service depends on', () => {
    const makefile = readFileSync(join(FIRMWARE, '../openwrt-feed/meshbox/Makefile'), 'utf8')
    const needed = [...(/^ {2}DEPENDS:=(.*)$/m.exec(makefile)?.[1] ?? '').matchAll(/\+([a-z0-9-]+)/g)].map((match) => match[1] ?? '')
    expect(needed.length).toBeGreaterThan(5)
    for (const dependency of needed) expect(everything, dependency).toContain(dependency === 'node' ? lists.nodePackage : dependency)
    expect(describeLuci().about.depends).toContain('meshbox')
  })

  it('takes the small variants out where a larger one comes in', () => {
    for (const [gone, instead] of [['dnsmasq', 'dnsmasq-full'], ['wpad-basic-mbedtls', 'wpad-mesh-mbedtls']]) {
      expect(everything.includes(`-${gone ?? ''}`)).toBe(everything.includes(instead ?? ''))
      expect(everything).not.toContain(gone)
    }
    expect(everything.includes('wpad-mesh-mbedtls')).toBe(profile.wifi)
  })

  it('is for a processor that packages are made for, and fits', () => {
    expect(Object.keys(ARCHITECTURES)).toContain(profile.arch)
    expect(estimateFlash(profile, everything, lists).fits).toBe(true)
    expect(profile.ramMiB).toBeGreaterThanOrEqual(512)
  })
})

it('packages are called as the build looks for them', () => {
  expect(ipkName(describeLuci().about)).toMatch(/^luci-app-meshbox_[^_]+_all\.ipk$/)
  expect(ipkName({ ...describeLuci().about, name: 'meshbox', architecture: 'aarch64_cortex-a53' })).toMatch(/^meshbox_[^_]+_aarch64_cortex-a53\.ipk$/)
})

it('finds a board by our name and by the ImageBuilder\'s, and lists all when there is none', () => {
  expect(findProfile('gl-mt3000')).toEqual(findProfile('glinet_gl-mt3000'))
  for (const wrong of ['', 'gl-mt300', '../packages', 'GL-MT3000'])
    expect(() => findProfile(wrong)).toThrow(new RegExp(`${wrong === '' ? 'is missing' : 'is not known'}[^]*gl-mt3000 +GL.iNet[^]*rpi-4`))
})

it('refuses options and additions that are not there', () => {
  const profile = readProfile('gl-mt3000')
  expect(() => packageList(profile, lists, ['loar'])).toThrow("OPTIONS='loar' is not for gl-mt3000; it has: lora, disk")
  for (const extra of ['$(shell id)', 'a b', '--x', 'a;b', '']) expect(() => packageList(profile, lists, [], [extra])).toThrow('is no name of a package')
  expect(packageList(profile, lists, [], ['-node127', 'node137'])).toEqual(expect.arrayContaining(['-node127', 'node137']))
})

it('finds a mistyped package, and one that another target has', () => {
  expect(unknownPackages(['kmod-batmna-adv', '-dnsmaq', 'curl'], 'mediatek/filogic', known)).toEqual(['kmod-batmna-adv', '-dnsmaq'])
  expect(unknownPackages(['kmod-nvme'], 'mediatek/filogic', known)).toEqual([])
  expect(unknownPackages(['kmod-nvme'], 'ipq40xx/generic', known)).toEqual(['kmod-nvme'])
})

it('does not fit where flash is small', () => {
  const small = { ...readProfile('gl-mt3000'), flashMiB: 32 }
  expect(estimateFlash(small, packageList(small, lists, []), lists).fits).toBe(false)
})

it('names file and field of a profile that is wrong, and line of a list that is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-profiles-'))
  folders.push(folder)
  cpSync(join(FIRMWARE, 'profiles'), join(folder, 'profiles'), { recursive: true })
  const right = JSON.parse(readFileSync(join(folder, 'profiles/rpi-4.json'), 'utf8')) as Record<string, unknown>
  for (const [field, value] of [['target', 'bcm27xx'], ['arch', ''], ['wifi', 'yes'], ['packages', 'curl'], ['packages', ['a b']], ['flashMiB', 0], ['rootfsPartsizeMiB', '512'], ['nodeInFeed', undefined]] as const) {
    writeFileSync(join(folder, 'profiles/rpi-4.json'), JSON.stringify({ ...right, [field]: value }))
    expect(() => readProfile('rpi-4', folder)).toThrow(new RegExp(`rpi-4\\.json: ${field}: .*allowed`))
  }
  for (const line of ['curl', 'curl | all | D', 'curl | all | X | somewhere', 'a b | all | D | s', 'curl | all | D | s | t', 'one | all | D | s\none | all | D | s']) {
    writeFileSync(join(folder, 'known-packages.txt'), `# names\n${line}\n`)
    expect(() => readKnownPackages(folder)).toThrow(/known-packages\.txt:[23]: expected/)
  }
})
