/** Boxes that come, stay, bring stolen codes and are sent away: papers on real keys, books in memory, lanes in the test's hand. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Community, PROVISIONAL_MS, codeParts, keyOf, readTicket, signClaim } from '../../../src/mesh/joining/index.ts'
import type { Paper } from '../../../src/mesh/joining/index.ts'
import { encodeJoinFrame } from '../../../src/mesh/joining/join-frames.ts'
import { emptyList, sealList, signAdmission } from '../../../src/mesh/joining/papers.ts'
import type { BoxId } from '../../../src/mesh/ports.ts'
import { Net, TERMS, boxDocuments, box, keys } from './boxes.ts'
import type { TestBox } from './boxes.ts'

const COMMUNITY = boxDocuments(0).self
let net: Net
let founder: TestBox

beforeEach(() => {
  net = new Net()
  founder = box(net, 0, COMMUNITY)
})

const invite = async (uses = 1, validMs: number | null = null): Promise<string> => (await founder.room.invite({ terms: TERMS, uses, validMs })).code
function paperOf(code: string, who: BoxId): Paper {
  const parts = codeParts(keys, code)
  return { kind: 'ticket', ticket: parts.ticket, claim: signClaim(keyOf(keys, parts.settings), readTicket(boxDocuments(0), parts.ticket), who) }
}
async function newcomer(index: number, code: string): Promise<TestBox> {
  const made = box(net, index, COMMUNITY)
  await made.room.usePaper(paperOf(code, made.id))
  return made
}

describe('joining', () => {
  it('makes a member of a box with a code, for everybody it meets', async () => {
    const [first, second] = [await newcomer(1, await invite()), await newcomer(2, await invite())]
    net.link(founder, first)
    net.link(first, second)
    await net.settle()
    expect([founder.room.standing(first.id), first.room.ownStanding(), first.room.standing(founder.id)]).toEqual(['admitted', 'admitted', 'admitted'])
    expect([first.room.standing(second.id), second.room.standing(first.id)]).toEqual(['provisional', 'admitted'])
    net.link(founder, second)
    await net.settle()
    expect(first.room.standing(second.id)).toBe('admitted') // second said hello again with its admission
  })

  it('comes to know of it when the word was lost on its way', async () => {
    const first = await newcomer(1, await invite())
    founder.lane.send = () => false
    net.link(founder, first)
    await net.settle()
    expect([founder.room.standing(first.id), first.room.ownStanding()]).toEqual(['admitted', 'provisional'])
    net.cut(founder, first)
    const back = box(net, 0, COMMUNITY, founder.store)
    net.link(back, first)
    await net.settle()
    expect(first.room.ownStanding()).toBe('admitted')
  })

  it('outlives a power cut at each side', async () => {
    const first = await newcomer(1, await invite())
    net.link(founder, first)
    await net.settle()
    net.cut(founder, first)
    const [back, again] = [box(net, 0, COMMUNITY, founder.store), box(net, 1, COMMUNITY, first.store)]
    expect([back.room.standing(first.id), again.room.ownStanding(), back.room.invitations()]).toEqual(['admitted', 'admitted', []])
  })

  it('without a paper, a box is a stranger', async () => {
    const stranger = box(net, 1, COMMUNITY)
    const turns = founder.store.stats().turns
    let rows = 0
    const { turn } = founder.store
    founder.store.turn = (body) => turn((tx) => body({ ...tx, run: (sql, ...params) => (rows++, tx.run(sql, ...params)) }))
    net.link(founder, stranger)
    await net.settle()
    for (let again = 0; again < 20; again++) stranger.lane.opens(founder.id, 'mesh')
    await net.settle()
    expect([rows, founder.store.stats().turns - turns <= 1]).toEqual([0, true]) // it cannot make us write
    expect([founder.room.standing(stranger.id), stranger.room.ownStanding()]).toEqual(['stranger', 'stranger'])
    expect(founder.lane.penalties).toEqual([])
  })

  it('keeps what it shows on disk before it shows it', async () => {
    const code = await invite()
    const first = box(net, 1, COMMUNITY)
    first.store.turn = () => Promise.reject(new Error('disk full'))
    net.link(founder, first)
    await net.settle()
    const before = net.carried
    await expect(first.room.usePaper(paperOf(code, first.id))).rejects.toThrow('disk full')
    await net.settle()
    expect([net.carried, first.room.ownStanding()]).toEqual([before, 'stranger'])
  })
})

describe('a stolen code', () => {
  it('lets in as many as it is for, and is void for everybody once it is used up', async () => {
    const code = await invite(2)
    const boxes = [await newcomer(1, code), await newcomer(2, code), await newcomer(3, code)]
    for (const each of boxes) {
      net.link(founder, each)
      await net.settle()
    }
    expect(boxes.map(({ id }) => founder.room.standing(id))).toEqual(['admitted', 'admitted', 'stranger'])
    // Who has not met the community's box hears of it from whoever has.
    const far = box(net, 9, COMMUNITY)
    net.link(boxes[0] ?? founder, far)
    await net.settle()
    net.link(far, boxes[2] ?? founder)
    await net.settle()
    expect(far.room.standing(boxes[2]?.id ?? COMMUNITY)).toBe('stranger')
  })

  it('in a partition lets in no more than it is for, and not for ever', async () => {
    const code = await invite(1)
    const member = box(net, 9, COMMUNITY)
    const [thief, second] = [await newcomer(1, code), await newcomer(2, code)]
    net.link(member, thief)
    net.link(member, second)
    await net.settle()
    expect([member.room.standing(thief.id), member.room.standing(second.id)]).toEqual(['provisional', 'stranger'])
    member.time.advance(PROVISIONAL_MS - 600_000)
    await net.settle()
    expect(member.room.standing(thief.id)).toBe('provisional')
    member.time.advance(600_000)
    await net.settle()
    expect(member.room.standing(thief.id)).toBe('stranger')
    expect(member.told.at(-1)).toBe(`${thief.id} stranger`)
  })

  it('cannot be used by who only saw its ticket', async () => {
    const code = await invite(1)
    const [honest, thief] = [await newcomer(1, code), box(net, 2, COMMUNITY)]
    await thief.room.usePaper(paperOf(code, honest.id)) // the other's ticket and claim, word for word
    net.link(founder, thief)
    await net.settle()
    expect([founder.room.standing(thief.id), founder.lane.penalties.map(({ peer }) => peer)]).toEqual(['stranger', [thief.id]])
    net.link(founder, honest)
    await net.settle()
    expect(founder.room.standing(honest.id)).toBe('admitted')
  })

  it('is taken back', async () => {
    const { code, number } = await founder.room.invite({ terms: TERMS, uses: 5, validMs: null })
    await founder.room.takeBack(number)
    const thief = await newcomer(1, code)
    net.link(founder, thief)
    await net.settle()
    expect(founder.room.standing(thief.id)).toBe('stranger')
    await expect(founder.room.takeBack(number)).rejects.toMatchObject({ code: 'no-invitation' })
  })

  it('ends by the time that the community’s box was running, whatever its clock says', async () => {
    const code = await invite(5, 3_600_000)
    founder.time.jumpWall(-10 * 365 * 86_400_000)
    founder.time.advance(3_600_000)
    await net.settle()
    const thief = await newcomer(1, code)
    net.link(founder, thief)
    await net.settle()
    expect([founder.room.standing(thief.id), founder.room.invitations()]).toEqual(['stranger', []])
  })

  it('ends by the wall clock where it is believed, also far from the community’s box', async () => {
    founder.time.trusted = true
    const code = await invite(5, 3_600_000)
    const [knows, guesses] = [box(net, 8, COMMUNITY), box(net, 9, COMMUNITY)]
    for (const member of [knows, guesses]) member.time.jumpWall(86_400_000)
    knows.time.trusted = true
    const late = await newcomer(1, code)
    net.link(knows, late)
    net.link(guesses, late)
    await net.settle()
    expect([knows.room.standing(late.id), guesses.room.standing(late.id)]).toEqual(['stranger', 'provisional'])
  })
})

describe('expelling', () => {
  it('reaches every box through others, ends what was signed, and can be taken back', async () => {
    const boxes: TestBox[] = []
    for (let index = 1; index <= 5; index++) boxes.push(await newcomer(index, await invite()))
    for (const each of boxes) {
      net.link(founder, each)
      await net.settle()
      net.cut(founder, each)
    }
    const [a, b, c, bad, e] = boxes as [TestBox, TestBox, TestBox, TestBox, TestBox]
    for (const [x, y] of [[founder, a], [a, b], [b, c], [c, bad], [bad, e]] as const) net.link(x, y)
    await net.settle()
    bad.lane.send = () => false // keeps what it hears to itself
    await founder.room.expel(bad.id)
    await net.settle()
    for (const each of [founder, a, b, c]) expect([each.room.standing(bad.id), each.banned.has(bad.id)]).toEqual(['expelled', true])
    expect(e.room.standing(bad.id)).toBe('admitted') // only the expelled box is between
    expect(bad.room.ownStanding()).toBe('expelled')
    net.link(e, c)
    await net.settle()
    expect(e.room.standing(bad.id)).toBe('expelled')

    const back = box(new Net(), 1, COMMUNITY, a.store) // after a power cut
    expect([back.room.standing(bad.id), back.banned.has(bad.id)]).toEqual(['expelled', true])

    await founder.room.pardon(bad.id)
    await net.settle()
    expect([c.room.standing(bad.id), c.banned.has(bad.id)]).toEqual(['admitted', false])
  })

  it('leaves alone whom the owner has banned', async () => {
    const first = await newcomer(1, await invite())
    founder.banned.set(first.id, "the owner's own")
    net.link(founder, first)
    await net.settle()
    expect(founder.banned.get(first.id)).toBe("the owner's own")
  })

  it('is for the community’s box alone', async () => {
    const first = await newcomer(1, await invite())
    await expect(first.room.expel(founder.id)).rejects.toMatchObject({ code: 'not-the-community' })
    await expect(first.room.invite({ terms: TERMS, uses: 1, validMs: null })).rejects.toMatchObject({ code: 'not-the-community' })
    await expect(founder.room.expel(founder.id)).rejects.toMatchObject({ code: 'expel-self' })
  })

  it('is forged by nobody, and an older word does not come back', async () => {
    const first = await newcomer(1, await invite())
    const member = box(net, 2, COMMUNITY)
    net.link(founder, member)
    net.link(founder, first)
    await net.settle()
    const old = sealList(boxDocuments(0), { ...emptyList(COMMUNITY), sequence: 1 })
    await founder.room.expel(first.id)
    await net.settle()
    const forged = sealList({ ...boxDocuments(7), self: COMMUNITY }, { ...emptyList(COMMUNITY), sequence: 1000, expelled: [founder.id] })
    for (const frame of [old, forged]) member.lane.frames(founder.id, encodeJoinFrame({ kind: 'list', frame }))
    member.lane.frames(founder.id, encodeJoinFrame({ kind: 'admission', frame: signAdmission({ ...boxDocuments(7), self: COMMUNITY }, member.id) }))
    member.lane.frames(founder.id, new Uint8Array([0xc1, 0x05]))
    await net.settle()
    expect([member.room.standing(first.id), member.room.ownStanding()]).toEqual(['expelled', 'stranger'])
    expect(member.lane.penalties.map(({ points }) => points)).toEqual([20, 50, 20])
  })
})

it('a community whose box was made anew from its words hears its own word from others, and goes on above it', async () => {
  const member = box(net, 1, COMMUNITY)
  net.link(founder, member)
  await net.settle()
  await invite()
  await founder.room.expel(boxDocuments(40).self)
  await net.settle()
  net.cut(founder, member)

  const anew = box(net, 0, COMMUNITY)
  expect(anew.room.members()).toEqual([])
  net.link(anew, member)
  await net.settle()
  expect(anew.room.standing(boxDocuments(40).self)).toBe('expelled')
  await anew.room.expel(boxDocuments(41).self)
  await net.settle()
  expect([40, 41].map((index) => member.room.standing(boxDocuments(index).self))).toEqual(['expelled', 'expelled'])
})

it('what is known stays bounded, and members are forgotten last', async () => {
  const first = await newcomer(1, await invite())
  net.link(founder, first)
  await net.settle()
  net.cut(founder, first)
  for (let index = 100; index < 700; index++) {
    const id: BoxId = `0x${index.toString(16).padStart(40, '0')}`
    founder.lane.opens(id, 'mesh')
    founder.lane.frames(id, encodeJoinFrame({ kind: 'hello', listSequence: 0, paper: { kind: 'none' } }))
    founder.lane.closes(id)
    if (index % 50 === 0) await net.settle()
  }
  await net.settle()
  expect(founder.room.members().length).toBeLessThanOrEqual(512)
  expect(founder.room.standing(first.id)).toBe('admitted')
  expect(founder.room).toBeInstanceOf(Community)
})
