/** The payee's desk against the pure payer over a clean wire, story by story. */
import { beforeEach, describe, expect, it } from 'vitest'
import { REFUSAL, STOP } from '../../../src/photon/stream/frames.ts'
import { earnedValue } from '../../../src/photon/stream/payee/channel.ts'
import { channelOf } from '../../../src/photon/stream/payee/record.ts'
import { BOX, Page, TickService, Town, accountOf, address, ANNA, pass, payerOptions, settle, termsWith } from './stream-town.ts'

let town: Town
let page: Page
const UNIT = 7n
const CHANNEL = accountOf(ANNA).channel
const earned = (): bigint | null => town.desk.earnedOf(CHANNEL)

beforeEach(async () => {
  town = new Town()
  page = new Page(town)
})
const start = async (who = page): Promise<void> => {
  who.act('start')
  await settle(town)
}

describe('a minute after the other', () => {
  it('a guest pays each second, with one signature a minute, and gets what he paid for', async () => {
    await start()
    await pass(town, 150, page)
    expect(page.view.phase).toBe('paying')
    expect(town.service.total).toBe(150)
    expect(page.sent.filter(({ kind }) => kind === 'voucher')).toHaveLength(3)
    expect(page.view.aheadSeconds).toBeLessThanOrEqual(6) // what the box has not told yet, and the tick in use
    page.act('stop')
    await settle(town)
    expect(page.state.end).toEqual({ why: 'stopped', code: 0 })
    expect(page.view.spent).toBe(150n * UNIT)
    expect(earned()).toBe(150n * UNIT)
    expect(town.service.earnings.get(CHANNEL)).toBe(150n * UNIT)
  })
  it('acknowledgements come at most every five seconds', async () => {
    await start()
    await pass(town, 60, page)
    expect(page.heard.filter(({ kind }) => kind === 'tick-ack').length).toBeLessThanOrEqual(13)
  })
  it('a final voucher makes the claim need no words', async () => {
    await start()
    await pass(town, 90, page)
    page.act('stop')
    await settle(town)
    town.isClosing = true
    town.desk.chainChanged(accountOf(ANNA))
    await settle(town)
    expect(town.claims.at(-1)).toMatchObject({ steps: 0, payer: ANNA, payee: BOX, voucher: { cumulative: 90n * UNIT, steps: 0 } })
  })
  it('the channel hears what is earned, with what claims it, and in the end of a voucher without steps', async () => {
    page.lead(90)
    await start()
    await pass(town, 150, page)
    page.act('stop')
    await settle(town)
    const values = town.notes.map(({ voucher, index }) => voucher.cumulative + voucher.unit * BigInt(index))
    expect(values).toEqual([...values].sort((a, b) => Number(a - b)))
    expect(values.at(-1)).toBe(150n * UNIT)
    expect(town.notes.at(-1)).toMatchObject({ index: 0, voucher: { cumulative: 150n * UNIT, steps: 0 } })
    for (const { voucher, index } of town.notes) expect(index).toBeLessThanOrEqual(voucher.steps)
  })
  it('nothing is served before the first tick, and one grace interval after the last', async () => {
    await start()
    page.wire = () => undefined
    await pass(town, 60, page)
    expect(town.service.total).toBe(1 + 15) // the first tick came with the opening
  })
})

describe('the refund by the second', () => {
  it('of ten minutes paid at once, those not used stay the guest’s, and the box can claim no more than it served', async () => {
    page.lead(600)
    await start()
    expect(page.view.aheadSeconds).toBe(601) // the lead, and the tick in use
    await pass(town, 122)
    // The mini-browser is long gone; later a page without memory comes back from the same key.
    const back = new Page(town, payerOptions({ counter: 1n << 64n }))
    await start(back)
    expect(page.heard.at(-2)).toMatchObject({ kind: 'statement', isFinal: true, value: 122n * UNIT })
    expect(back.state.base).toBe(122n * UNIT)
    town.isClosing = true
    town.desk.chainChanged(accountOf(ANNA))
    await settle(town)
    const claim = town.claims.at(-1)
    expect((claim?.voucher.cumulative ?? 0n) + UNIT * BigInt(claim?.steps ?? 0)).toBe(earned())
    expect(earned()).toBe(122n * UNIT)
  })
  it('the promise is signed before anything is paid ahead', async () => {
    page.lead(600)
    page.act('start')
    await settle(town)
    expect(page.sent.findIndex(({ kind }) => kind === 'voucher')).toBeGreaterThan(page.sent.findIndex(({ kind }) => kind === 'open'))
    expect(page.heard.find(({ kind }) => kind === 'statement')).toMatchObject({ value: 0n, isFinal: false })
    const liar = new Page(town, payerOptions({ payee: address('d') }), '02:00:00:00:00:0b')
    await start(liar)
    expect(liar.state.end).toEqual({ why: 'bad-offer' })
    expect(liar.sent.some(({ kind }) => kind === 'voucher')).toBe(false)
  })
  it('a whole hour can be paid at once, and not more', async () => {
    page.lead(3600)
    await start()
    expect(page.view.aheadSeconds).toBe(3601)
    await pass(town, 2, page)
    expect(page.view.phase).toBe('paying')
    expect(Math.max(...town.service.allowed.values())).toBeGreaterThanOrEqual(3601 + 15)
    page.lead(7200)
    await settle(town)
    expect(page.state.end).toEqual({ why: 'refused', code: REFUSAL.terms })
  })
})

