/** The guard on the bridge: forged addresses, rogue servers, guests among themselves, a cloned MAC. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BROADCAST, arp, frame, icmp6, ip4Bytes, ip6Bytes, macBytes, neighbourAdvert, routerAdvert, udp4, udp6 } from '../support/frames.ts'
import { DRIVERS, ECHO, GateTown, NEEDS_ROOT, RULES, eventually, readTownLink } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6, box4, box6 } = TOWN
const ALL_NODES = 'ff02::1'
const ALL_NODES_MAC = '33:33:00:00:00:01'

describe.each(DRIVERS)('guard by %s', (driver) => {
  let t: GateTown
  let boxMac: string

  beforeAll(async () => {
    if (!isRoot()) return
    t = await GateTown.create({ guests: 3, driver })
    boxMac = (await t.town.box.must('cat', `/sys/class/net/${TOWN.guestInterface}/address`)).trim()
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    t.alarms.length = 0
    t.gate.setLeases(new Map([1, 2].map((index) => [t.guest(index).host.ip4, t.guest(index).host.mac])))
    await t.gate.replace([t.grant(1)])
  })

  const llOf = (index: number): string => `fe80::200:ff:fe00:${index}` // EUI-64 of 02:00:00:00:00:NN
  const neighbourOf = async (ip: string): Promise<string> => (await t.town.box.must('ip', 'neigh', 'show', 'to', ip, 'dev', TOWN.guestInterface)).trim()
  /** What the box knows of an address after `frames` came from guest 3. */
  async function boxAfter(ip: string, frames: readonly Buffer[]): Promise<string> {
    for (let i = 0; i < 3; i++) await t.guest(3).agent.frames(frames)
    await new Promise((resolve) => setTimeout(resolve, 60))
    return neighbourOf(ip)
  }
  const seenBy = (index: number, frames: readonly Buffer[]): Promise<Buffer[]> => t.guest(index).agent.sniff(() => t.guest(3).agent.frames(frames))

  it('nobody else takes over an address leased by DHCP: not by ARP, not by sending from it', async () => {
    const [victim, forger] = [t.guest(1).host, t.guest(3).host]
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    const before = await neighbourOf(victim.ip4)
    const fields = { senderIp: victim.ip4, targetMac: boxMac, targetIp: box4 } as const
    for (const senderMac of [forger.mac, victim.mac])
      for (const operation of ['reply', 'request'] as const) expect(await boxAfter(victim.ip4, [arp(boxMac, forger.mac, { ...fields, operation, senderMac })])).toContain(victim.mac)
    expect(await boxAfter(victim.ip4, [arp(BROADCAST, forger.mac, { ...fields, operation: 'request', senderMac: forger.mac, targetIp: victim.ip4 })])).toContain(victim.mac)
    expect(before).toContain(victim.mac)
    // With the victim's MAC on the frame and the forger's inside, and the other way round: neither comes through.
    for (const [outside, inside] of [[victim.mac, forger.mac], [forger.mac, victim.mac]] as const) {
      const forged = arp(boxMac, outside, { ...fields, operation: 'reply', senderMac: inside })
      const seen = await t.box.sniff(() => t.guest(3).agent.frames([forged]), TOWN.guestInterface)
      expect(seen.filter((each) => each.subarray(0, 42).equals(forged.subarray(0, 42)))).toEqual([])
    }
    await t.guest(1).agent.udp(box4, 123) // the bridge learns the victim's port again
    // The box itself gets nothing from it either (port 123 is open to every guest).
    const reached = await t.box.sniff(() => t.guest(3).agent.frames([udp4({ to: boxMac, from: forger.mac }, { to: box4, from: victim.ip4 }, { to: 123, from: 4001 }, 'forged')]), TOWN.guestInterface)
    expect(reached.filter((each) => each.includes('forged'))).toEqual([])
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    await eventually('the alarm', () => t.alarms.some((alarm) => alarm.kind === 'forged-address' && alarm.mac === forger.mac))
  })

  it('who was let through a moment ago is judged anew when DHCP gives the address to another', async () => {
    const { host, agent } = t.guest(3)
    const sent = udp4({ to: boxMac, from: host.mac }, { to: box4, from: '10.77.0.240' }, { to: 123, from: 4001 }, 'vetted')
    const reaches = async (): Promise<boolean> => (await t.box.sniff(() => agent.frames([sent]), TOWN.guestInterface)).some((each) => each.includes('vetted'))
    expect([await reaches(), await reaches()]).toEqual([true, true])
    t.gate.setLeases(new Map([['10.77.0.240', t.guest(2).host.mac]]))
    await eventually('the guard has heard of it', async () => (await t.nft('list', 'set', 'bridge', 'meshbox', 'owned4')).includes('10.77.0.240'))
    expect(await reaches()).toBe(false)
  })

  it('a free address may be used by anybody, and the leased one by its owner', async () => {
    const { host } = t.guest(3)
    expect(await boxAfter(host.ip4, [arp(boxMac, host.mac, { operation: 'reply', senderMac: host.mac, senderIp: host.ip4, targetMac: boxMac, targetIp: box4 })])).toBeDefined()
    expect((await t.guest(3).agent.udp(box4, 123)).ok).toBe(true)
    expect((await t.guest(2).agent.udp(box4, 123)).ok).toBe(true)
  })

  it("the router's addresses and MAC are nobody else's: ARP, ND, IPv4, IPv6", async () => {
    await t.gate.stop()
    t.gate = t.makeGate({ rules: { ...RULES, clientIsolation: false } }) // so that only the guard can stop it
    await t.gate.start()
    const forger = t.guest(3).host
    const victim = t.guest(2).host
    const links = { to: victim.mac, from: forger.mac }
    const frames = [
      arp(BROADCAST, forger.mac, { operation: 'reply', senderMac: forger.mac, senderIp: box4, targetMac: victim.mac, targetIp: victim.ip4 }),
      arp(victim.mac, forger.mac, { operation: 'request', senderMac: forger.mac, senderIp: box4, targetMac: victim.mac, targetIp: victim.ip4 }),
      arp(victim.mac, forger.mac, { operation: 'reply', senderMac: boxMac, senderIp: '10.77.0.99', targetMac: victim.mac, targetIp: victim.ip4 }),
      neighbourAdvert(links, { to: victim.ip6, from: llOf(3) }, box6, forger.mac),
      neighbourAdvert({ to: ALL_NODES_MAC, from: forger.mac }, { to: ALL_NODES, from: llOf(3) }, box6, forger.mac),
      udp4(links, { to: victim.ip4, from: box4 }, { to: 6000, from: 53 }, 'forged-dns'),
      udp6(links, { to: victim.ip6, from: box6 }, { to: 6000, from: 53 }, 'forged-dns6'),
      udp4({ to: victim.mac, from: boxMac }, { to: victim.ip4, from: '10.77.0.99' }, { to: 6000, from: 53 }, 'router-mac'),
      routerAdvert({ to: ALL_NODES_MAC, from: forger.mac }, { to: ALL_NODES, from: llOf(3) }),
      icmp6(links, { to: victim.ip6, from: llOf(3) }, 137, Buffer.concat([Buffer.alloc(4), ip6Bytes(llOf(3)), ip6Bytes(internet6)])),
      udp4({ to: BROADCAST, from: forger.mac }, { to: '255.255.255.255', from: '10.77.0.99' }, { to: 68, from: 67 }, 'rogue-dhcp-offer'),
      udp6(links, { to: victim.ip6, from: llOf(3) }, { to: 546, from: 547 }, 'rogue-dhcp6'),
      frame(victim.mac, forger.mac, 0x8100, Buffer.concat([Buffer.from([0, 5, 8, 0]), ip4Bytes('1.2.3.4')])), // a VLAN tag hides the rest
      frame(victim.mac, forger.mac, 0x88b5, Buffer.from('some other protocol')),
    ]
    // Each alone, so that a single one getting through is seen as that one.
    for (const [index, forged] of frames.entries()) {
      const seen = await seenBy(2, [forged])
      expect(seen.filter((each) => each.includes(forged.subarray(14, 60))), `frame ${index}`).toEqual([])
    }
    // The same forger's honest frames arrive: the way is open. That they did lets nothing else through behind them.
    const honest = [udp4(links, { to: victim.ip4, from: forger.ip4 }, { to: 6000, from: 6001 }, 'honest'), udp6(links, { to: victim.ip6, from: forger.ip6 }, { to: 6000, from: 6001 }, 'honest')]
    const evil = [
      udp4({ to: BROADCAST, from: forger.mac }, { to: '255.255.255.255', from: forger.ip4 }, { to: 68, from: 67 }, 'evil'),
      udp6(links, { to: victim.ip6, from: forger.ip6 }, { to: 546, from: 547 }, 'evil'),
      icmp6(links, { to: victim.ip6, from: forger.ip6 }, 134, Buffer.concat([Buffer.alloc(12), Buffer.from('evil')])),
      neighbourAdvert(links, { to: victim.ip6, from: forger.ip6 }, box6, forger.mac),
    ]
    const seen = await seenBy(2, [...honest, ...honest, ...evil])
    expect(seen.filter((each) => each.includes('honest'))).toHaveLength(4)
    for (const forged of evil) expect(seen.filter((each) => each.includes(forged.subarray(14, 60)))).toEqual([])
    await t.gate.stop()
    t.gate = t.makeGate()
    await t.gate.start()
  })

  it('guests do not reach each other, by any frame, nor round the corner through the box', async () => {
    const [from, to] = [t.guest(3).host, t.guest(2).host]
    const frames = [
      udp4({ to: to.mac, from: from.mac }, { to: to.ip4, from: from.ip4 }, { to: 6000, from: 6001 }, 'direct'),
      udp4({ to: BROADCAST, from: from.mac }, { to: '10.77.255.255', from: from.ip4 }, { to: 6000, from: 6001 }, 'broadcast'),
      udp6({ to: to.mac, from: from.mac }, { to: to.ip6, from: from.ip6 }, { to: 6000, from: 6001 }, 'direct6'),
      arp(BROADCAST, from.mac, { operation: 'request', senderMac: from.mac, senderIp: from.ip4, targetMac: '00:00:00:00:00:00', targetIp: to.ip4 }),
    ]
    const seen = await seenBy(2, frames)
    expect(seen.filter((each) => each.subarray(6, 12).equals(macBytes(from.mac)))).toEqual([])
    await t.gate.apply({ open: [t.grant(2), t.grant(3)], close: [] })
    const corner = udp4({ to: boxMac, from: from.mac }, { to: to.ip4, from: from.ip4 }, { to: 6000, from: 6001 }, 'corner')
    const corner6 = udp6({ to: boxMac, from: from.mac }, { to: to.ip6, from: from.ip6 }, { to: 6000, from: 6001 }, 'corner')
    expect((await seenBy(2, [corner, corner6])).filter((each) => each.includes('corner'))).toEqual([])
  })

  it("another guest's IPv6 address cannot be taken: not by advertising it, not by sending from it", async () => {
    const [victim, forger] = [t.guest(1).host, t.guest(3).host]
    expect((await t.guest(1).agent.udp(internet6, ECHO)).ok).toBe(true)
    const links = { to: boxMac, from: forger.mac }
    expect(await boxAfter(victim.ip6, [neighbourAdvert(links, { to: box6, from: forger.ip6 }, victim.ip6, forger.mac)])).toContain(victim.mac)
    expect(await boxAfter(victim.ip6, [neighbourAdvert(links, { to: box6, from: victim.ip6 }, victim.ip6, forger.mac)])).toContain(victim.mac)
    await t.gate.apply({ open: [t.grant(3)], close: [] })
    const sniffed = await t.internet.sniff(() => t.guest(3).agent.frames([udp6(links, { to: internet6, from: victim.ip6 }, { to: ECHO, from: 4002 }, 'stolen-address')]))
    expect(sniffed.filter((each) => each.includes('stolen-address'))).toEqual([])
    expect((await t.guest(1).agent.udp(internet6, ECHO)).ok).toBe(true)
  })

  it("a forged MAC opens nothing without its owner's address, and the right pair with the wrong MAC neither", async () => {
    const [paid, thief] = [t.guest(1).host, t.guest(3).host]
    const attempts = [
      udp4({ to: boxMac, from: thief.mac }, { to: internet4, from: thief.ip4 }, { to: ECHO, from: 4100 }, 'theft-own'),
      udp4({ to: boxMac, from: paid.mac }, { to: internet4, from: thief.ip4 }, { to: ECHO, from: 4100 }, 'theft-mac'),
      udp4({ to: boxMac, from: thief.mac }, { to: internet4, from: paid.ip4 }, { to: ECHO, from: 4100 }, 'theft-ip'),
      udp6({ to: boxMac, from: thief.mac }, { to: internet6, from: thief.ip6 }, { to: ECHO, from: 4100 }, 'theft-six'),
      udp6({ to: boxMac, from: thief.mac }, { to: internet6, from: paid.ip6 }, { to: ECHO, from: 4100 }, 'theft-ip6'),
    ]
    const arrived = await t.internet.sniff(() => t.guest(3).agent.frames(attempts, 5))
    expect(arrived.filter((each) => each.includes('theft'))).toEqual([])
  })

  it('follows the bridge: a new port is guarded as soon as the service has seen it', async () => {
    const port = 'late0'
    await t.town.box.ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'late1')
    await t.town.box.ip('link', 'set', port, 'master', TOWN.guestInterface, 'up')
    t.link = await readTownLink(t.town)
    await eventually('the port is in the set', async () => (await t.nft('list', 'set', 'bridge', 'meshbox', 'guest_ports')).includes(port))
    await t.town.box.ip('link', 'del', port)
    t.link = await readTownLink(t.town)
    await eventually('the port is out of the set', async () => !(await t.nft('list', 'set', 'bridge', 'meshbox', 'guest_ports')).includes(port))
    expect(t.gate.health().repairs).toBe(0)
  })
})

