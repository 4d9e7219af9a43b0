/**
 * What streams earn, posted in the ledger: one entry for each voucher, for the difference to what was posted before, with
 * the voucher as its evidence. Told twice it is posted once; what the disk does not take is tried again.
 */
import { asError, momentOf, toHex } from '../../base/index.ts'
import type { Cancel, Moment } from '../../base/index.ts'
import type { Tx } from '../../store/index.ts'
import type { HotspotDeps } from '../ports.ts'
import { claimedUpTo, forgetUnserved, postedOf, saveClaimed, savePosted, savePrice } from './io/stream-tables.ts'
import type { StreamClaim, StreamEvidence, StreamSale } from './ports.ts'

const RETRY_MS = 5000

interface Owed {
  readonly sale: StreamSale
  readonly value: bigint
  readonly voucher: StreamEvidence
}

export class Takings {
  readonly #deps: HotspotDeps
  /** The newest of each stream that is not in the ledger yet. */
  readonly #owed = new Map<string, Owed>()
  /** The newest of each life of a channel that is not in the ledger yet. */
  readonly #claims = new Map<string, StreamClaim>()
  /** Value beyond the base, as posted: what the guest's receipt says was paid. */
  readonly #paid = new Map<string, bigint>()
  /** Streams that are over: what they still earn is posted and not remembered. */
  readonly #over = new Set<string>()
  #posting: Promise<void> | null = null
  #retry: Cancel | null = null

  constructor(deps: HotspotDeps) {
    this.#deps = deps
  }

  add(sale: StreamSale, value: bigint, voucher: StreamEvidence): void {
    const before = this.#owed.get(sale.stream)
    if (before === undefined || value > before.value) this.#owed.set(sale.stream, { sale, value, voucher })
    this.#post()
  }

  /** After `add` of all that streams had earned until then. */
  addClaim(claim: StreamClaim): void {
    this.#claims.set(`${claim.channel}.${claim.epoch}`, claim)
    this.#post()
  }

  paid(stream: string): bigint {
    return this.#paid.get(stream) ?? 0n
  }

  forget(stream: string): void {
    this.#paid.delete(stream)
    if (this.#owed.has(stream)) this.#over.add(stream)
  }

  /** Resolves when everything told so far is posted, or waits for another try. */
  async quiet(): Promise<void> {
    while (this.#posting !== null) await this.#posting
  }

  stop(): void {
    this.#retry?.()
    this.#retry = null
  }

  #post(): void {
    if (this.#owed.size + this.#claims.size === 0) return
    this.#posting ??= this.#postAll()
      .catch((thrown: unknown) => {
        this.#deps.log.error('what streams earned could not be posted; trying again', { streams: this.#owed.size, error: asError(thrown) })
        this.#retry ??= this.#deps.timers.after(RETRY_MS, () => {
          this.#retry = null
          this.#post()
        })
        return false
      })
      .then((isDone) => {
        this.#posting = null
        if (isDone) this.#post()
      })
  }

  /** All that are waiting in one turn: a thousand guests' vouchers share a commit. */
  async #postAll(): Promise<boolean> {
    const { clock, config, ledger, store } = this.#deps
    const taken = [...this.#owed.values()]
    const claims = [...this.#claims]
    const at = momentOf(clock)
    await store.turn((tx) => {
      for (const { sale, value, voucher } of taken) {
        const { stream, channel, epoch, base, payer, unit, tickSeconds } = sale
        const posted = postedOf(tx, stream)
        const before = posted ?? base
        const proof = { type: 'stream-voucher', id: `${stream}.${value}` } as const
        // An earlier version forgot what was posted of a stream with its session; the ledger was not, and whoever sells tells it again at each start.
        if (value <= before || (posted === null && ledger.entries(tx, { limit: 1, evidence: proof }).length > 0)) continue
        // What a claim by somebody else has brought is booked: these seconds were paid by it. Their evidence is kept all the same.
        const claimed = claimedUpTo(tx, channel, epoch)
        const amount = value > claimed ? value - larger(before, claimed) : 0n
        const entryId = ledger.earn(tx, {
          source: 'hotspot:stream',
          token: config().token.symbol,
          amount,
          from: `channel:${channel}`,
          evidence: {
            ...proof,
            facts: {
              payer,
              epoch: epoch.toString(),
              value: value.toString(),
              base: base.toString(),
              unit: unit.toString(),
              tickSeconds,
              cumulative: voucher.cumulative.toString(),
              tip: voucher.tip,
              steps: voucher.steps,
              signature: toHex(voucher.signature),
            },
          },
          at,
        })
        if (posted === null) forgetUnserved(tx, channel, stream)
        savePosted(tx, stream, value, entryId)
        savePrice(tx, stream, value - base)
      }
      for (const [, claim] of claims) this.#postClaim(tx, claim, at)
    })
    for (const [name, claim] of claims) if (this.#claims.get(name) === claim) this.#claims.delete(name)
    for (const { sale, value } of taken) {
      if (this.#owed.get(sale.stream)?.value === value) this.#owed.delete(sale.stream)
      if (!this.#over.has(sale.stream)) this.#paid.set(sale.stream, value > sale.base ? value - sale.base : 0n)
      else if (!this.#owed.has(sale.stream)) this.#over.delete(sale.stream)
    }
    return true
  }

  /** Comes after all that streams had earned before it. */
  #postClaim(tx: Tx, { channel, epoch, payer, from, value }: StreamClaim, at: Moment): void {
    const { config, ledger } = this.#deps
    const base = larger(from, claimedUpTo(tx, channel, epoch))
    if (value <= base) return
    const entryId = ledger.earn(tx, {
      source: 'hotspot:stream',
      token: config().token.symbol,
      amount: value - base,
      from: `channel:${channel}`,
      evidence: { type: 'stream-claim', id: `${channel}.${epoch}.${value}`, facts: { payer, epoch: epoch.toString(), value: value.toString(), base: base.toString() } },
      at,
    })
    saveClaimed(tx, channel, epoch, value, entryId)
  }
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
