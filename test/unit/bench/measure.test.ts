/** The arithmetic behind the benchmarks' table; the numbers themselves are never tested. */
import { describe, expect, it } from 'vitest'
import { figure, inTurns, pairs, quantile, summary, table } from '../../bench/measure.ts'
import type { BenchRow } from '../../bench/measure.ts'

describe('summary', () => {
  it('gives order statistics, whatever the order was', () => {
    expect(summary([5, 1, 4, 2, 3])).toEqual({ count: 5, min: 1, p50: 3, p99: 4.96, max: 5 })
    expect(summary([7])).toEqual({ count: 1, min: 7, p50: 7, p99: 7, max: 7 })
    expect(quantile([1, 2], 0.5)).toBe(1.5)
    expect(() => summary([])).toThrow('no values')
  })
})

describe('inTurns', () => {
  it('goes round by round, every second one backwards, and keeps the values of a round together', async () => {
    const order: string[] = []
    let clock = 0
    const take = (name: string) => async () => {
      order.push(name)
      return ++clock
    }
    const values = await inTurns(3, { a: take('a'), b: take('b') })
    expect(order.join('')).toBe('abbaab')
    expect(values).toEqual({ a: [1, 4, 5], b: [2, 3, 6] })
    expect(pairs(values.a, values.b, (a, b) => a - b)).toEqual([-1, 1, -1])
  })
})

describe('table', () => {
  const row: BenchRow = {
    name: 'thing',
    unit: 'ms',
    ours: summary([1, 2, 3]),
    peer: { name: 'other', value: summary([40]) },
    ratio: 0.05,
    aim: { text: '≤ 5 ms', met: true },
    note: 'why',
  }
  it('lines its columns up and says what was met', () => {
    const lines = table([row, { name: 'a longer name', unit: 's', ours: summary([9]), aim: { text: 'less', met: false } }]).split('\n')
    expect(lines[2]).toContain('2.00 ms')
    expect(lines[2]).toContain('40.0 ms other')
    expect(lines[2]).toMatch(/≤ 5 ms ✓$/)
    expect(lines[3]).toContain('one value')
    expect(lines[3]).toMatch(/less ✗$/)
    expect(lines.at(-1)).toBe('  thing: why')
    expect([lines[0], lines[2], lines[3]].map((line) => line?.indexOf('|'))).toEqual([14, 14, 14])
  })

  it('writes figures of three digits', () => {
    expect([1234.5, 99.95, 9.999, 0.1234, 0, -4.2, Number.NaN].map(figure)).toEqual(['1235', '100.0', '10.00', '0.123', '0', '-4.20', '-'])
  })
})
