/**
 * A chain with a pool as a box may meet it: what is sent gets lost, prices jump, the last blocks are undone, and their
 * transactions come back or do not. One account. Everything by a seed.
 */
import { hexOf } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import type { ChainSight, Seal, TransactionTerms } from '../../../src/photon/chain/index.ts'
import type { ChainPoint } from '../../../src/photon/index.ts'
import type { RandomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'

export interface Known extends TransactionTerms {
  readonly hash: Hash
}

export interface MinedKnown extends Known {
  readonly succeeded: boolean
}

export const GOING_PRICE = 1_000n
export const DEPTH = 17

export class RoughChain {
  readonly #random: RandomStream
  readonly #byHash = new Map<Hash, Known>()
  readonly #pool = new Map<bigint, Known>()
  /** Block 0 is empty. */
  readonly blocks: MinedKnown[][] = [[]]
  #fork = 0
  /** What it takes to be mined now. */
  price = GOING_PRICE
  isCalm = false
  /** Does this call revert? */
  fails: (call: Known) => boolean = () => false

  constructor(random: RandomStream) {
    this.#random = random
  }

  readonly seal: Seal = (terms) => {
    const text = JSON.stringify([terms.nonce.toString(), terms.gasPriceWei.toString(), terms.gas.toString(), terms.to, hexOf(terms.data)])
    const raw = new TextEncoder().encode(text)
    const hash = hexOf(native.keccak256(raw))
    this.#byHash.set(hash, { ...terms, hash })
    return { hash, raw }
  }

  get head(): number {
    return this.blocks.length - 1
  }

  accountNonce(at = this.head): bigint {
    return BigInt(this.blocks.slice(0, at + 1).reduce((sum, block) => sum + block.length, 0))
  }

  find(hash: Hash): Known {
    const known = this.#byHash.get(hash)
    if (known === undefined) throw new Error(`nobody made ${hash}`)
    return known
  }

  /** Into the pool, unless it is lost on the way. A pool replaces only for an eighth more. */
  send(hash: Hash): void {
    const known = this.find(hash)
    if (!this.isCalm && this.#random.below(4) === 0) return
    const before = this.#pool.get(known.nonce)
    if (known.nonce < this.accountNonce()) return
    if (before === undefined || known.gasPriceWei * 8n >= before.gasPriceWei * 9n) this.#pool.set(known.nonce, known)
  }

  mine(): void {
    const block: MinedKnown[] = []
    let nonce = this.accountNonce()
    const room = this.isCalm ? 8 : this.#random.below(4)
    while (block.length < room) {
      const next = this.#pool.get(nonce)
      if (next === undefined || next.gasPriceWei < this.price) break
      block.push({ ...next, succeeded: !this.fails(next) })
      nonce++
    }
    this.blocks.push(block)
    for (const one of block) this.#pool.delete(one.nonce)
  }

  /** Undoes up to `most` blocks and grows one more than there were. */
  reorganise(most: number): void {
    const count = 1 + this.#random.below(Math.min(most, this.head))
    const undone = this.blocks.splice(this.blocks.length - count).flat()
    this.#fork++
    for (const one of undone) if (this.#random.below(3) > 0) this.#pool.set(one.nonce, one)
    for (let grown = 0; grown <= count; grown++) this.mine()
  }

  /** A node that was restarted has forgotten what was not mined. */
  forgetPool(): void {
    this.#pool.clear()
  }

  sight(hashes: readonly Hash[], balanceWei = 10n ** 18n): ChainSight {
    const receipts = new Map<Hash, { readonly point: ChainPoint; readonly succeeded: boolean }>()
    this.blocks.forEach((block, number) => {
      for (const { hash, succeeded } of block) if (hashes.includes(hash)) receipts.set(hash, { point: { number, hash: `0x${this.#fork}`, timeSeconds: number }, succeeded })
    })
    return { head: this.head, accountNonce: this.accountNonce(), balanceWei, safeNonce: this.head >= DEPTH ? this.accountNonce(this.head - DEPTH) : 0n, gasPriceWei: GOING_PRICE, receipts, orders: new Map() }
  }
}
