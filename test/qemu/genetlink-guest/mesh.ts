/** batman-adv over three nodes in a line, with both of its algorithms, held against what batctl says. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createBatadv, createWifi } from '../../../src/native/index.ts'
import type { Batadv, BatadvConfigEvent, BatadvOriginator, Genetlink, GenetlinkDoor } from '../../../src/native/index.ts'
import type { Checks } from './checks.ts'
import { Line, run } from './line.ts'
import type { Algorithm, NodeName } from './line.ts'
import type { Recorder } from './recorder.ts'

/** The program that the kernel starts to load a module. */
const MODULE_LOADER = '/proc/sys/kernel/modprobe'

export async function checkBatadv(door: GenetlinkDoor, checks: Checks, recorder: Recorder): Promise<void> {
  await checkAbsence(door, checks)
  for (const algorithm of ['BATMAN_IV', 'BATMAN_V'] as const) {
    const line = new Line(algorithm)
    const opened: Genetlink[] = []
    try {
      const at = async (node: NodeName): Promise<Batadv> => {
        const netlink = await door.open({ namespacePath: line.path(node) })
        opened.push(netlink)
        return createBatadv(recorder.over(netlink, `${algorithm} ${node}`))
      }
      const nodes = { a: await at('a'), b: await at('b'), c: await at('c') }
      await checkLine(algorithm, line, nodes, checks)
      await checkManyAtOnce(algorithm, door, line, checks)
    } finally {
      for (const netlink of opened) netlink.close()
      line.remove()
    }
  }
}

/** Without the module, and cfg80211 that came with it. Asking for a family makes the kernel load its module, so it is kept from that first. */
async function checkAbsence(door: GenetlinkDoor, checks: Checks): Promise<void> {
  run('modprobe', '-r', 'batman_adv')
  const netlink = await door.open()
  const known = (await netlink.families()).map(({ name }) => name)
  checks.add('with the module taken out there is neither batman-adv nor Wi-Fi', !known.includes('batadv') && !known.includes('nl80211'), known)
  const loader = readFileSync(MODULE_LOADER, 'utf8')
  writeFileSync(MODULE_LOADER, '/nonexistent\n')
  try {
    await checks.refuses('without the module: no-batman-adv', 'no-batman-adv', createBatadv(netlink).originators('bat0'))
    await checks.refuses('without the module: no-wifi', 'no-wifi', createWifi(netlink).interfaces())
  } finally {
    writeFileSync(MODULE_LOADER, loader)
  }
  const heard: string[] = []
  const stop = await netlink.watch(await netlink.family('nlctrl'), 'notify', { onMessage: ({ attributes }) => heard.push(Buffer.from(attributes).toString('latin1')), onLost: () => heard.push('lost') })
  await checks.refuses('asking loads the module; then it is the interface that is missing', 'no-interface', createBatadv(netlink).originators('bat0'))
  await checks.until('loading the module is an event of nlctrl', () => heard, (seen) => seen.some((text) => text.includes('batadv')))
  stop()
  netlink.close()
}

