/** The gate in a town of namespaces: nothing passes unpaid, everything passes paid, and a cut-off is a cut-off. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ECHO, GateTown, NEEDS_ROOT, SINK, SOURCE, eventually, type DriverName } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6, box4, box6 } = TOWN

/** What the kernel's rules do is the same with either driver, so nft goes without the variation. */
const VARIATIONS: readonly [DriverName, boolean][] = [['netlink', false], ['netlink', true], ['nft', false]]

describe.each(VARIATIONS)('gate by %s, bridge netfilter %s', (driver, bridgeNetfilter) => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 3, driver, bridgeNetfilter })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
  })

  it('lets nothing of an unpaid guest out, IPv4 and IPv6, and says so at once', async () => {
    const { agent, host } = t.guest(1)
    const seenAtTheInternet = await t.internet.sniff(async () => {
      for (const address of [internet4, internet6]) {
        expect((await agent.udp(address, ECHO)).error).toMatch(/EHOSTUNREACH|EACCES/)
        for (const port of [53, 123, 443]) expect((await agent.udp(address, port, { timeout_ms: 100 })).ok).toBe(false)
        expect((await agent.tcp(address, 443)).result).toBe('ECONNREFUSED')
        for (const port of [53, 8080]) expect((await agent.tcp(address, port, { timeout_ms: 200 })).result).not.toBe('open')
        expect((await host.ns.run('ping', ['-c', '1', '-W', '1', address])).code).not.toBe(0)
      }
    })
    expect(seenAtTheInternet.filter((frame) => carries(frame, host.ip4, host.ip6))).toEqual([])
  })

  it('lets nothing from the Internet in to an unpaid guest', async () => {
    const { agent, host } = t.guest(1)
    await agent.call('serve', { udp: [5000], tcp: [[5001, 'hello']] })
    for (const address of [host.ip4, host.ip6]) {
      expect((await t.internet.udp(address, 5000, { timeout_ms: 150 })).ok).toBe(false)
      expect((await t.internet.tcp(address, 5001, { timeout_ms: 150 })).result).toBe('timeout')
    }
    expect(await agent.received()).toEqual({})
  })

  it("leads an unpaid guest's web requests to the portal, and anybody's to the box's own name", async () => {
    const { agent } = t.guest(1)
    for (const address of [internet4, internet6, box4, box6]) expect((await agent.tcp(address, 80)).text).toBe('hello from 2080\n')
    for (const address of [box4, box6]) expect((await agent.tcp(address, 443)).text).toBe('hello from 2443\n')
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    for (const address of [box4, box6]) expect((await agent.tcp(address, 80)).text).toBe('hello from 2080\n')
    for (const address of [internet4, internet6]) expect((await agent.tcp(address, 80)).text).toBe('hello from 80\n')
  })

  it('opens both families and both directions with one apply, for that guest alone', async () => {
    const { agent, host } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    await agent.call('serve', { udp: [5010] })
    for (const address of [internet4, internet6]) {
      expect(await agent.udp(address, ECHO)).toMatchObject({ ok: true })
      expect((await agent.tcp(address, 443)).text).toBe('hello from 443\n')
      expect((await host.ns.run('ping', ['-c', '1', '-W', '1', address])).code).toBe(0)
      expect((await t.guest(2).agent.udp(address, ECHO, { timeout_ms: 150 })).ok).toBe(false)
    }
    for (const address of [host.ip4, host.ip6]) expect(await t.internet.udp(address, 5010)).toMatchObject({ ok: true })
    expect((await t.internet.udp(t.guest(2).host.ip4, 5010, { timeout_ms: 100 })).ok).toBe(false)
  })

  it('takes up a new IPv6 privacy address of a paid guest at once, and forgets none too many', async () => {
    const { agent, host } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    for (let i = 1; i <= 5; i++) {
      const address = `2001:db8:77::aaaa:${i}`
      await host.ns.ip('addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad')
      // Its own kernel takes a moment to answer for a new address, and the box asks again after a second.
      expect(await agent.udp(internet6, ECHO, { src: address, timeout_ms: 3000 })).toMatchObject({ ok: true })
    }
    await t.gate.apply({ open: [], close: [host.mac] })
    expect((await agent.udp(internet6, ECHO, { src: '2001:db8:77::aaaa:3' })).ok).toBe(false)
    for (let i = 1; i <= 5; i++) await host.ns.ip('addr', 'del', `2001:db8:77::aaaa:${i}/64`, 'dev', 'eth0')
  })

  it.each([['IPv4', internet4], ['IPv6', internet6]])('cuts an established %s flow in the middle, both ways', async (_family, address) => {
    const { agent, host } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    expect(await agent.open('up', address, ECHO)).toBe('open')
    expect(await agent.open('down', address, SOURCE)).toBe('open')
    expect(await agent.echo('up')).toEqual({ id: expect.any(Number), ok: true })
    const read = agent.call<{ bytes: number }>('tcp_read', { conn: 'down', for_ms: 60_000 })
    await eventually('the download runs', async () => (await t.counters(1)).down > 1_000_000)

    await t.gate.apply({ open: [], close: [host.mac] })
    const cut = await t.counters(1)
    const afterCut = await t.guest(1).agent.sniff(() => t.internet.udp(host.ip4, 5020, { timeout_ms: 300 }))
    // TCP's repeats keep coming from the Internet; none may arrive. (What the box itself says, may.)
    expect(afterCut.filter((frame) => fromInternet(frame, address))).toEqual([])
    expect((await agent.echo('up')).ok).toBe(false)
    expect(await t.counters(1)).toEqual(cut)
    await agent.call('tcp_close', { conn: 'up' })
    await agent.call('tcp_close', { conn: 'down' })
    await read
  })

  it('counts the bytes of layer 3 that passed, up and down, IPv4 and IPv6, and no others', async () => {
    const { agent } = t.guest(3)
    const before = await t.counters(3)
    for (let i = 0; i < 20; i++) await agent.udp(internet4, ECHO, { size: 500, timeout_ms: 20 }) // unpaid: not counted
    expect(await t.counters(3)).toEqual(before)
    await t.gate.apply({ open: [t.grant(3)], close: [] })
    for (let i = 0; i < 20; i++) expect((await agent.udp(internet4, ECHO, { size: 500 })).ok).toBe(true)
    for (let i = 0; i < 10; i++) expect((await agent.udp(internet6, ECHO, { size: 700 })).ok).toBe(true)
    const bytes = 20 * (500 + 28) + 10 * (700 + 48)
    expect(await t.counters(3)).toEqual({ up: before.up + bytes, down: before.down + bytes, upPackets: before.upPackets + 30, downPackets: before.downPackets + 30 })
  })

  it('keeps the counters through renewals, and through close and open again', async () => {
    const { agent, host } = t.guest(3) // no connection of an earlier test has bytes on their way to it
    await t.gate.apply({ open: [t.grant(3)], close: [] })
    await agent.udp(internet4, ECHO, { size: 300 })
    const first = await t.counters(3)
    for (let i = 0; i < 5; i++) await t.gate.apply({ open: [t.grant(3, { leaseMs: 30_000 + i })], close: [] })
    expect(await t.counters(3)).toEqual(first)
    await t.gate.apply({ open: [], close: [host.mac] })
    expect(await t.counters(3)).toEqual(first)
    await t.gate.apply({ open: [t.grant(3)], close: [] })
    await agent.udp(internet4, ECHO, { size: 300 })
    expect(await t.counters(3)).toEqual({ up: first.up + 328, down: first.down + 328, upPackets: first.upPackets + 1, downPackets: first.downPackets + 1 })
  })

  it('shows a guest only DHCP, DNS, NTP, ping, ND and the portal of the box, paid or not', async () => {
    const { agent, host } = t.guest(1)
    for (const open of [false, true]) {
      if (open) await t.gate.apply({ open: [t.grant(1)], close: [] })
      for (const address of [box4, box6, TOWN.boxWan4, TOWN.boxWan6]) {
        expect((await agent.udp(address, 9999, { timeout_ms: 100 })).ok).toBe(false)
        expect((await agent.tcp(address, 8443, { timeout_ms: 100 })).result).not.toBe('open')
        expect((await agent.tcp(address, 2080)).result).toBe('open')
      }
      for (const address of [box4, box6]) for (const port of [53, 123]) expect(await agent.udp(address, port), `udp ${port}`).toMatchObject({ ok: true })
      expect(await agent.udp(box4, 67)).toMatchObject({ ok: true })
      expect((await host.ns.run('ping', ['-c', '1', '-W', '1', box6])).code).toBe(0)
    }
    // The same ports answer from the other side of the box: it was the gate that held the guests off.
    expect(await t.internet.udp(TOWN.boxWan4, 9999)).toMatchObject({ ok: true })
  })

  it('gives a paid device its new IPv4 address, and takes it from the one that had it', async () => {
    const [one, two] = [t.guest(1), t.guest(2)]
    await t.gate.apply({ open: [t.grant(1), t.grant(2)], close: [] })
    await two.host.ns.ip('addr', 'add', `${one.host.ip4}/24`, 'dev', 'eth0')
    expect((await two.agent.udp(internet4, ECHO, { src: one.host.ip4, timeout_ms: 150 })).ok).toBe(false)
    await t.gate.apply({ open: [t.grant(2, { ip4: one.host.ip4 })], close: [] })
    // A renewal of the former holder with its old address is no news and takes nothing back.
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    await t.town.box.ip('neigh', 'flush', 'dev', TOWN.guestInterface)
    await one.host.ns.ip('addr', 'del', `${one.host.ip4}/24`, 'dev', 'eth0')
    expect((await two.agent.udp(internet4, ECHO, { src: one.host.ip4 })).ok).toBe(true)
    await two.host.ns.ip('addr', 'del', `${one.host.ip4}/24`, 'dev', 'eth0')
    await one.host.ns.ip('addr', 'add', `${one.host.ip4}/24`, 'dev', 'eth0')
    await one.host.ns.ip('route', 'replace', 'default', 'via', box4)
  })

  it('a grant for a device that is open replaces the older one, also of another session', async () => {
    const { agent } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1, { sessionId: 'old', quotaBytes: 1 })], close: [] })
    expect((await agent.udp(internet4, ECHO)).ok).toBe(false)
    await t.gate.apply({ open: [t.grant(1, { sessionId: 'new' })], close: [] })
    expect((await agent.udp(internet4, ECHO)).ok).toBe(true)
    expect(t.gate.health()).toMatchObject({ state: 'ready', devices: 1 })
  })

  it('replace closes everybody who is not named', async () => {
    await t.gate.replace([t.grant(1), t.grant(2)])
    await t.gate.replace([t.grant(2)])
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(false)
    expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(true)
    expect((await t.internet.call<{ result: string }>('tcp', { dst: t.guest(1).host.ip4, port: SINK, timeout_ms: 100 })).result).toBe('timeout')
  })

  it.each([
    ['mac', { mac: 'ff:ff:ff:ff:ff:ff' }],
    ['mac', { mac: '02:00:00:00:00:01 }; flush ruleset' }],
    ['ip4', { ip4: '10.0.0.1, 10.0.0.2' }],
    ['leaseMs', { leaseMs: 0 }],
    ['leaseMs', { leaseMs: Number.NaN }],
    ['quotaBytes', { quotaBytes: -1 }],
    ['downKbps', { downKbps: 0.5 }],
    ['sessionId', { sessionId: '' }],
  ])('refuses a grant with a bad %s and changes nothing', async (field, bad) => {
    await expect(t.gate.apply({ open: [t.grant(2), t.grant(1, bad)], close: [] })).rejects.toMatchObject({ kind: 'input', field: `grant.${field}` })
    expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(false)
  })

  it('takes session ids with any characters', async () => {
    await t.gate.apply({ open: [t.grant(1, { sessionId: 'q"; flush ruleset #\n☂', quotaBytes: 100_000 })], close: [] })
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
  })
})

/** Does the frame come from one of these addresses? */
function carries(frame: Buffer, ip4: string, ip6: string): boolean {
  const text = frame.toString('hex')
  const four = ip4.split('.').map((part) => Number(part).toString(16).padStart(2, '0')).join('')
  const six = `20010db80077${'0'.repeat(12)}${Number.parseInt(ip6.split(':').at(-2) ?? '0', 16).toString(16).padStart(4, '0')}${(ip6.split(':').at(-1) ?? '').padStart(4, '0')}`
  const ethertype = text.slice(24, 28)
  return (ethertype === '0800' && text.slice(52, 60) === four) || (ethertype === '86dd' && text.slice(44, 76) === six)
}

function fromInternet(frame: Buffer, address: string): boolean {
  const text = frame.toString('hex')
  return address.includes(':') ? text.slice(24, 28) === '86dd' && text.slice(44, 60) === '20010db800010000' : text.slice(24, 28) === '0800' && text.slice(52, 60) === 'c633640a'
}
