/** Packets and signatures of the original, byte for byte, both ways; EIP-712 as published. */
import { describe, expect, it } from 'vitest'
import { bytesOf, fromHex, hexOf, toHex, utf8 } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import type { Lock, Message } from '../../../src/photon/index.ts'
import { balanceHash, channelId, createDigests, echoHash, lockHash, merkleProof, merkleRoot } from '../../../src/photon/wire/index.ts'
import { proofRoot } from '../../../src/photon/wire/merkle.ts'
import { COOP_SETTLE_TYPE, PHOTON, VOUCHER_TYPE, createTypedHasher } from '../../../src/photon/typed-hasher.ts'
import * as types from '../../../src/photon/wire/typed-data.ts'
import packets from '../../vectors/photon/v1-packets.json' with { type: 'json' }
import vectors from '../../vectors/photon/signatures.json' with { type: 'json' }
import { CHANNEL, ENVELOPE, KEY, KEY1, KEY2, ONES, ONE_ADDRESS, SECRET_HASH, TWO_ADDRESS, V1, V2, ZEROS, curve, keccak, sealed, signerOf, taken, wire1, wire2 } from './parties.ts'

const locks = vectors.locks.map((lock) => ({ lock: { expiration: lock.expiration, amount: BigInt(lock.amount), secretHash: lock.secretHash as Hash }, hash: lock.hash as Hash }))
const leaves = locks.map(({ hash }) => hash)
const lockAt = (index: number): Lock => locks[index]?.lock ?? { expiration: 0, amount: 0n, secretHash: ZEROS }
const digests = createDigests(V1, keccak)
const withdrawTerms = { profile: 'v1', participant: ONE_ADDRESS, partner: TWO_ADDRESS, balance: 10n, withdraw: 3n } as const
const settleTerms = { p1: ONE_ADDRESS, balance1: 10n, p2: TWO_ADDRESS, balance2: 30n, validUntil: null } as const

const MESSAGES: Readonly<Record<keyof typeof packets.packets, readonly [Message, Uint8Array]>> = {
  Ack: [{ kind: 'ack', sender: ONE_ADDRESS, echo: CHANNEL }, KEY1],
  SecretRequest: [{ kind: 'secret-request', secretHash: SECRET_HASH, amount: 0n, paymentId: null }, KEY1],
  RevealSecret: [{ kind: 'reveal', secret: ONES, data: utf8('abc') }, KEY1],
  Unlock: [{ kind: 'unlock', envelope: ENVELOPE, secret: ONES }, KEY1],
  DirectTransfer: [{ kind: 'direct', envelope: ENVELOPE, paymentId: null, data: utf8('123') }, KEY1],
  MediatedTransfer: [
    {
      kind: 'locked', envelope: { ...ENVELOPE, locksroot: vectors.rootOfThree as Hash }, lock: lockAt(2), amount: 31n, fee: 5n, initiator: ONE_ADDRESS, target: TWO_ADDRESS,
      path: [{ node: TWO_ADDRESS, amount: null }, { node: ONE_ADDRESS, amount: null }], paymentId: null,
    },
    KEY1,
  ],
  AnnounceDisposed: [{ kind: 'disposed', key: KEY, lock: lockAt(0), code: 3003, reason: 'NoAvailabeRoute', hopIndex: null }, KEY2],
  WithdrawRequest: [{ kind: 'withdraw-request', key: KEY, terms: withdrawTerms, contractSignature: curve.sign(digests.withdraw(KEY, withdrawTerms), KEY1) }, KEY1],
  SettleRequest: [{ kind: 'settle-request', key: KEY, terms: settleTerms, contractSignature: curve.sign(digests.cooperativeSettle(KEY, settleTerms), KEY1) }, KEY1],
}
const NAMES = Object.keys(MESSAGES) as (keyof typeof MESSAGES)[]

