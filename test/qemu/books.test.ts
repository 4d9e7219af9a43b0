/** The rules that the power cut test holds books to: sound books pass, and each kind of damage is named. */
import { describe, expect, it } from 'vitest'
import type { EntryJson, SessionJson, VoucherJson } from '../../src/owner/index.ts'
import { wrongs, type Books, type Promises } from './books.ts'

const money = (units: bigint): { units: string; text: string } => ({ units: String(units), text: String(units) })
const voucher = (code: string, change: Partial<VoucherJson> = {}): VoucherJson => ({
  ...{ id: code, batch: 'run', label: '1 day', code, state: 'used', sessionId: `of ${code}`, createdWallMs: 0 },
  ...{ seconds: 86_400, bytes: null, tokens: null, devices: 1, price: money(36n), validUntil: null },
  ...change,
})
const session = (code: string, change: Partial<SessionJson> = {}): SessionJson => ({
  ...{ id: `of ${code}`, state: 'active', endReason: null, pauseReason: null, source: 'voucher', label: '1 day', secondsLeft: 86_000, bytesLeft: null },
  ...{ secondsUsed: 400, upBytes: 0, downBytes: 0, devices: [], devicesMax: 1, paid: money(36n), refunded: money(0n), startedWallMs: 0, startedWallTrusted: true, actions: [] },
  ...change,
})
const earning = (id: number, code: string, change: Partial<EntryJson> = {}): EntryJson => ({
  ...{ id, source: 'hotspot:voucher', token: 'token', evidence: { type: 'voucher', id: code }, wallMs: 0, wallTrusted: true, memo: null, kind: 'earn', reverses: null },
  postings: [
    { account: 'cash:vouchers', amount: money(36n) },
    { account: 'owner', amount: money(-36n) },
  ],
  ...change,
})

const sound: Books = {
  vouchers: [voucher('A'), voucher('B'), voucher('C', { state: 'unused', sessionId: null })],
  sessions: [session('A'), session('B')],
  entries: [earning(1, 'A'), earning(2, 'B')],
}
// B was asked for, and the power went before the answer: it may be used or not.
const promises: Promises = { asked: new Set(['A', 'B']), paid: new Set(['A']), batches: new Map([['run', 3]]), refused: new Map() }

describe('the books after a power cut', () => {
  it('are right with what was promised, and with what was under way done or not', () => {
    expect(wrongs(sound, promises)).toEqual([])
    const undone: Books = { vouchers: [voucher('A'), voucher('B', { state: 'unused', sessionId: null }), voucher('C', { state: 'unused', sessionId: null })], sessions: [session('A')], entries: [earning(1, 'A')] }
    expect(wrongs(undone, promises)).toEqual([])
  })

  it('are right when a guest adds a second voucher to his session', () => {
    const added: Books = { ...sound, vouchers: [voucher('A'), voucher('B', { sessionId: 'of A' }), voucher('C', { state: 'unused', sessionId: null })], sessions: [session('A', { paid: money(72n), secondsLeft: 172_000 })] }
    expect(wrongs(added, promises)).toEqual([])
  })

  it.each<[string, Partial<Books>, Partial<Promises>, RegExp]>([
    ['a promised payment is gone', {}, { paid: new Set(['A', 'C']), asked: new Set(['A', 'B', 'C']) }, /voucher C was paid with, and is not used/],
    ['a voucher is used that nobody asked for', {}, { asked: new Set(['A']) }, /voucher B is used, and nobody asked/],
    ['a printing run is not whole', { vouchers: sound.vouchers.slice(0, 2) }, {}, /had 3 vouchers, and has 2/],
    ['a good voucher is refused', {}, { refused: new Map([['A', '409']]) }, /voucher A was refused with 409/],
    ['a session is gone', { sessions: [session('A')] }, {}, /voucher B has no session/],
    ['a session is there twice', { sessions: [...sound.sessions, session('B')] }, {}, /listed twice/],
    ['a session came from nowhere', { sessions: [...sound.sessions, session('X')] }, {}, /session of X has no voucher/],
    ['a session has more than was bought', { sessions: [session('A'), session('B', { secondsLeft: 90_000 })] }, {}, /has 90000 s left of 86400/],
    ['a session lost its time', { sessions: [session('A'), session('B', { secondsLeft: 10 })] }, {}, /has 10 s left of 86400/],
    ['a session has ended', { sessions: [session('A'), session('B', { state: 'ended' })] }, {}, /has ended/],
    ['a payment is booked twice', { entries: [...sound.entries, earning(3, 'B')] }, {}, /2 vouchers are used, 3 were booked/],
    ['a payment is not booked', { entries: [earning(1, 'A')] }, {}, /the till has 36, the used vouchers cost 72/],
    ['an entry does not balance', { entries: [earning(1, 'A'), earning(2, 'B', { postings: [{ account: 'cash:vouchers', amount: money(36n) }] })] }, {}, /entry 2 does not balance/],
  ])('are wrong when %s', (_, damage, claim, words) => {
    expect(wrongs({ ...sound, ...damage }, { ...promises, ...claim }).join('\n')).toMatch(words)
  })
})
