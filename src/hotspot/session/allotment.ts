/**
 * What a guest bought: one allotment per voucher, trial or gift of the owner. A session holds them in the
 * order they came; the first one that has something left is being used, then the next. Pure arithmetic,
 * whole milliseconds and bytes; nothing is ever lost or made: granted = used + left, for each allotment.
 */
import { inputError, mulDivFloor } from '../../base/index.ts'

export interface Terms {
  readonly source: 'voucher' | 'stream' | 'trial' | 'owner'
  /** Who it is bound to: a voucher's id; null for trials and gifts. */
  readonly bearer: string | null
  readonly label: string
  /** Whole milliseconds and bytes, null = not limited; at least one of the two is limited. */
  readonly grantedMs: number | null
  readonly grantedBytes: number | null
  readonly devices: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  /** Smallest units. */
  readonly price: bigint
}

export interface Allotment extends Terms {
  /** Place in the session, from 0. */
  readonly seq: number
  readonly usedMs: number
  readonly usedBytes: number
  readonly refunded: bigint
  /** The earning in the ledger; null when nothing was paid. */
  readonly entryId: number | null
  /** Refunded or revoked: what is left of it can no longer be used. */
  readonly isVoid: boolean
}

/** Throws `input` for terms that grant nothing, or everything for ever. */
export function newAllotment(terms: Terms, seq: number): Allotment {
  if (terms.grantedMs === null && terms.grantedBytes === null)
    throw inputError('terms', 'neither time nor bytes', 'a limit of time, of bytes, or of both')
  for (const [field, value] of [['grantedMs', terms.grantedMs], ['grantedBytes', terms.grantedBytes]] as const)
    if (value !== null && (!Number.isSafeInteger(value) || value < 1)) throw inputError(field, value, '1 to 2^53-1')
  if (!Number.isInteger(terms.devices) || terms.devices < 1) throw inputError('devices', terms.devices, '1 or more')
  return { ...terms, seq, usedMs: 0, usedBytes: 0, refunded: 0n, entryId: null, isVoid: false }
}

/** null = not limited. */
export function msLeft(allotment: Allotment): number | null {
  return allotment.grantedMs === null ? null : allotment.grantedMs - allotment.usedMs
}

/** null = not limited. */
export function bytesLeft(allotment: Allotment): number | null {
  return allotment.grantedBytes === null ? null : allotment.grantedBytes - allotment.usedBytes
}

export function isUsable(allotment: Allotment): boolean {
  return !allotment.isVoid && msLeft(allotment) !== 0 && bytesLeft(allotment) !== 0
}

/** The one being used now; undefined when nothing is left. */
export function currentOf(allotments: readonly Allotment[]): Allotment | undefined {
  return allotments.find(isUsable)
}

/** Counts `ms` of open gate: what the current allotment cannot take goes to the next one. */
export function spendMs(allotments: readonly Allotment[], ms: number): readonly Allotment[] {
  let rest = ms
  return mapUntil(allotments, () => rest > 0, (allotment) => {
    const taken = Math.min(rest, msLeft(allotment) ?? rest)
    rest -= taken
    return { ...allotment, usedMs: allotment.usedMs + taken }
  })
}

/** Counts bytes, as `spendMs` counts time. What nobody can take (a last packet in flight) is not charged. */
export function spendBytes(allotments: readonly Allotment[], bytes: number): readonly Allotment[] {
  let rest = bytes
  return mapUntil(allotments, () => rest > 0, (allotment) => {
    const taken = Math.min(rest, bytesLeft(allotment) ?? rest)
    rest -= taken
    return { ...allotment, usedBytes: allotment.usedBytes + taken }
  })
}

/** Takes back what was counted too much, from the one that was used last. */
export function unspendMs(allotments: readonly Allotment[], ms: number): readonly Allotment[] {
  let rest = ms
  return allotments.toReversed().map((allotment) => {
    const back = allotment.isVoid ? 0 : Math.min(rest, allotment.usedMs)
    rest -= back
    return back === 0 ? allotment : { ...allotment, usedMs: allotment.usedMs - back }
  }).toReversed()
}

export function unspendBytes(allotments: readonly Allotment[], bytes: number): readonly Allotment[] {
  let rest = bytes
  return allotments.toReversed().map((allotment) => {
    const back = allotment.isVoid ? 0 : Math.min(rest, allotment.usedBytes)
    rest -= back
    return back === 0 ? allotment : { ...allotment, usedBytes: allotment.usedBytes - back }
  }).toReversed()
}

function mapUntil(
  allotments: readonly Allotment[],
  more: () => boolean,
  spend: (allotment: Allotment) => Allotment,
): readonly Allotment[] {
  if (!more()) return allotments
  return allotments.map((allotment) => (more() && isUsable(allotment) ? spend(allotment) : allotment))
}

/** Time until all of it is used up, if the gate stays open; null = time alone never ends it. */
export function totalMsLeft(allotments: readonly Allotment[]): number | null {
  return sumWhileLimited(allotments.filter(isUsable).map(msLeft), 'all')
}

/**
 * Bytes until one that bytes do not limit has its turn, or nothing is left: what the kernel is to let through. It stops
 * there and says so, and is told of the next one. null = the one in use is not limited by bytes.
 */
export function bytesToSpend(allotments: readonly Allotment[]): number | null {
  return sumWhileLimited(allotments.filter(isUsable).map(bytesLeft), 'leading')
}

/**
 * What a guest is shown as left: the sum over the leading allotments limited in this way; null when the
 * current one is not. `[10 min][100 MB]` shows 10 minutes, and 100 MB once these are used.
 */
export function shownMsLeft(allotments: readonly Allotment[]): number | null {
  return shown(allotments, msLeft)
}

export function shownBytesLeft(allotments: readonly Allotment[]): number | null {
  return shown(allotments, bytesLeft)
}

/** Nothing left: zero of whatever the last allotment was limited in. */
function shown(allotments: readonly Allotment[], left: (allotment: Allotment) => number | null): number | null {
  const usable = allotments.filter(isUsable)
  const last = allotments.at(-1)
  if (usable.length === 0) return last === undefined || left(last) !== null ? 0 : null
  return sumWhileLimited(usable.map(left), 'leading')
}

function sumWhileLimited(limits: readonly (number | null)[], which: 'all' | 'leading'): number | null {
  let sum = 0
  for (const [index, limit] of limits.entries()) {
    if (limit === null) return which === 'all' || index === 0 ? null : sum
    sum += limit
  }
  return sum
}

/** The price of the unused part, to the unit, rounded down; of time and bytes the smaller unused fraction. */
export function refundOf(allotment: Allotment): bigint {
  if (allotment.isVoid) return 0n
  const parts: bigint[] = []
  const { price, grantedMs, grantedBytes, usedMs, usedBytes } = allotment
  if (grantedMs !== null) parts.push(mulDivFloor(price, BigInt(grantedMs - usedMs), BigInt(grantedMs)))
  if (grantedBytes !== null) parts.push(mulDivFloor(price, BigInt(grantedBytes - usedBytes), BigInt(grantedBytes)))
  return parts.reduce((least, part) => (part < least ? part : least), price)
}
