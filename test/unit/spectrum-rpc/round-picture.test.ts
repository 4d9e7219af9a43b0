/** The picture of a round over real seals: every slot says what the contract's own rules say became of it. */
import { describe, expect, it } from 'vitest'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { hashHeader, sealHash } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { Address, KnownHeader, Round } from '../../../src/spectrum/index.ts'
import { pictureRound } from '../../../src/spectrum/rpc/round-picture.ts'
import type { ChainBlock } from '../../../src/spectrum/ports.ts'
import type { ChainRoundJson } from '../../../src/owner/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { EVERYBODY, GENESIS_ROUND, VILLAGE, genesisOf, sealBlock } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'

interface Grown {
  readonly blocks: ChainBlock[]
  /** Who missed, by block. */
  readonly missed: Map<number, Address>
}

/** `pick` of those that may seal the next block. */
function grow(count: number, pick: (choices: readonly Person[], number: number) => Person): Grown {
  const genesis = genesisOf(VILLAGE)
  const asBlock = (known: KnownHeader, signer: Address | null, round: Round): ChainBlock => ({ header: known.header, hash: known.hash, sealHash: sealHash(native, known.header), signer, totalDifficulty: 1n, round })
  const blocks = [asBlock(genesis, null, GENESIS_ROUND)]
  const missed = new Map<number, Address>()
  for (let number = 1; number <= count; number++) {
    const parent = blocks[number - 1] as ChainBlock
    const who = pick(EVERYBODY.filter((one) => rankOf(parent.round, number, VILLAGE.periodSeconds, one.address).isAuthorised), number)
    // Now and then nobody is picked: places of the next round stay free.
    const { header, volunteer } = sealBlock(VILLAGE, parent, parent.round, who, number % 3 === 0 ? { volunteer: ZERO_ADDRESS } : {})
    const step = applyBlock(parent.round, number, who.address, volunteer)
    if (step.missed !== null) missed.set(number, step.missed)
    blocks.push(asBlock({ header, hash: hashHeader(native, header) }, who.address, step.round))
  }
  return { blocks, missed }
}

const viewOf = (blocks: readonly ChainBlock[], from = 0) => ({ head: () => blocks.at(-1) as ChainBlock, block: (hash: string) => blocks.slice(from).find((block) => block.hash === hash) ?? null })

describe('the picture of a round', () => {
  it('agrees with the rules at every block of a chain with missed slots', () => {
    const random = randomStream('picture')
    const { blocks, missed } = grow(120, (choices) => random.pick(choices))
    let [sawMissed, sawStandIn, sawOpen] = [0, 0, 0]
    for (let length = 1; length <= blocks.length; length++) {
      const chain = blocks.slice(0, length)
      const head = chain.at(-1) as ChainBlock
      const { slots, next, nextLimit, epochEndsInBlocks }: ChainRoundJson = pictureRound(viewOf(chain), EVERYBODY[4]?.address ?? null)
      const place = (head.header.number + 1) % 5
      expect(slots.map((slot) => slot.number)).toEqual(slots.map((_, at) => head.header.number + 1 - place + at))
      expect([next.length, nextLimit, epochEndsInBlocks]).toEqual([head.round.next.length, 4, 25 - (head.header.number % 25)])
      for (const slot of slots) {
        const block = chain[slot.number]
        expect(slot.isOwn).toBe(slot.signer === EVERYBODY[4]?.address)
        if (slot.place === place) expect(slot.state).toBe('next')
        else if (slot.place > place) expect(slot.state).toBe(slot.signer === null ? 'open' : 'waiting')
        else if (slot.place > 0) {
          expect([slot.number, slot.state === 'missed' ? slot.signer : undefined]).toEqual([slot.number, missed.get(slot.number)])
          if (slot.state !== 'missed') expect(slot.signer).toBe(block?.signer)
        }
        if (slot.state === 'missed') sawMissed++
        if (slot.state === 'stood-in') sawStandIn++
        if (slot.state === 'open') sawOpen++
      }
    }
    expect(Math.min(sawMissed, sawStandIn, sawOpen)).toBeGreaterThan(5)
  })

  it('shows the leader’s own slot as missed where another leader sealed the first block', () => {
    const third = EVERYBODY[2] as Person
    const { blocks } = grow(6, (choices, number) => (number === 5 ? (choices.find((one) => one.address === third.address) ?? (choices.at(-1) as Person)) : (choices[0] as Person)))
    const due = blocks[4]?.round.signers[0]
    expect(blocks[5]?.signer).not.toBe(due)
    expect(pictureRound(viewOf(blocks), null).slots[0]).toMatchObject({ place: 0, number: 5, state: 'missed', signer: due })
  })

  it('goes back no further than the tree, and has one slot where rounds have one', () => {
    const { blocks } = grow(8, (choices) => choices[0] as Person)
    const { slots } = pictureRound(viewOf(blocks, 7), null)
    expect(slots.slice(0, 2).map((slot) => slot.state)).not.toContain('missed')
    const alone = { ...(blocks[1] as ChainBlock), round: { ...GENESIS_ROUND, signers: GENESIS_ROUND.signers.slice(0, 1), volunteerLimit: 0 } }
    expect(pictureRound({ head: () => alone, block: () => null }, GENESIS_ROUND.signers[0] ?? null).slots).toEqual([{ place: 0, number: 2, signer: GENESIS_ROUND.signers[0], isLeader: true, isOwn: true, state: 'next' }])
    expect(slots.every((slot) => slot.signer !== ZERO_ADDRESS)).toBe(true)
  })
})
