/** What a partner cannot take yet: who is to be paid says why, and asks for it as soon as the chain has told it more. */
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Log, LogFields } from '../../../src/base/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { Box, accountSigner, channelOf, keyOf, noble, openingEvents, tempDir, until } from './box.ts'
import { MemoryLink } from './memory-link.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

const [A, B] = [accountSigner(noble, keyOf(1)).account, accountSigner(noble, keyOf(2)).account]
const CHANNEL = channelOf(A, B)
const DEPOSIT = 1_000n

/** All that follows from what was said, without any time passing. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setTimeout(resolve, 1))
}

test('a payment out of a deposit that its recipient has not heard of: said once, not acknowledged, and there as soon as the chain tells', async () => {
  const time = new FakeTime()
  const links = [new MemoryLink(A), new MemoryLink(B)] as const
  const told: (LogFields | undefined)[] = []
  const log: Log = { ...silentLog, info: (message, fields) => void (message.includes('not taken now') && told.push(fields)) }
  const [a, b] = links.map((transport, at) => {
    const box = new Box({ key: at + 1, dir: tempDir(cleanUps), transport, clock: time, timers: time, ...(at === 1 ? { log } : {}) })
    cleanUps.push(() => box.stop())
    box.node.start()
    return box
  }) as [Box, Box]
  await a.open(B, DEPOSIT)
  const [opened, ...deposits] = openingEvents(A, B, DEPOSIT)
  if (opened === undefined) throw new Error('a channel begins with its opening')
  await b.node.onChannelEvent(opened)
  MemoryLink.join(...links)
  await until(() => [a, b].every(({ node }) => node.isReady(CHANNEL)))

  const { delivered } = await a.node.payDirect({ channel: CHANNEL, amount: 7n, data: Uint8Array.of(1) })
  const { delivered: later } = await a.node.payDirect({ channel: CHANNEL, amount: 30n })
  let arrived = 0
  for (const one of [delivered, later]) void one.then(() => arrived++)
  const said = new Set<string>()
  links[0].onWay = (frame) => {
    said.add(Buffer.from(frame).toString('hex'))
    return [frame]
  }
  // Until it is tried again once a minute.
  for (let seconds = 0; seconds < 200; seconds++) {
    time.advance(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await quiet()
  expect([arrived, a.node.inFlight(CHANNEL), b.node.payments().length]).toEqual([0, 2, 0])
  expect(told).toEqual([{ from: A, channel: CHANNEL, kind: 'direct', reason: 'the partner can give 0' }])
  const packets = [...said]
  expect(packets).toHaveLength(2)
  said.clear()

  for (const event of deposits) await b.node.onChannelEvent(event)
  await until(() => arrived === 2)
  expect(b.node.payments().map(({ kind, amount }) => [kind, amount])).toEqual([['direct-received', 30n], ['direct-received', 7n]])
  expect(a.node.inFlight(CHANNEL)).toBe(0)
  // The same bytes as ever, and where this end stands.
  expect([said.size, packets.every((packet) => said.has(packet))]).toEqual([3, true])
  expect(links.map(({ disconnected }) => disconnected)).toEqual([[], []])
})
