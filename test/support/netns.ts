/**
 * A small town on one machine: network namespaces joined by veth pairs. Used by the tests with real
 * nftables and by the developer's lab. Needs root. Everything carries one unique prefix and is removed by
 * `destroy()`, also after a failure.
 *
 *   guest1 ─┐
 *   guest2 ─┤ br-guest ─ box ─ wan ── internet
 *   guestN ─┘          └ mesh ── neighbour (where one was added)
 */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const isRoot = (): boolean => process.getuid?.() === 0

/** Runs a program to its end; never throws for an exit code. */
export function runProgram(command: string, args: readonly string[], options: { timeoutMs?: number; input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      { timeout: options.timeoutMs ?? 30_000, maxBuffer: 64 * 1024 * 1024, killSignal: 'SIGKILL', env: { ...process.env, ...options.env } },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0
        resolve({ code, stdout, stderr: stderr === '' && error && typeof error.code !== 'number' ? error.message : stderr })
      },
    )
    if (options.input !== undefined) child.stdin?.end(options.input)
  })
}

async function must(command: string, args: readonly string[]): Promise<string> {
  const result = await runProgram(command, args)
  if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr.trim()}`)
  return result.stdout
}

/** Where programs can be started: a namespace, or this machine itself. */
export interface Host {
  run(command: string, args?: readonly string[], options?: { timeoutMs?: number; input?: string; env?: NodeJS.ProcessEnv }): Promise<RunResult>
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): ChildProcess
}

export const thisMachine: Host = {
  run: (command, args = [], options = {}) => runProgram(command, args, options),
  spawn: (command, args = [], options = {}) => spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options }),
}

export class Namespace implements Host {
  readonly name: string
  readonly #children = new Set<ChildProcess>()

  constructor(name: string) {
    this.name = name
  }

  /** Runs inside and waits; never throws for an exit code. */
  run(command: string, args: readonly string[] = [], options: { timeoutMs?: number; input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<RunResult> {
    return runProgram('ip', ['netns', 'exec', this.name, command, ...args], options)
  }

  /** Runs inside and throws with the program's words when it fails. */
  async must(command: string, ...args: string[]): Promise<string> {
    return must('ip', ['netns', 'exec', this.name, command, ...args])
  }

  /** `ip` inside. */
  ip(...args: string[]): Promise<string> {
    return must('ip', ['-n', this.name, ...args])
  }

  /** Starts a program inside; it is killed by `destroy()` at the latest. */
  spawn(command: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Writes /proc/sys/net/… of this namespace; `path` as in `ipv4/ip_forward`. */
  async sysctl(path: string, value: string | number): Promise<void> {
    await this.must('sh', '-c', `echo ${value} > /proc/sys/net/${path}`)
  }

  /** Name server of the programs started inside (`ip netns exec` mounts this file over /etc/resolv.conf). */
  setResolver(address: string): void {
    mkdirSync(`/etc/netns/${this.name}`, { recursive: true })
    writeFileSync(`/etc/netns/${this.name}/resolv.conf`, `nameserver ${address}\noptions timeout:2 attempts:2\n`)
  }

  async killAll(): Promise<void> {
    const gone = [...this.#children].map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve()
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        }),
    )
    await Promise.all(gone)
  }
}

export interface GuestHost {
  readonly index: number
  readonly ns: Namespace
  /** Name of its port on the box's bridge. */
  readonly port: string
  readonly mac: string
  /** Static addresses (only when the town was made with `addresses: 'static'`). */
  readonly ip4: string
  readonly ip6: string
}

export interface TownOptions {
  readonly guests: number
  /** `static`: guests have addresses and routes at once. `dynamic`: a DHCP server and router advertisements give them. */
  readonly addresses: 'static' | 'dynamic'
}

export const TOWN = {
  guestInterface: 'br-guest',
  wanInterface: 'wan',
  box4: '10.77.0.1',
  guestNet4: '10.77.0.0/24',
  box6: '2001:db8:77::1',
  guestNet6: '2001:db8:77::/64',
  boxWan4: '198.51.100.1',
  boxWan6: '2001:db8:1::1',
  internet4: '198.51.100.10',
  internet6: '2001:db8:1::10',
  boxMesh4: '10.79.0.1',
  neighbour4: '10.79.0.2',
  meshNet4: '10.79.0.0/24',
} as const

export class Town {
  readonly prefix: string
  readonly box: Namespace
  readonly internet: Namespace
  readonly guests: GuestHost[] = []
  readonly #namespaces: Namespace[] = []
  readonly #addresses: 'static' | 'dynamic'

  private constructor(prefix: string, addresses: 'static' | 'dynamic') {
    this.prefix = prefix
    this.#addresses = addresses
    this.box = new Namespace(`${prefix}-box`)
    this.internet = new Namespace(`${prefix}-net`)
  }

  static async create(options: TownOptions): Promise<Town> {
    if (!isRoot()) throw new Error('network namespaces need root')
    const town = new Town(`mb${process.pid.toString(36)}${randomBytes(2).toString('hex')}`, options.addresses)
    try {
      await town.#addNamespace(town.box)
      await town.#addNamespace(town.internet)
      await town.#joinInternet()
      await town.box.ip('link', 'add', TOWN.guestInterface, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0')
      await town.box.ip('addr', 'add', `${TOWN.box4}/24`, 'dev', TOWN.guestInterface)
      await town.box.ip('addr', 'add', `${TOWN.box6}/64`, 'dev', TOWN.guestInterface, 'nodad')
      await town.box.ip('link', 'set', TOWN.guestInterface, 'up')
      for (let i = 0; i < options.guests; i++) await town.addGuest()
      return town
    } catch (error) {
      await town.destroy()
      throw error
    }
  }

  async #addNamespace(ns: Namespace): Promise<void> {
    await must('ip', ['netns', 'add', ns.name])
    this.#namespaces.push(ns)
    await ns.ip('link', 'set', 'lo', 'up')
    await ns.sysctl('ipv6/conf/all/accept_dad', 0)
    await ns.sysctl('ipv6/conf/default/accept_dad', 0)
  }

  async #joinInternet(): Promise<void> {
    const { box, internet } = this
    await must('ip', ['link', 'add', TOWN.wanInterface, 'netns', box.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', internet.name])
    await box.ip('addr', 'add', `${TOWN.boxWan4}/24`, 'dev', TOWN.wanInterface)
    await box.ip('addr', 'add', `${TOWN.boxWan6}/64`, 'dev', TOWN.wanInterface, 'nodad')
    await box.ip('link', 'set', TOWN.wanInterface, 'up')
    await internet.ip('addr', 'add', `${TOWN.internet4}/24`, 'dev', 'eth0')
    await internet.ip('addr', 'add', `${TOWN.internet6}/64`, 'dev', 'eth0', 'nodad')
    await internet.ip('link', 'set', 'eth0', 'up')
    // The Internet side knows the way back to the guests: what a NAT would hide stays visible to the tests.
    await internet.ip('route', 'add', TOWN.guestNet4, 'via', TOWN.boxWan4)
    await internet.ip('-6', 'route', 'add', TOWN.guestNet6, 'via', TOWN.boxWan6)
    await box.sysctl('ipv4/ip_forward', 1)
    await box.sysctl('ipv6/conf/all/forwarding', 1)
  }

  /** One more guest on a bridge port of its own. */
  async addGuest(): Promise<GuestHost> {
    const index = this.guests.length + 1
    const ns = new Namespace(`${this.prefix}-g${index}`)
    await this.#addNamespace(ns)
    const port = `guest${index}`
    const mac = `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`
    await must('ip', ['link', 'add', port, 'netns', this.box.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns.name])
    await ns.ip('link', 'set', 'eth0', 'address', mac)
    await this.box.ip('link', 'set', port, 'addrgenmode', 'none') // a port is not a host
    await this.box.ip('link', 'set', port, 'master', TOWN.guestInterface)
    await this.box.ip('link', 'set', port, 'up')
    const ip4 = `10.77.${index >> 8}.${(index & 255) + 10}`
    const ip6 = `2001:db8:77::1:${index.toString(16)}`
    if (this.#addresses === 'static') {
      await ns.ip('addr', 'add', `${ip4}/24`, 'dev', 'eth0')
      await ns.ip('addr', 'add', `${ip6}/64`, 'dev', 'eth0', 'nodad')
      await ns.ip('link', 'set', 'eth0', 'up')
      await ns.ip('route', 'add', 'default', 'via', TOWN.box4)
      await ns.ip('-6', 'route', 'add', 'default', 'via', TOWN.box6)
    } else await ns.ip('link', 'set', 'eth0', 'up')
    const guest = { index, ns, port, mac, ip4, ip6 }
    this.guests.push(guest)
    return guest
  }

  /** Another box, one radio link away: it reaches the Internet through ours, and ours and its guests without it. */
  async addNeighbour(): Promise<Namespace> {
    const ns = new Namespace(`${this.prefix}-nb`)
    await this.#addNamespace(ns)
    await must('ip', ['link', 'add', 'mesh', 'netns', this.box.name, 'type', 'veth', 'peer', 'name', 'mesh', 'netns', ns.name])
    await this.box.ip('addr', 'add', `${TOWN.boxMesh4}/24`, 'dev', 'mesh')
    await this.box.ip('link', 'set', 'mesh', 'up')
    await ns.ip('addr', 'add', `${TOWN.neighbour4}/24`, 'dev', 'mesh')
    await ns.ip('link', 'set', 'mesh', 'up')
    await ns.ip('route', 'add', 'default', 'via', TOWN.boxMesh4)
    await this.internet.ip('route', 'add', TOWN.meshNet4, 'via', TOWN.boxWan4)
    return ns
  }

  /** Cuts or joins the box's way out. */
  async setUplink(state: 'up' | 'down'): Promise<void> {
    await this.box.ip('link', 'set', TOWN.wanInterface, state)
    if (state === 'up') await this.box.ip('addr', 'replace', `${TOWN.boxWan6}/64`, 'dev', TOWN.wanInterface, 'nodad')
  }

  /** Kills what runs inside and removes the namespaces; interfaces go with them. */
  async destroy(): Promise<void> {
    await Promise.all(this.#namespaces.map((ns) => ns.killAll()))
    for (const ns of this.#namespaces.splice(0)) {
      const pids = await runProgram('ip', ['netns', 'pids', ns.name])
      for (const pid of pids.stdout.split('\n').filter((line) => line !== '')) await runProgram('kill', ['-9', pid])
      await runProgram('ip', ['netns', 'del', ns.name])
      rmSync(`/etc/netns/${ns.name}`, { recursive: true, force: true })
    }
    this.guests.length = 0
  }
}
