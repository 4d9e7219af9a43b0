/** Money that moves: direct payments and locks, rule by rule (specs/photon.md 2.2, 2.4). */
import { describe, expect, it } from 'vitest'
import { receivable, spendable } from '../../../src/photon/channel/index.ts'
import { NOW, Pair, hashLock, kindsOf, secretOf } from './pair.ts'

describe('a payment', () => {
  it('is final on receipt and seen by both ends alike', () => {
    const pair = new Pair()
    expect(kindsOf(pair.pay('a', 300n))).toEqual(['direct-received'])
    expect([spendable(pair.a), receivable(pair.a)]).toEqual([700n, 800n])
    expect([spendable(pair.b), receivable(pair.b)]).toEqual([800n, 700n])
  })

  it('under a lock is the partner’s when the secret comes', () => {
    const pair = new Pair()
    expect(kindsOf(pair.lock('a', 1, 100n))).toEqual(['lock-received'])
    expect(pair.a.own.locksroot).toBe(pair.b.partner.locksroot)
    expect(spendable(pair.a)).toBe(900n)
    expect(spendable(pair.b)).toBe(500n)
    expect(kindsOf(pair.send('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW)))).toEqual(['lock-unlocked'])
    expect(spendable(pair.b)).toBe(600n)
    expect(pair.a.own.locks).toEqual([])
  })

  it('that the target gives up goes back to the payer', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    const why = { code: 3003, reason: 'no route', hopIndex: null }
    expect(kindsOf(pair.send('b', (m, s) => m.sendDisposed(s, hashLock(1), why, NOW)))).toEqual(['lock-disposed'])
    expect(kindsOf(pair.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(1), NOW)))).toEqual(['lock-released'])
    expect([spendable(pair.a), spendable(pair.b)]).toEqual([1_000n, 500n])
  })
})
