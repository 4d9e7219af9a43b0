/** One channel of a town as its two owners use it: what they sign, and the calls with it. */
import { createHash } from 'node:crypto'
import { TypedDataEncoder, keccak256 } from 'ethers'
import type { TypedDataField } from 'ethers'
import { ZERO_ADDRESS, ZERO_HASH, bytesOf, concatBytes, hexOf } from '../../../src/base/index.ts'
import type { Address, Hash, Hex } from '../../../src/base/index.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { ALICE, BOB, CHAIN_ID } from './town.ts'
import type { Outcome, Town } from './town.ts'

/** photon.md 9.3, and ours for people without gas. */
export const TYPES: Readonly<Record<string, string>> = {
  BalanceProof: 'bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,bytes32 extra',
  UpdateDelegate: 'bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,address watcher,uint128 reward',
  CoopSettle: 'bytes32 channel,uint64 epoch,address p1,uint256 b1,address p2,uint256 b2,uint64 validUntil',
  Withdraw: 'bytes32 channel,uint64 epoch,address participant,uint128 total,uint64 validUntil',
  Voucher: 'bytes32 channel,uint64 epoch,uint256 cumulative,bytes32 tip,uint32 steps,uint128 unit',
  Disposed: 'bytes32 channel,uint64 epoch,bytes32 lockhash,bytes32 extra',
  Open: 'bytes32 channel,uint64 epoch,address participant,uint128 amount,uint32 settleTimeout,uint64 validUntil',
  Payment: 'address token,address from,address to,uint256 amount,bool inside,uint256 fee,address sender,uint256 number,uint64 validUntil',
  Opening: 'address token,address from,address partner,uint128 amount,uint32 settleTimeout,uint64 epoch,uint256 fee,address sender,uint256 number,uint64 validUntil',
}

export interface DomainOf {
  readonly name: string
  readonly version: string
  readonly contract: Address
  readonly chainId?: bigint
}

/** By ethers, not by our own hashing. */
export function digestOf(domain: DomainOf, type: string, values: Readonly<Record<string, unknown>>): Uint8Array {
  const fields = (TYPES[type] ?? '').split(',').map((field): TypedDataField => {
    const [kind = '', name = ''] = field.split(' ')
    return { type: kind, name }
  })
  return bytesOf(TypedDataEncoder.hash({ name: domain.name, version: domain.version, chainId: domain.chainId ?? CHAIN_ID, verifyingContract: domain.contract }, { [type]: fields }, values) as Hex)
}

export const sign = (who: Person, digest: Uint8Array): Uint8Array => native.sign(digest, who.key)

export interface Proof {
  readonly transferred: bigint
  readonly locksroot?: Hash
  readonly nonce: bigint
  readonly extra?: Hash
  readonly epoch?: bigint
}

export interface TestLock {
  readonly expiration: bigint
  readonly amount: bigint
  readonly secret: Hash
}
export const secretHashOf = (secret: Hash): Hash => hexOf(createHash('sha256').update(bytesOf(secret)).digest())
const wordOf = (value: bigint): Uint8Array => bytesOf(`0x${value.toString(16).padStart(64, '0')}`)
export const lockHashOf = (lock: TestLock): Hash => keccak256(concatBytes(wordOf(lock.expiration), wordOf(lock.amount), bytesOf(secretHashOf(lock.secret)))) as Hash
export const pairHash = (a: Hash, b: Hash): Hash => keccak256(a < b ? concatBytes(bytesOf(a), bytesOf(b)) : concatBytes(bytesOf(b), bytesOf(a))) as Hash
export const secretOf = (number: number): Hash => hexOf(wordOf(BigInt(number) + 7_000n))

/** w0 … wn: each is sha256 of the next; the last is `seed`. */
export function hashChain(seed: Hash, steps: number): readonly Hash[] {
  const chain = [seed]
  for (let step = 0; step < steps; step++) chain.unshift(secretHashOf(chain[0] ?? seed))
  return chain
}

export class Channel {
  readonly town: Town
  readonly token: Address
  readonly a: Person
  readonly b: Person
  epoch = 1n
  settleTimeout = 10
  id: Hash = ZERO_HASH

  constructor(town: Town, token: Address, a: Person = ALICE, b: Person = BOB) {
    this.town = town
    this.token = token
    this.a = a
    this.b = b
    const [low, high] = a.address < b.address ? [a.address, b.address] : [b.address, a.address]
    this.id = keccak256(concatBytes(bytesOf(low), bytesOf(high), bytesOf(token), bytesOf(town.photon))) as Hash
  }

  other(one: Person): Person {
    return one === this.a ? this.b : this.a
  }

  signed(who: Person, type: string, values: Readonly<Record<string, unknown>>): Uint8Array {
    return sign(who, digestOf({ name: 'Photon', version: '2', contract: this.town.photon }, type, { channel: this.id, epoch: this.epoch, ...values }))
  }

  call(from: Person | Address, method: string, ...values: readonly unknown[]): Promise<Outcome> {
    return this.town.call(typeof from === 'string' ? from : from.address, this.town.photon, method, ...values)
  }

  deposit(who: Person, amount: bigint, changes: { readonly from?: Person; readonly epoch?: bigint; readonly settleTimeout?: number } = {}): Promise<Outcome> {
    return this.call(changes.from ?? who, 'deposit', this.token, who.address, this.other(who).address, amount, changes.settleTimeout ?? this.settleTimeout, changes.epoch ?? this.epoch)
  }

