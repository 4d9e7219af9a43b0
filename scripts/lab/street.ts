/**
 * The street of roofs: four boxes on their own links, each in a namespace. Beacons, libp2p, prices, the kernel's counters and gates,
 * signed readings, channels' payments and books are the product's; batman-adv's frames are made by test/netns/mesh-programs/batman.py,
 * because this machine's kernel may have no such module, and the chain behind the channels is told, not asked.
 *
 *   box4 baker ──┐
 *                box5 school ── box6 harbour (way out)
 *   box7 mill  ──┘
 */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TownPlan } from '../../test/netns/mesh-town-child.ts'
import type { MeshState } from '../../src/mesh/index.ts'
import { Namespace, runProgram } from '../../test/support/netns.ts'
import { NODE, waitFor } from '../../test/support/town-services.ts'
import { ROOT } from './town.ts'

export const STREET = ['box4', 'box5', 'box6', 'box7'] as const
export type Roof = (typeof STREET)[number]
/** Who is on the link between: the client, and who carries for it. */
export const HOPS = [['box4', 'box5'], ['box7', 'box5'], ['box5', 'box6']] as const satisfies readonly (readonly [Roof, Roof])[]
export const MIB = 1024 * 1024
/** Units for a MiB: what the way out asks, and what the relay keeps. */
export const [HARBOUR_ASKS, SCHOOL_KEEPS] = [100n, 50n]
const DEPOSIT = '1000000'
const MAX_DEBT = '600'
const SINK_PORT = 7000
const CHEATED_PERCENT = 70
const PROGRAMS = join(ROOT, 'test/netns/mesh-programs')
const CHILD = join(ROOT, 'test/netns/mesh-town-child.ts')

const NUMBER: Readonly<Record<Roof, number>> = { box4: 1, box5: 2, box6: 3, box7: 4 }
const LINKS: Readonly<Record<Roof, Readonly<Record<string, string>>>> = {
  box4: { up0: '02:00:00:00:01:01' },
  box5: { in0: '02:00:00:00:02:01', in1: '02:00:00:00:02:03', out0: '02:00:00:00:02:02' },
  box6: { down0: '02:00:00:00:03:01' },
  box7: { up0: '02:00:00:00:04:01' },
}
const CABLES = [['box4', 'up0', 'in0'], ['box7', 'up0', 'in1'], ['box6', 'down0', 'out0']] as const
const ASKS: Readonly<Record<Roof, string>> = { box4: '0', box5: String(SCHOOL_KEEPS), box6: String(HARBOUR_ASKS), box7: '0' }

const deviceOf = (name: Roof): string => `06:00:00:00:00:0${NUMBER[name]}`
const addressOf = (name: Roof): string => `fd42:0:0:1::${NUMBER[name]}`
const originatorOf = (name: Roof): string => Object.values(LINKS[name])[0] ?? ''

/** By what link, and to whose address. */
function waysOf(name: Roof): Readonly<Record<string, readonly [string, string]>> {
  const toSchool: Readonly<Record<string, readonly [string, string]>> = { box4: ['in0', '02:00:00:00:01:01'], box6: ['out0', '02:00:00:00:03:01'], box7: ['in1', '02:00:00:00:04:01'] }
  if (name === 'box5') return toSchool
  const link = { box4: ['up0', '02:00:00:00:02:01'], box6: ['down0', '02:00:00:00:02:02'], box7: ['up0', '02:00:00:00:02:03'] } as const
  return Object.fromEntries(STREET.filter((other) => other !== name).map((other) => [other, link[name]]))
}

/** As the box says it: amounts are text. */
export interface RoofCarriage {
  readonly carrier: string
  readonly client: string
  readonly state: string
  readonly reason: string | null
  readonly owed: string
  readonly paid: string
  readonly lastBytes: { readonly up: string; readonly down: string }
}
export interface RoofFacts {
  readonly carriages: readonly RoofCarriage[]
  readonly own: { readonly unitsPerMiB: string | null; readonly hops: number } | null
  readonly entries: readonly { readonly id: number; readonly source: string; readonly postings: readonly { readonly account: string; readonly amount: string }[] }[]
  readonly audit: readonly { readonly sum: string; readonly unbalancedEntries: readonly number[] }[]
  readonly channels: readonly { readonly partner: string; readonly sent: string; readonly got: string }[]
}

