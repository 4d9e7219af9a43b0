/** Every EIP-712 digest against another implementation's encoder, over any values. */
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, bytesOf, hexOf } from '../../../src/base/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { voucherDigest } from '../../../src/photon/stream/digests.ts'
import * as types from '../../../src/photon/wire/typed-data.ts'
import { COOP_SETTLE_TYPE, PHOTON, VOUCHER_TYPE, createTypedHasher, typedHashers } from '../../../src/photon/typed-hasher.ts'
import { keccak, taken, wire2 } from './parties.ts'

/** `Name(type field,…)` as ethers wants it. */
function fieldsOf(type: string): { readonly name: string; readonly fields: { name: string; type: string }[] } {
  const [, name = '', members = ''] = /^(\w+)\((.*)\)$/.exec(type) ?? []
  return { name, fields: members.split(',').map((member) => ({ type: member.split(' ')[0] ?? '', name: member.split(' ')[1] ?? '' })) }
}

const bytes = (length: number): fc.Arbitrary<`0x${string}`> => fc.uint8Array({ minLength: length, maxLength: length }).map(hexOf)
const uint = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt(0n, (1n << bits) - 1n)
const domain = fc.record({ profile: fc.constant('v2' as const), chainId: uint(256n), contract: bytes(20) })
const key = fc.record({ channel: bytes(32).filter((hash) => !/^0x0*$/.test(hash)), epoch: fc.bigInt(1n, (1n << 63n) - 1n) })
const envelope = fc.tuple(key, fc.record({ nonce: fc.bigInt(1n, (1n << 64n) - 1n), transferred: uint(256n), locksroot: bytes(32) })).map(([of, rest]) => ({ ...of, ...rest }))
const height = fc.integer({ min: 0, max: 2 ** 40 })
const reward = uint(128n)

type Values = Readonly<Record<string, unknown>>
function agrees(type: string, of: { readonly chainId: bigint; readonly contract: string }, values: Values, digest: Uint8Array): void {
  const { name, fields } = fieldsOf(type)
  const known = TypedDataEncoder.hash({ name: 'Photon', version: '2', chainId: of.chainId, verifyingContract: of.contract }, { [name]: fields }, values as Record<string, unknown>)
  expect(hexOf(digest)).toBe(known)
}

const runs = { numRuns: 40, seed: 9 }

describe('as another encoder has it', () => {
  it('BalanceProof and UpdateDelegate', () => {
    fc.assert(
      fc.property(domain, envelope, bytes(32), fc.option(bytes(20), { nil: null }), reward, (of, state, extra, watcher, amount) => {
        const digests = createDigests(of, keccak)
        agrees(types.BALANCE_PROOF_TYPE, of, { ...state, extra }, digests.balanceProof({ ...state, extra }))
        agrees(types.UPDATE_DELEGATE_TYPE, of, { ...state, watcher: watcher ?? `0x${'00'.repeat(20)}`, reward: amount }, digests.updateDelegation({ ...state, watcher, reward: amount }))
      }),
      runs,
    )
  })

  it('CoopSettle, Withdraw, Disposed', () => {
    fc.assert(
      fc.property(domain, key, bytes(20), bytes(20), uint(256n), uint(256n), uint(128n), height, bytes(32), bytes(32), (of, channel, p1, p2, b1, b2, total, validUntil, lockhash, extra) => {
        const digests = createDigests(of, keccak)
        agrees(COOP_SETTLE_TYPE, of, { ...channel, p1, b1, p2, b2, validUntil }, digests.cooperativeSettle(channel, { p1, balance1: b1, p2, balance2: b2, validUntil }))
        agrees(types.WITHDRAW_TYPE, of, { ...channel, participant: p1, total, validUntil }, digests.withdraw(channel, { profile: 'v2', participant: p1, total, validUntil }))
        agrees(types.DISPOSED_TYPE, of, { ...channel, lockhash, extra }, digests.disposed(channel, lockhash, extra))
      }),
      runs,
    )
  })

  it('Voucher, as the stream has it too, and PeerBinding', () => {
    fc.assert(
      fc.property(domain, key, uint(256n), bytes(32), fc.integer({ min: 0, max: 2 ** 32 - 1 }), uint(128n), bytes(20), height, (of, channel, cumulative, tip, steps, unit, account, issuedSeconds) => {
        const digests = createDigests(of, keccak)
        const voucher = { ...channel, cumulative, tip, steps, unit }
        agrees(VOUCHER_TYPE, of, voucher, digests.voucher(voucher))
        expect(voucherDigest(of, voucher)).toEqual(digests.voucher(voucher))
        agrees(types.PEER_BINDING_TYPE, of, { peerIdHash: tip, account, issued: issuedSeconds }, digests.peerBinding({ peerIdHash: tip, account, issuedSeconds }))
      }),
      runs,
    )
  })

  it('Frame: what the contract never sees', () => {
    const signature = new Uint8Array(65).fill(27)
    const packet = wire2.prepare({ kind: 'ping', nonce: 5n }).seal(signature)
    const decoded = taken(wire2, packet)
    expect(decoded.extra).toBe(hexOf(keccak(packet.subarray(0, -65))))
    agrees(types.FRAME_TYPE, wire2.domain, { extra: decoded.extra }, decoded.digest ?? signature)
  })
})

