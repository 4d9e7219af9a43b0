/**
 * Ready sets of packages for the first-run wizard. A package costs its minutes at the price per minute,
 * less a discount for buying more at once; pure.
 */
import { formatAmount, inputError } from '../base/index.ts'
import type { PackageSetting } from '../config/index.ts'
import type { PackagePreset, PackagePresetId } from './api/login.ts'

interface PresetPackage {
  readonly id: string
  readonly label: string
  readonly seconds: number
  readonly devices: number
  readonly discountPercent: number
}

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

const PRESETS: readonly { readonly id: Exclude<PackagePresetId, 'keep'>; readonly label: string; readonly packages: readonly PresetPackage[] }[] = [
  {
    id: 'cafe',
    label: 'Café: 30 minutes to a day',
    packages: [
      { id: 'half_hour', label: '30 minutes', seconds: 30 * MINUTE, devices: 1, discountPercent: 0 },
      { id: 'hour', label: '1 hour', seconds: HOUR, devices: 1, discountPercent: 10 },
      { id: 'three_hours', label: '3 hours', seconds: 3 * HOUR, devices: 1, discountPercent: 25 },
      { id: 'day', label: '1 day', seconds: DAY, devices: 2, discountPercent: 75 },
    ],
  },
  {
    id: 'kiosk',
    label: 'Kiosk: 10 minutes to 3 hours',
    packages: [
      { id: 'ten_minutes', label: '10 minutes', seconds: 10 * MINUTE, devices: 1, discountPercent: 0 },
      { id: 'half_hour', label: '30 minutes', seconds: 30 * MINUTE, devices: 1, discountPercent: 5 },
      { id: 'hour', label: '1 hour', seconds: HOUR, devices: 1, discountPercent: 15 },
      { id: 'three_hours', label: '3 hours', seconds: 3 * HOUR, devices: 1, discountPercent: 30 },
    ],
  },
  {
    id: 'guesthouse',
    label: 'Guest house: 1 day to a week',
    packages: [
      { id: 'day', label: '1 day', seconds: DAY, devices: 3, discountPercent: 75 },
      { id: 'three_days', label: '3 days', seconds: 3 * DAY, devices: 3, discountPercent: 80 },
      { id: 'week', label: '1 week', seconds: 7 * DAY, devices: 3, discountPercent: 85 },
    ],
  },
]

/** What the wizard offers. */
export function packagePresets(): PackagePreset[] {
  return [
    { id: 'keep', label: 'Keep the packages of the configuration', packages: [] },
    ...PRESETS.map(({ id, label, packages }) => ({
      id,
      label,
      packages: packages.map((one) => ({ label: one.label, seconds: one.seconds, bytes: null })),
    })),
  ]
}

/** The packages of a preset at this price, without slots; null for `keep`. Needs a price per minute above 0. */
export function packagesOfPreset(id: PackagePresetId, pricePerMinute: bigint, decimals: number): PackageSetting[] | null {
  if (id === 'keep') return null
  const preset = PRESETS.find((one) => one.id === id)
  if (!preset) throw inputError('packages', id, packagePresets().map((one) => one.id).join(', '))
  if (pricePerMinute === 0n) throw inputError('packages', id, 'keep, as long as minutesPerToken is 0: ready packages are priced by the minute')
  return preset.packages.map((one) => ({
    id: one.id,
    label: one.label,
    seconds: one.seconds,
    bytes: null,
    price: formatAmount(roundPrice((pricePerMinute * BigInt(one.seconds / MINUTE) * BigInt(100 - one.discountPercent)) / 100n, decimals), decimals),
    devices: one.devices,
    downKbps: null,
    upKbps: null,
    offered: true,
  }))
}

/** Up to the next tenth of a token, so that prices can be said aloud; a token without decimals stays whole. */
function roundPrice(price: bigint, decimals: number): bigint {
  const step = decimals === 0 ? 1n : 10n ** BigInt(decimals - 1)
  return ((price + step - 1n) / step) * step
}
