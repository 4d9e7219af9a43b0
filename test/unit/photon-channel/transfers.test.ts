/** Money that moves: direct payments and locks, rule by rule (specs/photon.md 2.2, 2.4, 3.6). */
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/photon/index.ts'
import { CODE, ownLockable, receivable, sealed, spendable } from '../../../src/photon/channel/index.ts'
import type { ChannelReceived } from '../../../src/photon/channel/index.ts'
import { A, B, CHANNEL, NOW, Pair, V1, SETTLE_TIMEOUT, at, codeOf, frozenAt, hashLock, kindsOf, lockOrder, secretOf, signed, taken } from './pair.ts'

const REVEAL_TIMEOUT = 30
const CONFIRMATIONS = 17
const NO_DATA = new Uint8Array(0)
const direct = (amount: bigint) => ({ amount, paymentId: null, data: NO_DATA })
const WHY = { code: CODE.noRoute, reason: 'no route', hopIndex: null }

/** The next packet of A's, changed, and signed by A again. */
function forged(packet: ChannelReceived, change: (message: Message) => Message): ChannelReceived {
  return signed(change(packet.message), A)
}
const withEnvelope =
  (changes: object) =>
  (message: Message): Message =>
    'envelope' in message ? { ...message, envelope: { ...message.envelope, ...changes } } : message

describe('a payment', () => {
  it('is final on receipt and seen by both ends alike', () => {
    const pair = new Pair()
    expect(taken(pair.pay('a', 300n)).facts).toEqual([{ kind: 'direct-received', amount: 300n, total: 300n, nonce: 1n, paymentId: null, data: NO_DATA }])
    expect([spendable(pair.a), receivable(pair.a)]).toEqual([700n, 800n])
    expect([spendable(pair.b), receivable(pair.b)]).toEqual([800n, 700n])
  })

  it('can give back what was received', () => {
    const pair = new Pair()
    pair.pay('a', 1_000n)
    expect(codeOf(pair.machines.a.sendDirect(pair.a, direct(1n), NOW))).toBe(CODE.insufficientBalance)
    pair.pay('b', 1_500n)
    expect([spendable(pair.a), spendable(pair.b)]).toEqual([1_500n, 0n])
  })

  it('leaves the arrays of locks alone', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    const { locks } = pair.a.own
    const { locks: seen } = pair.b.partner
    pair.pay('a', 1n)
    expect(pair.a.own.locks).toBe(locks)
    expect(pair.b.partner.locks).toBe(seen)
  })

  it.each([0n, -5n])('of %d is refused', (amount) => {
    expect(codeOf(new Pair().machines.a.sendDirect(new Pair().a, direct(amount), NOW))).toBe(CODE.invalidAmount)
  })

  it('in the last nonce of all is not made', () => {
    const pair = new Pair()
    const last = { ...pair.a, own: { ...pair.a.own, nonce: 2n ** 64n - 2n } }
    expect(codeOf(pair.machines.a.sendDirect(last, direct(1n), NOW))).toBe(CODE.nonce)
  })

  it('does not let the counter overflow', () => {
    const pair = new Pair()
    const full = { ...pair.a, own: { ...pair.a.own, transferred: 2n ** 128n - 1n }, partner: { ...pair.a.partner, transferred: 2n ** 128n } }
    expect(codeOf(pair.machines.a.sendDirect(full, direct(2n), NOW))).toBe(CODE.invalidAmount)
  })
})

