/** A payout that is due and cannot be made, or fails again and again, is in the box's health. */
import { expect, it } from 'vitest'
import { PayoutVerbs } from '../../../src/owner/payout.ts'
import { scriptedPayouts } from '../../support/payout-views.ts'

it('says whose payout cannot be made and why, and nothing where all wait for their time', () => {
  const { desk, token } = scriptedPayouts()
  const quiet = desk.parties().map((party) => ({ ...party, open: null }))
  const lineOf = (parties: typeof quiet): unknown => new PayoutVerbs({ desk: scriptedPayouts(parties).desk, token }).health()
  expect(lineOf(quiet)).toMatchObject({ part: 'payout', level: 'ok' })
  expect(lineOf(quiet.map((party, at) => (at === 1 ? { ...party, stuck: 'too much was given back' } : party)))).toMatchObject({ level: 'bad', text: 'A payout to relay:hill-house is due and cannot be made: too much was given back' })
  expect(new PayoutVerbs({ desk, token }).health()).toMatchObject({ level: 'bad', text: expect.stringContaining('A payout fails again and again: relay:hill-house') as string })
})
