/** The doors with the real thing behind them: sockets on this machine, the system's `ip`, files as the kernel has them. */
import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Timers } from '../../../src/base/index.ts'
import { createGatewayMode, createUplinkLinks, createUplinkProbe } from '../../../src/mesh/uplinks/index.ts'
import { IpBatch } from '../../../src/mesh/uplinks/io/ip-batch.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs)
    return () => clearInterval(timer)
  },
}
const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

describe('probes', () => {
  const probe = createUplinkProbe({ clock: new FakeTime(), timers, randomness: seededRandom(5) })

  it('TCP: an open port answers, a shut one does not, and an interface without an address is told', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect(await probe.probe('lo', `127.0.0.1:${port}`, 5000)).toMatchObject({ ok: true })
    await new Promise((resolve) => server.close(resolve))
    expect(await probe.probe('lo', `127.0.0.1:${port}`, 5000)).toMatchObject({ ok: false, reason: expect.stringContaining('ECONNREFUSED') })
    expect(await probe.probe('nosuch0', '127.0.0.1:80', 5000)).toMatchObject({ ok: false, reason: 'nosuch0 has no IPv4 address' })
  })

  it('DNS: nobody at port 53 of an address of this machine is no answer', async () => {
    const socket = createSocket('udp4')
    closing.push(() => socket.close())
    expect(await probe.probe('lo', '127.77.0.53', 300)).toMatchObject({ ok: false })
  })
})

describe('ip', () => {
  const open = (...command: string[]): IpBatch => {
    const ip = new IpBatch({ command, timers })
    closing.push(() => ip.close())
    return ip
  }

  it('carries lines out one after the other in one process, and says which one was refused', async () => {
    const ip = open('ip', '-4')
    const done = await Promise.allSettled([ip.run('route show table main'), ip.run('route replace default dev nosuch0 table 52199'), ip.run('link show lo'), ip.run('nosense')])
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(done[1]).toMatchObject({ reason: { code: 'ip-refused', message: expect.stringContaining('nosuch0') } })
  })

  it('that is missing or dies is told, and the next line tries again', async () => {
    const missing = open('/nowhere/ip')
    await expect(missing.run('link show')).rejects.toMatchObject({ code: 'ip-gone' })
    await expect(missing.run('link show')).rejects.toMatchObject({ code: 'ip-gone' })
    await expect(open('false').run('link show')).rejects.toMatchObject({ code: 'ip-gone' })
  })
})

describe('files of the kernel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-uplinks-'))

  it('say whether a link may work and what was sent', () => {
    const links = createUplinkLinks({ devices: folder, routes4: join(folder, 'route'), routes6: join(folder, 'ipv6_route') })
    mkdirSync(join(folder, 'eth1', 'statistics'), { recursive: true })
    writeFileSync(join(folder, 'eth1', 'statistics', 'tx_bytes'), '12345\n')
    expect(links.see('eth1')).toEqual({ trouble: 'the link is down', sentBytes: 12_345 })
    writeFileSync(join(folder, 'eth1', 'carrier'), '1\n')
    expect(links.see('eth1')).toEqual({ trouble: null, sentBytes: 12_345 })
    expect(links.see('eth2').trouble).toContain('no such')
    writeFileSync(join(folder, 'route'), 'Iface\tDestination\nlo\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n')
    expect(links.places(['lo', 'nosuch0'])).toEqual([
      { interfaceName: 'lo', addresses: expect.arrayContaining([{ family: 4, address: '127.0.0.1' }]), routes: [{ family: 4, interfaceName: 'lo', gateway: '192.0.2.1' }] },
      null,
    ])
  })

  it('of an old kernel take the gateway mode, and a new one is asked by netlink', async () => {
    const asked: unknown[] = []
    const genetlink = {
      family: async () => ({ id: 30, name: 'batadv', version: 1, groups: new Map() }),
      interfaceIndex: async () => 9,
      request: async (...all: readonly unknown[]) => {
        asked.push(all[1])
        return []
      },
    }
    const mode = createGatewayMode({ meshInterface: 'bat0', genetlink, devicesPath: folder })
    await mode.set({ kind: 'server', downKbit: 500, upKbit: 100 })
    expect(asked).toEqual([15])
    mkdirSync(join(folder, 'bat0', 'mesh'), { recursive: true })
    writeFileSync(join(folder, 'bat0', 'mesh', 'gw_mode'), 'off\n')
    await mode.set({ kind: 'server', downKbit: 500, upKbit: 100 })
    expect(readFileSync(join(folder, 'bat0', 'mesh', 'gw_mode'), 'utf8')).toBe('server\n')
    expect(readFileSync(join(folder, 'bat0', 'mesh', 'gw_bandwidth'), 'utf8')).toBe('500kbit/100kbit\n')
    expect(asked).toHaveLength(1)
  })
})
