/** Strangers at our tables: noticed, put right, and no guest pays for it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DRIVERS, ECHO, GateTown, NEEDS_ROOT, RULES, eventually } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6 } = TOWN

/** Packets, one a millisecond; a few on a quiet machine, and far from those of a repair that leaves a gap. */
const A_MOMENT = 60
const TAMPERINGS: readonly (readonly [string, readonly string[]])[] = [
  ['the whole ruleset flushed', ['flush', 'ruleset']],
  ['our table deleted', ['delete', 'table', 'inet', 'meshbox']],
  ['the guard deleted', ['delete', 'table', 'bridge', 'meshbox']],
  ['the table flushed of its rules', ['flush', 'table', 'inet', 'meshbox']],
  ['a chain flushed', ['flush', 'chain', 'inet', 'meshbox', 'passage']],
  ['a rule put before ours', ['insert', 'rule', 'inet', 'meshbox', 'from_guest', 'accept']],
  ['a rule put behind ours', ['add', 'rule', 'inet', 'meshbox', 'capture', 'accept']],
  ['the table put to sleep', ['add', 'table', 'inet', 'meshbox', '{', 'flags', 'dormant;', '}']],
  ['the leases flushed', ['flush', 'set', 'inet', 'meshbox', 'paid']],
  ['a lease taken in', ['add', 'element', 'inet', 'meshbox', 'paid', '{', '10:9999', 'timeout', '1h', '}']],
  ['the way from addresses to devices flushed', ['flush', 'map', 'inet', 'meshbox', 'up4']],
  ['the guard\'s policy changed', ['add', 'chain', 'bridge', 'meshbox', 'frames', '{', 'policy', 'drop;', '}']],
]
/** Of each kind one, where `nft monitor` and nft's dumps notice it: the kinds differ in the rules only. */
const NOTICED_OTHERWISE = /ruleset|guard deleted|rule put before|leases flushed|lease taken in/