describe('debts and limits', () => {
  it('what was served on credit is paid first the next time, so that it is given once', async () => {
    await start()
    page.wire = () => undefined
    await pass(town, 60)
    for (let round = 0; round < 3; round++) {
      const again = new Page(town, payerOptions({ counter: BigInt(round + 1) << 64n }))
      await start(again)
      again.wire = () => undefined
      await pass(town, 60)
    }
    expect(town.service.total).toBeLessThanOrEqual(Number((earned() ?? 0n) / UNIT) + 15)
    expect(town.service.total).toBeGreaterThan(30)
  })
  it('the guest’s own limit ends the session when it is used up', async () => {
    const careful = new Page(town, payerOptions({ limits: { unit: 10n, total: 100n } }))
    await start(careful)
    await pass(town, 40, careful)
    expect(careful.view.spent).toBe(98n)
    expect(careful.state.end?.why).toBe('stopped')
    expect(town.service.total).toBeLessThanOrEqual(14 + 15)
    expect(careful.revealedEver).toBe(98n)
  })
  it('the deposit ends it too, and vouchers above the ceiling are refused', async () => {
    town.ceiling = 140n
    await start()
    await pass(town, 60, page)
    expect(page.revealedEver).toBe(140n)
    expect(page.state.end?.why).toBe('stopped')
  })
  it('a price above what the guest takes is not paid', async () => {
    town.terms = termsWith({ unit: 11n })
    await start()
    expect(page.state.end).toEqual({ why: 'too-dear' })
  })
  it('without a channel there is nothing to open', async () => {
    town.ceiling = 50n
    await start()
    expect(page.state.end).toEqual({ why: 'refused', code: REFUSAL.deposit })
  })
})

describe('two at once', () => {
  it('the one who proves himself later has the session; the first is told and loses nothing', async () => {
    await start()
    await pass(town, 30, page)
    const other = new Page(town, payerOptions({ counter: 1n << 64n }), '02:00:00:00:00:0b')
    await start(other)
    expect(page.heard.at(-1)).toMatchObject({ kind: 'stop', reason: STOP.superseded })
    expect(page.view.spent).toBe(30n * UNIT)
    await pass(town, 30, other)
    other.act('stop')
    await settle(town)
    expect(earned()).toBe(60n * UNIT)
    expect(town.desk.openSessions).toBe(0)
  })
  it('who only says hello, or signs with another key, disturbs nobody', async () => {
    await start()
    await pass(town, 10, page)
    const thief = new Page(town, payerOptions(), '02:00:00:00:00:0c')
    thief.say({ kind: 'hello', payer: ANNA })
    const offer = thief.heard.find(({ kind }) => kind === 'offer')
    thief.say({ kind: 'open', session: offer?.kind === 'offer' ? offer.session : 0, signature: new Uint8Array(65) })
    await settle(town)
    expect(thief.heard.at(-1)).toMatchObject({ kind: 'refused', code: REFUSAL.signature })
    await pass(town, 10, page)
    expect(page.view.phase).toBe('paying')
    expect(town.service.total).toBe(20)
  })
  it('frames overheard by another device buy and stop nothing', async () => {
    await start()
    await pass(town, 10, page)
    const thief = new Page(town, payerOptions(), '02:00:00:00:00:0c')
    for (const frame of page.sent.filter(({ kind }) => kind === 'tick' || kind === 'voucher')) thief.say(frame)
    thief.say({ kind: 'stop', session: page.state.offer?.session ?? 0, reason: 0 })
    await settle(town)
    expect(new Set(thief.heard.map((frame) => (frame.kind === 'refused' ? frame.code : frame.kind)))).toEqual(new Set([REFUSAL.notOpen]))
    expect([...town.service.allowed.keys()]).toHaveLength(1)
    await pass(town, 5, page)
    expect(page.view.phase).toBe('paying')
  })
})