async function checkLine(algorithm: Algorithm, line: Line, nodes: Record<NodeName, Batadv>, checks: Checks): Promise<void> {
  const name = (what: string): string => `${algorithm}: ${what}`
  const { a, b } = nodes
  const [rightOfA, leftOfB, leftOfC] = [line.address('a', 'right'), line.address('b', 'left'), line.address('c', 'left')]
  const isMetric = ({ tq, throughputKbit }: { tq: number | null; throughputKbit: number | null }): boolean =>
    algorithm === 'BATMAN_IV' ? tq !== null && tq > 0 && throughputKbit === null : throughputKbit !== null && throughputKbit > 0 && tq === null

  const mesh = await a.mesh('bat0')
  checks.equal(
    name('mesh: algorithm, name, addresses, interval'),
    [mesh.algorithm, mesh.interfaceName, mesh.address, mesh.primary, mesh.originatorIntervalMs, mesh.isBridgeLoopAvoided, mesh.gatewayMode],
    [algorithm, 'bat0', line.address('a', 'bat0'), { interfaceName: 'right', address: rightOfA }, 200, false, 'off'],
  )
  checks.equal(name('mesh: version of the module'), mesh.version, run('cat', '/sys/module/batman_adv/version').trim())

  const hard = await checks.until(name('hard interfaces of b are active'), () => b.hardInterfaces('bat0'), (list) => list.length === 2 && list.every(({ isActive }) => isActive))
  checks.equal(
    name('hard interfaces of b: names and addresses'),
    hard.map(({ interfaceName, address }) => [interfaceName, address]).sort(),
    [['left', leftOfB], ['right', line.address('b', 'right')]].sort(),
  )
checks.add(name('hard interfaces of b: intervals and penalty'), hard.every(({ elpIntervalMs, hopPenalty }) => elpIntervalMs === 500 && hopPenalty !== null), hard)

  // BATMAN_V has a way before it has measured it: until then its throughput is 0.
  const isComplete = (list: readonly BatadvOriginator[]): boolean => list.every(isMetric) && [leftOfB, leftOfC].every((mac) => list.some((entry) => entry.originator === mac && entry.isBest))
  // b's name in the mesh is the address of its first hard interface, `left`; so is c's.
  const originators = await checks.until(name('originators of a: b and c, each with a best way'), () => a.originators('bat0'), isComplete)
  checks.add(name('every way leads over b and has a metric of the algorithm'), originators.every((entry) => entry.neighbour === leftOfB && entry.interfaceName === 'right' && isMetric(entry) && entry.lastSeenMs !== null), originators)
  const said = JSON.parse(line.batctl('a', 'originators_json')) as { orig_address: string; neigh_address: string; best?: boolean }[]
  const seen = await a.originators('bat0')
  checks.equal(
    name('originators as batctl reads them'),
    seen.map((entry) => [entry.originator, entry.neighbour, entry.isBest]).sort(),
    said.map((entry) => [entry.orig_address, entry.neigh_address, entry.best === true]).sort(),
  )

  const neighbours = await checks.until(name('neighbours of b: one on each side'), () => b.neighbours('bat0'), (list) => list.length === 2)
  checks.equal(name('neighbours of b: who'), neighbours.map(({ neighbour, interfaceName }) => [neighbour, interfaceName]).sort(), [[rightOfA, 'left'], [leftOfC, 'right']].sort())
  checks.add(name('neighbours: throughput only with BATMAN_V'), neighbours.every(({ throughputKbit, lastSeenMs }) => (throughputKbit !== null) === (algorithm === 'BATMAN_V') && lastSeenMs !== null), neighbours)

  line.batctl('c', 'gw_mode', 'server', '12mbit/3mbit')
  line.batctl('a', 'gw_mode', 'client')
  const isOurs = (entry: { bandwidthDownKbit: number | null }): boolean => entry.bandwidthDownKbit === 12_000
  const gateways = await checks.until(name('gateways of a: c'), () => a.gateways('bat0'), (list) => list.every(isMetric) && list.some((entry) => entry.originator === leftOfC && isOurs(entry)))
  checks.equal(name('gateway: bandwidth, next hop'), gateways.map((entry) => [entry.bandwidthDownKbit, entry.bandwidthUpKbit, entry.router, entry.interfaceName]), [[12_000, 3_000, leftOfB, 'right']])
  checks.add(name('gateway: metric of the algorithm'), gateways.every(isMetric), gateways)
  await checks.until(name('the only gateway is the best'), () => a.gateways('bat0'), ([gateway]) => gateway?.isBest === true)
  const way = (await a.originators('bat0')).find((entry) => entry.originator === leftOfC && entry.isBest)
  const [toGateway] = await a.gateways('bat0')
  const ratio = (toGateway?.throughputKbit ?? toGateway?.tq ?? 0) / (way?.throughputKbit ?? way?.tq ?? 0)
  checks.add(name('gateway: metric in the unit of its originator'), ratio > 0.2 && ratio < 5, { toGateway, way })
  checks.equal(name('mesh of c: gateway server'), await nodes.c.mesh('bat0').then(({ gatewayMode, gatewayDownKbit, gatewayUpKbit }) => [gatewayMode, gatewayDownKbit, gatewayUpKbit]), ['server', 12_000, 3_000])

  line.in('a', 'ping', '-c', '3', '-i', '0.3', '-w', '60', '10.77.0.3')
  line.in('a', 'ip', 'link', 'add', 'link', 'bat0', 'name', 'bat0.7', 'type', 'vlan', 'id', '7')
  line.in('a', 'ip', 'link', 'set', 'bat0.7', 'up')
  const own = line.address('a', 'bat0')
  const local = await checks.until(name('local translations of a: itself, plain and in VLAN 7'), () => a.localTranslations('bat0'), (list) => [null, 7].every((vlan) => list.some((entry) => entry.address === own && entry.vlan === vlan)))
  checks.add(name('local translations: itself is never purged, and has a checksum'), local.filter(({ address }) => address === own).every(({ flags, crc32, lastSeenMs }) => flags.isNeverPurged && crc32 !== null && lastSeenMs === null), local)
  const clientOfC = line.address('c', 'bat0')
  const global = await checks.until(name('global translations of a: the client of c'), () => a.globalTranslations('bat0'), (list) => list.some((entry) => entry.address === clientOfC && entry.originator === leftOfC))
  checks.add(name('global translations: version, checksum, best'), global.some((entry) => entry.address === clientOfC && entry.isBest && entry.crc32 !== null && entry.version !== null && !entry.flags.isDeleted), global)

  const backbones = await a.backbones('bat0')
  checks.add(name('backbones: itself alone, plain and in VLAN 7'), backbones.length === 2 && backbones.every(({ backbone, isOwn }) => backbone === rightOfA && isOwn), backbones)
  checks.equal(name('no claims'), await a.claims('bat0'), [])
  await checkEvents(name, line, a, checks)
  await checks.refuses(name('an interface that is not there'), 'no-interface', a.originators('bat9'))
  await checks.refuses(name('an interface that is no mesh, a list'), 'no-mesh-interface', a.originators('lo'))
  await checks.refuses(name('an interface that is no mesh, its information'), 'no-mesh-interface', a.mesh('lo'))
  line.in('a', 'batctl', 'meshif', 'bat1', 'interface', 'create')
  await checks.refuses(name('a mesh without hard interfaces'), 'mesh-idle', a.originators('bat1'))
  checks.equal(name('a mesh without hard interfaces has no primary'), (await a.mesh('bat1')).primary, null)
}

