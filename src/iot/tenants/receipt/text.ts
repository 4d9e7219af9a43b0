/**
 * Receipts and units as JSON, as a payer keeps them: amounts and counts as decimal text, bytes as hex. What `meshbox lora receipt verify` reads:
 *
 *   { "receipts": [ { chainId, gateway, tenant, token, channel, channelEpoch, seq, cumUplinks, cumUnits, cumDownlinkMs, cumAmount, chainHash, signature } ],
 *     "units":    [ { seq, kind, frame, tmstUs, units, amount } ],        left out: only signatures and order are judged
 *     "frames":   [ SHA-256 of each PHYPayload that came ],              left out: not judged
 *     "phyPayloads": [ each PHYPayload that came, base64 as in ChirpStack's JSON ] }   as frames, and its started 24 bytes are counted again
 *
 * or one receipt by itself.
 */
import { createHash } from 'node:crypto'
import { MAX_AMOUNT, fromHex, hexOf, inputError } from '../../../base/index.ts'
import type { Hex } from '../../../base/index.ts'
import { decodeFrame } from '../../lorawan/index.ts'
import type { BillableUnit, FrameId, Receipt } from '../../ports.ts'
import { unitsOf } from '../units.ts'

export const MAX_AUDIT_BYTES = 32 * 1024 * 1024
const MAX_AUDIT_RECEIPTS = 10_000
const MAX_AUDIT_UNITS = 200_000
const MAX_U64 = 2n ** 64n - 1n
const MAX_U32 = 0xffff_ffff
const KINDS: readonly BillableUnit['kind'][] = ['uplink', 'join', 'downlink', 'late']

export type UnitText = Omit<BillableUnit, 'tenant' | 'at'>
type Fields = Readonly<Record<string, unknown>>

export function receiptJson(receipt: Receipt): Readonly<Record<string, string>> {
  const { chainId, channelEpoch, seq, cumUplinks, cumUnits, cumDownlinkMs, cumAmount } = receipt
  const numbers = Object.fromEntries(Object.entries({ chainId, channelEpoch, seq, cumUplinks, cumUnits, cumDownlinkMs, cumAmount }).map(([name, value]) => [name, value.toString()]))
  const { gateway, tenant, token, channel, chainHash } = receipt
  return { gateway, tenant, token, channel, ...numbers, chainHash, signature: hexOf(receipt.signature) }
}

export function unitJson(unit: UnitText): Readonly<Record<string, string | number>> {
  return { seq: unit.seq.toString(), kind: unit.kind, frame: unit.frame, tmstUs: unit.tmstUs, units: unit.units, amount: unit.amount.toString() }
}

export interface AuditText {
  readonly receipts: readonly Receipt[]
  readonly units: readonly UnitText[]
  readonly frames: ReadonlySet<FrameId> | null
  /** Started 24 bytes of those frames that are there as a whole. */
  readonly unitsOfFrames: ReadonlyMap<FrameId, number>
}

/** Errors: input, naming the field. */
export function parseAudit(text: string): AuditText {
  if (text.length > MAX_AUDIT_BYTES) throw inputError('file', `${text.length} characters`, `at most ${MAX_AUDIT_BYTES}`)
  const all = objectOf(parseJson(text), 'file')
  if (!('receipts' in all)) return { receipts: [readReceipt(all, 'receipt')], units: [], frames: null, unitsOfFrames: new Map() }
  const whole = all['phyPayloads'] === undefined ? [] : listOf(all['phyPayloads'], 'phyPayloads', MAX_AUDIT_UNITS)
  const unitsOfFrames = new Map(whole.map((item, i) => readPhy(item, `phyPayloads[${i}]`)))
  const named = all['frames'] === undefined ? null : listOf(all['frames'], 'frames', MAX_AUDIT_UNITS).map((item, i) => frameOf(item, `frames[${i}]`))
  return {
    receipts: listOf(all['receipts'], 'receipts', MAX_AUDIT_RECEIPTS).map((item, i) => readReceipt(objectOf(item, `receipts[${i}]`), `receipts[${i}]`)),
    units: all['units'] === undefined ? [] : listOf(all['units'], 'units', MAX_AUDIT_UNITS).map((item, i) => readUnit(objectOf(item, `units[${i}]`), `units[${i}]`)),
    frames: named === null && all['phyPayloads'] === undefined ? null : new Set([...(named ?? []), ...unitsOfFrames.keys()]),
    unitsOfFrames,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw inputError('file', text.slice(0, 40), 'JSON: an object with `receipts`, and `units` and `frames` if there are any')
  }
}

function readReceipt(fields: Fields, at: string): Receipt {
  const number = (name: string, most = MAX_U64): bigint => decimal(fields[name], `${at}.${name}`, most)
  return {
    chainId: number('chainId'),
    gateway: hex(fields['gateway'], `${at}.gateway`, 20),
    tenant: hex(fields['tenant'], `${at}.tenant`, 20),
    token: hex(fields['token'], `${at}.token`, 20),
    channel: hex(fields['channel'], `${at}.channel`, 32),
    channelEpoch: number('channelEpoch'),
    seq: number('seq'),
    cumUplinks: number('cumUplinks'),
    cumUnits: number('cumUnits'),
    cumDownlinkMs: number('cumDownlinkMs'),
    cumAmount: number('cumAmount', MAX_AMOUNT),
    chainHash: hex(fields['chainHash'], `${at}.chainHash`, 32),
    signature: fromHex(hex(fields['signature'], `${at}.signature`, 65)),
  }
}

function readUnit(fields: Fields, at: string): UnitText {
  const kind = KINDS.find((known) => known === fields['kind'])
  if (kind === undefined) throw inputError(`${at}.kind`, fields['kind'], KINDS.join(', '))
  return {
    seq: decimal(fields['seq'], `${at}.seq`, MAX_U64),
    kind,
    frame: frameOf(fields['frame'], `${at}.frame`),
    tmstUs: small(fields['tmstUs'], `${at}.tmstUs`),
    units: small(fields['units'], `${at}.units`),
    amount: decimal(fields['amount'], `${at}.amount`, MAX_AMOUNT),
  }
}

function readPhy(value: unknown, field: string): readonly [FrameId, number] {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]{1,344}={0,2}$/.test(value)) throw inputError(field, value, 'base64 of 1 to 255 bytes')
  const phy = new Uint8Array(Buffer.from(value, 'base64'))
  const frame = decodeFrame(phy)
  return [createHash('sha256').update(phy).digest('hex'), frame.type === 'data' ? unitsOf(frame) : 1]
}

function decimal(value: unknown, field: string, most: bigint): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,38})$/.test(value) || BigInt(value) > most) throw inputError(field, value, `decimal text, 0 to ${most}`)
  return BigInt(value)
}

function small(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_U32) throw inputError(field, value, `a whole number from 0 to ${MAX_U32}`)
  return value
}

function hex(value: unknown, field: string, bytes: number): Hex {
  if (typeof value !== 'string' || value.length !== 2 + 2 * bytes || !/^0x[0-9a-fA-F]*$/.test(value)) throw inputError(field, value, `0x and ${2 * bytes} hex digits`)
  return value.toLowerCase() as Hex
}

function frameOf(value: unknown, field: string): FrameId {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{64}$/.test(value)) throw inputError(field, value, '64 hex digits')
  return value.toLowerCase()
}

function objectOf(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw inputError(field, value, 'an object')
  return value as Fields
}

function listOf(value: unknown, field: string, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw inputError(field, Array.isArray(value) ? `${value.length} items` : value, `a list of at most ${most}`)
  return value
}
