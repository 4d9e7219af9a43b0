/** Meeting again (specs/photon.md 9.5): every row of its table, and what a restored copy may still do. */
import { describe, expect, it } from 'vitest'
import { CODE, awaitPartner, freeze, restored, sendReestablish } from '../../../src/photon/channel/index.ts'
import { guaranteed } from '../../../src/photon/channel/amounts.ts'
import type { ChannelReceived, ChannelState } from '../../../src/photon/channel/index.ts'
import { A, B, NOW, Pair, V1, codeOf, hashLock, kindsOf, secretOf, signed, taken } from './pair.ts'
import type { End } from './pair.ts'

const direct = { amount: 5n, paymentId: null, data: new Uint8Array(0) }
const pay = (pair: Pair): ChannelReceived => pair.packet('a', (m, s) => m.sendDirect(s, direct, NOW))
const hello = (pair: Pair, from: End): ChannelReceived => pair.packet(from, (_m, s) => sendReestablish(s))

describe('two ends that meet again', () => {
  it('are in sync when both know the newest packets', () => {
    const pair = new Pair()
    pair.pay('a', 5n)
    pair.a = awaitPartner(pair.a)
    expect(codeOf(pair.machines.a.sendDirect(pair.a, direct, NOW))).toBe(CODE.nodeOffline)
    expect(kindsOf(pair.give('a', hello(pair, 'b')))).toEqual(['in-sync'])
    expect(pair.machines.a.sendDirect(pair.a, direct, NOW).ok).toBe(true)
    expect(awaitPartner(awaitPartner(pair.a))).toEqual(awaitPartner(pair.a))
  })

  it('resend what the other has not seen', () => {
    const pair = new Pair()
    pair.pay('a', 5n)
    const seen = pair.a.own.proof?.extra
    const lost = [pay(pair), pay(pair)]
    pair.a = awaitPartner(pair.a)
    expect(taken(pair.give('a', hello(pair, 'b'))).facts).toEqual([{ kind: 'must-resend', fromNonce: 2n, toNonce: 3n, seenNonce: 1n, seenHash: seen }])
    expect(pair.a.sync.kind).toBe('in-sync')
    for (const packet of lost) expect(kindsOf(pair.give('b', packet))).toEqual(['direct-received'])
    // B heard nothing of a newer packet in A's greeting: it just waits for the resend.
    const ahead = new Pair()
    pay(ahead)
    expect(kindsOf(ahead.give('b', hello(ahead, 'a')))).toEqual([])
  })

  it('leave out what is not signed yet', () => {
    const pair = new Pair()
    pair.pay('a', 5n)
    const unsigned = pair.machines.a.sendDirect(pair.a, direct, NOW)
    if (!unsigned.ok) throw new Error('refused')
    pair.a = unsigned.state
    expect(hello(pair, 'a').message).toMatchObject({ sentNonce: 1n, sentHash: pair.b.partner.proof?.extra })
    expect(kindsOf(pair.give('a', hello(pair, 'b')))).toEqual(['in-sync'])
  })

  it('stop where one nonce has two packets', () => {
    for (const end of ['a', 'b'] as const) {
      const pair = new Pair()
      pair.pay('a', 5n)
      const packet = hello(pair, end === 'a' ? 'b' : 'a')
      if (packet.message.kind !== 'reestablish') throw new Error('no greeting')
      const changed = end === 'a' ? { ...packet.message, seenHash: hashLock(1) } : { ...packet.message, sentHash: hashLock(1) }
      expect(kindsOf(pair.give(end, signed(changed, end === 'a' ? B : A)))).toEqual(['must-freeze'])
      expect(pair.machines[end].dutiesOf(pair[end], NOW).map((due) => due.duty.kind)).toEqual(['close'])
    }
  })

  it('wait for the chain where the other is in another life', () => {
    const pair = new Pair()
    const packet = hello(pair, 'a')
    if (packet.message.kind !== 'reestablish') throw new Error('no greeting')
    pair.b = awaitPartner(pair.b)
    const told = taken(pair.give('b', signed({ ...packet.message, key: { ...packet.message.key, epoch: 4n } }, A)))
    expect(told.facts).toEqual([{ kind: 'wait-for-chain', theirEpoch: 4n }])
    expect(pair.b.sync.kind).toBe('waiting')
  })

  it('do not take numbers that are no nonces', () => {
    const pair = new Pair()
    const packet = hello(pair, 'a')
    if (packet.message.kind !== 'reestablish') throw new Error('no greeting')
    for (const bad of [{ sentNonce: -1n }, { seenNonce: -1n }, { sentNonce: 2n ** 64n }, { seenNonce: 2n ** 64n - 1n }])
      expect(codeOf(pair.give('b', signed({ ...packet.message, ...bad }, A)))).toBe(CODE.nonce)
  })

  it('have no such message in v1', () => {
    const pair = new Pair({ domain: V1 })
    expect(codeOf(sendReestablish(pair.a))).toBe(CODE.argument)
    expect(awaitPartner(pair.a)).toBe(pair.a)
    const v2 = new Pair()
    expect(codeOf(pair.give('b', hello(v2, 'a')))).toBe(CODE.argument)
  })
})

