/**
 * What neighbours carry, counted in a real kernel, against what a raw socket program sent and another received; the same for both
 * ways of counting what leaves. The frames have batman-adv's form; batman-adv itself is not on this machine (the emulated routers have
 * it), so forwarding is stood in for by sending with the mark that the table sets on arrival.
 *
 *   client ── veth ── relay ── veth ── next
 */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { silentLog } from '../../src/base/index.ts'
import { CarryKernel } from '../../src/mesh/io/carry-kernel.ts'
import type { CarryKernelParts } from '../../src/mesh/io/carry-kernel.ts'
import type { CarryRules, LinkTraffic } from '../../src/mesh/metering/index.ts'
import { createTrafficActions, loadGenetlink, loadNfnetlink } from '../../src/native/index.ts'
import type { Genetlink, Nfnetlink, TrafficActions } from '../../src/native/index.ts'
import { NEEDS_ROOT } from '../support/gate-town.ts'
import { isRoot, runProgram } from '../support/netns.ts'

const PROGRAM = fileURLToPath(new URL('./mesh-programs/frames.py', import.meta.url))
export const CLIENT = '02:00:00:00:01:01'
export const RELAY_IN = '02:00:00:00:02:01'
export const RELAY_OUT = '02:00:00:00:02:02'
export const NEXT = '02:00:00:00:03:01'
export const FAR = '02:00:00:00:09:09'
export const FORWARDED = 0x6d62_0001
export const UNICAST = 0x40
const FRAGMENT = 0x41
const FOUR_ADDRESSES = 0x42
export const RULES: CarryRules = { interfaces: ['in0', 'out0'], own: [RELAY_IN, RELAY_OUT], isGated: true }

interface Order {
  readonly to: string
  readonly type: number
  readonly originator: string
  readonly bytes: number
  readonly count: number
  readonly mark?: number
  readonly ether?: number
}

interface Sums {
  readonly [type: string]: { readonly frames: number; readonly bytes: number } | undefined
}

const id = randomBytes(3).toString('hex')
export const [client, relay, next] = [`mbcc-${id}`, `mbcr-${id}`, `mbcn-${id}`]
export const ip = (...args: string[]): Buffer => execFileSync('ip', args)

export async function send(place: string, link: string, ...orders: Order[]): Promise<number> {
  const { code, stdout, stderr } = await runProgram('ip', ['netns', 'exec', place, 'python3', PROGRAM, 'send', link, JSON.stringify(orders)])
  if (code !== 0) throw new Error(stderr)
  return Object.values(JSON.parse(stdout) as Sums).reduce((sum, entry) => sum + (entry?.bytes ?? 0), 0)
}