describe('an envelope is refused', () => {
  const cases: readonly [string, (pair: Pair, packet: ChannelReceived) => ChannelReceived, number][] = [
    ['from a stranger', (_, packet) => ({ ...packet, sender: CHANNEL.slice(0, 42) as `0x${string}` }), CODE.sender],
    ['without a signature', (_, packet) => ({ ...packet, signature: null }), CODE.sender],
    ['for another channel', (_, packet) => forged(packet, withEnvelope({ channel: `0x${'11'.repeat(32)}` })), CODE.channelMismatch],
    ['for another life', (_, packet) => forged(packet, withEnvelope({ epoch: 2n })), CODE.channelMismatch],
    ['with nonce 0', (_, packet) => forged(packet, withEnvelope({ nonce: 0n })), CODE.nonce],
    ['with a nonce left out', (_, packet) => forged(packet, withEnvelope({ nonce: 3n })), CODE.nonce],
    ['with less transferred', (_, packet) => forged(packet, withEnvelope({ transferred: 9n })), CODE.transferAmountDecrease],
    ['with nothing paid', (_, packet) => forged(packet, withEnvelope({ transferred: 10n })), CODE.invalidAmount],
    ['with more than the payer has', (_, packet) => forged(packet, withEnvelope({ transferred: 1_001n })), CODE.insufficientBalance],
    ['with more than a counter holds', (_, packet) => forged(packet, withEnvelope({ transferred: 2n ** 128n })), CODE.invalidAmount],
    ['with another locksroot', (_, packet) => forged(packet, withEnvelope({ locksroot: hashLock(1) })), CODE.locksrootMismatch],
  ]
  it.each(cases)('%s', (_name, change, code) => {
    const pair = new Pair()
    pair.pay('a', 10n)
    // nonce 2 is next; the cases change it from there
    const packet = pair.packet('a', (m, s) => m.sendDirect(s, direct(5n), NOW))
    const before = pair.b
    expect(codeOf(pair.give('b', change(pair, packet)))).toBe(code)
    expect(pair.b).toBe(before)
    expect(kindsOf(pair.give('b', packet))).toEqual(['direct-received'])
  })

  it('of no channel', () => {
    const pair = new Pair()
    for (const message of [{ kind: 'ping', nonce: 1n }, { kind: 'reveal', secret: secretOf(1), data: NO_DATA }, { kind: 'ack', sender: A, echo: CHANNEL }] as const)
      expect(codeOf(pair.give('b', signed(message, A)))).toBe(CODE.unwantedTransfer)
  })

  it.each(['closing', 'error', 'withdrawing', 'cooperative-settling', 'partner-cooperative-settling', 'partner-withdrawing'] as const)('while the channel is %s', (phase) => {
    const pair = new Pair()
    const packet = pair.packet('a', (m, s) => m.sendDirect(s, direct(5n), NOW))
    pair.b = { ...pair.b, phase }
    expect(codeOf(pair.give('b', packet))).toBe(CODE.channelState)
    const sending = pair.machines.b.sendDirect(pair.b, direct(1n), NOW)
    expect(codeOf(sending)).toBe(phase === 'closing' ? CODE.transferWhenClosed : CODE.channelState)
  })

  it.each(['closed', 'settling', 'settled'] as const)('when it should be sent while %s', (phase) => {
    const pair = new Pair()
    expect(codeOf(pair.machines.a.sendDirect({ ...pair.a, phase }, direct(1n), NOW))).toBe(CODE.transferWhenClosed)
  })

  it('after the close, each kind with its code', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    const unlock = new Pair()
    unlock.lock('a', 1, 100n)
    const late = unlock.packet('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW))
    const payment = pair.packet('a', (m, s) => m.sendDirect(s, direct(5n), NOW))
    pair.b = { ...pair.b, phase: 'closed' }
    expect(codeOf(pair.give('b', payment))).toBe(CODE.transferWhenClosed)
    expect(codeOf(pair.give('b', late))).toBe(CODE.proofAfterClose)
  })
})

describe('a packet that comes again', () => {
  it('is known and changes nothing', () => {
    const pair = new Pair()
    const first = pair.packet('a', (m, s) => m.sendDirect(s, direct(5n), NOW))
    pair.give('b', first)
    const before = pair.b
    expect(kindsOf(pair.give('b', first))).toEqual(['duplicate'])
    pair.pay('a', 1n)
    expect(kindsOf(pair.give('b', first))).toEqual(['duplicate'])
    expect(before.partner.nonce).toBe(1n)
  })

  it('with another content stops the channel: the partner signed one nonce twice', () => {
    const pair = new Pair()
    const packet = pair.packet('a', (m, s) => m.sendDirect(s, direct(5n), NOW))
    pair.give('b', packet)
    expect(kindsOf(pair.give('b', forged(packet, withEnvelope({ transferred: 1n }))))).toEqual(['duplicate', 'must-freeze'])
    expect(pair.b.phase).toBe('error')
    expect(pair.machines.b.dutiesOf(pair.b, NOW).map((due) => due.duty)).toEqual([expect.objectContaining({ kind: 'close', proof: expect.objectContaining({ transferred: 5n }) })])
    expect(codeOf(pair.machines.b.sendDirect(pair.b, direct(1n), NOW))).toBe(CODE.channelState)
  })
})

