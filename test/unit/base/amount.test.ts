/** Amounts: exact between decimal text and smallest units. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_AMOUNT, MeshBoxError, formatAmount, mulDivCeil, mulDivFloor, parseAmount } from '../../../src/base/index.ts'

const amount = fc.bigInt({ min: 0n, max: MAX_AMOUNT })
const decimals = fc.integer({ min: 0, max: 36 })

describe('parseAmount and formatAmount', () => {
  it.each([
    ['1.5', 18, 1_500_000_000_000_000_000n],
    ['0', 0, 0n],
    ['007', 2, 700n],
    ['0.000000000000000001', 18, 1n],
    ['340282366920938463463374607431768211455', 0, MAX_AMOUNT],
  ])('%s with %i decimals', (text, digits, units) => {
    expect(parseAmount(text, digits)).toBe(units)
  })

  it('are each other’s inverse for every amount and every token', () => {
    fc.assert(
      fc.property(amount, decimals, (units, digits) => {
        expect(parseAmount(formatAmount(units, digits), digits)).toBe(units)
      }),
    )
  })

  it('print no trailing zeros, no bare point, and a sign for what is owed', () => {
    expect(formatAmount(1_500_000n, 6)).toBe('1.5')
    expect(formatAmount(1_000_000n, 6)).toBe('1')
    expect(formatAmount(1n, 6)).toBe('0.000001')
    expect(formatAmount(-1_250_000n, 6)).toBe('-1.25')
    expect(formatAmount(0n, 6)).toBe('0')
  })

  it.each(['', '.', '1.', '.5', '-1', '+1', '1e3', '1,5', ' 1', '1 ', '0x1', '١', '1_000', '1\n', 'NaN', '0.0000001', '9'.repeat(81), '340282366920938463463374607431768211456'])(
    'refuse %j with the field named',
    (text) => {
      expect(() => parseAmount(text, 6, 'price')).toThrow(expect.objectContaining({ kind: 'input', field: 'price' }) as MeshBoxError)
    },
  )

  it.each([-1, 37, 1.5, Number.NaN])('refuse %d decimals', (digits) => {
    expect(() => parseAmount('1', digits)).toThrow(expect.objectContaining({ field: 'decimals' }) as MeshBoxError)
  })
})

describe('parts of an amount', () => {
  it('round against the buyer when owed, against the seller when given back, and never by more than one unit', () => {
    const part = fc.bigInt({ min: 1n, max: 10n ** 12n })
    fc.assert(
      fc.property(amount, part, part, (whole, numerator, denominator) => {
        const [up, down] = [mulDivCeil(whole, numerator, denominator), mulDivFloor(whole, numerator, denominator)]
        const exact = whole * numerator
        expect(up * denominator >= exact && (up - 1n) * denominator < exact).toBe(true)
        expect(down * denominator <= exact && (down + 1n) * denominator > exact).toBe(true)
      }),
    )
  })
})