describe('crashes', () => {
  it('the service restarts: the session goes on with the same frames, and nothing is lost', async () => {
    await start()
    await pass(town, 45, page)
    town.restart()
    await pass(town, 45, page)
    page.act('stop')
    await settle(town)
    expect(page.view.spent).toBe(90n * UNIT)
    expect(earned()).toBe(90n * UNIT)
  })
  it('the service is killed before the second is over: a lead is not lost, also where it came while the disk was waited for', async () => {
    page.lead(600)
    page.act('start')
    // It answers the statement at once, while the session is still being opened.
    await settle(town)
    const [paid = 0] = town.service.allowed.values()
    expect(paid).toBeGreaterThan(600)
    town.service = new TickService()
    town.restart()
    const [kept = 0] = town.service.allowed.values()
    expect(paid - kept, 'ticks that are lost').toBeLessThan(3)
  })
  it('the service is killed between the end of what it sold and its own note of that: it asks again, and the session is over', async () => {
    page.lead(60)
    page.act('start')
    await pass(town, 200, page)
    town.journal.isFailing = true
    page.act('stop')
    await settle(town)
    expect([...town.service.over]).toHaveLength(1)
    // Flash and tmpfs have it as it was before.
    const [channel = '', record = ''] = [...town.journal.flash][0] ?? []
    town.journal.fast.set(channel, record)
    town.journal.isFailing = false
    town.restart()
    await settle(town)
    expect(town.desk.openSessions).toBe(0)
    expect(town.journal.flash.get(channel)).toContain('"phase":"over"')
    expect(page.revealedEver).toBeGreaterThanOrEqual(town.desk.earnedOf(channel) ?? 0n)
  })
  it('the power goes: at most a minute of a guest is lost, and the page goes on by itself', async () => {
    await start()
    await pass(town, 100, page)
    town.journal.powerCut()
    town.restart()
    await pass(town, 60, page)
    page.act('stop')
    await settle(town)
    expect(page.state.end?.why).toBe('stopped')
    expect(Number(earned() ?? 0n)).toBeGreaterThanOrEqual(Number(UNIT) * 100)
    expect(earned()).toBeLessThanOrEqual(160n * UNIT)
  })
  it('the power goes: the channel and the books know no more than the box can still show a page that remembers nothing', async () => {
    await start()
    for (let second = 0; second < 130; second++) {
      await pass(town, 1, page)
      const onFlash = [...town.journal.flash.values()].map((record) => earnedValue(channelOf(record)))
      const told = [...town.notes.map(({ voucher, index }) => voucher.cumulative + voucher.unit * BigInt(index)), ...town.service.earnings.values()]
      for (const value of told) expect(onFlash.some((known) => known >= value), `${value} in second ${second}`).toBe(true)
    }
    expect(town.notes.length).toBeGreaterThan(1)
  })
  it('a session ends while flash takes nothing: what it earned is told once flash takes it, and the guest hears what he paid', async () => {
    await start()
    await pass(town, 90, page)
    town.journal.isFailing = true
    page.act('stop')
    await settle(town)
    expect(page.state.end).toBe(null)
    expect(town.service.earnings.get(CHANNEL)).toBeLessThan(90n * UNIT)
    town.journal.isFailing = false
    await pass(town, 3)
    expect(town.service.earnings.get(CHANNEL)).toBe(90n * UNIT)
    await pass(town, 30, page)
    expect(page.state.end).toEqual({ why: 'stopped', code: 0 })
    expect(page.view.spent).toBe(90n * UNIT)
  })
  it('the page is loaded again: it takes the counter from its own signature and never from the box’s word', async () => {
    await start()
    await pass(town, 45, page)
    const again = new Page(town, payerOptions({ counter: 1n << 64n }))
    await start(again)
    expect(again.state.base).toBe(45n * UNIT)
    await pass(town, 5, again)
    expect(again.view.phase).toBe('paying')
  })
  it('flash is written once a minute and not per tick', async () => {
    await start()
    const before = town.journal.writes
    await pass(town, 120, page)
    expect(town.journal.writes - before).toBeLessThanOrEqual(3)
  })
})