  async opened(depositA: bigint, depositB: bigint): Promise<this> {
    for (const [who, amount] of [[this.a, depositA], [this.b, depositB]] as const) {
      const { verdict } = amount === 0n ? { verdict: 'ok' } : await this.deposit(who, amount)
      if (verdict !== 'ok') throw new Error(`deposit: ${verdict}`)
    }
    return this
  }

  /** What `payer` signs for his partner. */
  proofBy(payer: Person, proof: Proof): Uint8Array {
    return this.signed(payer, 'BalanceProof', { epoch: proof.epoch ?? this.epoch, nonce: proof.nonce, transferred: proof.transferred, locksroot: proof.locksroot ?? ZERO_HASH, extra: proof.extra ?? ZERO_HASH })
  }

  #posted(method: string, receiver: Person, proof: Proof | null): Promise<Outcome> {
    const payer = this.other(receiver)
    if (proof === null) return this.call(receiver, method, this.token, payer.address, 0n, ZERO_HASH, 0n, ZERO_HASH, '0x')
    return this.call(receiver, method, this.token, payer.address, proof.transferred, proof.locksroot ?? ZERO_HASH, proof.nonce, proof.extra ?? ZERO_HASH, this.proofBy(payer, proof))
  }

  close(who: Person, proof: Proof | null = null): Promise<Outcome> {
    return this.#posted('close', who, proof)
  }

  update(receiver: Person, proof: Proof): Promise<Outcome> {
    return this.#posted('update', receiver, proof)
  }

  delegated(receiver: Person, sender: Person, proof: Proof, watcher: Address = ZERO_ADDRESS, reward = 0n, changes: { readonly reward?: bigint; readonly signer?: Person } = {}): Promise<Outcome> {
    const payer = this.other(receiver)
    const { transferred, nonce, locksroot = ZERO_HASH, extra = ZERO_HASH } = proof
    const signature = this.signed(changes.signer ?? receiver, 'UpdateDelegate', { nonce, transferred, locksroot, watcher, reward })
    return this.call(sender, 'updateDelegate', [this.token, payer.address, receiver.address, transferred, locksroot, nonce, extra, watcher, changes.reward ?? reward], this.proofBy(payer, proof), signature)
  }

  unlock(receiver: Person, transferred: bigint, lock: TestLock, proof: readonly Hash[] = []): Promise<Outcome> {
    return this.call(receiver, 'unlock', this.token, this.other(receiver).address, transferred, lock.expiration, lock.amount, secretHashOf(lock.secret), proof)
  }

  register(secret: Hash): Promise<Outcome> {
    return this.town.call(this.a.address, this.town.registry, 'registerSecret', secret)
  }

  punish(payer: Person, lockHash: Hash, signer: Person = this.other(payer)): Promise<Outcome> {
    return this.call(payer, 'punish', this.token, this.other(payer).address, lockHash, ZERO_HASH, this.signed(signer, 'Disposed', { lockhash: lockHash, extra: ZERO_HASH }))
  }

  claim(payer: Person, voucher: { readonly cumulative: bigint; readonly tip?: Hash; readonly steps?: number; readonly unit?: bigint; readonly epoch?: bigint }, count = 0, preimage: Hash = ZERO_HASH, from: Person = this.other(payer), signer: Person = payer): Promise<Outcome> {
    const { cumulative, tip = ZERO_HASH, steps = 0, unit = 0n } = voucher
    const signature = this.signed(signer, 'Voucher', { epoch: voucher.epoch ?? this.epoch, cumulative, tip, steps, unit })
    return this.call(from, 'claim', [this.token, payer.address, this.other(payer).address, cumulative, tip, steps, unit], signature, preimage, count)
  }

  withdraw(who: Person, total: bigint, validUntil = this.town.number, signers: readonly [Person, Person] = [who, this.other(who)], epoch = this.epoch): Promise<Outcome> {
    const values = { participant: who.address, total, validUntil, epoch }
    return this.call(who, 'withdraw', this.token, who.address, this.other(who).address, total, validUntil, this.signed(signers[0], 'Withdraw', values), this.signed(signers[1], 'Withdraw', values))
  }

  coopSettle(balanceA: bigint, balanceB: bigint, validUntil = this.town.number, signers: readonly [Person, Person] = [this.a, this.b], epoch = this.epoch): Promise<Outcome> {
    const values = { p1: this.a.address, b1: balanceA, p2: this.b.address, b2: balanceB, validUntil, epoch }
    return this.call(this.a, 'coopSettle', this.token, this.a.address, balanceA, this.b.address, balanceB, validUntil, this.signed(signers[0], 'CoopSettle', values), this.signed(signers[1], 'CoopSettle', values))
  }

  /** What both sides have posted (and unlocked). */
  settle(ofA: readonly [bigint, Hash] = [0n, ZERO_HASH], ofB: readonly [bigint, Hash] = [0n, ZERO_HASH], from: Person = this.a): Promise<Outcome> {
    return this.call(from, 'settle', this.token, this.a.address, ...ofA, this.b.address, ...ofB)
  }

  /** Past the settle block and the time to punish. */
  async later(): Promise<void> {
    const [, , settleBlock] = (await this.town.ask(this.town.photon, 'info', this.token, this.a.address, this.b.address)).toArray() as [string, bigint, bigint]
    this.town.number = Number(settleBlock) + 258
  }

  async money(): Promise<readonly [bigint, bigint, bigint]> {
    return [await this.town.balance(this.token, this.a.address), await this.town.balance(this.token, this.b.address), await this.town.balance(this.token, this.town.photon)]
  }
}
