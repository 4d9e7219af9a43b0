/** Guests who lie, strangers who listen, and boxes that lie to a page. */
import { beforeEach, describe, expect, it } from 'vitest'
import { REFUSAL, STOP, encodeFrame } from '../../../src/photon/stream/frames.ts'
import { hashBack } from '../../../src/photon/stream/chain.ts'
import { openDigest, statementDigest, voucherDigest } from '../../../src/photon/stream/digests.ts'
import { step } from '../../../src/photon/stream/payer/step.ts'
import { newPayer } from '../../../src/photon/stream/payer/state.ts'
import type { PayerInput, PayerState, StreamFrame } from '../../../src/photon/stream/payer/index.ts'
import { ANNA, BOX, CONTRACT, Page, Town, accountOf, address, hashOf, paperRecover, paperSign, pass, payerOptions, settle, sha256, termsWith } from './stream-town.ts'

const UNIT = 7n
const CHANNEL = accountOf(ANNA).channel

describe('at the box', () => {
  let town: Town
  let page: Page
  beforeEach(async () => {
    town = new Town()
    page = new Page(town)
    page.act('start')
    await settle(town)
  })
  const session = (): number => page.state.offer?.session ?? 0

  it('words that are not of the chain pay nothing, and many of them end the session', async () => {
    await pass(town, 5, page)
    const allowed = Math.max(...town.service.allowed.values())
    for (let index = 0; index < 40; index++) page.say({ kind: 'tick', session: session(), index: 50, preimage: sha256(new Uint8Array([index])) })
    await settle(town)
    expect(Math.max(...town.service.allowed.values())).toBe(allowed)
    expect(page.heard.some((frame) => frame.kind === 'stop' && frame.reason === STOP.refused)).toBe(true)
    expect(town.desk.openSessions).toBe(0)
  })
  it('a guest who hears no answers says the last word of the voucher before as often as he must, and is no liar', async () => {
    await pass(town, 65, page)
    for (let again = 0; again < 40; again++) page.act('connected')
    await settle(town)
    expect(page.sent.filter((frame) => frame.kind === 'tick' && frame.index === 60).length).toBeGreaterThan(40)
    expect(town.desk.openSessions).toBe(1)
    await pass(town, 5, page)
    expect(town.service.total).toBe(70)
  })
  it.each([
    ['another unit', { unit: 6n }, REFUSAL.terms],
    ['more steps than offered', { steps: 61 }, REFUSAL.terms],
    ['less than was paid', { more: -UNIT }, REFUSAL.cumulative],
    ['part of a tick', { more: 1n }, REFUSAL.cumulative],
    ['more than was shown before it', { more: UNIT }, REFUSAL.cumulative],
    ['nobody’s signature', {}, REFUSAL.signature],
  ])('a voucher for %s is refused', async (_name, { more = 0n, ...changes }: { more?: bigint; unit?: bigint; steps?: number }, code) => {
    await pass(town, 5, page)
    page.say({ kind: 'voucher', session: session(), cumulative: page.revealedEver + more, tip: hashOf('tip'), steps: 60, unit: UNIT, signature: new Uint8Array(65), ...changes })
    expect(page.heard.find(({ kind }) => kind === 'refused')).toMatchObject({ kind: 'refused', code })
    expect(town.desk.openSessions).toBe(1)
  })
  it('nor one for more than the deposit, or more than an hour ahead', async () => {
    const refusals = async (other: Town, lead: number): Promise<readonly number[]> => {
      const guest = new Page(other)
      guest.lead(lead)
      guest.act('start')
      await settle(other)
      await pass(other, 5, guest)
      guest.say({ kind: 'voucher', session: guest.state.offer?.session ?? 0, cumulative: guest.revealedEver, tip: hashOf('tip'), steps: 60, unit: UNIT, signature: new Uint8Array(65) })
      return guest.heard.flatMap((frame) => (frame.kind === 'refused' ? [frame.code] : []))
    }
    const small = new Town()
    small.ceiling = 30n * UNIT
    expect(await refusals(small, 0)).toEqual([REFUSAL.ceiling])
    expect((await refusals(new Town(), 3600)).at(-1)).toBe(REFUSAL.terms)
  })
  it('who leaves out words before a voucher is served for none of it: what is served can always be claimed', async () => {
    await pass(town, 5, page)
    const allowed = Math.max(...town.service.allowed.values())
    const body = { cumulative: page.revealedEver + 3000n * UNIT, tip: hashOf('tip'), steps: 60, unit: UNIT }
    page.say({ kind: 'voucher', session: session(), ...body, signature: paperSign(ANNA)(voucherDigest(CONTRACT, { ...body, channel: CHANNEL, epoch: 1n })) })
    await settle(town)
    expect(Math.max(...town.service.allowed.values())).toBe(allowed)
  })
  it('a stranger who asks is not shown words that were paid ahead', async () => {
    page.lead(600)
    await settle(town)
    await pass(town, 10, page)
    const thief = new Page(town, payerOptions(), '02:00:00:00:00:0c')
    thief.say({ kind: 'hello', payer: ANNA })
    const state = thief.heard.find((frame) => frame.kind === 'state')
    const shown = state?.kind === 'state' && state.held !== null ? state.held.cumulative + state.held.unit * BigInt(state.held.index) : -1n
    expect(shown).toBeLessThanOrEqual(UNIT * 41n)
    expect(shown).toBeGreaterThanOrEqual(UNIT * 10n)
  })
  it('stops and hellos without end wear out nothing', async () => {
    await pass(town, 5, page)
    page.act('stop')
    await settle(town)
    const writes = town.journal.writes
    for (let round = 0; round < 500; round++) {
      page.say({ kind: 'stop', session: session(), reason: 0 })
      page.say({ kind: 'hello', payer: ANNA })
    }
    await settle(town)
    expect(town.journal.writes - writes).toBeLessThanOrEqual(12)
  })
  it('wrong signatures of a crowd take no more of the core than they may, and then an honest guest gets in', async () => {
    const crowd = new Town()
    let looks = 0
    crowd.recover = (digest, signature) => {
      looks++
      return paperRecover(digest, signature)
    }
    for (let guest = 0; guest < 1000; guest++) {
      const device = `liar ${guest}`
      const openIt = (bytes: Uint8Array): void => {
        const session = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
        if (bytes[0] === 0x25) crowd.desk.receive({ device, send: () => undefined }, encodeFrame({ kind: 'open', session, signature: new Uint8Array(65) }))
      }
      crowd.desk.receive({ device, send: openIt }, encodeFrame({ kind: 'hello', payer: ANNA }))
    }
    await settle(crowd)
    expect(looks).toBeLessThanOrEqual(200)
    expect(crowd.desk.openSessions).toBe(0)
    // Half a minute later an honest guest gets in.
    crowd.time.advance(30_000)
    const honest = new Page(crowd)
    honest.act('start')
    await settle(crowd)
    expect(honest.view.phase).toBe('paying')
  })
  it('the channel begins another life in mid-session: the session ends first, with what it was worth', async () => {
    await pass(town, 20, page)
    town.epoch = 2n
    town.desk.chainChanged({ channel: CHANNEL, epoch: 2n })
    await settle(town)
    expect(page.heard.some((frame) => frame.kind === 'stop' && frame.reason === STOP.closing)).toBe(true)
    expect(town.service.over.size).toBe(1)
    expect(town.desk.earnedOf(CHANNEL)).toBe(0n)
  })
  it('after the end the box has no word that is worth more than it served', async () => {
    page.lead(300)
    await settle(town)
    await pass(town, 30, page)
    page.wire = () => undefined
    await town.desk.endStream(CHANNEL)
    const record = JSON.parse(town.journal.flash.get(CHANNEL) ?? '{}') as { final: string; claim: { index: number; cumulative: string; preimage: string; tip: string }; session: { vouchers: unknown[] } }
    expect(record.session.vouchers).toEqual([])
    expect(BigInt(record.claim.cumulative) + UNIT * BigInt(record.claim.index)).toBe(BigInt(record.final))
    expect(BigInt(record.final)).toBe(30n * UNIT)
    expect(`0x${Buffer.from(hashBack(sha256, Buffer.from(record.claim.preimage, 'hex'), record.claim.index)).toString('hex')}`).toBe(record.claim.tip)
  })
})

