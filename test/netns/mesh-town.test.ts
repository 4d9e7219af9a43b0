/**
 * Boxes that carry for each other and are paid for it, in namespaces: beacons and libp2p on the mesh interface, prices along the
 * path, the kernel's counters and gates, signed readings, payments over channels, books on disk. Not real here: batman-adv, which this
 * machine does not have (mesh-programs/batman.py; the emulated routers have it), and the chain (mesh-town-child.ts).
 *
 *   anna ──┐
 *          ben ── cleo (way out)
 *   otto ──┘                       otto has no channel: he cannot pay
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../scripts/native.ts'
import type { MeshState } from '../../src/mesh/index.ts'
import { Namespace, isRoot } from '../support/netns.ts'
import { Talker } from '../support/talker.ts'
import { bookedWith } from '../support/town-books.ts'
import type { BoxFacts, BoxKeys, CarriageFacts } from '../support/town-books.ts'
import { NODE, waitFor } from '../support/town-services.ts'
import type { TownPlan } from './mesh-town-child.ts'

const programs = (name: string): string => fileURLToPath(new URL(`./mesh-programs/${name}`, import.meta.url))
const CHILD = fileURLToPath(new URL('./mesh-town-child.ts', import.meta.url))
const MIB = 1024 * 1024
const CLEO_ASKS = 100n
const BEN_KEEPS = 50n
const MAX_DEBT = 600n
const SINK_PORT = 7000
const LOCKED = 500n

type Name = 'anna' | 'ben' | 'cleo' | 'otto'
const NUMBER: Readonly<Record<Name, number>> = { anna: 1, ben: 2, cleo: 3, otto: 4 }
const NAMES: readonly Name[] = ['anna', 'ben', 'cleo', 'otto']
const LINKS: Readonly<Record<Name, Readonly<Record<string, string>>>> = {
  anna: { up0: '02:00:00:00:01:01' },
  ben: { in0: '02:00:00:00:02:01', in1: '02:00:00:00:02:03', out0: '02:00:00:00:02:02' },
  cleo: { down0: '02:00:00:00:03:01' },
  otto: { up0: '02:00:00:00:04:01' },
}
/** By what link, and to whose address. */
const WAYS: Readonly<Record<Name, Readonly<Partial<Record<Name, readonly [string, string]>>>>> = {
  anna: { ben: ['up0', '02:00:00:00:02:01'], cleo: ['up0', '02:00:00:00:02:01'], otto: ['up0', '02:00:00:00:02:01'] },
  ben: { anna: ['in0', '02:00:00:00:01:01'], cleo: ['out0', '02:00:00:00:03:01'], otto: ['in1', '02:00:00:00:04:01'] },
  cleo: { anna: ['down0', '02:00:00:00:02:02'], ben: ['down0', '02:00:00:00:02:02'], otto: ['down0', '02:00:00:00:02:02'] },
  otto: { anna: ['up0', '02:00:00:00:02:03'], ben: ['up0', '02:00:00:00:02:03'], cleo: ['up0', '02:00:00:00:02:03'] },
}
const deviceOf = (name: Name): string => `06:00:00:00:00:0${NUMBER[name]}`
const addressOf = (name: Name): string => `fd42:0:0:1::${NUMBER[name]}`
const originatorOf = (name: Name): string => Object.values(LINKS[name])[0] ?? ''

