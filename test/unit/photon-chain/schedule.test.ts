/** The scheduler over rough chains: every duty ends, done means done, nothing happens twice. PHOTON_DUTY_RUNS asks for more. */
import { describe, expect, it } from 'vitest'
import { ZERO_ADDRESS, ZERO_HASH, hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { NO_DUTIES, SCHEDULE_RULES, callsOf, guestOrderState } from '../../../src/photon/chain/index.ts'
import { schedule } from '../../../src/photon/chain/schedule.ts'
import type { ChainSight, DueBoxDuty, DutyState, OrderVerdict, ScheduleEffect, ScheduleInput, ScheduleTools } from '../../../src/photon/chain/index.ts'
import type { BalanceProof, ChannelKey, DueDuty, Duty } from '../../../src/photon/index.ts'
import { randomStream } from '../native/random-stream.ts'
import type { RandomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { DEPTH, GOING_PRICE, RoughChain } from './rough-chain.ts'
import type { Known } from './rough-chain.ts'

const RUNS = Number(process.env.PHOTON_DUTY_RUNS ?? '150')
const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
const SELF: Address = `0x${'5e'.repeat(20)}`
const TOKEN: Address = `0x${'70'.repeat(20)}`
const PARTNER: Address = `0x${'9a'.repeat(20)}`
const KEY: ChannelKey = { channel: `0x${'c0'.repeat(32)}`, epoch: 1n }
const site = { profile: 'v2', contract: `0x${'c1'.repeat(20)}`, registry: `0x${'c2'.repeat(20)}`, self: SELF } as const
const rules = { ...SCHEDULE_RULES, depth: DEPTH, maxGasPriceWei: 10_000_000n }

const secret = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`
const register = (number: number, fromBlock = 0, deadlineBlock: number | null = null): DueDuty => ({ duty: { kind: 'register-secret', secret: secret(number) }, key: null, fromBlock, deadlineBlock })
const proof = (nonce: bigint): BalanceProof => ({ ...KEY, nonce, transferred: nonce * 10n, locksroot: ZERO_HASH, extra: ZERO_HASH, signature: new Uint8Array(65) })
const due = (duty: Duty, deadlineBlock: number | null = null): DueDuty => ({ duty, key: KEY, fromBlock: 0, deadlineBlock })
const update = (nonce: bigint, deadlineBlock: number | null = null): DueDuty => due({ kind: 'update', token: TOKEN, partner: PARTNER, proof: proof(nonce) }, deadlineBlock)
const deposit = (amount: bigint): DueDuty => due({ kind: 'deposit', token: TOKEN, participant: SELF, partner: PARTNER, amount, settleTimeout: 100, epoch: 1n })

/** A box: its state on disk, its chain, and what came of it. */
class Box {
  readonly chain: RoughChain
  readonly tools: ScheduleTools
  state: DutyState = NO_DUTIES
  readonly ended: { readonly due: DueBoxDuty; readonly outcome: string; readonly head: number }[] = []
  readonly alarms: string[] = []
  /** Transactions told for the record, as they were told. */
  readonly recorded: { readonly hash: Hash; readonly succeeded: boolean; readonly block: number; readonly call: string }[] = []
  /** Nonce → every version that went out. */
  readonly sent = new Map<bigint, Known[]>()
  balanceWei = 10n ** 18n

  constructor(random: RandomStream, changes: Partial<typeof rules> = {}) {
    this.chain = new RoughChain(random)
    this.tools = { keccak, account: SELF, seal: this.chain.seal, callsOf: (one) => callsOf(keccak, site, one.duty), rules: { ...rules, ...changes } }
  }

  give(input: ScheduleInput): readonly ScheduleEffect[] {
    const { state, effects } = schedule(this.tools, this.state, input)
    this.state = state
    return effects
  }

  put(one: DueBoxDuty): void {
    this.give({ kind: 'put', due: one, head: this.chain.head })
  }

  /** `crashAfter`: so many effects happen, then the power is gone. */
  look(crashAfter = Infinity): void {
    const hashes = this.state.slots.flatMap((slot) => slot.versions.map((version) => version.hash))
    const effects = this.give({ kind: 'sight', sight: this.chain.sight(hashes, this.balanceWei) })
    effects.forEach((effect, index) => {
      // What is told is told from what is on disk; only the sending is lost with the power.
      if (effect.kind === 'ended') this.ended.push({ due: effect.due, outcome: effect.outcome, head: this.chain.head })
      else if (effect.kind === 'alarm') this.alarms.push(effect.alarm)
      else if (effect.kind === 'mined') this.#record(effect)
      else if (index < crashAfter) this.#send(effect)
    })
    if (crashAfter < effects.length) this.give({ kind: 'restarted' })
  }

  #record({ hash, cause, receipt }: Extract<ScheduleEffect, { kind: 'mined' }>): void {
    this.recorded.push({ hash, succeeded: receipt.succeeded, block: receipt.point.number, call: this.of(cause.due)[cause.step] ?? '' })
  }

  #send(effect: Extract<ScheduleEffect, { kind: 'send' }>): void {
    const known = this.chain.find(effect.hash)
    const before = this.sent.get(effect.nonce) ?? []
    if (!before.some((one) => one.hash === known.hash)) this.sent.set(effect.nonce, [...before, known])
    this.chain.send(effect.hash)
  }

  /** Calm days until nothing is left to do. */
  settleDown(most = 400): void {
    this.chain.isCalm = true
    this.chain.price = 1n
    for (let block = 0; block < most && (this.state.jobs.length > 0 || this.state.slots.length > 0); block++) {
      this.look()
      this.chain.mine()
    }
  }

  /** Calls that are in the chain and did what they say, as their data. */
  happened(): readonly string[] {
    return this.chain.blocks.flat().filter((one) => one.succeeded && one.data.length > 0).map((one) => `${one.to} ${hexOf(one.data)}`)
  }

  of(one: DueBoxDuty): readonly string[] {
    return callsOf(keccak, site, one.duty).map((call) => `${call.to} ${hexOf(call.data)}`)
  }
}

describe('on a calm chain', () => {
  const box = (changes: Partial<typeof rules> = {}): Box => {
    const made = new Box(randomStream('calm'), changes)
    made.chain.isCalm = true
    return made
  }

  it('sends once, and is done when it is deep', () => {
    const one = box()
    one.put(register(1))
    one.put(register(1))
    one.look()
    expect([...one.sent.keys()]).toEqual([0n])
    one.chain.mine()
    for (let block = 0; block < DEPTH; block++) {
      one.look()
      expect(one.ended).toEqual([])
      one.chain.mine()
    }
    one.look()
    expect(one.ended.map(({ outcome }) => outcome)).toEqual(['done'])
    expect([one.state.jobs, one.state.slots]).toEqual([[], []])
    // Who has not heard of it yet asks again: nothing happens.
    one.put(register(1))
    one.look()
    expect([...one.sent.keys()]).toEqual([0n])
  })

  it('keeps the order of deadlines, and of arrival', () => {
    const one = box()
    for (const [number, deadline] of [[1, null], [2, 90], [3, 50], [4, 90], [5, null]] as const) one.put(register(number, 0, deadline))
    one.put(register(6, 5))
    one.look()
    const order = (): readonly number[] => [...one.sent].sort(([a], [b]) => Number(a - b)).map(([, [version]]) => version?.data.at(-1) ?? 0)
    expect(order()).toEqual([3, 2, 4, 1, 5])
    for (let block = 0; block < 4; block++) one.chain.mine()
    one.look()
    expect(order()).toEqual([3, 2, 4, 1, 5, 6])
  })

  it('raises the price by an eighth every three blocks near a deadline, also of what stands before it', () => {
    const one = box()
    one.chain.price = 10n ** 9n
    one.put(register(1))
    one.look()
    one.put(register(2, 0, 50))
    for (let block = 0; block < 12; block++) {
      one.look()
      one.chain.mine()
    }
    for (const nonce of [0n, 1n]) {
      const prices = (one.sent.get(nonce) ?? []).map((version) => version.gasPriceWei)
      expect(prices.length).toBeGreaterThanOrEqual(4)
      prices.slice(1).forEach((price, index) => expect(price * 8n).toBeGreaterThanOrEqual((prices[index] ?? 0n) * 9n))
      expect(prices.length).toBeLessThanOrEqual(5)
    }
    expect(one.alarms).toEqual([])
  })

  it('says when a deadline comes near, when it is missed, and when the price is as high as it gets', () => {
    const one = box({ maxGasPriceWei: 1_500n })
    one.chain.price = 10n ** 9n
    one.put(register(2, 0, 50))
    for (let block = 0; block < 80; block++) {
      one.look()
      one.chain.mine()
    }
    expect(one.alarms).toEqual(['price-cap', 'deadline-near', 'late'])
    expect(one.ended.map(({ outcome }) => outcome)).toEqual(['late'])
    for (const version of [...one.sent.values()].flat()) expect(version.gasPriceWei).toBeLessThanOrEqual(1_500n)
    one.settleDown()
    expect(one.state.slots).toEqual([])
  })

  it('says once that gas money lacks, and again after it was there', () => {
    const one = box()
    one.balanceWei = 1n
    one.put(register(1))
    for (let look = 0; look < 3; look++) one.look()
    expect(one.alarms).toEqual(['gas-money'])
    one.balanceWei = 10n ** 18n
    one.look()
    one.balanceWei = 1n
    one.look()
    expect(one.alarms).toEqual(['gas-money', 'gas-money'])
  })

  it('replaces what is in the pool by what is newer, and does the newer where the older was mined', () => {
    const one = box()
    one.chain.price = 10n ** 9n
    one.put(update(5n, 400))
    one.look()
    one.put(update(6n, 400))
    one.look()
    expect(one.sent.get(0n)?.map((version) => version.data.includes(60))).toEqual([false, true])
    one.chain.price = 1n
    one.chain.mine()
    one.put(update(7n, 400))
    one.look()
    expect(one.sent.get(1n)?.map((version) => version.data.includes(70))).toEqual([true])
    one.settleDown()
    expect(one.happened()).toEqual([...one.of(update(6n)), ...one.of(update(7n))])
    expect(one.ended.map(({ due: { duty }, outcome }) => [duty.kind === 'update' ? duty.proof.nonce : 0n, outcome])).toEqual([[7n, 'done']])
  })

  it('drops what became pointless, and leaves no gap', () => {
    const one = box()
    one.chain.price = 10n ** 9n
    one.put(update(5n))
    one.put(register(1))
    one.look()
    expect(one.give({ kind: 'event', event: { kind: 'updated', channel: KEY.channel, block: 1, payer: PARTNER, nonce: 4n, locksroot: ZERO_HASH, transferred: 0n } })).toEqual([])
    expect(one.give({ kind: 'event', event: { kind: 'settled', channel: KEY.channel, block: 1, cooperative: true, amounts: [0n, 0n] } })).toMatchObject([{ kind: 'ended', outcome: 'pointless' }])
    one.settleDown()
    expect(one.happened()).toEqual(one.of(register(1)))
    expect(one.chain.blocks.flat().map((known) => [known.nonce, known.to])).toEqual([[0n, SELF], [1n, site.registry]])
  })

  it('what has a name is one order, and ends by its own receipt, whatever is told of the channel before', () => {
    const one = box()
    const named = (amount: bigint, reference: string): DueDuty => due({ kind: 'deposit', token: TOKEN, participant: PARTNER, partner: SELF, amount, settleTimeout: 100, epoch: 1n, reference })
    const slip = named(40n, 'slip@1')
    one.put(slip)
    one.put(slip)
    one.put(named(40n, 'slip@9'))
    expect([guestOrderState(one.state, KEY, 'slip@1'), guestOrderState(one.state, KEY, 'slip@9'), guestOrderState(one.state, KEY, 'other')]).toEqual(['waiting', 'waiting', 'unknown'])
    one.look()
    const events = [
      { kind: 'opened', channel: KEY.channel, block: 1, token: TOKEN, a: SELF, b: PARTNER, epoch: 1n, settleTimeout: 100 },
      { kind: 'deposited', channel: KEY.channel, block: 1, participant: PARTNER, total: 40n },
      { kind: 'closed', channel: KEY.channel, block: 2, by: PARTNER, nonce: 0n, locksroot: ZERO_HASH, transferred: 0n, settleBlock: 90 },
      { kind: 'settled', channel: KEY.channel, block: 3, cooperative: true, amounts: [0n, 0n] },
    ] as const
    for (const event of events) expect(one.give({ kind: 'event', event })).toEqual([])
    one.settleDown()
    expect(one.ended.map(({ outcome }) => outcome)).toEqual(['done', 'done'])
    expect(guestOrderState(one.state, KEY, 'slip@1')).toBe('done')
    one.put(slip)
    one.settleDown()
    expect(one.happened()).toEqual([...one.of(slip), ...one.of(slip)])
  })

  it('tries what reverts again when that is sure, and then gives up', () => {
    const one = box()
    one.chain.fails = () => true
    one.put(register(1))
    one.settleDown()
    expect(one.chain.blocks.flat().length).toBe(SCHEDULE_RULES.maxAttempts)
    expect([one.alarms, one.ended.map(({ outcome }) => outcome)]).toEqual([['reverted'], ['reverted']])
    one.put(register(1))
    one.look()
    expect(one.state.jobs).toEqual([])
  })

  it('a deposit is an allowance and its use, and two equal ones are two', () => {
    const one = box()
    one.put(deposit(7n))
    one.put(deposit(7n))
    one.settleDown()
    expect(one.happened()).toEqual([...one.of(deposit(7n)), ...one.of(deposit(7n))])
  })

  it('begins again where somebody else used the nonce', () => {
    const one = box()
    one.chain.price = 10n ** 9n
    one.put(register(1))
    one.look()
    one.chain.forgetPool()
    const { hash } = one.chain.seal({ nonce: 0n, gasPriceWei: 10n ** 10n, gas: 1n, to: ZERO_ADDRESS, data: Uint8Array.of(1) })
    one.chain.send(hash)
    one.chain.mine()
    one.settleDown()
    expect(one.happened()).toEqual([`${ZERO_ADDRESS} 0x01`, ...one.of(register(1))])
  })
})

it(`${RUNS} rough chains: everything ends, once, and as it says`, () => {
  const outcomes = new Map<string, number>()
  for (let run = 0; run < RUNS; run++) {
    const random = randomStream(`duties/${run}`)
    const box = new Box(random)
    const doomed = new Set<string>()
    box.chain.fails = (known) => doomed.has(`${known.to} ${hexOf(known.data)}`)
    const orders: DueDuty[] = []
    for (let block = 0; block < 60; block++) {
      if (random.below(4) === 0) {
        const next = random.pick([register(1_000 + block, block + random.below(10), random.pick([null, block + 5 + random.below(120)])), deposit(BigInt(block + 1)), update(BigInt(block + 1), random.pick([null, 90]))])
        if (random.below(10) === 0) for (const call of box.of(next)) doomed.add(call)
        orders.push(next)
        box.put(next)
      }
      box.chain.price = random.below(5) === 0 ? GOING_PRICE * BigInt(1 + random.below(6)) : GOING_PRICE
      for (let looks = random.below(3); looks > 0; looks--) box.look(random.below(3) === 0 ? random.below(4) : Infinity)
      if (random.below(12) === 0) box.chain.forgetPool()
      if (random.below(9) === 0) box.chain.reorganise(DEPTH - 1)
      else box.chain.mine()
    }
    box.settleDown()
    const name = `run ${run}`
    expect([box.state.jobs, box.state.slots], name).toEqual([[], []])
    for (const [nonce, versions] of box.sent) versions.slice(1).forEach((version, index) => expect(version.gasPriceWei * 8n, `${name} nonce ${nonce}`).toBeGreaterThanOrEqual((versions[index]?.gasPriceWei ?? 0n) * 9n))
    const happened = box.happened()
    const count = (call: string): number => happened.filter((one) => one === call).length
    // What is in the chain is on the record, each once, with what it was for; nothing else is.
    const inChain = box.chain.blocks.flatMap((block, number) => block.filter((one) => one.data.length > 0).map((one) => ({ hash: one.hash, succeeded: one.succeeded, block: number, call: `${one.to} ${hexOf(one.data)}` })))
    const byHash = (a: { readonly hash: Hash }, b: { readonly hash: Hash }): number => (a.hash < b.hash ? -1 : 1)
    expect(box.recorded.sort(byHash), `${name} record`).toEqual(inChain.sort(byHash))
    for (const order of orders) {
      const [last = ''] = box.of(order).slice(-1)
      expect(count(last), `${name} ${order.duty.kind}`).toBeLessThanOrEqual(1)
    }
    for (const { due: ended, outcome, head } of box.ended) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (outcome === 'done') for (const call of box.of(ended)) expect(count(call), `${name} ${ended.duty.kind} done at ${head}`).toBeGreaterThanOrEqual(1)
      if (outcome === 'late' && ended.deadlineBlock === null) throw new Error(`${name}: late without a deadline`)
      if (outcome === 'reverted' && !box.of(ended).some((call) => doomed.has(call))) throw new Error(`${name}: reverted without reason`)
    }
    for (const order of orders.filter((one) => one.deadlineBlock === null && one.duty.kind !== 'update' && !box.of(one).some((call) => doomed.has(call)))) for (const call of box.of(order)) expect(count(call), `${name} ${order.duty.kind}`).toBeGreaterThanOrEqual(1)
  }
  console.log(`${RUNS} chains: ${[...outcomes].map(([outcome, times]) => `${outcome} ${times}`).join(', ')}`)
  if (RUNS >= 100) for (const outcome of ['done', 'late', 'reverted']) expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0)
})

describe('what moves money and has no receipt', () => {
  const sightOf = (head: number, nonce: bigint, receipts: ReadonlyMap<Hash, { readonly point: { readonly number: number; readonly hash: Hash; readonly timeSeconds: number }; readonly succeeded: boolean }> = new Map()): ScheduleInput => ({
    kind: 'sight',
    sight: { head, accountNonce: nonce, balanceWei: 10n ** 18n, safeNonce: nonce, gasPriceWei: GOING_PRICE, receipts, orders: new Map() },
  })
  const coin = (kind: 'wrap' | 'unwrap'): DueBoxDuty => ({ duty: { kind, token: TOKEN, amount: 5n }, key: null, fromBlock: 0, deadlineBlock: null })

  it.each([['deposit', deposit(10n), 2n], ['wrap', coin('wrap'), 1n], ['unwrap', coin('unwrap'), 1n]] as const)('a %s whose nonce is used up is not sent a second time: after a while somebody is told', (_what, duty, calls) => {
    const box = new Box(randomStream('unseen'))
    box.put(duty)
    expect(box.give(sightOf(100, 0n)).filter(({ kind }) => kind === 'send')).toHaveLength(Number(calls))
    // Three thousand blocks off: the account has moved on, and the blocks are not kept any more.
    for (const head of [3000, 3001, 3063]) expect(box.give(sightOf(head, calls))).toEqual([])
    const effects = box.give(sightOf(3064, calls))
    expect(effects).toMatchObject([{ kind: 'alarm', alarm: 'unseen' }, { kind: 'ended', outcome: 'unseen' }])
    expect(box.state).toMatchObject({ jobs: [], slots: [] })
    expect(box.give(sightOf(3065, calls))).toEqual([])
    // What comes next goes on behind it.
    box.put(register(1))
    expect(box.give(sightOf(3066, calls))).toMatchObject([{ kind: 'send', nonce: calls }])
  })

  it('a receipt that was only late ends it as done; what can be done twice is done again', () => {
    const box = new Box(randomStream('late'))
    box.put(coin('wrap'))
    const [sent] = box.give(sightOf(100, 0n)).flatMap((effect) => (effect.kind === 'send' ? [effect] : []))
    expect(box.give(sightOf(200, 1n))).toEqual([])
    const point = { number: 101, hash: ZERO_HASH, timeSeconds: 0 }
    expect(box.give(sightOf(220, 1n, new Map([[sent?.hash ?? ZERO_HASH, { point, succeeded: true }]])))).toMatchObject([{ kind: 'ended', outcome: 'done' }, { kind: 'mined', hash: sent?.hash, cause: { step: 0, steps: 1, head: 100 } }])

    const other = new Box(randomStream('twice'))
    other.put(update(3n))
    expect(other.give(sightOf(100, 0n))).toMatchObject([{ kind: 'send', nonce: 0n }])
    expect(other.give(sightOf(200, 1n))).toMatchObject([{ kind: 'send', nonce: 1n }])
  })

  describe('an order of a guest', () => {
    const HASH: Hash = `0x${'0d'.repeat(32)}`
    const order: DueBoxDuty = {
      duty: { kind: 'purse', purse: PARTNER, hash: HASH, signature: new Uint8Array(65), what: 'pay', order: { token: TOKEN, from: PARTNER, to: SELF, amount: 5n, inside: false, fee: 1n, sender: SELF, number: 4n, validUntil: 200 } },
      key: null,
      fromBlock: 0,
      deadlineBlock: 200,
    }
    const at = (head: number, verdict: OrderVerdict | null, { nonce = 1n, receipts = new Map() }: { readonly nonce?: bigint; readonly receipts?: ChainSight['receipts'] } = {}): ScheduleInput => {
      const sight = sightOf(head, nonce, receipts)
      return sight.kind !== 'sight' ? sight : { kind: 'sight', sight: { ...sight.sight, orders: new Map(verdict === null ? [] : [[HASH, verdict]]) } }
    }
    const sent = (): { readonly box: Box; readonly hash: Hash } => {
      const box = new Box(randomStream('order'))
      box.put(order)
      const [first] = box.give(at(100, null, { nonce: 0n })).flatMap((effect) => (effect.kind === 'send' ? [effect] : []))
      return { box, hash: first?.hash ?? ZERO_HASH }
    }
    const failedIn = (hash: Hash, number: number): ChainSight['receipts'] => new Map([[hash, { point: { number, hash: ZERO_HASH, timeSeconds: 0 }, succeeded: false }]])

    it.each([['done', 'done'], ['never', 'reverted'], ['open', 'reverted']] as const)('whose nonce is used up and whose receipt is lost: the purse says %s, it is %s and never sent again', (verdict, outcome) => {
      const { box } = sent()
      expect(box.give(at(150, verdict))).toMatchObject([{ kind: 'ended', outcome }])
      expect(box.state).toMatchObject({ jobs: [], slots: [] })
      box.put(order)
      expect(box.give(at(151, verdict))).toEqual([])
    })

    it('waits for the proof, also beyond its deadline, and is not sent meanwhile', () => {
      const { box } = sent()
      for (const head of [150, 199, 201, 300, 3000]) expect(box.give(at(head, null)).filter(({ kind }) => kind !== 'alarm')).toEqual([])
      expect(box.state.jobs).toHaveLength(1)
      expect(box.give(at(3001, 'done'))).toMatchObject([{ kind: 'ended', outcome: 'done' }])
    })

    it('sent by a box that did not remember the first time fails, and counts as done where the first one was', () => {
      for (const [verdict, outcome] of [['done', 'done'], ['never', 'reverted']] as const) {
        const { box, hash } = sent()
        expect(box.give(at(140, null, { receipts: failedIn(hash, 101) }))).toEqual([])
        expect(box.give(at(141, verdict, { receipts: failedIn(hash, 101) }))).toMatchObject([{ kind: 'ended', outcome }, { kind: 'mined', hash, receipt: { succeeded: false } }])
      }
    })

    it('is late only once that is proved; a payment of nothing in its place is not its failure', () => {
      const { box } = sent()
      expect(box.give(at(217, null, { nonce: 0n })).some(({ kind }) => kind === 'ended')).toBe(false)
      expect(box.give(at(218, 'open', { nonce: 0n })).filter(({ kind }) => kind === 'ended')).toMatchObject([{ outcome: 'late' }])

      const { box: other } = sent()
      // From its deadline on the nonce carries nothing.
      expect(other.give(at(200, null, { nonce: 0n })).filter(({ kind }) => kind === 'send')).toMatchObject([{ nonce: 0n }])
      expect(other.give(at(216, 'open')).some(({ kind }) => kind === 'ended')).toBe(false)
      expect(other.give(at(217, 'open')).filter(({ kind }) => kind === 'ended')).toMatchObject([{ outcome: 'late' }])
    })
  })

  it('coin goes along with its call, and counts as money that is needed', () => {
    const box = new Box(randomStream('coin'))
    box.balanceWei = 100n
    box.put(coin('wrap'))
    box.look()
    expect(box.alarms).toContain('gas-money')
    const [call] = callsOf(keccak, site, coin('wrap').duty)
    expect(call).toMatchObject({ to: TOKEN, valueWei: 5n })
  })
})
