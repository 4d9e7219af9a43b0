/** Whether a payment has arrived is asked of its own channel's life, also by a box that serves another contract now. */
import { afterEach, expect, test } from 'vitest'
import { FakeTime } from '../../support/fakes.ts'
import { Box, DOMAIN, accountSigner, channelOf, keyOf, noble, tempDir, until } from './box.ts'
import { MemoryLink } from './memory-link.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

const [A, B] = [accountSigner(noble, keyOf(1)).account, accountSigner(noble, keyOf(2)).account]
const CHANNEL = channelOf(A, B)

test('of a channel under another contract it is what was stored there: acknowledged, or waiting', async () => {
  const time = new FakeTime()
  const links = [new MemoryLink(A), new MemoryLink(B)] as const
  const dirs = [tempDir(cleanUps), tempDir(cleanUps)] as const
  const boxOf = (at: 0 | 1, transport: MemoryLink, more: { readonly domain?: typeof DOMAIN } = {}): Box => {
    const box = new Box({ key: at + 1, dir: dirs[at], transport, clock: time, timers: time, ...more })
    cleanUps.push(() => box.stop())
    box.node.start()
    return box
  }
  const [a, b] = [boxOf(0, links[0]), boxOf(1, links[1])]
  await a.open(B, 1_000n)
  await b.open(A, 1_000n)
  MemoryLink.join(...links)
  await until(() => [a, b].every(({ node }) => node.isReady(CHANNEL)))
  await (await a.node.payDirect({ channel: CHANNEL, amount: 7n })).delivered
  links[0].onWay = () => []
  await a.node.payDirect({ channel: CHANNEL, amount: 8n })
  const rows = a.node.payments()
  const key = a.node.channel(CHANNEL)?.key
  if (key === undefined) throw new Error('no channel')
  const arrivals = (box: Box): readonly string[] => rows.map(({ channelNumber, nonce }) => box.node.arrival(channelNumber, key, nonce))
  expect(arrivals(a)).toEqual(['waiting', 'delivered'])
  await a.stop()
  cleanUps.splice(cleanUps.length - 2, 1)
  const other = boxOf(0, new MemoryLink(A), { domain: { ...DOMAIN, contract: `0x${'77'.repeat(20)}` } })
  expect(other.node.channels()).toEqual([])
  expect(arrivals(other)).toEqual(['waiting', 'delivered'])
  expect(other.node.arrival(99, key, 1n)).toBe('waiting')
})
