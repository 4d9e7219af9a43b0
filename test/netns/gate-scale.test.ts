/** Many guests and many calls: one transaction, in order, and one bad change does not spoil the others. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DRIVERS, ECHO, GateTown, NEEDS_ROOT, RULES } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'
import type { Grant } from '../../src/hotspot/gate/types.ts'

const { internet4, internet6 } = TOWN
const THOUSAND = 1000

const many = (count: number, more: (index: number) => Partial<Grant> = () => ({})): Grant[] =>
  Array.from({ length: count }, (_, i) => ({
    sessionId: `crowd-${i}`,
    mac: `02:10:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
    ip4: `10.78.${i >> 8}.${i & 255}`,
    leaseMs: 60_000,
    quotaBytes: null,
    downKbps: null,
    upKbps: null,
    ...more(i),
  }))

describe.each(DRIVERS)('scale by %s', (driver) => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2, driver })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
  })

  const inSet = async (set: string): Promise<number> => {
    const listed = JSON.parse(await t.nft('-j', 'list', set.startsWith('up') ? 'map' : 'set', 'inet', 'meshbox', set)) as { nftables: { set?: { elem?: unknown[] }; map?: { elem?: unknown[] } }[] }
    return listed.nftables.reduce((sum, item) => sum + ((item.set ?? item.map)?.elem?.length ?? 0), 0)
  }

  it('1000 sessions with quotas in one replace, renewed in one apply, closed in one', async () => {
    const grants = many(THOUSAND, (i) => ({ quotaBytes: 1_000_000 + i, usedBytes: i }))
    await t.gate.replace([...grants, t.grant(1)])
    expect(await inSet('paid')).toBe(THOUSAND + 1)
    expect(await inSet('up4')).toBe(THOUSAND + 1)
    expect(t.gate.health()).toMatchObject({ state: 'ready', devices: THOUSAND + 1 })
    for (const address of [internet4, internet6]) expect((await t.guest(1).agent.udp(address, ECHO)).ok).toBe(true)
    await t.gate.apply({ open: grants.map((grant) => ({ ...grant, leaseMs: 90_000 })), close: [] })
    expect(await inSet('paid')).toBe(THOUSAND + 1)
    expect((await t.gate.counters()).length).toBeGreaterThanOrEqual(THOUSAND + 1)
    await t.gate.apply({ open: [], close: grants.map((grant) => grant.mac) })
    expect(await inSet('paid')).toBe(1)
    expect(await inSet('up4')).toBe(1)
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    expect(t.gate.health().repairs).toBe(0)
  })

  it('a thousand calls at once become a few transactions, in order', async () => {
    const grants = many(THOUSAND)
    const calls = grants.flatMap((grant, i) => {
      const opened = t.gate.apply({ open: [grant], close: [] })
      return i % 2 === 0 ? [opened, t.gate.apply({ open: [], close: [grant.mac] })] : [opened]
    })
    await Promise.all(calls)
    expect(await inSet('paid')).toBe(THOUSAND / 2)
    expect(t.gate.health().devices).toBe(THOUSAND / 2)
  })

  it('calls that go together succeed or fail each for itself', async () => {
    const full = t.makeGate({ rules: { ...RULES, maxDevices: 3 } })
    await t.gate.stop()
    await full.start()
    try {
      const results = await Promise.allSettled(many(5).map((grant) => full.apply({ open: [grant], close: [] })))
      expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
      await expect(full.preflight()).rejects.toMatchObject({ code: 'gate-failed' })
      expect(full.health().devices).toBe(3)
      // All or nothing within one call: the close is not carried out when the open cannot be.
      const [first, , , fourth, fifth] = many(5)
      await expect(full.apply({ open: [fourth as Grant, fifth as Grant], close: [first?.mac ?? ''] })).rejects.toMatchObject({ code: 'no-room' })
      expect(await inSet('paid')).toBe(3)
      await full.apply({ open: [], close: [first?.mac ?? ''] })
      await full.apply({ open: [fourth as Grant], close: [] }) // the closed one made room
      expect(full.health().devices).toBe(3)
    } finally {
      await full.stop()
      t.gate = t.makeGate()
      await t.gate.start()
    }
  })

  it('a new life takes over a thousand leases and their counters', async () => {
    const grants = many(THOUSAND, (i) => (i % 2 === 0 ? { quotaBytes: 1_000_000, usedBytes: 0 } : {}))
    await t.gate.replace([...grants, t.grant(1)])
    await t.guest(1).agent.udp(internet4, ECHO, { size: 200 })
    const before = await t.counters(1)
    await t.gate.stop()
    t.gate = t.makeGate()
    await t.gate.start()
    expect(t.gate.health()).toMatchObject({ state: 'ready', devices: THOUSAND + 1, repairs: 0 })
    await t.gate.replace([...grants, t.grant(1)])
    expect(await t.counters(1)).toEqual(before)
    expect(await inSet('paid')).toBe(THOUSAND + 1)
  })

  it('rules at the ends of what may be configured load', async () => {
    await t.gate.stop()
    const gardenAddresses = Array.from({ length: 250 }, (_, i) => (i % 2 === 0 ? `203.0.113.${i}/31` : `2001:db8:${i.toString(16)}::/48`))
    for (const rules of [
      { ...RULES, dnsQueriesPerSecond: 1000, dnsKibPerMinute: 65_536, portPinSeconds: 86_400, maxDevices: 65_536, gardenAddresses },
      { ...RULES, dnsQueriesPerSecond: 1, dnsKibPerMinute: 1, portPinSeconds: 1, maxDevices: 1, tlsPort: null, hasGardenDomains: false, clientIsolation: false, portalAddress: '10.77.0.1' },
      { ...RULES, portalAddress: '2001:db8:77::1', portalPort: 80, tlsPort: 443 },
    ]) {
      const gate = t.makeGate({ rules })
      await gate.start()
      expect(gate.health()).toMatchObject({ state: 'ready' })
      await gate.stop()
    }
    t.gate = t.makeGate()
    await t.gate.start()
  })
})
