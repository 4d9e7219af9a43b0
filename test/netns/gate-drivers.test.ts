/**
 * Netlink as the gate's driver: it starts no process, hears everything, and hands over to nft, with the reason told,
 * where it cannot be had, is not allowed, or stops working. Never does a change of hands open a guest for free.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { NetlinkSets } from '../../src/hotspot/gate/io/netlink-sets.ts'
import type { KernelEvent } from '../../src/hotspot/gate/kernel-sets.ts'
import type { Netlink } from '../../src/hotspot/gate/netlink.ts'
import { loadNfnetlink } from '../../src/native/index.ts'
import { ECHO, GateTown, NEEDS_ROOT, eventually } from '../support/gate-town.ts'
import { openNetlink } from '../support/netlink.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4 } = TOWN

describe('drivers', () => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2 })
  })
  afterAll(async () => t?.destroy())
  beforeEach((context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    t.alarms.length = 0
    t.desired = []
  })

  /** The gate started anew; `again` puts the usual one back. */
  async function restart(more: Parameters<GateTown['makeGate']>[0]): Promise<void> {
    await t.gate.stop()
    t.gate = t.makeGate(more)
    await t.gate.start()
  }
  const again = (): Promise<void> => restart({})
  const passes = async (index: number): Promise<boolean> => (await t.guest(index).agent.udp(internet4, ECHO, { timeout_ms: 150 })).ok

  it('opening, renewing, closing, counting, asking and finding start no process', async () => {
    const [wrapper, log] = [join(t.runtimeDir, 'nft-noted'), join(t.runtimeDir, 'nft-noted.log')]
    writeFileSync(wrapper, `#!/bin/sh\necho "$@" >> ${log}\nexec nft "$@"\n`)
    chmodSync(wrapper, 0o755)
    await restart({ nftCommand: ['ip', 'netns', 'exec', t.town.box.name, wrapper] })
    const calls = (): number => readFileSync(log, 'utf8').split('\n').filter((line) => !line.includes('flowtables')).length
    await eventually('flow tables were looked for', () => readFileSync(log, 'utf8').includes('flowtables'))
    const atStart = calls()
    for (let i = 0; i < 20; i++) {
      await t.gate.apply({ open: [t.grant(1, { quotaBytes: 1_000_000 + i, usedBytes: 0 })], close: [] })
      await t.gate.preflight()
      await t.gate.counters()
      await t.gate.apply({ open: [], close: [t.guest(1).host.mac] })
    }
    t.gate.setLeases(new Map([[t.guest(1).host.ip4, t.guest(1).host.mac]]))
    await t.nft('add', 'element', 'bridge', 'meshbox', 'forged', '{', '02:00:00:00:00:99', '}')
    await eventually('the finding', () => t.alarms.some((alarm) => alarm.mac === '02:00:00:00:00:99'))
    // The stranger who put it there is looked into by nft: that is the one thing it is started for.
    await eventually('the look', () => calls() > atStart)
    const afterLook = calls()
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    expect(await passes(1)).toBe(true)
    expect(calls()).toBe(afterLook)
    await again()
    expect(existsSync(join(t.runtimeDir, 'nft', 'transaction.nft'))).toBe(true)
  })

  it('an addon that is not there or no addon at all: nft carries the changes, and the health says why', async () => {
    const missing = '/nonexistent/nfnetlink.node'
    await restart({ openNetlink: () => loadNfnetlink(missing)?.open() as Netlink })
    expect(t.gate.health()).toMatchObject({ state: 'degraded', driver: 'nft', reason: expect.stringContaining(missing) as string })
    expect(t.alarms).toMatchObject([{ kind: 'degraded', detail: expect.stringContaining('netlink') as string }])
    await t.gate.replace([t.grant(1)])
    expect([await passes(1), await passes(2)]).toEqual([true, false])
    await again()
    expect(t.gate.health()).toMatchObject({ state: 'ready', driver: 'netlink' })
  })

  it('no such namespace, as where the kernel does not let us in: nft, and the health says why', async () => {
    await restart({ openNetlink: () => openNetlink('no-such-namespace') })
    expect(t.gate.health()).toMatchObject({ state: 'degraded', driver: 'nft', reason: expect.stringContaining('netlink cannot be used') as string })
    await again()
  })

  it('netlink that speaks to another kernel than nft is found out at the start, and nobody is open before replace says so', async () => {
    await t.gate.replace([t.grant(1)])
    await restart({ openNetlink: () => openNetlink(t.town.internet.name) })
    expect(t.gate.health()).toMatchObject({ state: 'degraded', driver: 'nft', devices: 0 })
    expect([await passes(1), await passes(2)]).toEqual([false, false])
    await t.gate.replace([t.grant(1)])
    expect([await passes(1), await passes(2)]).toEqual([true, false])
    await again()
  })

  it('netlink that ends in the middle: what was asked for is done by nft, who was paid stays, who was not stays out', async () => {
    let netlink: Netlink | null = null
    await restart({ openNetlink: () => (netlink = openNetlink(t.town.box.name)) })
    await t.gate.replace([t.grant(1)])
    expect(t.gate.health()).toMatchObject({ state: 'ready', driver: 'netlink' })
    await (netlink as Netlink | null)?.close()
    t.desired = [t.grant(1)]
    await t.gate.apply({ open: [], close: [t.guest(1).host.mac] })
    expect([await passes(1), await passes(2)]).toEqual([false, false])
    await t.gate.apply({ open: [t.grant(2)], close: [] })
    expect([await passes(1), await passes(2)]).toEqual([false, true])
    expect(t.gate.health()).toMatchObject({ state: 'degraded', driver: 'nft', reason: expect.stringContaining('closed') as string })
    // Nft watches as well.
    t.desired = [t.grant(2)]
    const { repairs } = t.gate.health()
    await t.nft('flush', 'chain', 'inet', 'meshbox', 'passage')
    await eventually('the repair', () => t.gate.health().repairs > repairs)
    expect([await passes(1), await passes(2)]).toEqual([false, true])
    await again()
  })

  it('counters and preflight that fail are told, and lead to nft', async () => {
    let netlink: Netlink | null = null
    for (const call of [() => t.gate.counters(), () => t.gate.preflight()]) {
      await restart({ openNetlink: () => (netlink = openNetlink(t.town.box.name)) })
      await (netlink as Netlink | null)?.close()
      await expect(call()).rejects.toMatchObject({ code: 'gate-failed' })
      await eventually('nft has taken over', () => t.gate.health().driver === 'nft')
      await call()
    }
    await again()
  })

  describe('the account of transactions', () => {
    let sets: NetlinkSets
    const heard: KernelEvent[] = []

    beforeEach(async () => {
      heard.length = 0
      sets = new NetlinkSets(openNetlink(t.town.box.name), silentLog)
      const events = sets.events(new Set(), (event) => heard.push(event))
      await events.start()
      const foundInOrder = await sets.beginLook()
      expect(await sets.mayHaveMissed()).toBe(true) // a look that never came to its end proves nothing
      foundInOrder()
    })

    it('is even after our own changes and after those that were heard of', async () => {
      expect(await sets.mayHaveMissed()).toBe(false)
      for (let i = 0; i < 5; i++) await sets.commit([{ do: 'add', set: 'garden4', elements: [{ key: [`203.0.113.${i}`] }] }])
      expect(await sets.mayHaveMissed()).toBe(false)
      await expect(sets.commit([{ do: 'delete', set: 'paid', elements: [{ key: [7] }] }])).rejects.toMatchObject({ errno: 'ENOENT' })
      expect(await sets.mayHaveMissed()).toBe(false)
      await t.nft('add', 'table', 'inet', 'elsewhere')
      await t.nft('delete', 'table', 'inet', 'elsewhere')
      await eventually('both were heard of', async () => !(await sets.mayHaveMissed()))
      expect(heard).toEqual([])
      await sets.close()
    })

    it('is not even when somebody was not heard, or nobody listens', async () => {
      await sets.close()
      const deaf = new NetlinkSets(openNetlink(t.town.box.name), silentLog)
      ;(await deaf.beginLook())()
      expect(await deaf.mayHaveMissed()).toBe(true)
      await deaf.close()
    })

    it('a stranger at our tables is heard, what dnsmasq adds is not', async () => {
      await t.nft('add', 'element', 'inet', 'meshbox', 'garden4', '{', '203.0.113.77', '}')
      await t.nft('add', 'element', 'inet', 'meshbox', 'up4', '{', '02:00:00:00:00:42', '.', '10.9.9.9', ':', '10:42', '}')
      await eventually('the stranger is heard', () => heard.some((event) => event.kind === 'tampered'))
      expect(heard).toEqual([{ kind: 'tampered', what: 'new element in inet meshbox up4' }])
      await sets.close()
      await eventually('the gate has put it right', async () => !(await t.nft('list', 'map', 'inet', 'meshbox', 'up4')).includes('10.9.9.9'))
    })
  })
})
