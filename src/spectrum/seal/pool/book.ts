/**
 * What waits, by sender and nonce, without I/O: it judges a newcomer, and it is told what happened. Judging
 * changes nothing, so that a wallet's transaction can be on disk before it counts.
 *
 * - **Ready** are those whose nonces follow the account's without a hole; the others are **future**.
 * - A sender's transactions together never cost more than its balance: one purse cannot fill the pool.
 * - When the pool is full a ready newcomer pushes out peers' transactions, never a wallet's, which were
 *   acknowledged: futures first, which nobody can seal; then ready ones from the end of their sender's row,
 *   the cheapest first. For a ready one it must bid a tenth more than that one, and its surest fee (what its
 *   bytes cost at its price) must be a tenth more than those of all that it pushes out. So to flush the pool
 *   costs more, for real, than the pool is worth. A future newcomer pushes nobody out.
 */
import type { Address, Hash } from '../../codec/fields.ts'
import type { Transaction } from '../../codec/transaction.ts'
import { intrinsicGas } from '../../rules/economy.ts'
import { refuse } from './admission.ts'
import type { Newcomer, PoolRefusal } from './admission.ts'
import { isBetterBid } from './limits.ts'
import type { PoolLimits } from './limits.ts'

export type Origin = 'wallet' | 'peer'

export interface Waiting extends Omit<Newcomer, 'ok'> {
  readonly from: Origin
  /** Order of arrival. */
  readonly seq: number
}

export interface AccountAtHead {
  readonly nonce: bigint
  readonly balanceWei: bigint
}

export interface Admitted {
  readonly ok: true
  /** With the account it was judged by. */
  readonly item: Waiting
  readonly account: AccountAtHead
  readonly replaced: Waiting | null
  readonly evicted: readonly Waiting[]
}

/** One newcomer pushes out no more than this: a large one must not sweep the pool. */
const MAX_VICTIMS = 64

interface Row {
  account: AccountAtHead
  readonly items: Map<bigint, Waiting>
}

export class PoolBook {
  readonly #limits: PoolLimits
  readonly #rows = new Map<Address, Row>()
  readonly #byHash = new Map<Hash, Waiting>()
  #bytes = 0
  #walletCount = 0
  #walletBytes = 0
  #futures = 0
  #nextSeq = 0

  constructor(limits: PoolLimits) {
    this.#limits = limits
  }

  get(hash: Hash): Waiting | null {
    return this.#byHash.get(hash) ?? null
  }

