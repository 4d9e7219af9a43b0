import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ZERO_HASH } from '../../../src/base/index.ts'
import { openChannel } from '../../../src/photon/channel/index.ts'
import { decodeSnapshot, encodeSnapshot } from '../../../src/photon/node/snapshot.ts'
import { FIELDS } from '../../../src/photon/node/tables/snapshot-fields.ts'
import { DOMAIN, TOKEN } from './box.ts'

const leaf = fc.oneof(
  fc.constant(null),
  fc.constant(undefined),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 256n), max: 2n ** 256n }),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 70 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`),
  fc.uint8Array({ maxLength: 300 }),
)
// `constructor` is fine in a snapshot; it is toStrictEqual that looks at it as at an object's class.
const field = fc.oneof(fc.constantFrom(...FIELDS), fc.string({ minLength: 1, maxLength: 12 })).filter((name) => name !== '__proto__' && name !== 'constructor')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie('value'), { maxLength: 6 }), fc.dictionary(field, tie('value'), { maxKeys: 8, noNullPrototype: true })),
}))

describe('snapshots of states', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(value, (data) => {
        expect(decodeSnapshot(encodeSnapshot(data))).toStrictEqual(data)
      }),
      { numRuns: 500 },
    )
  })

  test("a fresh channel takes less than half a page, so that a payment's turn writes few pages", () => {
    const own = '0x1111111111111111111111111111111111111111'
    const partner = '0x2222222222222222222222222222222222222222'
    const state = openChannel({ domain: DOMAIN, token: TOKEN, own, partner, key: { channel: `0x${'ab'.repeat(32)}`, epoch: 1n }, settleTimeout: 600, role: 'core', ownDeposit: 10n ** 30n, partnerDeposit: 0n, openBlock: 7 })
    expect(encodeSnapshot(state).length).toBeLessThan(512)
    expect(decodeSnapshot(encodeSnapshot(state))).toStrictEqual(state)
    expect(state.own.locksroot).toBe(ZERO_HASH)
  })

  test('bytes that are not ours are refused, whatever they are', () => {
    const whole = encodeSnapshot({ key: { channel: ZERO_HASH, epoch: 5n }, locks: [{ amount: 3n }], note: 'x' })
    for (let end = 0; end < whole.length; end++) expect(() => decodeSnapshot(whole.subarray(0, end))).toThrow(/stored state/)
    expect(() => decodeSnapshot(Uint8Array.of(1, 6, 0))).toThrow(/without digits/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeSnapshot(Uint8Array.of(1, ...bytes))
        } catch (error) {
          expect(error).toMatchObject({ name: 'MeshBoxError' })
        }
      }),
      { numRuns: 3000 },
    )
  })

  test.each([['a fraction', 0.5], ['a function', () => 1], ['an object of a class', new Date(0)]])('%s is no data', (_name, data) => {
    expect(() => encodeSnapshot({ data })).toThrow(/stored state/)
  })

  test('names of fields stand once each, and fit a byte', () => {
    expect(new Set(FIELDS).size).toBe(FIELDS.length)
    expect(FIELDS.length).toBeLessThanOrEqual(255)
  })
})

test('amounts take their fewest bytes, at least one, on both sides of what a number holds', () => {
  for (const [amount, length] of [[0n, 1], [1n, 1], [255n, 1], [256n, 2], [65_535n, 2], [65_536n, 3], [2n ** 53n - 1n, 7], [2n ** 53n, 7], [2n ** 53n + 1n, 7], [2n ** 56n, 8], [-1n, 1]] as const) {
    const bytes = encodeSnapshot(amount)
    expect(bytes.length).toBe(3 + length)
    expect(decodeSnapshot(bytes)).toBe(amount)
  }
})
