/** Five sealers under seeded schedules of power cuts, restarts, lost clocks and cut networks: one seal per key and height, no early block, and agreement after it. */
import { describe, expect, it } from 'vitest'
import { recoverSealer } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Round } from '../../../src/spectrum/index.ts'
import type { Block } from '../../../src/spectrum/ports.ts'
import { seededRandom } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { Box, pass, people, timeAtGenesis } from './box.ts'

const WHO = people(0, 1, 2, 3, 4)
const [ANN, BEN, CEM, DORA, EVE] = WHO.map((one) => one.address)
const START: Round = {
  signers: [ANN, CEM, DORA, EVE, ZERO_ADDRESS].map((one) => one ?? ZERO_ADDRESS),
  next: [],
  leaders: [ANN, BEN].map((one) => one ?? ZERO_ADDRESS),
  volunteerLimit: 4,
  epochBlocks: 25,
}
const STEPS = 90

class Town {
  readonly time = timeAtGenesis()
  readonly boxes: readonly Box[]
  readonly all: Block[] = []
  /** Which part of the cut network a box is in. */
  readonly #side = new Map<Box, number>()
  #deliveries: Promise<unknown>[] = []

  constructor() {
    this.boxes = WHO.map((who) => new Box({ who, round: START, time: this.time, miners: WHO.slice(2).map((one) => one.address), publish: (block, from) => this.#spread(block, from) }))
  }

  cut(sideOf: (box: Box) => number): void {
    for (const box of this.boxes) this.#side.set(box, sideOf(box))
    this.syncAll()
  }

  /** Everybody asks everybody it can reach for what it has not. */
  syncAll(): void {
    for (const from of this.boxes) for (const to of this.boxes) if (from !== to && this.#isReachable(from, to)) this.#deliver(from, to)
  }

  async settled(): Promise<void> {
    while (this.#deliveries.length > 0) {
      const now = this.#deliveries
      this.#deliveries = []
      await Promise.all(now)
    }
  }

  #isReachable(one: Box, other: Box): boolean {
    return one.isOn && other.isOn && (this.#side.get(one) ?? 0) === (this.#side.get(other) ?? 0)
  }

  #spread(block: Block, from: Box): void {
    this.all.push(block)
    for (const to of this.boxes) if (to !== from && this.#isReachable(from, to)) this.#deliver(from, to)
  }

  /** The whole branch of the giver's head, from the last block that the taker has. */
  #deliver(from: Box, to: Box): void {
    const job = this.#lines.get(to) ?? Promise.resolve()
    const next = job.then(async () => {
      const missing: Block[] = []
      for (let at = from.chain.head(); to.chain.block(at.hash) === null; ) {
        missing.unshift({ header: at.header, body: from.chain.body(at.hash) ?? { transactions: [], uncles: [] } })
        const parent = from.chain.block(at.header.parentHash)
        if (parent === null) throw new Error('a branch without a root')
        at = parent
      }
      for (const block of missing) await to.take(block)
    })
    this.#lines.set(to, next)
    this.#deliveries.push(next)
  }
  readonly #lines = new Map<Box, Promise<unknown>>()
}

describe.each([1, 2, 3, 4, 5, 6])('schedule %i', (seed) => {
  it('keeps one seal per key and height, and ends in agreement', async () => {
    const { next } = seededRandom(seed)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T
    const town = new Town()
    for (const box of town.boxes) await box.switchOn()
    for (let step = 0; step < STEPS; step++) {
      const dice = next()
      const box = pick(town.boxes)
      if (dice < 0.08 && box.isOn) await box.switchOff()
      else if (dice < 0.2 && !box.isOn) {
        await box.reboot()
        await box.switchOn()
        town.syncAll()
      } else if (dice < 0.25) {
        const sides = new Map(town.boxes.map((one) => [one, next() < 0.5 ? 0 : 1]))
        town.cut((one) => sides.get(one) ?? 0)
      } else if (dice < 0.35) town.cut(() => 0)
      else if (dice < 0.4) town.time.trusted = !town.time.trusted
      await pass(town.time, 500 + Math.floor(next() * 2_000), 500)
      await town.settled()
    }
    town.time.trusted = true
    for (const box of town.boxes) {
      if (!box.isOn) {
        await box.reboot()
        await box.switchOn()
      }
    }
    town.cut(() => 0)
    await town.settled()
    const before = Math.max(...town.boxes.map((box) => box.chain.head().header.number))
    await pass(town.time, 60_000, 500)
    await town.settled()
    const heads = town.boxes.map((box) => box.chain.head())
    expect(new Set(heads.map((head) => head.hash)).size).toBe(1)
    expect(heads[0]?.header.number).toBeGreaterThan(before + 5)
    const seals = new Map<string, string>()
    for (const block of town.all) {
      const sealer = recoverSealer(native, block.header)
      const place = `${sealer?.address} ${block.header.number}`
      expect(seals.get(place) ?? sealer?.sealHash, place).toBe(sealer?.sealHash)
      if (sealer !== null) seals.set(place, sealer.sealHash)
    }
    for (const box of town.boxes) await box.switchOff()
  })
})
