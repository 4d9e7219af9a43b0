/** What has become of a payment that nobody acknowledged, when its channel is over: lost only where the chain shows that the partner got nothing of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ZERO_HASH } from '../../../src/base/index.ts'
import { arrivalAtEnd, settlementOf } from '../../../src/photon/channel/index.ts'
import type { ChannelState, Dispute } from '../../../src/photon/channel/index.ts'
import { A, V1, open } from './pair.ts'

const VOID_NONCE = (1n << 64n) - 1n

interface End {
  /** Of A's direct payments, in the order of their nonces, from 1. */
  readonly payments: readonly bigint[]
  /** Newest nonce that B posted; 0: none. */
  readonly posted: number
  /** Of B, and by B out of A's deposit. */
  readonly withdrawn?: bigint
  readonly claimed?: bigint
}

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, each) => sum + each, 0n)

/** As A has it after the contract has paid out by what was posted; and what B has got of A's in all. */
function ended({ payments, posted, withdrawn = 0n, claimed = 0n }: End): { readonly state: ChannelState; readonly got: bigint } {
  const fresh = open(A)
  const proof = { nonce: BigInt(posted), transferred: sumOf(payments.slice(0, posted)), locksroot: ZERO_HASH, unlocked: [] }
  const own = { ...fresh.own, nonce: BigInt(payments.length), transferred: sumOf(payments), claimed }
  const partner = { ...fresh.partner, withdrawn }
  const dispute: Dispute = { closedBy: A, closeBlock: 1, settleBlock: 2, own: proof, partner: { ...proof, nonce: 0n, transferred: 0n } }
  const [forA, forB] = settlementOf({ ...own, transferred: proof.transferred }, partner)
  const state: ChannelState = { ...fresh, own, partner, dispute, phase: 'settled', payout: { own: forA, partner: forB, isCooperative: false } }
  return { state, got: forB + withdrawn + claimed - partner.deposit }
}

describe('by posted proofs', () => {
  it('is delivered up to the newest that was posted, and lost behind it', () => {
    const { state } = ended({ payments: [10n, 20n, 30n], posted: 1 })
    expect([1n, 2n, 3n].map((nonce) => arrivalAtEnd(state, nonce))).toEqual(['delivered', 'lost', 'lost'])
  })

  it('paid anew for what was lost, the partner never has more than all of it, whatever he took out before', () => {
    const end = fc.record({ payments: fc.array(fc.bigInt(1n, 90n), { minLength: 1, maxLength: 8 }), posted: fc.nat(8), withdrawn: fc.bigInt(0n, 1200n), claimed: fc.bigInt(0n, 300n) })
    fc.assert(
      fc.property(end, ({ payments, posted, withdrawn, claimed }) => {
        const all = sumOf(payments)
        // The most that A signs for: B's own, and all that was given to him.
        const taken = withdrawn > 500n + all - claimed ? 0n : withdrawn
        const { state, got } = ended({ payments, posted: Math.min(posted, payments.length), withdrawn: taken, claimed: claimed > all ? 0n : claimed })
        const lost = payments.filter((_amount, at) => arrivalAtEnd(state, BigInt(at + 1)) === 'lost')
        expect(got + sumOf(lost) <= all).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('is not known where what the partner took out may have been covered by it', () => {
    const withdrawn = ended({ payments: [40n], posted: 0, withdrawn: 520n })
    expect([withdrawn.got, arrivalAtEnd(withdrawn.state, 1n)]).toEqual([20n, 'unknown'])
    const claimed = ended({ payments: [40n], posted: 0, claimed: 40n })
    expect([claimed.got, arrivalAtEnd(claimed.state, 1n)]).toEqual([40n, 'unknown'])
  })

  it('is lost with a proof that was voided for a punishment: nothing of it was paid out', () => {
    const { state } = ended({ payments: [40n], posted: 0 })
    const { dispute } = state
    if (dispute === null) throw new Error('no dispute')
    expect(arrivalAtEnd({ ...state, dispute: { ...dispute, own: { ...dispute.own, nonce: VOID_NONCE } } }, 1n)).toBe('lost')
  })

  it('is not known where the chain paid another sum than what was heard of the proofs comes to', () => {
    const { state } = ended({ payments: [40n], posted: 0 })
    expect(arrivalAtEnd({ ...state, payout: { own: 960n, partner: 540n, isCooperative: false } }, 1n)).toBe('unknown')
  })
})

it('by what both signed it is delivered', () => {
  const { state } = ended({ payments: [40n], posted: 0 })
  expect(arrivalAtEnd({ ...state, dispute: null, payout: { own: 960n, partner: 540n, isCooperative: true } }, 1n)).toBe('delivered')
})

it('waits while the channel is not over; is not known where nobody told what was paid out, and in v1, whose withdrawals begin new lives', () => {
  const { state } = ended({ payments: [40n], posted: 0 })
  const { payout: _, ...untold } = state
  expect(arrivalAtEnd({ ...state, phase: 'closed' }, 1n)).toBe('waiting')
  for (const other of [{ ...state, payout: null }, untold, { ...state, payout: null, dispute: null }, { ...state, domain: V1 }]) expect(arrivalAtEnd(other, 1n)).toBe('unknown')
})