describe('port pinning', () => {
  const PIN_SECONDS = 2
  let t: GateTown
  let boxMac: string

  beforeAll(async () => {
    if (!isRoot()) return
    t = await GateTown.create({ guests: 2, rules: { portPinSeconds: PIN_SECONDS } })
    boxMac = (await t.town.box.must('cat', `/sys/class/net/${TOWN.guestInterface}/address`)).trim()
  })
  afterAll(async () => t?.destroy())
  beforeEach((context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
  })

  it('a cloned MAC at another port gets nothing while its owner is there, and an alarm is raised', async () => {
    const [owner, thief] = [t.guest(1), t.guest(2)]
    await t.gate.replace([t.grant(1)])
    const stolen4 = udp4({ to: boxMac, from: owner.host.mac }, { to: internet4, from: owner.host.ip4 }, { to: ECHO, from: 4200 }, 'cloned')
    const stolen6 = udp6({ to: boxMac, from: owner.host.mac }, { to: internet6, from: owner.host.ip6 }, { to: ECHO, from: 4200 }, 'cloned')
    const ownerTrain = owner.agent.train(internet4, ECHO, { for_ms: 3500, interval_ms: 20 })
    await ownerTrain.started
    const arrived = await t.internet.sniff(() => thief.agent.frames(Array.from({ length: 100 }, () => [stolen4, stolen6]).flat(), 15))
    expect(arrived.filter((each) => each.includes('cloned'))).toEqual([])
    await eventually('the alarm', () => t.alarms.some((alarm) => alarm.kind === 'duplicate-mac' && alarm.mac === owner.host.mac && alarm.detail.includes(thief.host.port)))
    // The bridge did not learn the thief's port: the owner's answers still reach the owner.
    const train = await ownerTrain.done
    expect(train.echoed.length).toBe(train.sent.length)
  })

  it('a device that has been silent may come back at another port', async () => {
    const [owner, other] = [t.guest(1), t.guest(2)]
    await t.gate.replace([t.grant(1)])
    await owner.host.ns.ip('link', 'set', 'eth0', 'down')
    const moved = udp4({ to: boxMac, from: owner.host.mac }, { to: internet4, from: owner.host.ip4 }, { to: ECHO, from: 4201 }, 'moved')
    await eventually('it is let through at the new port', async () => {
      await new Promise((resolve) => setTimeout(resolve, (PIN_SECONDS * 1000) / 4))
      return (await t.internet.sniff(() => other.agent.frames([moved]))).some((each) => each.includes('moved'))
    }, 30_000)
  })
})

