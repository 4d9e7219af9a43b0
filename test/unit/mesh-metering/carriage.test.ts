/** Both ends of a carriage: what they agree on, what a liar can take, what loss on the link does. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../../src/mesh/ports.ts'
import { PARTS_PER_UNIT, SLACK_BYTES, owedUnits } from '../../../src/mesh/metering/index.ts'
import { compareBytes } from '../../../src/mesh/metering/tolerance.ts'
import { ANSWER_TIMEOUT_MS, READING_EVERY_MS, beginCarriage, owedParts, stepCarriage } from '../../../src/mesh/metering/carriage.ts'
import type { Carriage, CarriageEffect, CarriageInput, CarriageTerms, Exchange } from '../../../src/mesh/metering/index.ts'

const CARRIER = `0x${'c1'.repeat(20)}` as const
const CLIENT = `0x${'d2'.repeat(20)}` as const
const TOKEN = `0x${'70'.repeat(20)}` as const
const SETTLE = 100n
const TERMS: CarriageTerms = { maxDebt: 1000n, settleAmount: SETTLE, settleAfterMs: 60_000 }
const MIB = 1n << 20n

function begin(role: 'carrier' | 'client', unitsPerMiB = 10n): Carriage {
  return beginCarriage({ role, carrier: CARRIER, client: CLIENT, token: TOKEN, epoch: new Uint8Array(8).fill(7), price: { sequence: 1, unitsPerMiB }, nowMs: 0 })
}

/** Two ends and the link between them. Frames may be lost or come twice; payments never are. */
class Pair {
  carrier: Carriage
  client: Carriage
  nowMs = 0
  carried = 0n
  received = 0n
  ordered = 0n
  readonly effects: { readonly at: 'carrier' | 'client'; readonly effect: CarriageEffect }[] = []
  gate = false
  /** What each end claims of what passed. */
  claim = { carrier: (bytes: bigint): bigint => bytes, client: (bytes: bigint): bigint => bytes }
  isLost: () => boolean = () => false
  paysNothing = false

  constructor(unitsPerMiB = 10n) {
    this.carrier = begin('carrier', unitsPerMiB)
    this.client = begin('client', unitsPerMiB)
  }

  /** `bytes` pass, if the gate lets them; then both count. */
  second5(bytes: bigint): void {
    this.nowMs += READING_EVERY_MS
    if (this.gate || this.carrier.state === 'offered') this.carried += bytes
    this.feed('carrier', { kind: 'tick', bytes: this.bytes('carrier'), nowMs: this.nowMs })
    this.feed('client', { kind: 'tick', bytes: this.bytes('client'), nowMs: this.nowMs })
  }

  bytes(at: 'carrier' | 'client'): { up: bigint; down: bigint } {
    const all = this.claim[at](this.carried)
    return { up: all / 4n, down: all - all / 4n }
  }

  feed(at: 'carrier' | 'client', input: CarriageInput): void {
    const step = stepCarriage(this[at], input, TERMS)
    this[at] = step.state
    for (const effect of step.effects) {
      this.effects.push({ at, effect })
      if (effect.kind === 'gate' && at === 'carrier') this.gate = effect.isOpen
      if (effect.kind === 'send' && !this.isLost()) this.deliver(at === 'carrier' ? 'client' : 'carrier', effect.reading)
      if (effect.kind === 'pay' && !this.paysNothing) {
        this.ordered += effect.amount
        this.received += effect.amount
        this.pay(effect.amount)
      }
    }
  }

  /** Money that came, on the carrier's disk. */
  pay(amount: bigint): void {
    this.carrier = { ...this.carrier, paid: this.carrier.paid + amount }
    this.feed('carrier', { kind: 'paid', nowMs: this.nowMs })
  }

  deliver(to: 'carrier' | 'client', reading: Reading): void {
    this.feed(to, { kind: 'reading', reading, bytes: this.bytes(to), nowMs: this.nowMs })
  }

  told(kind: CarriageEffect['kind']): CarriageEffect[] {
    return this.effects.filter((each) => each.effect.kind === kind).map((each) => each.effect)
  }
}

