/** Boxes that are members of something, on lanes that a test holds in its hand. */
import { hexOf } from '../../../src/base/index.ts'
import type { Cancel } from '../../../src/base/index.ts'
import { silentLog } from '../../../src/base/index.ts'
import { Community, invitationKeys, joiningMigrations } from '../../../src/mesh/joining/index.ts'
import type { CodeTerms } from '../../../src/mesh/joining/index.ts'
import type { BoxId, Documents, PeerLane, PeerSide } from '../../../src/mesh/ports.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { memoryStore } from '../../sim/spectrum/memory-store.ts'

export const curve = loadSecp256k1(null)
export const keys = invitationKeys(curve)
export const boxDocuments = (index: number): Documents => keys.documentsOf(new Uint8Array(32).fill(index + 1))

export const TERMS: CodeTerms = {
  name: 'Roofs of Alma',
  chainFileHash: hexOf(new Uint8Array(32).fill(7)),
  meshId: 'alma-roofs',
  meshChannel: 36,
  meshSecret: 'correct-horse-battery',
  ulaPrefix: 'fd12:3456:789a::/64',
  contract: hexOf(new Uint8Array(20).fill(4)),
  tokens: [{ address: hexOf(new Uint8Array(20).fill(5)), symbol: 'SMT', decimals: 18 }],
  prices: { token: hexOf(new Uint8Array(20).fill(5)), perMiB: 10n ** 15n, perMinute: 10n ** 17n },
}

/** What the room asks of the peers, kept. */
class Lane implements PeerLane {
  readonly net: Net
  readonly self: BoxId
  frames: (from: BoxId, frame: Uint8Array) => void = () => undefined
  opens: (peer: BoxId, side: PeerSide) => void = () => undefined
  closes: (peer: BoxId) => void = () => undefined
  readonly penalties: { readonly peer: BoxId; readonly points: number; readonly reason: string }[] = []

  constructor(net: Net, self: BoxId) {
    this.net = net
    this.self = self
  }

  send(to: BoxId, frame: Uint8Array): boolean {
    return this.net.carry(this.self, to, frame)
  }
  onFrame(listener: (from: BoxId, frame: Uint8Array) => void): Cancel {
    this.frames = listener
    return () => (this.frames = () => undefined)
  }
  onOpen(listener: (peer: BoxId, side: PeerSide) => void): Cancel {
    this.opens = listener
    return () => (this.opens = () => undefined)
  }
  onClose(listener: (peer: BoxId) => void): Cancel {
    this.closes = listener
    return () => (this.closes = () => undefined)
  }
  penalise(peer: BoxId, points: number, reason: string): void {
    this.penalties.push({ peer, points, reason })
  }
}

/** Links between boxes; frames wait until the test lets them run. */
export class Net {
  readonly lanes = new Map<BoxId, Lane>()
  readonly #links = new Set<string>()
  readonly #waiting: (() => void)[] = []
  carried = 0

  carry(from: BoxId, to: BoxId, frame: Uint8Array): boolean {
    if (!this.#links.has(`${from} ${to}`)) return false
    const copy = frame.slice()
    this.#waiting.push(() => {
      if (!this.#links.has(`${from} ${to}`)) return
      this.carried++
      this.lanes.get(to)?.frames(from, copy)
    })
    return true
  }

  link(a: TestBox, b: TestBox): void {
    for (const [from, to] of [[a, b], [b, a]] as const) this.#links.add(`${from.id} ${to.id}`)
    a.lane.opens(b.id, 'mesh')
    b.lane.opens(a.id, 'mesh')
  }

  cut(a: TestBox, b: TestBox): void {
    for (const [from, to] of [[a, b], [b, a]] as const) this.#links.delete(`${from.id} ${to.id}`)
    a.lane.closes(b.id)
    b.lane.closes(a.id)
  }

  /** Until nobody has anything to say. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 8; quiet++) {
      await new Promise((resolve) => setImmediate(resolve))
      const due = this.#waiting.splice(0)
      if (due.length > 0) quiet = 0
      for (const run of due) run()
    }
  }
}

export interface TestBox {
  readonly id: BoxId
  readonly lane: Lane
  readonly room: Community
  readonly time: FakeTime
  readonly store: Store
  readonly banned: Map<BoxId, string>
  readonly told: string[]
}

export function box(net: Net, index: number, community: BoxId, store: Store = memoryStore(joiningMigrations)): TestBox {
  const documents = boxDocuments(index)
  const lane = new Lane(net, documents.self)
  net.lanes.set(documents.self, lane)
  const time = new FakeTime()
  const banned = new Map<BoxId, string>()
  const room = new Community({
    clock: time,
    timers: time,
    randomness: seededRandom(index + 1),
    log: silentLog,
    documents,
    store,
    keys,
    community,
    peers: {
      open: () => lane,
      ban: async (peer, reason) => void banned.set(peer, reason),
      pardon: async (peer) => void banned.delete(peer),
    },
  })
  const told: string[] = []
  room.onStanding(({ box: who, standing }) => told.push(`${who} ${standing}`))
  room.start()
  return { id: documents.self, lane, room, time, store, banned, told }
}
