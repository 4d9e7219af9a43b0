/**
 * The box among boxes: one node for all protocols. It decides who connects, who is let in and who goes; streams are each
 * link's (link.ts), dialling is dialler.ts. docs/mesh.md, ports.ts `PeerNode`.
 */
import { asError, equalBytesConstantTime, inputError, utf8 } from '../../base/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { Beacon, BoxId, PeerProtocol, PeerQuestions, PeerSide, PeerStatus } from '../ports.ts'
import { hostOf, parsePrefix, sideOf } from './addresses.ts'
import type { Prefix } from './addresses.ts'
import { Dialler } from './dialler.ts'
import { COMMUNITY_BYTES, CONTROL_PROTOCOL, INSTANCE_BYTES, MAX_NAME_BYTES, MAX_PROTOCOLS } from './hello.ts'
import type { Farewell, PeerHello } from './hello.ts'
import { HostBook } from './host-book.ts'
import { Lane } from './lane.ts'
import type { PacedLane } from './lane.ts'
import { Link, isSameRun } from './link.ts'
import type { LinkOwner, LinkTools } from './link.ts'
import { MemoryBudget } from './memory-budget.ts'
import type { BoxPeerNode, PeerAlarm, PeerParts, PeerSettings } from './parts.ts'
import { PeerBook } from './peer-book.ts'
import type { PeerRecord } from './peer-book.ts'
import { keepsOlder, seatFor } from './places.ts'
import type { Place } from './places.ts'
import { FOR_GOOD_MS, pointsOf } from './penalties.ts'
import { Questions } from './questions.ts'
import type { StreamEnds, WireConnection, WireOwner, WireStream } from './wire.ts'

/** Connections that have not shown who they are, all together and from one address. */
export const MAX_STRANGERS = 32
export const MAX_STRANGERS_OF_HOST = 4
/** A connection in place answers in this time, or the newcomer has its key by right. */
export const PROBE_MS = 3000
/** Neither of two boxes with one key is let in for so long. */
export const TWIN_REST_MS = 60_000
const MAX_TWINS = 64
/** Anybody may say that there is another box with our key: the owner hears it once in so long. */
const ALARM_EVERY_MS = 600_000
const MAX_ALARMS = 128
/** A connection that held so long shows an address that is worth keeping: boxes that come and go cost no writes. */
export const KEEP_AFTER_MS = 60_000
const TICK_MS = 250
/** What all peers together may make this box keep. */
const MAX_WRITTEN_BYTES = 12 * 1024 * 1024
const MAX_HELD_BYTES = 8 * 1024 * 1024

interface Seated extends Place {
  readonly link: Link
}

export class PeerHub implements BoxPeerNode, WireOwner, LinkOwner {
  readonly self: BoxId
  readonly #parts: PeerParts
  readonly #prefixes: readonly Prefix[]
  readonly #lanes = new Map<string, Lane>()
  readonly #links = new Map<WireConnection, Link>()
  readonly #seated = new Map<BoxId, Link>()
  readonly #contested = new Set<BoxId>()
  readonly #twins = new Map<BoxId, number>()
  readonly #tags = new Map<BoxId, Set<symbol>>()
  readonly #hosts = new HostBook()
  readonly #budget = new MemoryBudget(MAX_WRITTEN_BYTES, MAX_HELD_BYTES)
  readonly #book: PeerBook
  readonly #dialler: Dialler
  readonly #alarms = new Set<(alarm: PeerAlarm) => void>()
  /** When it was told last. */
  readonly #alarmed = new Map<string, number>()
  readonly #linkTools: LinkTools
  #state: 'new' | 'running' | 'stopped' = 'new'
  #cancelTick: Cancel = () => undefined

