/** The kernel's side of settlement: fresh counters for the meters, and the gates as the carriages want them. */
import { asError } from '../../base/index.ts'
import type { Clock, Log } from '../../base/index.ts'
import type { BoxId, CarriageGate, Mac } from '../ports.ts'
import { partnerOf } from './account.ts'
import type { Account } from './account.ts'
import { beginMeter, readMeter } from './meter.ts'
import type { Meter } from './meter.ts'
import type { LinkTraffic, NeighbourLinks, TrafficSource } from './ports.ts'

/** Counters that were read less long ago serve again: a peer's frames cannot make us read more often. */
const FRESH_MS = 250

export interface LinkTools {
  readonly links: NeighbourLinks
  readonly traffic: TrafficSource
  readonly gate: CarriageGate
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly log: Log
}

export class LinkDesk {
  readonly #tools: LinkTools
  /** This box has the way out itself: what ends in it is carried too. */
  readonly #hasUplink: () => boolean
  #read: { readonly atMs: number; readonly links: readonly LinkTraffic[] } | null = null
  /** As the kernel took them last. */
  #gates: string | null = null
  /** Why they cannot be read, as it was said last. */
  #trouble: string | null = null

  constructor(tools: LinkTools, hasUplink: () => boolean) {
    this.#tools = tools
    this.#hasUplink = hasUplink
  }

  isInReach(box: BoxId): boolean {
    return this.#tools.links.linksOf(box).length > 0
  }

  /** Null: the kernel does not say; nothing is asked for meanwhile. `isNew`: none that were read before this call. */
  async traffic(isNew: boolean): Promise<readonly LinkTraffic[] | null> {
    const { traffic, clock, log } = this.#tools
    if (!isNew && this.#read !== null && clock.boottimeMs() - this.#read.atMs < FRESH_MS) return this.#read.links
    try {
      const atMs = clock.boottimeMs()
      this.#read = { atMs, links: await traffic.read() }
      this.#trouble = null
      return this.#read.links
    } catch (thrown) {
      const error = asError(thrown)
      if (this.#trouble !== error.message) log.warn("the kernel's counters cannot be read; nothing is asked for", { error })
      this.#trouble = error.message
      return null
    }
  }

  /** Null: as above. */
  async begin(role: Meter['role'], partner: BoxId): Promise<Meter | null> {
    const traffic = await this.traffic(true)
    return traffic === null ? null : beginMeter(role, this.#tools.links.linksOf(partner), traffic)
  }

  counted(account: Account, traffic: readonly LinkTraffic[] | null): Account {
    if (traffic === null || account.state.state === 'ended') return account
    const what = account.state.role === 'client' ? 'all' : this.#hasUplink() ? 'way-out' : 'forwarded'
    return { ...account, meter: readMeter(account.meter, this.#tools.links.linksOf(partnerOf(account)), traffic, what) }
  }

  /** All gates as they should be, said to the kernel when that changed; `free`: boxes let through for nothing. Rejects with the kernel's reason. */
  async setGates(accounts: readonly Account[], free: readonly BoxId[]): Promise<void> {
    const gates = new Map<Mac, 'open' | 'closed'>()
    for (const account of accounts) {
      if (account.state.state === 'ended') continue
      const isOpen = account.state.role === 'client' || account.state.state === 'running'
      for (const mac of this.#tools.links.linksOf(partnerOf(account))) if (gates.get(mac) !== 'open') gates.set(mac, isOpen ? 'open' : 'closed')
    }
    for (const box of free) for (const mac of this.#tools.links.linksOf(box)) if (!gates.has(mac)) gates.set(mac, 'open')
    const text = [...gates].map(([mac, gate]) => `${mac} ${gate}`).toSorted().join()
    if (text === this.#gates) return
    await this.#tools.gate.setAllowed(gates)
    this.#gates = text
  }
}
