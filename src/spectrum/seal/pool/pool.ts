/**
 * The transaction pool: the book behind one line of work. Whatever changes the book goes through the line one
 * after another, because accounts are proved and rows written in between. A wallet's transaction is on disk
 * before it is acknowledged; a peer's lives in memory only.
 */
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import type { Store } from '../../../store/index.ts'
import type { Address, Hash } from '../../codec/fields.ts'
import { encodeTransaction, hashTransaction } from '../../codec/transaction.ts'
import type { Transaction } from '../../codec/transaction.ts'
import type { ChainBlock, ChainEvent, ChainView, ProvedState, TransactionPool } from '../../ports.ts'
import { WorkLine } from '../breath.ts'
import { deleteFinalPoolRows, deletePoolRow, insertPoolRow, poolRows, setPoolRowMined } from '../io/pool-rows.ts'
import { admit, refuse } from './admission.ts'
import type { Newcomer, PoolRefusal } from './admission.ts'
import { PoolBook } from './book.ts'
import type { AccountAtHead, Admitted, Origin, Waiting } from './book.ts'
import { DEFAULT_POOL_LIMITS, MAX_POOLED_BYTES, RELAY_MIN_GAS_PRICE_WEI, SEALER_MIN_GAS_PRICE_WEI, checkPoolLimits } from './limits.ts'
import type { PoolLimits } from './limits.ts'

export interface PoolOptions {
  readonly curve: Secp256k1
  readonly chain: ChainView
  readonly state: Pick<ProvedState, 'account'>
  readonly store: Store
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly isSealer: boolean
  /** Default: 18 Gwei for a sealer, 1 wei otherwise. */
  readonly minGasPriceWei?: bigint
  readonly limits?: PoolLimits
}

/** What the sealing part asks of a pool beyond the port. */
export interface SealingPool extends TransactionPool {
  /** The last head is taken in, and all that was added before. */
  settled(): Promise<void>
  /** A build found that the state will never take them. */
  forget(hashes: readonly Hash[]): Promise<void>
  close(): Promise<void>
}

type AddResult = { readonly ok: true; readonly hash: Hash } | PoolRefusal

/** Adds that may wait for their turn; more are refused, peers' ones sooner. */
const MAX_LINE = 1024
const MAX_LINE_FOR_PEERS = 256
/** No block gets more, whatever gas is left: its roots are made on the event loop. */
const MAX_CANDIDATES = 256
/** Wallets' transactions that still wait are told again so often, the oldest first and so many: a peer may have been away, or this box. */
const TELL_AGAIN_MS = 60_000
const MOST_TOLD_AGAIN = 64
/** Refusals of a kept transaction that a later block can heal. */
const HEALS: ReadonlySet<PoolRefusal['code']> = new Set(['insufficient-funds', 'nonce-gap', 'pool-full'])

/** Loads what was kept for this chain. Errors: input for wrong limits; those of the store. */
export async function openTransactionPool(options: PoolOptions): Promise<SealingPool> {
  const pool = new Pool(options)
  await pool.open()
  return pool
}

class Pool implements SealingPool {
  readonly #options: PoolOptions
  readonly #book: PoolBook
  readonly #line: WorkLine
  readonly #listeners = new Set<Parameters<TransactionPool['onAdded']>[0]>()
  /** Wallets' transactions in blocks that are not final, by hash: the block. */
  readonly #mined = new Map<Hash, number>()
  /** Wallets' transactions from disk that cannot be placed at this head: tried again at the next. */
  readonly #parked = new Map<Hash, Newcomer>()
  readonly #minGasPriceWei: bigint
  #heads = 0
  #off: Cancel = () => undefined
  #stopTelling: Cancel = () => undefined

  constructor(options: PoolOptions) {
    this.#options = options
    this.#book = new PoolBook(checkPoolLimits(options.limits ?? DEFAULT_POOL_LIMITS))
    this.#line = new WorkLine(options.clock, options.timers, MAX_LINE)
    this.#minGasPriceWei = options.minGasPriceWei ?? (options.isSealer ? SEALER_MIN_GAS_PRICE_WEI : RELAY_MIN_GAS_PRICE_WEI)
  }

  async open(): Promise<void> {
    this.#off = this.#options.chain.on((event) => this.#hear(event))
    this.#stopTelling = this.#options.timers.every(TELL_AGAIN_MS, () => this.#tellAgain())
    await this.#line.always(() => this.#load())
  }