  stats(): { readonly transactions: number; readonly bytes: number; readonly senders: number; readonly futures: number; readonly wallets: number } {
    return { transactions: this.#byHash.size, bytes: this.#bytes, senders: this.#rows.size, futures: this.#futures, wallets: this.#walletCount }
  }

  senders(): readonly Address[] {
    return [...this.#rows.keys()]
  }

  items(): Iterable<Waiting> {
    return this.#byHash.values()
  }

  nextNonce(sender: Address): bigint | null {
    const row = this.#rows.get(sender)
    return row === undefined ? null : row.account.nonce + BigInt(readyOf(row).length)
  }

  /** Would it wait here, and in whose place? Nothing is changed. */
  judge(newcomer: Newcomer, from: Origin, account: AccountAtHead): Admitted | PoolRefusal {
    const { transaction, sender, hash } = newcomer
    if (this.#byHash.has(hash)) return refuse('known', hash)
    const { nonce } = transaction
    if (nonce < account.nonce) return refuse('nonce-too-low', `nonce ${nonce}; the account's is ${account.nonce}`)
    const row: Row = { account, items: this.#rows.get(sender)?.items ?? new Map() }
    const replaced = row.items.get(nonce) ?? null
    if (replaced !== null && !isBetterBid(transaction.gasPriceWei, replaced.transaction.gasPriceWei))
      return refuse('replacement-underpriced', `${transaction.gasPriceWei} wei of gas price in the place of ${replaced.transaction.gasPriceWei}; a tenth more at least`)
    // What replaces a wallet's transaction is bound to outlast a restart like the one it replaces.
    const origin = replaced?.from === 'wallet' ? 'wallet' : from
    const item: Waiting = { hash, transaction, sender, bytes: newcomer.bytes, from: origin, seq: this.#nextSeq }
    return this.#judgeSender(row, item, replaced) ?? this.#judgeRoom(row, item, replaced)
  }

  #judgeSender(row: Row, item: Waiting, replaced: Waiting | null): PoolRefusal | null {
    const { perSender } = this.#limits
    const others = [...row.items.values()].filter((other) => other !== replaced)
    const cost = others.reduce((sum, other) => sum + costWei(other.transaction), costWei(item.transaction))
    if (cost > row.account.balanceWei) return refuse('insufficient-funds', `${cost} wei at most, with the ${others.length} that wait; the account has ${row.account.balanceWei}`)
    const isCrowd = this.#walletCount * 2 >= this.#limits.walletTransactions
    const most = item.from === 'peer' ? perSender.peer : isCrowd ? perSender.walletInCrowd : perSender.wallet
    if (others.length >= most) return refuse('pool-full', `${most} of this sender wait already`)
    const bytes = others.reduce((sum, other) => sum + other.bytes, item.bytes)
    if (bytes > perSender.bytes) return refuse('pool-full', `${bytes} bytes of this sender; at most ${perSender.bytes}`)
    if (isReady(row, item)) return null
    const { nonce } = item.transaction
    const reach = row.account.nonce + BigInt(perSender.wallet)
    if (nonce >= reach) return refuse('nonce-gap', `nonce ${nonce}; the account's is ${row.account.nonce}, and fewer than ${perSender.wallet} wait behind it`)
    const future = others.length - readyOf({ ...row, items: without(row.items, replaced) }).length
    if (future >= perSender.future) return refuse('nonce-gap', `${future} of this sender wait for an earlier nonce already`)
    return null
  }

  #judgeRoom(row: Row, item: Waiting, replaced: Waiting | null): Admitted | PoolRefusal {
    const { transactions, bytes, walletTransactions, walletBytes, peerTransactions, futureTransactions } = this.#limits
    const isWalletNew = item.from === 'wallet'
    const freed = { count: replaced === null ? 0 : 1, bytes: replaced?.bytes ?? 0 }
    const freedWallet = replaced?.from === 'wallet' ? freed : { count: 0, bytes: 0 }
    if (isWalletNew && (this.#walletCount - freedWallet.count + 1 > walletTransactions || this.#walletBytes - freedWallet.bytes + item.bytes > walletBytes))
      return refuse('pool-full', `${this.#walletCount} transactions of wallets wait, ${this.#walletBytes} bytes; at most ${walletTransactions} and ${walletBytes}`)
    const ready = isReady(row, item)
    if (!ready && replaced === null && this.#futures >= futureTransactions) return refuse('pool-full', `${futureTransactions} wait for an earlier nonce already`)
    const peers = this.#byHash.size - this.#walletCount - (freed.count - freedWallet.count)
    const excess = {
      count: Math.max(this.#byHash.size - freed.count + 1 - transactions, isWalletNew ? 0 : peers + 1 - peerTransactions),
      bytes: this.#bytes - freed.bytes + item.bytes - bytes,
    }
    const evicted = excess.count <= 0 && excess.bytes <= 0 ? [] : ready ? this.#victims(row, item, excess) : null
    if (evicted === null) return refuse('pool-full', `${this.#byHash.size} transactions wait, ${this.#bytes} bytes; this one does not bid enough for their place`)
    return { ok: true, item, account: row.account, replaced, evicted }
  }

  /** Whom the newcomer pushes out; null where it does not bid enough. */
  #victims(row: Row, item: Waiting, excess: { readonly count: number; readonly bytes: number }): readonly Waiting[] | null {
    const bid = effectivePrices(row, item).get(item.transaction.nonce) ?? item.transaction.gasPriceWei
    const sure = surestFee(item)
    const tails = new Map<Row, Tail>()
    for (const [sender, other] of this.#rows) if (sender !== item.sender) setTail(tails, other, new Set())
    const gone = new Set<Waiting>()
    let left = excess
    let readySure = 0n
    while (left.count > 0 || left.bytes > 0) {
      const victim = cheapestOf(tails)
      if (victim === null || gone.size >= MAX_VICTIMS) return null
      if (!victim.tail.isFuture) {
        readySure += surestFee(victim.tail.item)
        if (!isBetterBid(bid, victim.tail.price) || !isBetterBid(sure, readySure)) return null
      }
      gone.add(victim.tail.item)
      left = { count: left.count - 1, bytes: left.bytes - victim.tail.item.bytes }
      setTail(tails, victim.row, gone)
    }
    return [...gone]
  }

  /** What `judge` said, done. It must be the last thing that was judged. */
  apply({ item, account, replaced, evicted }: Admitted): void {
    for (const one of replaced === null ? evicted : [replaced, ...evicted]) this.drop(one.hash)
    this.#nextSeq = item.seq + 1
    const row = this.#rows.get(item.sender) ?? { account, items: new Map<bigint, Waiting>() }
    this.#changing(row, () => {
      row.account = account
      row.items.set(item.transaction.nonce, item)
    })
    this.#rows.set(item.sender, row)
    this.#byHash.set(item.hash, item)
    this.#bytes += item.bytes
    if (item.from !== 'wallet') return
    this.#walletCount++
    this.#walletBytes += item.bytes
  }

  /** Null: it does not wait here. */
  drop(hash: Hash): Waiting | null {
    const item = this.#byHash.get(hash)
    const row = item && this.#rows.get(item.sender)
    if (item === undefined || row === undefined) return null
    this.#changing(row, () => row.items.delete(item.transaction.nonce))
    if (row.items.size === 0) this.#rows.delete(item.sender)
    this.#byHash.delete(hash)
    this.#bytes -= item.bytes
    if (item.from === 'wallet') {
      this.#walletCount--
      this.#walletBytes -= item.bytes
    }
    return item
  }

  /** The account moved: what it has left behind, and from the end of its row what it cannot pay any more, is dropped. */
  refresh(sender: Address, account: AccountAtHead): readonly Waiting[] {
    const row = this.#rows.get(sender)
    if (row === undefined) return []
    this.#changing(row, () => {
      row.account = account
    })
    const dropped: Waiting[] = []
    let cost = 0n
    for (const item of [...row.items.values()].sort(byNonce)) {
      cost += costWei(item.transaction)
      if (item.transaction.nonce >= account.nonce && cost <= account.balanceWei) continue
      if (item.transaction.nonce < account.nonce) cost -= costWei(item.transaction)
      dropped.push(item)
    }
    for (const item of dropped) this.drop(item.hash)
    return dropped
  }

  /**
   * Ready ones, best first, each sender's in order of nonce; one that needs more gas than is left ends its
   * sender's row. Sorted by the least price up to each, so that nobody comes before what it waits for.
   */
  candidates(maxGas: bigint, maxCount: number): readonly Transaction[] {
    const ranked: { item: Waiting; price: bigint; age: number }[] = []
    for (const row of this.#rows.values()) {
      let price: bigint | null = null
      let age = 0
      for (const item of readyOf(row)) {
        price = price === null || item.transaction.gasPriceWei < price ? item.transaction.gasPriceWei : price
        age = Math.max(age, item.seq)
        ranked.push({ item, price, age })
      }
    }
    ranked.sort((a, b) => (a.price === b.price ? a.age - b.age || byNonce(a.item, b.item) : a.price > b.price ? -1 : 1))
    const chosen: Transaction[] = []
    const ended = new Set<Address>()
    let left = maxGas
    for (const { item } of ranked) {
      if (chosen.length >= maxCount) break
      if (ended.has(item.sender)) continue
      if (item.transaction.gas > left) {
        ended.add(item.sender)
        continue
      }
      left -= item.transaction.gas
      chosen.push(item.transaction)
    }
    return chosen
  }

  #changing(row: Row, change: () => void): void {
    this.#futures -= row.items.size - readyOf(row).length
    change()
    this.#futures += row.items.size - readyOf(row).length
  }
}

/** Most that it can take from its sender. */
function costWei(transaction: Transaction): bigint {
  return transaction.valueWei + transaction.gas * transaction.gasPriceWei
}

function surestFee({ transaction }: Waiting): bigint {
  return intrinsicGas(transaction) * transaction.gasPriceWei
}

function readyOf({ account, items }: Row): Waiting[] {
  const ready: Waiting[] = []
  for (let nonce = account.nonce; ; nonce++) {
    const item = items.get(nonce)
    if (item === undefined) return ready
    ready.push(item)
  }
}

/** With `item` in its place: does everything before it wait too? */
function isReady(row: Row, item: Waiting): boolean {
  for (let nonce = row.account.nonce; nonce < item.transaction.nonce; nonce++) if (!row.items.has(nonce)) return false
  return true
}

function without(items: ReadonlyMap<bigint, Waiting>, item: Waiting | null): Map<bigint, Waiting> {
  const rest = new Map(items)
  if (item !== null) rest.delete(item.transaction.nonce)
  return rest
}

/** By nonce: the least price up to there, of the ready ones. `item`: in its place, though it is not there yet. */
function effectivePrices(row: Row, item: Waiting | null): ReadonlyMap<bigint, bigint> {
  const prices = new Map<bigint, bigint>()
  let least: bigint | null = null
  for (let nonce = row.account.nonce; ; nonce++) {
    const here = item?.transaction.nonce === nonce ? item : row.items.get(nonce)
    if (here === undefined) return prices
    least = least === null || here.transaction.gasPriceWei < least ? here.transaction.gasPriceWei : least
    prices.set(nonce, least)
  }
}

function byNonce(a: Waiting, b: Waiting): number {
  return a.transaction.nonce < b.transaction.nonce ? -1 : a.transaction.nonce > b.transaction.nonce ? 1 : 0
}

/** What could be pushed out of a row: its last one. */
interface Tail {
  readonly item: Waiting
  readonly isFuture: boolean
  /** The least up to it; its own where it is a future one. */
  readonly price: bigint
}

function setTail(tails: Map<Row, Tail>, row: Row, gone: ReadonlySet<Waiting>): void {
  let item: Waiting | null = null
  for (const other of row.items.values()) if (!gone.has(other) && (item === null || other.transaction.nonce > item.transaction.nonce)) item = other
  tails.delete(row)
  if (item === null || item.from === 'wallet') return
  const price = effectivePrices(row, null).get(item.transaction.nonce)
  tails.set(row, { item, isFuture: price === undefined, price: price ?? item.transaction.gasPriceWei })
}

function cheapestOf(tails: ReadonlyMap<Row, Tail>): { readonly row: Row; readonly tail: Tail } | null {
  let best: { row: Row; tail: Tail } | null = null
  for (const [row, tail] of tails) if (best === null || isCheaper(tail, best.tail)) best = { row, tail }
  return best
}

function isCheaper(a: Tail, b: Tail): boolean {
  if (a.isFuture !== b.isFuture) return a.isFuture
  return a.price === b.price ? a.item.seq > b.item.seq : a.price < b.price
}
