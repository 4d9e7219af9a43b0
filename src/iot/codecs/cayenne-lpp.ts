/**
 * Cayenne Low Power Payload: a row of `channel 1 | type 1 | value`, big-endian, signed or not, scaled by the type. Types are the twelve of
 * myDevices' document (0–136) and those that libraries of the field added since; a row per type. What a value is called: `<type>_<channel>`.
 */
import { inputError } from '../../base/index.ts'
import type { Value } from '../ports.ts'

interface Part {
  /** Put behind the name, for types with several numbers. */
  readonly suffix: string
  readonly bytes: 1 | 2 | 3 | 4
  readonly isSigned: boolean
  /** A raw unit is 1 / divisor. */
  readonly divisor: number
  readonly unit: string | null
}

interface LppType {
  readonly id: number
  readonly name: string
  readonly parts: readonly Part[]
}

const one = (bytes: Part['bytes'], isSigned: boolean, divisor: number, unit: string | null, suffix = ''): Part => ({ suffix, bytes, isSigned, divisor, unit })
const axes = (divisor: number, unit: string): readonly Part[] => ['_x', '_y', '_z'].map((suffix) => one(2, true, divisor, unit, suffix))

export const LPP_TYPES: readonly LppType[] = [
  { id: 0, name: 'digital_input', parts: [one(1, false, 1, null)] },
  { id: 1, name: 'digital_output', parts: [one(1, false, 1, null)] },
  { id: 2, name: 'analog_input', parts: [one(2, true, 100, null)] },
  { id: 3, name: 'analog_output', parts: [one(2, true, 100, null)] },
  { id: 100, name: 'generic', parts: [one(4, false, 1, null)] },
  { id: 101, name: 'illuminance', parts: [one(2, false, 1, 'lx')] },
  { id: 102, name: 'presence', parts: [one(1, false, 1, null)] },
  { id: 103, name: 'temperature', parts: [one(2, true, 10, '°C')] },
  { id: 104, name: 'humidity', parts: [one(1, false, 2, '%')] },
  { id: 113, name: 'accelerometer', parts: axes(1_000, 'g') },
  { id: 115, name: 'barometer', parts: [one(2, false, 10, 'hPa')] },
  { id: 116, name: 'voltage', parts: [one(2, false, 100, 'V')] },
  { id: 117, name: 'current', parts: [one(2, false, 1_000, 'A')] },
  { id: 118, name: 'frequency', parts: [one(4, false, 1, 'Hz')] },
  { id: 120, name: 'percentage', parts: [one(1, false, 1, '%')] },
  { id: 121, name: 'altitude', parts: [one(2, true, 1, 'm')] },
  { id: 125, name: 'concentration', parts: [one(2, false, 1, 'ppm')] },
  { id: 128, name: 'power', parts: [one(2, false, 1, 'W')] },
  { id: 130, name: 'distance', parts: [one(4, false, 1_000, 'm')] },
  { id: 131, name: 'energy', parts: [one(4, false, 1_000, 'kWh')] },
  { id: 132, name: 'direction', parts: [one(2, false, 1, '°')] },
  { id: 133, name: 'unixtime', parts: [one(4, false, 1, 's')] },
  { id: 134, name: 'gyrometer', parts: axes(100, '°/s') },
  { id: 135, name: 'colour', parts: [one(1, false, 1, null, '_red'), one(1, false, 1, null, '_green'), one(1, false, 1, null, '_blue')] },
  { id: 136, name: 'gps', parts: [one(3, true, 10_000, '°', '_latitude'), one(3, true, 10_000, '°', '_longitude'), one(3, true, 100, 'm', '_altitude')] },
  { id: 142, name: 'switch', parts: [one(1, false, 1, null)] },
]

const BY_ID = new Map(LPP_TYPES.map((type) => [type.id, type]))
const BY_NAME = new Map(LPP_TYPES.map((type) => [type.name, type]))

/** No LoRaWAN payload is longer. */
const MAX_BYTES = 242

/** The same channel twice is two values of one name, the last counts. Errors: input `cayenne` for an unknown type or a value that is cut off. */
export function decodeLpp(bytes: Uint8Array): readonly Value[] {
  if (bytes.length > MAX_BYTES) throw inputError('cayenne', `${bytes.length} bytes`, `at most ${MAX_BYTES} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Map<string, Value>()
  let at = 0
  while (at < bytes.length) {
    const [channel, id] = [bytes[at] ?? 0, bytes[at + 1]]
    const type = id === undefined ? undefined : BY_ID.get(id)
    if (type === undefined) throw inputError('cayenne', id ?? null, `at byte ${at + 1}, a type: ${[...BY_ID.keys()].join(', ')}`)
    at += 2
    for (const part of type.parts) {
      if (at + part.bytes > bytes.length) throw inputError('cayenne', `${bytes.length - at} bytes left`, `${part.bytes} bytes for ${type.name} of channel ${channel}`)
      const name = `${type.name}_${channel}${part.suffix}`
      values.set(name, { name, value: readWhole(view, at, part) / part.divisor, unit: part.unit })
      at += part.bytes
    }
  }
  return [...values.values()]
}

/**
 * `{"digital_output_3": 1, "gps_1": {"latitude": 47.1, "longitude": 8.5, "altitude": 400}}` → bytes, in the order given; values are
 * rounded to the type's step. Errors: input naming the value, its range.
 */
export function encodeLpp(data: unknown): Uint8Array {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw inputError('data', data, 'an object as {"digital_output_3": 1}')
  const out: number[] = []
  for (const [key, given] of Object.entries(data)) {
    const [, typeName, digits] = /^([a-z_]{2,20})_(\d{1,3})$/.exec(key) ?? []
    const type = typeName === undefined ? undefined : BY_NAME.get(typeName)
    if (type === undefined || Number(digits) > 255) throw inputError('data', key, `a type, _ and a channel from 0 to 255; types: ${[...BY_NAME.keys()].join(', ')}`)
    out.push(Number(digits), type.id)
    for (const part of type.parts) writePart(out, key, part, part.suffix === '' ? given : memberOf(given, part.suffix.slice(1)))
    if (out.length > MAX_BYTES) throw inputError('data', `${out.length} bytes`, `at most ${MAX_BYTES} bytes`)
  }
  return Uint8Array.from(out)
}

function readWhole(view: DataView, at: number, { bytes, isSigned }: Part): number {
  let value = 0
  for (let i = 0; i < bytes; i++) value = value * 256 + view.getUint8(at + i)
  return isSigned && value >= 2 ** (8 * bytes - 1) ? value - 2 ** (8 * bytes) : value
}

function writePart(out: number[], key: string, part: Part, given: unknown): void {
  const number = typeof given === 'boolean' ? Number(given) : given
  const span = 2 ** (8 * part.bytes)
  const [least, most] = part.isSigned ? [-span / 2, span / 2 - 1] : [0, span - 1]
  const raw = typeof number === 'number' ? Math.round(number * part.divisor) : Number.NaN
  if (!(raw >= least && raw <= most)) throw inputError(`data.${key}${part.suffix}`, given ?? null, `a number from ${least / part.divisor} to ${most / part.divisor}`)
  const unsigned = raw < 0 ? raw + span : raw
  for (let shift = part.bytes - 1; shift >= 0; shift--) out.push(Math.floor(unsigned / 256 ** shift) % 256)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
