/** Bytes of a session: one quota for all its devices, both directions and both families, kept by the kernel. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sessionKey } from '../../src/hotspot/gate/book.ts'
import { DRIVERS, ECHO, GateTown, NEEDS_ROOT, SINK, SOURCE, eventually } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6 } = TOWN
/** The largest packet the kernel forwards as one. */
const GSO_BYTES = 65_536

describe.each(DRIVERS)('quota of a session by %s', (driver) => {
  let t: GateTown
  let conns = 0
  let session = ''
  let count = 0

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2, driver })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
    t.spent.length = 0
    session = `session ${++count}`
  })

  const shared = (index: number, quotaBytes: number, usedBytes: number) => t.grant(index, { sessionId: session, quotaBytes, usedBytes })

  /** By one reading: the gate goes by the last, and between two of them late packets come in. */
  async function totalBytes(): Promise<number> {
    return (await t.gate.counters()).reduce((sum, one) => sum + one.upBytes + one.downBytes, 0)
  }

  /** Both devices, both directions, both families, until nothing passes any more. */
  async function useUp(): Promise<void> {
    const plan: [number, string, number, string][] = [
      [1, internet4, SOURCE, 'tcp_read'], [1, internet6, SINK, 'tcp_write'], [2, internet6, SOURCE, 'tcp_read'], [2, internet4, SINK, 'tcp_write'],
    ]
    await Promise.all(plan.map(async ([guest, address, port, verb]) => {
      const { agent } = t.guest(guest)
      const conn = `c${++conns}`
      if ((await agent.open(conn, address, port)) !== 'open') return
      const run = agent.call(verb, { conn, for_ms: 60_000 })
      await eventually('the quota is used up', () => t.spent.includes(session))
      await agent.call('tcp_close', { conn })
      await run
    }))
  }

  it('is exact to one packet over two devices, both directions, IPv4 and IPv6', async () => {
    const quota = 5_000_000
    const before = await totalBytes()
    await t.gate.apply({ open: [shared(1, quota, 0), shared(2, quota, 0)], close: [] })
    await useUp()
    const passed = (await totalBytes()) - before
    expect(passed).toBeLessThanOrEqual(quota)
    expect(passed).toBeGreaterThan(quota - GSO_BYTES)
    for (const guest of [1, 2]) for (const address of [internet4, internet6]) expect((await t.guest(guest).agent.udp(address, ECHO, { timeout_ms: 100 })).ok).toBe(false)
    expect(t.spent).toEqual([session])
    // Used up is like not paid: the portal is there again.
    expect((await t.guest(1).agent.tcp(internet4, 80)).text).toBe('hello from 2080\n')
  })

  it('is not widened by renewals while bytes pass', async () => {
    const quota = 40_000_000
    const before = await totalBytes()
    await t.gate.apply({ open: [shared(1, quota, 0), shared(2, quota, 0)], close: [] })
    const using = useUp()
    while (!t.spent.includes(session)) {
      // The books lag behind the kernel, as they do: what has passed since they were read is not given again.
      const used = (await totalBytes()) - before
      await new Promise((resolve) => setTimeout(resolve, 3))
      await t.gate.apply({ open: [shared(1, Math.max(0, quota - used), used), shared(2, Math.max(0, quota - used), used)], close: [] })
    }
    await using
    expect((await totalBytes()) - before).toBeLessThanOrEqual(quota)
    expect((await totalBytes()) - before).toBeGreaterThan(quota - GSO_BYTES)
  })

  it('renewals without books of their own keep to the count last read', async () => {
    const quota = 400_000
    const before = await totalBytes()
    await t.gate.apply({ open: [t.grant(1, { sessionId: session, quotaBytes: quota })], close: [] })
    for (let i = 0; i < 30; i++) {
      for (let n = 0; n < 10; n++) await t.guest(1).agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 20 })
      const used = (await totalBytes()) - before
      await t.gate.apply({ open: [t.grant(1, { sessionId: session, quotaBytes: Math.max(0, quota - used) })], close: [] })
    }
    expect((await totalBytes()) - before).toBeLessThanOrEqual(quota)
    expect((await totalBytes()) - before).toBeGreaterThan(quota - 3000)
  })

  it('grows while running and after it was used up, by what was added and no more, whatever was refused', async () => {
    const { agent } = t.guest(1)
    const before = await totalBytes()
    await t.gate.apply({ open: [shared(1, 100_000, 0)], close: [] })
    for (let i = 0; i < 20; i++) await agent.udp(internet4, ECHO, { size: 1000 })
    const used = (await totalBytes()) - before
    await t.gate.apply({ open: [shared(1, 200_000 - used, used)], close: [] }) // + 100 000 while running
    const send = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await agent.call('udp_send', { dst: internet4, port: SINK, count: 300, size: 1000 })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await send() // 1.5 MB offered: what is refused must not eat the next extension
    await eventually('the session is told as spent', () => t.spent.length === 1)
    expect((await totalBytes()) - before).toBeGreaterThan(200_000 - 1100)
    expect((await totalBytes()) - before).toBeLessThanOrEqual(200_000)
    await send()
    const usedUp = (await totalBytes()) - before
    await t.gate.apply({ open: [shared(1, 300_000 - usedUp, usedUp)], close: [] }) // + 100 000 afterwards
    expect((await agent.udp(internet4, ECHO)).ok).toBe(true)
    await send()
    await eventually('the session is told as spent again', () => t.spent.length === 2)
    expect((await totalBytes()) - before).toBeGreaterThan(300_000 - 2 * 1100)
    expect((await totalBytes()) - before).toBeLessThanOrEqual(300_000)
  })

  it('stays closed and says so again when it is granted without being raised', async () => {
    await t.gate.apply({ open: [shared(1, 2000, 0)], close: [] })
    for (let i = 0; i < 4; i++) await t.guest(1).agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 50 })
    await eventually('spent', () => t.spent.length === 1)
    await t.gate.apply({ open: [shared(1, 2000, 0)], close: [] })
    expect(t.spent.length).toBe(2)
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(false)
    await t.gate.apply({ open: [shared(2, 0, 2000)], close: [] }) // another device changes nothing
    expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(false)
  })

  it('is taken up where it was left after close and open, and where the books say after a new start', async () => {
    const { agent, host } = t.guest(1)
    await t.gate.apply({ open: [shared(1, 100_000, 0)], close: [] })
    for (let i = 0; i < 20; i++) await agent.udp(internet4, ECHO, { size: 1000 }) // 41 kB
    await t.gate.apply({ open: [], close: [host.mac] })
    await t.gate.apply({ open: [shared(1, 100_000, 0)], close: [] }) // the books have not heard of it yet
    for (let i = 0; i < 20; i++) await agent.udp(internet4, ECHO, { size: 1000 }) // 82 kB
    await t.gate.apply({ open: [], close: [] })
    for (let i = 0; i < 20; i++) await agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 50 })
    await eventually('spent', () => t.spent.length === 1)

    await t.gate.stop()
    await t.nft('delete', 'table', 'inet', 'meshbox') // a reboot
    t.gate = t.makeGate()
    await t.gate.start()
    await t.gate.replace([shared(1, 10_000, 90_000)])
    for (let i = 0; i < 20; i++) await agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 50 })
    expect((await totalBytes())).toBeLessThanOrEqual(10_000)
    expect((await totalBytes())).toBeGreaterThan(8_000)
  })

  it('a new life of the service goes on with the kernel\'s count and knows what is spent', async () => {
    await t.gate.apply({ open: [shared(1, 50_000, 0), t.grant(2, { sessionId: 'other', quotaBytes: 3000, usedBytes: 0 })], close: [] })
    for (let i = 0; i < 10; i++) await t.guest(1).agent.udp(internet4, ECHO, { size: 1000 })
    for (let i = 0; i < 3; i++) await t.guest(2).agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 50 })
    await eventually('spent', () => t.spent.length === 1)
    const before = await totalBytes()
    await t.gate.stop()
    t.gate = t.makeGate()
    await t.gate.start()
    expect(await totalBytes()).toBe(before)
    await t.gate.replace([shared(1, 50_000, 0), t.grant(2, { sessionId: 'other', quotaBytes: 3000, usedBytes: 0 })])
    expect(t.spent).toEqual(['other', 'other'])
    expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(false)
    for (let i = 0; i < 40; i++) await t.guest(1).agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 50 })
    const passed = (await totalBytes()) - before + 10 * 2056
    expect(passed).toBeLessThanOrEqual(50_000)
    expect(passed).toBeGreaterThan(48_000)
  })

  it('costs a session without a quota nothing, and can be taken off', async () => {
    await t.gate.apply({ open: [shared(1, 3000, 0)], close: [] })
    await t.gate.apply({ open: [t.grant(1, { sessionId: session })], close: [] })
    for (let i = 0; i < 10; i++) expect((await t.guest(1).agent.udp(internet4, ECHO, { size: 1000 })).ok).toBe(true)
    expect(await t.nft('list', 'quotas')).not.toContain(sessionKey(session))
  })
})
