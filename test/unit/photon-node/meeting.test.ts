/** Partners that greet each other over one channel while they have another: what is agreed stays agreed, and is shown as it is. */
import { afterEach, expect, test } from 'vitest'
import type { Address, Hash } from '../../../src/base/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { Box, TOKEN, accountSigner, channelOf, keyOf, noble, tempDir, until } from './box.ts'
import { MemoryLink } from './memory-link.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

const [A, B] = [accountSigner(noble, keyOf(1)).account, accountSigner(noble, keyOf(2)).account]
const OTHER_TOKEN: Address = '0x7000000000000000000000000000000000000002'
const [FIRST, SECOND] = [channelOf(A, B), channelOf(A, B, OTHER_TOKEN)]
const DEPOSIT = 1_000_000n

interface Pair {
  readonly a: Box
  readonly b: Box
  readonly time: FakeTime
}

/** Connected, with one channel that both ends agree on. */
async function pair(): Promise<Pair> {
  const time = new FakeTime()
  const links = [new MemoryLink(A), new MemoryLink(B)] as const
  const [a, b] = links.map((link, at) => {
    const target = at === 0 ? B : A
    const box = new Box({ key: at + 1, dir: tempDir(cleanUps), transport: link, clock: time, timers: time, paths: ({ token, amount }) => [[{ hops: [{ node: target, channel: channelOf(A, B, token), amount }], amount, fee: 0n }]] })
    cleanUps.push(() => box.stop())
    box.node.start()
    return box
  }) as [Box, Box]
  await a.open(B, DEPOSIT)
  await b.open(A, DEPOSIT)
  MemoryLink.join(...links)
  await until(() => agree({ a, b, time }, FIRST))
  return { a, b, time }
}

const agree = ({ a, b }: Pair, channel: Hash): boolean => [a, b].every(({ node }) => node.isReady(channel) && node.channel(channel)?.sync.kind === 'in-sync')

/** All that follows from what was said, without any time passing. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setTimeout(resolve, 1))
}

async function paysUnderLock({ a, b, time }: Pair, token: Address): Promise<void> {
  const told: string[] = []
  const cancels = [a.node.onNotice(({ what }) => told.push(`a ${what}`)), b.node.onNotice(({ what }) => told.push(`b ${what}`))]
  await a.node.payLocked({ token, target: B, amount: 500n, maxFee: 0n })
  await until(() => {
    time.advance(100)
    return told.includes('a failed') || (told.includes('a sent') && told.includes('b received'))
  })
  for (const cancel of cancels) cancel()
  expect(told.sort()).toEqual(['a sent', 'b received'])
}

for (const [who, first] of [['the partner', 'b'], ['this box', 'a']] as const)
  test(`a second channel, heard of by ${who} first: the one there is stays in step, and locks go through both`, async () => {
    const both = await pair()
    const { a, b, time } = both
    const order = first === 'b' ? ([[b, A], [a, B]] as const) : ([[a, B], [b, A]] as const)
    time.advance(10_000)
    for (const [box, partner] of order) {
      await box.open(partner, DEPOSIT, 600, OTHER_TOKEN)
      await quiet()
      expect(agree(both, FIRST)).toBe(true)
      time.advance(1_000) // the other hears of it a moment later, before anybody greets again
      await quiet()
    }
    await paysUnderLock(both, TOKEN)
    await until(() => {
      time.advance(500)
      return agree(both, SECOND)
    })
    await paysUnderLock(both, OTHER_TOKEN)
    expect(agree(both, FIRST)).toBe(true)
  })

test('a channel whose agreement is in doubt is not shown as connected, and the partner is asked again', async () => {
  const both = await pair()
  const { a, time } = both
  await a.node.outside.amend(FIRST, (state) => ({ ...state, sync: { kind: 'waiting', isRestored: false } }))
  expect(a.node.isReady(FIRST)).toBe(false)
  await expect(a.node.payDirect({ channel: FIRST, amount: 1n })).rejects.toMatchObject({ code: 'photon-not-ready' })
  await until(() => {
    time.advance(500)
    return agree(both, FIRST)
  })
  await paysUnderLock(both, TOKEN)
})