describe.each(DRIVERS)('repair by %s', (driver) => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2, driver })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    t.alarms.length = 0
    await t.gate.replace([])
  })

  /** One guest paid, one not; both tables as they should be. */
  async function expectInOrder(): Promise<void> {
    const [paid, unpaid] = [t.guest(1).agent, t.guest(2).agent]
    for (const address of [internet4, internet6]) {
      expect((await paid.udp(address, ECHO)).ok).toBe(true)
      expect((await unpaid.udp(address, ECHO, { timeout_ms: 100 })).ok).toBe(false)
    }
    expect((await unpaid.tcp(internet4, 80)).text).toBe('hello from 2080\n')
    expect(await t.nft('list', 'table', 'bridge', 'meshbox')).toContain('guest_ports')
    expect(t.gate.health()).toMatchObject({ state: 'ready', devices: 1 })
  }

  it.each(driver === 'netlink' ? TAMPERINGS : TAMPERINGS.filter(([what]) => NOTICED_OTHERWISE.test(what)))('%s: put right, with the paid guest still open', async (_what, command) => {
    const grant = t.grant(1)
    t.desired = [grant]
    await t.gate.apply({ open: [grant], close: [] })
    expect((await t.guest(1).agent.udp(internet6, ECHO)).ok).toBe(true)
    const repairs = t.gate.health().repairs
    await t.nft(...command)
    await eventually('the repair', () => t.gate.health().repairs > repairs)
    expect(t.alarms.some((alarm) => alarm.kind === 'repaired')).toBe(true)
    await expectInOrder()
  })

  it('an element deleted by a stranger is put back, with its counters and the time it had', async () => {
    const grant = t.grant(1)
    t.desired = [grant]
    await t.gate.apply({ open: [grant], close: [] })
    await t.guest(1).agent.udp(internet4, ECHO, { size: 500 })
    const before = await t.counters(1)
    const repairs = t.gate.health().repairs
    await t.nft('flush', 'map', 'inet', 'meshbox', 'upmac')
    await eventually('the repair', () => t.gate.health().repairs > repairs)
    expect(await t.counters(1)).toEqual(before)
    await expectInOrder()
  })

  it('counters known from the last reading survive even a flush of everything', async () => {
    const grant = t.grant(1)
    t.desired = [grant]
    await t.gate.apply({ open: [grant], close: [] })
    await t.guest(1).agent.udp(internet4, ECHO, { size: 500 })
    const before = await t.counters(1)
    const repairs = t.gate.health().repairs
    await t.nft('flush', 'ruleset')
    await eventually('the repair', () => t.gate.health().repairs > repairs)
    expect(await t.counters(1)).toEqual(before)
  })

  // What to do about a fight is decided above the drivers.
  if (driver === 'netlink')
    it('somebody who keeps at it is answered once a second, told of as down, and forgotten when it stops', async () => {
      const grant = t.grant(1)
      t.desired = [grant]
      await t.gate.apply({ open: [grant], close: [] })
      const before = t.gate.health().repairs
      let isOver = false
      const fight = (async () => {
        for (let i = 0; !isOver; i++) await t.nft('add', 'rule', 'inet', 'meshbox', 'answers', 'tcp', 'dport', String(1 + i), 'accept')
      })()
      try {
        await eventually('down', () => t.gate.health().state === 'down' && (t.gate.health().reason ?? '').includes('keeps changing'), 60_000)
        await expect(t.gate.preflight()).rejects.toMatchObject({ code: 'gate-failed' })
        await new Promise((resolve) => setTimeout(resolve, 3000))
        expect(t.gate.health().repairs - before).toBeLessThanOrEqual(20 + 6)
      } finally {
        isOver = true
        await fight
      }
      await eventually('in order again', () => t.gate.health().state === 'ready')
      await expectInOrder()
      // A gate that does not remember the fight, for the tests to come.
      await t.gate.stop()
      t.gate = t.makeGate()
      await t.gate.start()
    })

  it('what dnsmasq puts into the walled garden is no cause for alarm', async () => {
    await t.nft('add', 'element', 'inet', 'meshbox', 'garden4', '{', '203.0.113.7', '}')
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(t.alarms).toEqual([])
  })

  it('no unpaid packet slips through while the rules are put in anew, over and over', async () => {
    t.desired = []
    const trains = [internet4, internet6].map((address) => t.guest(2).agent.train(address, ECHO, { for_ms: 2500, interval_ms: 0.2, linger_ms: 50 }))
    await Promise.all(trains.map((train) => train.started))
    const seen = await t.internet.received()
    for (let i = 0; i < 12; i++) {
      const repairs = t.gate.health().repairs
      await t.nft('add', 'rule', 'inet', 'meshbox', 'answers', 'accept') // harms nothing, but is not ours
      await eventually('the repair', () => t.gate.health().repairs > repairs)
    }
    for (const train of await Promise.all(trains.map((each) => each.done))) expect(train.echoed).toEqual([])
    expect(await t.internet.received()).toEqual(seen)
  })

  it('paid traffic hardly notices the rules being put in anew', async () => {
    const grant = t.grant(1)
    t.desired = [grant]
    await t.gate.apply({ open: [grant], close: [] })
    await t.guest(1).agent.udp(internet6, ECHO)
    const trains = [internet4, internet6].map((address) => t.guest(1).agent.train(address, ECHO, { for_ms: 1500, interval_ms: 1 }))
    await Promise.all(trains.map((train) => train.started))
    for (let i = 0; i < 6; i++) {
      const repairs = t.gate.health().repairs
      await t.nft('add', 'rule', 'inet', 'meshbox', 'answers', 'accept')
      await eventually('the repair', () => t.gate.health().repairs > repairs)
    }
    // At the instant of the change a packet may meet the old rules with the old leases already gone: it is refused.
    for (const train of await Promise.all(trains.map((each) => each.done))) expect(train.sent.length - train.echoed.length).toBeLessThanOrEqual(A_MOMENT)
  })

  describe('at a new start', () => {
    it('rules of another configuration are replaced in one go: leases, counters and IPv6 owners stay', async () => {
      const grant = t.grant(1, { sessionId: 'limited', quotaBytes: 1_000_000, usedBytes: 0 })
      await t.gate.apply({ open: [grant], close: [] })
      for (const address of [internet4, internet6]) await t.guest(1).agent.udp(address, ECHO, { size: 500 })
      const before = await t.counters(1)
      const [paid, unpaid] = [t.guest(1).agent, t.guest(2).agent].map((agent) => agent.train(internet6, ECHO, { for_ms: 2500, interval_ms: 1 }))
      await Promise.all([paid?.started, unpaid?.started])
      await t.gate.stop()
      t.gate = t.makeGate({ rules: { ...RULES, portalPort: 8443 } })
      await t.gate.start()
      await t.gate.replace([grant])
      const [through, refused] = [await paid?.done, await unpaid?.done]
      expect(refused?.echoed).toEqual([])
      expect((through?.sent.length ?? 0) - (through?.echoed.length ?? 0)).toBeLessThanOrEqual(A_MOMENT)
      expect((await t.counters(1)).upPackets).toBeGreaterThan(before.upPackets)
      expect((await unpaidPage()).text).toBe('hello from 8443\n')
      await t.gate.stop()
      t.gate = t.makeGate()
      await t.gate.start()
      expect((await unpaidPage()).text).toBe('hello from 2080\n')
    })

    it('rules altered while nobody watched are put right', async () => {
      await t.gate.apply({ open: [t.grant(1)], close: [] })
      await t.gate.stop()
      await t.nft('insert', 'rule', 'inet', 'meshbox', 'passage', 'accept')
      expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(true)
      t.gate = t.makeGate()
      await t.gate.start()
      expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(false)
      expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    })

    it('a table of our name that is not ours is thrown away', async () => {
      await t.gate.stop()
      await t.nft('delete table inet meshbox; add table inet meshbox; add set inet meshbox paid { type ipv4_addr; }; add element inet meshbox paid { 1.2.3.4 }')
      t.gate = t.makeGate()
      await t.gate.start()
      await t.gate.replace([t.grant(1)])
      t.desired = [t.grant(1)]
      await expectInOrder()
    })

    it('no nft at all: start fails clearly, and so does a call to a gate that does not run', async () => {
      const gate = t.makeGate({ nftCommand: ['/nonexistent/nft'] })
      await expect(gate.start()).rejects.toMatchObject({ kind: 'unavailable', code: 'gate-failed' })
      await expect(gate.apply({ open: [t.grant(1)], close: [] })).rejects.toMatchObject({ code: 'gate-failed' })
      await expect(gate.preflight()).rejects.toMatchObject({ code: 'gate-failed' })
      expect(gate.health().state).toBe('down')
    })
  })

  const unpaidPage = (): Promise<{ text?: string }> => t.guest(2).agent.tcp(internet4, 80)
})