  async add(transaction: Uint8Array, from: Origin): Promise<AddResult> {
    const most = from === 'wallet' ? MAX_LINE : MAX_LINE_FOR_PEERS
    if (this.#line.waiting >= most) return refuse('pool-full', `${most} wait for their check already`)
    if (transaction.length > MAX_POOLED_BYTES) return refuse('too-large', `${transaction.length} bytes; at most ${MAX_POOLED_BYTES}`)
    // Copied: it waits in the line, and the caller's buffer is the caller's.
    const bytes = Uint8Array.from(transaction)
    const added = await this.#line.run(() => this.#add(bytes, from))
    if (added.ok) this.#tell(bytes, added.hash, false)
    return added
  }

  get(hash: Hash): Transaction | null {
    return this.#book.get(hash)?.transaction ?? null
  }

  nextNonce(sender: Address): bigint | null {
    return this.#book.nextNonce(sender)
  }

  candidates(maxGas: bigint): readonly Transaction[] {
    return this.#book.candidates(maxGas, MAX_CANDIDATES)
  }

  stats(): { readonly transactions: number; readonly bytes: number; readonly senders: number } {
    const { transactions, bytes, senders } = this.#book.stats()
    return { transactions, bytes, senders }
  }

  onAdded(listener: Parameters<TransactionPool['onAdded']>[0]): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async settled(): Promise<void> {
    await this.#line.settled()
  }

  async forget(hashes: readonly Hash[]): Promise<void> {
    await this.#line.always(() => this.#drop(hashes.map((hash) => this.#book.get(hash))))
  }

  async close(): Promise<void> {
    this.#off()
    this.#stopTelling()
    await this.#line.close()
  }

  async #add(bytes: Uint8Array, from: Origin): Promise<AddResult> {
    const newcomer = this.#admit(bytes)
    if (!newcomer.ok) return newcomer
    try {
      return await this.#place(newcomer, from, from === 'wallet')
    } catch (thrown) {
      // A wallet is told that the box cannot answer now; a peer's transaction is let go.
      if (from === 'wallet' || !(thrown instanceof MeshBoxError)) throw thrown
      return refuse('pool-full', `the sender's account cannot be proved now: ${thrown.message}`)
    }
  }

