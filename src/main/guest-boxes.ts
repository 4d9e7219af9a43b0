/**
 * Boxes on a guest network: whose only way out is the paid hotspot of another box, and that box. They have no mesh and no address of each
 * other, so the hotspot's page names a port on the guests' side, and a node of its own listens there: own key, own limits, no member of
 * anything. It carries two things: frames of payment channels, and blocks (with the transactions of who follows them there). The box
 * behind the hotspot believes blocks as those of any source; the hotspot believes nothing (spectrum/source/guests.ts). A box may be both, of
 * different hotspots. docs/mesh.md "A way out that is bought", docs/security.md
 */
import { createRequire } from 'node:module'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { RateLimit, asError, utf8, type Address, type Cancel, type Clock, type Log, type Randomness, type Timers } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import { PeerHub, createDocuments, type BoxId, type PeerShelf, type Wire } from '../mesh/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import type { PeerDoor, PeerDoorTerms } from '../photon/index.ts'
import type { MeshChainTransport, Spectrum } from '../spectrum/index.ts'
import { guestInterfaceOf } from './guest-side.ts'
import { MeshChain } from './mesh-chain.ts'
import { MeshPhoton } from './mesh-photon.ts'

export interface GuestBoxesParts {
  readonly config: Config
  readonly identity: Identity
  readonly curve: Secp256k1
  readonly spectrum: Pick<Spectrum, 'neighbour' | 'serve'>
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** Folder of the bundle. */
  readonly folder: string
}

/** What peer.cjs has. */
interface PeerFile {
  readonly Libp2pWire: new (options: { readonly seed: Uint8Array; readonly listen: readonly string[]; readonly maxConnections: number; readonly onTrouble: (message: string, error: Error) => void }) => Wire
}

/** All are of it: who is a guest is asked for no community. */
const NOBODYS = utf8('guests\0\0')
const MAX_BOXES = 16
const SPARE_CONNECTIONS = 8
/** One, and the one that comes after it before it is known to be dead. */
const MAX_OF_DEVICE = 2
const LOOK_EVERY_MS = 2_000
/** Without a channel with this box; the rest is for those who have one, and for who comes and has not shown it yet. */
const MAX_STRANGERS = 6
/** In which a box has shown its account. */
const LINGER_MS = 5_000
const LOG_LINES = { burst: 20, perSecond: 0.1 }
/** A hotspot that was not seen for so long is dialled no more. */
const FORGET_MS = 15 * 60_000

/** One for its own guests, one for the hotspots that it is a guest of; neither where it sells no minutes to boxes, buys none of one, or has no channels to do it with. */
export function guestBoxesOf(parts: GuestBoxesParts): readonly GuestBoxes[] {
  const { config } = parts
  const { main, hotspot, photon, uplinks } = config
  const sells = guestInterfaceOf(config) !== null && hotspot.boxesPort !== 0 && photon.streamToken !== null
  const buys = main.roles.includes('relay') && uplinks.some(({ maxPricePerMinute }) => maxPricePerMinute > 0n)
  if (!main.roles.includes('photon')) return []
  return [...(sells ? [new GuestBoxes(parts, 'seller')] : []), ...(buys ? [new GuestBoxes(parts, 'buyer')] : [])]
}

export class GuestBoxes {
  readonly #parts: GuestBoxesParts
  readonly #role: 'seller' | 'buyer'
  readonly #hub: PeerHub
  readonly #photon: MeshPhoton
  readonly #chain: MeshChain
  /** Filled in before the node starts. */
  readonly #listen: string[] = []
  readonly #listensOn: { readonly interfaceName: string; readonly port: number } | null
  /** By address: when it was named last. */
  readonly #hotspots = new Map<string, number>()
  readonly #dialling = new Set<string>()
  #isPartner: (account: Address) => boolean = () => false
  #hasFailed = false
  #state: 'new' | 'waiting' | 'starting' | 'running' | 'stopped' = 'new'
  #cancel: Cancel = () => undefined

