/** An opening ordered for a code is over when its own receipt says so, and not when somebody says that the channel is open. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect, it } from 'vitest'
import { isSettledBy } from '../../../src/photon/chain/duty-state.ts'
import type { DueBoxDuty } from '../../../src/photon/chain/index.ts'
import type { ChannelEvent } from '../../../src/photon/ports.ts'

const key = { channel: `0x${'11'.repeat(32)}`, epoch: 1n } as const
const [token, guest, box] = [`0x${'22'.repeat(20)}`, `0x${'33'.repeat(20)}`, `0x${'44'.repeat(20)}`] as const

function opening(reference?: string): DueBoxDuty {
  const duty = { kind: 'open-for', token, participant: guest, partner: box, amount: 5n, settleTimeout: 40, epoch: 1n, validUntil: 900, signature: new Uint8Array(65) } as const
  return { duty: reference === undefined ? duty : { ...duty, reference }, key, fromBlock: 10, deadlineBlock: 900 }
}

it('the news of its own success does not count as another’s: the code would be paid a second time', () => {
  const opened: ChannelEvent = { kind: 'opened', ...key, token, a: guest, b: box, settleTimeout: 40, block: 12 }
  expect(isSettledBy(keccak_256, opening('9.0.1@10'), opened)).toBe(false)
  expect(isSettledBy(keccak_256, opening(), opened)).toBe(true)
})