describe('the original’s packets', () => {
  it.each(NAMES)('%s: packed to the same bytes', (name) => {
    const [message, key] = MESSAGES[name]
    const known = packets.packets[name]
    // The published request asks for the amount that its bytes carry.
    const asked = message.kind === 'secret-request' ? { ...message, amount: BigInt(`0x${known.slice(2 * 36, 2 * 68)}`) } : message
    expect(toHex(sealed(wire1, asked, key))).toBe(known)
  })

  it.each(NAMES)('%s: unpacked to its fields and its sender', (name) => {
    const [message, key] = MESSAGES[name]
    const decoded = taken(wire1, fromHex(packets.packets[name]))
    if (decoded.message.kind === 'secret-request') expect(decoded.message.amount).toBeGreaterThan(0n)
    expect(decoded.message).toEqual(message.kind === 'secret-request' ? { ...message, amount: expect.anything() as bigint } : message)
    expect(signerOf(decoded.digest, decoded.signature)).toBe(name === 'Ack' ? null : key === KEY1 ? ONE_ADDRESS : TWO_ADDRESS)
  })

  it('binds a refusal to its own content', () => {
    expect(taken(wire1, fromHex(packets.packets.AnnounceDisposed)).extra).toBe('0x275292476e90de81e5bd31dfb014833707f6baaa87fb947cc9b994b34bdb8cf3')
  })

  it('has the sizes of the table', () => {
    const sizes = Object.fromEntries(NAMES.map((name) => [name, packets.packets[name].length / 2]))
    expect(sizes).toEqual({ Ack: 56, SecretRequest: 133, RevealSecret: 105, Unlock: 213, DirectTransfer: 185, MediatedTransfer: 369, AnnounceDisposed: 228, WithdrawRequest: 278, SettleRequest: 278 })
    const sig = new Uint8Array(65).fill(27)
    const sizeOf = (message: Message): number => sealed(wire1, message, KEY1).length
    expect(sizeOf({ kind: 'ping', nonce: 1n })).toBe(77)
    expect(sizeOf({ kind: 'expired', envelope: ENVELOPE, secretHash: ONES })).toBe(213)
    expect(sizeOf({ kind: 'disposed-response', envelope: ENVELOPE, secretHash: ONES })).toBe(213)
    expect(sizeOf({ kind: 'settle-response', key: KEY, terms: settleTerms, contractSignature: sig, code: 0, reason: 'success' })).toBe(293)
    expect(sizeOf({ kind: 'withdraw-response', key: KEY, terms: withdrawTerms, contractSignature: sig, code: 0, reason: 'success' })).toBe(293)
  })
})

describe('names made by hashing', () => {
  it('channel id, in either order', () => {
    const { a, b, token, contract, id } = vectors.channelId as Record<string, Hash>
    expect([channelId(keccak, a as Hash, b as Hash, token as Hash, contract as Hash), channelId(keccak, b as Hash, a as Hash, token as Hash, contract as Hash)]).toEqual([id, id])
  })

  it('locks, roots and proofs', () => {
    expect(locks.map(({ lock }) => lockHash(keccak, lock))).toEqual(leaves)
    expect(merkleRoot(keccak, leaves.slice(0, 2))).toBe(vectors.rootOfTwo)
    expect(merkleRoot(keccak, leaves)).toBe(vectors.rootOfThree)
    expect(merkleProof(keccak, leaves, leaves[0] as Hash)).toEqual([leaves[1], leaves[2]])
    expect(merkleProof(keccak, leaves, leaves[2] as Hash)).toEqual([vectors.rootOfTwo])
    const { lock, proof, root } = vectors.run.merkle
    expect(proofRoot(keccak, lockHash(keccak, { ...lock, amount: BigInt(lock.amount), secretHash: lock.secretHash as Hash }), proof as Hash[])).toBe(root)
  })

  it('balance hash, 24 bytes', () => {
    expect(balanceHash(keccak, 10n, ZEROS)).toBe(vectors.run.balanceHash.hash)
    expect(balanceHash(keccak, 0n, ZEROS)).toBe(`0x${'00'.repeat(24)}`)
    expect(balanceHash(keccak, 0n, ONES)).not.toBe(`0x${'00'.repeat(24)}`)
  })

  it('echo hash: packet and receiver', () => {
    const packet = fromHex(packets.packets.Unlock)
    expect(echoHash(keccak, packet, TWO_ADDRESS)).toBe(hexOf(keccak(fromHex(packets.packets.Unlock + TWO_ADDRESS.slice(2)))))
  })
})

