/**
 * Who makes which block when, on a community's chain: the real ranks, and the real contract in an EVM. A schedule, not
 * a network: at every block the box with the shortest delay that is switched on seals.
 */
import { describe, expect, it } from 'vitest'
import { COMMUNITY_ADDRESSES, fitSignerLimit } from '../../../src/spectrum/community/index.ts'
import type { CommunitySettings } from '../../../src/spectrum/community/index.ts'
import { readMiners, readRound } from '../../../src/spectrum/rules/read-round.ts'
import { excludedFrom, pickVolunteer } from '../../../src/spectrum/rules/volunteer.ts'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Round } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { World, data } from './evm.ts'
import { SETTINGS, at, village } from './village.ts'

interface Slot {
  readonly number: number
  readonly sealer: Address
  readonly delaySeconds: number
  readonly difficulty: bigint
}

const BOXES = [0, 1, 2, 3, 4].map(at)

/** Blocks until `blocks`, or until nobody may seal. `isOn` by block and address. */
async function schedule(settings: Partial<CommunitySettings>, blocks: number, isOn: (number: number, box: Address) => boolean): Promise<readonly Slot[]> {
  const { network } = village(settings)
  const world = await World.of(network.genesis.accounts.filter((account) => account.code !== undefined))
  const boxes = [...(settings.leaders ?? SETTINGS.leaders), ...(settings.miners ?? SETTINGS.miners).map((one) => one.miner)]
  const slots: Slot[] = []
  for (let number = 1; number <= blocks; number++) {
    const { stateRoot, nodeOf } = world.proofs([COMMUNITY_ADDRESSES.Chief, COMMUNITY_ADDRESSES.ChiefBase, COMMUNITY_ADDRESSES.Poc])
    const round = readRound(native, network, number, stateRoot, nodeOf)
    const miners = readMiners(native, network, stateRoot, nodeOf)
    if (round.kind !== 'read' || miners.kind !== 'read') throw new Error('not read')
    const ready = boxes.filter((box) => isOn(number, box)).flatMap((box) => candidate(round.value, number, network.periodSeconds, box))
    const [best] = ready.sort((a, b) => a.delaySeconds - b.delaySeconds)
    if (best === undefined) break
    const index = native.keccak256(Uint8Array.of(number & 0xff, number >> 8))
    const volunteer = pickVolunteer({ extra: index }, miners.value, excludedFrom(round.value))
    const { isOk } = await world.call({ from: best.sealer, to: COMMUNITY_ADDRESSES.Chief, data: data('Chief', 'update', volunteer), number })
    if (!isOk) throw new Error(`update of ${hexOf(index)} failed at ${number}`)
    slots.push(best)
  }
  return slots
}

function candidate(round: Round, number: number, periodSeconds: number, sealer: Address): readonly Slot[] {
  const { isAuthorised, delaySeconds, difficulty } = rankOf(round, number, periodSeconds, sealer)
  return isAuthorised ? [{ number, sealer, delaySeconds, difficulty }] : []
}

describe('one box alone', () => {
  const alone = { leaders: [at(0).address], miners: [], signerLimit: fitSignerLimit(0), periodSeconds: 2, token: null }

  it('makes every block, in its own slot, a second after the last', async () => {
    const slots = await schedule(alone, 60, () => true)
    expect(slots).toEqual(Array.from({ length: 60 }, (_, index) => ({ number: index + 1, sealer: at(0).address, delaySeconds: 1, difficulty: 6n })))
  })

  it('would wait with longer rounds, where nobody has the other places', async () => {
    const slots = await schedule({ ...alone, signerLimit: 5 }, 25, () => true)
    expect(slots.map((slot) => slot.delaySeconds)).toEqual(slots.map((slot) => (slot.number % 5 === 0 ? 1 : 5)))
    expect(slots.length).toBe(25)
  })
})

describe('five leaders', () => {
  const five = { leaders: BOXES.map((one) => one.address), miners: [], signerLimit: 1, periodSeconds: 3 }

  it('take turns, block by block', async () => {
    const slots = await schedule(five, 30, () => true)
    expect(slots.map((slot) => slot.sealer)).toEqual(slots.map((_, index) => BOXES[index % 5]?.address))
    expect(slots.every((slot) => slot.delaySeconds === 2 && slot.difficulty === 6n)).toBe(true)
  })

  it('skip one that is off, and take it back when it is on again', async () => {
    const dead = BOXES[2]?.address
    const slots = await schedule(five, 40, (number, box) => box !== dead || number < 10 || number >= 25)
    expect(slots.length).toBe(40)
    const off = slots.filter((slot) => slot.number >= 10 && slot.number < 25)
    expect(off.every((slot) => slot.sealer !== dead)).toBe(true)
    // Its turns are taken by the next, 4 seconds later; the others keep theirs.
    expect(off.filter((slot) => slot.delaySeconds > 2).every((slot) => slot.delaySeconds === 6 && slot.difficulty === 5n && slot.sealer === BOXES[3]?.address)).toBe(true)
    expect(off.some((slot) => slot.delaySeconds > 2)).toBe(true)
    expect(slots.filter((slot) => slot.number >= 25 && slot.sealer === dead).every((slot) => slot.delaySeconds === 2)).toBe(true)
    expect(slots.some((slot) => slot.number >= 25 && slot.sealer === dead)).toBe(true)
  })

  it('go on with one left', async () => {
    const slots = await schedule(five, 20, (_, box) => box === BOXES[4]?.address)
    expect(slots.length).toBe(20)
    expect(new Set(slots.map((slot) => slot.sealer)).size).toBe(1)
  })
})

describe('leaders and miners', () => {
  const mixed = { leaders: BOXES.slice(0, 2).map((one) => one.address), signerLimit: fitSignerLimit(4), periodSeconds: 3, epochBlocks: 20 }

  it('all come to seal, and every slot is kept from the second round on, where there are two for a place', async () => {
    const slots = await schedule(mixed, 40, () => true)
    expect(slots.filter((slot) => slot.number >= 3).every((slot) => slot.delaySeconds === 2)).toBe(true)
    expect(new Set(slots.map((slot) => slot.sealer)).size).toBe(6)
  })

  it('leave every other round empty where they are too few for its length', async () => {
    const slots = await schedule({ ...mixed, signerLimit: 5 }, 40, () => true)
    expect(slots.filter((slot) => slot.number % 10 > 5).every((slot) => slot.delaySeconds === 2)).toBe(true)
    expect(slots.filter((slot) => slot.number > 5 && slot.number % 10 > 0 && slot.number % 10 < 5).every((slot) => slot.delaySeconds === 6)).toBe(true)
  })

  it('lose a miner that is off from the rounds after its first miss', async () => {
    const dead = SETTINGS.miners[1]?.miner
    const slots = await schedule(mixed, 40, (_, box) => box !== dead)
    expect(slots.length).toBe(40)
    expect(slots.filter((slot) => slot.number >= 25).every((slot) => slot.sealer !== dead)).toBe(true)
  })

  it('stand still without any leader: why a community wants two', async () => {
    const slots = await schedule(mixed, 40, (number, box) => number < 13 || !(mixed.leaders as readonly Address[]).includes(box))
    expect(slots.length).toBe(14)
  })
})
