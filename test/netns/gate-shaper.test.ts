/** Rates per session, measured; and shaping that cannot be had does not hurt the gate. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ECHO, GateTown, NEEDS_ROOT, SINK, SOURCE, eventually } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6 } = TOWN
const MEASURE_MS = 4000
/** Of a rate, on a machine that may be busy with other things: a rate taken wrong, or bits for bytes, is further off. */
const LEAST_SHARE = 0.6

describe('rates', () => {
  let t: GateTown
  let conns = 0

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 3, uplinks: [TOWN.wanInterface] })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
  })

  /** Bits a second of TCP, as the gate counts layer 3, after a start-up moment. */
  async function rateKbps(guest: number, direction: 'up' | 'down', address: string): Promise<number> {
    const { agent } = t.guest(guest)
    const conn = `c${++conns}`
    expect(await agent.open(conn, address, direction === 'up' ? SINK : SOURCE)).toBe('open')
    const run = agent.call(direction === 'up' ? 'tcp_write' : 'tcp_read', { conn, for_ms: MEASURE_MS + 3000 })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const count = async (): Promise<{ bytes: number; ms: number }> => {
      // Upload is counted where it has passed the shaper: at the other end.
      const bytes = direction === 'down'
        ? (await t.guestBytes(guest))
        : Object.entries(await t.internet.received()).filter(([key]) => key.startsWith(`${SINK} `)).reduce((sum, [, entry]) => sum + entry.bytes, 0)
      return { bytes, ms: performance.now() }
    }
    const first = await count()
    await new Promise((resolve) => setTimeout(resolve, MEASURE_MS))
    const second = await count()
    await agent.call('tcp_close', { conn })
    await run
    return ((second.bytes - first.bytes) * 8) / (second.ms - first.ms)
  }

  const shaped = async (): Promise<void> => {
    await eventually('the classes are there', async () => (await t.town.box.must('tc', 'class', 'show', 'dev', TOWN.guestInterface)).includes('1:1'))
  }

  it.each([
    ['down', internet4, 8000], ['up', internet4, 4000], ['down', internet6, 4000], ['up', internet6, 8000],
  ] as const)('%s over %s is held to %i kbit/s', async (direction, address, kbps) => {
    await t.gate.apply({ open: [t.grant(1, { downKbps: direction === 'down' ? kbps : null, upKbps: direction === 'up' ? kbps : null })], close: [] })
    await eventually('the classes are there', async () => (await t.town.box.must('tc', 'class', 'show', 'dev', direction === 'down' ? TOWN.guestInterface : TOWN.wanInterface)).includes('kbit') || (await t.town.box.must('tc', 'class', 'show', 'dev', direction === 'down' ? TOWN.guestInterface : TOWN.wanInterface)).includes('Mbit'))
    const measured = await rateKbps(1, direction, address)
    expect(measured).toBeLessThan(kbps * 1.15)
    expect(measured).toBeGreaterThan(kbps * LEAST_SHARE)
  })

  it('devices of one session share its rate; other sessions are not held back', async () => {
    const shared = { sessionId: 'shared', downKbps: 6000, upKbps: null }
    await t.gate.apply({ open: [t.grant(1, shared), t.grant(2, shared), t.grant(3)], close: [] })
    await shaped()
    const [one, two, three] = await Promise.all([rateKbps(1, 'down', internet4), rateKbps(2, 'down', internet6), rateKbps(3, 'down', internet4)])
    expect(one + two).toBeLessThan(6000 * 1.15)
    expect(one + two).toBeGreaterThan(6000 * LEAST_SHARE)
    expect(three).toBeGreaterThan(20_000)
  })

  it('a changed rate is taken over in the running session, and taken off again', async () => {
    await t.gate.apply({ open: [t.grant(1, { downKbps: 2000 })], close: [] })
    await t.gate.apply({ open: [t.grant(1, { downKbps: 10_000 })], close: [] })
    await eventually('the new rate', async () => (await t.town.box.must('tc', 'class', 'show', 'dev', TOWN.guestInterface)).includes('10Mbit'))
    const measured = await rateKbps(1, 'down', internet4)
    expect(measured).toBeGreaterThan(10_000 * LEAST_SHARE)
    expect(measured).toBeLessThan(11_500)
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    await eventually('no shaping', async () => !(await t.town.box.must('tc', 'qdisc', 'show', 'dev', TOWN.guestInterface)).includes('htb'))
    expect(await rateKbps(1, 'down', internet4)).toBeGreaterThan(20_000)
  })

  it('nothing is installed without rates, and many sessions come and go without a leftover', async () => {
    const htb = async (): Promise<boolean> => (await t.town.box.must('tc', 'qdisc', 'show')).includes('htb')
    await eventually('no shaping', async () => !(await htb()))
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    expect(await htb()).toBe(false)
    for (let round = 0; round < 3; round++) {
      const grants = Array.from({ length: 100 }, (_, i) => t.grant(1, { sessionId: `r${round}-${i}`, mac: `02:20:00:00:00:${i.toString(16).padStart(2, '0')}`, ip4: null, downKbps: 1000 + i, upKbps: 500 }))
      await t.gate.apply({ open: grants, close: [] })
      const classes = async (): Promise<number> => (await t.town.box.must('tc', 'class', 'show', 'dev', TOWN.wanInterface)).split('\n').filter((line) => line.includes('500Kbit')).length
      await eventually('a class for each', async () => (await classes()) === 100)
      await t.gate.apply({ open: [], close: grants.map((grant) => grant.mac) })
      await eventually('all gone', async () => !(await htb()))
    }
    expect(t.gate.health()).toMatchObject({ state: 'ready' })
  })

  it('an interface made anew gets its classes again', async () => {
    const before = t.link
    await t.gate.apply({ open: [t.grant(1, { upKbps: 3000 })], close: [] })
    await eventually('shaping', async () => (await t.town.box.must('tc', 'qdisc', 'show', 'dev', TOWN.wanInterface)).includes('htb'))
    await t.town.box.must('tc', 'qdisc', 'del', 'dev', TOWN.wanInterface, 'root') // as if it were another interface
    t.link = { ...before, indexOf: (device) => before.indexOf(device) + 1000 }
    await eventually('shaping again', async () => (await t.town.box.must('tc', 'class', 'show', 'dev', TOWN.wanInterface)).includes('3Mbit'))
  })

  it("somebody's own queue discipline is left alone: degraded, told once, and the gate works", async () => {
    t.alarms.length = 0
    await t.town.box.must('tc', 'qdisc', 'replace', 'dev', TOWN.wanInterface, 'root', 'handle', '77:', 'tbf', 'rate', '500mbit', 'burst', '1mb', 'latency', '50ms')
    await t.gate.apply({ open: [t.grant(1, { downKbps: 5000, upKbps: 5000 })], close: [] })
    await eventually('degraded', () => t.gate.health().state === 'degraded')
    expect(t.gate.health().reason).toContain('tbf')
    expect(await t.town.box.must('tc', 'qdisc', 'show', 'dev', TOWN.wanInterface)).toContain('tbf 77:')
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    await t.gate.apply({ open: [t.grant(1, { downKbps: 6000, upKbps: 5000 })], close: [] })
    expect(t.alarms.filter((alarm) => alarm.kind === 'degraded').length).toBe(1)
    await t.town.box.must('tc', 'qdisc', 'del', 'dev', TOWN.wanInterface, 'root')
    await t.gate.apply({ open: [t.grant(1, { downKbps: 6000, upKbps: 4000 })], close: [] })
    await eventually('ready again', () => t.gate.health().state === 'ready')
  })

  it('no tc at all: degraded, and the gate works', async () => {
    await t.gate.stop()
    t.gate = t.makeGate({ tcCommand: ['/nonexistent/tc'] })
    await t.gate.start()
    await t.gate.replace([t.grant(1, { downKbps: 5000 })])
    await eventually('degraded', () => t.gate.health().state === 'degraded')
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    await t.gate.stop()
    t.gate = t.makeGate()
    await t.gate.start()
  })
})