  constructor(parts: GuestBoxesParts, role: 'seller' | 'buyer') {
    const { config, identity, curve, spectrum, clock, timers, randomness, folder } = parts
    const log = parts.log.room('guest-boxes')
    this.#parts = { ...parts, log }
    this.#role = role
    this.#listensOn = role === 'seller' ? { interfaceName: config.hotspot.guestInterface, port: config.hotspot.boxesPort } : null
    const { Libp2pWire } = createRequire(join(folder, 'peer.cjs'))(join(folder, 'peer.cjs')) as PeerFile
    const wire = new Libp2pWire({ seed: identity.deriveSecret('guest-peer'), listen: this.#listen, maxConnections: MAX_BOXES + SPARE_CONNECTIONS, onTrouble: (message, error) => log.debug(message, { error }) })
    const documents = createDocuments(identity.address.toLowerCase() as Address, {
      keccak256: (bytes) => curve.keccak256(bytes),
      sign: (digest) => identity.signDigest(digest),
      recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature),
    })
    const settings = { name: '', community: NOBODYS, meshPrefixes: [], acceptsInternet: true, staticPeers: [], maxPeers: MAX_BOXES, maxInternetPeers: MAX_BOXES, maxPeersOfHost: MAX_OF_DEVICE }
    this.#hub = new PeerHub({ settings, wire, shelf: NO_SHELF, originator: () => null, clock, timers, randomness, log: boundedLog(log, clock), documents })
    const account = identity.addressFor('photon-account').toLowerCase() as Address
    this.#photon = new MeshPhoton({ hub: this.#hub, peerId: wire.peerId, account, isWelcome: () => true, meets: 'partners', timers, log })
    this.#chain = new MeshChain(this.#hub, { open: (transport) => this.#open(transport, spectrum), isWelcome: () => false, timers, log })
  }

  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'waiting'
    this.#look()
    this.#cancel = this.#parts.timers.every(LOOK_EVERY_MS, () => this.#look())
  }

  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#cancel()
    this.#chain.stop()
    await this.#hub.stop()
  }

  /** The hotspot behind a way out, which named this port: it is dialled while it is named now and then. Before the start it is noted only. */
  meet(host: string, port: number): void {
    if (this.#role === 'seller') return
    const address = `/ip4/${host}/tcp/${port}`
    // One that names another port each time is not dialled at all of them.
    for (const other of this.#hotspots.keys()) if (other !== address && hostOf(other) === host) this.#hotspots.delete(other)
    this.#hotspots.set(address, this.#parts.clock.boottimeMs())
    this.#look()
  }

  /** The channels' door with this one before it. One at a time. */
  door(terms: PeerDoorTerms, own: PeerDoor): PeerDoor {
    this.#isPartner = terms.keeps
    return this.#photon.door(terms, own)
  }

  #open(transport: MeshChainTransport, spectrum: GuestBoxesParts['spectrum']): Promise<boolean> {
    const address = this.#addressOf(transport.neighbour)
    if (address === null) {
      transport.close('it has gone') // it is opened anew should it be there all the same
      return Promise.resolve(false)
    }
    if (this.#role === 'buyer') return spectrum.neighbour(transport)
    const { neighbour } = transport
    spectrum.serve({
      guest: hostOf(address),
      isPartner: () => this.#isKept(neighbour),
      announce: (frame) => transport.announce(frame),
      serve: (handlers) => transport.serve(handlers),
      close: (reason) => transport.close(reason),
    })
    return Promise.resolve(true)
  }

  #look(): void {
    const { clock } = this.#parts
    if (this.#state === 'waiting') void this.#begin()
    if (this.#state !== 'running') return
    const now = clock.boottimeMs()
    const connected = this.#hub.peers().filter(({ isConnected }) => isConnected)
    for (const [address, namedMs] of this.#hotspots) {
      if (now - namedMs >= FORGET_MS) this.#hotspots.delete(address)
      else if (!this.#dialling.has(address) && !connected.some((peer) => peer.address === address)) void this.#dial(address)
    }
    if (this.#role === 'buyer') return
    const strangers = connected.filter(({ box, sinceMs }) => !this.#isKept(box) && now - sinceMs >= LINGER_MS).sort((a, b) => a.sinceMs - b.sinceMs)
    const places = connected.filter(({ box }) => !this.#isKept(box)).length - MAX_STRANGERS
    for (const { box } of strangers.slice(0, Math.max(0, places))) this.#hub.disconnect(box, 'others wait for a place')
  }

  /** The guests' network may come up after the service. */
  async #begin(): Promise<void> {
    const { log } = this.#parts
    if (this.#listensOn !== null) {
      const { interfaceName, port } = this.#listensOn
      const own = (networkInterfaces()[interfaceName] ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => `/ip4/${address}/tcp/${port}`)
      if (own.length === 0) return
      this.#listen.splice(0, this.#listen.length, ...own)
    }
    this.#state = 'starting'
    try {
      await this.#hub.start()
      if (this.#state !== 'starting') return // stopped meanwhile
      this.#state = 'running'
      if (this.#listen.length > 0) log.info('boxes among the guests can pay and follow the chain here', { addresses: this.#listen.join(' ') })
      this.#look()
    } catch (thrown) {
      // The port may be free, or the address there, the next time: everything else goes on.
      if (this.#state === 'starting') this.#state = 'waiting'
      if (!this.#hasFailed) log.error('boxes among the guests cannot pay here; it is tried again', { error: asError(thrown) })
      this.#hasFailed = true
    }
  }

  async #dial(address: string): Promise<void> {
    this.#dialling.add(address)
    try {
      await this.#hub.dial(address)
    } catch (thrown) {
      this.#parts.log.debug('the hotspot was not reached', { address, error: asError(thrown) })
    } finally {
      this.#dialling.delete(address)
    }
  }

  #addressOf(box: string): string | null {
    return this.#hub.peers().find((peer) => peer.box === box && peer.isConnected)?.address ?? null
  }

  #isKept(box: string): boolean {
    const account = this.#photon.accountOf(box as BoxId)
    return account !== null && this.#isPartner(account)
  }
}

/** Keys of guests cost nothing: none is worth a write. */
const NO_SHELF: PeerShelf = { load: () => [], save: () => Promise.resolve(), remove: () => Promise.resolve() }

/** Guests come and go as often as they like, with a key of their own each time: of each thing that is so said there are few lines. */
function boundedLog(log: Log, clock: Clock): Log {
  const lines = new RateLimit(LOG_LINES, 32)
  const bounded = (level: 'info' | 'warn' | 'error'): Log['info'] => (message, fields) => log[lines.take(message, clock.boottimeMs()) === 0 ? level : 'debug'](message, fields)
  return { debug: (message, fields) => log.debug(message, fields), info: bounded('info'), warn: bounded('warn'), error: bounded('error'), room: (name) => boundedLog(log.room(name), clock) }
}

function hostOf(address: string): string {
  return address.split('/')[2] ?? address
}
