/** Any message of either profile there and back; any damage refused or another message, never a throw; F1 and F7. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOf, fromHex, hexOf } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import type { Message, Profile, Wire } from '../../../src/photon/index.ts'
import { MAX_PACKET_BYTES, createDigests } from '../../../src/photon/wire/index.ts'
import packets from '../../vectors/photon/v1-packets.json' with { type: 'json' }
import { anyMessage, messagesOf, someSignature } from './arbitrary.ts'
import { CHANNEL, ENVELOPE, KEY, KEY1, KEY2, ONES, ONE_ADDRESS, TWO_ADDRESS, V1, V2, ZEROS, curve, keccak, refusalOf, sealed, signerOf, taken, wire1, wire2 } from './parties.ts'

const WIRES: Readonly<Record<Profile, Wire>> = { v1: wire1, v2: wire2 }
const PROFILES = ['v1', 'v2'] as const
const RUNS = Number(process.env['PHOTON_WIRE_RUNS'] ?? 60)
const EMPTY = new Uint8Array(0)

const put = (wire: Wire, message: Message, signature: Uint8Array): Uint8Array => wire.prepare(message).seal(message.kind === 'ack' ? EMPTY : signature)
const without = (bytes: Uint8Array, at: number, count: number): Uint8Array => Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + count)])

describe.each(PROFILES)('%s', (profile) => {
  const wire = WIRES[profile]

  it.each(Object.entries(messagesOf(profile)))('%s: comes back as it was, from at most 1200 bytes', (_kind, messages) => {
    fc.assert(
      fc.property(messages, someSignature, (message, signature) => {
        const prepared = wire.prepare(message)
        const packet = prepared.seal(message.kind === 'ack' ? EMPTY : signature)
        const decoded = taken(wire, packet)
        expect(decoded.message).toEqual(message)
        expect(decoded.extra).toBe(prepared.extra)
        expect(decoded.digest).toEqual(message.kind === 'ack' ? null : prepared.digest)
        expect(decoded.signature).toEqual(message.kind === 'ack' ? null : signature)
        expect(packet.length).toBeLessThanOrEqual(MAX_PACKET_BYTES)
      }),
      { numRuns: RUNS, seed: 1 },
    )
  })

  it('truncated or lengthened: refused, whatever the message: lengths stand before what they measure', () => {
    fc.assert(
      fc.property(anyMessage(profile), someSignature, (message, signature) => {
        const packet = put(wire, message, signature)
        for (let length = 0; length < packet.length; length++) expect([length, typeof refusalOf(wire, packet.subarray(0, length))]).toEqual([length, 'string'])
        expect(refusalOf(wire, Uint8Array.from([...packet, 0]))).toBeTypeOf('string')
      }),
      { numRuns: RUNS, seed: 2 },
    )
  })

  it('altered in any byte: refused, or another message, or another digest', () => {
    fc.assert(
      fc.property(anyMessage(profile), someSignature, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, signature, where, change) => {
        const packet = put(wire, message, signature)
        const at = where % packet.length
        const altered = Uint8Array.from(packet)
        altered[at] = (altered[at] ?? 0) ^ change
        const [before, after] = [taken(wire, packet), wire.decode(altered)]
        if ('refused' in after) return
        if (at >= packet.length - 65 && message.kind !== 'ack') expect(after.signature).not.toEqual(before.signature)
        else expect([after.message, after.extra]).not.toEqual([before.message, before.extra])
        // One form per message: what is taken would be packed to the very same bytes.
        expect(put(wire, after.message, after.signature ?? EMPTY)).toEqual(altered)
      }),
      { numRuns: 20 * RUNS, seed: 3 },
    )
  })

  it('any bytes, and any bytes behind a known type: never a throw, and nothing is kept but what is there', () => {
    const types = profile === 'v1' ? [0, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27] : [...Array(15).keys()].map((index) => 0x40 + index)
    const tail = fc.uint8Array({ maxLength: 1300 })
    const headed = fc.tuple(fc.constantFrom(...types), tail).map(([type, rest]) => Uint8Array.from(profile === 'v1' ? [type, 0, type === 11 ? 1 : 0, 0, ...rest, 27] : [type, 2, ...rest, 28]))
    fc.assert(
      fc.property(fc.oneof(tail, headed), (bytes) => {
        const decoded = wire.decode(bytes)
        if ('refused' in decoded) expect(decoded.refused.length).toBeLessThan(120)
        else expect(put(wire, decoded.message, decoded.signature ?? EMPTY)).toEqual(bytes)
      }),
      { numRuns: 40 * RUNS, seed: 4 },
    )
  })

  it('keeps copies: the network’s buffer may be used again', () => {
    const message: Message = { kind: 'reveal', secret: ONES, data: Uint8Array.of(1, 2, 3) }
    const buffer = Buffer.from(sealed(wire, message, KEY1))
    const decoded = taken(wire, buffer)
    const signature = decoded.signature?.slice()
    buffer.fill(0xff)
    expect(decoded.message).toEqual(message)
    expect(decoded.signature).toEqual(signature)
    expect(decoded.signature?.constructor).toBe(Uint8Array)
  })

  it('is not the other profile: no packet of one is taken by the other', () => {
    const other = WIRES[profile === 'v1' ? 'v2' : 'v1']
    fc.assert(
      fc.property(anyMessage(profile), someSignature, (message, signature) => {
        expect(refusalOf(other, put(wire, message, signature))).toMatch(/^type \d+ is none of profile/)
      }),
      { numRuns: 5 * RUNS, seed: 5 },
    )
  })

  it('refuses v other than 27 and 28', () => {
    const packet = sealed(wire, { kind: 'ping', nonce: 7n }, KEY1)
    for (const v of [0, 1, 26, 29, 255]) expect(refusalOf(wire, Uint8Array.from([...packet.subarray(0, -1), v]))).toBe(`signature: v is ${v}`)
  })
})

describe('lengths that lie (F7)', () => {
  const mediated = fromHex(packets.packets.MediatedTransfer)
  const PATH_AT = 4 + 8 + 32 + 32 + 20 + 20 + 32

  const withLength = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const changed = Uint8Array.from(bytes)
    new DataView(changed.buffer).setUint32(at, value)
    return changed
  }

  it('a path of 20,000,000 in a packet of 152 bytes, and others', () => {
    const short = without(withLength(mediated, PATH_AT, 20_000_000), PATH_AT + 4, mediated.length - 152)
    expect(short.length).toBe(152)
    for (const count of [20_000_000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 21]) expect(refusalOf(wire1, withLength(mediated, PATH_AT, count))).toMatch(/path: -?\d+ hops, at most 20/)
    expect(refusalOf(wire1, withLength(short, PATH_AT, 20_000_000))).toBeTypeOf('string')
    for (const count of [0, 1, 3, 20]) expect(refusalOf(wire1, withLength(mediated, PATH_AT, count))).toBeTypeOf('string')
  })

  it('a reason of any announced length', () => {
    const disposed = fromHex(packets.packets.AnnounceDisposed)
    const LENGTH_AT = 4 + 96 + 40 + 4
    for (const length of [0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 257, 16, 14]) expect(refusalOf(wire1, withLength(disposed, LENGTH_AT, length))).toBeTypeOf('string')
  })

  it('data of any announced length, and one length in two forms', () => {
    const body = (prefix: string, rest: string): Uint8Array => fromHex(`0f000000${'11'.repeat(32)}${prefix}${rest}${'00'.repeat(64)}1b`)
    for (const prefix of ['fe00000010', 'ff0000001000000000', 'fdffff', 'fd0101', 'fc', '04']) expect(refusalOf(wire1, body(prefix, '616263'))).toBeTypeOf('string')
    expect(refusalOf(wire1, body('03', '616263'))).toBeNull()
    expect(refusalOf(wire1, body('fd0300', '616263'))).toBe('reveal: data: length written longer than needed')
    const long = 'ab'.repeat(256)
    expect(refusalOf(wire1, body('fd0001', long))).toBeNull()
    expect(refusalOf(wire1, body('fd0101', `${long}ab`))).toBe('reveal: data: 257 bytes, at most 256')
  })

  it('takes no memory for what is not there: 100,000 liars in under 2 MiB held', () => {
    const liars = [withLength(mediated, PATH_AT, 20_000_000), withLength(fromHex(packets.packets.AnnounceDisposed), 144, 0x7fff_ffff), new Uint8Array(1 << 20).fill(0x43)]
    const before = process.memoryUsage()
    let refused = 0
    for (let round = 0; round < 100_000; round++) if (refusalOf(wire1, liars[round % liars.length] ?? EMPTY) !== null) refused++
    const after = process.memoryUsage()
    expect(refused).toBe(100_000)
    // What the decoder asked for beside the heap (typed arrays) and what stayed of it.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 << 20)
  })
})

describe('headers', () => {
  const known = Object.entries(packets.packets)
  it.each(known)('%s: the version it has and no other; no second command byte', (_name, hex) => {
    const packet = fromHex(hex)
    const change = (at: number, value: number): Uint8Array => packet.map((byte, index) => (index === at ? value : byte))
    expect(refusalOf(wire1, change(2, packet[2] === 1 ? 0 : 1))).toMatch(/^version/)
    expect(refusalOf(wire1, change(3, 1))).toMatch(/^version/)
    expect(refusalOf(wire1, change(1, 1))).toMatch(/^command/)
    expect(refusalOf(wire1, change(0, (packet[0] ?? 0) + 1))).toMatch(/^type/)
  })

  it('v2: sizes as docs/photon-wire.md has them', () => {
    const signature = curve.sign(keccak(EMPTY), KEY1)
    const sizeOf = (message: Message): number => put(wire2, message, signature).length
    const lock = { expiration: 9, amount: 5n, secretHash: ONES }
    const locked = { kind: 'locked', envelope: ENVELOPE, lock, amount: 4n, fee: 1n, initiator: ONE_ADDRESS, target: TWO_ADDRESS, path: [{ node: TWO_ADDRESS, amount: 4n }] } as const
    const settle = { key: KEY, terms: { p1: ONE_ADDRESS, balance1: 1n, p2: TWO_ADDRESS, balance2: 2n, validUntil: 9 }, contractSignature: signature }
    const withdraw = { key: KEY, terms: { profile: 'v2', participant: ONE_ADDRESS, total: 1n, validUntil: 9 }, contractSignature: signature } as const
    const yes = { code: 0, reason: 'abc' }
    expect([
      sizeOf({ kind: 'ack', sender: ONE_ADDRESS, echo: ONES }), sizeOf({ kind: 'ping', nonce: 1n }), sizeOf({ kind: 'reestablish', key: KEY, sentNonce: 1n, sentHash: ONES, seenNonce: 0n, seenHash: ZEROS }),
      sizeOf({ kind: 'direct', envelope: ENVELOPE, paymentId: null, data: EMPTY }), sizeOf({ kind: 'direct', envelope: ENVELOPE, paymentId: ONES, data: EMPTY }),
      sizeOf({ ...locked, paymentId: null }), sizeOf({ ...locked, paymentId: ONES }), sizeOf({ kind: 'unlock', envelope: ENVELOPE, secret: ONES }), sizeOf({ kind: 'expired', envelope: ENVELOPE, secretHash: ONES }),
      sizeOf({ kind: 'disposed', key: KEY, lock, code: 1, reason: 'abc', hopIndex: null }), sizeOf({ kind: 'disposed-response', envelope: ENVELOPE, secretHash: ONES }),
      sizeOf({ kind: 'secret-request', secretHash: ONES, amount: 1n, paymentId: null }), sizeOf({ kind: 'reveal', secret: ONES, data: EMPTY }),
      sizeOf({ kind: 'settle-request', ...settle }), sizeOf({ kind: 'settle-response', ...settle, ...yes }), sizeOf({ kind: 'withdraw-request', ...withdraw }), sizeOf({ kind: 'withdraw-response', ...withdraw, ...yes }),
    ]).toEqual([54, 75, 187, 182, 214, 345, 377, 211, 211, 173, 211, 116, 101, 252, 261, 216, 225])
  })

  it('v2: version 2 only, and low s only', () => {
    const packet = sealed(wire2, { kind: 'ping', nonce: 7n }, KEY1)
    expect(refusalOf(wire2, packet.map((byte, index) => (index === 1 ? 3 : byte)))).toBe('version 3')
    const high = packet.map((byte, index) => (index === packet.length - 33 ? 0xff : byte))
    expect(refusalOf(wire2, high)).toBe('signature: high s')
  })
})

describe('values that no honest node sends', () => {
  /** `bytes` written over the packet from `at` on. */
  const over = (packet: Uint8Array, at: number, bytes: string): Uint8Array => {
    const changed = Uint8Array.from(packet)
    changed.set(fromHex(bytes), at)
    return changed
  }
  const unlock = fromHex(packets.packets.Unlock)
  const mediated = fromHex(packets.packets.MediatedTransfer)
  const zeros = '00'.repeat(32)

  it.each([
    ['unlock: nonce: 0', over(unlock, 36, '00'.repeat(8))],
    ['unlock: channel: zero', over(unlock, 44, zeros)],
    ['unlock: epoch: 0', over(unlock, 76, '00'.repeat(8))],
    ['unlock: epoch: 9223372036854775808', over(unlock, 76, '8000000000000000')],
    ['locked: expiration: 0', over(mediated, 4, '00'.repeat(8))],
    ['locked: expiration: above 2^53 - 1', over(mediated, 4, '0020000000000000')],
    ['locked: fee: more than the amount', over(mediated, 4 + 8 + 64 + 40, 'ff'.repeat(32))],
    ['locked: lock amount: 0', over(over(mediated, 4 + 8 + 32, zeros), 4 + 8 + 64 + 40, zeros)],
    ['reveal: data: longer than 65535', fromHex(`0f000000${'11'.repeat(32)}fe0300616263${'00'.repeat(64)}1b`)],
    ['1201 bytes, at most 1200', new Uint8Array(1201)],
  ])('%s', (reason, packet) => {
    expect(refusalOf(wire1, packet)).toBe(reason)
  })

  it('v2: a hop that no path has, a mark that is none', () => {
    const lock = { expiration: 9, amount: 5n, secretHash: ONES }
    const disposed = sealed(wire2, { kind: 'disposed', key: KEY, lock, code: 1, reason: '', hopIndex: 20 }, KEY1)
    const HOP_AT = 2 + 56 + 40
    expect([disposed[HOP_AT], refusalOf(wire2, over(disposed, HOP_AT, '14')), refusalOf(wire2, over(disposed, HOP_AT, 'ff'))]).toEqual([20, null, null])
    for (const hop of ['15', '80', 'fe']) expect(refusalOf(wire2, over(disposed, HOP_AT, hop))).toMatch(/^disposed: hop: \d+, at most 20$/)
    // A liar downstream must not keep a mediator from refusing: one more than the most it could be told is left out.
    for (const [wire, hopIndex] of [[wire2, 21], [wire2, 1000], [wire1, 3]] as const)
      expect(taken(wire, sealed(wire, { kind: 'disposed', key: KEY, lock, code: 1, reason: '', hopIndex }, KEY1)).message).toMatchObject({ hopIndex: null })
    const direct = sealed(wire2, { kind: 'direct', envelope: ENVELOPE, paymentId: ONES, data: EMPTY }, KEY1)
    expect(refusalOf(wire2, over(direct, 2, '02'))).toMatch(/marked 2/)
  })

  it('v2: s up to half the order, not one more; v1 takes its twin too', () => {
    const HALF = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'
    const packet = sealed(wire2, { kind: 'ping', nonce: 7n }, KEY1)
    const withS = (s: string): Uint8Array => over(packet, packet.length - 33, s)
    expect([refusalOf(wire2, withS(HALF)), refusalOf(wire2, withS(`${HALF.slice(0, -2)}9f`)), refusalOf(wire2, withS(`7e${'ff'.repeat(31)}`))]).toEqual([null, null, null])
    for (const s of [`${HALF.slice(0, -2)}a1`, `80${HALF.slice(2)}`, 'ff'.repeat(32)]) expect(refusalOf(wire2, withS(s))).toBe('signature: high s')
    expect(refusalOf(wire1, over(unlock, unlock.length - 33, 'ff'.repeat(32)))).toBeNull()
  })
})

