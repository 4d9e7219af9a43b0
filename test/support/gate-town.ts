/** A town with the real gate over it, driven from the test; nft and tc run inside the box's namespace. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/base/index.ts'
import { silentLog } from '../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../src/base/io/system.ts'
import { NftGate, type NftGateOptions } from '../../src/hotspot/gate/io/nft-gate.ts'
import type { LinkState } from '../../src/hotspot/gate/io/guest-link.ts'
import type { GateRules } from '../../src/hotspot/gate/rules.ts'
import type { GateAlarm, Grant } from '../../src/hotspot/gate/types.ts'
import { Agent } from './agent.ts'
import { openNetlink } from './netlink.ts'
import { TOWN, Town, isRoot, type GuestHost } from './netns.ts'

export const NEEDS_ROOT = 'needs root: network namespaces and nftables'

export const RULES: GateRules = {
  guestInterface: TOWN.guestInterface,
  portalAddress: null,
  portalPort: 2080,
  boxesPort: null,
  tlsPort: 2443,
  dnsQueriesPerSecond: 20,
  dnsKibPerMinute: 64,
  hasGardenDomains: true,
  gardenAddresses: [],
  clientIsolation: true,
  portPinSeconds: 0,
  maxDevices: 4096,
}

/** Ports of the town's Internet: echo, sink, source. */
export const ECHO = 7
export const SINK = 9
export const SOURCE = 19

export type DriverName = 'netlink' | 'nft'
/** What is tested against both of the gate's drivers. */
export const DRIVERS: readonly DriverName[] = ['netlink', 'nft']

export interface GateTownOptions {
  readonly guests: number
  /** Default: netlink. */
  readonly driver?: DriverName
  readonly rules?: Partial<GateRules>
  readonly uplinks?: readonly string[]
  /**
   * br_netfilter leads bridged IP packets through the forward rules too; whether it does is a setting of the
   * machine. Default: off, as on a router.
   */
  readonly bridgeNetfilter?: boolean
  /** Leave DNS and DHCP ports free for a real dnsmasq. */
  readonly leaveDns?: boolean
}

export class GateTown {
  readonly town: Town
  readonly clock: Clock
  readonly runtimeDir: string
  readonly internet: Agent
  readonly box: Agent
  readonly guests: readonly Agent[]
  readonly alarms: GateAlarm[] = []
  readonly spent: string[] = []
  /** What the gate is told when it asks what should be open. */
  desired: readonly Grant[] = []
  link: LinkState
  gate: NftGate
  readonly #options: GateTownOptions

  private constructor(town: Town, options: GateTownOptions, agents: { internet: Agent; box: Agent; guests: readonly Agent[] }, link: LinkState) {
    this.town = town
    this.#options = options
    this.clock = new SystemClock()
    this.runtimeDir = mkdtempSync(join(tmpdir(), 'meshbox-gate-'))
    this.internet = agents.internet
    this.box = agents.box
    this.guests = agents.guests
    this.link = link
    this.gate = this.makeGate()
  }

  static async create(options: GateTownOptions): Promise<GateTown> {
    if (!isRoot()) throw new Error(NEEDS_ROOT)
    const town = await Town.create({ guests: options.guests, addresses: 'static' })
    try {
      const calls = ['iptables', 'ip6tables', 'arptables'].map((what) => `/proc/sys/net/bridge/bridge-nf-call-${what}`)
      await town.box.must('sh', '-c', `for f in ${calls.join(' ')}; do [ ! -e $f ] || echo ${options.bridgeNetfilter === true ? 1 : 0} > $f; done`)
      const internet = await Agent.start(town.internet)
      const box = await Agent.start(town.box)
      await internet.call('serve', { udp: [ECHO, 123, ...(options.leaveDns === true ? [] : [53])], tcp: [[ECHO, 'echo'], [SINK, 'sink'], [SOURCE, 'source'], [80, 'hello'], [443, 'hello'], [8080, 'hello']] })
      await box.call('serve', { udp: [123, 9999, ...(options.leaveDns === true ? [] : [53, 67])], tcp: [...(options.leaveDns === true ? [] : [[53, 'echo']]), [2080, 'hello'], [2443, 'hello'], [80, 'hello'], [8443, 'hello']] })
      const guests = await Promise.all(town.guests.map((guest) => Agent.start(guest.ns)))
      // Links and IPv6 neighbours take a moment; the gate is not there yet, so everything must answer.
      await Promise.all(guests.flatMap((guest) => [TOWN.internet4, TOWN.internet6].map((address) => eventually(`the town answers at ${address}`, async () => (await guest.udp(address, ECHO)).ok))))
      const made = new GateTown(town, options, { internet, box, guests }, await readTownLink(town))
      await made.gate.start()
      made.expectDriver()
      return made
    } catch (error) {
      await town.destroy()
      throw error
    }
  }