/** A program that answers each line with one. */
class Talker {
  readonly process: ChildProcess
  readonly first: Promise<string>
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = []
  #isOver = false

  constructor(process: ChildProcess) {
    this.process = process
    this.first = this.#next()
    if (process.stdout === null) throw new Error('no output')
    const lines = createInterface({ input: process.stdout })
    lines.on('line', (line) => this.#waiting.shift()?.resolve(line))
    lines.on('close', () => {
      this.#isOver = true
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the program ended'))
    })
    process.stdin?.on('error', () => undefined) // it is gone: `close` tells the askers
  }

  get isOver(): boolean {
    return this.#isOver
  }

  ask(line: string): Promise<string> {
    const answer = this.#next()
    this.process.stdin?.write(`${line}\n`)
    return answer
  }

  #next(): Promise<string> {
    if (this.#isOver) return Promise.reject(new Error('the program has ended'))
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}

interface Powered {
  readonly batman: Talker
  readonly box: Talker
}

export class Street {
  readonly #dir: string
  readonly #places: Record<Roof, Namespace>
  readonly #powered = new Map<Roof, Powered>()
  readonly #keys = new Map<Roof, { readonly box: string; readonly account: string }>()
  readonly #cheats = new Set<Roof>()
  #sink: Talker | null = null

  private constructor(dir: string, prefix: string) {
    this.#dir = dir
    this.#places = Object.fromEntries(STREET.map((name) => [name, new Namespace(`${prefix}-${name}`)])) as Record<Roof, Namespace>
  }

  /** `dir`: for books and logs. `prefix`: of the namespaces' names, the town's. */
  static async create(dir: string, prefix: string): Promise<Street> {
    const street = new Street(dir, prefix)
    try {
      mkdirSync(dir, { recursive: true })
      await street.#build()
      return street
    } catch (error) {
      await street.destroy()
      throw error
    }
  }

  async #build(): Promise<void> {
    for (const name of STREET) {
      await must('ip', ['netns', 'add', this.#places[name].name])
      await this.#places[name].ip('link', 'set', 'lo', 'up')
      await this.#places[name].sysctl('ipv6/conf/default/accept_dad', 0)
    }
    for (const [name, link, other] of CABLES) {
      await must('ip', ['link', 'add', link, 'netns', this.#places[name].name, 'mtu', '1600', 'address', LINKS[name][link] ?? '', 'type', 'veth', 'peer', 'name', other, 'netns', this.#places.box5.name, 'mtu', '1600', 'address', LINKS.box5[other] ?? ''])
      await this.#places[name].ip('link', 'set', link, 'up')
      await this.#places.box5.ip('link', 'set', other, 'up')
    }
    await Promise.all(STREET.map((name) => this.powerOn(name)))
    this.#sink = this.#spawn('box6', 'python3', ['-u', join(PROGRAMS, 'stream.py'), 'sink', String(SINK_PORT)])
    await this.#sink.first
  }

  #spawn(name: Roof, command: string, args: readonly string[]): Talker {
    const log = openSync(join(this.#dir, `${name}.log`), 'a')
    return new Talker(this.#places[name].spawn(command, args, { stdio: ['pipe', 'pipe', log] }))
  }

  isOn(name: Roof): boolean {
    return this.#powered.has(name)
  }

  isCheating(name: Roof): boolean {
    return this.#cheats.has(name)
  }

  async powerOn(name: Roof): Promise<void> {
    if (this.#powered.has(name)) return
    const ways = waysOf(name)
    const others = STREET.filter((other) => other !== name)
    const batman = this.#spawn(name, 'python3', ['-u', join(PROGRAMS, 'batman.py'), JSON.stringify({
      tap: 'bat0',
      device: deviceOf(name),
      own: LINKS[name],
      ways: Object.fromEntries(others.map((other) => [originatorOf(other), ways[other]])),
      clients: Object.fromEntries(others.map((other) => [deviceOf(other), originatorOf(other)])),
    })])
    await batman.first
    await this.#places[name].ip('addr', 'replace', `${addressOf(name)}/64`, 'dev', 'bat0', 'nodad')
    const box = this.#spawn(name, NODE, ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(await this.#plan(name))])
    this.#keys.set(name, JSON.parse(await box.first) as { box: string; account: string })
    this.#powered.set(name, { batman, box })
  }

  /** As a plug that is pulled: the service, batman-adv and all that the kernel kept are gone; the disk stays. */
  async powerOff(name: Roof): Promise<void> {
    const powered = this.#powered.get(name)
    if (powered === undefined) return
    this.#powered.delete(name)
    this.#cheats.delete(name)
    for (const { process } of [powered.box, powered.batman]) {
      const ended = new Promise((resolve) => process.once('exit', resolve))
      process.kill('SIGKILL')
      await ended
    }
    await this.#places[name].run('nft', ['flush', 'ruleset'])
  }

  async #plan(name: Roof): Promise<TownPlan> {
    const ways = waysOf(name)
    const others = STREET.filter((other) => other !== name)
    const hops = new Set(Object.values(ways).map(([, hop]) => hop))
    const node = (originator: string, nextHop: string): MeshState['nodes'][number] => ({ originator, nextHop, isNeighbour: hops.has(originator), interfaceName: null, lastSeenMs: 0, tq: 255, throughputKbit: null, gateway: null, sinceMs: 0, isGone: false })
    const numberOf = async (link: string): Promise<number> => Number(await this.#places[name].must('cat', `/sys/class/net/${link}/ifindex`))
    return {
      number: NUMBER[name],
      dir: join(this.#dir, name),
      options: { settle_amount: '100', max_debt: MAX_DEBT, spend_per_day: DEPOSIT, price_per_mib: ASKS[name] },
      hasUplink: name === 'box6',
      hardInterfaces: await Promise.all(Object.entries(LINKS[name]).map(async ([link, address]) => ({ name: link, address, number: await numberOf(link) }))),
      view: {
        self: originatorOf(name),
        nodes: [...others.map((other) => node(originatorOf(other), ways[other]?.[1] ?? '')), ...[...hops].filter((hop) => !others.some((other) => originatorOf(other) === hop)).map((hop) => node(hop, hop))],
        clients: others.map((other) => ({ mac: deviceOf(other), vlan: null, originator: originatorOf(other), isRoaming: false })),
      },
      channels: Object.fromEntries(HOPS.flatMap(([client, carrier]) => (client === name ? [[NUMBER[carrier], DEPOSIT]] : carrier === name ? [[NUMBER[client], DEPOSIT]] : []))) as Record<string, string>,
    }
  }

  /** Null: it is off. */
  facts(name: Roof): Promise<RoofFacts | null> {
    return this.#ask(name, 'facts')
  }

  async #ask(name: Roof, line: string): Promise<RoofFacts | null> {
    const powered = this.#powered.get(name)
    if (powered === undefined || powered.box.isOver) return null
    try {
      return JSON.parse(await powered.box.ask(line)) as RoofFacts
    } catch (error) {
      if (!this.#powered.has(name)) return null // it lost its power while it was asked
      throw error
    }
  }

  accountOf(name: Roof): string {
    return this.#keys.get(name)?.account ?? ''
  }

  boxOf(name: Roof): string {
    return this.#keys.get(name)?.box ?? ''
  }

  /** The newest carriage of the two, as `name` sees it. */
  async between(name: Roof, other: Roof): Promise<RoofCarriage | null> {
    const facts = await this.facts(name)
    const theirs = facts?.carriages.filter(({ carrier, client }) => [carrier, client].includes(this.boxOf(other))) ?? []
    return theirs.find(({ state }) => state !== 'ended') ?? theirs.at(-1) ?? null
  }

  async areRunning(timeoutMs = 90_000): Promise<void> {
    for (const [client, carrier] of HOPS)
      for (const [name, other] of [[client, carrier], [carrier, client]] as const)
        await waitFor(`${name} and ${other} to agree on a price`, async () => (await this.between(name, other))?.state === 'running', timeoutMs)
  }

  /** Its whole book, in pages. */
  async #entries(name: Roof): Promise<RoofFacts['entries']> {
    const all: RoofFacts['entries'][number][] = []
    for (;;) {
      const page = (await this.#ask(name, `after ${all.at(-1)?.id ?? 0}`))?.entries ?? []
      if (page.length === 0) return all
      all.push(...page)
    }
  }

  /** Of its book, what came behind `afterId`. Empty: nothing, or it is off. */
  async entriesAfter(name: Roof, afterId: number): Promise<RoofFacts['entries']> {
    return (await this.#ask(name, `after ${afterId}`))?.entries ?? []
  }

  /** What `name` has booked with `other`, in units: as earned, and as spent. */
  async booked(name: Roof, other: Roof): Promise<{ readonly earned: bigint; readonly spent: bigint }> {
    const amounts = (await this.#entries(name)).filter(({ source }) => source === 'mesh:relay').flatMap(({ postings }) => postings).filter(({ account }) => account.includes(this.accountOf(other))).map(({ amount }) => BigInt(amount))
    const sum = (sign: bigint): bigint => amounts.filter((amount) => amount * sign > 0n).reduce((all, amount) => all + amount * sign, 0n)
    return { earned: sum(1n), spent: sum(-1n) }
  }

  /** From a roof to the way out. Result: bytes that left before the gate was shut. */
  async stream(from: Roof, bytes: number, bytesPerSecond: number): Promise<number> {
    const { code, stdout, stderr } = await this.#places[from].run('python3', [join(PROGRAMS, 'stream.py'), 'send', addressOf('box6'), String(SINK_PORT), String(bytes), String(bytesPerSecond)], { timeoutMs: 120_000 })
    return code === 0 ? Number(stdout) : Promise.reject(new Error(`${from} could not send: ${stderr.trim().split('\n').at(-1)}`))
  }

  /** Bytes that came out at the harbour. */
  async arrived(from: Roof): Promise<number> {
    if (this.#sink === null || this.#sink.isOver) return 0
    return (JSON.parse(await this.#sink.ask('sums')) as Record<string, number | undefined>)[addressOf(from)] ?? 0
  }

  /** Its owner is root on his own box: a rule of his own lets most frames leave before they are counted. */
  async cheat(name: Roof): Promise<void> {
    await this.#places[name].must('nft', 'insert', 'rule', 'netdev', 'meshbox_carry', 'leaving', 'numgen', 'random', 'mod', '100', '<', String(CHEATED_PERCENT), 'accept')
    this.#cheats.add(name)
  }

  /** Takes such rules away, and both ends take each other back. */
  async makeHonest(name: Roof): Promise<void> {
    const listed = await this.#places[name].run('nft', ['-a', 'list', 'chain', 'netdev', 'meshbox_carry', 'leaving'])
    for (const [, handle = ''] of listed.stdout.matchAll(/numgen random.*# handle (\d+)/g)) await this.#places[name].must('nft', 'delete', 'rule', 'netdev', 'meshbox_carry', 'leaving', 'handle', handle)
    this.#cheats.delete(name)
    const [, carrier] = HOPS.find(([client]) => client === name) ?? [name, 'box5' as const]
    await this.#powered.get(carrier)?.box.ask(`readmit ${this.boxOf(name)}`)
    await this.#powered.get(name)?.box.ask(`readmit ${this.boxOf(carrier)}`)
  }

  /** Process numbers of the boxes that are on. */
  get processes(): readonly number[] {
    return [...this.#powered.values()].flatMap(({ box }) => box.process.pid ?? [])
  }

  async destroy(): Promise<void> {
    for (const name of STREET) {
      await this.#places[name].killAll()
      await runProgram('ip', ['netns', 'del', this.#places[name].name])
    }
  }
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(command, args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}