describe('two honest ends', () => {
  it('agree on the sum to the byte, and pay it when it is worth it', () => {
    const pair = new Pair()
    for (let round = 0; round < 30; round++) pair.second5(MIB + 1n)
    pair.second5(0n) // the client knows that its answer came by the next reading
    expect(pair.carrier.state).toBe('running')
    expect(owedParts(pair.carrier)).toBe(30n * (MIB + 1n) * 10n)
    expect(owedParts(pair.client)).toBe(owedParts(pair.carrier))
    // 300 units and a bit: paid at 100, 200 and 300.
    expect(pair.told('pay')).toMatchObject([{ amount: 100n }, { amount: 100n }, { amount: 100n }])
    expect(pair.carrier.paid).toBe(300n)
    expect(pair.told('alarm')).toEqual([])
  })

  it('pay what is little after a minute, never more than is owed', () => {
    const pair = new Pair()
    pair.second5(MIB)
    for (let round = 0; round < 12; round++) pair.second5(0n)
    expect(pair.received).toBe(0n)
    pair.second5(0n)
    expect(pair.received).toBe(10n)
    for (let round = 0; round < 40; round++) pair.second5(0n)
    expect(pair.received).toBe(10n)
  })

  it('count by the price that was announced, each byte by one', () => {
    const pair = new Pair()
    pair.second5(MIB)
    for (const at of ['carrier', 'client'] as const) pair.feed(at, { kind: 'price', price: { sequence: 2, unitsPerMiB: 30n }, nowMs: pair.nowMs })
    pair.second5(MIB)
    expect(owedUnits(pair.carrier)).toBe(40n)
    // An older advert moves nothing.
    pair.feed('carrier', { kind: 'price', price: { sequence: 1, unitsPerMiB: 1n }, nowMs: pair.nowMs })
    pair.second5(MIB)
    expect(owedUnits(pair.carrier)).toBe(70n)
    pair.second5(0n)
    expect(owedUnits(pair.client)).toBe(70n)
  })

  it('lose no byte and no unit over a link that loses and repeats frames', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 50n * MIB }), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 }), (rounds) => {
        const pair = new Pair(3n)
        rounds.forEach(([bytes, isAskLost, isAnswerLost], index) => {
          // Every third round all arrives: less than the time after which a silent client is let go.
          const losses = index % 3 === 2 ? [] : [isAskLost, isAnswerLost]
          pair.isLost = () => losses.shift() ?? false
          pair.second5(bytes)
        })
        pair.isLost = () => false
        // What was under way once more, a new one, and the one that says that the answer came.
        for (let round = 0; round < 3; round++) pair.second5(0n)
        expect(pair.carrier.state === 'running' || pair.carrier.state === 'in-debt').toBe(true)
        expect(owedParts(pair.carrier)).toBe(pair.carried * 3n)
        expect(owedParts(pair.client)).toBe(owedParts(pair.carrier))
        expect(pair.carrier.paid).toBe(pair.received)
        expect(owedUnits(pair.carrier) - pair.received).toBeGreaterThanOrEqual(0n)
        expect(owedUnits(pair.carrier) - pair.received).toBeLessThan(SETTLE)
      }),
    )
  })
})

