/**
 * One life of a channel as its two owners know it off the chain, and what they have signed. An honest owner signs and
 * takes only what the rules in PhotonV2.sol's head allow; so what the chain pays him in the end has a lower bound.
 */
import { ZERO_HASH } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import type { Digests } from '../../../src/photon/wire/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { lockHashOf } from './channel.ts'
import type { TestLock } from './channel.ts'
import { CHAIN_ID } from './town.ts'

export interface SignedProof {
  readonly nonce: bigint
  readonly transferred: bigint
  readonly lock: TestLock | null
  readonly locksroot: Hash
  readonly signature: Uint8Array
}

export interface SignedVoucher {
  readonly cumulative: bigint
  readonly signature: Uint8Array
}

/** What one owner has given, and taken out. */
export interface SideBook {
  readonly who: Person
  deposit: bigint
  withdrawn: bigint
  claimed: bigint
  /** By proofs and vouchers together. */
  transferred: bigint
  voucherTop: bigint
  nonce: bigint
  lock: TestLock | null
  readonly proofs: SignedProof[]
  readonly vouchers: SignedVoucher[]
  /** To watchers, at most. */
  promised: bigint
  /** This owner has signed that he gives up the partner's lock. */
  gaveUp: Hash | null
  hasUnlocked: boolean
  /** He gave it up and unlocked it all the same. */
  isCheater: boolean
  /** Of what this owner paid, as it stands on the chain. */
  posted: { transferred: bigint; locksroot: Hash; nonce: bigint }
  /** Received on the chain, in this life. */
  received: bigint
}

export type Phase = 'none' | 'open' | 'closed'

export class Life {
  readonly id: Hash
  readonly token: Address
  readonly sides: readonly [SideBook, SideBook]
  readonly epoch: bigint
  readonly settleTimeout: number
  phase: Phase = 'none'
  settleBlock = 0
  /** Its owners work together: nothing is promised to them. */
  isConspiracy = false

  constructor(id: Hash, token: Address, people: readonly [Person, Person], epoch: bigint, settleTimeout: number) {
    this.id = id
    this.token = token
    this.epoch = epoch
    this.settleTimeout = settleTimeout
    this.sides = [book(people[0]), book(people[1])]
  }

  other(side: SideBook): SideBook {
    return this.sides[0] === side ? this.sides[1] : this.sides[0]
  }

  /** What this owner may still give away: his deposit, and what he got in a way that cannot be claimed from the pot. */
  spendable(side: SideBook): bigint {
    const other = this.other(side)
    return side.deposit - side.withdrawn + (other.transferred - other.voucherTop) - side.transferred - (side.lock?.amount ?? 0n)
  }

  /** A voucher lets the partner take all that he was ever given from the pot: then what he gave back must be covered by his own deposit. */
  mayGiveVoucher(side: SideBook, amount: bigint): boolean {
    const other = this.other(side)
    const isCovered = other.transferred + (other.lock?.amount ?? 0n) <= other.deposit - other.withdrawn
    return isCovered && side.transferred + amount <= side.deposit - side.withdrawn
  }

  /** What is his, whoever does what: locks count as paid for the payer, and as nothing for the receiver. */
  guaranteed(side: SideBook): bigint {
    const other = this.other(side)
    return side.deposit - side.withdrawn + other.transferred - side.transferred - (side.lock?.amount ?? 0n) - side.promised
  }
}

function book(who: Person): SideBook {
  return { who, deposit: 0n, withdrawn: 0n, claimed: 0n, transferred: 0n, voucherTop: 0n, nonce: 0n, lock: null, proofs: [], vouchers: [], promised: 0n, gaveUp: null, hasUnlocked: false, isCheater: false, posted: { transferred: 0n, locksroot: ZERO_HASH, nonce: 0n }, received: 0n }
}

/** Signatures by our own digests: quick, and held to the contract's by everything that is accepted. */
export class Signer {
  readonly digests: Digests

  constructor(photon: Address) {
    this.digests = createDigests({ profile: 'v2', chainId: CHAIN_ID, contract: photon }, (bytes) => native.keccak256(bytes))
  }

  proof(life: Life, side: SideBook, nonce: bigint, transferred: bigint, lock: TestLock | null): SignedProof {
    const locksroot = lock === null ? ZERO_HASH : lockHashOf(lock)
    const digest = this.digests.balanceProof({ channel: life.id, epoch: life.epoch, nonce, transferred, locksroot, extra: ZERO_HASH })
    return { nonce, transferred, lock, locksroot, signature: native.sign(digest, side.who.key) }
  }

  /** Gives on: by a proof, with a new lock or without, or by a voucher. */
  give(life: Life, side: SideBook, amount: bigint, lock: TestLock | null): void {
    side.transferred += amount
    side.lock = lock ?? side.lock
    side.nonce++
    side.proofs.push(this.proof(life, side, side.nonce, side.transferred, side.lock))
  }

  giveVoucher(life: Life, side: SideBook, amount: bigint): void {
    side.transferred += amount
    side.voucherTop = side.transferred
    side.vouchers.push(this.voucher(life, side, side.transferred))
  }

  voucher(life: Life, side: SideBook, cumulative: bigint): SignedVoucher {
    const digest = this.digests.voucher({ channel: life.id, epoch: life.epoch, cumulative, tip: ZERO_HASH, steps: 0, unit: 0n })
    return { cumulative, signature: native.sign(digest, side.who.key) }
  }

  delegation(life: Life, receiver: SideBook, proof: SignedProof, watcher: Address | null, reward: bigint): Uint8Array {
    const { nonce, transferred, locksroot } = proof
    return native.sign(this.digests.updateDelegation({ channel: life.id, epoch: life.epoch, nonce, transferred, locksroot, watcher, reward }), receiver.who.key)
  }

  disposed(life: Life, side: SideBook, lockHash: Hash): Uint8Array {
    return native.sign(this.digests.disposed({ channel: life.id, epoch: life.epoch }, lockHash, ZERO_HASH), side.who.key)
  }

  withdrawal(life: Life, side: SideBook, total: bigint, validUntil: number, signers: readonly Person[]): readonly Uint8Array[] {
    const digest = this.digests.withdraw({ channel: life.id, epoch: life.epoch }, { profile: 'v2', participant: side.who.address, total, validUntil })
    return signers.map((one) => native.sign(digest, one.key))
  }

  settlement(life: Life, balances: readonly [bigint, bigint], validUntil: number): readonly Uint8Array[] {
    const [a, b] = life.sides
    const digest = this.digests.cooperativeSettle({ channel: life.id, epoch: life.epoch }, { p1: a.who.address, balance1: balances[0], p2: b.who.address, balance2: balances[1], validUntil })
    return [a, b].map((side) => native.sign(digest, side.who.key))
  }
}
