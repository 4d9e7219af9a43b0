import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOTHING, fault, flag, integer, line, list, number, object, oneOf, orNull, text } from '../../../src/owner/request-schema.ts'
import type { Schema } from '../../../src/owner/request-schema.ts'

const pack = object({ label: line(5), price: text(1, 9, /^\d+$/, 'digits'), seconds: orNull(integer(1, 60)), offered: flag }, ['label'])
const whole = object({ key: text(4, 4, /^[0-9a-f]+$/, 'a key, 4 hex digits'), pin: text(4, 4), name: line(5), share: number(0, 1), kind: oneOf('a', 'b'), packages: list(pack, 2, 1), password: text(2, 4) }, ['name'])

describe('request schema', () => {
  it.each([
    [whole, { name: 'x' }],
    [whole, { name: 'äöü\u{1f600}x', share: 0.5, kind: 'b', packages: [{ label: 'x', price: '12', seconds: null, offered: false }], password: 'abcd' }],
    [NOTHING, {}],
    [NOTHING, Object.create(null)],
    [orNull(flag), null],
    [integer(-5, 5), -5],
    [integer(0, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER],
  ])('lets through what is right (%#)', (schema, value) => {
    expect(fault(schema, value, 'body')).toBeNull()
  })

  it.each([
    [null, 'body', 'an object'],
    [[], 'body', 'an object'],
    ['x', 'body', 'an object'],
    [{}, 'name', 'a value; it is missing'],
    [{ name: 'x', toString: 1 }, 'toString', 'no such field here'],
    [JSON.parse('{"name":"x","__proto__":1}'), '__proto__', 'no such field here'],
    [{ name: 'x', constructor: {} }, 'constructor', 'no such field here'],
    [{ name: '' }, 'name', '1 to 5 characters'],
    [{ name: 'abcdef' }, 'name', '1 to 5 characters'],
    [{ name: 'x', key: 'abc' }, 'key', 'a key, 4 hex digits'],
    [{ name: 'x', key: 'abcx' }, 'key', 'a key, 4 hex digits'],
    [{ name: 'x', pin: 'abc' }, 'pin', '4 characters'],
    [{ name: 'a\nb' }, 'name', 'one line of text without control characters'],
    [{ name: 'a\ud800' }, 'name', 'one line of text without control characters'],
    [{ name: ['a'] }, 'name', 'a text'],
    [{ name: 'x', share: '0.5' }, 'share', 'a number'],
    [{ name: 'x', share: Number.NaN }, 'share', '0..1'],
    [{ name: 'x', share: 1.1 }, 'share', '0..1'],
    [{ name: 'x', kind: 'A' }, 'kind', 'a, b'],
    [{ name: 'x', packages: {} }, 'packages', 'a list'],
    [{ name: 'x', packages: [] }, 'packages', '1 to 2 items'],
    [{ name: 'x', packages: [{ label: 'a' }, { label: 'b' }, { label: 'c' }] }, 'packages', '1 to 2 items'],
    [{ name: 'x', packages: [{ label: 'a' }, { label: 'b', price: '1x' }] }, 'packages.1.price', 'digits'],
    [{ name: 'x', packages: [{ label: 'a', seconds: 1.5 }] }, 'packages.0.seconds', 'a whole number'],
    [{ name: 'x', packages: [{ label: 'a', seconds: 2 ** 60 }] }, 'packages.0.seconds', 'a whole number'],
    [{ name: 'x', packages: [{ label: 'a', seconds: 61 }] }, 'packages.0.seconds', '1..60'],
    [{ name: 'x', packages: [{ label: 'a', offered: 'true' }] }, 'packages.0.offered', 'true, false'],
    [{ name: 'x', packages: [{ label: 'a', offered: null }] }, 'packages.0.offered', 'true, false'],
  ])('names what is wrong: %j → %s', (value, field, allowed) => {
    expect(fault(whole, value, 'body')).toMatchObject({ kind: 'input', code: 'bad-input', field, allowed })
  })

  it('never repeats a secret', () => {
    const refused = fault(whole, { name: 'x', password: 'hunter2-hunter2' }, 'body')
    expect(JSON.stringify(refused?.toPublic())).not.toContain('hunter2')
    expect(JSON.stringify(fault(object({}), { password: { deep: 'hunter2' } }, 'body')?.toPublic())).not.toContain('hunter2')
  })

  it('says the same of a value as a plain reading of the rules does', () => {
    const cases: readonly [Schema, (value: unknown) => boolean][] = [
      [integer(-3, 12), (value) => Number.isSafeInteger(value) && (value as number) >= -3 && (value as number) <= 12],
      [number(-3, 12), (value) => typeof value === 'number' && value >= -3 && value <= 12],
      [flag, (value) => value === true || value === false],
      [orNull(flag), (value) => value === null || value === true || value === false],
      [oneOf('', 'a'), (value) => value === '' || value === 'a'],
      [text(1, 3), (value) => typeof value === 'string' && [...value].length >= 1 && [...value].length <= 3],
      [list(flag, 2), (value) => Array.isArray(value) && value.length <= 2 && value.every((item) => typeof item === 'boolean')],
      [NOTHING, (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0],
    ]
    const values = fc.oneof(fc.jsonValue(), fc.integer({ min: -5, max: 14 }), fc.double(), fc.string({ unit: 'binary', maxLength: 5 }), fc.array(fc.boolean(), { maxLength: 3 }))
    fc.assert(
      fc.property(values, (value) => {
        for (const [schema, isRight] of cases) expect([value, fault(schema, value, 'body') === null]).toEqual([value, isRight(value)])
      }),
      { numRuns: 2000 },
    )
  })
})
