/** The picture of the mesh against what batctl says: a line of four, a diamond, links cut and healed; with both algorithms. */
import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { MeshNode, MeshState } from '../../../src/mesh/ports.ts'
import type { GenetlinkDoor } from '../../../src/native/index.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import { run } from '../genetlink-guest/line.ts'
import { DIAMOND, LINE, Roofs } from './roofs.ts'
import type { Algorithm } from './roofs.ts'
import { lookAt } from './seen.ts'
import type { Seen } from './seen.ts'

/** The program that the kernel starts to load a module. */
const MODULE_LOADER = '/proc/sys/kernel/modprobe'
const TQ_STEP = 30

export async function checkView(door: GenetlinkDoor, checks: Checks): Promise<void> {
  await checkConditions(door, checks)
  for (const algorithm of ['BATMAN_IV', 'BATMAN_V'] as const) {
    await checkLine(algorithm, door, checks)
    await checkDiamond(algorithm, door, checks)
  }
}

/** One watch lives through all that a mesh can lack. */
async function checkConditions(door: GenetlinkDoor, checks: Checks): Promise<void> {
  run('modprobe', '-r', 'batman_adv')
  const loader = readFileSync(MODULE_LOADER, 'utf8')
  writeFileSync(MODULE_LOADER, '/nonexistent\n')
  run('ip', 'netns', 'add', 'alone')
  const seen = await lookAt(door, '/run/netns/alone')
  const becomes = (kind: string): Promise<unknown> => checks.until(`a mesh that lacks something: ${kind}`, () => seen.view.state().condition, (condition) => condition.kind === kind)
  try {
    await becomes('no-module')
    writeFileSync(MODULE_LOADER, loader)
    run('modprobe', 'batman_adv')
    await becomes('no-interface')
    run('ip', 'netns', 'exec', 'alone', 'batctl', 'meshif', 'bat0', 'interface', 'create')
    await becomes('idle')
    run('sh', '-ec', 'ip -n alone link add h0 type dummy; ip -n alone link set h0 master bat0 up; ip -n alone link set bat0 up')
    await becomes('up')
    run('ip', '-n', 'alone', 'link', 'del', 'bat0')
    await becomes('no-interface')
    const reasons = seen.told.flatMap(({ change }) => (change.kind === 'condition' && change.condition.kind !== 'up' ? [change.condition.reason] : []))
    checks.add('each has a reason for people', reasons.length >= 3 && reasons.every((reason) => reason.length > 20), reasons)
  } finally {
    writeFileSync(MODULE_LOADER, loader)
    seen.stop()
    run('ip', 'netns', 'del', 'alone')
  }
}

interface Said {
  readonly orig_address: string
  readonly neigh_address: string
  readonly best?: boolean
  readonly tq?: number
  readonly throughput?: number
}

