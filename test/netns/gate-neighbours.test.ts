/** Who is behind an address: told by the kernel and by DHCP, without a process per question. */
import { mkdtempSync, renameSync, rmSync, writeFileSync, chmodSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../src/base/io/system.ts'
import { Neighbours, type NeighboursOptions } from '../../src/hotspot/gate/io/neighbours.ts'
import type { MacAddress } from '../../src/hotspot/gate/types.ts'
import { NEEDS_ROOT, eventually } from '../support/gate-town.ts'
import { TOWN, Town, isRoot, runProgram } from '../support/netns.ts'

describe('neighbours', () => {
  let town: Town
  let folder: string
  let leases: string
  let table: Neighbours | null = null
  const told: [MacAddress, string][] = []
  const pairs: ReadonlyMap<string, MacAddress>[] = []

  beforeAll(async () => {
    if (!isRoot()) return
    town = await Town.create({ guests: 2, addresses: 'static' })
    folder = mkdtempSync(join(tmpdir(), 'meshbox-neighbours-'))
    leases = join(folder, 'dhcp.leases')
  })
  afterAll(async () => {
    await town?.destroy()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })
  beforeEach((context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    told.length = 0
    pairs.length = 0
    rmSync(leases, { force: true })
  })
  afterEach(async () => {
    await table?.stop()
    table = null
  })

  async function start(more: Partial<NeighboursOptions> = {}): Promise<Neighbours> {
    table = new Neighbours({
      guestInterface: TOWN.guestInterface,
      leasesFile: leases,
      clock: new SystemClock(),
      timers: systemTimers,
      log: silentLog,
      onLeases: (found) => pairs.push(found),
      ipCommand: ['ip', '-n', town.box.name],
      ...more,
    })
    table.onIp4((mac, ip4) => told.push([mac, ip4]))
    await table.start()
    return table
  }

  const guest = (index: number) => {
    const found = town.guests[index - 1]
    if (!found) throw new Error(`no guest ${index}`)
    return found
  }
  const ping = (index: number, address: string) => guest(index).ns.run('ping', ['-c', '1', '-W', '1', address])

  it('knows who was there before it started, and who comes, by IPv4 and IPv6', async () => {
    await ping(1, TOWN.box4)
    const neighbours = await start()
    expect(await neighbours.macOf(guest(1).ip4)).toBe(guest(1).mac)
    await ping(2, TOWN.box6)
    await eventually('guest 2 is known by IPv6', async () => (await neighbours.macOf(guest(2).ip6)) === guest(2).mac)
    const linkLocal = `fe80::${(await guest(2).ns.must('sh', '-c', "ip -6 addr show dev eth0 scope link | sed -n 's/.*inet6 fe80::\\([^/]*\\).*/\\1/p'")).trim()}`
    await guest(2).ns.run('ping', ['-c', '1', '-W', '1', `${(await town.box.must('sh', '-c', `ip -6 addr show dev ${TOWN.guestInterface} scope link | sed -n 's/.*inet6 \\([^/]*\\).*/\\1/p'`)).trim()}%eth0`])
    await eventually('and by its link-local address with a zone', async () => (await neighbours.macOf(`${linkLocal}%${TOWN.guestInterface}`)) === guest(2).mac)
  })

  it('takes IPv4 in IPv6 clothes, other spellings, and refuses nonsense', async () => {
    await ping(1, TOWN.box4)
    const neighbours = await start()
    expect(await neighbours.macOf(`::ffff:${guest(1).ip4}`)).toBe(guest(1).mac)
    for (const nonsense of ['', 'x', '10.77.0', '999.1.1.1', '::g', `${guest(1).ip4}; id`, 'a'.repeat(10_000)]) expect(await neighbours.macOf(nonsense)).toBeNull()
    expect(await neighbours.macOf('10.77.0.251')).toBeNull()
  })

  it('notices another MAC at the same address, and that an entry is gone', async () => {
    await ping(1, TOWN.box4)
    const neighbours = await start()
    await town.box.ip('neigh', 'replace', guest(1).ip4, 'lladdr', '02:00:00:00:00:77', 'dev', TOWN.guestInterface, 'nud', 'reachable')
    await eventually('the new MAC', async () => (await neighbours.macOf(guest(1).ip4)) === '02:00:00:00:00:77')
    expect(neighbours.ip4Of('02:00:00:00:00:77')).toBe(guest(1).ip4)
    await town.box.ip('neigh', 'del', guest(1).ip4, 'dev', TOWN.guestInterface)
    await eventually('it is gone', async () => (await neighbours.macOf(guest(1).ip4)) === null)
  })

  it('a thousand questions about unknown addresses start one process, not a thousand', async () => {
    const counter = join(folder, 'count')
    const wrapper = join(folder, 'ip')
    writeFileSync(counter, '')
    writeFileSync(wrapper, `#!/bin/sh\necho x >> ${counter}\nexec ip "$@"\n`)
    chmodSync(wrapper, 0o755)
    const neighbours = await start({ ipCommand: [wrapper, '-n', town.box.name] })
    const started = readFileSync(counter, 'utf8').length
    await Promise.all(Array.from({ length: 1000 }, (_, i) => neighbours.macOf(`10.77.9.${i % 250}`)))
    expect((readFileSync(counter, 'utf8').length - started) / 2).toBeLessThanOrEqual(1)
  })

  it('a killed monitor is replaced, and nothing is missed', async () => {
    const neighbours = await start()
    const pids = (await runProgram('sh', ['-c', `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q "^ip -n ${town.box.name} -o monitor" && basename $p; done; true`])).stdout.trim().split('\n')
    expect(pids.length).toBe(1)
    for (const pid of pids) await runProgram('kill', ['-9', pid])
    await town.box.ip('neigh', 'replace', '10.77.0.200', 'lladdr', '02:00:00:00:00:88', 'dev', TOWN.guestInterface, 'nud', 'reachable')
    await eventually('it is known', async () => (await neighbours.macOf('10.77.0.200')) === '02:00:00:00:00:88')
    await town.box.ip('neigh', 'replace', '10.77.0.200', 'lladdr', '02:00:00:00:00:99', 'dev', TOWN.guestInterface, 'nud', 'reachable')
    await eventually('the change is known', async () => (await neighbours.macOf('10.77.0.200')) === '02:00:00:00:00:99')
  })

  it('the lease file comes first, is followed, and tells the guard', async () => {
    await ping(1, TOWN.box4)
    writeFileSync(leases, `1795300000 ${guest(1).mac} 10.77.0.60 phone1 01:${guest(1).mac}\n`)
    const neighbours = await start()
    expect(neighbours.ip4Of(guest(1).mac)).toBe('10.77.0.60')
    expect(told).toContainEqual([guest(1).mac, '10.77.0.60'])
    expect(pairs.at(-1)).toEqual(new Map([['10.77.0.60', guest(1).mac]]))
    // Written anew in place, as dnsmasq does, and replaced, as a backup would.
    writeFileSync(leases, `1795300000 ${guest(1).mac} 10.77.0.61 phone1 *\n0 ${guest(2).mac} 10.77.0.62 * *\nduid 00:01\n1795300000 1 2001:db8:77::5 * 00:01\n`)
    await eventually('the new leases', () => neighbours.ip4Of(guest(1).mac) === '10.77.0.61' && neighbours.ip4Of(guest(2).mac) === '10.77.0.62')
    expect(pairs.at(-1)?.size).toBe(2)
    writeFileSync(`${leases}.new`, `1795300000 ${guest(2).mac} 10.77.0.63 * *\n`)
    renameSync(`${leases}.new`, leases)
    await eventually('the replaced file', () => neighbours.ip4Of(guest(2).mac) === '10.77.0.63')
    expect(neighbours.ip4Of(guest(1).mac)).toBe(guest(1).ip4) // what the kernel saw, where DHCP is silent
    expect(told.filter(([mac]) => mac === guest(2).mac).map(([, ip4]) => ip4)).toEqual(['10.77.0.62', '10.77.0.63'])
  })

  it('without `ip` the kernel\'s ARP table is read', async () => {
    const arpFile = join(folder, 'arp')
    writeFileSync(arpFile, `IP address       HW type     Flags       HW address            Mask     Device\n10.77.0.70       0x1         0x2         02:00:00:00:00:70     *        ${TOWN.guestInterface}\n10.77.0.71       0x1         0x0         00:00:00:00:00:00     *        ${TOWN.guestInterface}\n10.77.0.72       0x1         0x2         02:00:00:00:00:72     *        eth9\n`)
    const neighbours = await start({ ipCommand: ['/nonexistent/ip'], arpFile })
    expect(await neighbours.macOf('10.77.0.70')).toBe('02:00:00:00:00:70')
    expect(await neighbours.macOf('10.77.0.71')).toBeNull()
    expect(await neighbours.macOf('10.77.0.72')).toBeNull()
  })
})
