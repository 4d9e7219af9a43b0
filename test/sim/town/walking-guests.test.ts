/** The town's look at guests who walk finds what is planted in it, each thing by its own name; and nothing where all is well. */
import { describe, expect, it } from 'vitest'
import { wrongBooks, wrongTime } from './walking-guests.ts'
import type { BookFigures, TimeFigures } from './walking-guests.ts'

/** Ten minutes, of which a death may have cost a lease and what was not noted; the last half minute is not signed yet. */
const TIME: TimeFigures = { said: 'anna', chargedMs: 500_000, openMs: 600_000, forgivenMs: 72_000, asideMs: 60_000 }
/** Five units a second. */
const BOOKS: BookFigures = { said: 'a at b', paid: 2500n, earned: 2500n, ours: { owed: 2500n, open: 0n }, theirs: { owed: 2400n, open: 0n }, worth: 3000n, forgiven: 660n, maxDebt: 2000n }

describe('time of guests who walk', () => {
  it('is well within what deaths may cost, either way', () => {
    expect(wrongTime(TIME)).toEqual([])
    expect(wrongTime({ ...TIME, chargedMs: 601_000, forgivenMs: 0 })).toEqual([])
  })
  it.each([
    ['that was lost', /charged for time that he did not have/, { chargedMs: 663_000 }],
    ['that was lost where nobody died', /charged for time that he did not have/, { chargedMs: 603_000, asideMs: 0 }],
    ['that was served twice', /had time that he was not charged for/, { openMs: 900_000 }],
    ['that was served twice where nobody died', /had time that he was not charged for/, { forgivenMs: 0 }],
  ] as const)('%s is found', (_what, found, planted) => {
    expect(wrongTime({ ...TIME, ...planted }).join()).toMatch(found)
  })
})

describe('books of two boxes', () => {
  it('are well where they agree', () => {
    expect(wrongBooks(BOOKS)).toEqual([])
  })
  it.each([
    ['a payment that did not come', /is not what the other earned/, { earned: 2400n }],
    ['one that came twice', /is not what the other earned/, { earned: 5000n }],
    ['seconds that nobody signed', /signed for more than the one that signed knows of/, { theirs: { owed: 2501n, open: 0n } }],
    ['time that nobody had', /paid for more of its guests' time than they had/, { worth: 2499n }],
    ['guests who were not paid for', /was not paid for guests of another/, { forgiven: 499n }],
    ['a debt above the limit', /is owed more for guests than it lets anybody owe/, { theirs: { owed: 2500n, open: 2001n } }],
  ] as const)('with %s are found', (_what, found, planted) => {
    expect(wrongBooks({ ...BOOKS, ...planted }).join()).toMatch(found)
  })
})