/** What arrives at `link` while `during` runs. */
export async function arriving(place: string, link: string, during: () => Promise<unknown>): Promise<Sums> {
  const child = spawn('ip', ['netns', 'exec', place, 'python3', '-u', PROGRAM, 'count', link], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  await once(reader, 'line')
  reader.on('line', (line) => lines.push(line))
  await during()
  child.stdin.end()
  await once(reader, 'close')
  return JSON.parse(lines.at(-1) ?? '{}') as Sums
}

/** What a test of its own way may use. */
export interface CarryPlace {
  readonly folder: string
  readonly netlink: Nfnetlink
  readonly actions: TrafficActions
  readonly kernel: CarryKernel
  readonly nft: readonly string[]
  make(more?: Partial<CarryKernelParts>): CarryKernel
  of(mac: string): Promise<LinkTraffic>
}

/** `way`: what else the kernel's door is made of. */
export function describeCarry(name: string, way: (actions: TrafficActions) => Partial<CarryKernelParts>, more: (place: () => CarryPlace) => void): void {
  describe(name, () => {
    let folder: string
    let netlink: Nfnetlink
    let route: Genetlink
    let kernel: CarryKernel
    const nft = ['ip', 'netns', 'exec', relay, 'nft']
    const make = (more: Partial<CarryKernelParts> = {}): CarryKernel => new CarryKernel({ netlink, nft, runtimeDir: folder, log: silentLog, ...way(createTrafficActions(route)), ...more })
    const of = async (mac: string): Promise<LinkTraffic> => {
      const found = (await kernel.read()).find((each) => each.neighbour === mac)
      if (found === undefined) throw new Error(`${mac} is not counted`)
      return found
    }

    beforeAll(async () => {
      if (!isRoot()) return
      await buildNative('host', undefined, { only: ['nfnetlink', 'genetlink'] })
      for (const name of [client, relay, next]) ip('netns', 'add', name)
      ip('-n', client, 'link', 'add', 'up0', 'address', CLIENT, 'type', 'veth', 'peer', 'name', 'in0', 'address', RELAY_IN, 'netns', relay)
      ip('-n', relay, 'link', 'add', 'out0', 'address', RELAY_OUT, 'type', 'veth', 'peer', 'name', 'down0', 'address', NEXT, 'netns', next)
      ip('-n', relay, 'link', 'add', 'sink0', 'type', 'veth', 'peer', 'name', 'sink1')
      for (const [name, link] of [[client, 'up0'], [relay, 'in0'], [relay, 'out0'], [relay, 'sink0'], [relay, 'sink1'], [next, 'down0']] as const) ip('-n', name, 'link', 'set', link, 'up')
      folder = mkdtempSync(join(tmpdir(), 'meshbox-carry-'))
      const namespacePath = `/run/netns/${relay}`
      const opened = loadNfnetlink(addonPath('host', 'nfnetlink'))?.open({ namespacePath })
      if (opened === undefined) throw new Error('the addon has no door')
      netlink = opened
      route = await loadGenetlink(addonPath('host', 'genetlink')).open({ namespacePath, protocol: 'route' })
    })
    afterAll(async () => {
      if (!isRoot()) return
      route.close()
      await netlink.close()
      for (const name of [client, relay, next]) ip('netns', 'del', name)
      rmSync(folder, { recursive: true, force: true })
    })
    beforeEach(async (context) => {
      if (!isRoot()) context.skip(NEEDS_ROOT)
      kernel = make()
      await kernel.remove(RULES.interfaces)
      expect(await kernel.install(RULES)).toBe('made')
      await kernel.setAllowed(new Map([[CLIENT, 'open'], [NEXT, 'open']]))
    })

    it('counts what arrives, to the byte, by who sent it: forwarded, for this box, and all', async () => {
      const carried = await send(
        client,
        'up0',
        { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 1052, count: 200 },
        { to: RELAY_IN, type: FOUR_ADDRESSES, originator: FAR, bytes: 333, count: 70 },
        { to: RELAY_IN, type: FRAGMENT, originator: FAR, bytes: 1450, count: 30 },
      )
      const own = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: RELAY_IN, bytes: 700, count: 40 }, { to: RELAY_IN, type: UNICAST, originator: RELAY_OUT, bytes: 100, count: 5 })
      // Neither originator messages nor broadcast nor other protocols are traffic of people.
      await send(client, 'up0', { to: RELAY_IN, type: 0x00, originator: FAR, bytes: 80, count: 50 }, { to: RELAY_IN, type: 0x01, originator: FAR, bytes: 80, count: 50 }, { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 80, count: 50, ether: 0x88b5 })
      expect(await of(CLIENT)).toMatchObject({ receivedBytes: BigInt(carried), receivedPackets: 300n, endedBytes: BigInt(own), allReceivedBytes: BigInt(carried + own), allSentBytes: 0n })
      expect(await of(NEXT)).toMatchObject({ allReceivedBytes: 0n, allSentBytes: 0n })
    })

    it('counts what leaves as the other end counts it: forwarded and all', async () => {
      let sent = 0
      let forwarded = 0
      const got = await arriving(next, 'down0', async () => {
        forwarded = await send(relay, 'out0', { to: NEXT, type: UNICAST, originator: FAR, bytes: 1052, count: 150, mark: FORWARDED })
        sent = await send(relay, 'out0', { to: NEXT, type: UNICAST, originator: FAR, bytes: 500, count: 20 })
      })
      expect(got[UNICAST]).toEqual({ frames: 170, bytes: sent + forwarded })
      // Neither originator messages, nor batman-adv's own tools, nor other protocols, nor strangers.
      await send(relay, 'out0', ...[0x00, 0x01, 0x43].map((type) => ({ to: NEXT, type, originator: FAR, bytes: 80, count: 9 })), { to: NEXT, type: UNICAST, originator: FAR, bytes: 80, count: 9, ether: 0x88b5 }, { to: FAR, type: UNICAST, originator: FAR, bytes: 80, count: 9 })
      expect(await of(NEXT)).toMatchObject({ sentBytes: BigInt(forwarded), sentPackets: 150n, allSentBytes: BigInt(sent + forwarded) })
    })

    it('lets nothing through for who is not admitted, but what is for the box itself', async () => {
      await kernel.setAllowed(new Map([[CLIENT, 'closed'], [NEXT, 'closed']]))
      const blocked = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 1000, count: 50 })
      const own = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: RELAY_IN, bytes: 400, count: 10 })
      // All arrived; nothing counts as carried.
      expect(await of(CLIENT)).toMatchObject({ receivedBytes: 0n, endedBytes: 0n, allReceivedBytes: BigInt(blocked + own) })
      const got = await arriving(next, 'down0', async () => {
        await send(relay, 'out0', { to: NEXT, type: UNICAST, originator: FAR, bytes: 1052, count: 30, mark: FORWARDED })
        await send(relay, 'out0', { to: NEXT, type: UNICAST, originator: NEXT, bytes: 300, count: 7 })
      })
      expect(got[UNICAST]).toEqual({ frames: 7, bytes: 2100 })
      expect(await of(NEXT)).toMatchObject({ sentBytes: 0n, allSentBytes: 2100n })
      await kernel.setAllowed(new Map([[CLIENT, 'open'], [NEXT, 'closed']]))
      const open = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 1000, count: 50 })
      expect(await of(CLIENT)).toMatchObject({ receivedBytes: BigInt(open) })
    })

    it('goes on counting over a restart of the service, and is made anew for other rules', async () => {
      const before = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 600, count: 10 })
      const forwarded = (): Promise<number> => send(relay, 'out0', { to: NEXT, type: UNICAST, originator: FAR, bytes: 900, count: 12, mark: FORWARDED })
      const own = (): Promise<number> => send(relay, 'out0', { to: NEXT, type: FRAGMENT, originator: FAR, bytes: 1400, count: 3 })
      const sent = [await forwarded(), await own()] as const
      kernel = make()
      expect(await kernel.install(RULES)).toBe('kept')
      await kernel.setAllowed(new Map([[CLIENT, 'open'], [NEXT, 'open']]))
      const after = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 600, count: 10 })
      const more = [await forwarded(), await own()] as const
      expect((await of(CLIENT)).receivedBytes).toBe(BigInt(before + after))
      expect(await of(NEXT)).toMatchObject({ sentBytes: BigInt(sent[0] + more[0]), sentPackets: 24n, allSentBytes: BigInt(sent[0] + sent[1] + more[0] + more[1]) })
      expect(await kernel.install({ ...RULES, isGated: false })).toBe('made')
      await kernel.setAllowed(new Map([[CLIENT, 'closed']]))
      const free = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 600, count: 3 })
      expect((await of(CLIENT)).receivedBytes).toBe(BigInt(free))
    })

    it('is made again when somebody took it away, with the gates as they were', async () => {
      await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 600, count: 10 })
      const [program = 'nft', ...words] = nft
      execFileSync(program, [...words, 'flush ruleset'])
      expect((await of(CLIENT)).receivedBytes).toBe(0n)
      const after = await send(client, 'up0', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 600, count: 4 })
      expect((await of(CLIENT)).receivedBytes).toBe(BigInt(after))
    })

    more(() => ({ folder, netlink, actions: createTrafficActions(route), kernel, nft, make, of }))
  })
}
