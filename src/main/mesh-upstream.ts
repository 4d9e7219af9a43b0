/**
 * Ways out that are bought: a purse for each uplink with `max_price_per_minute`, the seller behind it, this box's channels, and what it cost in
 * the book. `mesh.upstream_cap` is for all of them together. docs/mesh.md "A way out that is bought"
 */
import { MeshBoxError, momentOf, type Address, type Cancel, type Clock, type Log, type Randomness, type Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { PaidOnce, type Ledger } from '../ledger/index.ts'
import { HotspotSeller, UpstreamPurse, createAheadPortal, createResellerBook, noteOrder, readOrder, type UpstreamOrder, type UpstreamPayments } from '../mesh/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Store, Tx } from '../store/index.ts'
import { AHEAD_NOTE } from './noted-payments.ts'

export interface MeshUpstreamParts {
  /** As it is now; which ways are bought is as it was at the start. */
  readonly config: () => Config
  readonly links: Parameters<typeof createAheadPortal>[0]['links']
  readonly meetHotspot: (host: string, port: number) => void
  readonly store: Store
  readonly ledger: Pick<Ledger, 'post'>
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
}

const SOURCE = 'mesh:upstream'
const COST_ACCOUNT = 'cost:upstream'
const MAX_TOKEN_NAME = 32
/** The channels' contract has to be read first. */
const CHANNELS_EVERY_MS = 1000

type Direct = NonNullable<ReturnType<Photon['direct']>>

export class MeshUpstream {
  /** By uplink's name. */
  readonly purses: ReadonlyMap<string, UpstreamPurse>
  readonly #parts: MeshUpstreamParts
  readonly #paying: PaidOnce
  #direct: Direct | null = null
  #cancel: Cancel = () => undefined

  constructor(parts: MeshUpstreamParts) {
    const { config, links, meetHotspot, store, clock, timers, randomness, log } = parts
    this.#parts = parts
    this.#paying = new PaidOnce({ note: AHEAD_NOTE, room: 'mesh', store, timers, readMark: readOrder, noteMark: noteOrder })
    const seller = new HotspotSeller({ portal: createAheadPortal({ links, timers, onBoxesPort: meetHotspot }), payments: this.#payments(), token: () => tokenOf(config()), clock, timers, log })
    const book = createResellerBook(store, (tx, uplink, order) => this.#spent(tx, uplink, order))
    const bought = config().uplinks.filter(({ maxPricePerMinute }) => maxPricePerMinute > 0n)
    const purses = new Map<string, UpstreamPurse>()
    for (const { id, interface: interfaceName, maxPricePerMinute } of bought) {
      const others = (): bigint => [...purses].reduce((sum, [name, purse]) => (name === id ? sum : sum + purse.spentInDay()), 0n)
      const limits = (): { readonly cap: bigint; readonly maxUnitsPerMinute: bigint } => {
        const [cap, gone] = [config().mesh.upstreamCap, others()]
        return { cap: cap > gone ? cap - gone : 0n, maxUnitsPerMinute: maxPricePerMinute }
      }
      purses.set(id, new UpstreamPurse({ uplink: id, interfaceName, limits, seller, book, clock, randomness, log }))
    }
    this.purses = purses
  }

  /** The channels' room; it may still wait for its contract. */
  usePayments(photon: Pick<Photon, 'direct'>): void {
    const look = (): void => {
      const now = photon.direct()
      if (now === this.#direct) return
      this.#direct = now
      this.#paying.use(now)
    }
    look()
    this.#cancel()
    this.#cancel = this.#parts.timers.every(CHANNELS_EVERY_MS, look)
  }

  /** What is under way is taken up again at the next start. */
  stop(): void {
    this.#cancel()
    this.#direct = null
    this.#paying.use(null)
  }

  #payments(): UpstreamPayments {
    return {
      spendable: (to, token) => {
        if (this.#direct === null) throw new MeshBoxError('unavailable', 'payment channels are not up yet', { code: 'mesh-no-channels', retryAfterSeconds: 30 })
        return this.#direct.spendable(to, token)
      },
      pay: (terms) => this.#paying.pay(terms),
      hasLeft: (terms) => this.#paying.hasLeft(terms),
    }
  }

  /** In the turn in which the order is done with. */
  #spent(tx: Tx, uplink: string, { reference, seconds, amount, offer }: UpstreamOrder): void {
    const { ledger, config, clock } = this.#parts
    ledger.post(tx, {
      source: SOURCE,
      token: config().photon.tokens.find(({ address }) => address === offer.token)?.symbol ?? offer.token.slice(0, MAX_TOKEN_NAME),
      evidence: { type: 'upstream-paid', id: reference, facts: { uplink, payee: offer.payee, seconds, perMinute: offer.unitsPerMinute.toString() } },
      postings: [
        { account: COST_ACCOUNT, amount },
        { account: `photon:${offer.payee}`, amount: -amount },
      ],
      at: momentOf(clock),
    })
  }
}

function tokenOf({ mesh }: Config): Address | null {
  return (mesh.token?.toLowerCase() ?? null) as Address | null
}