describe('without a bridge', () => {
  let t: GateTown
  let boxMac: string

  beforeAll(async () => {
    if (!isRoot()) return
    t = await GateTown.create({ guests: 2 })
    boxMac = (await t.town.box.must('cat', `/sys/class/net/${TOWN.guestInterface}/address`)).trim()
    await t.gate.stop()
    t.link = { ...t.link, isBridge: false, ports: [] }
    t.gate = t.makeGate()
    await t.gate.start()
  })
  afterAll(async () => t?.destroy())
  beforeEach((context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
  })

  it('a paid guest still cannot use the IPv6 address of another paid one; once that one is gone it may', async () => {
    const [owner, other] = [t.guest(1), t.guest(2)]
    await t.gate.replace([t.grant(1), t.grant(2)])
    expect((await owner.agent.udp(internet6, ECHO)).ok).toBe(true)
    const borrowed = udp6({ to: boxMac, from: other.host.mac }, { to: internet6, from: owner.host.ip6 }, { to: ECHO, from: 4300 }, 'borrowed')
    const arrived = async (): Promise<number> => (await t.internet.sniff(() => other.agent.frames([borrowed]))).filter((each) => each.includes('borrowed')).length
    expect(await arrived()).toBe(0)
    await eventually('the alarm', () => t.alarms.some((alarm) => alarm.kind === 'forged-address' && alarm.mac === other.host.mac))
    expect((await t.counters(2)).up).toBe(0)
    await t.gate.apply({ open: [], close: [owner.host.mac] })
    expect(await arrived()).toBe(1)
    expect((await t.counters(2)).upPackets).toBe(1)
    // It has changed hands: the former owner, back again, is the one refused.
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    expect((await owner.agent.udp(internet6, ECHO)).ok).toBe(false)
  })

  it('says that it has no guard, and gets one when the interface becomes a bridge', async () => {
    expect(t.gate.health()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('no bridge') as string })
    expect(await t.nft('list', 'tables')).not.toContain('bridge meshbox')
    await t.gate.replace([t.grant(1)])
    t.link = await readTownLink(t.town)
    await eventually('ready', () => t.gate.health().state === 'ready')
    expect(await t.nft('list', 'table', 'bridge', 'meshbox')).toContain('guest1')
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    expect(t.gate.health().repairs).toBe(0)
  })
})
