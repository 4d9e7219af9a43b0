/**
 * What our rules add to each forwarded packet, with 0, 100 and 1000 other guests' sessions in them.
 *
 * A guest floods a host of the Internet with 64-byte echo requests, each sent when the one before came back
 * (`ping -f`): veth delivers within the sender's own system call, so the CPU time of the ping process is the
 * cost of both directions of the path. Towns that differ in one thing are measured in turns; the difference
 * of a pair, halved, is what that thing costs a packet. A box sells what it routes: the comparison is with
 * a router that has the firewall and NAT every OpenWrt has, not with a kernel without any.
 */
import { join } from 'node:path'
import { TOWN, Town } from '../support/netns.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker } from './box-worker.ts'
import type { BoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow, Summary } from './measure.ts'
import { inTurns, pairs, summary } from './measure.ts'
import type { HoldGateTask } from './workers/hold-gate.ts'

const ROUNDS = 11
const PINGS = 25_000
const WARM_UP_PINGS = 5_000
const SESSIONS = [0, 100, 1000] as const
const AIM_US = 1
const LEASE_MS = 600_000

export const forwarding: Bench = { name: 'forwarding', run }

/** What OpenWrt's firewall does at least: track, accept what is established, masquerade. */
const ROUTER = `table inet router {
  chain passing {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "${TOWN.guestInterface}" oifname "${TOWN.wanInterface}" accept
  }
  chain srcnat {
    type nat hook postrouting priority srcnat;
    oifname "${TOWN.wanInterface}" masquerade
  }
}
`

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const towns: Record<string, Town> = {}
  const gates: BoxWorker[] = []
  const found = async (name: string, firewall: string): Promise<Town> => {
    const town = await Town.create({ guests: 1, addresses: 'static' })
    towns[name] = town
    if (firewall !== '') await town.box.must('nft', firewall)
    return town
  }
  try {
    await found('bare', '')
    await found('router', ROUTER)
    for (const others of SESSIONS) gates.push(await holdGate(place, await found(`${others}`, ROUTER), others))
    const unguarded = await found('unguarded', ROUTER)
    await (await holdGate(place, unguarded, 0)).stop() // the rules stay; nobody puts the table back
    await unguarded.box.must('nft', 'delete', 'table', 'bridge', 'meshbox')
    for (const town of Object.values(towns)) await packetCostUs(town, WARM_UP_PINGS)
    const costs = await inTurns(ROUNDS, Object.fromEntries(Object.entries(towns).map(([name, town]) => [name, () => packetCostUs(town, PINGS)])))
    return rowsOf(costs)
  } finally {
    await Promise.allSettled(gates.map((gate) => gate.stop()))
    for (const town of Object.values(towns)) await town.destroy()
  }
}

function rowsOf(costs: Readonly<Record<string, number[]>>): BenchRow[] {
  const of = (name: string): number[] => costs[name] ?? []
  const added = (name: string, to: string): Summary => summary(pairs(of(name), of(to), (more, less) => more - less))
  const ratio = (name: string, to: string): number => summary(pairs(of(name), of(to), (more, less) => more / less)).p50
  const nothing = { text: '', met: null }
  return [
    ...SESSIONS.map((others): BenchRow => {
      const ours = added(`${others}`, 'router')
      return {
        name: `forwarding: added CPU per packet, ${others} other sessions`,
        unit: 'µs',
        ours,
        peer: { name: 'in all on a plain router', value: summary(of('router')) },
        ratio: ratio(`${others}`, 'router'),
        aim: { text: `≤ ${AIM_US} µs, flat`, met: ours.p50 <= AIM_US },
      }
    }),
    { name: 'forwarding: of it the bridge guard', unit: 'µs', ours: added('0', 'unguarded'), aim: nothing },
    {
      name: 'forwarding: firewall and NAT of a plain router',
      unit: 'µs',
      ours: added('router', 'bare'),
      peer: { name: 'in all without any', value: summary(of('bare')) },
      ratio: ratio('router', 'bare'),
      aim: nothing,
    },
  ]
}

async function holdGate(place: BenchPlace, town: Town, others: number): Promise<BoxWorker> {
  const guest = guestOf(town)
  const dir = join(place.dir, town.prefix)
  const task: HoldGateTask = { text: boxText({ dataDir: dir }), runtimeDir: dir, others, devices: [{ mac: guest.mac, ip4: guest.ip4 }], leaseMs: LEASE_MS }
  const gate = startBoxWorker(town.box, 'hold-gate', task)
  await gate.next()
  return gate
}

function guestOf(town: Town): Town['guests'][number] {
  const [guest] = town.guests
  if (!guest) throw new Error('the town has no guest')
  return guest
}

/** CPU time of one forwarded packet, µs: half of an echo request and its reply. */
async function packetCostUs(town: Town, count: number): Promise<number> {
  const script = `TIMEFORMAT='cpu %U %S'; time ping -n -q -f -s 22 -c ${count} ${TOWN.internet4}`
  const result = await guestOf(town).ns.run('bash', ['-c', script], { timeoutMs: 60_000, env: { LC_ALL: 'C' } })
  const cpu = /^cpu ([\d.]+) ([\d.]+)$/m.exec(result.stderr)
  const received = Number(/(\d+) received/.exec(result.stdout)?.[1] ?? 0)
  if (!cpu || received < count * 0.999) throw new Error(`ping got ${received} of ${count} answers: ${result.stdout}${result.stderr}`)
  return ((Number(cpu[1]) + Number(cpu[2])) * 1e6) / count / 2
}