describe('a client that does not pay', () => {
  it('is cut off above what it may owe, and let in when it has paid', () => {
    const pair = new Pair()
    pair.paysNothing = true
    for (let round = 0; round < 30; round++) pair.second5(10n * MIB)
    expect(pair.carrier).toMatchObject({ state: 'in-debt', reason: '1100 units are owed; up to 1000 units may be' })
    expect(pair.gate).toBe(false)
    // Nothing passes, so nothing more is owed.
    expect(owedUnits(pair.carrier)).toBe(1100n)
    pair.pay(599n)
    expect(pair.carrier.state).toBe('in-debt')
    pair.pay(1n)
    expect(pair.carrier).toMatchObject({ state: 'running', reason: null })
    expect(pair.gate).toBe(true)
  })

  it('is shut out while it does not answer, and goes on from where both were', () => {
    const pair = new Pair(1n)
    pair.second5(MIB)
    pair.isLost = () => true
    for (let passed = 0; passed <= ANSWER_TIMEOUT_MS; passed += READING_EVERY_MS) pair.second5(MIB)
    expect(pair.carrier).toMatchObject({ state: 'silent', reason: 'the client has not answered a reading for 30 s' })
    expect(pair.client).toMatchObject({ state: 'silent', reason: 'the carrier has not asked for 30 s' })
    expect(pair.gate).toBe(false)
    pair.isLost = () => false
    for (let round = 0; round < 3; round++) pair.second5(0n)
    expect(pair.carrier).toMatchObject({ state: 'running', reason: null })
    expect(pair.client).toMatchObject({ state: 'running', reason: null })
    expect(pair.gate).toBe(true)
    expect(owedParts(pair.carrier)).toBe(pair.carried)
  })

  it('gains nothing by silence: what it did not agree to counts against what it may owe', () => {
    const pair = new Pair(100n)
    pair.second5(0n)
    pair.isLost = () => true
    for (let round = 0; round < 4; round++) pair.second5(4n * MIB)
    expect(pair.carrier).toMatchObject({ state: 'in-debt', reason: '1200 units are owed; up to 1000 units may be' })
    expect(pair.gate).toBe(false)
    expect(pair.carried).toBe(12n * MIB)
  })

  it('may not leave before it answers and come back at once', () => {
    const pair = new Pair()
    pair.second5(MIB)
    pair.isLost = () => true
    pair.second5(MIB)
    pair.feed('carrier', { kind: 'end', reason: 'the other box ended it', nowMs: pair.nowMs })
    expect(pair.carrier).toMatchObject({ state: 'ended', isBroken: true })
    const polite = new Pair()
    polite.second5(MIB)
    polite.feed('carrier', { kind: 'end', reason: 'the other box ended it', nowMs: polite.nowMs })
    expect(polite.carrier).toMatchObject({ state: 'ended', isBroken: false })
  })

  it('owes what it answered, also when the end comes before the next reading', () => {
    const pair = new Pair()
    for (let round = 0; round < 3; round++) pair.second5(MIB)
    for (const at of ['carrier', 'client'] as const) pair.feed(at, { kind: 'end', reason: 'enough', nowMs: pair.nowMs })
    expect(owedParts(pair.client)).toBe(owedParts(pair.carrier))
    expect(owedUnits(pair.client)).toBe(30n)
    for (let round = 0; round < 15; round++) pair.second5(0n)
    expect(pair.received).toBe(30n)
  })
})

