/**
 * The contract's rules for one channel, written from specs/photon.md 9.3 and independent of the code under test: what
 * a participant can make the chain pay. Every call either does its work and tells its event, or returns false.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Address, Hash } from '../../../src/base/index.ts'
import { ZERO_HASH, bytesOf, concatBytes, hexOf } from '../../../src/base/index.ts'
import type { BalanceProof, ChannelEvent, DueDuty, Lock, SecretEvent, SettleTerms } from '../../../src/photon/index.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import { CHANNEL } from './pair.ts'

interface Side {
  deposit: bigint
  withdrawn: bigint
  claimed: bigint
  nonce: bigint
  transferred: bigint
  locksroot: Hash
  isVoided: boolean
}

export class ContractModel {
  block: number
  state: 'open' | 'closed' | 'settled' = 'open'
  settleBlock = 0
  readonly sides: Record<Address, Side> = {}
  readonly paid: Record<Address, bigint> = {}
  readonly events: (ChannelEvent | SecretEvent)[] = []
  readonly #settleTimeout: number
  readonly #secrets = new Map<Hash, number>()
  readonly #unlocked = new Set<string>()
  readonly #ends: readonly [Address, Address]

  constructor(a: Address, depositA: bigint, b: Address, depositB: bigint, block: number, settleTimeout: number) {
    this.block = block
    this.#settleTimeout = settleTimeout
    this.#ends = a < b ? [a, b] : [b, a]
    for (const [who, deposit] of [
      [a, depositA],
      [b, depositB],
    ] as const) {
      this.sides[who] = { deposit, withdrawn: 0n, claimed: 0n, nonce: 0n, transferred: 0n, locksroot: ZERO_HASH, isVoided: false }
      this.paid[who] = 0n
    }
  }

  deposit(who: Address, amount: bigint): boolean {
    if (this.state !== 'open') return false
    const side = this.#side(who)
    side.deposit += amount
    return this.#tell({ kind: 'deposited', participant: who, total: side.deposit })
  }

  registerSecret(secret: Hash): boolean {
    const secretHash = secretHashOf(secret)
    if (secret === ZERO_HASH || this.#secrets.has(secretHash)) return false
    this.#secrets.set(secretHash, this.block)
    this.events.push({ kind: 'secret', secret, secretHash, block: this.block })
    return true
  }

  withdraw(who: Address, total: bigint, validUntil: number): boolean {
    const side = this.#side(who)
    const more = total - side.withdrawn
    if (this.state !== 'open' || this.block > validUntil || more <= 0n || more > this.pot()) return false
    side.withdrawn = total
    this.#pay(who, more)
    return this.#tell({ kind: 'withdrawn', participant: who, total })
  }

  /** `value`: cumulative + unit × steps, shown by voucher and preimage. */
  claim(payer: Address, value: bigint): boolean {
    const side = this.#side(payer)
    if (this.state === 'settled' || (this.state === 'closed' && this.block > this.settleBlock) || side.isVoided) return false
    if (value <= side.claimed || value + side.withdrawn > side.deposit || value - side.claimed > this.pot()) return false
    this.#pay(this.#other(payer), value - side.claimed)
    side.claimed = value
    return this.#tell({ kind: 'claimed', payer, cumulative: value })
  }

  cooperativeSettle(terms: SettleTerms): boolean {
    if (this.state !== 'open' || this.block > (terms.validUntil ?? 0) || terms.balance1 + terms.balance2 !== this.pot()) return false
    this.#pay(terms.p1, terms.balance1)
    this.#pay(terms.p2, terms.balance2)
    this.state = 'settled'
    const [low] = this.#ends
    const amounts: readonly [bigint, bigint] = terms.p1 === low ? [terms.balance1, terms.balance2] : [terms.balance2, terms.balance1]
    return this.#tell({ kind: 'settled', cooperative: true, amounts })
  }

  close(by: Address, proof: BalanceProof | null): boolean {
    if (this.state !== 'open') return false
    this.state = 'closed'
    this.settleBlock = this.block + this.#settleTimeout
    if (proof !== null) this.#post(this.#other(by), proof)
    const { nonce, transferred, locksroot } = proof ?? { nonce: 0n, transferred: 0n, locksroot: ZERO_HASH }
    return this.#tell({ kind: 'closed', by, nonce, transferred, locksroot, settleBlock: this.settleBlock })
  }

  update(by: Address, proof: BalanceProof): boolean {
    const payer = this.#other(by)
    if (!this.#isDisputed() || proof.nonce <= this.#side(payer).nonce) return false
    this.#post(payer, proof)
    return this.#tell({ kind: 'updated', payer, nonce: proof.nonce, locksroot: proof.locksroot, transferred: proof.transferred })
  }

  unlock(by: Address, transferred: bigint, lock: Lock, merkleProof: readonly Hash[]): boolean {
    const payer = this.#other(by)
    const side = this.#side(payer)
    const registered = this.#secrets.get(lock.secretHash)
    if (!this.#isDisputed() || registered === undefined || registered > lock.expiration) return false
    const word = (value: bigint): Uint8Array => bytesOf(`0x${value.toString(16).padStart(64, '0')}`)
    const leaf = hexOf(keccak_256(concatBytes(word(BigInt(lock.expiration)), word(lock.amount), bytesOf(lock.secretHash))))
    const root = merkleProof.reduce<Hash>((below, sibling) => hexOf(keccak_256(below < sibling ? concatBytes(bytesOf(below), bytesOf(sibling)) : concatBytes(bytesOf(sibling), bytesOf(below)))), leaf)
    const key = `${payer} ${side.nonce} ${leaf}`
    if (side.locksroot !== root || side.transferred !== transferred || this.#unlocked.has(key)) return false
    this.#unlocked.add(key)
    side.transferred += lock.amount
    return this.#tell({ kind: 'unlocked', payer, lockHash: leaf, transferred: side.transferred })
  }

  punish(by: Address, lockHash: Hash): boolean {
    const side = this.#side(by)
    const cheater = this.#other(by)
    if (this.state !== 'closed' || !this.#unlocked.delete(`${by} ${side.nonce} ${lockHash}`)) return false
    Object.assign(side, { nonce: 2n ** 64n - 1n, transferred: 0n, locksroot: ZERO_HASH, isVoided: true })
    const other = this.#side(cheater)
    const free = other.deposit - other.claimed - other.withdrawn
    if (free > 0n) {
      other.deposit -= free
      side.deposit += free
    }
    return this.#tell({ kind: 'punished', cheater, lockHash })
  }

  settle(figures: readonly { readonly participant: Address; readonly transferred: bigint; readonly locksroot: Hash }[]): boolean {
    if (this.state !== 'closed' || this.block <= this.settleBlock + 257) return false
    if (figures.some((said) => this.#side(said.participant).transferred !== said.transferred || this.#side(said.participant).locksroot !== said.locksroot)) return false
    const [low, high] = this.#ends
    const [a, b] = [this.#side(low), this.#side(high)]
    const most = (x: bigint, y: bigint): bigint => (x > y ? x : y)
    const pot = this.pot()
    const exact = a.deposit + most(b.transferred, b.claimed) - most(a.transferred, a.claimed) - b.claimed - a.withdrawn
    const share = exact < 0n ? 0n : exact > pot ? pot : exact
    this.#pay(low, share)
    this.#pay(high, pot - share)
    this.state = 'settled'
    return this.#tell({ kind: 'settled', cooperative: false, amounts: [share, pot - share] })
  }

  pot(): bigint {
    return Object.values(this.sides).reduce((sum, side) => sum + side.deposit - side.claimed - side.withdrawn, 0n)
  }

  /** Mines a duty of `by`; voucher values are kept as `cumulative`. */
  perform(by: Address, { duty }: DueDuty): boolean {
    switch (duty.kind) {
      case 'close':
        return this.close(by, duty.proof)
      case 'update':
        return this.update(by, duty.proof)
      case 'register-secret':
        return this.registerSecret(duty.secret)
      case 'unlock':
        return this.unlock(by, duty.transferred, duty.lock, duty.merkleProof)
      case 'punish':
        return this.punish(by, duty.lockHash)
      case 'claim':
        return this.claim(duty.payer, duty.voucher.cumulative + duty.voucher.unit * BigInt(duty.steps))
      case 'withdraw':
        return this.withdraw(duty.participant, duty.total, duty.validUntil)
      case 'cooperative-settle':
        return this.cooperativeSettle(duty.terms)
      case 'settle':
        return this.settle(duty.sides)
      default:
        return false
    }
  }

  #post(payer: Address, proof: BalanceProof): void {
    Object.assign(this.#side(payer), { nonce: proof.nonce, transferred: proof.transferred, locksroot: proof.locksroot })
  }

  #isDisputed(): boolean {
    return this.state === 'closed' && this.block <= this.settleBlock
  }

  #side(who: Address): Side {
    const side = this.sides[who]
    if (side === undefined) throw new Error(`${who} is no participant`)
    return side
  }

  #other(who: Address): Address {
    return who === this.#ends[0] ? this.#ends[1] : this.#ends[0]
  }

  #pay(who: Address, amount: bigint): void {
    this.paid[who] = (this.paid[who] ?? 0n) + amount
  }

  #tell(event: DistributiveOmit<ChannelEvent, 'channel' | 'block'>): boolean {
    this.events.push({ ...event, channel: CHANNEL, block: this.block } as ChannelEvent)
    return true
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