describe('any type', () => {
  const ANY = 'Any(bytes32 hash,address who,uint8 small,uint32 middle,uint64 height,uint128 amount,uint256 large,int32 rate,bool yes)'
  const place = { chainId: 7n, contract: `0x${'ab'.repeat(20)}` } as const
  const hasher = createTypedHasher(keccak, PHOTON, place)
  const good = [`0x${'cd'.repeat(32)}`, `0x${'ef'.repeat(20)}`, 255, 5, 6n, 7n, 8n, -9, true] as const
  const withAt = (index: number, value: bigint | number | boolean | string | Uint8Array): readonly (bigint | number | boolean | string | Uint8Array)[] => good.map((each, at) => (at === index ? value : each))

  it('as another encoder has it; under other names and at other places, too', () => {
    const fields = fieldsOf(ANY).fields
    fc.assert(
      fc.property(bytes(32), bytes(20), uint(8n), fc.integer({ min: 0, max: 2 ** 32 - 1 }), uint(64n), uint(128n), uint(256n), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.boolean(), fc.string(), uint(256n), bytes(20), (hash, who, small, middle, height, amount, large, rate, yes, name, chainId, contract) => {
        const known = TypedDataEncoder.hash({ name, version: '9', chainId, verifyingContract: contract }, { Any: fields }, { hash, who, small, middle, height, amount, large, rate, yes })
        const at = typedHashers(keccak, [name, '9'])
        for (const members of [[hash, who, small, middle, height, amount, large, rate, yes], [bytesOf(hash), bytesOf(who), Uint8Array.of(Number(small)), BigInt(middle), height, amount, large, BigInt(rate), yes]])
          for (let again = 0; again < 2; again++) expect(hexOf(at({ chainId, contract }).digest(ANY, members))).toBe(known)
      }),
      runs,
    )
  })

  it('hashers kept for places do not take each other\'s', () => {
    const at = typedHashers(keccak, PHOTON)
    for (let round = 0; round < 2; round++)
      for (let chain = 0n; chain < 20n; chain++) expect(at({ ...place, chainId: chain }).separator).toEqual(createTypedHasher(keccak, PHOTON, { ...place, chainId: chain }).separator)
  })

  it.each([
    ['hash', 0, `0x${'cd'.repeat(31)}`],
    ['hash', 0, `0x${'zz'.repeat(32)}`],
    ['hash', 0, new Uint8Array(31)],
    ['hash', 0, 5n],
    ['who', 1, `0x${'cd'.repeat(32)}`],
    ['who', 1, true],
    ['small', 2, 256],
    ['small', 2, -1],
    ['small', 2, 1.5],
    ['small', 2, Number.NaN],
    ['small', 2, '0x01'],
    ['small', 2, true],
    ['middle', 3, 2 ** 32],
    ['middle', 3, new Uint8Array(8)],
    ['height', 4, 1n << 64n],
    ['height', 4, 2 ** 60],
    ['amount', 5, 1n << 128n],
    ['large', 6, 1n << 256n],
    ['large', 6, -1n],
    ['rate', 7, 2 ** 31],
    ['rate', 7, -(2 ** 31) - 1],
    ['rate', 7, new Uint8Array(4)],
    ['yes', 8, 1],
    ['yes', 8, '0x01'],
  ] as const)('%s refuses what does not fit it', (name, index, value) => {
    const before = hexOf(hasher.digest(ANY, good))
    const thrown = ((): unknown => {
      try {
        return hasher.digest(ANY, withAt(index, value))
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toBeInstanceOf(MeshBoxError)
    expect((thrown as MeshBoxError).field).toBe(name)
    expect(hexOf(hasher.digest(ANY, good))).toBe(before)
  })

  it('as many members as the type has, and only types it knows', () => {
    expect(() => hasher.digest(ANY, good.slice(1))).toThrow(MeshBoxError)
    expect(() => hasher.digest(ANY, [...good, 1])).toThrow(MeshBoxError)
    expect(() => hasher.digest('Text(string text)', ['0x'])).toThrow(MeshBoxError)
  })
})
