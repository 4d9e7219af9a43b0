import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, fromHex, toHex } from '../../../src/base/index.ts'
import { LPP_TYPES, decodeLpp, encodeLpp } from '../../../src/iot/codecs/cayenne-lpp.ts'
import { MAX_VALUES, valuesOf } from '../../../src/iot/codecs/values.ts'

describe('Cayenne LPP', () => {
  /** From myDevices' document of the format. */
  it.each([
    ['03670110056700ff', { temperature_3: 27.2, temperature_5: 25.5 }],
    ['0167ffd7067104d2fb2e0000', { temperature_1: -4.1, accelerometer_6_x: 1.234, accelerometer_6_y: -1.234, accelerometer_6_z: 0 }],
    ['018806765ff2960a0003e8', { gps_1_latitude: 42.3519, gps_1_longitude: -87.9094, gps_1_altitude: 10 }],
  ])('%s', (hex, values) => {
    expect(Object.fromEntries(decodeLpp(fromHex(hex)).map(({ name, value }) => [name, value]))).toEqual(values)
  })

  it('writes what it reads, for every type and at both ends of its range', () => {
    for (const type of LPP_TYPES)
      for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
        const bytes = Uint8Array.from([9, type.id, ...Array<number>(type.parts.reduce((sum, part) => sum + part.bytes, 0)).fill(fill)])
        const values = decodeLpp(bytes)
        const data = type.parts.length === 1 ? { [`${type.name}_9`]: values[0]?.value } : { [`${type.name}_9`]: Object.fromEntries(values.map(({ name, value }) => [name.slice(`${type.name}_9_`.length), value])) }
        expect(toHex(encodeLpp(data)), type.name).toBe(toHex(bytes))
      }
  })

  it('refuses what does not fit, naming it', () => {
    for (const [data, field] of [
      [{ temperature_1: 3276.8 }, 'data.temperature_1'],
      [{ temperature_1: Number.NaN }, 'data.temperature_1'],
      [{ temperature_1: '20' }, 'data.temperature_1'],
      [{ gps_1: { latitude: 1, longitude: 1 } }, 'data.gps_1_altitude'],
      [{ temperature_256: 1 }, 'data'],
      [{ warmth_1: 1 }, 'data'],
      [[1], 'data'],
      [Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`digital_output_${i}`, 1])), 'data'],
    ] as const)
      expect(() => encodeLpp(data)).toThrow(expect.objectContaining({ kind: 'input', field }))
    expect(toHex(encodeLpp({ digital_output_3: true }))).toBe('030101')
  })

  it('takes any bytes: values or an input error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          for (const { name, value } of decodeLpp(bytes)) expect([/^[a-z_]+_\d+[a-z_]*$/.test(name), Number.isFinite(value)]).toEqual([true, true])
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('values of what a codec returned', () => {
  it('are bounded in number, depth and length, with names that are safe anywhere', () => {
    expect(valuesOf({ a: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`v${i}`, i])) })).toHaveLength(MAX_VALUES)
    expect(valuesOf({ 'soil moisture (%)': 18, '': 1, '../x': 'y'.repeat(1_000), n: null, i: Number.POSITIVE_INFINITY })).toEqual([
      { name: 'soil_moisture', value: 18, unit: null },
      { name: 'x', value: 'y'.repeat(256), unit: null },
    ])
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 9 }), (data) => {
        const values = valuesOf(data)
        expect(new Set(values.map(({ name }) => name)).size).toBe(values.length)
        for (const { name } of values) expect(name).toMatch(/^[A-Za-z0-9_]{1,64}$/)
      }),
    )
  })
})