describe('a lock', () => {
  it('is the partner’s when the secret comes', () => {
    const pair = new Pair()
    expect(kindsOf(pair.lock('a', 1, 100n))).toEqual(['lock-received'])
    expect(pair.a.own.locksroot).toBe(pair.b.partner.locksroot)
    expect([spendable(pair.a), spendable(pair.b)]).toEqual([900n, 500n])
    expect(kindsOf(pair.send('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW)))).toEqual(['lock-unlocked'])
    expect([spendable(pair.a), spendable(pair.b)]).toEqual([900n, 600n])
    expect(pair.a.own.locks).toEqual([])
  })

  it('that the target gives up goes back to the payer', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    expect(kindsOf(pair.send('b', (m, s) => m.sendDisposed(s, hashLock(1), WHY, NOW)))).toEqual(['lock-disposed'])
    expect(kindsOf(pair.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(1), NOW)))).toEqual(['lock-released'])
    expect([spendable(pair.a), spendable(pair.b)]).toEqual([1_000n, 500n])
  })

  it('may hold all there is, in a channel that settles just slowly enough', () => {
    const pair = new Pair({ settleTimeout: 77 })
    expect(kindsOf(pair.lock('a', 1, 1_000n, 1_070))).toEqual(['lock-received'])
    expect(spendable(pair.a)).toBe(0n)
    const paying = new Pair({ settleTimeout: 77 })
    expect(kindsOf(paying.pay('a', 1_000n))).toEqual(['direct-received'])
  })

  it('that expired goes back to the payer, after the confirmations', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n, 1_200)
    expect(codeOf(pair.machines.a.sendExpired(pair.a, hashLock(1), at(1_200 + CONFIRMATIONS - 1)))).toBe(CODE.lockNotExpired)
    const packet = pair.packet('a', (m, s) => m.sendExpired(s, hashLock(1), at(1_200 + CONFIRMATIONS)))
    expect(codeOf(pair.give('b', packet, at(1_200 + CONFIRMATIONS - 1)))).toBe(CODE.lockNotExpired)
    expect(kindsOf(pair.give('b', packet, at(1_200 + CONFIRMATIONS)))).toEqual(['lock-expired'])
    expect(spendable(pair.a)).toBe(1_000n)
  })

  it('whose secret is on the chain in time never expires', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n, 1_200)
    const packet = pair.packet('a', (m, s) => m.sendExpired(s, hashLock(1), at(1_300)))
    const secret = { kind: 'secret', secret: secretOf(1), secretHash: hashLock(1), block: 1_200 } as const
    pair.b = pair.machines.b.onChain(pair.b, secret, at(1_300)).state
    expect(codeOf(pair.give('b', packet, at(1_300)))).toBe(CODE.lockNotExpired)
    const other = new Pair()
    other.lock('a', 1, 100n, 1_200)
    other.a = other.machines.a.onChain(other.a, secret, at(1_300)).state
    expect(codeOf(other.machines.a.sendExpired(other.a, hashLock(1), at(1_300)))).toBe(CODE.lockNotExpired)
    // but can be paid out
    expect(other.machines.a.sendUnlock(other.a, secretOf(1), at(1_300)).ok).toBe(true)
  })

  it('whose secret came to the chain too late does expire', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n, 1_200)
    const told = pair.machines.a.onChain(pair.a, { kind: 'secret', secret: secretOf(1), secretHash: hashLock(1), block: 1_201 }, at(1_300))
    expect(told.facts).toEqual([expect.objectContaining({ kind: 'secret-on-chain', payer: A, isInTime: false })])
    expect(pair.machines.a.sendExpired(told.state, hashLock(1), at(1_300)).ok).toBe(true)
  })

  it('is not paid out after its expiration, but such a payment is taken: it can only be good', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n, 1_200)
    expect(codeOf(pair.machines.a.sendUnlock(pair.a, secretOf(1), at(1_201)))).toBe(CODE.lockExpired)
    const packet = pair.packet('a', (m, s) => m.sendUnlock(s, secretOf(1), at(1_200)))
    expect(kindsOf(pair.give('b', packet, at(1_250)))).toEqual(['lock-unlocked'])
  })

  it('stands with others in the order in which they came', () => {
    const pair = new Pair()
    for (const n of [1, 2, 3, 4, 5]) pair.lock('a', n, 10n)
    expect(kindsOf(pair.send('a', (m, s) => m.sendUnlock(s, secretOf(3), NOW)))).toEqual(['lock-unlocked'])
    expect(pair.b.partner.locks.map((lock) => lock.secretHash)).toEqual([1, 2, 4, 5].map(hashLock))
    expect(pair.b.partner.locked).toBe(40n)
    expect(pair.a.own.locksroot).toBe(pair.b.partner.locksroot)
  })
})

