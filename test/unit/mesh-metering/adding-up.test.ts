/** What is missing is judged once and never forgotten: what a liar gains by any strategy, and what an honest box may lose and stay. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DRIFTS_TO_END, READING_EVERY_MS, SLACK_BYTES, SPARE_BYTES, adoptStanding, beginCarriage, owedParts, standingOf, stepCarriage } from '../../../src/mesh/metering/index.ts'
import type { Carriage, CarriageInput, CarriageTerms } from '../../../src/mesh/metering/index.ts'
import type { Reading } from '../../../src/mesh/ports.ts'

const CARRIER = `0x${'c1'.repeat(20)}` as const
const CLIENT = `0x${'d2'.repeat(20)}` as const
const TOKEN = `0x${'70'.repeat(20)}` as const
const MIB = 1n << 20n
/** The most that passes in one reading. */
const READING = 8n * MIB
/** What was not answered is held against it: so much at most passes between two readings, and one reading more. */
const TERMS: CarriageTerms = { maxDebt: 1n << 70n, settleAmount: null, settleAfterMs: Number.POSITIVE_INFINITY }
const price = { sequence: 1, unitsPerMiB: 1n }
type Role = 'carrier' | 'client'

class Pair {
  readonly now: Record<Role, Carriage>
  readonly disk: Record<Role, { state: Carriage; counted: bigint }>
  readonly counted: Record<Role, bigint> = { carrier: 0n, client: 0n }
  passed = 0n
  gate = false
  nowMs = 0
  /** What the client signs of what it counted. */
  claim = (bytes: bigint): bigint => bytes

  constructor() {
    const begin = (role: Role): Carriage => beginCarriage({ role, carrier: CARRIER, client: CLIENT, token: TOKEN, epoch: new Uint8Array(8).fill(7), price, nowMs: 0 })
    this.now = { carrier: begin('carrier'), client: begin('client') }
    this.disk = { carrier: { state: this.now.carrier, counted: 0n }, client: { state: this.now.client, counted: 0n } }
  }

  pass(bytes: bigint): void {
    if (!this.gate) return
    this.passed += bytes
    this.counted.carrier += bytes
    this.counted.client += bytes
  }

  /** One reading; `late` passes between question and answer. */
  reading({ isAskLost = false, isAnswerLost = false, late = 0n } = {}): void {
    this.nowMs += READING_EVERY_MS
    for (const question of this.feed('carrier', { kind: 'tick', bytes: this.figure('carrier'), nowMs: this.nowMs })) {
      if (isAskLost) continue
      this.pass(late)
      for (const answer of this.feed('client', { kind: 'reading', reading: question, bytes: this.figure('client'), nowMs: this.nowMs })) {
        if (!isAnswerLost) this.feed('carrier', { kind: 'reading', reading: answer, bytes: this.figure('carrier'), nowMs: this.nowMs })
      }
    }
    this.feed('client', { kind: 'tick', bytes: this.figure('client'), nowMs: this.nowMs })
  }

  keep(role: Role): void {
    this.disk[role] = { state: this.now[role], counted: this.counted[role] }
  }

  /** What is not on its disk is gone, with its power the counts too; the two show each other where they stand. */
  restart(role: Role, isPowerLost: boolean): void {
    const { state, counted } = this.disk[role]
    if (state.state === 'ended') return
    this.now[role] = { ...state, waiting: null, isAnew: true, lastNumber: state.lastNumber + 1000 }
    if (isPowerLost) this.counted[role] = counted
    if (role === 'carrier') this.gate = false
    this.meet()
  }

  meet(): void {
    const shown = { carrier: standingOf(this.now.carrier), client: standingOf(this.now.client) }
    for (const [role, standing] of [['client', shown.carrier], ['carrier', shown.client]] as const) {
      if (standing !== null) {
        const adopted = adoptStanding(this.now[role], standing, () => price.unitsPerMiB)
        expect(adopted.kind).not.toBe('wrong')
        if (adopted.kind === 'adopted') {
          this.now[role] = adopted.state
          const { up, down } = standing.pair[role].bytes
          if (up + down > this.counted[role]) this.counted[role] = up + down
        }
      }
      this.feed(role, { kind: 'met' })
    }
    // The gate is open where it was, and shut where the carrier is new: until the first answer.
    if (!this.gate && this.now.carrier.state !== 'ended') this.now.carrier = { ...this.now.carrier, state: 'silent' }
  }

  figure(role: Role): { up: bigint; down: bigint } {
    return { up: 0n, down: role === 'client' ? this.claim(this.counted.client) : this.counted.carrier }
  }

  feed(role: Role, input: CarriageInput): readonly Reading[] {
    const { state, effects } = stepCarriage(this.now[role], input, TERMS)
    this.now[role] = state
    for (const effect of effects) if (role === 'carrier' && effect.kind === 'gate') this.gate = effect.isOpen
    return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.reading] : []))
  }

  get states(): readonly string[] {
    return [this.now.carrier.state, this.now.client.state]
  }
}

const bytes = fc.bigInt({ min: 0n, max: READING })