describe('what the original contract checks', () => {
  const { run } = vectors
  const proof = { ...run.proof, epoch: BigInt(run.proof.epoch), nonce: 3n, transferred: 10n, locksroot: ZEROS, channel: run.proof.channel as Hash, extra: run.extra as Hash }
  const delegated = { ...proof, channel: run.delegated.channel as Hash, epoch: BigInt(run.delegated.epoch) }

  it('balance proof', () => {
    expect(signerOf(digests.balanceProof(proof), bytesOf(run.proof.signature as Hash))).toBe(run.proof.signer)
  })

  it('delegated update, both signatures', () => {
    expect(signerOf(digests.balanceProof(delegated), bytesOf(run.delegated.closing as Hash))).toBe(run.delegated.closingSigner)
    expect(signerOf(digests.updateDelegation({ ...delegated, watcher: null, reward: 0n }), bytesOf(run.delegated.nonClosing as Hash))).toBe(run.delegated.nonClosingSigner)
  })

  it('withdraw, both signatures', () => {
    const { withdraw } = run
    const digest = digests.withdraw(
      { channel: withdraw.channel as Hash, epoch: BigInt(withdraw.epoch) },
      { profile: 'v1', participant: withdraw.participant as Hash, partner: TWO_ADDRESS, balance: BigInt(withdraw.balance), withdraw: BigInt(withdraw.withdraw) },
    )
    expect(withdraw.signatures.map((signature) => signerOf(digest, bytesOf(signature as Hash)))).toEqual(withdraw.signers)
  })

  it('unlock delegation: 188 bytes, not the 220 that the original’s own API signs', () => {
    const word = (value: bigint): string => value.toString(16).padStart(64, '0')
    const lock = lockAt(0)
    const fields = `${TWO_ADDRESS.slice(2)}${word(BigInt(lock.expiration))}${word(lock.amount)}${lock.secretHash.slice(2)}${CHANNEL.slice(2)}${'0'.repeat(15)}3${word(8888n)}`
    expect(fields.length / 2).toBe(188)
    expect(hexOf(digests.unlockDelegation(KEY, lock, TWO_ADDRESS))).toBe(hexOf(keccak(fromHex(toHex(utf8('\x19Spectrum Signed Message:\n188')) + fields))))
  })
})

describe('what our contract checks', () => {
  const { typed } = vectors
  const ours = createDigests(V2, keccak)
  const state = { ...KEY, nonce: 11n, transferred: 12n, locksroot: ZEROS }
  const CASES = {
    balanceProof: [types.BALANCE_PROOF_TYPE, ours.balanceProof({ ...state, extra: ONES })],
    updateDelegate: [types.UPDATE_DELEGATE_TYPE, ours.updateDelegation({ ...state, watcher: null, reward: 5n })],
    coopSettle: [COOP_SETTLE_TYPE, ours.cooperativeSettle(KEY, { ...settleTerms, validUntil: 1000 })],
    withdraw: [types.WITHDRAW_TYPE, ours.withdraw(KEY, { profile: 'v2', participant: ONE_ADDRESS, total: 10n, validUntil: 1000 })],
    voucher: [VOUCHER_TYPE, ours.voucher({ ...KEY, cumulative: 1000n, tip: ONES, steps: 60, unit: 2n })],
    disposed: [types.DISPOSED_TYPE, ours.disposed(KEY, ONES, ZEROS)],
  } as const

  it('the domain', () => {
    expect(hexOf(createTypedHasher(keccak, PHOTON, V2).separator)).toBe(typed.separator)
  })

  it.each(Object.keys(CASES) as (keyof typeof CASES)[])('%s: type, digest and signature', (name) => {
    const [type, digest] = CASES[name]
    expect([hexOf(keccak(utf8(type))), hexOf(digest)]).toEqual([typed[name].typeHash, typed[name].digest])
    expect(hexOf(curve.sign(digest, KEY1))).toBe(typed[name].signature)
    expect(signerOf(digest, bytesOf(typed[name].signature as Hash))).toBe(ONE_ADDRESS)
  })

  it('a balance proof in a frame has the digest that the contract computes from its fields', () => {
    const packet = sealed(wire2, { kind: 'direct', envelope: ENVELOPE, paymentId: null, data: new Uint8Array(0) }, KEY1)
    const decoded = taken(wire2, packet)
    expect(hexOf(decoded.digest as Uint8Array)).toBe(hexOf(ours.balanceProof({ ...ENVELOPE, extra: decoded.extra })))
    expect(decoded.extra).toBe(hexOf(keccak(packet.subarray(0, -65))))
  })
})

