/** Ways out that batman-adv offers: set by our own request to the kernel, seen by another box three hops away, and changed. */
import { createGatewayMode } from '../../../src/mesh/uplinks/index.ts'
import type { GenetlinkDoor } from '../../../src/native/index.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import type { Roofs } from './roofs.ts'
import { lookAt } from './seen.ts'

interface Said {
  readonly orig_address: string
  readonly best?: boolean
  readonly bandwidth_down: number
  readonly bandwidth_up: number
}

/** On a line of four, a to d. */
export async function checkGateways(door: GenetlinkDoor, roofs: Roofs, checks: Checks): Promise<void> {
  const netlinks = await Promise.all(['b', 'd'].map(async (box) => [box, await door.open({ namespacePath: roofs.path(box) })] as const))
  const modes = new Map(netlinks.map(([box, genetlink]) => [box, createGatewayMode({ meshInterface: 'bat0', genetlink, devicesPath: '/sys/class/net' })]))
  const seen = await lookAt(door, roofs.path('a'))
  const gateways = (): readonly (readonly [string | null, boolean])[] => seen.view.state().nodes.flatMap((node) => (node.gateway === null ? [] : [[roofs.boxOf(node.originator), node.gateway.isChosen] as const]))
  const chosen = (): string | null => gateways().find(([, isChosen]) => isChosen)?.[0] ?? null
  try {
    roofs.batctl('a', 'gw_mode', 'client')
    await modes.get('d')?.set({ kind: 'server', downKbit: 20_000, upKbit: 5_000 })
    await checks.until('the way out at d is seen by a, and chosen', chosen, (box) => box === 'd')
    await modes.get('b')?.set({ kind: 'server', downKbit: 8_000, upKbit: 1_000 })
    await checks.until('a nearer one is chosen in its place', chosen, (box) => box === 'b')
    const said = roofs.json<Said>('a', 'gateways_json').map((each) => [roofs.boxOf(each.orig_address), each.best === true, each.bandwidth_down, each.bandwidth_up])
    checks.equal('both as batctl has them, with what we announced', said.sort(), [['b', true, 80, 10], ['d', false, 200, 50]])
    const [before, lostAt] = [seen.told.length, performance.now()]
    await modes.get('b')?.set({ kind: 'client' })
    await checks.until('b has lost its way out: a takes d', chosen, (box) => box === 'd')
    checks.notes['way out lost at one box → another chosen, s'] = Math.round((performance.now() - lostAt) / 10) / 100
    checks.add('that was told', seen.told.slice(before).some(({ change }) => change.kind === 'gateway' && roofs.boxOf(change.node.originator) === 'd' && change.node.gateway?.isChosen === true), seen.told.slice(before))
    checks.equal('as batctl has it', roofs.json<Said>('a', 'gateways_json').filter((each) => each.best === true).map((each) => roofs.boxOf(each.orig_address)), ['d'])
    await modes.get('d')?.set({ kind: 'client' })
    await checks.until('no way out is left', gateways, (list) => list.length === 0)
  } finally {
    seen.stop()
    for (const [, netlink] of netlinks) netlink.close()
  }
}
