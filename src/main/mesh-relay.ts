/**
 * What neighbours carry for each other, at work: which neighbour is which box, the kernel's counters and gates, prices and readings over
 * the mesh's node, payments over this box's channels, and the book. docs/mesh.md "Who pays whom for what"
 */
import { MeshBoxError, asError, type Address, type Cancel, type Clock, type Log, type Randomness, type Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { EarningsBook, BoxId, CarryRules, Documents, MeshPart, MeshView, PeerHub, RelayPayments, UplinkState } from '../mesh/index.ts'
import { BoxLinks, CARRIAGE_LANE, CarryKernel, ChannelPayments, LINKS_LANE, PRICE_LANE, RelayDesk, readMeshDevices } from '../mesh/index.ts'
import { createTrafficActions } from '../native/index.ts'
import type { Genetlink, Nfnetlink } from '../native/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Store } from '../store/index.ts'

export interface MeshRelayParts {
  /** As it is now: a price may change while the service runs. */
  readonly config: () => Config
  readonly token: Address
  /** That this box is paid at. */
  readonly payee: Address
  readonly hub: Pick<PeerHub, 'open' | 'peers'>
  readonly documents: Documents
  readonly isWelcome: (box: BoxId) => boolean
  readonly view: Pick<MeshView, 'state' | 'on'>
  /** batman-adv's interfaces that work, now; empty: it has none. Errors: what asking for them says. */
  readonly hardInterfaces: () => Promise<readonly HardInterface[]>
  /** The way out that is taken now; null: none. */
  readonly uplink: () => UplinkState | null
  /** Null: nfnetlink.node is not installed. */
  readonly openNetlink: (() => Nfnetlink) | null
  readonly nft: readonly string[]
  /** Rtnetlink, and tc: for kernels without an egress hook. Missing: nothing is counted there. */
  readonly leaving?: { readonly openRoute: () => Promise<Genetlink>; readonly tc: readonly string[] }
  readonly ip: readonly string[]
  readonly runtimeDir: string
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  readonly store: Store
  readonly ledger: EarningsBook
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
}

export interface HardInterface {
  readonly name: string
  readonly number: number
  readonly address: string
}

const MAX_TOKEN_NAME = 32
/** Stands in each payment. */
const PAYMENT_NOTE = 'meshbox relay'
/** An interface may come, go, or be made anew. */
const INTERFACES_EVERY_MS = 15_000
/** The channels' contract has to be read first. */
const CHANNELS_EVERY_MS = 1000

export class MeshRelay {
  readonly desk: RelayDesk
  readonly #parts: MeshRelayParts
  readonly #links: BoxLinks
  readonly #payments: ChannelPayments
  readonly #kernel: LazyKernel
  #cancelInterfaces: Cancel = () => undefined
  #cancelChannels: Cancel = () => undefined
  #rules: string | null = null
  #installing: Promise<void> | null = null
  /** Why it cannot be counted on the interfaces that there are now, as it was said last. */
  #trouble: string | null = null

  /** Before the node starts. */
  constructor(parts: MeshRelayParts) {
    const { config, token, payee, hub, documents, isWelcome, view, uplink, keccak256, store, ledger, clock, timers, randomness, log } = parts
    this.#parts = parts
    this.#links = new BoxLinks({ peers: () => hub.peers(), isWelcome, view, lane: hub.open(LINKS_LANE), devices: () => readMeshDevices(parts.ip, config().mesh.interface), clock, timers, log })
    this.#payments = new ChannelPayments({ note: PAYMENT_NOTE, store, timers })
    this.#kernel = new LazyKernel(parts)
    this.desk = new RelayDesk({
      documents,
      keccak256,
      store,
      ledger,
      tokenName: (address) => tokenName(config(), address),
      priceLane: hub.open(PRICE_LANE),
      carriageLane: hub.open(CARRIAGE_LANE),
      payments: this.#payments satisfies RelayPayments,
      links: this.#links,
      traffic: this.#kernel.kernel,
      gate: this.#kernel.kernel,
      prices: () => {
        const { pricePerMib, maxPricePerMib } = config().mesh
        const out = uplink()
        return { self: documents.self, token, payee, ownUnitsPerMiB: pricePerMib + (out?.unitsPerMiB ?? 0n), maxUnitsPerMiB: maxPricePerMib === 0n ? null : maxPricePerMib, hasUplink: out !== null }
      },
      terms: () => {
        const { maxDebt, settleAmount, spendPerDay } = config().mesh
        return { maxDebt, settleAmount, spendPerDay }
      },
      clock,
      timers,
      randomness,
      log,
    })
  }

  /** In the order of their start; all before other boxes. */
  parts(): readonly MeshPart[] {
    return [
      { name: 'counting of what is carried', start: () => this.#count(), stop: () => this.#stopCounting() },
      { name: 'neighbours by their links', start: () => this.#links.start(), stop: () => this.#links.stop() },
      { name: 'carrying for pay', start: () => this.desk.start(), stop: () => this.#stop() },
    ]
  }

  /** The channels' room; it may still wait for its contract. */
  usePayments(photon: Pick<Photon, 'direct'>): void {
    let known: ReturnType<Photon['direct']> = null
    const look = (): void => {
      const now = photon.direct()
      if (now === known) return
      known = now
      this.#payments.use(now)
    }
    look()
    this.#cancelChannels()
    this.#cancelChannels = this.#parts.timers.every(CHANNELS_EVERY_MS, look)
  }

  async #stop(): Promise<void> {
    this.#cancelChannels()
    await this.desk.stop()
    this.#payments.use(null)
    await this.#kernel.close() // also where counting never began
  }

  async #count(): Promise<void> {
    await this.#install()
    this.#cancelInterfaces = this.#parts.timers.every(INTERFACES_EVERY_MS, () => {
      this.#installing ??= this.#installAgain().finally(() => (this.#installing = null))
    })
  }

  async #installAgain(): Promise<void> {
    try {
      await this.#install()
      this.#trouble = null
    } catch (thrown) {
      const error = asError(thrown)
      if (this.#trouble !== error.message) this.#parts.log.warn('it cannot be counted on the interfaces that there are now; it is tried again', { error })
      this.#trouble = error.message
    }
  }

  async #install(): Promise<void> {
    const there = [...(await this.#parts.hardInterfaces())].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    if (there.length === 0) throw new MeshBoxError('unavailable', 'batman-adv has no active interface', { code: 'mesh-idle' })
    const rules: CarryRules = { interfaces: there.map(({ name }) => name), numbers: there.map(({ number }) => number), own: there.map(({ address }) => address), isGated: true }
    this.#links.useOwn(rules.own)
    const text = JSON.stringify(rules)
    if (text === this.#rules) return
    const how = await this.#kernel.kernel.install(rules)
    this.#rules = text
    this.#parts.log.info('what neighbours send through this box is counted', { interfaces: rules.interfaces.join(), table: how })
  }

  /** The table stays: counters go on over a restart. */
  async #stopCounting(): Promise<void> {
    this.#cancelInterfaces()
    await this.#installing
    await this.#kernel.close()
  }
}

/** The kernel's door is opened with the first thing that is asked of it. */
class LazyKernel {
  readonly kernel: CarryKernel
  #netlink: Nfnetlink | null = null
  #route: Promise<Genetlink> | null = null

  constructor({ openNetlink, nft, leaving, runtimeDir, log }: Pick<MeshRelayParts, 'openNetlink' | 'nft' | 'leaving' | 'runtimeDir' | 'log'>) {
    const door = (): Nfnetlink => {
      if (openNetlink === null) throw new MeshBoxError('unavailable', 'nfnetlink.node is not installed: nothing can be counted', { code: 'addon-unusable' })
      return (this.#netlink ??= openNetlink())
    }
    const tools = leaving === undefined ? {} : { leaving: { tc: leaving.tc, actions: createTrafficActions({ dump: async (...question) => (await this.#opened(leaving.openRoute)).dump(...question) }) } }
    this.kernel = new CarryKernel({ netlink: { commit: async (changes) => door().commit(changes), dumpElements: async (set) => door().dumpElements(set) }, nft, runtimeDir, log, ...tools })
  }

  async close(): Promise<void> {
    await this.#netlink?.close()
    this.#netlink = null
    const route = await this.#route?.catch(() => null) // whoever asked for it was told
    route?.close()
    this.#route = null
  }

  #opened(open: () => Promise<Genetlink>): Promise<Genetlink> {
    this.#route ??= open().catch((thrown: unknown) => {
      this.#route = null
      throw thrown
    })
    return this.#route
  }
}

/** As the channels call it; else as much of its address as the book takes. */
function tokenName({ photon }: Config, address: Address): string {
  return photon.tokens.find((token) => token.address === address)?.symbol ?? address.slice(0, MAX_TOKEN_NAME)
}
