/**
 * Who is at our own mosquitto and for what he asked, from the lines of its log (2.0: `connection_messages`, `log_type notice subscribe unsubscribe`).
 * Pure. Its acknowledgement alone cannot carry a bill: a subscription counts for it before rights do, so `#` of anybody would make
 * every tenant's frames wanted, and they would be sold to nobody.
 *
 *   New client connected from ADDRESS:PORT as ID (p5, c1, k60, u'NAME').     c1: a new session; outward ID and NAME are the same
 *   ID QOS FILTER                                                            subscribed; 128: refused
 *   ID FILTER                                                                unsubscribed
 *   Client ID disconnected. | closed its connection. | has exceeded timeout, …
 */
import type { TenantId } from '../../ports.ts'
import { matchesTopic } from '../connection.ts'
import type { BrokerUser } from './configuration.ts'

const CONNECTED = /^New client connected from \S+ as (.+) \(p\d+, c([01]), k\d+(?:, [a-tv-z]\d+)*(?:, u'(.*)')?\)\.$/
const GONE = /^Client (\S+) (?:\[\S*\] )?(?:disconnect|closed|has exceeded)/
const SUBSCRIBED = /^(\S+) [012] (\S.*)$/
const UNSUBSCRIBED = /^(\S+) (\S.*)$/
/** Filters that can have to do with tenants. */
const OF_TENANTS = /^(?:tenant\/|[+#])/
const SHARED = /^\$share\/[^/]+\//
const MAX_GUESTS = 512
const MAX_FILTERS = 64
const MAX_LINE = 1_024

interface Guest {
  /** Null: came over loopback, without a name. */
  user: string | null
  isThere: boolean
  readonly filters: Set<string>
}

export class BrokerGuests {
  /** In order of last connection. */
  readonly #guests = new Map<string, Guest>()
  #rest = ''
  #isUnderstood = false

  /** What the log said, in pieces of any length. Lines too long for any of these are passed over. */
  take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE + 1)
    for (const line of lines) if (line.length <= MAX_LINE) this.#line(line.replace(/^\d+: /, ''))
  }

  /** The broker ended, and every session with it. */
  clear(): void {
    this.#guests.clear()
    this.#rest = ''
    this.#isUnderstood = false
  }

  get size(): number {
    return this.#guests.size
  }

  /** Somebody of the tenant's is connected and has asked for that topic; a program on the box counts where it named the tenant. Null: this log is not understood. */
  hasListener(tenant: TenantId, topic: string, users: readonly BrokerUser[]): boolean | null {
    if (!this.#isUnderstood) return null
    const own = new Set(users.flatMap(({ name, may }) => (may.kind === 'tenant' && may.tenant === tenant ? [name] : [])))
    for (const { user, isThere, filters } of this.#guests.values()) {
      if (!isThere || (user !== null && !own.has(user))) continue
      for (const asked of filters) {
        const filter = asked.replace(SHARED, '')
        if ((user !== null || filter.startsWith(`tenant/${tenant}/`)) && matchesTopic(filter, topic)) return true
      }
    }
    return false
  }

  #line(line: string): void {
    const [, id, start, user = null] = CONNECTED.exec(line) ?? []
    if (id !== undefined) return this.#connected(id, user, start === '1')
    const guest = this.#guests.get(GONE.exec(line)?.[1] ?? '')
    if (guest !== undefined) {
      guest.isThere = false
      return
    }
    const [, subscriber = '', asked = ''] = SUBSCRIBED.exec(line) ?? []
    const filters = this.#guests.get(subscriber)?.filters
    if (filters !== undefined) {
      if (OF_TENANTS.test(asked.replace(SHARED, '')) && filters.size < MAX_FILTERS) filters.add(asked)
      return
    }
    const [, leaver = '', left = ''] = UNSUBSCRIBED.exec(line) ?? []
    this.#guests.get(leaver)?.filters.delete(left)
  }

  /** One who goes on with his session has his filters still. */
  #connected(id: string, user: string | null, isAnew: boolean): void {
    this.#isUnderstood = true
    const before = this.#guests.get(id)
    this.#guests.delete(id)
    this.#guests.set(id, { user, isThere: true, filters: isAnew || before?.user !== user ? new Set() : before.filters })
    if (this.#guests.size <= MAX_GUESTS) return
    for (const [name, { isThere }] of this.#guests) {
      if (this.#guests.size <= MAX_GUESTS) break
      if (!isThere) this.#guests.delete(name)
    }
  }
}
