/**
 * Which neighbour's frames are which box's. What a box says of itself is not believed alone: it is asked over TCP at an address of
 * the mesh and answers there with its key; the kernel knows the device behind that address, and batman-adv the originator behind
 * that device. So who wants to pass for a neighbour would have to take its traffic too.
 *
 * A box with several radios sends from the addresses of all; batman-adv does not tell whose they are. So boxes tell each other, on
 * a lane of their own: 6 bytes an interface, at most 8 of them. An address is believed to be a box's when batman-adv has it for a neighbour, the
 * way to the box's originator goes by one of those it told, it is no other device's originator, and no other box says the same.
 */
import { asError, concatBytes } from '../../base/index.ts'
import type { Cancel, Clock, Log, Timers } from '../../base/index.ts'
import { ip6Text, ipBytes } from '../peers/index.ts'
import { macBytes, macText } from '../documents/index.ts'
import type { BoxId, Mac, MeshState, MeshView, PeerLane, PeerProtocol, PeerStatus } from '../ports.ts'
import type { NeighbourLinks } from './ports.ts'

export const LINKS_LANE: PeerProtocol = { name: '/meshbox/links/1', maxFrameBytes: 48, maxQueuedBytes: 1024, maxFramesPerSecond: 2, maxBytesPerSecond: 256, sides: ['mesh'] }
const MAC_BYTES = 6
const MAX_LINKS_TOLD = 8
const BAD_FRAME_PENALTY = 20
const LOOK_EVERY_MS = 5000
/** A device may get another address behind the same name. */
const ASK_AGAIN_MS = 60_000
/** A connection that breaks for a moment cuts nobody off. */
const LINGER_MS = 60_000

export interface BoxLinksParts {
  readonly peers: () => readonly Pick<PeerStatus, 'box' | 'side' | 'address' | 'isConnected'>[]
  /** Whether money may be between this box and that one. */
  readonly isWelcome: (box: BoxId) => boolean
  readonly view: Pick<MeshView, 'state' | 'on'>
  /** LINKS_LANE. */
  readonly lane: PeerLane
  /** Devices behind the addresses (all eight groups written) on the mesh interface, now. Errors: what reading them says. */
  readonly devices: () => Promise<ReadonlyMap<string, Mac>>
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly log: Log
}

interface Place {
  readonly ip: string
  readonly device: Mac | null
}

interface Link {
  readonly macs: readonly Mac[]
  readonly seenMs: number
}

export class BoxLinks implements NeighbourLinks {
  readonly #parts: BoxLinksParts
  readonly #listeners = new Set<() => void>()
  readonly #cancels: Cancel[] = []
  /** As each box says of itself on this connection. */
  readonly #told = new Map<BoxId, readonly Mac[]>()
  readonly #connected = new Set<BoxId>()
  #own: readonly Mac[] = []
  #places: ReadonlyMap<BoxId, Place> = new Map()
  #links: ReadonlyMap<BoxId, Link> = new Map()
  #askedMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | null = null
  #trouble: string | null = null

  constructor(parts: BoxLinksParts) {
    this.#parts = parts
  }

