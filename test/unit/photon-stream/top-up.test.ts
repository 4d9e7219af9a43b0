/** Cash into a channel: one code funds one payer once, whatever comes twice, late or not at all. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { momentOf } from '../../../src/base/index.ts'
import { promisedTo, stepTopUp, topUpEntry } from '../../../src/hotspot/stream/top-up.ts'
import type { TopUp, TopUpInput } from '../../../src/hotspot/stream/top-up.ts'
import { FakeTime } from '../../support/fakes.ts'

const at = momentOf(new FakeTime())
const code = { id: 'AB12', amount: 5000n, price: 5000n }
const redeem = (payer = '0xaa', isRevoked = false): TopUpInput => ({ type: 'redeem', code, payer, at, isRevoked })

describe('a code worth tokens', () => {
  it('is promised on disk before anything is sent', () => {
    const { topUp, effects } = stepTopUp(null, redeem())
    expect(topUp).toMatchObject({ state: 'promised', payer: '0xaa' })
    expect(effects).toEqual([{ type: 'write' }, { type: 'fund', id: 'AB12', payer: '0xaa', amount: 5000n }])
  })
  it('typed twice by the same guest funds once; by another it is used', () => {
    const { topUp } = stepTopUp(null, redeem())
    expect(stepTopUp(topUp, redeem())).toEqual({ topUp, effects: [] })
    expect(() => stepTopUp(topUp, redeem('0xbb'))).toThrow(expect.objectContaining({ code: 'voucher-used' }))
  })
  it('taken back by the owner, or worth nothing, it funds nothing', () => {
    expect(() => stepTopUp(null, redeem('0xaa', true))).toThrow(expect.objectContaining({ code: 'voucher-revoked' }))
    expect(() => stepTopUp(null, { ...redeem(), code: { ...code, amount: 0n } } as TopUpInput)).toThrow(expect.objectContaining({ code: 'voucher-used' }))
  })
  it('a dropped transaction is made again, news of an old one is not heard', () => {
    const sent = stepTopUp(stepTopUp(null, redeem()).topUp, { type: 'sent', transaction: '0x1' }).topUp
    expect(stepTopUp(sent, { type: 'dropped', transaction: '0x0' }).effects).toEqual([])
    const again = stepTopUp(sent, { type: 'dropped', transaction: '0x1' })
    expect(again.topUp.state).toBe('promised')
    expect(again.effects.at(-1)).toMatchObject({ type: 'fund', id: 'AB12' })
  })
  it('counts for streaming from the promise until the chain has it', () => {
    const promised = stepTopUp(null, redeem()).topUp
    const sent = stepTopUp(promised, { type: 'sent', transaction: '0x1' }).topUp
    const funded = stepTopUp(sent, { type: 'settled', transaction: '0x1' }).topUp
    expect([promised, sent, funded].map((topUp) => promisedTo('0xaa', [topUp]))).toEqual([5000n, 5000n, 0n])
    expect(promisedTo('0xbb', [promised])).toBe(0n)
  })
  it('whatever happens, a promise is kept and never kept twice', () => {
    const news = fc.constantFrom<TopUpInput>(redeem(), { type: 'sent', transaction: '0x1' }, { type: 'sent', transaction: '0x2' }, { type: 'dropped', transaction: '0x1' }, { type: 'dropped', transaction: '0x2' }, { type: 'settled', transaction: '0x1' }, { type: 'settled', transaction: '0x2' }, { type: 'restored' })
    fc.assert(
      fc.property(fc.array(news, { maxLength: 20 }), (inputs) => {
        let topUp: TopUp = stepTopUp(null, redeem()).topUp
        for (const input of inputs) {
          const wasFunded = topUp.state === 'funded'
          const step = stepTopUp(topUp, input)
          topUp = step.topUp
          if (wasFunded) expect(topUp.state).toBe('funded')
          // Asked for only while none is under way.
          if (step.effects.some(({ type }) => type === 'fund')) expect(topUp.state).toBe('promised')
          expect(topUp.payer).toBe('0xaa')
        }
      }),
    )
  })
  it.each([
    [5000n, 5000n],
    [5000n, 4000n],
    [5000n, 0n],
    [5000n, 6000n],
  ])('%s tokens sold for %s: the entry balances', (amount, price) => {
    const { postings } = topUpEntry(stepTopUp(null, { ...redeem(), code: { id: 'x', amount, price } } as TopUpInput).topUp, 'MBX')
    expect(postings.reduce((sum, posting) => sum + posting.amount, 0n)).toBe(0n)
    expect(postings.every((posting) => posting.amount !== 0n)).toBe(true)
  })
})
