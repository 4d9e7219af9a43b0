import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SystemFactsReader, openMetricsToken } from '../../../src/owner/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshbox-facts-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('what the machine says about itself', () => {
  const reader = (pidFile: string | null, dataDir = dir): SystemFactsReader => new SystemFactsReader({ dataDir, dnsmasqPidFile: () => pidFile, timers: new FakeTime() })

  it('is what the kernel tells', () => {
    const facts = reader(null)
    const read = facts.read()
    facts.stop()
    expect(read.memory.rssBytes).toBeGreaterThan(read.memory.rssAnonBytes ?? Number.POSITIVE_INFINITY)
    expect(read.memory.machineTotalBytes).toBeGreaterThan(read.memory.machineFreeBytes)
    expect(read.disk?.totalBytes).toBeGreaterThanOrEqual(read.disk?.freeBytes ?? Number.POSITIVE_INFINITY)
    expect(read.load).toHaveLength(3)
    expect(read.runtime).toBe(`node ${process.version}`)
    expect(read.dnsmasq.state).toBe('not-used')
  })

  it('says so where it does not know', () => {
    const facts = reader(null, join(dir, 'nothing'))
    expect(facts.read().disk).toBeNull()
    facts.stop()
  })

  it('notices when the event loop was held up, and forgets it after two minutes', async () => {
    const time = new FakeTime()
    const facts = new SystemFactsReader({ dataDir: dir, dnsmasqPidFile: () => null, timers: time })
    const waitATick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250))
    await waitATick()
    const until = performance.now() + 400
    while (performance.now() < until);
    await waitATick()
    expect(facts.read().eventLoopLag.maxMs).toBeGreaterThan(100)
    time.advance(60_000)
    expect(facts.read().eventLoopLag.maxMs).toBeGreaterThan(100)
    time.advance(60_000)
    expect(facts.read().eventLoopLag.maxMs).toBeLessThan(100)
    facts.stop()
  })

  it('sees whether dnsmasq runs', async () => {
    const pidFile = join(dir, 'dnsmasq.pid')
    const facts = reader(pidFile)
    const state = (): string => facts.read().dnsmasq.state
    expect(state()).toBe('missing')
    writeFileSync(pidFile, 'nonsense\n')
    expect(facts.read().dnsmasq).toEqual({ state: 'missing', detail: `${pidFile} holds no process number` })
    writeFileSync(pidFile, `${process.pid}\n`)
    expect(facts.read().dnsmasq.detail).toMatch(/^process \d+ is /)
    // A process of that name, whatever it does: copied, because the kernel names it after its file.
    copyFileSync('/bin/sleep', join(dir, 'dnsmasq'))
    const child = spawn(join(dir, 'dnsmasq'), ['60'])
    await once(child, 'spawn')
    writeFileSync(pidFile, `${child.pid ?? 0}\n`)
    await expect.poll(state).toBe('running')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(facts.read().dnsmasq).toEqual({ state: 'missing', detail: `process ${child.pid ?? 0} is gone` })
    facts.stop()
  })
})

describe('metrics token', () => {
  it('is made once, readable only by its owner', () => {
    const token = openMetricsToken(dir, seededRandom(1))
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(statSync(join(dir, 'metrics-token')).mode & 0o777).toBe(0o600)
    expect(openMetricsToken(dir, seededRandom(2))).toBe(token)
  })

  it('may be the owner\'s own, and is refused when it is none', () => {
    writeFileSync(join(dir, 'metrics-token'), 'a-token-of-my-own-choice\n')
    expect(openMetricsToken(dir, seededRandom(1))).toBe('a-token-of-my-own-choice')
    writeFileSync(join(dir, 'metrics-token'), 'short')
    expect(() => openMetricsToken(dir, seededRandom(1))).toThrow('is not a token')
    expect(() => openMetricsToken(join(dir, 'nothing'), seededRandom(1))).toThrow('metrics-token')
  })
})
