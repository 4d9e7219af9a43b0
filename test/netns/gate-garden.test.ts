/** Walled garden: what unpaid guests may reach, by address and, through a real dnsmasq, by domain. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { DnsmasqFiles } from '../../src/hotspot/gate/io/dnsmasq-files.ts'
import { ECHO, GateTown, NEEDS_ROOT, eventually } from '../support/gate-town.ts'
import { TOWN, isRoot } from '../support/netns.ts'

const { internet4, internet6, box4, box6 } = TOWN
/** More addresses of the Internet: by address in the garden, by name in it, and in neither. */
const FIXED4 = '198.51.100.20'
const FIXED6 = '2001:db8:1:f::20'
const NAMED4 = '198.51.100.30'
const NAMED6 = '2001:db8:1::30'

describe('walled garden', () => {
  let t: GateTown
  let files: DnsmasqFiles

  beforeAll(async () => {
    if (!isRoot()) return
    t = await GateTown.create({ guests: 2, leaveDns: true, rules: { gardenAddresses: ['198.51.100.20', '198.51.100.20/30', '2001:db8:1:f::/64'] } })
    for (const address of [FIXED4, NAMED4]) await t.town.internet.ip('addr', 'add', `${address}/24`, 'dev', 'eth0')
    for (const address of [FIXED6, NAMED6]) await t.town.internet.ip('addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad')
    await t.town.box.ip('-6', 'route', 'add', '2001:db8:1:f::/64', 'dev', TOWN.wanInterface)
    const internetDns = ['--no-daemon', '--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--pid-file=', '--user=root', '--local-ttl=60']
    t.town.internet.spawn('dnsmasq', [...internetDns, `--address=/shop.example/${NAMED4}`, `--address=/shop.example/${NAMED6}`, `--address=/other.example/${internet4}`])
    const confDir = join(t.runtimeDir, 'dnsmasq.d')
    mkdirSync(confDir)
    writeFileSync(join(t.runtimeDir, 'options'), '')
    files = new DnsmasqFiles({ confDir, optionsFile: join(t.runtimeDir, 'options'), pidFile: join(t.runtimeDir, 'dnsmasq.pid') }, silentLog)
    files.writeSnippet({ portalHost: 'pay.meshbox.lan', routerAddresses: [box4, box6], gardenDomains: ['shop.example'] })
    t.town.box.spawn('dnsmasq', [
      '--keep-in-foreground', '--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--user=root', `--server=${internet4}`,
      `--conf-dir=${confDir},*.conf`, `--dhcp-optsfile=${join(t.runtimeDir, 'options')}`, '--dhcp-range=10.77.0.50,10.77.0.99,1h', `--interface=${TOWN.guestInterface}`,
      '--bind-dynamic', `--dhcp-leasefile=${join(t.runtimeDir, 'leases')}`, `--pid-file=${join(t.runtimeDir, 'dnsmasq.pid')}`, `--log-facility=${join(t.runtimeDir, 'dnsmasq.log')}`,
    ])
    await eventually('the box\'s dnsmasq answers', async () => (await lookup('pay.meshbox.lan', 1)).length > 0)
  })
  afterAll(async () => t?.destroy())
  beforeEach(async (context) => {
    if (!isRoot()) context.skip(NEEDS_ROOT)
    await t.gate.replace([])
  })

  /** Asks the box's dnsmasq as a guest does, paid or not; the answer in hex. */
  async function lookup(name: string, type: 1 | 28): Promise<string> {
    const question = Buffer.concat([
      Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
      Buffer.from([0, 0, type, 0, 1]),
    ])
    const script = `import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.settimeout(1)\ns.sendto(bytes.fromhex("${question.toString('hex')}"),("${box4}",53))\nprint(s.recv(4096)[${question.length}:].hex())`
    return (await t.guest(1).host.ns.run('python3', ['-c', script])).stdout.trim()
  }

  it('addresses and prefixes are open to the unpaid, both ways, for anything, port 80 included', async () => {
    const { agent } = t.guest(1)
    for (const address of [FIXED4, FIXED6]) {
      expect((await agent.udp(address, ECHO)).ok).toBe(true)
      expect((await agent.tcp(address, 443)).text).toBe('hello from 443\n')
      expect((await agent.tcp(address, 80)).text).toBe('hello from 80\n')
    }
    for (const address of [internet4, internet6, NAMED4, NAMED6]) expect((await agent.udp(address, ECHO, { timeout_ms: 100 })).ok).toBe(false)
  })

  it('a domain opens when it is resolved, IPv4 and IPv6, and only that domain', async () => {
    const { agent } = t.guest(1)
    for (const address of [NAMED4, NAMED6]) expect((await agent.udp(address, ECHO, { timeout_ms: 100 })).ok).toBe(false)
    expect(await lookup('www.shop.example', 1)).toContain('c633641e')
    expect(await lookup('www.shop.example', 28)).toContain('20010db8000100000000000000000030')
    expect(await lookup('other.example', 1)).toContain('c633640a')
    for (const address of [NAMED4, NAMED6]) {
      await eventually(`${address} is in the garden`, async () => (await agent.udp(address, ECHO, { timeout_ms: 100 })).ok)
      expect((await agent.tcp(address, 80)).text).toBe('hello from 80\n')
    }
    expect((await agent.udp(internet4, ECHO)).ok).toBe(false)
    expect(t.gate.health()).toMatchObject({ state: 'ready', repairs: 0 })
  })

  it('survives the rules being put in anew', async () => {
    const { agent } = t.guest(1)
    await lookup('shop.example', 1)
    await lookup('shop.example', 28)
    await t.nft('add', 'rule', 'inet', 'meshbox', 'answers', 'accept')
    await eventually('the repair', () => t.gate.health().repairs > 0)
    for (const address of [NAMED4, NAMED6]) expect((await agent.udp(address, ECHO)).ok).toBe(true)
  })

  it('is free for the paid as well: not counted, and open beyond the quota', async () => {
    const { agent } = t.guest(2)
    await t.gate.apply({ open: [t.grant(2, { quotaBytes: 5000, usedBytes: 0 })], close: [] })
    for (let i = 0; i < 20; i++) expect((await agent.udp(FIXED4, ECHO, { size: 1000 })).ok).toBe(true)
    expect((await t.counters(2)).up).toBe(0)
    for (let i = 0; i < 5; i++) await agent.udp(internet4, ECHO, { size: 1000, timeout_ms: 50 })
    expect((await agent.udp(internet4, ECHO)).ok).toBe(false)
    expect((await agent.udp(FIXED4, ECHO)).ok).toBe(true)
  })

  it('dnsmasq knows the portal\'s name, and announces the API by option 114 while there is one', async () => {
    expect(await lookup('pay.meshbox.lan', 1)).toContain('0a4d0001')
    expect(await lookup('pay.meshbox.lan', 28)).toContain('20010db8007700000000000000000001')
    const offer = async (): Promise<string> => {
      const xid = Buffer.from('deadbeef', 'hex')
      const discover = Buffer.concat([Buffer.from([1, 1, 6, 0]), xid, Buffer.from('00008000', 'hex'), Buffer.alloc(16), Buffer.from('0200000000aa', 'hex'), Buffer.alloc(202), Buffer.from('63825363350101370172ff', 'hex')])
      const script = `import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1)\ns.setsockopt(socket.SOL_SOCKET,socket.SO_BINDTODEVICE,b"eth0")\ns.bind(("",68))\ns.settimeout(3)\ns.sendto(bytes.fromhex("${discover.toString('hex')}"),("255.255.255.255",67))\nprint(s.recv(4096).decode("latin1"))`
      return (await t.guest(1).host.ns.run('python3', ['-c', script])).stdout
    }
    const uri = 'https://pay.meshbox.lan/captive-portal/api'
    expect(files.writeApiUri(uri)).toBe(true)
    expect(files.writeApiUri(uri)).toBe(false)
    await eventually('dnsmasq announces it', async () => (await offer()).includes(uri))
    expect(files.writeApiUri(null)).toBe(true)
    await eventually('dnsmasq does not announce it any more', async () => {
      const text = await offer()
      return text !== '' && !text.includes('https')
    })
    expect(readFileSync(join(t.runtimeDir, 'options'), 'utf8')).toBe('')
  })
})
