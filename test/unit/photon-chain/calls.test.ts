/** Our small encoder against ethers, for every call; selectors of the original as photon.md 1.4 lists them. */
import { Interface } from 'ethers'
import type { InterfaceAbi } from 'ethers'
import { describe, expect, it } from 'vitest'
import { bytesOf, hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { callsOf } from '../../../src/photon/chain/index.ts'
import { encodeValues } from '../../../src/photon/chain/abi.ts'
import { delegatedUpdateCall, openForCalls } from '../../../src/photon/chain/calls.ts'
import type { ContractSite } from '../../../src/photon/chain/index.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import type { Duty } from '../../../src/photon/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
const v2 = new Interface(PHOTON_ARTIFACTS.PhotonV2.abi as InterfaceAbi)
const registry = new Interface(PHOTON_ARTIFACTS.SecretRegistry.abi as InterfaceAbi)
const erc20 = new Interface(['function approve(address,uint256)'])
/** Selector → signature. */
const LEGACY: Readonly<Record<string, string>> = {
  e1b77e4e: 'deposit(address token,address participant,address partner,uint256 amount,uint64 settle_timeout)',
  '5b7d6661': 'prepareSettle(address token,address partner,uint256 transferred_amount,bytes32 locksroot,uint64 nonce,bytes32 additional_hash,bytes signature)',
  be7c380e: 'updateBalanceProofDelegate(address token,address partner,address participant,uint256 transferred_amount,bytes32 locksroot,uint64 nonce,bytes32 additional_hash,bytes partner_signature,bytes participant_signature)',
  '560bf6b7': 'updateBalanceProof(address token,address partner,uint256 transferred_amount,bytes32 locksroot,uint64 nonce,bytes32 additional_hash,bytes partner_signature)',
  '928798f2': 'unlock(address token,address partner,uint256 transferred_amount,uint256 expiration,uint256 amount,bytes32 secret_hash,bytes merkle_proof)',
  '343461b2': 'unlockDelegate(address token,address partner,address participant,uint256 transferred_amount,uint256 expiration,uint256 amount,bytes32 secret_hash,bytes merkle_proof,bytes participant_signature)',
  ed04a068: 'punishObsoleteUnlock(address token,address beneficiary,address cheater,bytes32 lockhash,bytes32 additional_hash,bytes cheater_signature)',
  '635bbe0a': 'settle(address token,address participant1,uint256 participant1_transferred_amount,bytes32 participant1_locksroot,address participant2,uint256 participant2_transferred_amount,bytes32 participant2_locksroot)',
}
const v1 = new Interface(Object.values(LEGACY).map((signature) => `function ${signature}`))

const random = randomStream('calls')
const address = (): Address => hexOf(random.bytes(20))
const hash = (): Hash => hexOf(random.bytes(32))
const amount = (bytes = 16): bigint => BigInt(hexOf(random.bytes(1 + random.below(bytes))))
const small = (): number => random.below(2_700_000)
const signature = (): Uint8Array => random.bytes(65)

describe.each(Array.from({ length: 40 }, (_, number) => number))('draw %i', () => {
  const site = (profile: 'v1' | 'v2'): ContractSite => ({ profile, contract: address(), registry: address(), self: address() })
  const [token, partner, other] = [address(), address(), address()]
  const proof = { channel: hash(), epoch: amount(8), nonce: amount(8), transferred: amount(32), locksroot: hash(), extra: hash(), signature: signature() }
  const lock = { expiration: small(), amount: amount(32), secretHash: hash() }
  const merkleProof = Array.from({ length: random.below(6) }, hash)
  const voucher = { channel: hash(), epoch: 1n, cumulative: amount(), tip: hash(), steps: small(), unit: amount(), signature: signature() }
  const sides = [{ participant: address(), transferred: amount(32), locksroot: hash() }, { participant: address(), transferred: amount(32), locksroot: hash() }] as const
  const pair = [signature(), signature()] as const
  const terms = { p1: address(), balance1: amount(32), p2: address(), balance2: amount(32), validUntil: small() }
  const bytes = (hashes: readonly Hash[]): Uint8Array => Uint8Array.from(hashes.flatMap((one) => [...bytesOf(one)]))
  const posted = [proof.transferred, proof.locksroot, proof.nonce, proof.extra, proof.signature]

  const CALLS: readonly (readonly [Duty, readonly [string, readonly unknown[]], readonly [string, readonly unknown[]] | null])[] = [
    [{ kind: 'close', token, partner, proof }, ['close', [token, partner, ...posted]], ['prepareSettle', [token, partner, ...posted]]],
    [{ kind: 'close', token, partner, proof: null }, ['close', [token, partner, 0n, `0x${'00'.repeat(32)}`, 0n, `0x${'00'.repeat(32)}`, '0x']], ['prepareSettle', [token, partner, 0n, `0x${'00'.repeat(32)}`, 0n, `0x${'00'.repeat(32)}`, '0x']]],
    [{ kind: 'update', token, partner, proof }, ['update', [token, partner, ...posted]], ['updateBalanceProof', [token, partner, ...posted]]],
    [{ kind: 'unlock', token, partner, transferred: proof.transferred, lock, merkleProof }, ['unlock', [token, partner, proof.transferred, lock.expiration, lock.amount, lock.secretHash, merkleProof]], ['unlock', [token, partner, proof.transferred, lock.expiration, lock.amount, lock.secretHash, bytes(merkleProof)]]],
    [{ kind: 'claim', token, payer: partner, payee: other, voucher, preimage: proof.extra, steps: 7 }, ['claim', [[token, partner, other, voucher.cumulative, voucher.tip, voucher.steps, voucher.unit], voucher.signature, proof.extra, 7]], null],
    [{ kind: 'withdraw', token, participant: partner, partner: other, total: voucher.unit, validUntil: 77, signatures: pair }, ['withdraw', [token, partner, other, voucher.unit, 77, ...pair]], null],
    [{ kind: 'cooperative-settle', token, terms, signatures: pair }, ['coopSettle', [token, terms.p1, terms.balance1, terms.p2, terms.balance2, terms.validUntil, ...pair]], null],
    [{ kind: 'settle', token, sides }, ['settle', [token, sides[0].participant, sides[0].transferred, sides[0].locksroot, sides[1].participant, sides[1].transferred, sides[1].locksroot]], ['settle', [token, sides[0].participant, sides[0].transferred, sides[0].locksroot, sides[1].participant, sides[1].transferred, sides[1].locksroot]]],
  ]

  it('duties', () => {
    for (const [duty, [method, values], legacy] of CALLS) {
      const on = site('v2')
      expect(callsOf(keccak, on, duty).map((call) => [call.to, hexOf(call.data)]), duty.kind).toEqual([[on.contract, v2.encodeFunctionData(method, values)]])
      if (legacy === null) expect(() => callsOf(keccak, site('v1'), duty)).toThrow('duty')
      else expect(hexOf(callsOf(keccak, site('v1'), duty)[0]?.data ?? new Uint8Array()), `v1 ${duty.kind}`).toBe(v1.encodeFunctionData(...legacy))
    }
  })

  it('duties that name us, the registry or the token', () => {
    for (const on of [site('v2'), site('v1')]) {
      const open: Duty = { kind: 'open', token, partner, amount: voucher.unit, settleTimeout: 600, epoch: 3n }
      const top: Duty = { kind: 'deposit', token, participant: partner, partner: other, amount: voucher.unit, settleTimeout: 600, epoch: 3n }
      for (const [duty, p, q] of [[open, on.self, partner], [top, partner, other]] as const) {
        const deposit = on.profile === 'v2' ? v2.encodeFunctionData('deposit', [token, p, q, voucher.unit, 600, 3n]) : v1.encodeFunctionData('deposit', [token, p, q, voucher.unit, 600])
        expect(callsOf(keccak, on, duty).map((call) => [call.to, hexOf(call.data)])).toEqual([[token, erc20.encodeFunctionData('approve', [on.contract, voucher.unit])], [on.contract, deposit]])
      }
      const punish = callsOf(keccak, on, { kind: 'punish', token, cheater: partner, lockHash: proof.extra, extra: proof.locksroot, signature: pair[0] })[0]
      expect(hexOf(punish?.data ?? new Uint8Array())).toBe(on.profile === 'v2' ? v2.encodeFunctionData('punish', [token, partner, proof.extra, proof.locksroot, pair[0]]) : v1.encodeFunctionData('punishObsoleteUnlock', [token, on.self, partner, proof.extra, proof.locksroot, pair[0]]))
      expect(callsOf(keccak, on, { kind: 'register-secret', secret: proof.extra }).map((call) => [call.to, hexOf(call.data)])).toEqual([[on.registry, registry.encodeFunctionData('registerSecret', [proof.extra])]])
    }
  })

  it('delegations and openings for others', () => {
    const update = { token, partner, receiver: other, proof, receiverSignature: pair[1], watcher: address(), reward: amount(12) }
    expect(hexOf(delegatedUpdateCall(keccak, site('v2'), update).data)).toBe(v2.encodeFunctionData('updateDelegate', [[token, partner, other, proof.transferred, proof.locksroot, proof.nonce, proof.extra, update.watcher, update.reward], proof.signature, pair[1]]))
    expect(hexOf(delegatedUpdateCall(keccak, site('v1'), update).data)).toBe(v1.encodeFunctionData('updateBalanceProofDelegate', [token, partner, other, ...posted, pair[1]]))
    const terms = { token, participant: partner, partner: other, amount: voucher.unit, settleTimeout: 60, epoch: 2n, validUntil: 99, signature: pair[0] }
    expect(hexOf(openForCalls(keccak, site('v2'), terms)[1]?.data ?? new Uint8Array())).toBe(v2.encodeFunctionData('openFor', [token, partner, other, voucher.unit, 60, 2n, 99, pair[0]]))
  })
})

describe('the encoder', () => {
  it('has the selectors of the original', () => {
    for (const [selector, text] of Object.entries(LEGACY)) expect(v1.getFunction(text.slice(0, text.indexOf('(')))?.selector).toBe(`0x${selector}`)
  })

  it.each([[-1n], [2n ** 256n], [`0x${'11'.repeat(33)}`], ['0xzz']])('refuses %s as a word', (value) => {
    expect(() => encodeValues([value as bigint])).toThrow('call')
  })

  it('refuses a call that no call of ours is nearly as long as', () => {
    expect(() => encodeValues([new Uint8Array(17_000)])).toThrow('call')
  })
})
