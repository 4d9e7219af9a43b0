/** What other programs write and read: addresses, lease files, neighbours, dnsmasq, nft's monitor and dumps, tc. */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { ip6Hex, readIp, readMac } from '../../../src/hotspot/gate/address.ts'
import { dnsmasqOptions, dnsmasqSnippet, nftsetLine } from '../../../src/hotspot/gate/dnsmasq.ts'
import { readDump, readElements, readFlowtableDevices } from '../../../src/hotspot/gate/dump.ts'
import { MonitorReader } from '../../../src/hotspot/gate/monitor.ts'
import { classid, readClassid } from '../../../src/hotspot/gate/names.ts'
import { readArpTable, readLeases, readNeighbourLine, readPortLine } from '../../../src/hotspot/gate/neighbour-lines.ts'
import { classCommands, isReplaceable, rootDiscipline } from '../../../src/hotspot/gate/shaper.ts'

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'], ['::ffff:10.0.0.1', '10.0.0.1'], ['::FFFF:0a00:0001', '10.0.0.1'], ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%br-guest', 'fe80::1'], ['::', '::'], ['::1', '::1'], ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['10.0.0.256', null], ['010.0.0.1', null], ['10.0.0', null], ['1', null], ['', null], ['::g', null], [':::', null], ['1:2:3', null], ['[::1]', null], ['::1/64', null], ['fe80::1 ', null],
  ])('%s is read as %s', (text, expected) => {
    expect(readIp(text)).toBe(expected)
  })
  it('IPv6: text, digits and back', () => {
    fc.assert(fc.property(fc.ipV6(), (text) => {
      const ip = readIp(text)
      if (ip === null || !ip.includes(':')) return ip !== null
      const hex = ip6Hex(ip)
      return hex !== null && readIp(hex.replace(/(.{4})(?=.)/g, '$1:')) === ip
    }))
  })
  it.each([['AA:bb:cc:dd:ee:f0', 'aa:bb:cc:dd:ee:f0'], ['01:00:5e:00:00:01', null], ['00:00:00:00:00:00', null], ['aa-bb-cc-dd-ee-f0', null], ['aa:bb:cc:dd:ee', null], ['', null]])('MAC %s is read as %s', (text, expected) => {
    expect(readMac(text)).toBe(expected)
  })
  it('handles survive both spellings', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 0xffff_fffe }), (value) => {
      expect(Number.parseInt(classid(value), 16)).toBe(value)
      expect(readClassid(`${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`)).toBe(value)
    }))
    expect(readClassid('none')).toBe(0)
    expect(readClassid('00:11:22:33:44:55')).toBeNull()
  })
})

describe('dnsmasq', () => {
  it('walled garden lines lead to our sets', () => {
    expect(nftsetLine('example.org')).toBe('nftset=/example.org/4#inet#meshbox#garden4,6#inet#meshbox#garden6')
  })
  it('the snippet names the portal in both families', () => {
    expect(dnsmasqSnippet({ portalHost: 'pay.meshbox.lan', routerAddresses: ['10.0.0.1', 'fe80::1', 'fd00::1'], gardenDomains: ['a.example'] })).toBe(
      '# Written by meshbox; changes are lost.\nhost-record=pay.meshbox.lan,10.0.0.1,fe80::1\nhost-record=pay.meshbox.lan,fd00::1\nnftset=/a.example/4#inet#meshbox#garden4,6#inet#meshbox#garden6\n',
    )
  })
  it.each(['a/b', 'a b', 'a\nuser=root', 'A.example', '', '-a.example', 'a..b', `${'a'.repeat(64)}.example`])('refuses the name %j', (name) => {
    expect(() => dnsmasqSnippet({ portalHost: 'x.lan', routerAddresses: [], gardenDomains: [name] })).toThrow(/gardenDomains/)
    expect(() => dnsmasqSnippet({ portalHost: name, routerAddresses: [], gardenDomains: [] })).toThrow(/portalHost/)
  })
  it('announces the API by option 114 and 103, or nothing', () => {
    expect(dnsmasqOptions('https://pay.meshbox.lan/api?x=1')).toBe('114,https://pay.meshbox.lan/api?x=1\noption6:103,https://pay.meshbox.lan/api?x=1\n')
    expect(dnsmasqOptions(null)).toBe('')
  })
  it.each(['http://pay.lan/', 'https://pay.lan/a,b', 'https://pay.lan/"', 'https://pay.lan/\n66,evil', `https://pay.lan/${'a'.repeat(240)}`])('refuses the URI %j', (uri) => {
    expect(() => dnsmasqOptions(uri)).toThrow(/uri/)
  })
})