describe('a lock is not sent', () => {
  const cases: readonly [string, Partial<{ n: number; amount: bigint; expiration: number }>, number][] = [
    ['for nothing', { amount: 0n }, CODE.invalidAmount],
    ['over more than there is', { amount: 1_001n }, CODE.insufficientBalance],
    ['that expires within the reveal timeout', { expiration: NOW.block + REVEAL_TIMEOUT }, CODE.revealTimeout],
    ['that expires after the settle timeout', { expiration: NOW.block + SETTLE_TIMEOUT + 1 }, CODE.expirationTooLarge],
    ['with the hash of the zero secret', { n: 0 }, CODE.argument],
    ['until no block', { expiration: NaN }, CODE.argument],
    ['with the secret hash of another', { n: 99 }, CODE.duplicateLock],
  ]
  it.each(cases)('%s', (_name, { n = 1, amount = 100n, expiration = NOW.block + 100 }, code) => {
    const pair = new Pair({}, { maxLocks: 30 })
    pair.lock('a', 99, 1n)
    if (amount === 1_001n) pair.a = { ...pair.a, own: { ...pair.a.own, locks: [], locked: 0n } }
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(n, amount, expiration), NOW))).toBe(code)
  })

  it('without a view of the chain', () => {
    const pair = new Pair()
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(1, 1n, 1_100), frozenAt(1_000)))).toBe(CODE.directOnly)
    expect(pair.machines.a.sendDirect(pair.a, direct(1n), frozenAt(1_000)).ok).toBe(true)
  })

  it('where the channel settles too fast', () => {
    const pair = new Pair({ settleTimeout: 76 })
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(1, 1n, 1_070), NOW))).toBe(CODE.settleTimeoutInvalid)
  })

  it('beside 30 others', () => {
    const pair = new Pair()
    for (let n = 1; n <= 30; n++) expect(kindsOf(pair.lock('a', n, 1n))).toEqual(['lock-received'])
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(31, 1n, 1_100), NOW))).toBe(CODE.tooManyLocks)
  })

  it('over more than a tenth of a core channel', () => {
    const pair = new Pair({ role: 'core' })
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(1, 151n, 1_100), NOW))).toBe(CODE.invalidAmount)
    expect(kindsOf(pair.lock('a', 1, 150n))).toEqual(['lock-received'])
  })

  it('again, once the partner gave it up', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    pair.send('b', (m, s) => m.sendDisposed(s, hashLock(1), WHY, NOW))
    pair.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(1), NOW))
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(1, 100n, 1_200), NOW))).toBe(CODE.duplicateLock)
  })

  it('while hundreds were given up lately', () => {
    const pair = new Pair({}, { maxLocks: 2 })
    const moment = NOW
    for (let n = 1; n <= 20; n++) {
      pair.lock('a', n, 1n)
      pair.send('b', (m, s) => m.sendDisposed(s, hashLock(n), WHY, moment))
      pair.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(n), moment))
    }
    expect(codeOf(pair.machines.a.sendLocked(pair.a, lockOrder(21, 1n, 1_200), moment))).toBe(CODE.tooManyLocks)
    const later = at(1_200 + CONFIRMATIONS + 1)
    expect(pair.machines.a.sendLocked(pair.a, lockOrder(21, 1n, 1_400), later).ok).toBe(true)
  })
})

