/** The small parts of "pay as you go": how far ahead, which browser dies, and how money is written. */
import { describe, expect, it } from 'vitest'
import { choiceOf, isMiniBrowser } from '../../../src/web/wallet/pay.ts'
import { keyOf, secretOf } from '../../../src/web/wallet/key.ts'
import { amountOf, minutesText, moneyText } from '../../../src/web/wallet/money.ts'
import { leadSeconds, streamSigner } from '../../../src/web/stream/index.ts'

const STYLE = { symbol: 'MBX', decimals: 6, decimal: ',', digits: '0123456789' }

describe('how far ahead', () => {
  it.each([
    ['0', 0, 0],
    ['90', 90, 90],
    ['600', 90, 600],
    ['block-30', 1800, 1800],
    ['nonsense', 0, 0],
    ['99999', 90, 600],
  ])('%s: %i seconds while it is looked at, %i hidden', (value, visible, hidden) => {
    expect([leadSeconds(choiceOf(value), false), leadSeconds(choiceOf(value), true)]).toEqual([visible, hidden])
  })
})

describe('a browser that dies when the guest is online', () => {
  it.each([
    [true, 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148'],
    [true, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)'],
    [true, 'Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/UQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36'],
    [false, 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'],
    [false, 'Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36'],
    [false, 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0'],
  ])('%s: %s', (is, agent) => {
    expect(isMiniBrowser(agent)).toBe(is)
  })
})

describe('money', () => {
  it.each([
    [0n, '0'],
    [1n, '0,000001'],
    [1_500_000n, '1,5'],
    [12_345_678_900_000n, '12345678,9'],
  ])('%s is %s', (amount, text) => {
    expect(moneyText(amount, STYLE)).toBe(`${text}\u00a0MBX`)
  })
  it('is rounded down, in the digits of the language, and whole where there is no part', () => {
    expect(moneyText(1_999_999_999_999_999_999n, { ...STYLE, decimals: 18 })).toBe('1,999999\u00a0MBX')
    expect(moneyText(42n, { ...STYLE, decimals: 0 })).toBe('42\u00a0MBX')
    expect(moneyText(1_500_000n, { ...STYLE, decimal: '٫', digits: '٠١٢٣٤٥٦٧٨٩' })).toBe('١٫٥\u00a0MBX')
    expect([0, 59, 90, 3599].map(minutesText)).toEqual(['0:00', '0:59', '1:30', '59:59'])
  })
  it('is read as it is typed, in the page’s digits or Latin ones, and never as more than was meant', () => {
    const arabic = { ...STYLE, decimal: '٫', digits: '٠١٢٣٤٥٦٧٨٩' }
    expect(['1', '1.5', ' 1,5 ', '0.000001', '12'].map((text) => amountOf(text, STYLE))).toEqual([1_000_000n, 1_500_000n, 1_500_000n, 1n, 12_000_000n])
    expect([amountOf('١٫٥', arabic), amountOf('1.5', arabic)]).toEqual([1_500_000n, 1_500_000n])
    // Which of two signs parts the thousands nobody knows; more digits than the token has would be lost.
    expect(['', '.', '1.', '.5', '1.000,5', '1,000.5', '1,2,3', '-1', '1e3', '0x1', '0.0000001', '1 000', '9'.repeat(31)].map((text) => amountOf(text, STYLE))).toEqual(Array.from({ length: 13 }, () => null))
  })
  it('is signed for by the key that the words restore', () => {
    const entropy = new Uint8Array(16).fill(1)
    expect(streamSigner(secretOf(entropy)).address).toBe(keyOf(entropy).address.toLowerCase())
  })
})