  #admit(bytes: Uint8Array): Newcomer | PoolRefusal {
    const { curve, chain } = this.#options
    return admit(
      {
        curve,
        network: chain.network,
        minGasPriceWei: this.#minGasPriceWei,
        blockGasLimit: chain.head().header.gasLimit,
        isKnown: (hash) => this.#book.get(hash) !== null || this.#parked.has(hash),
      },
      bytes,
    )
  }

  /** `keep`: a row is to be written first. */
  async #place(newcomer: Newcomer, from: Origin, keep: boolean): Promise<AddResult> {
    const account = await this.#accountOf(newcomer.sender)
    await this.#drop(this.#book.refresh(newcomer.sender, account), true)
    const verdict = this.#book.judge(newcomer, from, account)
    if (!verdict.ok) return verdict
    const mustKeep = keep || (verdict.item.from === 'wallet' && from === 'peer')
    if (mustKeep || verdict.replaced?.from === 'wallet') await this.#keep(verdict, mustKeep)
    this.#book.apply(verdict)
    return { ok: true, hash: newcomer.hash }
  }

  async #keep({ item, replaced }: Admitted, isNew: boolean): Promise<void> {
    const genesis = this.#options.chain.network.genesisHash
    await this.#options.store.turn((tx) => {
      if (replaced?.from === 'wallet') deletePoolRow(tx, genesis, replaced.hash)
      if (isNew) insertPoolRow(tx, genesis, item.hash, encodeTransaction(item.transaction))
    })
  }

  async #accountOf(sender: Address): Promise<AccountAtHead> {
    const { nonce, balanceWei } = await this.#options.state.account(this.#options.chain.head().header, sender)
    return { nonce, balanceWei }
  }

  /** `isGone`: the book has dropped them already. */
  async #drop(items: readonly (Waiting | null)[], isGone = false): Promise<void> {
    const here = items.filter((item) => item !== null)
    const kept = here.filter((item) => item.from === 'wallet')
    const genesis = this.#options.chain.network.genesisHash
    if (kept.length > 0) {
      for (const item of kept) this.#options.log.info('a transaction of a wallet can never be sealed', { hash: item.hash, sender: item.sender, nonce: item.transaction.nonce })
      await this.#options.store.turn((tx) => {
        for (const item of kept) deletePoolRow(tx, genesis, item.hash)
      })
    }
    if (!isGone) for (const item of here) this.#book.drop(item.hash)
  }

  #tell(bytes: Uint8Array, hash: Hash, isAgain: boolean): void {
    for (const listener of this.#listeners) {
      try {
        listener(bytes, hash, isAgain)
      } catch (thrown) {
        this.#options.log.error('a listener of the pool failed', { error: asError(thrown) })
      }
    }
  }

  #tellAgain(): void {
    const waiting = [...this.#book.items()].filter((item) => item.from === 'wallet').slice(0, MOST_TOLD_AGAIN)
    for (const item of waiting) this.#tell(encodeTransaction(item.transaction), item.hash, true)
  }

  #hear(event: ChainEvent): void {
    if (event.kind !== 'head' && event.kind !== 'final') return
    if (event.kind === 'head') this.#heads++
    const turn = this.#heads
    const work = event.kind === 'head' ? () => this.#takeHead(event.added, event.removed, turn) : () => this.#takeFinal(event.block.header.number)
    this.#line.always(work).catch((thrown: unknown) => {
      this.#options.log.error('the pool could not take in a block', { number: this.#options.chain.head().header.number, error: asError(thrown) })
    })
  }

  async #takeHead(added: readonly ChainBlock[], removed: readonly ChainBlock[], turn: number): Promise<void> {
    const isEmpty = this.#book.stats().transactions === 0 && this.#parked.size === 0
    if (isEmpty && removed.length === 0) return
    const mined = new Set<Hash>()
    for (const block of added) {
      for (const transaction of this.#options.chain.body(block.hash)?.transactions ?? []) {
        const hash = hashTransaction(this.#options.curve, transaction)
        mined.add(hash)
        await this.#takeMined(hash, block.header.number)
        await this.#line.breathe()
      }
    }
    await this.#refreshAll(turn)
    for (const block of removed) await this.#putBack(block, mined)
    await this.#retryParked()
  }

  async #takeMined(hash: Hash, number: number): Promise<void> {
    const item = this.#book.get(hash)
    const isKept = item?.from === 'wallet' || this.#parked.has(hash) || this.#mined.has(hash)
    if (isKept) {
      await this.#options.store.turn((tx) => setPoolRowMined(tx, this.#options.chain.network.genesisHash, hash, number))
      this.#mined.set(hash, number)
      this.#parked.delete(hash)
    }
    if (item !== null) this.#book.drop(hash)
  }

  async #refreshAll(turn: number): Promise<void> {
    for (const sender of this.#book.senders()) {
      // A later head waits in the line: it will look at the accounts.
      if (turn !== this.#heads) return
      await this.#line.breathe()
      const account = await this.#provedOrNull(sender)
      if (account === null) return
      await this.#drop(this.#book.refresh(sender, account), true)
    }
  }

  /** Null: not to be had now; what waits stays as it was judged, and a build leaves out what does not fit. */
  async #provedOrNull(sender: Address): Promise<AccountAtHead | null> {
    try {
      return await this.#accountOf(sender)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      this.#options.log.warn('accounts of waiting transactions cannot be proved now', { sender, reason: thrown.message })
      return null
    }
  }

  /** What was in a block that is none any more waits again, if it still can. */
  async #putBack(block: ChainBlock, mined: ReadonlySet<Hash>): Promise<void> {
    for (const transaction of this.#options.chain.body(block.hash)?.transactions ?? []) {
      await this.#line.breathe()
      const bytes = encodeTransaction(transaction)
      const hash = hashTransaction(this.#options.curve, transaction)
      if (mined.has(hash)) continue
      const isWallets = this.#mined.delete(hash)
      if (!isWallets) {
        await this.#add(bytes, 'peer')
        continue
      }
      await this.#options.store.turn((tx) => setPoolRowMined(tx, this.#options.chain.network.genesisHash, hash, null))
      const back = this.#admit(bytes)
      if (back.ok) await this.#unpark(back)
      else if (back.code !== 'known') await this.#giveUp(hash, back)
    }
  }

  async #retryParked(): Promise<void> {
    for (const newcomer of [...this.#parked.values()]) {
      await this.#line.breathe()
      await this.#unpark(newcomer)
    }
  }

  /** A kept one finds its place, waits for a better head, or is of no use any more. */
  async #unpark(newcomer: Newcomer): Promise<void> {
    const account = await this.#provedOrNull(newcomer.sender)
    const placed = account === null ? null : await this.#place(newcomer, 'wallet', true)
    this.#parked.delete(newcomer.hash)
    if (placed === null || (!placed.ok && HEALS.has(placed.code))) this.#parked.set(newcomer.hash, newcomer)
    else if (!placed.ok) await this.#giveUp(newcomer.hash, placed)
  }

  async #giveUp(hash: Hash, { code, reason }: PoolRefusal): Promise<void> {
    this.#options.log.info('a transaction of a wallet is of no use any more', { hash, refusal: code, reason })
    await this.#options.store.turn((tx) => deletePoolRow(tx, this.#options.chain.network.genesisHash, hash))
  }

  async #takeFinal(number: number): Promise<void> {
    const final = [...this.#mined].filter(([, block]) => block <= number)
    if (final.length === 0) return
    await this.#options.store.turn((tx) => deleteFinalPoolRows(tx, this.#options.chain.network.genesisHash, number))
    for (const [hash] of final) this.#mined.delete(hash)
  }

  async #load(): Promise<void> {
    const { store, chain } = this.#options
    const genesis = chain.network.genesisHash
    for (const { hash, raw, minedIn } of store.read((tx) => poolRows(tx, genesis))) {
      await this.#line.breathe()
      const number = chain.transaction(hash)?.number ?? null
      if (number !== minedIn) await store.turn((tx) => setPoolRowMined(tx, genesis, hash, number))
      if (number !== null) {
        this.#mined.set(hash, number)
        continue
      }
      const newcomer = this.#admit(raw)
      if (newcomer.ok) await this.#unpark(newcomer)
      else await this.#giveUp(hash, newcomer)
    }
    await this.#takeFinal(chain.final()?.header.number ?? -1)
  }
}
