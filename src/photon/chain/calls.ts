/**
 * Duties as calls of the contract: PhotonV2 (contracts/solidity/PhotonV2.sol) and the original TokensNetwork (photon.md
 * 1.4). Gas limits are what the calls were measured to take (photon.md 1.9 and our own table), and room for tokens that
 * cost more than plain ones.
 */
import { concatBytes, bytesOf, inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { BalanceProof, ChannelKey, Lock, Profile } from '../ports.ts'
import { encodeCall } from './abi.ts'
import type { AbiValue, Keccak } from './abi.ts'
import type { BoxDuty } from './box-duty.ts'
import { orderCall } from './purse.ts'

/** A transaction to be. */
export interface ContractCall {
  readonly to: Address
  readonly data: Uint8Array
  readonly gas: bigint
  /** Coin that goes along; left out: none. */
  readonly valueWei?: bigint
}

/** Where a duty's calls go. */
export interface ContractSite {
  readonly profile: Profile
  readonly contract: Address
  readonly registry: Address
  /** Whose duties they are. */
  readonly self: Address
}

const GAS = { approve: 90_000n, deposit: 260_000n, close: 120_000n, update: 110_000n, delegate: 160_000n, register: 60_000n, unlock: 100_000n, hash: 1_500n, punish: 100_000n, claim: 180_000n, tick: 1_300n, withdraw: 200_000n, end: 250_000n, coin: 90_000n }
const NO_PROOF = { transferred: 0n, locksroot: `0x${'00'.repeat(32)}`, nonce: 0n, extra: `0x${'00'.repeat(32)}`, signature: new Uint8Array(0) } as const
type PostedTerms = Pick<BalanceProof, 'transferred' | 'locksroot' | 'nonce' | 'extra' | 'signature'>

/** One call, or an allowance of exactly the amount and the payment that uses it up. Errors: input for what the profile does not know. */
export function callsOf(keccak: Keccak, site: ContractSite, duty: BoxDuty): readonly ContractCall[] {
  const isV1 = site.profile === 'v1'
  const to = (gas: bigint, signature: string, ...values: readonly AbiValue[]): ContractCall => ({ to: site.contract, data: encodeCall(keccak, signature, values), gas })
  const paid = (token: Address, amount: bigint, participant: Address, partner: Address, settleTimeout: number, epoch: bigint): readonly ContractCall[] => [
    { to: token, data: encodeCall(keccak, 'approve(address,uint256)', [site.contract, amount]), gas: GAS.approve },
    isV1
      ? to(GAS.deposit, 'deposit(address,address,address,uint256,uint64)', token, participant, partner, amount, settleTimeout)
      : to(GAS.deposit, 'deposit(address,address,address,uint128,uint32,uint64)', token, participant, partner, amount, settleTimeout, epoch),
  ]
  switch (duty.kind) {
    case 'update-delegate':
      return [delegatedUpdateCall(keccak, site, duty)]
    case 'open-for':
      return openForCalls(keccak, site, duty)
    case 'purse':
      return [orderCall(keccak, duty)]
    case 'wrap':
      return [{ to: duty.token, data: encodeCall(keccak, 'deposit()', []), gas: GAS.coin, valueWei: duty.amount }]
    case 'unwrap':
      return [{ to: duty.token, data: encodeCall(keccak, 'withdraw(uint256)', [duty.amount]), gas: GAS.coin }]
    case 'send-coin':
      return [{ to: duty.to, data: new Uint8Array(0), gas: GAS.coin, valueWei: duty.amount }]
    case 'open':
      return paid(duty.token, duty.amount, site.self, duty.partner, duty.settleTimeout, duty.epoch)
    case 'deposit':
      return paid(duty.token, duty.amount, duty.participant, duty.partner, duty.settleTimeout, duty.epoch)
    case 'close':
      return [to(GAS.close, `${isV1 ? 'prepareSettle' : 'close'}(address,address,uint256,bytes32,uint64,bytes32,bytes)`, duty.token, duty.partner, ...proofValues(duty.proof ?? NO_PROOF))]
    case 'update':
      return [to(GAS.update, `${isV1 ? 'updateBalanceProof' : 'update'}(address,address,uint256,bytes32,uint64,bytes32,bytes)`, duty.token, duty.partner, ...proofValues(duty.proof))]
    case 'register-secret':
      return [{ to: site.registry, data: encodeCall(keccak, 'registerSecret(bytes32)', [duty.secret]), gas: GAS.register }]
    case 'unlock': {
      const gas = GAS.unlock + GAS.hash * BigInt(duty.merkleProof.length)
      const lock = lockValues(duty.lock)
      return isV1
        ? [to(gas, 'unlock(address,address,uint256,uint256,uint256,bytes32,bytes)', duty.token, duty.partner, duty.transferred, ...lock, joined(duty.merkleProof))]
        : [to(gas, 'unlock(address,address,uint256,uint256,uint256,bytes32,bytes32[])', duty.token, duty.partner, duty.transferred, ...lock, duty.merkleProof)]
    }
    case 'punish':
      return isV1
        ? [to(GAS.punish, 'punishObsoleteUnlock(address,address,address,bytes32,bytes32,bytes)', duty.token, site.self, duty.cheater, duty.lockHash, duty.extra, duty.signature)]
        : [to(GAS.punish, 'punish(address,address,bytes32,bytes32,bytes)', duty.token, duty.cheater, duty.lockHash, duty.extra, duty.signature)]
    case 'claim': {
      if (isV1) throw unknownTo('claim')
      const { cumulative, tip, steps, unit, signature } = duty.voucher
      const gas = GAS.claim + GAS.tick * BigInt(duty.steps)
      return [to(gas, 'claim((address,address,address,uint128,bytes32,uint32,uint128),bytes,bytes32,uint32)', duty.token, duty.payer, duty.payee, cumulative, tip, steps, unit, signature, duty.preimage, duty.steps)]
    }
    case 'withdraw':
      if (isV1) throw unknownTo('withdraw')
      return [to(GAS.withdraw, 'withdraw(address,address,address,uint128,uint64,bytes,bytes)', duty.token, duty.participant, duty.partner, duty.total, duty.validUntil, ...duty.signatures)]
    case 'cooperative-settle': {
      const { p1, balance1, p2, balance2, validUntil } = duty.terms
      if (isV1 || validUntil === null) throw unknownTo('cooperative-settle')
      return [to(GAS.end, 'coopSettle(address,address,uint256,address,uint256,uint64,bytes,bytes)', duty.token, p1, balance1, p2, balance2, validUntil, ...duty.signatures)]
    }
    case 'settle': {
      const [first, second] = duty.sides
      return [to(GAS.end, 'settle(address,address,uint256,bytes32,address,uint256,bytes32)', duty.token, first.participant, first.transferred, first.locksroot, second.participant, second.transferred, second.locksroot)]
    }
  }
}

/** What a watcher posts for a receiver who is away. */
export interface DelegatedUpdate {
  readonly token: Address
  readonly partner: Address
  readonly receiver: Address
  readonly proof: PostedTerms
  /** The receiver's: v1 "144", v2 UpdateDelegate. */
  readonly receiverSignature: Uint8Array
  /** v2: as signed; the zero address for whoever is first. */
  readonly watcher: Address
  readonly reward: bigint
}

export function delegatedUpdateCall(keccak: Keccak, site: ContractSite, update: DelegatedUpdate): ContractCall {
  const { token, partner, receiver, proof, receiverSignature, watcher, reward } = update
  const { transferred, locksroot, nonce, extra, signature } = proof
  const data =
    site.profile === 'v1'
      ? encodeCall(keccak, 'updateBalanceProofDelegate(address,address,address,uint256,bytes32,uint64,bytes32,bytes,bytes)', [token, partner, receiver, transferred, locksroot, nonce, extra, signature, receiverSignature])
      : encodeCall(keccak, 'updateDelegate((address,address,address,uint256,bytes32,uint64,bytes32,address,uint128),bytes,bytes)', [token, partner, receiver, transferred, locksroot, nonce, extra, watcher, reward, signature, receiverSignature])
  return { to: site.contract, data, gas: GAS.delegate }
}

/** Opening for a participant who has signed it; see contracts/orders.ts. */
export interface OpenForTerms extends Pick<ChannelKey, 'epoch'> {
  readonly token: Address
  readonly participant: Address
  readonly partner: Address
  readonly amount: bigint
  readonly settleTimeout: number
  readonly validUntil: number
  readonly signature: Uint8Array
  /** Two with the same are one order. */
  readonly reference?: string
}

/** Allowance and opening; v2 only. */
export function openForCalls(keccak: Keccak, site: ContractSite, terms: OpenForTerms): readonly ContractCall[] {
  if (site.profile !== 'v2') throw unknownTo('openFor')
  const { token, participant, partner, amount, settleTimeout, epoch, validUntil, signature } = terms
  return [
    { to: token, data: encodeCall(keccak, 'approve(address,uint256)', [site.contract, amount]), gas: GAS.approve },
    { to: site.contract, data: encodeCall(keccak, 'openFor(address,address,address,uint128,uint32,uint64,uint64,bytes)', [token, participant, partner, amount, settleTimeout, epoch, validUntil, signature]), gas: GAS.deposit + 20_000n },
  ]
}

function proofValues(proof: PostedTerms): readonly AbiValue[] {
  return [proof.transferred, proof.locksroot, proof.nonce, proof.extra, proof.signature]
}

function lockValues(lock: Lock): readonly AbiValue[] {
  return [lock.expiration, lock.amount, lock.secretHash]
}

function joined(hashes: readonly Hash[]): Uint8Array {
  return concatBytes(...hashes.map(bytesOf))
}

function unknownTo(call: string): Error {
  return inputError('duty', call, 'what the v1 contract is trusted with: open, deposit, close, update, register-secret, unlock, punish, settle')
}
