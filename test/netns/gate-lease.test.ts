/** Leases end by the kernel's clock: on time, with the service alive, dead or replaced. */
import type { ChildProcess } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Train } from '../support/agent.ts'
import { DRIVERS, ECHO, GateTown, NEEDS_ROOT, RULES, eventually } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6 } = TOWN
const NODE = process.execPath
const CHILD = join(dirname(fileURLToPath(import.meta.url)), '../support/gate-child.ts')
/** The kernel's timer steps; a packet sent later than this after the deadline must not pass. */
const MARGIN_MS = 60

const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** When the last packet that came back was sent. */
function lastPassedMs(train: Train): number {
  return Math.max(Number.NEGATIVE_INFINITY, ...train.echoed.map((index) => train.sent[index] ?? Number.NEGATIVE_INFINITY))
}

describe.each(DRIVERS)('leases by %s', (driver) => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2, driver })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
  })

  it.each([['IPv4', internet4], ['IPv6', internet6]])('no %s packet passes after the lease, up or down, and nearly all before', async (_family, address) => {
    const { agent, host } = t.guest(1)
    await agent.call('serve', { udp: [5100 + (address === internet4 ? 0 : 1)] })
    await agent.udp(address, ECHO)
    const up = agent.train(address, ECHO, { for_ms: 1600, interval_ms: 2 })
    const down = t.internet.train(address === internet4 ? host.ip4 : host.ip6, 5100 + (address === internet4 ? 0 : 1), { for_ms: 1600, interval_ms: 2 })
    await Promise.all([up.started, down.started])
    const asked = monotonicMs()
    await t.gate.apply({ open: [t.grant(1, { leaseMs: 800 })], close: [] })
    const deadline = monotonicMs() + 800 // the kernel had it by now
    for (const train of [await up.done, await down.done]) {
      expect(lastPassedMs(train)).toBeLessThan(deadline + MARGIN_MS)
      expect(lastPassedMs(train)).toBeGreaterThan(asked) // it was open at all
    }
    expect((await agent.udp(address, ECHO)).ok).toBe(false)
  })

  it('a renewal moves the end, longer or shorter', async () => {
    const { agent } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1, { leaseMs: 400 })], close: [] })
    await t.gate.apply({ open: [t.grant(1, { leaseMs: 1500 })], close: [] })
    const train = agent.train(internet4, ECHO, { for_ms: 900, interval_ms: 5 })
    const sent = await train.done
    expect(sent.echoed.length).toBe(sent.sent.length) // also after the first end
    await t.gate.apply({ open: [t.grant(1, { leaseMs: 60_000 })], close: [] })
    await t.gate.apply({ open: [t.grant(1, { leaseMs: 200 })], close: [] })
    const resolved = monotonicMs()
    const short = await agent.train(internet4, ECHO, { for_ms: 600, interval_ms: 2 }).done
    expect(lastPassedMs(short)).toBeLessThan(resolved + 200 + MARGIN_MS)
  })

  it('a renewal of a lease that ran out a moment ago works, whatever the moment', async () => {
    // Shorter and shorter leases, so that renewals meet elements before, at and after their end.
    for (let i = 0; i < 150; i++) {
      await t.gate.apply({ open: [t.grant(1, { leaseMs: 1 + (i % 5) })], close: [] })
      if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, i % 5))
    }
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    expect(t.gate.health().repairs).toBe(0)
    expect(t.alarms).toEqual([])
  })

  it('a renewal never interrupts the traffic', async () => {
    const { agent } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    await agent.udp(internet6, ECHO)
    const [four, six] = [agent.train(internet4, ECHO, { for_ms: 1200, interval_ms: 1 }), agent.train(internet6, ECHO, { for_ms: 1200, interval_ms: 1 })]
    await Promise.all([four.started, six.started])
    for (let i = 0; i < 200; i++) await t.gate.apply({ open: [t.grant(1, { leaseMs: 50_000 + i })], close: [] })
    for (const train of [await four.done, await six.done]) expect(train.echoed.length).toBe(train.sent.length)
  })

  describe('of a service that dies', () => {
    const children: ChildProcess[] = []
    let died: Promise<void>
    let packetsBefore = 0

    beforeEach(async () => {
      packetsBefore = (await t.counters(1)).upPackets
      await t.gate.stop()
    })
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill('SIGKILL')
      if (!isRoot()) return
      t.gate = t.makeGate()
      await t.gate.start()
    })

    async function startChild(leaseMs: number): Promise<ChildProcess> {
      const grants = [t.grant(1, { leaseMs }), t.grant(2, { leaseMs, quotaBytes: 1_000_000_000 })]
      const child = t.town.box.spawn(NODE, ['--disable-warning=ExperimentalWarning', CHILD, join(t.runtimeDir, 'child'), JSON.stringify(RULES), JSON.stringify(grants), driver])
      children.push(child)
      died = new Promise((resolve) => child.once('exit', () => resolve()))
      await new Promise<void>((resolve, reject) => {
        child.stdout?.on('data', (chunk: Buffer) => { if (chunk.toString().includes('open')) resolve() })
        child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)))
      })
      return child
    }

    it('kill -9 with guests online: traffic goes on to the lease, and nobody outlives it', async () => {
      const child = await startChild(1500)
      await t.guest(1).agent.udp(internet6, ECHO)
      const trains = [
        t.guest(1).agent.train(internet4, ECHO, { for_ms: 3000, interval_ms: 3 }),
        t.guest(1).agent.train(internet6, ECHO, { for_ms: 3000, interval_ms: 3 }),
        t.guest(2).agent.train(internet4, ECHO, { for_ms: 3000, interval_ms: 3 }),
      ]
      await Promise.all(trains.map((train) => train.started))
      child.kill('SIGKILL')
      await died
      const dead = monotonicMs()
      for (const train of await Promise.all(trains.map((each) => each.done))) {
        // The last renewal was before the death, though nft may have finished it after.
        expect(lastPassedMs(train)).toBeLessThan(dead + 1500 + 4 * MARGIN_MS)
        expect(lastPassedMs(train)).toBeGreaterThan(dead)
      }
    })

    it('kill -9 leaves the rules, and the next life finds no helper of the last', async () => {
      const child = await startChild(800)
      child.kill('SIGKILL')
      await died
      await eventually('the lease ran out', async () => !(await t.guest(1).agent.udp(internet4, ECHO, { timeout_ms: 100 })).ok)
      expect((await t.guest(1).agent.tcp(internet4, 80)).text).toBe('hello from 2080\n')
      t.gate = t.makeGate()
      await t.gate.start()
      // By nft a writer, a reader (once used) and a monitor of this life; by netlink none.
      await eventually('its helpers ended', async () => {
        const pids = (await t.town.box.run('ip', ['netns', 'pids', t.town.box.name])).stdout.split('\n').filter((pid) => pid !== '')
        const names = await Promise.all(pids.map(async (pid) => (await t.town.box.run('cat', [`/proc/${pid}/comm`])).stdout.trim()))
        return names.filter((name) => name === 'nft').length <= (driver === 'nft' ? 3 : 0)
      })
      await t.gate.stop()
    })

    it('a new life keeps who is still leased, and their counters, without a gap', async () => {
      const child = await startChild(30_000)
      await t.guest(1).agent.udp(internet4, ECHO, { size: 400 })
      await t.guest(1).agent.udp(internet6, ECHO, { size: 400 })
      const trains = [t.guest(1).agent.train(internet4, ECHO, { for_ms: 1500, interval_ms: 3 }), t.guest(1).agent.train(internet6, ECHO, { for_ms: 1500, interval_ms: 3 })]
      await Promise.all(trains.map((train) => train.started))
      child.kill('SIGKILL')
      await died
      t.gate = t.makeGate()
      await t.gate.start()
      const grant = t.grant(1, { leaseMs: 30_000 })
      await t.gate.replace([grant])
      const passed = await Promise.all(trains.map((train) => train.done))
      for (const train of passed) expect(train.echoed.length).toBe(train.sent.length)
      const counted = await t.counters(1)
      expect(counted.upPackets).toBe(packetsBefore + 2 + passed.reduce((sum, train) => sum + train.sent.length, 0))
      expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(false) // not named by replace
    })
  })
})