describe('at the page', () => {
  const ports = { sha256, sign: paperSign(ANNA), recover: paperRecover }
  const challenge = hashOf('challenge')
  const boxSigns = paperSign(BOX)
  const tell = (state: PayerState, frame: StreamFrame): PayerState => step(state, { type: 'frame', frame, nowMs: 0 }, ports).state
  const greeted = (): PayerState => {
    const { state } = step(newPayer(payerOptions()), { type: 'start', nowMs: 0 } satisfies PayerInput, ports)
    const town = new Town()
    const heard: StreamFrame[] = []
    const probe = new Page(town)
    probe.say({ kind: 'hello', payer: ANNA })
    heard.push(...probe.heard)
    const offer = heard.find((frame) => frame.kind === 'offer')
    if (offer?.kind !== 'offer') throw new Error('no offer')
    return tell(state, { ...offer, session: 1, challenge })
  }
  const opened = (owedTicks = 0): PayerState => tell(greeted(), { kind: 'state', session: 1, epoch: 1n, ceiling: 10_000n, owedTicks, held: null })
  const statement = (value: bigint, isFinal: boolean, sign = boxSigns): StreamFrame => ({
    kind: 'statement',
    session: 1,
    value,
    isFinal,
    signature: sign(statementDigest(CONTRACT, { channel: CHANNEL, epoch: 1n }, challenge, value, isFinal)),
  })

  it('a counter nobody signed is not taken up', () => {
    expect(tell(opened(), statement(700n, false)).end).toEqual({ why: 'bad-statement' })
  })
  it('a statement of somebody else is not heard', () => {
    expect(tell(opened(), statement(0n, false, paperSign(address('d')))).phase).toBe('opening')
  })
  it('a voucher of somebody else, or a word that is not of it, is no proof', () => {
    const held = { cumulative: 700n, tip: hashOf('t'), steps: 60, unit: UNIT, signature: new Uint8Array(65), index: 0, preimage: new Uint8Array(32) }
    expect(tell(greeted(), { kind: 'state', session: 1, epoch: 1n, ceiling: 10_000n, owedTicks: 0, held }).end).toEqual({ why: 'bad-state' })
  })
  it('a debt larger than the offer’s grace is not believed', () => {
    expect(opened(16).end).toEqual({ why: 'bad-state' })
    expect(opened(15).phase).toBe('opening')
  })
  it('a box that says it has served what was never paid is not paid for it', () => {
    const paying = tell(opened(), statement(0n, false))
    const after = tell(paying, { kind: 'progress', session: 1, paidTicks: 1, servedTicks: 1_000_000 })
    expect(after.servedTicks).toBeLessThanOrEqual(1)
    expect((after.voucher?.cumulative ?? 0n) + UNIT * BigInt(after.voucher?.revealed ?? 0)).toBeLessThanOrEqual(3n * UNIT)
  })
  it('nor for time that has not passed, however often it says so', () => {
    let state = tell(opened(), statement(0n, false))
    const value = (): bigint => (state.voucher?.cumulative ?? 0n) + UNIT * BigInt(state.voucher?.revealed ?? 0)
    for (let round = 0; round < 1000; round++) state = step(state, { type: 'frame', frame: { kind: 'progress', session: 1, paidTicks: round, servedTicks: round }, nowMs: 10_000 }, ports).state
    expect(value()).toBe(11n * UNIT)
  })
  it('nor for its debt again and again: the guest’s limit and the clock hold over all sessions', () => {
    const town = new Town()
    const probe = new Page(town)
    probe.say({ kind: 'hello', payer: ANNA })
    const offer = probe.heard.find((frame) => frame.kind === 'offer')
    if (offer?.kind !== 'offer') throw new Error('no offer')
    let state = opened(15)
    let most = 0n
    for (let round = 0; round < 20 && state.end === null; round++) {
      // Each time at the value that was shown, with a debt, and forgotten again.
      const shown = state.known
      state = tell(state, statement(shown, false))
      const { voucher } = state
      const value = voucher === null ? shown : voucher.cumulative + UNIT * BigInt(voucher.revealed)
      if (value > most) most = value
      state = tell(state, { kind: 'progress', session: 1, paidTicks: 100, servedTicks: 100 })
      state = tell(state, { kind: 'refused', session: 1, type: 0x21, code: REFUSAL.notOpen })
      state = tell(state, { ...offer, session: 1, challenge })
      const held = voucher === null ? null : { ...voucher, index: voucher.revealed, preimage: voucher.words[voucher.revealed] ?? new Uint8Array(32) }
      state = tell(state, { kind: 'state', session: 1, epoch: 1n, ceiling: 10_000n, owedTicks: 15, held })
    }
    expect(most).toBeLessThanOrEqual(16n * UNIT)
  })
  it('a final value above what was shown is refused', () => {
    const paying = tell(opened(), statement(0n, false))
    expect(tell(paying, statement(700n, true)).end).toEqual({ why: 'bad-statement' })
  })
  it('an offer for another contract, token or signer is refused', () => {
    const { state } = step(newPayer(payerOptions()), { type: 'start', nowMs: 0 }, ports)
    for (const terms of [termsWith({ contract: address('9') }), termsWith({ token: address('9') }), termsWith({ chainId: 1n }), termsWith({ unit: 8n })])
      expect(tell(state, { kind: 'offer', session: 1, challenge, terms, signature: boxSigns(openDigest(CONTRACT, { channel: CHANNEL, epoch: 1n }, challenge)) }).end).toEqual({ why: 'bad-offer' })
  })
  it('no chain is ever made twice', () => {
    const tips = new Set<string>()
    for (const counter of [1n << 64n, 2n << 64n]) {
      let state = newPayer(payerOptions({ counter }))
      state = { ...opened(), options: state.options, counter }
      state = tell(state, statement(0n, false))
      for (let round = 0; round < 3; round++) {
        state = step(state, { type: 'lead', seconds: 60 * (round + 1), nowMs: 0 }, ports).state
        tips.add(state.voucher?.tip ?? '')
      }
    }
    expect(tips.size).toBe(6)
  })
})
