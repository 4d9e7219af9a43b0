/**
 * What neighbours carry for each other, counted by our table in the kernel, against batman-adv's own count of what it
 * forwarded, and against what the ends of the traffic know; the gate that is shut for who does not pay; and ways out. What leaves is
 * counted by the table's egress hook, or, as on OpenWrt's kernels, by filters of traffic control: u32 with marks, and gact.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../../src/base/index.ts'
import { CarryKernel } from '../../../src/mesh/io/carry-kernel.ts'
import type { LeavingBy, LinkTraffic } from '../../../src/mesh/metering/index.ts'
import { createTrafficActions, loadNfnetlink } from '../../../src/native/index.ts'
import type { Genetlink, GenetlinkDoor, Nfnetlink } from '../../../src/native/index.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import { checkGateways } from './gateways.ts'
import { LINE, Roofs } from './roofs.ts'

/** One per hundred. */
const MOST_OFF = 0.01
const PINGS = 1500
export const PING_BYTES = 1000
/** What a ping is as batman-adv's unicast frame, without the outer Ethernet header: 10 + 14 + 20 + 8 bytes before its own. */
export const FRAME_BYTES = BigInt(PING_BYTES + 52)
const ETHERNET_HEADER_BYTES = 14n

interface Meter {
  readonly netlink: Nfnetlink
  readonly route: Genetlink
  readonly kernel: CarryKernel
}

export async function checkCarry(genetlink: GenetlinkDoor, addon: string, leavingBy: LeavingBy, checks: Checks): Promise<void> {
  const door = loadNfnetlink(addon)
  if (door === null) throw new Error(`${addon} was not loaded`)
  const roofs = new Roofs('BATMAN_IV', LINE)
  const meters = new Map<string, Meter>()
  try {
    for (const box of roofs.names) {
      const netlink = door.open({ namespacePath: roofs.path(box) })
      const route = await genetlink.open({ namespacePath: roofs.path(box), protocol: 'route' })
      const within = (program: string): readonly string[] => ['ip', 'netns', 'exec', roofs.place(box), program]
      const leaving = { tc: within('tc'), actions: createTrafficActions(route) }
      const kernel = new CarryKernel({ netlink, nft: within('nft'), runtimeDir: mkdtempSync(join(tmpdir(), 'carry-')), log: silentLog, leavingBy, leaving })
      meters.set(box, { netlink, route, kernel })
      const near = roofs.neighboursOf(box)
      await kernel.install({ interfaces: near.map((to) => `to-${to}`), own: near.map((to) => roofs.mac(box, to)), isGated: true })
      await open(roofs, meters, box, near)
    }
    await checks.until('a reaches d over two relays that count', () => roofs.pings('a', roofs.address('d')), Boolean)
    if (leavingBy === 'filters') checkFilters(roofs, checks)
    await checkCounts(roofs, meters, checks)
    await checkGate(roofs, meters, checks)
    if (leavingBy === 'table') await checkGateways(genetlink, roofs, checks)
    for (const [box, { kernel }] of meters) {
      await kernel.remove()
      checks.equal(`${box}: nothing is left of the table`, roofs.in(box, 'nft', 'list', 'tables').includes('meshbox_carry'), false)
      checks.equal(`${box}: nor of filters`, roofs.neighboursOf(box).map((to) => shown(roofs, box, to)), roofs.neighboursOf(box).map(() => ''))
    }
  } finally {
    for (const { route } of meters.values()) route.close()
    await Promise.all([...meters.values()].map(({ netlink }) => netlink.close()))
    roofs.remove()
  }
}

/** Traffic control's filters of what `box` sends to `to`. */
function shown(roofs: Roofs, box: string, to: string): string {
  return roofs.in(box, 'tc', 'filter', 'show', 'dev', `to-${to}`, 'egress').trim()
}

/** This kernel could do it by its table too: so that it is not taken for granted who counts. */
function checkFilters(roofs: Roofs, checks: Checks): void {
  const filters = shown(roofs, 'b', 'c')
  checks.add('u32 with marks tells frames apart, gact counts them', / u32 /.test(filters) && / mark 0x/.test(filters) && / gact /.test(filters) && !/ bpf /.test(filters), filters)
  checks.equal('the table has nothing to do with what leaves', roofs.in('b', 'nft', 'list', 'table', 'netdev', 'meshbox_carry').includes('egress'), false)
}

/** Those of `near` that are `admitted` may send through `box`. */
async function open(roofs: Roofs, meters: ReadonlyMap<string, Meter>, box: string, admitted: readonly string[]): Promise<void> {
  await meters.get(box)?.kernel.setAllowed(new Map(roofs.neighboursOf(box).map((near) => [roofs.mac(near, box), admitted.includes(near) ? 'open' : 'closed'] as const)))
}

/** What `box` counts of its neighbour `near`. */
async function counted(roofs: Roofs, meters: ReadonlyMap<string, Meter>, box: string, near: string): Promise<LinkTraffic> {
  const found = (await meters.get(box)?.kernel.read())?.find((each) => each.neighbour === roofs.mac(near, box))
  if (found === undefined) throw new Error(`${box} does not count ${near}`)
  return found
}

