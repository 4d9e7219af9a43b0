/** Who may be given a share by the configuration is somebody whom payouts look for in the book. */
import { expect, it } from 'vitest'
import { describeOptions } from '../../../src/config/index.ts'
import { PARTY_CLASSES } from '../../../src/payout/intents.ts'

it('knows every role that a share may have, and no other', () => {
  const role = describeOptions().find(({ section, option }) => section === 'share' && option === 'role')
  expect(role?.allowed.split(', ').sort()).toEqual([...PARTY_CLASSES].sort())
})