  /** Errors: input, for a setting that cannot be. */
  constructor(parts: PeerParts) {
    const { settings, wire, clock, timers, randomness, log, documents } = parts
    checkSettings(settings)
    this.self = documents.self
    this.#parts = parts
    this.#prefixes = settings.meshPrefixes.map(parsePrefix)
    const failed = (thrown: unknown): void => this.#alarm({ kind: 'not-written', reason: asError(thrown).message })
    this.#book = new PeerBook(parts.shelf, clock, failed)
    this.#dialler = new Dialler({ wire, clock, timers, randomness, log, staticPeers: settings.staticPeers, meshPrefixes: this.#prefixes })
    const instance = randomness.bytes(INSTANCE_BYTES)
    this.#linkTools = {
      clock,
      timers,
      randomness,
      log,
      documents,
      budget: this.#budget,
      ownPeerId: wire.peerId,
      facts: (side) => ({
        instance,
        community: settings.community,
        name: settings.name,
        originator: parts.originator(),
        protocols: [...this.#lanes.values()].filter((lane) => lane.protocol.sides.includes(side)).map((lane) => lane.protocol.name),
      }),
    }
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw inputError('start', this.#state, 'a node that was not started before')
    this.#state = 'running'
    try {
      await this.#parts.wire.start(this, [CONTROL_PROTOCOL, ...this.#lanes.keys()])
    } catch (thrown) {
      if (this.isRunning) this.#state = 'new'
      throw thrown
    }
    if (!this.isRunning) return await this.#parts.wire.stop() // stopped meanwhile
    for (const { box, address } of this.#book.all()) if (address !== null && !this.#book.isBanned(box)) this.#dialler.remember(address, box)
    this.#cancelTick = this.#parts.timers.every(TICK_MS, () => this.#tick())
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#cancelTick()
    for (const link of [...this.#links.values()]) link.end(0, 'this box stops')
    await this.#parts.wire.stop()
  }

  addresses(): readonly string[] {
    return this.#parts.wire.addresses()
  }

  open(protocol: PeerProtocol): PacedLane {
    if (this.#state !== 'new') throw inputError('protocol', protocol.name, 'protocols that are opened before the start')
    if (this.#lanes.has(protocol.name)) throw inputError('protocol', protocol.name, 'each protocol once')
    if (this.#lanes.size >= MAX_PROTOCOLS) throw inputError('protocol', protocol.name, `at most ${MAX_PROTOCOLS} protocols`)
    const lane = new Lane(protocol, this)
    this.#lanes.set(protocol.name, lane)
    return lane
  }

  openQuestions(protocol: PeerProtocol, answer: (from: BoxId, question: Uint8Array) => Promise<Uint8Array | null>): PeerQuestions {
    return new Questions(this.open(protocol), answer, { timers: this.#parts.timers, log: this.#parts.log, maxFrameBytes: protocol.maxFrameBytes })
  }

  isConnected(box: BoxId): boolean {
    return this.#seated.get(box)?.isReady ?? false
  }

  peerIdOf(box: BoxId): Uint8Array | null {
    return this.#seated.get(box)?.connection.peerId ?? null
  }

  peers(): readonly PeerStatus[] {
    return this.#book.all().map((record) => this.#statusOf(record))
  }

  /** Resolves when both boxes have let each other in. Errors: input; unavailable, with what the network or the other box says. */
  async dial(address: string): Promise<void> {
    if (this.#state !== 'running') throw inputError('dial', address, 'a node that runs')
    await this.#dialler.dial(address)
  }

  async ban(box: BoxId, reason: string): Promise<void> {
    if (box === this.self) throw inputError('box', box, 'another box')
    const written = this.#book.ban(box, reason)
    this.#seated.get(box)?.farewell('banned', reason)
    await written
  }

  pardon(box: BoxId): Promise<void> {
    return this.#book.pardon(box)
  }

  protect(box: BoxId, tag: string): Cancel {
    const one = Symbol(tag)
    const tags = this.#tags.get(box) ?? new Set()
    this.#tags.set(box, tags.add(one))
    return () => {
      tags.delete(one)
      if (tags.size === 0 && this.#tags.get(box) === tags) this.#tags.delete(box)
    }
  }

  disconnect(box: BoxId, reason: string): void {
    this.#seated.get(box)?.end(0, reason)
  }

  heard(beacon: Beacon): void {
    const isOurs = beacon.box === this.self
    if (isOurs || this.#book.isBanned(beacon.box) || !equalBytesConstantTime(beacon.community, this.#parts.settings.community)) return
    this.#dialler.heard(beacon)
  }

  onAlarm(listener: (alarm: PeerAlarm) => void): Cancel {
    this.#alarms.add(listener)
    return () => this.#alarms.delete(listener)
  }

  sizes(): ReturnType<BoxPeerNode['sizes']> {
    return { links: this.#links.size, seated: this.#seated.size, streams: this.#budget.streams, remembered: this.#book.all().length, addresses: this.#dialler.size, hosts: this.#hosts.size, writtenBytes: this.#budget.written, heldBytes: this.#budget.held() }
  }

  /** A lane's, or the service's, word on a peer. */
  penalise(box: BoxId, points: number, reason: string): void {
    const isBanned = this.#book.penalise(box, points, reason)
    this.#parts.log[isBanned ? 'warn' : 'debug'](isBanned ? 'a box is banned' : 'a box breaks the rules', { box, points, reason })
    if (isBanned) this.#seated.get(box)?.farewell('banned', reason)
  }

  listenerFailed(protocol: string, thrown: unknown): void {
    this.#parts.log.error('a listener failed', { protocol, error: asError(thrown) })
  }

  // ---- told by the wire

  mayConnect(address: string): boolean {
    const host = hostOf(address)
    if (this.#state !== 'running' || host === null || this.#hosts.isBanned(host, this.#now())) return false
    if (sideOf(host, this.#prefixes) === 'internet' && !this.#parts.settings.acceptsInternet && !this.#dialler.isNamed(host)) return false
    const { maxPeersOfHost = Number.POSITIVE_INFINITY } = this.#parts.settings
    const links = [...this.#links.values()].filter((link) => !link.connection.isOutbound)
    if (links.filter((link) => hostOf(link.connection.address) === host).length >= maxPeersOfHost) return false
    const strangers = links.filter((link) => link.hello === null)
    return strangers.length < MAX_STRANGERS && strangers.filter((link) => hostOf(link.connection.address) === host).length < MAX_STRANGERS_OF_HOST
  }

  onConnection(connection: WireConnection): void {
    if (this.#state !== 'running') return connection.close('this box stops')
    const host = hostOf(connection.address)
    const link = new Link(connection, host === null ? 'internet' : sideOf(host, this.#prefixes), this.#lanes, this, this.#linkTools)
    this.#links.set(connection, link)
    this.#dialler.begun(connection)
    if (connection.isOutbound) link.start()
  }

  onConnectionClosed(connection: WireConnection): void {
    this.#links.get(connection)?.end(0, 'the connection was closed')
  }

  onStream(connection: WireConnection, protocol: string, stream: WireStream): StreamEnds | null {
    return this.#links.get(connection)?.onStream(protocol, stream) ?? null
  }

  // ---- told by links

  onHello(link: Link, hello: PeerHello): void {
    const { box } = hello
    if (!equalBytesConstantTime(hello.community, this.#parts.settings.community)) return link.farewell('refused', 'it belongs to another community')
    if (box === this.self) return this.#metSelf(link, hello)
    if (this.#book.isBanned(box)) return link.farewell('banned', 'it is banned')
    const refusal = this.#parts.refuses?.(box, link.side) ?? null
    if (refusal !== null) return link.farewell('refused', refusal)
    if ((this.#twins.get(box) ?? 0) > this.#now()) return link.farewell('twin', 'another box shows the same key')
    const older = this.#seated.get(box)
    if (older === undefined || older.hello === null || older.isEnded) return this.#seat(link, box, hello)
    if (isSameRun(older.hello, hello)) return this.#chooseOne(older, link, box, hello)
    if (this.#contested.has(box)) return link.farewell('refused', 'it is being found out which of two it is')
    this.#contest(older, link, box, hello).catch((thrown: unknown) => link.end(0, asError(thrown).message))
  }

  onReady(link: Link): void {
    const { box, connection, side } = link
    this.#parts.log.info('a box is connected', { box, address: connection.address, side })
    this.#dialler.reached(connection, box)
  }

  onBreach(link: Link, points: number, reason: string): void {
    const { box } = link
    if (box !== null) return this.penalise(box, points, reason)
    const host = hostOf(link.connection.address)
    if (host !== null && !link.connection.isOutbound) this.#hosts.penalise(host, points, reason, this.#now())
  }

  onFarewell(link: Link, reason: Farewell): void {
    if (reason === 'twin' && link.box !== null) this.#alarm({ kind: 'called-twin', by: link.box })
    link.end(0, `it said farewell: ${reason}`)
  }

  onEnded(link: Link, points: number, reason: string): void {
    const { box, connection } = link
    this.#links.delete(connection)
    if (box !== null && this.#seated.get(box) === link) this.#seated.delete(box)
    this.#parts.log.info('a connection ended', { box: box ?? 'unknown', address: connection.address, reason })
    this.#dialler.ended(connection, reason, box !== null && this.isConnected(box))
    if (points > 0) this.onBreach(link, points, reason)
  }

  // ---- deciding

  #metSelf(link: Link, hello: PeerHello): void {
    if (equalBytesConstantTime(hello.instance, this.#linkTools.facts(link.side).instance)) return link.end(0, 'it is ourselves')
    this.#alarm({ kind: 'own-key-elsewhere', peerId: link.connection.peerIdText, address: link.connection.address })
    link.farewell('twin', 'another box shows our key')
  }

  #chooseOne(older: Link, newer: Link, box: BoxId, hello: PeerHello): void {
    const isOlderKept = keepsOlder({
      isOlderOurs: older.connection.isOutbound,
      isNewerOurs: newer.connection.isOutbound,
      apartMs: newer.sinceMs - older.sinceMs,
      isSelfLower: this.self < box,
    })
    if (isOlderKept) return newer.farewell('replaced', 'both dialled; the other connection stays')
    this.#seated.delete(box)
    older.farewell('replaced', 'a newer connection of the same box')
    this.#seat(newer, box, hello)
  }

  /** Two runs show one key. If the older one has gone, it was started anew; if it answers, there are two boxes. */
  async #contest(older: Link, newer: Link, box: BoxId, hello: PeerHello): Promise<void> {
    this.#contested.add(box)
    const isAlive = await older.probe(PROBE_MS)
    this.#contested.delete(box)
    if (!isAlive) {
      older.end(0, 'it was started anew')
      if (this.#seated.has(box)) newer.farewell('refused', 'another connection was quicker')
      else if (!newer.isEnded) this.#seat(newer, box, hello)
      return
    }
    this.#twins.set(box, this.#now() + TWIN_REST_MS)
    const oldest = this.#twins.keys().next()
    if (this.#twins.size > MAX_TWINS && !oldest.done) this.#twins.delete(oldest.value)
    const both = [older.connection, newer.connection]
    this.#alarm({ kind: 'twin', box, peerIds: both.map((each) => each.peerIdText), addresses: both.map((each) => each.address) })
    for (const link of [older, newer]) link.farewell('twin', 'two boxes show one key')
  }

  #seat(link: Link, box: BoxId, hello: PeerHello): void {
    const { settings } = this.#parts
    const seat = seatFor(this.#placeOf(link, box), [...this.#seated].map(([each, of]): Seated => this.#placeOf(of, each)), settings)
    if (seat.kind === 'none') return link.farewell('full', 'all places are taken')
    if (seat.kind === 'instead') {
      const { link: gone } = seat.of
      if (gone.box !== null) this.#seated.delete(gone.box)
      gone.farewell('full', `its place is for ${box}`)
    }
    this.#seated.set(box, link)
    this.#book.met(box, { name: hello.name, peerId: link.connection.peerIdText, side: link.side })
    link.welcome()
  }

  #placeOf(link: Link, box: BoxId): Seated {
    return { link, side: link.side, isTagged: this.#tags.has(box), isStatic: this.#dialler.isStatic(box, link.connection.address), points: this.#book.points(box), sinceMs: link.sinceMs }
  }

  #statusOf({ box, name, peerId, address, side, standing, seenMs }: PeerRecord): PeerStatus {
    const link = this.#seated.get(box)
    const [now, ban] = [this.#now(), standing.ban]
    const isBanned = this.#book.isBanned(box)
    return {
      box,
      peerId: link?.connection.peerIdText ?? peerId,
      side: link?.side ?? side,
      address: link?.connection.address ?? address ?? '',
      originator: link?.hello?.originator ?? this.#dialler.originatorOf(box),
      name,
      isConnected: link?.isReady ?? false,
      sinceMs: link?.sinceMs ?? seenMs,
      roundTripMs: link?.roundTripMs ?? null,
      penalty: pointsOf(standing, now),
      bannedUntilMs: isBanned && ban !== null ? (ban.untilMs ?? FOR_GOOD_MS) : null,
      banReason: isBanned && ban !== null ? ban.reason : null,
      protocols: link?.openProtocols() ?? [],
    }
  }

  #tick(): void {
    const now = this.#now()
    this.#budget.sweep()
    for (const [box, untilMs] of this.#twins) if (untilMs <= now) this.#twins.delete(box)
    for (const [box, { connection, sinceMs, isReady }] of this.#seated) if (isReady && connection.isOutbound && now - sinceMs >= KEEP_AFTER_MS) this.#book.keep(box, connection.address)
    const sideNow = (box: BoxId): PeerSide | null => (this.isConnected(box) ? (this.#seated.get(box)?.side ?? null) : null)
    this.#dialler.look(sideNow, (box) => this.#book.isBanned(box) || box === this.self)
  }

  #alarm(alarm: PeerAlarm): void {
    const key = [alarm.kind, 'box' in alarm ? alarm.box : 'by' in alarm ? alarm.by : ''].join(' ')
    if (this.#now() - (this.#alarmed.get(key) ?? Number.NEGATIVE_INFINITY) < ALARM_EVERY_MS) return
    this.#alarmed.delete(key)
    this.#alarmed.set(key, this.#now())
    const oldest = this.#alarmed.keys().next()
    if (this.#alarmed.size > MAX_ALARMS && !oldest.done) this.#alarmed.delete(oldest.value)
    this.#parts.log.error('peers: something for the owner', { ...alarm })
    for (const listener of this.#alarms) listener(alarm)
  }

  #now(): number {
    return this.#parts.clock.boottimeMs()
  }
}

/** What others would refuse is not said. Errors: input. */
function checkSettings({ name, community, maxPeers, maxInternetPeers }: PeerSettings): void {
  if (utf8(name).length > MAX_NAME_BYTES || /\p{Cc}/u.test(name)) throw inputError('name', name, `at most ${MAX_NAME_BYTES} bytes without control characters`)
  if (community.length !== COMMUNITY_BYTES) throw inputError('community', `${community.length} bytes`, `${COMMUNITY_BYTES} bytes`)
  if (!(maxPeers >= 1)) throw inputError('maxPeers', maxPeers, '1 or more')
  if (!(maxInternetPeers >= 0)) throw inputError('maxInternetPeers', maxInternetPeers, '0 or more')
}
