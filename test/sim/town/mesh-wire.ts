/**
 * What boxes of a mesh say to each other: lanes of frames, and questions. Frames may be lost; a dead process hears and says nothing; where the mesh is cut
 * in two, nobody hears the other side. Seeded.
 */
import type { Address, Cancel } from '../../../src/base/index.ts'
import type { BoxId, PeerLane, PeerProtocol, PeerQuestions, PeerSide, PeerStatus } from '../../../src/mesh/ports.ts'
import type { FakeTime } from '../../support/fakes.ts'

interface Port {
  readonly frame: Set<(from: BoxId, frame: Uint8Array) => void>
  readonly open: Set<(peer: BoxId, side: PeerSide) => void>
  readonly close: Set<(peer: BoxId) => void>
}

type Answer = (from: BoxId, question: Uint8Array) => Promise<Uint8Array | null>

export class MeshWire {
  readonly #ends = new Map<BoxId, MeshEnd>()
  readonly #dice: { next(): number }
  /** Of frames of lanes, and of questions, 0-1. */
  loss = 0
  lost = 0
  /** Breaches of protocols that boxes saw; nobody breaks one here. */
  readonly breaches: string[] = []
  isCut: (a: BoxId, b: BoxId) => boolean = () => false

  constructor(dice: { next(): number }) {
    this.#dice = dice
  }

  /** A process is there: all whom it reaches hear of it. */
  join(end: MeshEnd): void {
    this.#ends.set(end.self, end)
    for (const other of this.#ends.values()) if (this.isJoined(end, other)) this.#met(end, other)
  }

  leave(end: MeshEnd): void {
    if (this.#ends.get(end.self) !== end) return
    this.#ends.delete(end.self)
    for (const other of this.#ends.values()) other.parted(end.self)
  }

  /** Whom the cut has parted, or brought together again, hears of it. `change`: what cuts or heals. */
  around(change: () => void): void {
    const pairs = [...this.#ends.values()].flatMap((a) => [...this.#ends.values()].filter((b) => a.self < b.self).map((b) => [a, b] as const))
    const before = pairs.map(([a, b]) => this.isJoined(a, b))
    change()
    for (const [index, [a, b]] of pairs.entries()) {
      const isNow = this.isJoined(a, b)
      if (before[index] === isNow) continue
      if (isNow) this.#met(a, b)
      else for (const [x, y] of [[a, b], [b, a]] as const) x.parted(y.self)
    }
  }

  isJoined(a: MeshEnd, b: MeshEnd): boolean {
    return a !== b && a.isAlive() && b.isAlive() && !this.isCut(a.self, b.self)
  }

  others(end: MeshEnd): readonly MeshEnd[] {
    return [...this.#ends.values()].filter((other) => this.isJoined(end, other))
  }

  /** What `from` sends to `to`, or null: it is not there. Undefined: lost on the way. */
  reach(from: MeshEnd, to: BoxId): MeshEnd | null | undefined {
    const other = this.#ends.get(to)
    if (other === undefined || !this.isJoined(from, other)) return null
    if (this.#dice.next() >= this.loss) return other
    this.lost++
    return undefined
  }

  #met(a: MeshEnd, b: MeshEnd): void {
    a.met(b.self)
    b.met(a.self)
  }
}

/** One process of one box. */
export class MeshEnd {
  readonly self: Address
  readonly isAlive: () => boolean
  readonly #wire: MeshWire
  readonly #time: FakeTime
  readonly #ports = new Map<string, Port>()
  readonly #answers = new Map<string, Answer>()

  constructor(wire: MeshWire, self: Address, time: FakeTime, isAlive: () => boolean) {
    this.#wire = wire
    this.self = self
    this.#time = time
    this.isAlive = isAlive
  }

  open(protocol: PeerProtocol): PeerLane {
    const port = this.#port(protocol)
    return {
      send: (to, frame) => {
        if (frame.length > protocol.maxFrameBytes) throw new Error(`${frame.length} bytes on ${protocol.name}`)
        const other = this.#wire.reach(this, to)
        if (other === null) return false
        const copy = frame.slice()
        if (other !== undefined) setImmediate(() => this.#wire.isJoined(this, other) && other.hear(protocol.name, this.self, copy))
        return true
      },
      onFrame: (listener) => added(port.frame, listener),
      onOpen: (listener) => added(port.open, listener),
      onClose: (listener) => added(port.close, listener),
      penalise: (peer, points, reason) => this.penalise(peer, points, reason),
    }
  }

  openQuestions(protocol: PeerProtocol, answer: Answer): PeerQuestions {
    const port = this.#port(protocol)
    this.#answers.set(protocol.name, answer)
    return {
      ask: (to, question, timeoutMs) =>
        new Promise((resolve, reject) => {
          this.#time.after(timeoutMs, () => reject(new Error('no answer')))
          const other = this.#wire.reach(this, to)
          if (other === null) return reject(new Error('it is not there'))
          if (other === undefined) return
          setImmediate(() => {
            void other.asked(protocol.name, this.self, question)?.then((bytes) => {
              if (!this.#wire.isJoined(this, other)) return
              if (bytes === null) reject(new Error('it does not say'))
              else resolve(bytes)
            })
          })
        }),
      onOpen: (listener) => added(port.open, listener),
      onClose: (listener) => added(port.close, listener),
    }
  }

  peers(): readonly PeerStatus[] {
    return this.#wire.others(this).map((other) => ({ box: other.self, peerId: '', side: 'mesh', address: '', originator: null, name: '', isConnected: true, sinceMs: 0, roundTripMs: null, penalty: 0, bannedUntilMs: null, banReason: null, protocols: [...other.#ports.keys()] }))
  }

  penalise(peer: BoxId, points: number, reason: string): void {
    // While a box works its own clock goes on alone: what it says twice in ten seconds may come to another within five.
    if (points < 10) return
    this.#wire.breaches.push(`${this.self} says of ${peer}: ${reason} (${points})`)
  }

  hear(protocol: string, from: BoxId, frame: Uint8Array): void {
    for (const listener of this.#ports.get(protocol)?.frame ?? []) listener(from, frame)
  }
  asked(protocol: string, from: BoxId, question: Uint8Array): Promise<Uint8Array | null> | undefined {
    return this.isAlive() ? this.#answers.get(protocol)?.(from, question) : undefined
  }
  met(peer: BoxId): void {
    for (const { open } of this.#ports.values()) for (const listener of open) listener(peer, 'mesh')
  }
  parted(peer: BoxId): void {
    for (const { close } of this.#ports.values()) for (const listener of close) listener(peer)
  }

  #port({ name }: PeerProtocol): Port {
    const port: Port = { frame: new Set(), open: new Set(), close: new Set() }
    this.#ports.set(name, port)
    return port
  }
}

function added<T>(set: Set<T>, one: T): Cancel {
  set.add(one)
  return () => set.delete(one)
}