describe('a lock that comes', () => {
  type LockChange = Partial<{ amount: bigint; expiration: number; secretHash: `0x${string}` }>
  const given = (change: LockChange, prepare: (pair: Pair) => void = () => undefined) => {
    const pair = new Pair()
    prepare(pair)
    const packet = pair.packet('a', (m, s) => m.sendLocked(s, lockOrder(1, 100n, 1_200), NOW))
    return pair.give(
      'b',
      forged(packet, (message) => (message.kind === 'locked' ? { ...message, lock: { ...message.lock, ...change } } : message)),
    )
  }
  it.each([
    ['for nothing', { amount: 0n }, CODE.invalidAmount],
    ['for less than nothing', { amount: -1n }, CODE.invalidAmount],
    ['over more than the payer has', { amount: 1_001n }, CODE.insufficientBalance],
    ['with another amount than hashed', { amount: 99n }, CODE.locksrootMismatch],
    ['with another expiration than hashed', { expiration: 1_199 }, CODE.locksrootMismatch],
    ['that has no block to expire', { expiration: 1.5 }, CODE.argument],
    ['that expires before the first block', { expiration: -1 }, CODE.argument],
    ['with no hash', { secretHash: '0x12' }, CODE.argument],
    ['with the hash of the zero secret', { secretHash: hashLock(0) }, CODE.argument],
  ] as const)('is refused %s', (_name, change, code) => {
    expect(codeOf(given(change))).toBe(code)
  })

  it('is refused with a secret hash that is pending', () => {
    const pair = new Pair()
    pair.lock('a', 1, 1n)
    // Twice in the same side: A would have to compute a root over both.
    const twice = pair.packet('a', (m, s) => m.sendLocked({ ...s, own: { ...s.own, locks: [], locked: 0n } }, lockOrder(1, 2n, 1_100), NOW))
    expect(codeOf(pair.give('b', twice))).toBe(CODE.duplicateLock)
  })

  it('is refused when it was given up before', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    pair.send('b', (m, s) => m.sendDisposed(s, hashLock(1), WHY, NOW))
    pair.send('a', (m, s) => m.sendDisposedResponse(s, hashLock(1), NOW))
    const again = pair.packet('a', (m, s) => m.sendLocked({ ...s, disposals: [] }, lockOrder(1, 100n, 1_200), NOW))
    expect(codeOf(pair.give('b', again))).toBe(CODE.duplicateLock)
  })

  it('is refused beyond twice the limit', () => {
    const pair = new Pair({}, { maxLocks: 2 })
    const greedy = new Pair({}, { maxLocks: 100 })
    for (let n = 1; n <= 4; n++) pair.give('b', greedy.packet('a', (m, s) => m.sendLocked(s, lockOrder(n, 1n, 1_200), NOW)))
    expect(pair.b.partner.locks.length).toBe(4)
    expect(codeOf(pair.give('b', greedy.packet('a', (m, s) => m.sendLocked(s, lockOrder(5, 1n, 1_200), NOW))))).toBe(CODE.tooManyLocks)
  })

  it('is refused while far too many were given up lately', () => {
    const pair = new Pair({}, { maxLocks: 1 })
    const greedy = new Pair({}, { maxLocks: 100 })
    const lock = (n: number) => pair.give('b', greedy.packet('a', (m, s) => m.sendLocked(s, lockOrder(n, 1n, 1_200), NOW)))
    for (let n = 1; n <= 20; n++) {
      expect(lock(n).ok).toBe(true)
      greedy.give('a', pair.packet('b', (m, s) => m.sendDisposed(s, hashLock(n), WHY, NOW)))
      pair.give('b', greedy.packet('a', (m, s) => m.sendDisposedResponse(s, hashLock(n), NOW)))
    }
    expect(codeOf(lock(21))).toBe(CODE.tooManyLocks)
  })

  it('changes transferred by nothing in v1, in v2 only by what a stream may have lost', () => {
    const streaming = new Pair()
    const lost = streaming.packet('a', (m, s) => m.sendLocked(s, lockOrder(1, 100n, 1_200), NOW))
    expect(codeOf(streaming.give('b', forged(lost, withEnvelope({ transferred: 1_001n }))))).toBe(CODE.insufficientBalance)
    expect(kindsOf(streaming.give('b', forged(lost, withEnvelope({ transferred: 1n }))))).toEqual(['stream-raised', 'lock-received'])
    const pair = new Pair({ domain: V1 })
    const packet = pair.packet('a', (m, s) => m.sendLocked(s, lockOrder(1, 100n, 1_200), NOW))
    expect(codeOf(pair.give('b', forged(packet, withEnvelope({ transferred: 1n }))))).toBe(CODE.transferAmountMismatch)
  })

  const unwelcome: readonly [string, number, () => readonly [Pair, ChannelReceived, typeof NOW]][] = [
    ['without a view of the chain', CODE.directOnly, () => lockFor({}, {}, 1_200, frozenAt(1_000))],
    ['that expires too soon', CODE.revealTimeout, () => lockFor({}, {}, 1_200, at(1_200 - REVEAL_TIMEOUT))],
    ['that expires too late', CODE.expirationTooLarge, () => lockFor({}, {}, 1_500, at(999))],
    ['in a channel that settles too fast', CODE.settleTimeoutInvalid, () => lockFor({ settleTimeout: 76 }, { minSettleTimeout: 6 }, 1_070, NOW)],
    ['over too large a part of a core channel', CODE.invalidAmount, () => lockFor({ role: 'core' }, { coreLockPercent: 100n }, 1_200, NOW, 151n)],
  ]
  it.each(unwelcome)('%s is taken, to be given back', (_name, code, arrange) => {
    const [pair, packet, moment] = arrange()
    expect(taken(pair.give('b', packet, moment)).facts).toEqual([expect.objectContaining({ kind: 'lock-unwelcome', code })])
    expect(pair.b.partner.nonce).toBe(1n)
    expect(pair.packet('b', (m, s) => m.sendDisposed(s, hashLock(1), { code, reason: '', hopIndex: null }, moment)).message).toMatchObject({ kind: 'disposed', code })
  })

  it('is unwelcome beside maxLocks others and while the channel is drained', () => {
    const pair = new Pair({}, { maxLocks: 2 })
    const greedy = new Pair({}, { maxLocks: 100 })
    const packets = [1, 2, 3].map((n) => greedy.packet('a', (m, s) => m.sendLocked(s, lockOrder(n, 1n, 1_200), NOW)))
    expect(packets.map((packet) => kindsOf(pair.give('b', packet))[0])).toEqual(['lock-received', 'lock-received', 'lock-unwelcome'])
    const draining = new Pair()
    draining.b = { ...draining.b, phase: 'prepare-cooperative-settle' }
    expect(taken(draining.lock('a', 1, 1n)).facts).toEqual([expect.objectContaining({ kind: 'lock-unwelcome', code: CODE.noNewTransfers })])
  })

  function lockFor(changes: object, payersRules: object, expiration: number, moment: typeof NOW, amount = 1n): readonly [Pair, ChannelReceived, typeof NOW] {
    const pair = new Pair(changes)
    const payer = new Pair(changes, payersRules)
    return [pair, payer.packet('a', (m, s) => m.sendLocked(s, lockOrder(1, amount, expiration), NOW)), moment]
  }
})