async function checkLine(algorithm: Algorithm, door: GenetlinkDoor, checks: Checks): Promise<void> {
  const name = (what: string): string => `${algorithm}, line of four: ${what}`
  const roofs = new Roofs(algorithm, LINE)
  let seen: Seen | null = null
  try {
    seen = await lookAt(door, roofs.path('a'))
    const { view, told } = seen
    const node = (box: string): MeshNode | undefined => view.state().nodes.find((each) => each.originator === roofs.originator(box))
    const all = await checks.until(name('a sees the three others'), () => view.state().nodes, (nodes) => ['b', 'c', 'd'].every((box) => nodes.some((each) => each.originator === roofs.originator(box) && !each.isGone)))
    checks.equal(name('algorithm and own name'), [view.state().algorithm, view.state().self], [algorithm, roofs.originator('a')])
    checks.equal(name('all over b, who alone is a neighbour'), all.map((each) => [roofs.boxOf(each.originator), roofs.boxOf(each.nextHop), each.isNeighbour]), [['b', 'b', true], ['c', 'b', false], ['d', 'b', false]])
    await checks.until(name('three hops answer'), () => roofs.pings('a', roofs.address('d')), Boolean)

    // Asked one after the other: what changes between makes it be asked again.
    const asked = async <Theirs>(command: string): Promise<{ readonly ours: MeshState; readonly theirs: readonly Theirs[] }> => {
      await view.refresh()
      return { ours: view.state(), theirs: roofs.json<Theirs>('a', command) }
    }
    const bestOf = (said: readonly Said[]): readonly Said[] => said.filter((each) => each.best === true)
    const isNear = (each: MeshNode, other: Said | undefined): boolean => (algorithm === 'BATMAN_IV' ? Math.abs((each.tq ?? -999) - (other?.tq ?? 999)) <= TQ_STEP : (each.throughputKbit ?? 0) > 0 && (other?.throughput ?? 0) > 0)
    await checks.until(
      name('ways and their quality as batctl has them'),
      () => asked<Said>('originators_json'),
      ({ ours, theirs }) => isDeepStrictEqual(ours.nodes.map((each) => [each.originator, each.nextHop]).sort(), bestOf(theirs).map((each) => [each.orig_address, each.neigh_address]).sort()) && ours.nodes.every((each) => isNear(each, bestOf(theirs).find((other) => other.orig_address === each.originator))),
    )
    const device = roofs.in('d', 'cat', '/sys/class/net/bat0/address').trim()
    await checks.until(
      name("d's device is where batctl says"),
      () => asked<{ readonly tt_address: string; readonly orig_address: string }>('transtable_global_json'),
      ({ ours, theirs }) => {
        const at = ours.clients.find((each) => each.mac === device && each.vlan === null)?.originator
        return at === roofs.originator('d') && theirs.some((each) => each.tt_address === device && each.orig_address === at)
      },
    )
    const since = node('d')?.sinceMs
    await view.refresh()
    checks.equal(name('since when is kept'), node('d')?.sinceMs, since)

    roofs.batctl('d', 'gw_mode', 'server', '20mbit/5mbit')
    roofs.batctl('a', 'gw_mode', 'client')
    const gateway = await checks.until(name('d is the gateway, and chosen'), () => node('d')?.gateway ?? null, (found) => found?.isChosen === true)
    const gateways = roofs.json<{ orig_address: string; best?: boolean; bandwidth_down: number; bandwidth_up: number }>('a', 'gateways_json')
    checks.equal(name('gateway as batctl has it'), [[roofs.originator('d'), true, (gateway?.downKbit ?? 0) / 100, (gateway?.upKbit ?? 0) / 100]], gateways.map((each) => [each.orig_address, each.best === true, each.bandwidth_down, each.bandwidth_up]))
    checks.add(name('the gateway was told'), told.some(({ change }) => change.kind === 'gateway' && change.node.originator === roofs.originator('d')), told)

    const changes = (kind: string, from: number): boolean => told.slice(from).some(({ change }) => change.kind === kind && 'node' in change && change.node.originator === roofs.originator('d'))
    const before = told.length
    const cutAt = performance.now()
    roofs.cut('c', 'd')
    await checks.until(name('cut: d is told to be gone'), () => changes('node-left', before), Boolean)
    checks.notes[name('link cut → gone in the picture, s')] = seconds(cutAt)
    checks.equal(name('cut: c and b are still there, d is remembered as gone'), ['b', 'c', 'd'].map((box) => node(box)?.isGone), [false, false, true])
    const healed = told.length
    const healAt = performance.now()
    roofs.heal('c', 'd')
    await checks.until(name('healed: d is told to be back'), () => changes('node-came', healed), Boolean)
    checks.notes[name('link healed → back in the picture, s')] = seconds(healAt)
    await checks.until(name('healed: three hops answer again'), () => roofs.pings('a', roofs.address('d')), Boolean)
  } finally {
    seen?.stop()
    roofs.remove()
  }
}

async function checkDiamond(algorithm: Algorithm, door: GenetlinkDoor, checks: Checks): Promise<void> {
  const name = (what: string): string => `${algorithm}, diamond: ${what}`
  const roofs = new Roofs(algorithm, DIAMOND)
  let seen: Seen | null = null
  try {
    seen = await lookAt(door, roofs.path('a'))
    const { view, told } = seen
    const hop = (): string | null => roofs.boxOf(view.state().nodes.find((each) => each.originator === roofs.originator('d') && !each.isGone)?.nextHop ?? null)
    await checks.until(name('a has a way to d'), hop, (box) => box === 'b' || box === 'c')
    await checks.until(name('d answers'), () => roofs.pings('a', roofs.address('d')), Boolean)
    // Two ways as good as each other: which one is taken may change at any time.
    const before = told.length
    await view.refresh()
    const first = hop()
    const cutAt = performance.now()
    roofs.cut('a', first ?? 'b')
    const other = first === 'b' ? 'c' : 'b'
    await checks.until(name('cut: the other way is taken'), () => roofs.pings('a', roofs.address('d')), Boolean)
    checks.notes[name('link cut → traffic over the other way, s')] = seconds(cutAt)
    await checks.until(name('cut: the picture shows the other way'), hop, (box) => box === other)
    checks.add(name('cut: the next hop was told'), told.slice(before).some(({ change }) => change.kind === 'next-hop' && change.node.originator === roofs.originator('d')), told.slice(before))
    checks.equal(name('cut: nobody is gone'), view.state().nodes.filter((each) => each.isGone), [])
    roofs.heal('a', first ?? 'b')
    await checks.until(name('healed: both are neighbours again, each over its own link'), () => ['b', 'c'].map((box) => roofs.boxOf(view.state().nodes.find((each) => each.originator === roofs.originator(box) && each.isNeighbour)?.nextHop ?? null)), (hops) => isDeepStrictEqual(hops, ['b', 'c']))
  } finally {
    seen?.stop()
    roofs.remove()
  }
}

const seconds = (fromMs: number): number => Math.round((performance.now() - fromMs) / 10) / 100