async function checkEvents(name: (what: string) => string, line: Line, a: Batadv, checks: Checks): Promise<void> {
  const events: BatadvConfigEvent[] = []
  const stop = await a.watchConfig({ onEvent: (event) => events.push(event), onLost: () => events.push({ kind: 'mesh', mesh: null as never }) })
  line.batctl('a', 'orig_interval', '300')
  line.in('a', 'batctl', 'hardif', 'right', 'hop_penalty', '5')
  line.in('a', 'batctl', 'vlan', 'bat0.7', 'ap_isolation', '1')
  await checks.until(name('three changed settings, three events'), () => events, (list) => list.length >= 3)
  const [mesh, hard, vlan] = events
  checks.equal(name('event: the mesh and its new interval'), mesh?.kind === 'mesh' && [mesh.mesh.interfaceName, mesh.mesh.originatorIntervalMs], ['bat0', 300])
  checks.equal(name('event: the hard interface and its new penalty'), hard?.kind === 'hard-interface' && [hard.meshName, hard.hardInterface.interfaceName, hard.hardInterface.hopPenalty], ['bat0', 'right', 5])
  checks.equal(name('event: the VLAN and its isolation'), vlan?.kind === 'vlan' && [vlan.meshName, vlan.vlan, vlan.isApIsolated], ['bat0', 7, true])
  stop()
  line.batctl('a', 'orig_interval', '200')
  checks.equal(name('nothing is told after the watch has ended'), [(await a.mesh('bat0')).originatorIntervalMs, events.length], [200, 3])
}

/** Hundreds of requests under way when the door closes: every one is answered or told that it is over. */
async function checkManyAtOnce(algorithm: Algorithm, door: GenetlinkDoor, line: Line, checks: Checks): Promise<void> {
  const netlink = await door.open({ namespacePath: line.path('b') })
  const batadv = createBatadv(netlink)
  const startedAt = performance.now()
  const CALLS = 50
  const cpuBefore = process.cpuUsage()
  for (let i = 0; i < CALLS; i++) await batadv.originators('bat0')
  const cpu = process.cpuUsage(cpuBefore)
  checks.notes[`${algorithm}: one list of originators (three requests), wall ms`] = rounded((performance.now() - startedAt) / CALLS)
  checks.notes[`${algorithm}: the same, CPU ms`] = rounded((cpu.user + cpu.system) / 1000 / CALLS)
  const many = Array.from({ length: 60 }, () => Promise.all([batadv.originators('bat0'), batadv.neighbours('bat0')]))
  await many[0]
  netlink.close()
  const results = await Promise.allSettled(many)
  const isOver = (result: PromiseSettledResult<unknown>): boolean => result.status === 'fulfilled' || (result.reason as { code?: string }).code === 'genetlink-closed'
  checks.add(`${algorithm}: closing under load settles everything`, results.every(isOver), results.filter((result) => !isOver(result)).map(String))
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
