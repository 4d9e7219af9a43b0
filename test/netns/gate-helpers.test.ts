/** The nft processes that carry changes where netlink is not there: they die, hang and lack an interactive mode, and no guest pays for it. */
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ECHO, GateTown, NEEDS_ROOT, eventually } from '../support/gate-town.ts'
import { TOWN, isRoot, runProgram } from '../support/netns.ts'

const { internet4 } = TOWN

describe('helpers of the nft driver', () => {
  let t: GateTown

  beforeAll(async () => {
    if (isRoot()) t = await GateTown.create({ guests: 2, driver: 'nft' })
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    t.alarms.length = 0
    await t.gate.replace([])
  })

  /** Pids of nft processes in the box with these arguments. */
  async function helpers(argument: string): Promise<string[]> {
    const pids = (await runProgram('ip', ['netns', 'pids', t.town.box.name])).stdout.split('\n').filter((pid) => pid !== '')
    const commands = await Promise.all(pids.map(async (pid) => ({ pid, words: (await runProgram('cat', [`/proc/${pid}/cmdline`])).stdout.split('\0') })))
    return commands.filter(({ words }) => words[0] === 'nft' && words.includes(argument)).map(({ pid }) => pid)
  }

  it('nft killed between and during changes: the guests get what they paid for', async () => {
    for (let i = 0; i < 6; i++) {
      const writers = await helpers('-i')
      expect(writers.length).toBeGreaterThan(0)
      const change = i % 2 === 0 ? null : t.gate.apply({ open: [t.grant(1)], close: [] })
      for (const pid of writers) await runProgram('kill', ['-9', pid])
      await change
      await t.gate.apply({ open: [t.grant(1)], close: [] })
      expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
      await t.gate.apply({ open: [], close: [t.guest(1).host.mac] })
      expect((await t.guest(1).agent.udp(internet4, ECHO, { timeout_ms: 100 })).ok).toBe(false)
      await t.gate.preflight()
      await t.gate.counters()
    }
  })

  it('nft that hangs is given up, and the change is made all the same', async () => {
    for (const pid of await helpers('-i')) await runProgram('kill', ['-STOP', pid])
    await t.gate.apply({ open: [t.grant(1)], close: [] })
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    expect(t.gate.health().state).toBe('ready')
  })

  it('the monitor killed: started again, and a stranger is still noticed', async () => {
    t.desired = []
    for (const pid of await helpers('monitor')) await runProgram('kill', ['-9', pid])
    const repairs = t.gate.health().repairs
    await t.nft('flush', 'chain', 'inet', 'meshbox', 'passage')
    await eventually('the repair', () => t.gate.health().repairs > repairs)
    await eventually('a new monitor', async () => (await helpers('monitor')).length === 1)
  })

  it('transactions too long for a line leave nothing behind but their one file', async () => {
    await t.gate.apply({ open: Array.from({ length: 50 }, (_, i) => t.grant(1, { sessionId: `s${i}`, mac: `02:00:00:00:aa:${(i + 16).toString(16)}`, ip4: null })), close: [] })
    expect(readdirSync(join(t.runtimeDir, 'nft'))).toEqual(['transaction.nft'])
    expect(existsSync('/dev/null/.nft.history')).toBe(false)
  })

  it('an nft without interactive mode does as well, and is told in the health', async () => {
    await t.gate.stop()
    const wrapper = join(t.runtimeDir, 'nft-plain')
    writeFileSync(wrapper, '#!/bin/sh\nfor word in "$@"; do [ "$word" != -i ] || { echo "Error: interactive CLI not supported in this build" >&2; exit 1; }; done\nexec nft "$@"\n')
    chmodSync(wrapper, 0o755)
    t.gate = t.makeGate({ nftCommand: ['ip', 'netns', 'exec', t.town.box.name, wrapper] })
    await t.gate.start()
    expect(t.gate.health()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('interactive') as string })
    await t.gate.replace([t.grant(1)])
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(true)
    await t.gate.apply({ open: [], close: [t.guest(1).host.mac] })
    expect((await t.guest(1).agent.udp(internet4, ECHO)).ok).toBe(false)
    expect((await t.counters(1)).up).toBeGreaterThan(0)
    await t.gate.preflight()
    await expect(t.gate.apply({ open: [t.grant(1, { leaseMs: -1 })], close: [] })).rejects.toMatchObject({ kind: 'input' })
    await t.gate.stop()
    t.gate = t.makeGate()
    await t.gate.start()
  })
})
