/** What a whole run leaves on the page of the numbers. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { summary } from '../../bench/measure.ts'
import { inserted, machine, report, type Outcome } from '../../bench/report.ts'

const before = { load1: 0.5, load5: 0.4, fdatasyncMs: summary([0.1, 0.2, 0.3]) }
const outcomes: readonly Outcome[] = [
  {
    bench: 'gate',
    seconds: 60,
    before,
    rows: [
      { name: 'a | b', unit: 'ms', ours: summary([1, 2, 3]), peer: { name: 'nft', value: summary([4]) }, ratio: 0.5, aim: { text: '≤ 5 ms', met: true } },
      { name: 'slow', unit: 'ms', ours: summary([9]), aim: { text: '≤ 5 ms', met: false } },
    ],
  },
  { bench: 'gone', seconds: 30, before: { ...before, load1: 2 }, rows: [], failure: 'no\nroot' },
]

it('says when, where, how busy and how long, what could not run, and each row', () => {
  expect(report(outcomes, '2026-01-02', 'a machine').split('\n')).toEqual([
    '2026-01-02, a machine; load 0.500 to 2.00 and fdatasync p50 0.200 to 0.200 ms before each benchmark; 1.5 minutes in all.',
    '',
    '**gone could not run:** no root',
    '',
    '| benchmark | what | this build | peer or limit | ratio | spread | aim |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    '| gate | a \\| b | 2.00 ms | 4.00 ms, nft | 0.500 | 1.00–3.00, p99 2.98, n 3 | ≤ 5 ms ✓ |',
    '| gate | slow | 9.00 ms |  |  | one value | ≤ 5 ms **missed** |',
  ])
})

it('takes the place of the last one, and changes nothing else', () => {
  const page = readFileSync(new URL('../../../docs/benchmarks.md', import.meta.url), 'utf8')
  const once = inserted(page, 'table-1')
  expect(inserted(once, 'table-2')).toBe(once.replace('table-1', 'table-2'))
  expect(once.startsWith(page.slice(0, page.indexOf('<!-- begin')))).toBe(true)
  expect(() => inserted('nothing', 'x')).toThrow("no lines '<!-- begin")
})

it('describes the machine in one line', () => {
  expect(machine()).toMatch(/^\d+ × .+, \d+ GiB, Linux \S+, Node 22\.\S+$/)
})
