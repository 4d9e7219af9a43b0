/** What is done next for a payout's money, by everything that can be known of it; and, played, that it leaves once whatever comes when. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { maxFeeOf, nextMove } from '../../../src/payout/index.ts'
import type { LockStanding, MoneyFacts } from '../../../src/payout/index.ts'

const OPEN: LockStanding = { state: 'open', isRevealed: false, isGivenUp: false, endsBlock: null, endsInSeconds: null, fee: 0n, via: [] }
const SENT: LockStanding = { state: 'sent', fee: 0n, via: [] }
const failed = (isKnownThere: boolean): LockStanding => ({ state: 'failed', problem: '', isKnownThere })

const facts: fc.Arbitrary<MoneyFacts> = fc.record({
  amount: fc.bigInt(1n, 20n),
  live: fc.constantFrom<MoneyFacts['live']>(null, 'never', 'paid', OPEN, { ...OPEN, isRevealed: true }, SENT, failed(false), failed(true)),
  hasLeftDirectly: fc.boolean(),
  spendable: fc.option(fc.bigInt(0n, 20n)),
  hasWay: fc.boolean(),
})

it('begins nothing while a try may still pay, and none over other boxes where a channel has enough', () => {
  fc.assert(
    fc.property(facts, (known) => {
      const { live, amount, spendable, hasLeftDirectly, hasWay } = known
      const move = nextMove(known)
      if (move === 'begin' || move === 'direct') expect(live).toBe(null)
      if (move === 'begin') expect([hasLeftDirectly, spendable !== null && spendable >= amount, hasWay]).toEqual([false, false, true])
      expect(move === 'lock').toBe(live === 'never')
      expect(move === 'note-failed').toBe(live !== null && typeof live !== 'string' && live.state === 'failed' && !live.isKnownThere)
    }),
  )
})

/** What is on disk and in the channels, and nothing else: each turn decides anew, as after a crash. */
interface World {
  readonly tries: { isNoted: 'failed' | 'paid' | null; lock: LockStanding | 'never' }[]
  direct: number
  spendable: bigint | null
  hasWay: boolean
}

function turn(world: World): ReturnType<typeof nextMove> {
  const live = world.tries.find(({ isNoted }) => isNoted !== 'failed')
  const move = nextMove({ amount: 10n, live: live === undefined ? null : live.isNoted === 'paid' ? 'paid' : live.lock, hasLeftDirectly: world.direct > 0, spendable: world.spendable, hasWay: world.hasWay })
  if (move === 'begin') world.tries.push({ isNoted: null, lock: 'never' })
  if (move === 'lock' && live !== undefined) live.lock = OPEN
  if (move === 'note-paid' && live !== undefined) live.isNoted = 'paid'
  if (move === 'note-failed' && live !== undefined) live.isNoted = 'failed'
  // By its reference: where it has left, it is found; where there is no channel, it is refused.
  if (move === 'direct' && world.direct === 0 && world.spendable !== null && world.spendable >= 10n) world.direct++
  return move
}

const event = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'turn' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ends' as const), how: fc.constantFrom(SENT, failed(false)) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ways' as const), spendable: fc.option(fc.bigInt(0n, 20n)), hasWay: fc.boolean() }) },
)

it('pays once in any order of turns, endings and ways, and in the end pays', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const world: World = { tries: [], direct: 0, spendable: null, hasWay: true }
      const paid = (): number => world.direct + world.tries.filter(({ lock }) => typeof lock !== 'string' && lock.state === 'sent').length
      const mayPay = (): number => paid() + world.tries.filter(({ lock, isNoted }) => isNoted === null && (lock === 'never' || (typeof lock !== 'string' && lock.state === 'open'))).length
      for (const one of events) {
        if (one.kind === 'turn') turn(world)
        else if (one.kind === 'ways') [world.spendable, world.hasWay] = [one.spendable, one.hasWay]
        else for (const each of world.tries) if (each.lock === OPEN) each.lock = one.how
        expect(mayPay()).toBeLessThanOrEqual(1)
      }
      world.hasWay = true
      for (let more = 0; more < 8; more++) {
        turn(world)
        for (const each of world.tries) if (each.lock === OPEN) each.lock = SENT
      }
      expect(paid()).toBe(1)
    }),
  )
})

it('lets carriers have a part of the amount, rounded down', () => {
  expect([maxFeeOf(1_000_000n, 10_000), maxFeeOf(99n, 10_000), maxFeeOf(100n, 10_000), maxFeeOf(5n, 0)]).toEqual([10_000n, 0n, 1n, 0n])
})
