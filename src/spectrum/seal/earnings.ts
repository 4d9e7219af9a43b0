/**
 * What sealing earned, into the ledger: the block reward and the fees of final blocks whose coinbase is the
 * owner's. Never before a block is final, each block once, in the same turn as the place where to go on.
 */
import { asError, momentOf } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import type { Ledger } from '../../ledger/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Store, Tx } from '../../store/index.ts'
import type { Body } from '../codec/body.ts'
import type { Address } from '../codec/fields.ts'
import { recoverSealer } from '../codec/header.ts'
import type { Receipt } from '../codec/receipt.ts'
import { isChief } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import type { ChainView } from '../ports.ts'
import { blockRewardWei } from '../rules/economy.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { WorkLine } from './breath.ts'
import { earningsCursor, setEarningsCursor } from './io/earnings-rows.ts'
import type { EarningsCursor } from './io/earnings-rows.ts'

export interface EarningsOptions {
  readonly curve: Secp256k1
  readonly chain: ChainView
  readonly store: Store
  readonly ledger: Ledger
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** Is it a wallet of the owner? */
  readonly isOwners: (coinbase: Address) => boolean
  /** Only blocks of this key: boxes of one owner share a wallet, and each books its own. Null: whoever sealed. */
  readonly sealedBy: Address | null
  /** Symbol of the chain's own coin in the ledger. */
  readonly token: string
}

export interface Earnings {
  /** Books what became final since last time. Before the first start nothing is looked at. */
  start(): Promise<void>
  /** `uncounted`: own blocks whose fees are not booked, for want of their receipts. */
  status(): EarningsCursor
  /** All that is final is booked. */
  settled(): Promise<void>
  stop(): Promise<void>
}

const FROM_ACCOUNT = 'cash:chain'
const BLOCKS_PER_TURN = 32
/** Where no block is final yet: the chain's start is not below this. */
const FINAL_DEPTH = 34
const MAX_WAITING = 1024

export interface Earned {
  readonly rewardWei: bigint
  /** Null: the receipts do not say. */
  readonly feesWei: bigint | null
}

/** What a block paid to its coinbase. */
export function earnedIn(network: Network, { header }: KnownHeader, body: Body | null, receipts: readonly Receipt[] | null): Earned {
  const rewardWei = blockRewardWei(network, header.number)
  if (header.gasUsed === 0n) return { rewardWei, feesWei: 0n }
  if (body === null || receipts?.length !== body.transactions.length) return { rewardWei, feesWei: null }
  let feesWei = 0n
  let before = 0n
  for (const [index, { to, gasPriceWei }] of body.transactions.entries()) {
    const used = receipts[index]?.cumulativeGasUsed ?? before
    // A call of a chief is paid back to its sender (spec 1.3).
    if (to === null || !isChief(network, to)) feesWei += (used - before) * gasPriceWei
    before = used
  }
  return { rewardWei, feesWei: before === header.gasUsed ? feesWei : null }
}

export function createEarnings(options: EarningsOptions): Earnings {
  return new BoundEarnings(options)
}

class BoundEarnings implements Earnings {
  readonly #options: EarningsOptions
  readonly #line: WorkLine
  #off: Cancel = () => undefined

  constructor(options: EarningsOptions) {
    this.#options = options
    this.#line = new WorkLine(options.clock, options.timers, MAX_WAITING)
  }

  async start(): Promise<void> {
    const { chain, store } = this.#options
    const genesis = chain.network.genesisHash
    if (store.read((tx) => earningsCursor(tx, genesis)) === null) {
      const postedTo = chain.final()?.header.number ?? Math.max(0, chain.head().header.number - FINAL_DEPTH)
      await store.turn((tx) => setEarningsCursor(tx, genesis, { postedTo, uncounted: 0 }))
    }
    this.#off = chain.on((event) => {
      if (event.kind === 'final' && !this.#line.isFull) this.#catchUp()
    })
    this.#catchUp()
    await this.#line.settled()
  }

  status(): EarningsCursor {
    const { store, chain } = this.#options
    return store.read((tx) => earningsCursor(tx, chain.network.genesisHash)) ?? { postedTo: 0, uncounted: 0 }
  }

  async settled(): Promise<void> {
    await this.#line.settled()
  }

  async stop(): Promise<void> {
    this.#off()
    await this.#line.close()
  }

  #catchUp(): void {
    this.#line
      .always(() => this.#postFinal())
      .catch((thrown: unknown) => {
        // The place where to go on has not moved: the next final block tries again.
        this.#options.log.error('earnings of the chain could not be booked', { error: asError(thrown) })
      })
  }

  async #postFinal(): Promise<void> {
    const { chain, store } = this.#options
    for (;;) {
      const final = chain.final()?.header.number ?? -1
      const { postedTo, uncounted } = this.status()
      if (final <= postedTo || chain.alarm() !== null) return
      const to = Math.min(final, postedTo + BLOCKS_PER_TURN)
      const found = Array.from({ length: to - postedTo }, (_, index) => this.#earningOf(postedTo + 1 + index)).filter((one) => one !== null)
      await store.turn((tx) => {
        for (const one of found) this.#post(tx, one)
        const more = found.filter((one) => one.feesWei === null).length
        setEarningsCursor(tx, chain.network.genesisHash, { postedTo: to, uncounted: uncounted + more })
      })
      await this.#line.breathe()
    }
  }

  #earningOf(number: number): (Earned & { readonly block: KnownHeader }) | null {
    const { chain, curve, isOwners, sealedBy } = this.#options
    const block = chain.headerAt(number)
    if (block === null || !isOwners(block.header.coinbase)) return null
    if (sealedBy !== null && recoverSealer(curve, block.header)?.address !== sealedBy) return null
    return { block, ...earnedIn(chain.network, block, chain.body(block.hash), chain.receipts(block.hash)) }
  }

  #post(tx: Tx, { block, rewardWei, feesWei }: Earned & { readonly block: KnownHeader }): void {
    const { ledger, clock, token, log } = this.#options
    const { hash, header } = block
    const evidence = { type: 'block', id: hash, facts: { number: header.number, coinbase: header.coinbase } }
    const at = momentOf(clock)
    if (rewardWei > 0n) ledger.earn(tx, { source: 'chain:reward', token, amount: rewardWei, from: FROM_ACCOUNT, evidence, at })
    if (feesWei === null) log.warn('fees of an own block cannot be counted: its receipts are not kept', { number: header.number, hash })
    else if (feesWei > 0n) ledger.earn(tx, { source: 'chain:gas', token, amount: feesWei, from: FROM_ACCOUNT, evidence, at })
  }
}
