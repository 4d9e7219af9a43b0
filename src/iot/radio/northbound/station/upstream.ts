/**
 * One server northbound that speaks Basics Station: a `Delivery`. It knows gateways by their connections, so each has one of its own, while it is there. What the
 * server orders goes to the listener, that is to the one desk that everybody's orders go to.
 */
import type { Cancel } from '../../../../base/index.ts'
import { regionNamed } from '../../../lorawan/index.ts'
import type { Copy, Delivery, Eui, Gateway, Heard, Route } from '../../../ports.ts'
import { frameFilter } from '../filter.ts'
import { OrderTakers } from '../orders.ts'
import type { OrderListener } from '../orders.ts'
import { StationLink } from './link.ts'
import type { LinkCounts, LinkParts, ServerPlace } from './link.ts'

const MAX_LINKS = 64

export interface StationUpstreamOptions {
  /** ws:// or wss://. A password is a token for `Authorization: Bearer`, or with a name beside it for `Basic`. */
  readonly url: string
  /** Null: every uplink. */
  readonly routes: readonly Route[] | null
}

export class StationUpstream implements Delivery {
  readonly #place: ServerPlace
  readonly #parts: Omit<LinkParts, 'order'>
  readonly #fits: (phy: Uint8Array) => boolean
  readonly #links = new Map<Eui, StationLink>()
  readonly #takers = new OrderTakers()
  #isClosed = false

  constructor(options: StationUpstreamOptions, parts: Omit<LinkParts, 'order'>) {
    this.#place = placeOf(options.url)
    this.#parts = parts
    this.#fits = frameFilter(options.routes)
  }

  readonly takesLate = false

  /** Of any gateway: the server has configured it. */
  get isOnline(): boolean {
    return [...this.#links.values()].some(({ isOnline }) => isOnline)
  }

  get size(): { readonly links: number; readonly online: number; readonly pending: number; readonly orders: number } {
    const links = [...this.#links.values()]
    const sum = (of: (link: StationLink) => number): number => links.reduce((total, link) => total + of(link), 0)
    return { links: links.length, online: sum(({ isOnline }) => (isOnline ? 1 : 0)), pending: sum(({ size }) => size.pending), orders: sum(({ size }) => size.orders) }
  }

  /** Null: that gateway is not there. */
  counts(gateway: Eui): LinkCounts | null {
    return this.#links.get(gateway)?.counts ?? null
  }

  /** News of a gateway: one that went has no connection. */
  gateway({ id, isOnline, region }: Pick<Gateway, 'id' | 'isOnline' | 'region'>): void {
    const link = this.#links.get(id)
    if (!isOnline) {
      link?.close()
      this.#links.delete(id)
    } else if (link === undefined && !this.#isClosed && this.#links.size < MAX_LINKS) {
      this.#links.set(id, new StationLink(id, regionNamed(region), this.#place, { ...this.#parts, order: (asked) => this.#takers.ask(asked) }))
    }
  }

  /** False at once: filtered out, late (Station cannot say so), or the server is not there. */
  async deliver(heard: Heard): Promise<boolean> {
    if (this.#isClosed || heard.isLate || !this.#fits(heard.phy)) return false
    // Station sends a frame once: the best antenna's.
    const best = new Map<Eui, Copy>()
    for (const copy of heard.copies) if (!best.has(copy.gateway)) best.set(copy.gateway, copy)
    const delivered = await Promise.all([...best].map(([gateway, copy]) => this.#links.get(gateway)?.deliver(heard, copy) ?? false))
    return delivered.some(Boolean)
  }

  /** A server says in its configuration which frames it wants, and what its data rates are. */
  isAwaited(heard: Heard): boolean {
    return !heard.isLate && this.#fits(heard.phy) && heard.copies.some(({ gateway }) => this.#links.get(gateway)?.wants(heard) === true)
  }

  onDownlink(listener: OrderListener): Cancel {
    return this.#takers.add(listener)
  }

  close(): Promise<void> {
    this.#isClosed = true
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    return Promise.resolve()
  }
}

/** Of a checked URL. */
function placeOf(url: string): ServerPlace {
  const { protocol, host, pathname, username, password } = new URL(url)
  const given = [username, password].map(decodeURIComponent)
  const authorization = password === '' && username === '' ? null : username === '' ? `Bearer ${given[1] ?? ''}` : `Basic ${Buffer.from(given.join(':')).toString('base64')}`
  return { url: `${protocol}//${host}${pathname}`, authorization }
}
