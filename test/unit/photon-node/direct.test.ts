import { afterEach, describe, expect, test } from 'vitest'
import { Box, channelOf, tempDir, until } from './box.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

function box(key: number): Box {
  const made = new Box({ key, dir: tempDir(cleanUps) })
  cleanUps.push(() => made.stop())
  return made
}

async function pair(deposit = 1_000_000n): Promise<{ a: Box; b: Box; channel: `0x${string}` }> {
  const [a, b] = [box(1), box(2)]
  a.node.start()
  b.node.start()
  await a.open(b.account, deposit)
  await b.open(a.account, deposit)
  await a.tcp.dial(await b.tcp.listen(0))
  const channel = channelOf(a.account, b.account)
  await until(() => a.node.isReady(channel) && b.node.isReady(channel))
  return { a, b, channel }
}

describe('direct payments between two nodes', () => {
  test('arrive once, in order, are on both disks, and both ends agree to the unit', async () => {
    const { a, b, channel } = await pair()
    const got: bigint[] = []
    b.node.onPayment((payment) => got.push(payment.amount))
    const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => a.node.payDirect({ channel, amount: BigInt(i + 1) })))
    await Promise.all(sent.map((payment) => payment.delivered))
    expect(got).toEqual(Array.from({ length: 50 }, (_, i) => BigInt(i + 1)))
    expect(b.node.channel(channel)?.partner.transferred).toBe(1275n)
    expect(a.node.channel(channel)?.own.transferred).toBe(1275n)
    expect(a.node.inFlight(channel)).toBe(0)
    expect(b.node.payments(null, 1000).map((row) => row.amount)).toEqual([...got].reverse())
    expect(a.node.payments(null, 1000)).toHaveLength(50)
    expect(b.node.payments()[0]).toMatchObject({ kind: 'direct-received', key: sent[49]?.paymentId, peer: null })
  })
})
