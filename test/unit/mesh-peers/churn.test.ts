/**
 * Six boxes that dial, cut, ban, restart and talk by dice: what is told of a lane is always open, close, open; what arrives
 * is in order and once; and when the dice rest, every two of them have exactly one connection. MESHBOX_CHURN_SEEDS: more runs.
 */
import { describe, expect, it } from 'vitest'
import type { PacedLane } from '../../../src/mesh/peers/index.ts'
import { DEFAULT_MAX_PEERS } from '../../../src/mesh/peers/parts.ts'
import type { BoxId } from '../../../src/mesh/ports.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { MemoryShelf, NOTES, boxOf } from './boxes.ts'
import type { TestBox } from './boxes.ts'
import { MemoryNet } from './memory-wire.ts'
import type { MemoryWire } from './memory-wire.ts'

const BOXES = 6
const STEPS = 150
const SEEDS = Number(process.env.MESHBOX_CHURN_SEEDS ?? 2)

interface Running extends TestBox {
  readonly wire: MemoryWire
  readonly lane: PacedLane
  readonly shelf: MemoryShelf
  readonly open: Set<BoxId>
  /** Of each peer, the last number that came on the connection that is. */
  readonly last: Map<BoxId, number>
  readonly faults: string[]
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function start(net: MemoryNet, time: FakeTime, number: number, run: number, shelf: MemoryShelf): Promise<Running> {
  const wire = net.wire(`fd00::${number}`, number)
  const staticPeers = Array.from({ length: BOXES }, (_, i) => i + 1).filter((other) => other !== number).map((other) => `/ip6/fd00::${other}/tcp/40003`)
  const box = boxOf({ number, wire, time, shelf, run, settings: { staticPeers } })
  const lane = box.hub.open(NOTES)
  const made: Running = { ...box, wire, lane, shelf, open: new Set(), last: new Map(), faults: [] }
  lane.onOpen((peer) => {
    if (made.open.has(peer)) made.faults.push(`${peer} opened twice`)
    made.open.add(peer)
    made.last.delete(peer)
  })
  lane.onClose((peer) => {
    if (!made.open.delete(peer)) made.faults.push(`${peer} closed and was not open`)
  })
  lane.onFrame((from, frame) => {
    const value = new DataView(frame.buffer, frame.byteOffset).getUint32(0)
    if (!made.open.has(from)) made.faults.push(`a frame of ${from}, which is not open`)
    if (value <= (made.last.get(from) ?? -1)) made.faults.push(`${value} of ${from} after ${made.last.get(from) ?? -1}`)
    made.last.set(from, value)
  })
  await box.hub.start()
  return made
}

describe('churn', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`of seed ${seed}`, async () => {
      const random = seededRandom(seed)
      const pick = (count: number): number => Math.floor(random.next() * count)
      const [net, time] = [new MemoryNet(), new FakeTime()]
      const boxes: Running[] = []
      for (let number = 1; number <= BOXES; number++) boxes.push(await start(net, time, number, 0, new MemoryShelf()))
      const faults: string[] = []
      let [sent, runs] = [0, 0]
      const advance = async (ms: number): Promise<void> => {
        time.advance(ms)
        await turns()
        for (const { hub, open } of boxes) {
          const { links, seated, streams } = hub.sizes()
          if (links > 3 * BOXES || seated > DEFAULT_MAX_PEERS || streams > 2 * links) faults.push(`${links} links, ${seated} seated, ${streams} streams`)
          if (open.size > seated) faults.push(`${open.size} lanes open, ${seated} seated`)
        }
      }
      for (let step = 0; step < STEPS; step++) {
        const [at, other] = [pick(BOXES), pick(BOXES)]
        const [box, peer] = [boxes[at], boxes[other]]
        if (box === undefined || peer === undefined || at === other) continue
        const dice = pick(20)
        if (dice < 8) for (let i = 0; i < 20; i++) box.lane.send(peer.hub.self, Uint8Array.from([0, 0, sent >> 8, sent++ & 0xff]))
        else if (dice < 11) void box.hub.dial(peer.wire.address).catch(() => undefined)
        else if (dice < 14) box.hub.disconnect(peer.hub.self, 'the dice say so')
        else if (dice < 15) await box.hub.ban(peer.hub.self, 'the dice say so')
        else if (dice < 17) await box.hub.pardon(peer.hub.self)
        else if (dice < 18) box.lane.penalise(peer.hub.self, 40, 'the dice say so')
        else if (dice < 19) {
          if (random.next() < 0.5) box.wire.vanish() // the power fails
          await box.hub.stop()
          faults.push(...box.faults)
          boxes[at] = await start(net, time, at + 1, ++runs, box.shelf)
        } else for (const one of boxes) one.lane.pause(peer.hub.self)
        if (random.next() < 0.7) await advance(pick(1500))
        for (const one of boxes) one.lane.resume(peer.hub.self)
      }
      for (const box of boxes) for (const other of boxes) await box.hub.pardon(other.hub.self)
      for (let round = 0; round < 280; round++) await advance(2500)
      faults.push(...boxes.flatMap((box) => box.faults))
      expect(faults).toEqual([])
      for (const box of boxes) {
        expect(box.hub.peers().filter(({ isConnected }) => isConnected)).toHaveLength(BOXES - 1)
        expect([...box.open].sort()).toEqual(boxes.map(({ hub }) => hub.self).filter((self) => self !== box.hub.self).sort())
        expect(box.hub.sizes()).toMatchObject({ links: BOXES - 1, seated: BOXES - 1, streams: 2 * (BOXES - 1), writtenBytes: 0, heldBytes: 0 })
        expect(box.alarms.filter(({ kind }) => kind !== 'called-twin' && kind !== 'twin')).toEqual([])
      }
      for (const { hub } of boxes) await hub.stop()
      expect(time.pendingTimers).toBe(0)
    })
  }
})