describe('neighbour lines', () => {
  it.each([
    ['10.0.0.2 dev br-guest lladdr 02:00:00:00:00:01 REACHABLE', { ip: '10.0.0.2', mac: '02:00:00:00:00:01' }],
    ['10.0.0.2 lladdr 02:00:00:00:00:01 STALE', { ip: '10.0.0.2', mac: '02:00:00:00:00:01' }],
    ['fe80::1 dev br-guest lladdr 02:00:00:00:00:01 router STALE', { ip: 'fe80::1', mac: '02:00:00:00:00:01' }],
    ['Deleted 10.0.0.2 dev br-guest lladdr 02:00:00:00:00:01 STALE', { ip: '10.0.0.2', mac: null }],
    ['10.0.0.2 dev br-guest FAILED', { ip: '10.0.0.2', mac: null }],
    ['10.0.0.2 dev eth9 lladdr 02:00:00:00:00:01 REACHABLE', null],
    ['10.0.0.2 dev br-guest INCOMPLETE', null],
    ['ff02::1 dev br-guest lladdr 33:33:00:00:00:01 NOARP', null],
    ['', null],
    ['nonsense', null],
  ])('%s', (line, expected) => {
    expect(readNeighbourLine(line, 'br-guest')).toEqual(expected)
  })
  it('never throws, whatever the line', () => {
    fc.assert(fc.property(fc.string(), (line) => {
      readNeighbourLine(line, 'br-guest')
      readArpTable(line, 'br-guest')
      readLeases(line, 10)
    }))
  })
  it('leases: IPv4 only, other hardware types, bounded', () => {
    expect(readLeases('1 02:00:00:00:00:01 10.0.0.5 a *\n1 06-02:00:00:00:00:02 10.0.0.6 b *\nbad line\nduid 00\n1 5 fd00::1 c *\n', 10)).toEqual([{ mac: '02:00:00:00:00:01', ip4: '10.0.0.5' }, { mac: '02:00:00:00:00:02', ip4: '10.0.0.6' }])
    expect(readLeases('1 02:00:00:00:00:01 10.0.0.5 a *\n'.repeat(100), 7)).toHaveLength(7)
  })
})

describe("nft's monitor", () => {
  const own = new Set([10])
  const read = (lines: readonly string[]) => {
    const reader = new MonitorReader()
    return lines.map((line) => reader.read(line, own)).filter((event) => event !== null)
  }
  it('tells a stranger from ourselves', () => {
    expect(read(['add element inet meshbox paid { 10:1 timeout 1s }', '# new generation 5 by process 10 (nft)'])).toEqual([])
    expect(read(['delete chain inet meshbox passage', 'delete table inet meshbox', '# new generation 6 by process 11 (nft)'])).toEqual([{ kind: 'tampered', what: 'delete chain inet meshbox passage' }])
    expect(read(['delete table inet fw4', '# new generation 7 by process 11 (fw4)'])).toEqual([])
    expect(read(['delete rule bridge meshbox frames handle 5', '# new generation 8 by process 11 (nft)'])).toHaveLength(1)
    expect(read(['delete table inet meshbox', '# new generation 9 by process 11 (nft)', 'add table inet x', '# new generation 10 by process 11 (nft)'])).toHaveLength(1)
  })
  it("knows dnsmasq's additions to the garden, and nothing else of its kind", () => {
    expect(read(['add element inet meshbox garden4 { 1.2.3.4 timeout 1d }', '# new generation 5 by process 12 (dnsmasq)'])).toEqual([])
    expect(read(['add element inet meshbox paid { 10:1 }', '# new generation 5 by process 12 (dnsmasq)'])).toHaveLength(1)
    expect(read(['delete element inet meshbox garden4 { 1.2.3.4 }', '# new generation 5 by process 12 (x)'])).toHaveLength(1)
  })
  it('hears of quotas used up, with the wrong family and with units', () => {
    expect(read(['add quota ip meshbox qabc { over 1000 bytes used 1000 bytes } '])).toEqual([{ kind: 'quota-used', quota: 'qabc', totalBytes: 1000 }])
    expect(read(['add quota inet meshbox qabc { over 5 mbytes used 5 mbytes } '])).toEqual([{ kind: 'quota-used', quota: 'qabc', totalBytes: 5 * 1024 ** 2 }])
    expect(read(['add quota inet meshbox qabc { over 1000 bytes used 999 bytes } ', 'add quota inet other qabc { over 1000 bytes used 1000 bytes } '])).toEqual([])
  })
  it('hears that events were lost', () => {
    expect(read(['# ERROR: We lost some netlink events!'])).toEqual([{ kind: 'overrun' }])
  })
})