describe('liars', () => {
  it.each([
    ['carrier', 2n],
    ['client', 2n],
    ['carrier', 40n],
    ['client', 40n],
  ] as const)('%s whose figure is %s times off: found at once or after three, and the loss is bounded', (liar, times) => {
    const pair = new Pair()
    for (let round = 0; round < 3; round++) pair.second5(4n * MIB)
    const honest = pair.carried
    if (liar === 'carrier') pair.claim.carrier = (bytes) => honest + (bytes - honest) * times
    else pair.claim.client = (bytes) => honest + (bytes - honest) / times
    for (let round = 0; round < 10; round++) pair.second5(4n * MIB)
    expect(pair.carrier.state).toBe('ended')
    expect(pair.carrier.reason).toMatch(/^the figures differ/)
    const lied = pair.carried - honest
    expect(lied).toBeLessThanOrEqual(3n * 4n * MIB)
    // The client never pays for more than passed by its own figure.
    expect(owedParts(pair.client)).toBeLessThanOrEqual(pair.carried * 10n)
  })

  it('who stay within 5 % gain no more than that', () => {
    const pair = new Pair()
    pair.claim.client = (bytes) => (bytes * 955n) / 1000n
    for (let round = 0; round < 100; round++) pair.second5(8n * MIB)
    expect(pair.carrier.state).toBe('running')
    expect(owedParts(pair.carrier) * 100n).toBeGreaterThanOrEqual(pair.carried * 10n * 95n)
  })

  it('tolerance: the slack, the drift, the breach', () => {
    expect(compareBytes(SLACK_BYTES, 0n)).toBe('little')
    expect(compareBytes(20n * SLACK_BYTES, 19n * SLACK_BYTES)).toBe('little')
    expect(compareBytes(20n * SLACK_BYTES + 1n, 19n * SLACK_BYTES + 1n)).toBe('agree')
    expect(compareBytes(SLACK_BYTES + 1n, 0n)).toBe('breach')
    // A carrier that asks for less than the client counted gives something away.
    expect(compareBytes(0n, 100n * MIB)).toBe('little')
    expect(compareBytes(100n * MIB, 95n * MIB)).toBe('agree')
    expect(compareBytes(100n * MIB, 95n * MIB - 1n)).toBe('drift')
    expect(compareBytes(100n * MIB, 50n * MIB)).toBe('drift')
    expect(compareBytes(100n * MIB, 50n * MIB - 1n)).toBe('breach')
  })

  const lastOf = (pair: Pair): Exchange => {
    if (pair.client.answered === null) throw new Error('nothing was answered')
    return pair.client.answered
  }
  const change = (pair: Pair, parts: Partial<Reading>): void => {
    const answered = lastOf(pair)
    pair.deliver('client', { ...answered.pair.carrier, sequence: answered.pair.carrier.sequence + 1, after: answered.pair.carrier.sequence, owedParts: answered.owedParts, ...parts })
  }

  it.each<[string, (pair: Pair) => void, RegExp | null]>([
    ['another sum', (pair) => change(pair, { owedParts: 5n }), /^the sums differ/],
    ['a price that was not announced', (pair) => change(pair, { priceSequence: 9 }), /was not announced/],
    ['another token', (pair) => change(pair, { token: CARRIER }), /another token/],
    ['figures that went back', (pair) => change(pair, { bytes: { up: 0n, down: 0n } }), /went back/],
    ['figures that no wire carries', (pair) => change(pair, { bytes: { up: 1n << 90n, down: 1n << 90n } }), /impossible/],
    ['an exchange that never was', (pair) => change(pair, { after: 9 }), /counts from number 9; both have number/],
    ['two figures under one number', (pair) => change(pair, { sequence: lastOf(pair).pair.carrier.sequence, bytes: { up: 1n, down: 1n } }), /two figures/],
    ['an older reading once more', (pair) => change(pair, { sequence: 1 }), null],
    ['another epoch', (pair) => change(pair, { epoch: new Uint8Array(8) }), null],
    ['another pair of boxes', (pair) => change(pair, { carrier: TOKEN }), null],
  ])('a reading with %s', (_what, send, reason) => {
    const pair = new Pair()
    for (let round = 0; round < 3; round++) pair.second5(MIB)
    const owed = lastOf(pair).owedParts
    send(pair)
    if (reason === null) expect(pair.client.state).toBe('running')
    else expect(pair.client.reason).toMatch(reason)
    expect(owedParts(pair.client)).toBeLessThanOrEqual(owed)
  })

  it('an older, dearer price holds for the reading under way only', () => {
    const pair = new Pair(50n)
    pair.second5(MIB)
    pair.feed('client', { kind: 'price', price: { sequence: 2, unitsPerMiB: 5n }, nowMs: pair.nowMs })
    // The carrier goes on by the older one.
    pair.second5(MIB)
    expect(pair.client.state).toBe('running')
    pair.second5(MIB)
    expect(pair.client).toMatchObject({ state: 'ended', reason: 'the reading names price 1, which was not announced' })
  })

  it('a replayed old exchange changes nothing, and the answer to a repetition is the same bytes', () => {
    const pair = new Pair()
    pair.second5(MIB)
    const first = lastOf(pair)
    pair.second5(MIB)
    const last = lastOf(pair)
    pair.effects.length = 0
    pair.deliver('client', first.pair.carrier)
    expect(pair.effects).toEqual([])
    pair.deliver('client', last.pair.carrier)
    expect(pair.effects.filter((each) => each.at === 'client')).toEqual([{ at: 'client', effect: { kind: 'send', reading: last.pair.client } }])
    expect(owedParts(pair.carrier)).toBe(2n * PARTS_PER_UNIT * 10n)
  })

  it('a carrier that says it never got the answer gains nothing', () => {
    const pair = new Pair()
    pair.second5(MIB)
    const [first] = [lastOf(pair)]
    // The same stretch is counted again from where both were, by bytes that passed once.
    const again = { ...first.pair.carrier, sequence: 2 }
    pair.deliver('client', again)
    expect(lastOf(pair).owedParts).toBe(first.owedParts)
    expect(pair.client.agreed).toBeNull()
    expect(owedUnits(pair.client)).toBe(0n)
  })
})

it('counters that began anew: the client never says less, the carrier begins another epoch', () => {
  const pair = new Pair()
  for (let round = 0; round < 3; round++) pair.second5(MIB)
  pair.claim.client = () => 5n
  pair.second5(0n)
  expect(pair.client.state).toBe('running')
  pair.claim.carrier = () => 5n
  pair.second5(0n)
  expect(pair.carrier).toMatchObject({ state: 'ended', reason: 'the counters began anew' })
})
