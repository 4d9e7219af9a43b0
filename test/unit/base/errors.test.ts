/** Errors that cross room borders: what they tell, and what they never tell. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, asError, httpStatus, inputError } from '../../../src/base/index.ts'

describe('MeshBoxError', () => {
  it('tells field, value and what is allowed', () => {
    const error = inputError('minutes', 0, '1..60')
    expect(error).toBeInstanceOf(Error)
    expect(error.message).toBe('minutes: 0 is not allowed; allowed: 1..60')
    expect(error.toPublic()).toEqual({ error: 'bad-input', message: error.message, field: 'minutes', value: '0', allowed: '1..60' })
    expect(httpStatus(error.kind)).toBe(400)
  })

  it('keeps cause and stack to itself', () => {
    const cause = new Error('SELECT secret FROM rows')
    const error = new MeshBoxError('unavailable', 'the book cannot be read', { code: 'store-locked', cause, retryAfterSeconds: 5 })
    expect(error.cause).toBe(cause)
    expect(error.toPublic()).toEqual({ error: 'store-locked', message: 'the book cannot be read', retryAfterSeconds: 5 })
    expect(JSON.stringify(error.toPublic())).not.toContain('SELECT')
  })

  it.each([
    ['unauthorized', 401],
    ['forbidden', 403],
    ['not-found', 404],
    ['conflict', 409],
    ['limit', 429],
    ['unavailable', 503],
    ['internal', 500],
  ] as const)('%s is HTTP %i', (kind, status) => {
    expect(httpStatus(kind)).toBe(status)
  })
})

describe('shown values', () => {
  it('are short and printable, whatever came in', () => {
    const cyclic: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    cyclic['self'] = cyclic
    const refusing = {
      toJSON: () => {
        throw new Error('no')
      },
    }
    const odd = fc.constantFrom<unknown>(cyclic, refusing, null, undefined, 10n ** 30n, Symbol('s'), () => 1, Object.create(null), 'x'.repeat(100_000))
    fc.assert(
      fc.property(fc.oneof(fc.anything({ withBigInt: true, withNullPrototype: true }), fc.string({ unit: 'binary' }), odd), (value) => {
        const { value: shown, message } = inputError('field', value, 'something else')
        for (const text of [shown ?? '', message]) {
          expect(text.length).toBeLessThanOrEqual(130)
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
        }
      }),
    )
  })
})

it('asError makes an Error of anything thrown', () => {
  const error = new Error('x')
  expect(asError(error)).toBe(error)
  expect(asError('text').message).toBe('text')
  expect(asError({ code: 7n }).message).toBe('{"code":"7"}')
  expect(asError(undefined).message).toBe('undefined')
  expect(asError(Object.create(null))).toBeInstanceOf(Error)
})
