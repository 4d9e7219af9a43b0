/** Two ends that know different last numbers: the one behind takes over what it signed, and nothing else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adoptStanding, standingOf } from '../../../src/mesh/metering/standing.ts'
import { READING_EVERY_MS, beginCarriage, owedParts, stepCarriage } from '../../../src/mesh/metering/carriage.ts'
import type { Carriage, CarriageInput, CarriageTerms, Standing } from '../../../src/mesh/metering/index.ts'
import type { Reading } from '../../../src/mesh/ports.ts'

const CARRIER = `0x${'c1'.repeat(20)}` as const
const CLIENT = `0x${'d2'.repeat(20)}` as const
const TOKEN = `0x${'70'.repeat(20)}` as const
const TERMS: CarriageTerms = { maxDebt: 1n << 60n, settleAmount: null, settleAfterMs: Number.POSITIVE_INFINITY }
const MIB = 1n << 20n
const priceOf = (sequence: number): bigint | null => (sequence === 1 ? 10n : null)

function begin(role: 'carrier' | 'client'): Carriage {
  return beginCarriage({ role, carrier: CARRIER, client: CLIENT, token: TOKEN, epoch: new Uint8Array(8).fill(7), price: { sequence: 1, unitsPerMiB: 10n }, nowMs: 0 })
}

/** Every state both ends were in, after each round; `lost`: the answer of the last round did not come. */
function history(rounds: number): { readonly carrier: readonly Carriage[]; readonly client: readonly Carriage[] } {
  const states = { carrier: [begin('carrier')], client: [begin('client')] }
  const now = { carrier: begin('carrier'), client: begin('client') }
  const feed = (at: 'carrier' | 'client', input: CarriageInput): readonly Reading[] => {
    const step = stepCarriage(now[at], input, TERMS)
    now[at] = step.state
    return step.effects.flatMap((effect) => (effect.kind === 'send' ? [effect.reading] : []))
  }
  for (let round = 1; round <= rounds; round++) {
    const nowMs = round * READING_EVERY_MS
    const bytes = { up: BigInt(round) * 1000n, down: BigInt(round) * MIB }
    for (const reading of feed('carrier', { kind: 'tick', bytes, nowMs })) {
      for (const answer of feed('client', { kind: 'reading', reading, bytes, nowMs })) feed('carrier', { kind: 'reading', reading: answer, bytes, nowMs })
    }
    states.carrier.push(now.carrier)
    states.client.push(now.client)
  }
  return states
}

const STORY = history(12)
const at = (role: 'carrier' | 'client', round: number): Carriage => STORY[role][round] ?? begin(role)
function shown(state: Carriage): Standing {
  const standing = standingOf(state)
  if (standing === null) throw new Error('nothing was exchanged')
  return standing
}

it('what was out of tolerance before is not forgotten by being shown the rest', () => {
  let [carrier, client] = [begin('carrier'), begin('client')]
  for (let round = 1; round <= 3; round++) {
    const nowMs = round * READING_EVERY_MS
    const total = BigInt(round) * 4n * MIB
    const asked = stepCarriage(carrier, { kind: 'tick', bytes: { up: 0n, down: total }, nowMs }, TERMS)
    carrier = asked.state
    for (const effect of asked.effects) {
      if (effect.kind !== 'send') continue
      const answered = stepCarriage(client, { kind: 'reading', reading: effect.reading, bytes: { up: 0n, down: (total * 6n) / 10n }, nowMs }, TERMS)
      client = answered.state
      // The last answer does not come; the client shows it when they meet again.
      if (round < 3) for (const each of answered.effects) if (each.kind === 'send') carrier = stepCarriage(carrier, { kind: 'reading', reading: each.reading, bytes: { up: 0n, down: total }, nowMs }, TERMS).state
    }
  }
  expect(carrier.agreed?.tally.drifts).toBe(2)
  const adoption = adoptStanding(carrier, shown(client), priceOf)
  expect(adoption.kind === 'adopted' ? adoption.state.agreed?.tally.drifts : adoption.kind).toBe(3)
})

