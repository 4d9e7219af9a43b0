/**
 * Where nodes of the original Photon are on the LAN: what the owner says (the configuration, `updatenodes`), what their
 * announcements say, and where signed packets came from. What the owner says stands above the rest, since neither an
 * announcement nor a datagram's source is signed; a packet's source counts only while nothing better is known. Pure.
 */
import { inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'

export interface Place {
  /** IPv4, dotted. */
  readonly host: string
  readonly port: number
}

/** As the original's `updatenodes` has it: `ip_port` is address:port. */
export interface LanNode {
  readonly account: Address
  readonly endpoint: string
  readonly deviceType: string
}

/** An announcement holds for so long (photon.md 2.6). */
const ANNOUNCED_MS = 20_000
/** A source of signed packets holds for so long after the last one. */
const HEARD_MS = 600_000
const MAX_OWNED = 256
const MAX_FOUND = 256
const MAX_HOST_CHARS = 15
const ENDPOINT = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}):([1-9]\d{0,4})$/

interface Found extends Place {
  readonly untilMs: number
}

export class Places {
  readonly #self: Address
  readonly #owned = new Map<Address, Place>()
  readonly #announced = new Map<Address, Found>()
  readonly #heard = new Map<Address, Found>()

  readonly #partnersNow: () => ReadonlySet<Address>
  /** As of the last sweep: nothing that a datagram costs may grow with the channels. */
  #partners: ReadonlySet<Address> = new Set()

  /** `self` is never anybody else's place. `partners`: who has a channel with us finds room also when names are being flooded. */
  constructor(self: Address, partners: () => ReadonlySet<Address>) {
    this.#self = self
    this.#partnersNow = partners
  }

  /** What the owner says: in place of what he said of those accounts before. Errors: input, and then nothing has changed. */
  own(nodes: readonly LanNode[]): void {
    const placed = nodes.map(({ account, endpoint }) => {
      if (account === this.#self) throw inputError('address', account, "another node's account")
      return [account, parseEndpoint(endpoint)] as const
    })
    const all = new Map([...this.#owned, ...placed])
    if (all.size > MAX_OWNED) throw inputError('nodes', all.size, `at most ${MAX_OWNED} nodes`)
    for (const [account, place] of placed) this.#owned.set(account, place)
  }

  announced(account: Address, place: Place, nowMs: number): void {
    this.#find(this.#announced, account, place, nowMs + ANNOUNCED_MS)
  }

  /** It said goodbye. */
  gone(account: Address): void {
    this.#announced.delete(account)
  }

  /**
   * A packet signed by a partner came from there. One that may be a copy moves nobody who has a place; one that nobody can have
   * seen before (`isFresh`) is the partner's own. True: it has a place that it had not.
   */
  heard(account: Address, place: Place, nowMs: number, isFresh: boolean): boolean {
    const before = this.of(account, nowMs)
    if (isFresh || before === null || isSame(before, place)) this.#find(this.#heard, account, place, nowMs + HEARD_MS)
    return before === null
  }

  of(account: Address, nowMs: number): Place | null {
    const owned = this.#owned.get(account)
    if (owned !== undefined) return owned
    for (const found of [this.#announced.get(account), this.#heard.get(account)]) if (found !== undefined && nowMs < found.untilMs) return found
    return null
  }

  /** Who has a channel with us, or whom the owner has named. */
  matters(account: Address): boolean {
    return this.#owned.has(account) || this.#partners.has(account)
  }

  /** Those with a place now. */
  all(nowMs: number): readonly { readonly account: Address; readonly place: Place }[] {
    const accounts = new Set([...this.#owned.keys(), ...this.#announced.keys(), ...this.#heard.keys()])
    return [...accounts].flatMap((account) => {
      const place = this.of(account, nowMs)
      return place === null ? [] : [{ account, place }]
    })
  }

  /** Forgets what does not hold any more, and takes in who has a channel now. */
  sweep(nowMs: number): void {
    this.#partners = this.#partnersNow()
    for (const found of [this.#announced, this.#heard]) for (const [account, { untilMs }] of found) if (untilMs <= nowMs) found.delete(account)
  }

  #find(found: Map<Address, Found>, account: Address, { host, port }: Place, untilMs: number): void {
    if (account === this.#self) return
    if (!found.has(account) && found.size >= MAX_FOUND) {
      // Whoever is there stays, but for a partner.
      const stranger = this.#partners.has(account) ? [...found.keys()].find((one) => !this.#partners.has(one)) : undefined
      if (stranger === undefined) return
      found.delete(stranger)
    }
    found.set(account, { host, port, untilMs })
  }
}

/** Errors: input `ip_port`. */
export function parseEndpoint(endpoint: string): Place {
  const [, host = '', port = ''] = endpoint.length > MAX_HOST_CHARS + 6 ? [] : (ENDPOINT.exec(endpoint) ?? [])
  if (host === '' || Number(port) > 65_535 || !isHost(host)) throw inputError('ip_port', endpoint, 'an IPv4 address and a port of this network, such as 192.168.1.7:40001')
  return { host, port: Number(port) }
}

function isSame(a: Place, b: Place): boolean {
  return a.host === b.host && a.port === b.port
}

/** One machine's address: not nobody's, not a group's, not everybody's. */
function isHost(host: string): boolean {
  const parts = host.split('.').map(Number)
  const [first = 0] = parts
  return parts.every((part, index) => part <= 255 && String(part) === host.split('.')[index]) && first > 0 && first < 224
}
