/** The gate's doors that need no kernel: record-only mode, dnsmasq's files, a tool kept running, rules from the configuration. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { createGate } from '../../../src/hotspot/gate/index.ts'
import { BarrierProcess, ProcessGone } from '../../../src/hotspot/gate/io/barrier-process.ts'
import { DnsmasqFiles } from '../../../src/hotspot/gate/io/dnsmasq-files.ts'
import { LoopbackNeighbours } from '../../../src/hotspot/gate/io/loopback-neighbours.ts'
import { RecordGate } from '../../../src/hotspot/gate/io/record-gate.ts'
import { gateRules } from '../../../src/hotspot/gate/rules.ts'
import { gateTable } from '../../../src/hotspot/gate/ruleset.ts'
import type { Grant } from '../../../src/hotspot/gate/types.ts'
import { FakeTime } from '../../support/fakes.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'meshbox-gate-unit-')) })
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const grant = (more: Partial<Grant> = {}): Grant => ({ sessionId: 's', mac: '02:00:00:00:00:01', ip4: '10.0.0.1', leaseMs: 1000, quotaBytes: null, downKbps: null, upKbps: null, ...more })

describe('record-only gate', () => {
  it('keeps leases by the clock and says what it is', async () => {
    const time = new FakeTime()
    const gate = new RecordGate(time)
    await gate.start()
    await gate.apply({ open: [grant(), grant({ mac: '02:00:00:00:00:02', leaseMs: 5000 })], close: [] })
    expect(gate.health()).toMatchObject({ state: 'recording', devices: 2 })
    time.advance(1000)
    expect([gate.isOpen('02:00:00:00:00:01'), gate.isOpen('02:00:00:00:00:02')]).toEqual([false, true])
    await gate.apply({ open: [grant()], close: ['02:00:00:00:00:02'] })
    expect((await gate.counters()).map((entry) => entry.mac)).toEqual(['02:00:00:00:00:01'])
    await gate.replace([grant({ mac: '02:00:00:00:00:03' })])
    expect([gate.isOpen('02:00:00:00:00:01'), gate.isOpen('02:00:00:00:00:03')]).toEqual([false, true])
  })
  it('refuses what the real one refuses, and changes nothing', async () => {
    const gate = new RecordGate(new FakeTime())
    await expect(gate.apply({ open: [grant(), grant({ mac: 'nonsense' })], close: [] })).rejects.toMatchObject({ field: 'grant.mac' })
    expect(gate.health().devices).toBe(0)
  })
  it('gives each address of the loopback a device of its own, the same after a restart', async () => {
    const [first, second] = [new LoopbackNeighbours(), new LoopbackNeighbours()]
    const told: string[] = []
    first.onIp4((mac, ip4) => told.push(`${mac} ${ip4}`))
    const mac = await first.macOf('127.0.0.1')
    expect(mac).toMatch(/^02:/)
    expect(await second.macOf('::ffff:127.0.0.1')).toBe(mac)
    expect(await first.macOf('127.0.0.2')).not.toBe(mac)
    expect(first.ip4Of(mac ?? '')).toBe('127.0.0.1')
    expect(told[0]).toBe(`${mac} 127.0.0.1`)
    expect(await first.macOf('nonsense')).toBeNull()
  })
})

describe('configuration', () => {
  const hotspot = (lines: string) => {
    const config = loadConfig(`config meshbox 'main'\n\tlist roles 'hotspot'\n\nconfig hotspot 'hotspot'\n${lines}`, 'test')
    return config.hotspot
  }
  it('chooses the driver', () => {
    const deps = { clock: new FakeTime(), timers: new FakeTime(), log: silentLog, callbacks: { desired: () => [], alarm: () => undefined }, runtimeDir: folder, openNetlink: null }
    expect(createGate(hotspot("\toption gate 'record'\n"), deps).gate.health().state).toBe('recording')
    expect(createGate(hotspot("\toption gate 'nft'\n"), deps).gate.health().state).toBe('down')
  })
  it('becomes rules: any address, or the one given', () => {
    const rules = gateRules(hotspot("\toption portal_port '8081'\n"))
    expect(rules).toMatchObject({ guestInterface: 'br-guest', portalAddress: null, portalPort: 8081, tlsPort: null })
    expect(gateTable(rules, true)).toContain('redirect to :8081')
    const given = gateRules(hotspot("\toption portal_address '10.1.2.3'\n"))
    expect(gateTable(given, true)).toContain('dnat ip to 10.1.2.3:2080')
  })
  it('opens the port of boxes to any guest; 0 opens none', () => {
    expect(gateTable(gateRules(hotspot('')), true)).toContain('tcp dport { 2080, 2081 } accept')
    expect(gateTable(gateRules(hotspot("\toption boxes_port '4711'\n")), true)).toContain('tcp dport { 2080, 4711 } accept')
    expect(gateTable(gateRules(hotspot("\toption boxes_port '0'\n")), true)).toContain('tcp dport { 2080 } accept')
  })
})

describe("dnsmasq's files", () => {
  const files = (): DnsmasqFiles => new DnsmasqFiles({ confDir: join(folder, 'd'), optionsFile: join(folder, 'options'), pidFile: join(folder, 'pid') }, silentLog)
  const names = { portalHost: 'pay.lan', routerAddresses: ['10.0.0.1'], gardenDomains: ['a.example'] }
  it('are written whole, only when they change, and nothing else is left in the folder', () => {
    expect(files().writeSnippet(names)).toBe(true)
    expect(files().writeSnippet(names)).toBe(false)
    expect(files().writeSnippet({ ...names, gardenDomains: [] })).toBe(true)
    expect(readdirSync(join(folder, 'd'))).toEqual(['meshbox.conf'])
    expect(readFileSync(join(folder, 'd', 'meshbox.conf'), 'utf8')).not.toContain('nftset')
  })
  it('a file that cannot be written is a clear error', () => {
    writeFileSync(join(folder, 'd'), 'a file where a folder should be')
    expect(() => files().writeSnippet(names)).toThrow(expect.objectContaining({ code: 'dnsmasq-files' }))
  })
  it('only a real dnsmasq is signalled: a stale pid file hits no stranger', async () => {
    const stranger = spawn('sleep', ['30'])
    writeFileSync(join(folder, 'pid'), `${stranger.pid}\n`)
    expect(files().writeApiUri('https://pay.lan/api')).toBe(true)
    for (const nonsense of ['', 'x', '-1', '0', '99999999']) {
      writeFileSync(join(folder, 'pid'), nonsense)
      expect(files().writeApiUri(`https://pay.lan/${nonsense.length}`)).toBeDefined()
    }
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
    const ended = new Promise((resolve) => stranger.once('exit', (_code, signal) => resolve(signal)))
    stranger.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
  })
})

describe('a tool kept running', () => {
  /** Complains about words it does not know, as nft does; `die`, `hang` and `fail` do what they say. */
  function tool(): string[] {
    const script = join(folder, 'tool.sh')
    writeFileSync(script, '#!/bin/sh\nwhile read -r word rest; do case "$word" in\nok) : ;;\nsay) echo "$rest" ;;\nfail) echo "Error: refused" >&2; echo "$rest" >&2; echo "  ^^" >&2 ;;\ndie) exit 3 ;;\nhang) sleep 60 ;;\npid) echo $$ ;;\n*) echo "Error: syntax" >&2; echo "$word" >&2; echo "^" >&2 ;;\nesac; done\n')
    chmodSync(script, 0o755)
    return [script]
  }
  const start = (more: { maxExchanges?: number; timeoutMs?: number } = {}): BarrierProcess =>
    new BarrierProcess({ command: tool(), timers: systemTimers, isBarrier: (line, word) => line === word, linesBeforeBarrier: 1, isNoise: (line) => /^[\s^]*$/.test(line), ...more })

  it('ties each complaint to its command, however many are waiting', async () => {
    const process = start()
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => process.exchange(i % 3 === 0 ? `fail word${i}` : 'ok')))
    results.forEach((result, i) => expect(result.errors).toEqual(i % 3 === 0 ? ['Error: refused', `word${i}`] : []))
    await process.close()
  })
  it('reads an answer, and does not wait for one that an error replaced', async () => {
    const process = start()
    expect((await process.exchange('say hello', true)).output).toEqual(['hello'])
    expect((await process.exchange('fail x', true)).errors).toEqual(['Error: refused', 'x'])
    expect((await process.exchange(`say ${'long '.repeat(50_000)}`, true)).output[0]?.length).toBeGreaterThan(200_000)
    await process.close()
  })
  it('a process that dies or hangs is told of, and replaced for the next command', async () => {
    const process = start({ timeoutMs: 300 })
    for (const command of ['die', 'hang', 'die']) {
      await expect(process.exchange(command)).rejects.toThrow(ProcessGone)
      expect((await process.exchange('say again', true)).output).toEqual(['again'])
    }
    await process.close()
    await expect(process.exchange('ok')).rejects.toThrow(ProcessGone)
  })
  it('is replaced after so many commands, losing none', async () => {
    const process = start({ maxExchanges: 5 })
    const pids = await Promise.all(Array.from({ length: 23 }, () => process.exchange('pid', true)))
    expect(new Set(pids.map((result) => result.output[0])).size).toBe(5)
    await process.close()
  })
  it('one that cannot be started says so', async () => {
    const process = new BarrierProcess({ command: [join(folder, 'missing')], timers: systemTimers, isBarrier: () => false, linesBeforeBarrier: 0, isNoise: () => false })
    await expect(process.exchange('ok')).rejects.toThrow(/missing/)
  })
})
