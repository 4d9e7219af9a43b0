/** Every EIP-712 digest against another implementation's encoder, over any values. */
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexOf } from '../../../src/base/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { voucherDigest } from '../../../src/photon/stream/index.ts'
import * as types from '../../../src/photon/wire/typed-data.ts'
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
        agrees(types.COOP_SETTLE_TYPE, of, { ...channel, p1, b1, p2, b2, validUntil }, digests.cooperativeSettle(channel, { p1, balance1: b1, p2, balance2: b2, validUntil }))
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
        agrees(types.VOUCHER_TYPE, of, voucher, digests.voucher(voucher))
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