  /** A second life of the gate over the same kernel. */
  makeGate(more: Partial<NftGateOptions> = {}): NftGate {
    const inside = ['ip', 'netns', 'exec', this.town.box.name]
    return new NftGate({
      rules: this.rules,
      uplinkInterfaces: this.#options.uplinks ?? [],
      readLink: () => this.link,
      callbacks: {
        desired: () => this.desired,
        alarm: (alarm) => this.alarms.push(alarm),
        spent: (sessionId) => this.spent.push(sessionId),
      },
      clock: this.clock,
      timers: systemTimers,
      log: silentLog,
      runtimeDir: join(this.runtimeDir, 'nft'),
      openNetlink: this.driver === 'netlink' ? () => openNetlink(this.town.box.name) : null,
      nftCommand: [...inside, 'nft'],
      tcCommand: [...inside, 'tc'],
      ...more,
    })
  }

  get driver(): DriverName {
    return this.#options.driver ?? 'netlink'
  }

  get rules(): GateRules {
    return { ...RULES, ...this.#options.rules }
  }

  guest(index: number): { host: GuestHost; agent: Agent } {
    const [host, agent] = [this.town.guests[index - 1], this.guests[index - 1]]
    if (!host || !agent) throw new Error(`no guest ${index}`)
    return { host, agent }
  }

  grant(index: number, more: Partial<Grant> = {}): Grant {
    const { host } = this.guest(index)
    return { sessionId: `session-${index}`, mac: host.mac, ip4: host.ip4, leaseMs: 60_000, quotaBytes: null, downKbps: null, upKbps: null, ...more }
  }

  /** nft inside the box, as a stranger would run it. */
  nft(...args: string[]): Promise<string> {
    return this.town.box.must('nft', ...args)
  }

  async counters(index: number): Promise<{ up: number; down: number; upPackets: number; downPackets: number }> {
    const { host } = this.guest(index)
    const found = (await this.gate.counters()).find((entry) => entry.mac === host.mac)
    return { up: found?.upBytes ?? 0, down: found?.downBytes ?? 0, upPackets: found?.upPackets ?? 0, downPackets: found?.downPackets ?? 0 }
  }

  async guestBytes(index: number): Promise<number> {
    const statistics = await this.guest(index).host.ns.must('cat', '/sys/class/net/eth0/statistics/rx_bytes')
    return Number(statistics)
  }

  /** A test of a driver that has quietly become a test of the other proves nothing. */
  expectDriver(): void {
    const { driver } = this.gate.health()
    if (driver !== undefined && driver !== this.driver) throw new Error(`the gate works through ${driver}, not ${this.driver}: ${String(this.gate.health().reason)}`)
  }

  async destroy(): Promise<void> {
    try {
      this.expectDriver()
    } finally {
      await this.#takeDown()
    }
  }

  async #takeDown(): Promise<void> {
    await this.gate.stop()
    await this.town.destroy()
    rmSync(this.runtimeDir, { recursive: true, force: true })
  }
}

/** What systemLink would read if the test ran inside the box. */
export async function readTownLink(town: Town): Promise<LinkState> {
  const links = JSON.parse(await town.box.must('ip', '-j', 'addr', 'show')) as { ifname: string; ifindex: number; address?: string; master?: string; addr_info: { local: string; family: string }[] }[]
  const bridge = links.find((link) => link.ifname === TOWN.guestInterface)
  const ports = links.filter((link) => link.master === TOWN.guestInterface)
  const addresses = bridge?.addr_info ?? []
  return {
    isBridge: true,
    ports: ports.map((link) => link.ifname),
    macs: [...new Set([bridge, ...ports].map((link) => link?.address ?? ''))],
    ip4: addresses.filter((entry) => entry.family === 'inet').map((entry) => entry.local),
    ip6: addresses.filter((entry) => entry.family === 'inet6').map((entry) => entry.local),
    indexOf: (device) => links.find((link) => link.ifname === device)?.ifindex ?? 0,
  }
}

/** Polls until it holds; fails with `what` after the time. */
export async function eventually(what: string, check: () => Promise<boolean> | boolean, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`${what} did not come about in ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