describe("nft's dumps", () => {
  const doc = (...items: unknown[]) => JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...items] })
  const table = { table: { family: 'inet', name: 'meshbox', handle: 1 } }
  const chain = (policy: string, handle = 7) => ({ chain: { family: 'inet', table: 'meshbox', name: 'passage', handle, policy } })
  it('elements of every form our sets have', () => {
    const set = (elem: unknown[]) => doc({ set: { family: 'inet', table: 'meshbox', name: 'x', elem } })
    expect(readElements(set(['1.2.3.4', { elem: { val: '10:1', timeout: 90, expires: 42 } }, { concat: ['02:00:00:00:00:01', '10:1'] }, { elem: { val: '10:2', counter: { packets: 3, bytes: 400 } } }, { elem: { val: '10:3', stmt: [{ counter: { packets: 5, bytes: 600 } }] } }, [{ elem: { val: 'fd00::1', expires: 5 } }, '10:1'], { prefix: { addr: '10.0.0.0', len: 8 } }])).map(({ key, value, expiresSeconds, packets, bytes }) => [key, value, expiresSeconds, packets, bytes])).toEqual([
      ['1.2.3.4', null, null, 0, 0], ['10:1', null, 42, 0, 0], ['02:00:00:00:00:01 . 10:1', null, null, 0, 0], ['10:2', null, null, 3, 400], ['10:3', null, null, 5, 600], ['fd00::1', '10:1', 5, 0, 0], ['10.0.0.0/8', null, null, 0, 0],
    ])
    expect(readElements(doc({ set: { family: 'inet', table: 'meshbox', name: 'x' } }))).toEqual([])
    expect(() => readElements('{}')).toThrow()
    expect(() => readElements(set([{ strange: 1 }]))).toThrow()
  })
  it('the structure changes with rules and declarations, not with handles, elements and marks', () => {
    const plain = readDump([doc(table, chain('accept'))]).structure
    expect(readDump([doc(table, chain('accept', 99), { set: undefined })]).structure).toBe(plain)
    expect(readDump([doc(table, chain('accept'), { chain: { family: 'inet', table: 'meshbox', name: 'mark_x' } })])).toMatchObject({ structure: plain, mark: 'mark_x' })
    expect(readDump([doc(table, chain('drop'))]).structure).not.toBe(plain)
    expect(readDump([doc({ table: { ...table.table, flags: 'dormant' } }, chain('accept'))]).structure).not.toBe(plain)
    expect(readDump([doc(table, chain('accept'), { rule: { family: 'inet', table: 'meshbox', chain: 'passage', handle: 3, expr: [{ accept: null }] } })]).structure).not.toBe(plain)
    const withSet = (elem: unknown[] | undefined) => readDump([doc(table, { set: { family: 'inet', table: 'meshbox', name: 's', type: 'mark', handle: 4, elem } })]).structure
    expect(withSet(['1'])).toBe(withSet(undefined))
    expect(readDump([]).isEmpty).toBe(true)
    // Sets of the guard, however their elements are shown, are passed over.
    expect(readDump([doc({ set: { family: 'bridge', table: 'meshbox', name: 'owned6', elem: [{ strange: 1 }] } })]).sets.size).toBe(0)
  })
  it('flow tables: whose interfaces they cover', () => {
    expect(readFlowtableDevices(doc({ flowtable: { family: 'inet', name: 'ft', dev: ['br-guest', 'wan'] } }, { flowtable: { dev: 'lan1' } }))).toEqual(['br-guest', 'wan', 'lan1'])
  })
})

describe('tc', () => {
  it('knows whose root discipline it may take', () => {
    expect(isReplaceable(rootDiscipline('qdisc noqueue 0: root refcnt 2 \n'))).toBe(true)
    expect(isReplaceable(rootDiscipline(''))).toBe(true)
    expect(isReplaceable(rootDiscipline('qdisc htb 1: root refcnt 2 r2q 10\nqdisc fq_codel 8001: parent 1:2 limit 10\n'))).toBe(true)
    expect(isReplaceable(rootDiscipline('qdisc htb 8001: root refcnt 2 r2q 10\n'))).toBe(false)
    expect(isReplaceable(rootDiscipline('qdisc cake 8003: root refcnt 2 bandwidth 20Mbit\n'))).toBe(false)
    expect(isReplaceable(rootDiscipline('qdisc mq 0: root \nqdisc fq_codel 0: parent :1 limit 10240p\n'))).toBe(true)
  })
  it('refuses interface names that are more than names', () => {
    expect(() => classCommands('wan; reboot', 1, 100, 'bfifo', true)).toThrow(/interface/)
  })
})

describe('what a bridge learned', () => {
  it('is told without an address: port and station', () => {
    expect(readPortLine('dev guest1 lladdr 02:00:00:00:00:01 REACHABLE ')).toEqual({ port: 'guest1', mac: '02:00:00:00:00:01' })
  })
  it('is none of: what went, what a port has of its own, an address, other things', () => {
    for (const line of ['Deleted dev guest1 lladdr 02:00:00:00:00:01 REACHABLE', 'dev guest1 lladdr 02:00:00:00:00:01 PERMANENT', '10.77.0.11 dev br-guest lladdr 02:00:00:00:00:01 REACHABLE', 'dev ../x lladdr 02:00:00:00:00:01 REACHABLE', 'dev guest1 lladdr 02:00 REACHABLE', ''])
      expect(readPortLine(line)).toBe(null)
  })
})
