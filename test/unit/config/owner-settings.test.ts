/** What the dashboard writes: valid, in place, and never more than was asked. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, formatAmount } from '../../../src/base/index.ts'
import { ConfigError, applyOwnerSettings, loadConfig } from '../../../src/config/index.ts'
import type { HappyHourConfig, OwnerSettings, PackageConfig, PackageSetting } from '../../../src/config/index.ts'

const CAFE = readFileSync(new URL('../../../configs/cafe/meshbox', import.meta.url), 'utf8')
const load = (text: string) => loadConfig(text, 'box')
const asSetting = (pack: PackageConfig): PackageSetting => ({ ...pack, price: formatAmount(pack.price, 18), tokens: pack.tokens === null ? null : formatAmount(pack.tokens, 18) })
const cafePackages = load(CAFE).packages.map(asSetting)
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error
const newPackage: PackageSetting = { id: 'night', label: 'A night', seconds: 28_800, bytes: null, tokens: null, price: '6', devices: 2, downKbps: null, upKbps: 512, offered: true }
const newHour: HappyHourConfig = { id: 'dawn', label: 'Dawn', basis: 'clock', fromMinute: 300, toMinute: 1440, days: ['sat', 'sun'], discountPercent: 40 }

describe('applyOwnerSettings', () => {
  it('changes not one byte when nothing would be different', () => {
    const config = load(CAFE)
    const same: OwnerSettings = {
      name: config.main.name,
      roles: config.main.roles,
      tariff: { pricePerMinute: '0.10', trialMinutes: 10, trialMib: 50, downKbps: 8000, upKbps: 2000, pricePerMib: '0' },
      packages: cafePackages,
      happyHours: config.happyHours,
      shares: config.shares,
      guestNetwork: { guestInterface: 'br-guest', uplinkInterfaces: ['wan'], clientIsolation: true, venueUrl: null },
    }
    expect(applyOwnerSettings(CAFE, same)).toBe(CAFE)
  })

  it('changes one price and keeps every comment', () => {
    const edited = applyOwnerSettings(CAFE, { tariff: { pricePerMinute: '0.2' } })
    expect(edited).toBe(CAFE.replace("price_per_minute '0.1'", "price_per_minute '0.2'"))
  })

  it('makes the first configuration of a box out of nothing', () => {
    const text = applyOwnerSettings('', { name: "Anna's", roles: ['hotspot'], tariff: { pricePerMinute: '0.1' }, guestNetwork: { guestInterface: 'br-lan' }, packages: [newPackage] })
    const config = load(text)
    expect(config.main).toMatchObject({ name: "Anna's", roles: ['hotspot'] })
    expect(config.packages).toEqual([{ ...newPackage, slot: 0, price: 6n * 10n ** 18n }])
    expect(text).not.toContain('devices_max')
    expect(text).not.toContain('offered') // the default needs no line
  })

  it('takes an option away by null', () => {
    const edited = applyOwnerSettings(CAFE, { tariff: { trialMib: null, downKbps: null } })
    expect(load(edited).tariff).toMatchObject({ trialMib: null, downKbps: null, upKbps: 2000 })
    expect(edited.split('\n')).toHaveLength(CAFE.split('\n').length - 2)
  })

  it('replaces the list of packages: edited in place, new ones where they belong, others gone', () => {
    const [half, two, , gigabyte, meal] = cafePackages
    if (!half || !two || !gigabyte || !meal) throw new Error('the café sells less than it did')
    const wanted = [{ ...half, price: '2.5', devices: 1 }, newPackage, { ...two, downKbps: null }, gigabyte, meal]
    const edited = applyOwnerSettings(CAFE, { packages: wanted })
    const now = load(edited).packages
    expect(now.map((pack) => [pack.id, pack.slot])).toEqual([['half_hour', 0], ['night', 5], ['two_hours', 1], ['gigabyte', 3], ['with_meal', 4]])
    expect(now.map((pack) => ({ ...asSetting(pack), slot: undefined }))).toEqual(wanted.map((pack) => ({ ...pack, slot: undefined })))
    expect(edited).toContain('# its number on printed vouchers')
    expect(edited).toContain('# Given to guests with a meal')
    expect(edited).not.toContain("'1 day'")
  })

  it('keeps the wanted order also when that means writing them anew', () => {
    const turned = [...cafePackages].reverse()
    expect(load(applyOwnerSettings(CAFE, { packages: turned })).packages.map((pack) => pack.id)).toEqual(turned.map((pack) => pack.id))
    const first = [newPackage, ...cafePackages]
    expect(load(applyOwnerSettings(CAFE, { packages: first })).packages.map((pack) => pack.id)).toEqual(first.map((pack) => pack.id))
  })

  it('gives a new package no slot that printed vouchers may still carry, while there is another', () => {
    const [half, ...others] = cafePackages
    if (!half) throw new Error('the café sells nothing')
    const { slot: _gone, ...unnumbered } = { ...newPackage, id: 'fresh' }
    expect(load(applyOwnerSettings(CAFE, { packages: [...others, unnumbered] })).packages.find((pack) => pack.id === 'fresh')?.slot).toBe(5)
    const full = Array.from({ length: 16 }, (_, index) => ({ ...newPackage, id: `p${index}`, slot: index }))
    const crowded = applyOwnerSettings(CAFE, { packages: full })
    expect(load(applyOwnerSettings(crowded, { packages: [...full.slice(0, 15), unnumbered] })).packages.at(-1)).toMatchObject({ id: 'fresh', slot: 15 })
  })

  it('writes happy hours and shares', () => {
    const share = { id: 'lena', role: 'investor', beneficiary: 'lena', partsPerMillion: 50_000, sources: ['hotspot:voucher'] } as const
    const uptime: HappyHourConfig = { ...newHour, id: 'start', basis: 'uptime', fromMinute: 0, toMinute: 90, days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] }
    const edited = applyOwnerSettings(CAFE, { happyHours: [newHour, uptime], shares: [share] })
    expect(load(edited).happyHours).toEqual([newHour, uptime])
    expect(load(edited).shares).toEqual([share])
    expect(edited).toContain("from_minute '05:00'")
    expect(edited).toContain("to_minute '24:00'")
    expect(load(applyOwnerSettings(edited, { happyHours: [], shares: [], packages: [] }))).toMatchObject({ happyHours: [], shares: [], packages: [] })
  })

  it.each<[string, OwnerSettings, string]>([
    ['a price that is none', { tariff: { pricePerMinute: 'free' } }, 'bad-config'],
    ['a price finer than the token', { tariff: { pricePerMib: `0.${'0'.repeat(18)}1` } }, 'bad-config'],
    ['an empty price', { tariff: { pricePerMinute: '' } }, 'bad-input'],
    ['an empty name', { name: '' }, 'bad-input'],
    ['a name of two lines', { name: 'a\nb' }, 'bad-config'],
    ['half a minute', { tariff: { trialMinutes: 0.5 } }, 'bad-config'],
    ['no number', { tariff: { trialMinutes: Number.NaN } }, 'bad-config'],
    ['a role of later', { roles: ['sealer'] }, 'bad-config'],
    ['an id twice', { packages: [newPackage, newPackage] }, 'bad-input'],
    ['an id of another section', { packages: [{ ...newPackage, id: 'tariff' }] }, 'section-exists'],
    ['an id that is none', { packages: [{ ...newPackage, id: "x' y" }] }, 'bad-input'],
    ['an empty label', { packages: [{ ...newPackage, label: '' }] }, 'bad-input'],
    ['a slot twice', { packages: [{ ...newPackage, slot: 1 }, { ...newPackage, id: 'b', slot: 1 }] }, 'bad-config'],
    ['nothing granted', { packages: [{ ...newPackage, seconds: null }] }, 'bad-config'],
    ['17 packages', { packages: Array.from({ length: 17 }, (_, index) => ({ ...newPackage, id: `p${index}` })) }, 'bad-input'],
    ['a day that is none', { happyHours: [{ ...newHour, days: ['someday' as 'mon'] }] }, 'bad-config'],
    ['a minute beyond the day', { happyHours: [{ ...newHour, toMinute: 1500 }] }, 'bad-config'],
    ["the dashboard on the guests' side", { guestNetwork: { portalAddress: '192.168.1.1' } }, 'bad-config'],
    ['a control character', { name: 'a\u0007' }, 'bad-input'],
  ])('refuses %s', (_name, settings, expected) => {
    expect(() => applyOwnerSettings(CAFE, settings)).toThrow(code(expected))
  })

  it('refuses to touch a file that is already wrong', () => {
    expect(() => applyOwnerSettings(`${CAFE}\nnonsense\n`, { name: 'x' })).toThrow(ConfigError)
  })

  it('gives just the packages that were asked for, or an error of ours', () => {
    const pack: fc.Arbitrary<PackageSetting> = fc.record({
      id: fc.constantFrom('half_hour', 'day', 'a', 'b', 'c', 'tariff'),
      label: fc.constantFrom('One', "It's #1; \"so\" \\ it is", 'ü'),
      seconds: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: null }),
      bytes: fc.option(fc.integer({ min: 1, max: 2 ** 40 }), { nil: null }),
      tokens: fc.constant(null),
      price: fc.constantFrom('0', '0.5', '3', 'x'),
      devices: fc.integer({ min: 1, max: 17 }),
      downKbps: fc.option(fc.constant(800), { nil: null }),
      upKbps: fc.constant(null),
      offered: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(pack, { maxLength: 4 }), (packages) => {
        let text = ''
        try {
          text = applyOwnerSettings(CAFE, { packages })
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
          return
        }
        const before = load(CAFE)
        const { packages: now, ...rest } = load(text)
        const { packages: _old, ...restBefore } = before
        expect(rest).toEqual(restBefore)
        expect(now.map((one) => ({ ...asSetting(one), slot: 0 }))).toEqual(packages.map((one) => ({ ...one, slot: 0 })))
      }),
      { numRuns: 300 },
    )
  })
})
