/** Our own mistakes are input errors that name the field, before anything is signed. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import type { Envelope, Message, Wire } from '../../../src/photon/index.ts'
import { createDigests, createWire } from '../../../src/photon/wire/index.ts'
import { ENVELOPE, KEY, KEY1, ONES, ONE_ADDRESS, TWO_ADDRESS, V1, V2, ZEROS, curve, keccak, wire1, wire2 } from './parties.ts'

const NONE = new Uint8Array(0)
const SIGNATURE = curve.sign(new Uint8Array(32).fill(1), KEY1)
const lock = { expiration: 100, amount: 10n, secretHash: ONES }
const direct = (change: Partial<Envelope>): Message => ({ kind: 'direct', envelope: { ...ENVELOPE, ...change }, paymentId: null, data: NONE })
const locked = (change: object): Message => ({ kind: 'locked', envelope: ENVELOPE, lock, amount: 8n, fee: 2n, initiator: ONE_ADDRESS, target: TWO_ADDRESS, path: [], paymentId: null, ...change })
const disposed = (change: object): Message => ({ kind: 'disposed', key: KEY, lock, code: 1, reason: 'no', hopIndex: null, ...change })
const v1Terms = { p1: ONE_ADDRESS, balance1: 1n, p2: TWO_ADDRESS, balance2: 2n, validUntil: null }
const hops = (count: number, amount: bigint | null): object => ({ path: Array.from({ length: count }, () => ({ node: ONE_ADDRESS, amount })) })

function faultOf(wire: Wire, message: Message): string | undefined {
  try {
    wire.prepare(message)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.kind === 'input') return thrown.field
    throw thrown
  }
  return undefined
}

const BOTH: readonly (readonly [string, Message])[] = [
  ['envelope.nonce', direct({ nonce: 0n })],
  ['envelope.nonce', direct({ nonce: 1n << 64n })],
  ['channel', direct({ channel: ZEROS })],
  ['channel', direct({ channel: ONE_ADDRESS })],
  ['channel', direct({ channel: `0x${'AB'.repeat(32)}` })],
  ['channel', direct({ channel: `0x${'zz'.repeat(32)}` })],
  ['epoch', direct({ epoch: 0n })],
  ['epoch', direct({ epoch: -1n })],
  ['epoch', direct({ epoch: 1n << 63n })],
  ['envelope.transferred', direct({ transferred: -1n })],
  ['envelope.transferred', direct({ transferred: 1n << 256n })],
  ['envelope.locksroot', direct({ locksroot: '0x' })],
  ['data', { kind: 'direct', envelope: ENVELOPE, paymentId: null, data: new Uint8Array(257) }],
  ['data', { kind: 'reveal', secret: ONES, data: new Uint8Array(257) }],
  ['secret', { kind: 'unlock', envelope: ENVELOPE, secret: '0x11' }],
  ['path', locked(hops(21, null))],
  ['lock.expiration', locked({ lock: { ...lock, expiration: 0 } })],
  ['lock.expiration', locked({ lock: { ...lock, expiration: 1.5 } })],
  ['lock.expiration', locked({ lock: { ...lock, expiration: 2 ** 53 } })],
  ['target', locked({ target: ONES })],
  ['reason', disposed({ reason: 'ä'.repeat(129) })],
  ['reason', disposed({ reason: 'half \ud800' })],
  ['code', disposed({ code: 2 ** 31 })],
  ['nonce', { kind: 'ping', nonce: -1n }],
  ['echo', { kind: 'ack', sender: ONE_ADDRESS, echo: ONE_ADDRESS }],
  ['contractSignature', { kind: 'settle-request', key: KEY, terms: { ...v1Terms, validUntil: null }, contractSignature: NONE }],
]

describe('in either profile', () => {
  it.each(BOTH)('%s', (field, message) => {
    expect(faultOf(wire1, message)).toBe(field)
    // v2's terms come with an end; its own check of them is below.
    if (message.kind !== 'settle-request') expect(faultOf(wire2, message)).toBe(field)
  })
})

describe('v1 has no place for', () => {
  it.each([
    ['paymentId', { kind: 'direct', envelope: ENVELOPE, paymentId: ONES, data: NONE }],
    ['paymentId', { kind: 'secret-request', secretHash: ONES, amount: 1n, paymentId: ONES }],
    ['paymentId', locked({ paymentId: ONES })],
    ['path.amount', locked(hops(1, 5n))],
    ['lock.amount', locked({ amount: 9n })],
    ['lock.amount', locked({ amount: 12n, fee: -2n })],
    ['lock.amount', locked({ lock: { ...lock, amount: 0n }, amount: 0n, fee: 0n })],
    ['terms.validUntil', { kind: 'settle-request', key: KEY, terms: { ...v1Terms, validUntil: 9 }, contractSignature: SIGNATURE }],
    ['terms.profile', { kind: 'withdraw-request', key: KEY, terms: { profile: 'v2', participant: ONE_ADDRESS, total: 1n, validUntil: 9 }, contractSignature: SIGNATURE }],
    ['kind', { kind: 'reestablish', key: KEY, sentNonce: 0n, sentHash: ZEROS, seenNonce: 0n, seenHash: ZEROS }],
  ] satisfies (readonly [string, Message])[])('%s', (field, message) => {
    expect(faultOf(wire1, message)).toBe(field)
  })
})

describe('v2 demands', () => {
  it.each([
    ['path.amount', locked(hops(1, null))],
    ['path.amount', locked(hops(1, 1n << 128n))],
    ['lock.amount', locked({ lock: { ...lock, amount: 1n << 128n } })],
    ['amount', locked({ amount: -1n })],
    ['hopIndex', disposed({ hopIndex: -1 })],
    ['hopIndex', disposed({ hopIndex: 1.5 })],
    ['terms.validUntil', { kind: 'settle-request', key: KEY, terms: v1Terms, contractSignature: SIGNATURE }],
    ['terms.profile', { kind: 'withdraw-request', key: KEY, terms: { profile: 'v1', participant: ONE_ADDRESS, partner: TWO_ADDRESS, balance: 2n, withdraw: 1n }, contractSignature: SIGNATURE }],
    ['contractSignature', { kind: 'withdraw-request', key: KEY, terms: { profile: 'v2', participant: ONE_ADDRESS, total: 1n, validUntil: 9 }, contractSignature: SIGNATURE.map((byte, index) => (index === 32 ? 0xff : byte)) }],
  ] satisfies (readonly [string, Message])[])('%s', (field, message) => {
    expect(faultOf(wire2, message)).toBe(field)
  })
})

describe('sealing', () => {
  it.each([wire1, wire2])('takes one signature of the right form, once', (wire) => {
    const prepared = wire.prepare({ kind: 'ping', nonce: 1n })
    for (const bad of [NONE, new Uint8Array(64), new Uint8Array(65), SIGNATURE.map((byte, index) => (index === 64 ? byte - 27 : byte))]) expect(() => prepared.seal(bad)).toThrow(/signature/)
    const packet = prepared.seal(SIGNATURE)
    expect(packet.subarray(-65)).toEqual(SIGNATURE)
    expect(() => prepared.seal(SIGNATURE)).toThrow(MeshBoxError)
  })

  it('an ack takes none', () => {
    const prepared = wire2.prepare({ kind: 'ack', sender: ONE_ADDRESS, echo: ONES })
    expect(() => prepared.seal(SIGNATURE)).toThrow(/not signed/)
    expect(prepared.seal(NONE).length).toBe(54)
  })

  it('two prepared packets do not share their bytes', () => {
    const [first, second] = [wire2.prepare({ kind: 'ping', nonce: 1n }), wire2.prepare({ kind: 'ping', nonce: 2n })]
    const packet = first.seal(SIGNATURE)
    second.seal(SIGNATURE)
    expect(wire2.decode(packet)).toMatchObject({ message: { nonce: 1n } })
  })
})

describe('digests', () => {
  const [v1, v2] = [createDigests(V1, keccak), createDigests(V2, keccak)]
  const faultIn = (work: () => unknown): string | undefined => {
    try {
      work()
    } catch (thrown) {
      if (thrown instanceof MeshBoxError) return thrown.field
      throw thrown
    }
    return undefined
  }

  it('refuse what their profile does not know', () => {
    expect(faultIn(() => v1.voucher({ ...KEY, cumulative: 1n, tip: ONES, steps: 1, unit: 1n }))).toBe('voucher')
    expect(faultIn(() => v1.updateDelegation({ ...ENVELOPE, watcher: ONE_ADDRESS, reward: 0n }))).toBe('watcher')
    expect(faultIn(() => v1.updateDelegation({ ...ENVELOPE, watcher: null, reward: 1n }))).toBe('reward')
    expect(faultIn(() => v1.cooperativeSettle(KEY, { ...v1Terms, validUntil: 5 }))).toBe('terms.validUntil')
    expect(faultIn(() => v1.withdraw(KEY, { profile: 'v2', participant: ONE_ADDRESS, total: 1n, validUntil: 9 }))).toBe('terms.profile')
    expect(faultIn(() => v2.withdraw(KEY, { profile: 'v1', participant: ONE_ADDRESS, partner: TWO_ADDRESS, balance: 1n, withdraw: 1n }))).toBe('terms.profile')
    expect(faultIn(() => v2.cooperativeSettle(KEY, v1Terms))).toBe('terms.validUntil')
    expect(faultIn(() => v2.unlockDelegation(KEY, lock, ONE_ADDRESS))).toBe('unlockDelegation')
    expect(faultIn(() => v2.voucher({ ...KEY, cumulative: 1n, tip: ONES, steps: 2 ** 32, unit: 1n }))).toBe('steps')
  })

  it('refuse a domain that is none', () => {
    for (const domain of [{ ...V2, chainId: -1n }, { ...V2, contract: ONES }]) expect(faultIn(() => createWire(domain, keccak))).toMatch(/chainId|contract/)
  })
})
