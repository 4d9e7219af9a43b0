/**
 * What a server northbound tells us in `router_config`, as far as it concerns a box whose radios are its owner's: which frames it wants, what its data
 * rates mean, between which frequencies and how loud it orders. Channels, boards and the debug switches `nocca`, `nodc`, `nodwell` are not taken: the air
 * here is shared, and its rules are the region's. A configuration for another region, or with a value out of bounds, is refused as a whole.
 */
import { MeshBoxError, inputError } from '../../../../base/index.ts'
import { hasPrefix, prefixOfNetId, regionNamed } from '../../../lorawan/index.ts'
import type { AddressPrefix, Frame, Region } from '../../../lorawan/index.ts'
import type { Modulation } from '../../../ports.ts'
import { numberField, wholeField } from '../../station/exact-json.ts'
import type { Fields } from '../../station/exact-json.ts'
import { routerIdOf } from '../../station/router-id.ts'

const DATA_RATES = 16
const MAX_NET_IDS = 256
const MAX_JOIN_RANGES = 64
const MOST_NET_ID = 0xff_ffffn
/** Names that Station has beside those of the regional parameters. */
const OTHER_NAMES: Readonly<Record<string, string>> = { EU863: 'EU868', US902: 'US915', AS923JP: 'AS923', CN470510: 'CN470', IN865867: 'IN865' }
const FSK: Modulation = { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 }

export interface ServerRate {
  readonly modulation: Modulation
  readonly isUp: boolean
}

export interface ServerConfig {
  /** By index, at most 16; null: undefined. */
  readonly rates: readonly (ServerRate | null)[]
  readonly fromHz: number
  readonly toHz: number
  /** The most it orders; null: it says nothing. */
  readonly maxEirpDbm: number | null
  /** What it wants of a frame that is an uplink. */
  wants(frame: Frame): boolean
}

/** Errors: input, naming the field. */
export function readServerConfig(fields: Fields, region: Region): ServerConfig {
  const named = fields['region']
  if (regionOf(named)?.name !== region.name) throw inputError('region', named ?? null, region.name)
  const [fromHz, toHz] = rangeOf(fields['freq_range'], region)
  const maxEirpDbm = numberField(fields, 'max_eirp')
  if (maxEirpDbm !== null && !(maxEirpDbm >= 0 && maxEirpDbm <= 50)) throw inputError('max_eirp', maxEirpDbm, '0 to 50 dBm')
  const prefixes = prefixesOf(fields['NetID'])
  const ranges = joinRangesOf(fields['JoinEui'] ?? fields['JoinEUI'])
  return {
    rates: ratesOf(fields['DRs']),
    fromHz,
    toHz,
    maxEirpDbm,
    wants(frame) {
      if (frame.type === 'data') return prefixes === null || prefixes.some((prefix) => hasPrefix(frame.devAddr, prefix))
      if (frame.type !== 'join-request' || ranges.length === 0) return true
      const joinEui = BigInt(`0x${frame.joinEui}`)
      return ranges.some(([from, to]) => joinEui >= from && joinEui <= to)
    },
  }
}

function regionOf(name: unknown): Region | null {
  if (typeof name !== 'string' || name.length > 32) return null
  try {
    return regionNamed(Object.hasOwn(OTHER_NAMES, name) ? (OTHER_NAMES[name] ?? name) : name)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return null
    throw thrown
  }
}

/** What lies in the region. */
function rangeOf(value: unknown, region: Region): readonly [number, number] {
  const [from, to, ...more] = Array.isArray(value) ? (value as readonly unknown[]) : []
  const isRange = typeof from === 'number' && typeof to === 'number' && from < to && more.length === 0
  if (!isRange || to < region.fromHz || from > region.toHz) throw inputError('freq_range', typeof from === 'number' && typeof to === 'number' ? `${from}, ${to}` : typeof value, `two frequencies in Hz around ${region.name}`)
  return [Math.max(from, region.fromHz), Math.min(to, region.toHz)]
}

function ratesOf(value: unknown): readonly (ServerRate | null)[] {
  if (!Array.isArray(value) || value.length > DATA_RATES) throw inputError('DRs', Array.isArray(value) ? `${value.length} rates` : null, `a list of at most ${DATA_RATES}`)
  return (value as readonly unknown[]).map(rateOf)
}

function rateOf(value: unknown): ServerRate | null {
  const [factor, kilohertz, isDownOnly] = Array.isArray(value) ? (value as readonly unknown[]) : []
  const isUp = isDownOnly !== 1 && isDownOnly !== true
  if (factor === -1) return null
  if (factor === 0) return { modulation: FSK, isUp }
  const isKnown = typeof factor === 'number' && Number.isInteger(factor) && factor >= 5 && factor <= 12 && (kilohertz === 125 || kilohertz === 250 || kilohertz === 500)
  if (!isKnown) throw inputError('DRs', `${typeof factor === 'number' ? factor : typeof factor}, ${typeof kilohertz === 'number' ? kilohertz : typeof kilohertz}`, 'SF 5 to 12 (0: FSK, -1: none) and 125, 250 or 500 kHz')
  return { modulation: { kind: 'lora', spreadingFactor: factor, bandwidthHz: kilohertz * 1_000, codingRate: '4/5' }, isUp }
}

/** Null: all networks. */
function prefixesOf(value: unknown): readonly AddressPrefix[] | null {
  if (value === undefined || value === null) return null
  if (!Array.isArray(value) || value.length > MAX_NET_IDS) throw inputError('NetID', Array.isArray(value) ? `${value.length} of them` : typeof value, `null, or a list of at most ${MAX_NET_IDS}`)
  return (value as readonly unknown[]).map((netId) => prefixOfNetId(Number(wholeField({ NetID: netId }, 'NetID', 0n, MOST_NET_ID))))
}

/** None: all joins. */
function joinRangesOf(value: unknown): readonly (readonly [bigint, bigint])[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > MAX_JOIN_RANGES) throw inputError('JoinEui', Array.isArray(value) ? `${value.length} ranges` : typeof value, `null, or a list of at most ${MAX_JOIN_RANGES} ranges`)
  return (value as readonly unknown[]).map((range) => {
    const [from, to] = Array.isArray(range) ? (range as readonly unknown[]) : []
    return [BigInt(`0x${routerIdOf(from, 'JoinEui')}`), BigInt(`0x${routerIdOf(to, 'JoinEui')}`)]
  })
}