describe('what passes for what (F1)', () => {
  const settlement = { p1: ONE_ADDRESS, balance1: 300n, p2: TWO_ADDRESS, balance2: 1200n }

  it('v1: the signature of a settlement is one of a balance proof for an absurd amount', () => {
    const digests = createDigests(V1, keccak)
    const signature = curve.sign(digests.cooperativeSettle(KEY, { ...settlement, validUntil: null }), KEY1)
    const word = (value: bigint): string => value.toString(16).padStart(64, '0')
    const both = `${settlement.p1.slice(2)}${word(settlement.balance1)}${settlement.p2.slice(2)}${word(settlement.balance2)}`
    const forged = {
      ...KEY,
      transferred: BigInt(`0x${both.slice(0, 64)}`),
      locksroot: `0x${both.slice(64, 128)}` as Hash,
      nonce: BigInt(`0x${both.slice(128, 144)}`),
      extra: `0x${both.slice(144)}` as Hash,
    }
    expect(forged.transferred).toBeGreaterThan(10n ** 60n)
    expect(signerOf(digests.balanceProof(forged), signature)).toBe(ONE_ADDRESS)
  })

  it('v2: no digest of one type is a digest of another, with the same values in the same places', () => {
    const digests = createDigests(V2, keccak)
    const word = 5n
    const five: Hash = `0x${word.toString(16).padStart(64, '0')}`
    const who: Hash = `0x${word.toString(16).padStart(40, '0')}`
    const all = [
      digests.balanceProof({ ...KEY, nonce: word, transferred: word, locksroot: five, extra: five }),
      digests.updateDelegation({ ...KEY, nonce: word, transferred: word, locksroot: five, watcher: who, reward: word }),
      digests.cooperativeSettle(KEY, { p1: who, balance1: word, p2: who, balance2: word, validUntil: 5 }),
      digests.withdraw(KEY, { profile: 'v2', participant: who, total: word, validUntil: 5 }),
      digests.voucher({ ...KEY, cumulative: word, tip: five, steps: 5, unit: word }),
      digests.disposed(KEY, five, five),
      digests.peerBinding({ peerIdHash: five, account: who, issuedSeconds: 5 }),
    ].map(hexOf)
    expect(new Set(all).size).toBe(all.length)
    const signature = curve.sign(bytesOf(all[2] as Hash), KEY1)
    for (const [index, digest] of all.entries()) expect([index, signerOf(bytesOf(digest as Hash), signature) === ONE_ADDRESS]).toEqual([index, index === 2])
  })

  it('v2: a frame signed for one contract or chain is nobody’s on another', () => {
    const packet = sealed(wire2, { kind: 'reveal', secret: ONES, data: EMPTY }, KEY1)
    const decoded = taken(wire2, packet)
    expect(signerOf(decoded.digest, decoded.signature)).toBe(ONE_ADDRESS)
    for (const domain of [{ ...V2, chainId: 1n }, { ...V2, contract: TWO_ADDRESS }]) {
      const digest = createDigests(domain, keccak).balanceProof({ ...ENVELOPE, extra: ZEROS })
      expect(hexOf(digest)).not.toBe(hexOf(createDigests(V2, keccak).balanceProof({ ...ENVELOPE, extra: ZEROS })))
    }
  })

  it('v2: a refusal signs nothing for the contract; an agreement must', () => {
    const terms = { ...settlement, validUntil: 1000 }
    const contractSignature = curve.sign(createDigests(V2, keccak).cooperativeSettle(KEY, terms), KEY2)
    const answer = (code: number, signature: Uint8Array): Message => ({ kind: 'settle-response', key: KEY, terms, contractSignature: signature, code, reason: 'no' })
    expect(() => wire2.prepare(answer(5001, contractSignature))).toThrow(/contractSignature/)
    expect(() => wire2.prepare(answer(0, new Uint8Array(65)))).toThrow(/contractSignature/)
    const packet = sealed(wire2, answer(5001, new Uint8Array(65)), KEY2)
    expect(taken(wire2, packet).message).toMatchObject({ code: 5001 })
    const smuggled = packet.map((byte, index) => (index === 2 + 40 + 20 + 16 + 20 + 16 + 8 ? 1 : byte))
    expect(refusalOf(wire2, smuggled)).toBe('settle-response: contract signature: given with a refusal')
  })

  it('the channel in a packet is where its proof is worth something', () => {
    expect(taken(wire1, fromHex(packets.packets.Unlock)).message).toMatchObject({ envelope: { channel: CHANNEL } })
  })
})
