import { afterEach, describe, expect, test } from 'vitest'
import type { Address } from '../../../src/base/index.ts'
import type { Path } from '../../../src/photon/ports.ts'
import { Box, TOKEN, channelOf, tempDir, until } from './box.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

const DEPOSIT = 1_000_000n

function box(key: number, hops: () => readonly Address[] = () => []): Box {
  const made: Box = new Box({
    key,
    dir: tempDir(cleanUps),
    paths: ({ amount, maxFee }) => {
      const nodes = hops()
      const fee = BigInt(nodes.length - 1)
      if (nodes.length === 0 || fee > maxFee) return []
      const path: Path = { hops: nodes.map((node, index) => ({ node, channel: channelOf(index === 0 ? made.account : (nodes[index - 1] ?? node), node), amount: amount + fee - BigInt(index) })), amount, fee }
      return [[path]]
    },
  })
  cleanUps.push(() => made.stop())
  return made
}

async function connect(a: Box, b: Box, isChannel: boolean): Promise<void> {
  if (isChannel) {
    await a.open(b.account, DEPOSIT)
    await b.open(a.account, DEPOSIT)
  }
  await a.tcp.dial(await b.tcp.listen(0))
  if (isChannel) await until(() => a.node.isReady(channelOf(a.account, b.account)) && b.node.isReady(channelOf(a.account, b.account)))
}

describe('locked payments', () => {
  test('between two nodes: paid, no lock left, both ends agree', async () => {
    const b = box(2)
    const a = box(1, () => [b.account])
    for (const one of [a, b]) one.node.start()
    await connect(a, b, true)
    const told: string[] = []
    a.node.onNotice((notice) => told.push(`a ${notice.what}`))
    b.node.onNotice((notice) => told.push(`b ${notice.what}`))
    const id = await a.node.payLocked({ token: TOKEN, target: b.account, amount: 500n, maxFee: 10n })
    await until(() => told.includes('a sent') && told.includes('b received'))
    const channel = channelOf(a.account, b.account)
    await until(() => a.node.inFlight(channel) === 0 && b.node.inFlight(channel) === 0)
    expect(a.node.channel(channel)).toMatchObject({ own: { transferred: 500n, locked: 0n }, partner: { transferred: 0n } })
    expect(b.node.channel(channel)).toMatchObject({ partner: { transferred: 500n, locked: 0n } })
    expect(a.node.openPayments()).toEqual([])
    expect(a.node.payment(id)).toMatchObject({ role: 'initiator', isEnded: true })
    expect(a.node.payments()[0]).toMatchObject({ kind: 'sent', amount: 500n, peer: b.account })
    expect(b.node.payments()[0]).toMatchObject({ kind: 'received', amount: 500n, peer: a.account })
  })

  test('over a box between: it earns its fee in the turn that makes it sure, once', async () => {
    const [b, c] = [box(2), box(3)]
    const a = box(1, () => [b.account, c.account])
    for (const one of [a, b, c]) one.node.start()
    await connect(a, b, true)
    await connect(b, c, true)
    await connect(c, a, false) // the target asks the payer for the secret
    const told: string[] = []
    a.node.onNotice((notice) => told.push(notice.what))
    for (let i = 0; i < 3; i++) await a.node.payLocked({ token: TOKEN, target: c.account, amount: 100n, maxFee: 5n })
    await until(() => told.filter((what) => what === 'sent').length === 3)
    const [ab, bc] = [channelOf(a.account, b.account), channelOf(b.account, c.account)]
    await until(() => c.node.channel(bc)?.partner.transferred === 300n && b.node.channel(ab)?.partner.transferred === 303n)
    expect(b.fees.map((fee) => fee.amount)).toEqual([1n, 1n, 1n])
    expect(b.node.channel(ab)).toMatchObject({ partner: { locked: 0n } })
    expect(b.node.channel(bc)).toMatchObject({ own: { transferred: 300n, locked: 0n } })
  })

  test('without a path it fails and nothing moves', async () => {
    const a = box(1)
    a.node.start()
    const told: string[] = []
    a.node.onNotice((notice) => told.push(notice.what))
    await a.node.payLocked({ token: TOKEN, target: '0x00000000000000000000000000000000000000ee', amount: 5n, maxFee: 0n })
    await until(() => told.length > 0)
    expect(told).toEqual(['failed'])
    expect(a.node.payments()[0]).toMatchObject({ kind: 'failed', amount: 5n })
  })
})