describe('an honest client', () => {
  const round = fc.record({ bytes, late: bytes, isAskLost: fc.boolean(), isAnswerLost: fc.boolean(), restarts: fc.subarray(['carrier', 'client'] as const), isKept: fc.boolean(), isCarrierCut: fc.boolean() })

  it('is never ended by lost or late answers, nor by either end beginning anew, in any order', () => {
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 60 }), (rounds) => {
        const pair = new Pair()
        pair.reading()
        for (const each of rounds) {
          pair.pass(each.bytes)
          pair.reading(each)
          if (each.isKept) for (const role of ['carrier', 'client'] as const) pair.keep(role)
          for (const role of each.restarts) pair.restart(role, role === 'carrier' && each.isCarrierCut)
        }
        expect(pair.states).not.toContain('ended')
        for (let again = 0; again < 3; again++) pair.reading()
        expect(pair.states).toEqual(['running', 'running'])
        // Nobody carries for nothing, and nobody pays for what did not pass: only what the carrier itself forgot is missing.
        expect(owedParts(pair.now.carrier)).toBe(pair.counted.carrier)
        expect(owedParts(pair.now.client)).toBe(owedParts(pair.now.carrier))
        expect(pair.counted.carrier).toBeLessThanOrEqual(pair.passed)
      }),
    )
  })

  it('that loses its counts with its power is held to it once, however often later answers hide it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: MIB, max: READING }), fc.array(fc.tuple(bytes, fc.boolean()), { minLength: 1, maxLength: 40 }), (lost, rounds) => {
        const pair = new Pair()
        pair.reading()
        for (let cut = 1; cut < DRIFTS_TO_END; cut++) {
          for (const role of ['carrier', 'client'] as const) pair.keep(role)
          pair.pass(lost)
          pair.restart('client', true)
          for (const [passed, isLate] of rounds) {
            pair.pass(passed)
            pair.reading({ late: isLate ? lost : 0n })
          }
          // One answer in time: what is missing has come to light.
          for (let again = 0; again < 2; again++) pair.reading()
          expect(pair.states).toEqual(['running', 'running'])
        }
        pair.reading()
        expect(pair.passed - owedParts(pair.now.carrier)).toBe(2n * lost)
      }),
    )
  })
})

describe('a lying client', () => {
  const move = fc.record({ bytes, share: fc.bigInt({ min: 0n, max: 100n }), isWithheld: fc.boolean(), late: bytes, isBack: fc.boolean() })

  it('gains no more than 5 % of all that was carried, and three readings', () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 80 }), (moves) => {
        const pair = new Pair()
        pair.reading()
        let [said, seen, most, open] = [0n, 0n, 0n, 0n]
        for (const { bytes: passed, share, isWithheld, late, isBack } of moves) {
          pair.claim = (all) => said + ((all - seen) * share) / 100n
          const before = pair.passed
          pair.pass(passed)
          pair.reading({ isAnswerLost: isWithheld, late })
          said = pair.claim(pair.counted.client)
          seen = pair.counted.client
          open += pair.passed - before
          if (open > most) most = open
          if (!isWithheld) open = 0n
          if (isBack) pair.meet()
        }
        const missing = pair.passed - owedParts(pair.now.carrier)
        // `most`: what passed between two answers; the last may have been left open too.
        expect(missing).toBeLessThanOrEqual(pair.passed / 20n + BigInt(DRIFTS_TO_END + 1) * (SLACK_BYTES + most + READING))
      }),
      { numRuns: 300 },
    )
  })

  it.each([2n, 4n, 8n])('that says nothing of one reading, and the truth of so much after it: %s MiB clear nobody', (truth) => {
    const pair = new Pair()
    pair.reading()
    let hidden = 0n
    pair.claim = (all) => all - hidden
    let falseReadings = 0
    for (let turn = 0; turn < 20 && pair.gate; turn++) {
      pair.pass(4n * MIB)
      hidden += 2n * MIB - 1n
      falseReadings++
      pair.reading()
      pair.pass(truth * MIB)
      pair.reading()
    }
    expect(pair.now.carrier.reason).toMatch(/^the figures differ/)
    expect(falseReadings).toBe(DRIFTS_TO_END)
  })

  it('that leaves out a little of every reading: no more than the slack three times above 5 %', () => {
    const pair = new Pair()
    pair.reading()
    let hidden = 0n
    pair.claim = (all) => all - hidden
    for (let turn = 0; turn < 1000 && pair.gate; turn++) {
      pair.pass(SLACK_BYTES)
      hidden += SLACK_BYTES / 2n
      pair.reading()
    }
    expect(pair.now.carrier.state).toBe('ended')
    expect(pair.passed - owedParts(pair.now.carrier)).toBeLessThanOrEqual(pair.passed / 20n + BigInt(DRIFTS_TO_END) * 2n * SLACK_BYTES)
  })

  it('after long honest traffic: what it may hide at once is bounded', () => {
    const pair = new Pair()
    pair.reading()
    for (let turn = 0; turn < 100; turn++) {
      pair.pass(READING)
      pair.reading()
    }
    const before = pair.passed
    let hidden = 0n
    pair.claim = (all) => all - hidden
    for (let turn = 0; turn < 20 && pair.gate; turn++) {
      pair.pass(READING)
      hidden += READING
      pair.reading()
    }
    expect(pair.now.carrier.state).toBe('ended')
    expect(pair.passed - before).toBeLessThanOrEqual(SPARE_BYTES + 2n * READING)
  })
})