describe('an end restored from an old copy', () => {
  /** A has a copy after its first payment, makes three more moves, and starts from the copy. */
  function aged(): { pair: Pair; packets: ChannelReceived[]; copy: ChannelState } {
    const pair = new Pair()
    pair.pay('a', 5n)
    const copy = pair.a
    const packets = [
      pay(pair),
      pair.packet('a', (m, s) => m.sendLocked(s, { lock: { expiration: 1_200, amount: 10n, secretHash: hashLock(1) }, amount: 10n, fee: 0n, initiator: A, target: B, path: [], paymentId: null }, NOW)),
      pay(pair),
    ]
    for (const packet of packets) pair.give('b', packet)
    pair.a = restored(copy)
    return { pair, packets, copy }
  }

  it('gets its own packets back, and then is where it was', () => {
    const { pair, packets } = aged()
    const before = pair.b.partner
    expect(taken(pair.give('b', hello(pair, 'a'))).facts).toEqual([{ kind: 'must-return', fromNonce: 2n, toNonce: 4n }])
    expect(taken(pair.give('a', hello(pair, 'b'))).facts).toEqual([{ kind: 'restored-from-old-copy', nonce: 4n }])
    expect(codeOf(pair.machines.a.sendDirect(pair.a, direct, NOW))).toBe(CODE.nodeOffline)
    expect(guaranteed(pair.a)).toBe(0n)
    expect(guaranteed(restored(pair.b))).toBe(0n)
    expect(guaranteed(awaitPartner(pair.b))).toBe(guaranteed(pair.b))
    expect(packets.map((packet) => kindsOf(pair.give('a', packet)))).toEqual([['own-adopted'], ['own-adopted'], ['own-adopted', 'in-sync']])
    expect(pair.a.own).toMatchObject({ nonce: 4n, transferred: before.transferred, locksroot: before.locksroot, locked: before.locked })
    expect(pair.a.own.proof).toEqual(before.proof)
    expect(kindsOf(pair.pay('a', 1n))).toEqual(['direct-received'])
  })

  it('takes only what carries its own signature, is next, and is what the partner told of', () => {
    const { pair, packets } = aged()
    const [first, second, third] = packets
    if (first === undefined || second === undefined || third === undefined) throw new Error('no packets')
    expect(codeOf(pair.give('a', first))).toBe(CODE.nonce)
    pair.give('a', hello(pair, 'b'))
    // After the third there is a lock that A cannot know yet.
    expect(codeOf(pair.give('a', third))).toBe(CODE.nonce)
    expect(codeOf(pair.give('a', { ...first, signature: null }))).toBe(CODE.sender)
    expect(codeOf(pair.give('a', { ...first, sender: B }))).not.toBe(0)
    if (third.message.kind !== 'direct') throw new Error('no payment')
    const { message } = third
    expect(codeOf(pair.give('a', signed({ ...message, envelope: { ...message.envelope, nonce: 5n } }, A)))).toBe(CODE.nonce)
    expect(codeOf(pair.give('a', signed({ ...message, envelope: { ...message.envelope, nonce: 0n } }, A)))).toBe(CODE.nonce)
    expect(codeOf(pair.give('a', signed({ ...message, envelope: { ...message.envelope, locksroot: pair.a.own.locksroot, transferred: 99n } }, A)))).toBe(CODE.nonce)
    expect(kindsOf(pair.give('a', first))).toEqual(['own-adopted'])
    expect(kindsOf(pair.give('a', first))).toEqual(['duplicate'])
  })

  it('begins again from nothing where the copy is that old', () => {
    const pair = new Pair()
    const first = pay(pair)
    pair.give('b', first)
    pair.a = restored(new Pair().a)
    pair.give('a', hello(pair, 'b'))
    expect(kindsOf(pair.give('a', first))).toEqual(['own-adopted', 'in-sync'])
  })

  it('waits for a greeting in v2, of which v1 has none, and stays behind if it was', () => {
    expect(restored(new Pair().a).sync).toEqual({ kind: 'waiting', isRestored: true })
    expect(restored(new Pair({ domain: V1 }).a).sync).toEqual({ kind: 'in-sync' })
    const { pair } = aged()
    pair.give('a', hello(pair, 'b'))
    expect(restored(pair.a).sync).toMatchObject({ kind: 'behind', nonce: 4n })
  })

  it('stops where its own packets contradict each other', () => {
    const { pair, packets } = aged()
    pair.give('a', hello(pair, 'b'))
    const [first] = packets
    if (first === undefined || first.message.kind !== 'direct') throw new Error('no payment')
    const { message } = first
    const less = signed({ ...message, envelope: { ...message.envelope, transferred: 1n } }, A)
    expect(kindsOf(pair.give('a', less))).toEqual(['must-freeze'])
    const again = aged()
    again.pair.give('a', hello(again.pair, 'b'))
    again.pair.give('a', first)
    expect(kindsOf(again.pair.give('a', signed({ ...message, data: new Uint8Array(1) }, A)))).toEqual(['duplicate', 'must-freeze'])
  })

  it('jumps to a packet after which no lock is open', () => {
    const { pair } = aged()
    pair.send('b', (m, s) => m.sendDisposed(s, hashLock(1), { code: CODE.noRoute, reason: '', hopIndex: null }, NOW))
    const { copy } = aged()
    const origin = aged().pair
    // The same moves on a node that has not forgotten, up to the end of the lock.
    const whole = new Pair()
    whole.pay('a', 5n)
    pay(whole)
    whole.lock('a', 1, 10n, 1_200)
    const last = whole.packet('a', (m, s) => m.sendUnlock(s, secretOf(1), NOW))
    origin.a = { ...restored(copy), sync: { kind: 'behind', nonce: 4n, hash: last.extra } }
    expect(kindsOf(origin.give('a', last))).toEqual(['own-adopted', 'in-sync'])
    expect(origin.a.own).toMatchObject({ nonce: 4n, locked: 0n })
  })

  it('stays behind whatever the partner says later', () => {
    const { pair } = aged()
    const first = hello(pair, 'b')
    pair.give('a', first)
    if (first.message.kind !== 'reestablish') throw new Error('no greeting')
    pair.give('a', signed({ ...first.message, seenNonce: 1n, seenHash: pair.a.own.proof?.extra ?? hashLock(9) }, B))
    expect(pair.a.sync).toMatchObject({ kind: 'behind', nonce: 4n })
    pair.give('a', signed({ ...first.message, seenNonce: 3n, seenHash: hashLock(9) }, B))
    expect(pair.a.sync).toMatchObject({ kind: 'behind', nonce: 4n })
  })

  it('unlocks none of the partner’s locks that it may have given up', () => {
    const pair = new Pair()
    pair.lock('a', 1, 10n, 1_400)
    const copy = pair.b
    const later = pair.packet('a', (m, s) => m.sendLocked(s, { lock: { expiration: 1_400, amount: 7n, secretHash: hashLock(2) }, amount: 7n, fee: 0n, initiator: A, target: B, path: [], paymentId: null }, NOW))
    pair.give('b', later)
    for (const n of [1, 2]) pair.send('b', (m, s) => m.sendDisposed(s, hashLock(n), { code: CODE.noRoute, reason: '', hopIndex: null }, NOW))
    pair.b = restored(copy)
    pair.give('b', hello(pair, 'a'))
    expect(pair.b.doubtfulUntil).toBe(2n)
    expect(taken(pair.give('b', later)).facts).toEqual([expect.objectContaining({ kind: 'lock-unwelcome' })])
    for (const n of [1, 2]) pair.b = pair.machines.b.onChain(pair.b, { kind: 'secret', secret: secretOf(n), secretHash: hashLock(n), block: 1_001 }, NOW).state
    pair.b = pair.machines.b.onChain(pair.b, { kind: 'closed', channel: pair.b.key.channel, block: 1_002, by: A, nonce: 0n, transferred: 0n, locksroot: hashLock(0), settleBlock: 1_502 }, NOW).state
    expect(pair.machines.b.dutiesOf(pair.b, NOW).map((due) => due.duty.kind)).toEqual(['update', 'settle'])
    // The payer can take them back, and new locks are as good as ever.
    expect(pair.machines.a.sendDisposedResponse(pair.a, hashLock(1), NOW).ok).toBe(true)
  })
})

it('a channel is frozen on order, and only once', () => {
  const pair = new Pair()
  const first = freeze(pair.a, 'a stored packet differs')
  expect(first.state).toMatchObject({ phase: 'error', note: 'a stored packet differs' })
  expect(freeze(first.state, 'again').state).toBe(first.state)
  const closed = { ...pair.a, phase: 'closed' as const }
  expect(freeze(closed, 'late').state).toBe(closed)
})