  start(): Promise<void> {
    const { timers, view, lane } = this.#parts
    this.#cancels.push(
      lane.onOpen((box) => {
        this.#connected.add(box)
        this.#say(box)
        void this.look()
      }),
      lane.onClose((box) => {
        this.#connected.delete(box)
        this.#told.delete(box)
      }),
      lane.onFrame((box, frame) => this.#heard(box, frame)),
      timers.every(LOOK_EVERY_MS, () => void this.look()),
      view.on(() => this.#join()),
    )
    return this.look()
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    await this.#looking
  }

  linksOf(box: BoxId): readonly Mac[] {
    return this.#links.get(box)?.macs ?? []
  }

  /** The addresses of this box's own interfaces in the mesh. */
  useOwn(macs: readonly Mac[]): void {
    if (macs.join() === this.#own.join()) return
    this.#own = macs.slice(0, MAX_LINKS_TOLD)
    for (const box of this.#connected) this.#say(box)
  }

  onChange(listener: () => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null))
    return this.#looking
  }

  async #look(): Promise<void> {
    const { peers, isWelcome, devices, clock, log } = this.#parts
    const places = new Map<BoxId, string>()
    for (const { box, side, address, isConnected } of peers()) {
      const ip = isConnected && side === 'mesh' && isWelcome(box) ? ip6Of(address) : null
      if (ip !== null) places.set(box, ip)
    }
    const isKnown = ([box, ip]: [BoxId, string]): boolean => this.#places.get(box)?.ip === ip && this.#places.get(box)?.device !== null
    const nowMs = clock.boottimeMs()
    if (places.size > 0 && ([...places].some((place) => !isKnown(place)) || nowMs - this.#askedMs >= ASK_AGAIN_MS)) {
      this.#askedMs = nowMs
      try {
        const known = await devices()
        this.#places = new Map([...places].map(([box, ip]) => [box, { ip, device: known.get(ip) ?? null }]))
        this.#trouble = null
      } catch (thrown) {
        const error = asError(thrown)
        if (this.#trouble !== error.message) log.warn('it cannot be seen which neighbour is which box; nothing new is carried', { error })
        this.#trouble = error.message
      }
    } else this.#places = new Map([...this.#places].filter(([box]) => places.has(box)))
    this.#join()
  }

  #say(box: BoxId): void {
    if (this.#own.length > 0) this.#parts.lane.send(box, concatBytes(...this.#own.map(macBytes)))
  }

  #heard(box: BoxId, frame: Uint8Array): void {
    if (frame.length === 0 || frame.length % MAC_BYTES !== 0) return this.#parts.lane.penalise(box, BAD_FRAME_PENALTY, 'addresses of interfaces are 6 bytes each')
    this.#told.set(box, Array.from({ length: frame.length / MAC_BYTES }, (_, at) => macText(frame.subarray(at * MAC_BYTES, (at + 1) * MAC_BYTES))))
    void this.look()
  }

  /** What batman-adv says now of the devices that are known. */
  #join(): void {
    const { view, clock, isWelcome } = this.#parts
    const state = view.state()
    if (state.condition.kind !== 'up') return // nothing is carried, and nobody is somewhere else
    const nowMs = clock.boottimeMs()
    const found = this.#found(state)
    const links = new Map<BoxId, Link>()
    for (const [box, link] of this.#links) if (isWelcome(box) && nowMs - link.seenMs < LINGER_MS) links.set(box, link)
    for (const [box, macs] of found) if (macs.length > 0) links.set(box, { macs, seenMs: nowMs })
    const boxesOf = new Map<Mac, BoxId[]>()
    for (const [box, macs] of found) for (const mac of macs) boxesOf.set(mac, [...(boxesOf.get(mac) ?? []), box])
    for (const [box, link] of links) {
      const macs = link.macs.filter((mac) => boxesOf.get(mac)?.every((other) => other === box) ?? true)
      if (macs.length === 0) links.delete(box)
      else links.set(box, { ...link, macs })
    }
    const isSame = textOf(this.#links) === textOf(links)
    this.#links = links
    if (!isSame) for (const listener of this.#listeners) listener()
  }

  /** Of each box that is connected, the addresses that may be its own. */
  #found({ nodes, clients }: MeshState): ReadonlyMap<BoxId, readonly Mac[]> {
    const originators = new Map(clients.flatMap(({ mac, originator }) => (originator === null ? [] : [[mac, originator]])))
    const primaries = new Set(originators.values())
    const there = new Map(nodes.flatMap((node) => (node.isGone ? [] : [[node.originator, node]])))
    // BATMAN V has no originator for a second interface; but who is a next hop is a neighbour.
    const nextHops = new Set([...there.values()].map((node) => node.nextHop))
    const found = new Map<BoxId, readonly Mac[]>()
    for (const [box, { device }] of this.#places) {
      const originator = device === null ? undefined : originators.get(device)
      const nextHop = originator === undefined ? null : (there.get(originator)?.nextHop ?? null)
      if (originator === undefined || nextHop === null) continue
      const told = new Set([originator, ...(this.#told.get(box) ?? [])])
      const isOurs = (mac: Mac): boolean => (there.get(mac)?.isNeighbour === true || nextHops.has(mac)) && (mac === originator || (told.has(nextHop) && !primaries.has(mac)))
      found.set(box, [...told].filter(isOurs))
    }
    return found
  }
}

function textOf(links: ReadonlyMap<BoxId, Link>): string {
  return [...links].map(([box, { macs }]) => `${box} ${macs.join(' ')}`).toSorted().join()
}

/** Of `/ip6/fd00::7/tcp/60404`; null: another kind of address. */
function ip6Of(address: string): string | null {
  const [, kind, text = ''] = address.split('/')
  const bytes = kind === 'ip6' ? ipBytes(text) : null
  return bytes?.length === 16 ? ip6Text(bytes) : null
}