describe('the chain', () => {
  it('a channel that closes in mid-stream is claimed at once for what was served', async () => {
    page.lead(90)
    await start()
    await pass(town, 50, page)
    town.isClosing = true
    town.desk.chainChanged(accountOf(ANNA))
    await settle(town)
    expect(page.heard.at(-1)).toMatchObject({ kind: 'stop', reason: STOP.closing })
    const [claim] = town.claims
    expect((claim?.voucher.cumulative ?? 0n) + UNIT * BigInt(claim?.steps ?? 0)).toBe(50n * UNIT)
  })
  it('above the threshold, or when the deposit runs low, it is claimed while the session goes on', async () => {
    town.threshold = 60n * UNIT
    await start()
    await pass(town, 125, page)
    expect(town.claims.length).toBeGreaterThan(0)
    expect(page.view.phase).toBe('paying')
    town.threshold = 1n << 100n
    town.claims.length = 0
    town.lowDeposit = 1_000_000n
    await pass(town, 60, page)
    expect(town.claims.length).toBeGreaterThan(0)
  })
  it('what a claim shows is on flash before it is ordered: after a power cut the box knows all that the chain has paid', async () => {
    town.threshold = 20n * UNIT
    await pass(town, 30)
    await start()
    // The voucher was written when it came, its words are not yet: the desk looks each minute of its own whether to claim.
    for (let second = 0; second < 60 && town.claims.length === 0; second++) await pass(town, 1, page)
    const [claim] = town.claims
    const value = (claim?.voucher.cumulative ?? 0n) + UNIT * BigInt(claim?.steps ?? 0)
    expect(value).toBeGreaterThanOrEqual(town.threshold)
    town.journal.powerCut()
    town.restart()
    await settle(town)
    expect(earned()).toBeGreaterThanOrEqual(value)
    expect(town.service.earnings.get(CHANNEL)).toBe(earned())
    // The guest goes on from there; nothing that the chain took is asked of him again.
    town.claimed = value
    const again = new Page(town, payerOptions({ counter: 1n << 64n }))
    await start(again)
    expect(again.view.phase).toBe('paying')
  })
  it('what a settlement is signed for is on flash', async () => {
    await start()
    await pass(town, 50, page)
    const before = earned()
    const signed = await town.desk.earnedForGood(CHANNEL)
    expect(signed).toBe(before)
    expect(signed).toBeGreaterThan(40n * UNIT)
    town.journal.powerCut()
    town.restart()
    expect(earned()).toBe(signed)
    expect(await town.desk.earnedForGood(accountOf(address('e')).channel)).toBeNull()
  })
  it('of a stream whose end only tmpfs has heard of, too: flash hears of it before anything is ordered or signed', async () => {
    await start()
    await pass(town, 50, page)
    const onFlash = new Map(town.journal.flash)
    page.act('stop')
    await settle(town)
    const final = earned()
    // The end went to tmpfs with a beat; its write to flash was on its way when the service was killed.
    town.journal.flash.clear()
    for (const [key, record] of onFlash) town.journal.flash.set(key, record)
    town.service.earnings.clear()
    town.restart()
    expect(town.service.earnings.size).toBe(0)
    expect(await town.desk.earnedForGood(CHANNEL)).toBe(final)
    await settle(town)
    expect(town.service.earnings.get(CHANNEL)).toBe(final)
    town.journal.powerCut()
    town.restart()
    expect(earned()).toBe(final)
  })
  it.each([90, 300])('words that a power cut took are shown again, or the session begins anew: all that is served can be claimed (%i s ahead)', async (lead) => {
    await start()
    await pass(town, 3, page)
    const onFlash = new Map(town.journal.flash)
    page.lead(lead)
    await settle(town)
    town.journal.flash.clear()
    for (const [key, record] of onFlash) town.journal.flash.set(key, record)
    town.journal.powerCut()
    town.restart()
    page.act('connected')
    await pass(town, 40, page)
    expect(page.view.phase).toBe('paying')
    page.act('stop')
    await settle(town)
    expect(page.view.end).toEqual({ why: 'stopped', code: 0 })
    const point = town.notes.at(-1)
    expect(earned()).toBeGreaterThanOrEqual(30n * UNIT)
    expect((point?.voucher.cumulative ?? 0n) + UNIT * BigInt(point?.index ?? 0)).toBe(earned())
    const back = new Page(town, payerOptions({ counter: 1n << 64n }))
    await start(back)
    expect(back.view.phase).toBe('paying')
  })
  it('what somebody else has claimed of a life that is over is told before the next one begins', async () => {
    await start()
    await pass(town, 20, page)
    page.act('stop')
    await settle(town)
    town.paidBefore.set(1n, 30n * UNIT)
    town.epoch = 2n
    const next = new Page(town, payerOptions({ counter: 1n << 64n }))
    await start(next)
    expect(town.service.claims).toEqual([[CHANNEL, 20n * UNIT, 30n * UNIT]])
    expect(next.state.base).toBe(0n)
  })
  it('of a channel that is not remembered all that the chain has paid counts as served', async () => {
    town.paid = 30n * UNIT
    const known = new Page(town, payerOptions({ known: 30n * UNIT }))
    await start(known)
    expect(known.state.base).toBe(30n * UNIT)
    expect(town.service.claims).toEqual([])
  })
  it('another life of the channel begins at nothing', async () => {
    await start()
    await pass(town, 20, page)
    page.act('stop')
    await settle(town)
    town.epoch = 2n
    const next = new Page(town, payerOptions({ counter: 1n << 64n }))
    await start(next)
    expect(next.state.base).toBe(0n)
    await pass(town, 10, next)
    next.act('stop')
    await settle(town)
    expect(earned()).toBe(10n * UNIT)
  })
})
