/** The gate in a town of namespaces: nothing passes unpaid, everything passes paid, and it ends when it should. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ECHO, GateTown, NEEDS_ROOT, SOURCE } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6, box4, box6 } = TOWN

describe('gate', () => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2 })
  }, 60_000)
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
  })

  it('lets nothing of an unpaid guest out, IPv4 and IPv6, and says so at once', async () => {
    const { agent } = t.guest(1)
    for (const address of [internet4, internet6]) {
      expect((await agent.udp(address, ECHO)).error).toMatch(/EHOSTUNREACH|EACCES/)
      expect((await agent.udp(address, 53)).ok).toBe(false)
      expect((await agent.tcp(address, 443)).result).toBe('ECONNREFUSED')
      expect((await agent.tcp(address, 8080)).result).not.toBe('open')
    }
    expect((await t.guest(1).host.ns.run('ping', ['-c', '1', '-W', '1', internet4])).code).not.toBe(0)
    expect((await t.guest(1).host.ns.run('ping', ['-c', '1', '-W', '1', internet6])).code).not.toBe(0)
  })
  it('leads an unpaid guest\'s web requests to the portal', async () => {
    const { agent } = t.guest(1)
    for (const address of [internet4, internet6, box4, box6]) expect((await agent.tcp(address, 80)).text).toBe('hello from 2080\n')
  })
  it('opens with one apply', async () => {
    const { agent } = t.guest(1)
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    for (const address of [internet4, internet6]) {
      expect(await agent.udp(address, ECHO)).toMatchObject({ ok: true })
      expect((await agent.tcp(address, 443)).text).toBe('hello from 443\n')
      expect((await agent.tcp(address, 80)).text).toBe('hello from 80\n')
    }
    expect((await t.guest(2).agent.udp(internet4, ECHO)).ok).toBe(false)
    console.log(await t.counters(1), t.gate.health(), SOURCE)
  })
})