describe.skipIf(!isRoot())('boxes that carry for each other (needs root)', () => {
  const id = randomBytes(3).toString('hex')
  const places = Object.fromEntries(NAMES.map((name) => [name, new Namespace(`mbt-${name}-${id}`)])) as Record<Name, Namespace>
  const mesh = {} as Record<Name, Talker>
  const boxes = {} as Record<Name, Talker>
  const keys = {} as Record<Name, BoxKeys>
  let dir = ''
  let sink: Talker

  const logOf = (name: Name): string => join(dir, `${name}.log`)
  const spawnIn = (name: Name, command: string, args: readonly string[], log: string): Talker => new Talker(places[name].spawn('sh', ['-c', 'exec "$@" 2>>"$0"', log, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const facts = async (name: Name): Promise<BoxFacts> => JSON.parse(await boxes[name].ask('facts')) as BoxFacts
  const between = async (name: Name, other: Name): Promise<CarriageFacts | undefined> => (await facts(name)).carriages.find(({ carrier, client, state }) => state !== 'ended' && [carrier, client].includes(keys[other].box))
  const arrived = async (from: Name): Promise<number> => (JSON.parse(await sink.ask('sums')) as Record<string, number | undefined>)[addressOf(from)] ?? 0
  const stream = async (from: Name, bytes: number, rate: number): Promise<number> => {
    const { code, stdout, stderr } = await places[from].run('python3', [programs('stream.py'), 'send', addressOf('cleo'), String(SINK_PORT), String(bytes), String(rate)], { timeoutMs: 90_000 })
    if (code !== 0) throw new Error(stderr)
    return Number(stdout)
  }
  /** What `name` has booked with `other`: as earned, and as spent. */
  const booked = async (name: Name, other: Name): Promise<ReturnType<typeof bookedWith>> => bookedWith(await facts(name), keys[other])

  async function start(name: Name): Promise<void> {
    const ways = WAYS[name]
    const others = NAMES.filter((other) => other !== name)
    const hops = new Set(Object.values(ways).map(([, hop]) => hop))
    const node = (originator: string, nextHop: string): MeshState['nodes'][number] => ({ originator, nextHop, isNeighbour: hops.has(originator), interfaceName: null, lastSeenMs: 0, tq: 255, throughputKbit: null, gateway: null, sinceMs: 0, isGone: false })
    const plan: TownPlan = {
      number: NUMBER[name],
      dir: join(dir, name),
      options: { settle_amount: '100', max_debt: String(MAX_DEBT), spend_per_day: '100000', price_per_mib: { anna: '0', otto: '0', ben: String(BEN_KEEPS), cleo: String(CLEO_ASKS) }[name] },
      hasUplink: name === 'cleo',
      hardInterfaces: Object.entries(LINKS[name]).map(([link, address]) => ({ name: link, address, number: Number(execFileSync('ip', ['netns', 'exec', places[name].name, 'cat', `/sys/class/net/${link}/ifindex`], { encoding: 'utf8' })) })),
      view: {
        self: originatorOf(name),
        nodes: [...others.map((other) => node(originatorOf(other), ways[other]?.[1] ?? '')), ...[...hops].filter((hop) => !others.some((other) => originatorOf(other) === hop)).map((hop) => node(hop, hop))],
        clients: others.map((other) => ({ mac: deviceOf(other), vlan: null, originator: originatorOf(other), isRoaming: false })),
      },
      channels: { anna: { 2: '100000' }, ben: { 1: '100000', 3: '100000' }, cleo: { 2: '100000' }, otto: {} }[name] as Record<string, string>,
      ...(name === 'anna' ? { path: [NUMBER.ben, NUMBER.cleo] } : {}),
    }
    boxes[name] = spawnIn(name, NODE, ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(plan)], logOf(name))
    keys[name] = JSON.parse(await boxes[name].first) as (typeof keys)[Name]
  }

  beforeAll(async () => {
    await buildNative('host', undefined, { only: ['nfnetlink', 'secp256k1'] })
    dir = mkdtempSync(join(tmpdir(), 'meshbox-mesh-town-'))
    for (const name of NAMES) {
      execFileSync('ip', ['netns', 'add', places[name].name])
      await places[name].ip('link', 'set', 'lo', 'up')
      await places[name].sysctl('ipv6/conf/default/accept_dad', 0)
    }
    for (const [name, link, other] of [['anna', 'up0', 'in0'], ['otto', 'up0', 'in1'], ['cleo', 'down0', 'out0']] as const) {
      execFileSync('ip', ['link', 'add', link, 'netns', places[name].name, 'mtu', '1600', 'address', LINKS[name][link] ?? '', 'type', 'veth', 'peer', 'name', other, 'netns', places.ben.name, 'mtu', '1600', 'address', LINKS.ben[other] ?? ''])
      await places[name].ip('link', 'set', link, 'up')
      await places.ben.ip('link', 'set', other, 'up')
    }
    for (const name of NAMES) {
      const ways = Object.fromEntries(Object.entries(WAYS[name]).map(([other, way]) => [originatorOf(other as Name), way]))
      const clients = Object.fromEntries(NAMES.filter((other) => other !== name).map((other) => [deviceOf(other), originatorOf(other)]))
      mesh[name] = spawnIn(name, 'python3', ['-u', programs('batman.py'), JSON.stringify({ tap: 'bat0', device: deviceOf(name), own: LINKS[name], ways, clients })], logOf(name))
      expect(await mesh[name].first).toBe('ready')
      await places[name].ip('addr', 'add', `${addressOf(name)}/64`, 'dev', 'bat0', 'nodad')
    }
    sink = spawnIn('cleo', 'python3', ['-u', programs('stream.py'), 'sink', String(SINK_PORT)], logOf('cleo'))
    expect(await sink.first).toBe('ready')
    await Promise.all(NAMES.map(start))
  })
  afterAll(async () => {
    for (const name of NAMES) {
      await places[name].killAll()
      execFileSync('ip', ['netns', 'del', places[name].name])
    }
    if (process.env.MESHBOX_KEEP === undefined) rmSync(dir, { recursive: true, force: true })
  })

  it('find each other, and the price of the path is the sum of its shares', async () => {
    for (const [name, other] of [['anna', 'ben'], ['ben', 'cleo'], ['otto', 'ben']] as const) {
      await waitFor(`${name} to be carried by ${other}`, async () => (await between(name, other))?.state === 'running', 60_000).catch((error: unknown) => {
        throw new Error(readFileSync(logOf(name), 'utf8').slice(-3000), { cause: error })
      })
    }
    const { own } = await facts('ben')
    expect(own).toMatchObject({ unitsPerMiB: String(CLEO_ASKS + BEN_KEEPS), hops: 1, via: [keys.cleo.box] })
  })

  it('are paid for what they carried, and both books of each hop say the same', async () => {
    const sentBefore = BigInt((JSON.parse(await mesh.anna.ask('sent')) as Record<string, number>)['02:00:00:00:02:01'] ?? 0)
    const countedBefore = BigInt((await between('anna', 'ben'))?.lastBytes.up ?? 0)
    expect(await stream('anna', 3 * MIB, 2 * MIB)).toBe(3 * MIB)
    await waitFor('all to arrive', async () => (await arrived('anna')) === 3 * MIB)
    const worth = 3n * (CLEO_ASKS + BEN_KEEPS)
    await waitFor('anna to have paid', async () => (await booked('anna', 'ben')).spent >= worth, 30_000)
    await waitFor('ben to have paid', async () => (await booked('ben', 'cleo')).spent >= 3n * CLEO_ASKS, 30_000)
    await waitFor('the books to agree', async () => (await booked('anna', 'ben')).spent === (await booked('ben', 'anna')).earned && (await booked('ben', 'cleo')).spent === (await booked('cleo', 'ben')).earned)
    expect([(await booked('anna', 'ben')).earned, (await booked('cleo', 'ben')).spent]).toEqual([0n, 0n])

    // The channels have moved by exactly what the books say.
    const channel = (await facts('ben')).channels.find(({ partner }) => partner === keys.anna.account)
    expect(BigInt(channel?.got ?? 0)).toBe((await booked('ben', 'anna')).earned)
    // Each earning shows both ends' signed figures.
    const earnings = (await facts('ben')).entries.filter(({ postings }) => postings.some(({ account, amount }) => account.includes(keys.anna.account) && amount !== '0'))
    expect(earnings.length).toBeGreaterThan(0)
    for (const { evidence } of earnings) expect(evidence.facts).toMatchObject({ carrier: keys.ben.box, client: keys.anna.box, carrierReading: expect.stringMatching(/^0x/), clientReading: expect.stringMatching(/^0x/) as unknown })
    for (const name of NAMES) expect((await facts(name)).audit.every(({ sum, unbalancedEntries }) => sum === '0' && unbalancedEntries.length === 0)).toBe(true)

    // Against who really sent: within one per cent.
    const sent = BigInt((JSON.parse(await mesh.anna.ask('sent')) as Record<string, number>)['02:00:00:00:02:01'] ?? 0) - sentBefore
    const counted = BigInt((await between('ben', 'anna'))?.lastBytes.up ?? 0) - countedBefore
    expect(Math.abs(Number(counted - sent)) / Number(sent)).toBeLessThan(0.01)
  })

  it('carry for who does not pay up to its limit, and not on; the others do not feel it', async () => {
    const rate = MIB
    const whole = 24 * MIB
    const got = await stream('otto', whole, rate)
    expect(got).toBeLessThan(whole)
    const carriage = await between('ben', 'otto')
    expect(carriage).toMatchObject({ state: 'in-debt', paid: '0' })
    expect((await between('otto', 'ben'))?.unpaidOrder?.problem).toMatch(/no open channel/)
    // The limit, and what fits in between two looks at the counters.
    const price = CLEO_ASKS + BEN_KEEPS
    expect(BigInt(carriage?.owed ?? 0)).toBeGreaterThan(MAX_DEBT)
    expect(BigInt(carriage?.owed ?? 0)).toBeLessThan(MAX_DEBT + price * 12n)
    const before = await arrived('otto')
    expect(before).toBeLessThan(whole)
    const paidBefore = await arrived('anna')
    expect(await stream('anna', MIB / 2, MIB)).toBe(MIB / 2)
    await waitFor("anna's bytes", async () => (await arrived('anna')) === paidBefore + MIB / 2)
    expect(await arrived('otto')).toBe(before)
  })

  it('kill -9 of the relay: what was carried before and after is paid once', async () => {
    boxes.ben.process.kill('SIGKILL')
    await once(boxes.ben.process, 'exit')
    await start('ben')
    await waitFor('anna to be carried again', async () => (await between('anna', 'ben'))?.state === 'running' && (await between('ben', 'anna'))?.state === 'running', 60_000)
    const before = (await booked('anna', 'ben')).spent
    expect(await stream('anna', MIB, MIB)).toBe(MIB)
    await waitFor('anna to have paid', async () => (await booked('anna', 'ben')).spent >= before + CLEO_ASKS + BEN_KEEPS, 30_000)
    await waitFor('the books to agree', async () => (await booked('anna', 'ben')).spent === (await booked('ben', 'anna')).earned && (await booked('ben', 'cleo')).spent === (await booked('cleo', 'ben')).earned, 60_000)
    expect(BigInt((await facts('anna')).channels[0]?.sent ?? 0)).toBe((await booked('anna', 'ben')).spent)
  })

  it('pay who is two boxes away by one locked payment, and the box between keeps its unit', async () => {
    const moved = async (payer: Name, payee: Name): Promise<bigint | null> => {
      const now = await facts(payee)
      const channel = now.channels.find(({ partner }) => partner === keys[payer].account)
      return channel?.inFlight === 0 ? BigInt(channel.got) - bookedWith(now, keys[payer]).earned : null
    }
    await boxes.anna.ask(`pay ${LOCKED}`)
    await waitFor('anna to have paid', async () => (await facts('anna')).locked.some(({ kind, amount }) => kind === 'sent' && BigInt(amount) === LOCKED))
    await waitFor('cleo to have it from anna', async () => (await facts('cleo')).locked.some(({ kind, peer, amount }) => kind === 'received' && peer === keys.anna.account && BigInt(amount) === LOCKED))
    // Beside what is paid for carrying, which goes on.
    await waitFor("anna's channel to have moved by it and ben's unit", async () => (await moved('anna', 'ben')) === LOCKED + 1n)
    await waitFor("ben's channel to have moved by it", async () => (await moved('ben', 'cleo')) === LOCKED)
  })
})
