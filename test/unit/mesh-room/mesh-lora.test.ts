/** A LoRa frame that several boxes heard, over the lane between them: as many are sold as the tenant buys, by those who heard it best. */
import { expect, it } from 'vitest'
import type { Address } from '../../../src/base/index.ts'
import { NeighbourContest, type ContestOffer } from '../../../src/iot/index.ts'
import { LORA_LANE, MeshLora } from '../../../src/main/mesh-lora.ts'
import { FakeTime } from '../../support/fakes.ts'

const boxOf = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const FRAME = 'ab'.repeat(32)

/** Lanes that carry at once between all that are not cut off. */
class Air {
  readonly time = new FakeTime()
  readonly boxes = new Map<Address, { readonly lora: MeshLora; readonly contest: NeighbourContest; hear(from: Address, frame: Uint8Array): void; readonly penalties: string[] }>()
  readonly strangers = new Set<Address>()

  add(n: number): Address {
    const self = boxOf(n)
    const penalties: string[] = []
    let listener: (from: Address, frame: Uint8Array) => void = () => undefined
    const lane = {
      send: (to: Address, frame: Uint8Array) => {
        expect(frame.length).toBeLessThanOrEqual(LORA_LANE.maxFrameBytes)
        this.boxes.get(to)?.hear(self, frame)
        return true
      },
      onFrame: (each: typeof listener) => ((listener = each), () => undefined),
      onOpen: () => () => undefined,
      onClose: () => () => undefined,
      penalise: (from: Address, points: number) => void penalties.push(`${from} ${points}`),
      isOpen: (box: Address) => this.boxes.has(box),
      openPeers: () => [...this.boxes.keys()].filter((box) => box !== self),
      pause: () => undefined,
      resume: () => undefined,
      disconnect: () => undefined,
    }
    const lora = new MeshLora({ self, hub: { open: () => lane }, isWelcome: (box) => !this.strangers.has(box) })
    this.boxes.set(self, { lora, contest: new NeighbourContest(lora, this.time, this.time), hear: (from, frame) => listener(from, frame), penalties })
    return self
  }

  async sellers(maxCopies: number, heard: ReadonlyMap<Address, number>, frame = FRAME): Promise<Address[]> {
    const asked = [...heard].map(async ([box, snrDb]) => ({ box, isOurs: await this.at(box).contest.isOurs({ frame, snrDb, maxCopies, withinMs: 200 }) }))
    this.time.advance(250)
    return (await Promise.all(asked)).filter(({ isOurs }) => isOurs).map(({ box }) => box)
  }

  at(box: Address): NonNullable<ReturnType<typeof this.boxes.get>> {
    const found = this.boxes.get(box)
    if (found === undefined) throw new Error('no such box')
    return found
  }
}

it('is sold once, by the box that heard it best, though three heard it', async () => {
  const air = new Air()
  const [a, b, c] = [air.add(1), air.add(2), air.add(3)]
  expect(await air.sellers(1, new Map([[a, -3.5], [b, 7.25], [c, -19.9]]))).toEqual([b])
  expect(await air.sellers(2, new Map([[a, -3.5], [b, 7.25], [c, -19.9]]), 'cd'.repeat(32))).toEqual([a, b])
})

it('a stranger takes no sale away by a better offer, and is told nothing', async () => {
  const air = new Air()
  const [a, b, s] = [air.add(1), air.add(2), air.add(9)]
  air.strangers.add(s)
  const heard: ContestOffer[] = []
  air.at(s).lora.onOffer((offer) => heard.push(offer))
  expect(await air.sellers(1, new Map([[s, 20], [a, 1], [b, 2]]))).toContain(b)
  expect(heard).toEqual([])
  expect(air.at(a).lora.boxes).toBe(1)
})

it('bytes that are no offer change nothing and are held against their sender', async () => {
  const air = new Air()
  const [a, b] = [air.add(1), air.add(2)]
  const offers: ContestOffer[] = []
  air.at(a).lora.onOffer((offer) => offers.push(offer))
  const wild = new Uint8Array(34).fill(0x7f)
  for (const bytes of [new Uint8Array(0), new Uint8Array(33), new Uint8Array(35), wild]) air.at(a).hear(b, bytes)
  expect(offers).toEqual([])
  expect(air.at(a).penalties).toEqual(Array(4).fill(`${b} 20`))
})

it('a window on a larger buffer is read where it lies', () => {
  const air = new Air()
  const [a, b] = [air.add(1), air.add(2)]
  const offers: ContestOffer[] = []
  air.at(a).lora.onOffer((offer) => offers.push(offer))
  const large = new Uint8Array(100).fill(1)
  large.set([0xff, 0x9c], 10 + 32) // -10.0 dB
  air.at(a).hear(b, large.subarray(10, 44))
  expect(offers).toEqual([{ frame: '01'.repeat(32), snrDb: -10, box: b }])
})
