/** Two hundred originators, which somebody outside says (../mesh-crowd.ts): all are listed, and what listing them costs beside batctl. */
import { readdirSync } from 'node:fs'
import { createBatadv } from '../../../src/native/index.ts'
import type { GenetlinkDoor } from '../../../src/native/index.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import { run, runAnyway } from '../genetlink-guest/line.ts'

const ORIGINATORS = 200
/** Of what is noted, in milliseconds. */
export const CROWD_NOTES = { ours: '200 originators listed by us, ms', cpu: 'CPU of it, ms', batctl: 'by batctl as a program, ms' } as const
const TIMES = 30
const BATCTL_TIMES = 5

export async function checkCrowd(door: GenetlinkDoor, checks: Checks): Promise<void> {
  const card = readdirSync('/sys/class/net').find((name) => /^(eth|en)/.test(name))
  if (card === undefined) throw new Error('the machine has no network card')
  const netlink = await door.open()
  try {
    run('sh', '-ec', `batctl meshif bat0 interface create routing_algo BATMAN_IV; batctl meshif bat0 orig_interval 200; ip link set ${card} master bat0 up; ip link set bat0 up`)
    const batadv = createBatadv(netlink)
    await checks.until('all are listed', () => batadv.originators('bat0').then((list) => list.length), (count) => count >= ORIGINATORS)
    const names = (await batadv.originators('bat0')).map(({ originator }) => originator)
    const said = JSON.parse(run('batctl', 'meshif', 'bat0', 'originators_json')) as { orig_address: string }[]
    checks.equal('the same as batctl lists', [...new Set(names)].sort(), [...new Set(said.map((each) => each.orig_address))].sort())
    const before = process.cpuUsage()
    const ours = await median(TIMES, () => batadv.originators('bat0'))
    const used = process.cpuUsage(before)
    checks.notes[CROWD_NOTES.ours] = ours
    checks.notes[CROWD_NOTES.cpu] = Math.round((used.user + used.system) / 10 / TIMES) / 100
    checks.notes[CROWD_NOTES.batctl] = await median(BATCTL_TIMES, () => run('batctl', 'meshif', 'bat0', 'originators'))
  } finally {
    netlink.close()
    runAnyway('ip', 'link', 'del', 'bat0')
  }
}

async function median(times: number, work: () => unknown): Promise<number> {
  const tookMs: number[] = []
  for (let time = 0; time < times; time++) {
    const startedAt = performance.now()
    await work()
    tookMs.push(performance.now() - startedAt)
  }
  return Math.round((tookMs.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0) * 100) / 100
}