describe('the end of a lock', () => {
  const locked = (): Pair => {
    const pair = new Pair({ domain: V1 })
    pair.lock('a', 1, 100n, 1_200)
    pair.lock('a', 2, 50n, 1_200)
    return pair
  }

  it('pays exactly its amount', () => {
    const pair = locked()
    const packet = pair.packet('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW))
    expect(codeOf(pair.give('b', forged(packet, withEnvelope({ transferred: 99n }))))).toBe(CODE.transferAmountDecrease)
    expect(codeOf(pair.give('b', forged(packet, withEnvelope({ transferred: 101n }))))).toBe(CODE.transferAmountMismatch)
    expect(codeOf(pair.give('b', forged(packet, withEnvelope({ locksroot: hashLock(3) }))))).toBe(CODE.locksrootMismatch)
    expect(codeOf(pair.give('b', forged(packet, (m) => ({ ...m, secret: secretOf(3) }) as Message)))).toBe(CODE.noSuchLock)
    expect(codeOf(pair.give('b', forged(packet, (m) => ({ ...m, secret: '0x1' }) as Message)))).toBe(CODE.argument)
    expect(kindsOf(pair.give('b', packet))).toEqual(['lock-unlocked'])
  })

  it.each([
    ['expired', at(1_300)],
    ['disposed-response', NOW],
  ] as const)('by %s pays nothing and leaves the others', (kind, moment) => {
    const pair = locked()
    if (kind === 'disposed-response') pair.send('b', (m, s) => m.sendDisposed(s, hashLock(1), WHY, NOW))
    const packet = pair.packet('a', (m, s) => (kind === 'expired' ? m.sendExpired(s, hashLock(1), moment) : m.sendDisposedResponse(s, hashLock(1), moment)))
    expect(codeOf(pair.give('b', forged(packet, withEnvelope({ transferred: 1n })), moment))).toBe(CODE.transferAmountMismatch)
    expect(codeOf(pair.give('b', forged(packet, withEnvelope({ locksroot: hashLock(3) })), moment))).toBe(CODE.locksrootMismatch)
    expect(codeOf(pair.give('b', forged(packet, (m) => ({ ...m, secretHash: hashLock(3) }) as Message), moment))).toBe(CODE.noSuchLock)
    expect(pair.give('b', packet, moment).ok).toBe(true)
    expect(pair.b.partner.locks.map((lock) => lock.secretHash)).toEqual([hashLock(2)])
    expect(pair.b.partner.transferred).toBe(0n)
  })

  it('is the payee’s to give: a payer cannot take a lock back that was not given up', () => {
    const pair = locked()
    expect(codeOf(pair.machines.a.sendDisposedResponse(pair.a, hashLock(1), NOW))).toBe(CODE.noSuchLock)
    const marked = { ...pair.a, own: { ...pair.a.own, locks: pair.a.own.locks.map((lock) => ({ ...lock, isDisposed: true })) } }
    const theft = pair.packet('a', (m) => m.sendDisposedResponse(marked, hashLock(1), NOW))
    expect(codeOf(pair.give('b', theft))).toBe(CODE.noSuchLock)
  })

  it('of a lock that is not there is not sent', () => {
    const { machines, a, b } = locked()
    expect(codeOf(machines.a.sendUnlock(a, secretOf(3), NOW))).toBe(CODE.noSuchLock)
    expect(codeOf(machines.a.sendUnlock(a, '0x12', NOW))).toBe(CODE.argument)
    expect(codeOf(machines.a.sendExpired(a, hashLock(3), at(2_000)))).toBe(CODE.noSuchLock)
    expect(codeOf(machines.b.sendDisposed(b, hashLock(3), WHY, NOW))).toBe(CODE.noSuchLock)
    expect(codeOf(machines.a.sendUnlock({ ...a, phase: 'error' }, secretOf(1), NOW))).toBe(CODE.channelState)
    expect(codeOf(machines.b.sendDisposed({ ...b, phase: 'error' }, hashLock(1), WHY, NOW))).toBe(CODE.channelState)
    expect(codeOf(machines.a.sendUnlock({ ...a, sync: { kind: 'waiting', isRestored: false } }, secretOf(1), NOW))).toBe(CODE.nodeOffline)
  })

  it('goes on while a settlement is prepared, new payments do not', () => {
    const pair = locked()
    pair.a = { ...pair.a, phase: 'prepare-cooperative-settle' }
    expect(codeOf(pair.machines.a.sendDirect(pair.a, direct(1n), NOW))).toBe(CODE.noNewTransfers)
    expect(kindsOf(pair.send('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW)))).toEqual(['lock-unlocked'])
  })
})

describe('giving a lock up', () => {
  it('is not possible once its secret is known', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    pair.b = pair.machines.b.onChain(pair.b, { kind: 'secret', secret: secretOf(1), secretHash: hashLock(1), block: 1_001 }, NOW).state
    expect(codeOf(pair.machines.b.sendDisposed(pair.b, hashLock(1), WHY, NOW))).toBe(CODE.cannotCancel)
  })

  it('is taken as evidence even where the secret is known, and where it crosses the unlock it is ignored', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    pair.lock('a', 2, 100n)
    const first = pair.packet('b', (m, s) => m.sendDisposed(s, hashLock(1), WHY, NOW))
    const second = pair.packet('b', (m, s) => m.sendDisposed(s, hashLock(2), WHY, NOW))
    pair.a = pair.machines.a.onChain(pair.a, { kind: 'secret', secret: secretOf(1), secretHash: hashLock(1), block: 1_001 }, NOW).state
    pair.packet('a', (m, s) => m.sendUnlock(s, secretOf(2), NOW))
    expect(taken(pair.give('a', first)).facts).toEqual([expect.objectContaining({ kind: 'ignored', code: CODE.cannotCancel })])
    expect(pair.a.disposals.map((disposal) => disposal.secretHash)).toEqual([hashLock(1)])
    expect(taken(pair.give('a', second)).facts).toEqual([expect.objectContaining({ kind: 'ignored', code: CODE.noSuchLock })])
  })

  it('is refused unsigned, or for a lock with another amount', () => {
    const pair = new Pair()
    pair.lock('a', 1, 100n)
    const packet = pair.packet('b', (m, s) => m.sendDisposed(s, hashLock(1), WHY, NOW))
    expect(codeOf(pair.give('a', { ...packet, signature: null }))).toBe(CODE.sender)
    if (packet.message.kind !== 'disposed') throw new Error('not a disposal')
    expect(codeOf(pair.give('a', signed({ ...packet.message, lock: { ...packet.message.lock, amount: 1n } }, B)))).toBe(CODE.lockMismatch)
    expect(codeOf(pair.give('a', signed({ ...packet.message, lock: { ...packet.message.lock, expiration: 1 } }, B)))).toBe(CODE.lockMismatch)
    expect(kindsOf(pair.give('a', packet))).toEqual(['lock-disposed'])
    expect(kindsOf(pair.give('a', packet))).toEqual(['ignored'])
    expect(pair.a.disposals.length).toBe(1)
  })
})

describe('without a view of the chain', () => {
  it('a payee takes up to the exposure, and again when the view is back', () => {
    const pair = new Pair({}, { maxOfflineExposure: 50n })
    pair.pay('a', 500n)
    expect(kindsOf(pair.pay('a', 30n, frozenAt(1_000)))).toEqual(['direct-received'])
    const packet = pair.packet('a', (m, s) => m.sendDirect(s, direct(21n), NOW))
    expect(codeOf(pair.give('b', packet, frozenAt(1_000)))).toBe(CODE.directOnly)
    expect(kindsOf(pair.give('b', packet, at(1_010)))).toEqual(['direct-received'])
    expect(kindsOf(pair.pay('a', 50n, frozenAt(1_010)))).toEqual(['direct-received'])
  })

  it('a lock that is paid meanwhile uses none of it up', () => {
    const pair = new Pair({}, { maxOfflineExposure: 50n })
    pair.lock('a', 1, 100n)
    expect(kindsOf(pair.pay('a', 30n, frozenAt(1_000)))).toEqual(['direct-received'])
    expect(kindsOf(pair.send('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW), frozenAt(1_000)))).toEqual(['lock-unlocked'])
    expect([pair.b.partner.transferred, pair.b.offlineFrom]).toEqual([130n, 100n])
    expect(kindsOf(pair.pay('a', 20n, frozenAt(1_000)))).toEqual(['direct-received'])
    const packet = pair.packet('a', (m, s) => m.sendDirect(s, direct(1n), NOW))
    expect(codeOf(pair.give('b', packet, frozenAt(1_000)))).toBe(CODE.directOnly)
  })

  it('a lock that is paid in view of it ends it, as a payment does', () => {
    const pair = new Pair({}, { maxOfflineExposure: 50n })
    pair.lock('a', 1, 100n)
    pair.pay('a', 30n, frozenAt(1_000))
    pair.send('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW))
    expect(pair.b.offlineFrom).toBe(null)
  })

  it('nothing is taken once a proof could come too late', () => {
    const pair = new Pair()
    const packet = pair.packet('a', (m, s) => m.sendDirect(s, direct(1n), NOW))
    expect(codeOf(pair.give('b', packet, frozenAt(1_000, SETTLE_TIMEOUT - REVEAL_TIMEOUT)))).toBe(CODE.chainNotConnected)
    expect(pair.give('b', packet, frozenAt(1_000, SETTLE_TIMEOUT - REVEAL_TIMEOUT - 1)).ok).toBe(true)
  })

  it('nothing at all is taken in a channel that settles too fast', () => {
    expect(codeOf(new Pair({ settleTimeout: 76 }).pay('a', 1n))).toBe(CODE.settleTimeoutInvalid)
  })
})

it('a signed packet that is noted keeps the proof that the partner could post', () => {
  const pair = new Pair()
  const sent = pair.machines.a.sendDirect(pair.a, direct(5n), NOW)
  if (!sent.ok || sent.message.kind !== 'direct') throw new Error('refused')
  const signature = new Uint8Array(65).fill(7)
  const state = sealed(sent.state, sent.message, hashLock(9), signature)
  expect(state.own.proof).toEqual({ channel: CHANNEL, epoch: 3n, nonce: 1n, transferred: 5n, locksroot: pair.a.own.locksroot, extra: hashLock(9), signature })
  expect(ownLockable(state)).toBe(995n)
})
