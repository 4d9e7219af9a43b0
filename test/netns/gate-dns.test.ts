/** DNS before payment: enough to open a page, useless as a tunnel; after payment not limited. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { udp4, udp6 } from '../support/frames.ts'
import { GateTown, NEEDS_ROOT } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { box4, box6, internet4, internet6 } = TOWN
const KIB = 1024

describe.each([
  ['by MAC with the guard', true],
  ['by address on a plain interface', false],
])('unpaid DNS, answers limited %s', (_how, isBridge) => {
  let t: GateTown
  /** A fresh bucket for each test: the limits remember for minutes. */
  async function fresh(queriesPerSecond: number, kibPerMinute: number): Promise<void> {
    await t.gate.stop()
    await t.nft('add table inet meshbox; delete table inet meshbox')
    t.gate = t.makeGate({ rules: { ...t.rules, dnsQueriesPerSecond: queriesPerSecond, dnsKibPerMinute: kibPerMinute }, readLink: () => ({ ...t.link, isBridge }) })
    await t.gate.start()
  }

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 3 })
  })
  afterAll(async () => t?.destroy())
  beforeEach((context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
  })

  /** Asks as fast as it can; how many questions the box's port 53 got. */
  async function flood(guest: number, address: string, count: number, size = 60): Promise<{ packets: number; bytes: number }> {
    const { agent, host } = t.guest(guest)
    const key = `53 ${address.includes(':') ? host.ip6 : host.ip4}`
    const before = (await t.box.received())[key]
    await agent.call('udp_send', { dst: address, port: 53, count, size })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const after = (await t.box.received())[key]
    return { packets: (after?.packets ?? 0) - (before?.packets ?? 0), bytes: (after?.bytes ?? 0) - (before?.bytes ?? 0) }
  }

  it.each([['IPv4', box4], ['IPv6', box6]])('questions a second are limited over %s', async (_family, address) => {
    await fresh(20, 65_536)
    expect((await t.guest(1).agent.udp(address, 53)).ok).toBe(true)
    const began = performance.now()
    const { packets } = await flood(1, address, 1000)
    const seconds = (performance.now() - began) / 1000
    expect(packets).toBeGreaterThanOrEqual(30)
    expect(packets).toBeLessThanOrEqual(40 + Math.ceil(20 * seconds))
    expect((await t.guest(2).agent.udp(address, 53)).ok).toBe(true) // another guest has its own
  })

  it('bytes a minute are limited upwards, IPv4 and IPv6 together, UDP and TCP together', async () => {
    await fresh(10_000, 64)
    const four = await flood(1, box4, 40, 1000)
    const six = await flood(1, box6, 200, 1000)
    expect(four.packets).toBe(40)
    expect(four.bytes + six.bytes).toBeLessThanOrEqual(66 * KIB)
    expect(four.bytes + six.bytes).toBeGreaterThan(55 * KIB)
    expect((await t.guest(1).agent.tcp(box4, 53, { timeout_ms: 300 })).result).not.toBe('open')
  })

  it('bytes a minute are limited downwards, whatever the answers are made of', async () => {
    await fresh(10_000, 64)
    let got = 0
    for (let i = 0; i < 120; i++) got += (await t.guest(1).agent.udp(box4, 53, { text: 'grow:1200:', timeout_ms: 20 })).bytes ?? 0
    expect(got).toBeLessThanOrEqual(66 * KIB)
    expect(got).toBeGreaterThan(50 * KIB)
  })

  it('many IPv6 addresses do not give many shares', async () => {
    await fresh(10_000, 64)
    const { agent, host } = t.guest(1)
    let got = 0
    for (let i = 1; i <= 6; i++) {
      await host.ns.ip('addr', 'add', `2001:db8:77::d:${i}/64`, 'dev', 'eth0', 'nodad')
      await agent.udp(box6, 123, { src: `2001:db8:77::d:${i}`, timeout_ms: 3000 }) // until the neighbours know each other
      for (let n = 0; n < 30; n++) got += (await agent.udp(box6, 53, { src: `2001:db8:77::d:${i}`, text: 'grow:1200:', timeout_ms: 20 })).bytes ?? 0
    }
    for (let i = 1; i <= 6; i++) await host.ns.ip('addr', 'del', `2001:db8:77::d:${i}/64`, 'dev', 'eth0')
    // Without a bridge the kernel cannot tell who the addresses belong to: then what all share is the bound.
    expect(got).toBeLessThanOrEqual((isBridge ? 1 : 16) * 66 * KIB)
    expect(got).toBeGreaterThan(50 * KIB)
  })

  it('changing MAC and address does not multiply it: there is a limit for all unpaid guests together', async () => {
    await fresh(5, 65_536)
    const boxMac = (await t.town.box.must('cat', `/sys/class/net/${TOWN.guestInterface}/address`)).trim()
    const frames = Array.from({ length: 600 }, (_, i) => {
      const mac = `02:00:00:0d:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`
      return i % 2 === 0
        ? udp4({ to: boxMac, from: mac }, { to: box4, from: `10.77.${8 + (i >> 8)}.${i & 255}` }, { to: 53, from: 5353 }, 'mute rotating')
        : udp6({ to: boxMac, from: mac }, { to: box6, from: `2001:db8:77::d00d:${i.toString(16)}` }, { to: 53, from: 5353 }, 'mute rotating')
    })
    const count = async (): Promise<number> => Object.entries(await t.box.received()).reduce((sum, [key, entry]) => sum + (key.startsWith('53 10.77.8.') || key.startsWith('53 10.77.9.') || key.startsWith('53 10.77.10.') || key.includes('d00d') ? entry.packets : 0), 0)
    const before = await count()
    await t.guest(3).agent.frames(frames)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const arrived = (await count()) - before
    // Each MAC asked once, so no limit of its own held it: 5 a second for 16 clients, twice that at once.
    expect(arrived).toBeLessThanOrEqual(5 * 16 * 2 + 5 * 16)
    expect(arrived).toBeGreaterThan(5 * 16)
  })

  it('a paid guest is not limited, in neither direction', async () => {
    await fresh(20, 64)
    await t.gate.replace([t.grant(1)])
    for (const address of [box4, box6]) {
      expect((await flood(1, address, 500, 600)).packets).toBe(500)
      let got = 0
      for (let i = 0; i < 100; i++) got += (await t.guest(1).agent.udp(address, 53, { text: 'grow:1200:' })).bytes ?? 0
      expect(got).toBe(120_000)
    }
  })

  it('resolvers outside are out of reach before payment, UDP and TCP', async () => {
    await fresh(20, 64)
    await t.gate.replace([])
    for (const address of [internet4, internet6]) {
      expect((await t.guest(1).agent.udp(address, 53, { timeout_ms: 150 })).ok).toBe(false)
      expect((await t.guest(1).agent.tcp(address, 53, { timeout_ms: 150 })).result).not.toBe('open')
    }
    const received = Object.keys(await t.internet.received())
    expect(received.filter((key) => key.startsWith('53 '))).toEqual([])
  })
})