/** batman-adv's own count, of the whole node, with outer Ethernet headers. */
export function forwarded(roofs: Roofs, box: string): { readonly packets: bigint; readonly bytes: bigint } {
  const text = roofs.batctl(box, 'statistics')
  const of = (name: string): bigint => BigInt(new RegExp(`^\\s*${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? -1)
  return { packets: of('forward'), bytes: of('forward_bytes') }
}

async function checkCounts(roofs: Roofs, meters: ReadonlyMap<string, Meter>, checks: Checks): Promise<void> {
  const seen = async (): Promise<Readonly<Record<string, LinkTraffic>>> => {
    const links = ['a b', 'b a', 'b c', 'c b', 'c d', 'd c'].map(async (link) => [link, await counted(roofs, meters, ...(link.split(' ') as [string, string]))] as const)
    return Object.fromEntries(await Promise.all(links))
  }
  const [before, ownBefore] = [await seen(), { b: forwarded(roofs, 'b'), c: forwarded(roofs, 'c') }]
  const said = roofs.in('a', 'ping', '-q', '-f', '-c', String(PINGS), '-s', String(PING_BYTES), '-w', '60', roofs.address('d'))
  const [sent, answered] = [BigInt(/(\d+) packets transmitted/.exec(said)?.[1] ?? -1), BigInt(/(\d+) received/.exec(said)?.[1] ?? -1)]
  const [after, ownAfter] = [await seen(), { b: forwarded(roofs, 'b'), c: forwarded(roofs, 'c') }]
  const grown = (link: string, count: keyof Omit<LinkTraffic, 'neighbour'>): bigint => (after[link]?.[count] ?? 0n) - (before[link]?.[count] ?? 0n)
  checks.add('most of the pings came back', answered * 10n >= sent * 9n && answered > 0n, said)

  // What was sent is known at its end, what came back too; between them lies what was lost on the way.
  const isBetween = (bytes: bigint, least: bigint, most: bigint): boolean => Number(bytes) >= Number(least) * (1 - MOST_OFF) && Number(bytes) <= Number(most) * (1 + MOST_OFF)
  const within = (name: string, bytes: bigint): void => {
    checks.add(`${name}: what the ends know, at most 1 % off`, isBetween(bytes, answered * FRAME_BYTES, sent * FRAME_BYTES), { bytes, sent: sent * FRAME_BYTES, answered: answered * FRAME_BYTES })
    checks.notes[`${name}: off by, %`] = Math.round((Number(bytes) / Number(answered * FRAME_BYTES) - 1) * 10_000) / 100
  }
  within('b carried for a', grown('b a', 'receivedBytes'))
  within('b carried from c to a', grown('b a', 'sentBytes'))
  within('c carried for b', grown('c b', 'receivedBytes'))
  within('c carried from d to b', grown('c b', 'sentBytes'))
  within('d: what ended there', grown('d c', 'endedBytes'))
  for (const [box, left, right] of [['b', 'a', 'c'], ['c', 'b', 'd']] as const) {
    const [ours, packets] = [left, right].map((near) => [grown(`${box} ${near}`, 'receivedBytes'), grown(`${box} ${near}`, 'receivedPackets')] as const).reduce(([bytes, count], [moreBytes, more]) => [bytes + moreBytes, count + more])
    const theirs = ownAfter[box].bytes - ownBefore[box].bytes
    const off = Number(ours + packets * ETHERNET_HEADER_BYTES - theirs) / Number(theirs)
    checks.add(`${box}: batman-adv's own count of what it forwarded, at most 1 % off`, Math.abs(off) <= MOST_OFF && theirs > 0n, { ours, packets, theirs, ownBefore, ownAfter })
    checks.notes[`${box} against batman-adv's own count: off by, %`] = Math.round(off * 10_000) / 100
  }
  for (const [one, other] of [['a', 'b'], ['b', 'c'], ['c', 'd']] as const)
    for (const [from, to] of [[one, other], [other, one]] as const) {
      const [left, came] = [grown(`${from} ${to}`, 'allSentBytes'), grown(`${to} ${from}`, 'allReceivedBytes')]
      checks.add(`${from} → ${to}: both ends count the same, at most 1 % off`, Math.abs(Number(left - came)) <= Number(left) * MOST_OFF && left > 0n, { left, came })
    }
}

async function checkGate(roofs: Roofs, meters: ReadonlyMap<string, Meter>, checks: Checks): Promise<void> {
  await open(roofs, meters, 'b', ['c'])
  const before = await counted(roofs, meters, 'b', 'a')
  checks.equal('shut for a: a does not reach d', roofs.pings('a', roofs.address('d'), ['-c', '5', '-i', '0.2', '-W', '1']), false)
  checks.equal('shut for a: a still talks with b itself', roofs.pings('a', roofs.address('b'), ['-c', '3', '-i', '0.2', '-W', '5']), true)
  checks.equal('shut for a: c still reaches d', roofs.pings('c', roofs.address('d'), ['-c', '3', '-i', '0.2', '-W', '5']), true)
  const during = await counted(roofs, meters, 'b', 'a')
  checks.equal('shut for a: nothing counts as carried', [during.receivedBytes - before.receivedBytes, during.sentBytes - before.sentBytes], [0n, 0n])
  await open(roofs, meters, 'b', ['a', 'c'])
  await checks.until('open again: a reaches d', () => roofs.pings('a', roofs.address('d')), Boolean)
}
