/** Buying at a hotspot: what it says is not believed where it costs money, and an order is given back only where nothing was taken. */
import { beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { HotspotSeller } from '../../../src/mesh/uplinks/index.ts'
import type { AheadAnswer, AheadPortal, UpstreamOrder, UpstreamPayments, UpstreamTerms } from '../../../src/mesh/uplinks/index.ts'
import { FakeTime } from '../../support/fakes.ts'

const TOKEN: Address = `0x${'22'.repeat(20)}`
const PRICE = { payee: `0x${'11'.repeat(20)}`, token: TOKEN, unitsPerMinute: 7n } as const
const TERMS: UpstreamTerms = { ...PRICE, minSeconds: 60, maxSeconds: 3600, leftSeconds: 0 }
const ORDER: UpstreamOrder = { reference: `0x${'ab'.repeat(32)}`, offer: { ...PRICE, minSeconds: 60, maxSeconds: 3600 }, seconds: 600, amount: 70n }
const unreached = (): MeshBoxError => new MeshBoxError('unavailable', 'no answer', { code: 'no-hotspot' })

class Street implements AheadPortal, UpstreamPayments {
  readonly time = new FakeTime()
  said: UpstreamTerms | null = TERMS
  /** One after the other; the last stays. */
  answers: (AheadAnswer | Error)[] = [{ state: 'ordered', ...PRICE }, { state: 'paid', leftSeconds: 600 }]
  asked = 0
  channel: bigint | null = 1000n
  paid = new Set<string>()
  payFails: { readonly error: Error; readonly isTaken: boolean } | null = null
  isDeliverySilent = false

  async terms(): Promise<UpstreamTerms | null> {
    return this.said
  }
  async order(): Promise<AheadAnswer> {
    this.asked += 1
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0]
    if (answer instanceof Error || answer === undefined) throw answer ?? unreached()
    return answer
  }
  spendable(): bigint | null {
    return this.channel
  }
  async pay({ reference }: { readonly reference: string }): Promise<void> {
    if (this.payFails?.isTaken !== false) this.paid.add(reference)
    if (this.payFails !== null) throw this.payFails.error
    if (this.isDeliverySilent) await new Promise<void>(() => undefined)
  }
  async hasLeft({ reference }: { readonly reference: string }): Promise<boolean> {
    return this.paid.has(reference)
  }
  /** With time passing. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const done = work.finally(() => (isOver = true))
    done.catch(() => undefined)
    while (!isOver) {
      this.time.advance(500)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return done
  }
}

let street: Street
let seller: HotspotSeller
beforeEach(() => {
  street = new Street()
  seller = new HotspotSeller({ portal: street, payments: street, token: () => TOKEN, clock: street.time, timers: street.time, log: silentLog })
})
const buy = (): Promise<{ readonly leftSeconds: number }> => street.during(seller.buy('wan', ORDER))

describe('an offer', () => {
  it('is what the hotspot says, where this box can pay it', async () => {
    expect(await seller.offer('wan')).toEqual(TERMS)
    street.said = null
    expect(await seller.offer('wan')).toBeNull()
  })
  it('in another token, or without a channel, is refused with the reason', async () => {
    street.said = { ...TERMS, token: `0x${'99'.repeat(20)}` }
    await expect(seller.offer('wan')).rejects.toMatchObject({ code: 'other-token' })
    street.said = TERMS
    street.channel = null
    await expect(seller.offer('wan')).rejects.toMatchObject({ code: 'no-channel', message: expect.stringContaining(`channel open ${PRICE.payee}`) })
    street.said = { ...TERMS, leftSeconds: 300 }
    expect(await seller.offer('wan')).toMatchObject({ leftSeconds: 300 })
  })
})

describe('an order', () => {
  it('is laid, paid once, and over when the hotspot lets us in', async () => {
    street.answers = [{ state: 'ordered', ...PRICE }, { state: 'ordered', ...PRICE }, { state: 'paid', leftSeconds: 599 }]
    expect(await buy()).toEqual({ leftSeconds: 599 })
    expect(street.paid.size).toBe(1)
  })

  it.each<[string, AheadAnswer | Error]>([
    ['has become dearer', { state: 'ordered', ...PRICE, unitsPerMinute: 8n }],
    ['wants another payee', { state: 'ordered', ...PRICE, payee: `0x${'66'.repeat(20)}` }],
    ['wants another token', { state: 'ordered', ...PRICE, token: `0x${'66'.repeat(20)}` }],
    ['says that it was paid', { state: 'paid', leftSeconds: 600 }],
    ['says that it is another device’s', { state: 'elsewhere' }],
    ['does not answer', unreached()],
    ['answers in another form', new MeshBoxError('input', 'state: no', { code: 'bad-input' })],
  ])('nothing is paid to one that %s', async (_what, answer) => {
    street.answers = [answer]
    await expect(buy()).rejects.toMatchObject({ code: 'not-paid' })
    expect(street.paid.size).toBe(0)
  })

  it.each<['not-found' | 'conflict' | 'limit' | 'unavailable']>([['not-found'], ['conflict'], ['limit'], ['unavailable']])('refused by the channel (%s) is given back', async (kind) => {
    street.payFails = { error: new MeshBoxError(kind, 'no', { code: 'photon-refused' }), isTaken: false }
    await expect(buy()).rejects.toMatchObject({ code: 'not-paid' })
  })

  it('of which nobody knows whether it was paid is never given back', async () => {
    for (const error of [new Error('the disk'), new MeshBoxError('unavailable', 'gone', { code: 'x' })]) {
      street = new Street()
      seller = new HotspotSeller({ portal: street, payments: street, token: () => TOKEN, clock: street.time, timers: street.time, log: silentLog })
      street.payFails = { error, isTaken: true }
      await expect(buy()).rejects.not.toMatchObject({ code: 'not-paid' })
    }
  })

  it('that is paid and not taken by the other end yet is asked for again, and is not laid anew', async () => {
    street.isDeliverySilent = true
    await expect(buy()).rejects.toMatchObject({ code: 'not-delivered' })
    street.isDeliverySilent = false
    street.answers = [{ state: 'paid', leftSeconds: 580 }]
    expect(await buy()).toEqual({ leftSeconds: 580 })
    expect(street.paid.size).toBe(1)
  })

  it('that nobody can say of whether it was paid, since its channel is over, is over when the hotspot lets us in, or does not for a while', async () => {
    street.payFails = { error: new MeshBoxError('conflict', 'the channel is over', { code: 'mesh-unknown' }), isTaken: true }
    expect(await buy()).toEqual({ leftSeconds: 600 })
    seller = new HotspotSeller({ portal: street, payments: street, token: () => TOKEN, clock: street.time, timers: street.time, log: silentLog })
    street.answers = [{ state: 'ordered', ...PRICE }]
    const ends: string[] = []
    for (let tries = 0; ends.at(-1) !== 'over' && tries < 200; tries++) ends.push(await buy().then(({ leftSeconds }) => (expect(leftSeconds).toBe(0), 'over'), (error: MeshBoxError) => error.code))
    expect(new Set(ends)).toEqual(new Set(['not-let-in', 'over']))
  })

  it('a hotspot that takes the money and lets nobody in is given up after a while, and not paid again for it', async () => {
    street.answers = [{ state: 'ordered', ...PRICE }]
    const ends: string[] = []
    for (let tries = 0; ends.at(-1) !== 'over' && tries < 200; tries++) ends.push(await buy().then(({ leftSeconds }) => (expect(leftSeconds).toBe(0), 'over'), (error: MeshBoxError) => error.code))
    expect(new Set(ends)).toEqual(new Set(['not-let-in', 'over']))
    expect(street.paid.size).toBe(1)
  })

  it('a hotspot that gave our time to another device is not waited for', async () => {
    street.answers = [{ state: 'ordered', ...PRICE }, { state: 'elsewhere' }]
    expect(await buy()).toEqual({ leftSeconds: 0 })
  })
})