it('whichever end lost whatever of its last rounds: both stand where the other stood', () => {
  fc.assert(
    fc.property(fc.constantFrom('carrier' as const, 'client' as const), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 12 }), (loser, kept, reached) => {
      const other = loser === 'carrier' ? 'client' : 'carrier'
      const behind = at(loser, Math.min(kept, reached))
      const adoption = adoptStanding(behind, shown(at(other, reached)), priceOf)
      const state = adoption.kind === 'adopted' ? adoption.state : behind
      expect(adoption.kind).toBe(kept >= reached ? 'known' : 'adopted')
      expect(state.agreed?.owedParts ?? 0n).toBe(at(loser, reached).agreed?.owedParts ?? 0n)
      expect(state.answered?.owedParts ?? null).toBe(at(loser, reached).answered?.owedParts ?? null)
      expect(standingOf(state)).toEqual(shown(at(other, reached)))
    }),
  )
})

it('both lost something: they meet at the newer of the two', () => {
  for (const [carrier, client] of [[3, 7], [7, 3], [5, 5], [1, 12]] as const) {
    const ends = { carrier: at('carrier', carrier), client: at('client', client) }
    const a = adoptStanding(ends.carrier, shown(ends.client), priceOf)
    const b = adoptStanding(ends.client, shown(ends.carrier), priceOf)
    const [x, y] = [a.kind === 'adopted' ? a.state : ends.carrier, b.kind === 'adopted' ? b.state : ends.client]
    expect(standingOf(x)).toEqual(standingOf(y))
    expect(owedParts(x)).toBe(BigInt(Math.max(carrier, client)) * (MIB + 1000n) * 10n)
  }
})

describe('what does not fit is refused', () => {
  const good = shown(at('client', 6))
  const changed = (parts: Partial<Reading>, where: 'pair' | 'from' = 'pair'): Standing => {
    const side = (pair: NonNullable<Standing['from']>): NonNullable<Standing['from']> => ({ carrier: { ...pair.carrier, ...parts }, client: { ...pair.client, ...parts } })
    return where === 'pair' ? { ...good, pair: side(good.pair) } : { ...good, from: good.from === null ? null : side(good.from) }
  }
  it.each<[string, Standing, RegExp]>([
    ['another epoch', changed({ epoch: new Uint8Array(8) }), /another carriage/],
    ['another token', changed({ token: CARRIER }), /another carriage/],
    ['another epoch of what it counts from', changed({ epoch: new Uint8Array(8) }, 'from'), /another carriage/],
    ['readings of two numbers', { ...good, pair: { ...good.pair, client: { ...good.pair.client, sequence: 9 } } }, /not of one number/],
    ['a sum of nothing', { from: null, pair: { carrier: { ...good.pair.carrier, after: 0 }, client: { ...good.pair.client, after: 0 } } }, /a sum is named/],
    ['another number before it', changed({ after: 2 }), /does not count from/],
    ['figures that go back', changed({ bytes: { up: 0n, down: 0n } }), /go back/],
    ['a price that nobody knows', changed({ priceSequence: 8 }), /price 8 is not known/],
  ])('%s', (_what, standing, reason) => {
    const adoption = adoptStanding(at('carrier', 2), standing, priceOf)
    expect(adoption).toMatchObject({ kind: 'wrong', isBreach: false })
    expect(adoption.kind === 'wrong' ? adoption.reason : '').toMatch(reason)
  })

  it('two figures under one number are a breach; what is older is nothing', () => {
    const twisted: Standing = { ...good, pair: { ...good.pair, client: { ...good.pair.client, bytes: { up: 1n, down: 1n } } } }
    expect(adoptStanding(at('carrier', 6), twisted, priceOf)).toMatchObject({ kind: 'wrong', isBreach: true })
    expect(adoptStanding(at('carrier', 9), good, priceOf)).toEqual({ kind: 'known' })
  })

  it('what counts from before the last agreement', () => {
    const skipping: Standing = { from: shown(at('client', 3)).pair, pair: { carrier: { ...good.pair.carrier, after: 3 }, client: { ...good.pair.client, after: 3 } } }
    expect(adoptStanding(at('carrier', 5), skipping, priceOf)).toMatchObject({ kind: 'wrong', reason: 'it counts from before what was agreed on' })
  })
})
