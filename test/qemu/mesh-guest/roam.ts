/**
 * A guest who walks between two boxes of one layer-2 network, as with `roam_enforcement 'exit'`: their bridges for guests have bat0 for a
 * port, and the gate is at the box with the way out, d. batman-adv's translation table tells where he is; he keeps his address.
 *
 *   walker ─ br-guest ─ bat0 of b ... c ─ br-guest ─ (he walks there)      d: the way out
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { GenetlinkDoor } from '../../../src/native/index.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import { run, runAnyway } from '../genetlink-guest/line.ts'
import { LINE, Roofs } from './roofs.ts'
import { lookAt } from './seen.ts'

const WALKER_MAC = '02:6d:00:00:77:01'
const ADDRESS = '10.77.0.77'
const ACCESS = ['b', 'c'] as const
const WALKS = 2

export async function checkRoaming(door: GenetlinkDoor, checks: Checks): Promise<void> {
  const roofs = new Roofs('BATMAN_IV', LINE)
  const walker = `walker${process.pid}`
  const seen = await lookAt(door, roofs.path('d'))
  let stop = (): void => undefined
  try {
    for (const box of ACCESS) roofs.in(box, 'sh', '-ec', 'ip link add br-guest type bridge forward_delay 0; ip link set bat0 master br-guest; ip link set br-guest up')
    const [first] = ACCESS
    run('sh', '-ec', `ip netns add ${walker}; ip -n ${walker} link add eth0 address ${WALKER_MAC} type veth peer name walker netns ${roofs.place(first)}; ip -n ${walker} addr add ${ADDRESS}/24 dev eth0; ip -n ${walker} link set eth0 up`)
    plug(roofs, first)
    const pings = talk(walker, roofs.address('d'))
    stop = pings.stop
    const where = (): string | null => roofs.boxOf(seen.view.state().clients.find(({ mac }) => mac === WALKER_MAC)?.originator ?? null)
    await checks.until('the guest talks with the way out', () => pings.atMs.length, (count) => count > 0)
    await checks.until(`d knows that he is at ${first}`, where, (box) => box === first)
    const gaps: number[] = []
    for (let walk = 0; walk < WALKS; walk++) {
      const [from, to] = [ACCESS[walk % 2] ?? 'b', ACCESS[(walk + 1) % 2] ?? 'c']
      run('sh', '-ec', `ip -n ${roofs.place(from)} link set walker nomaster; ip -n ${roofs.place(from)} link set walker netns ${roofs.place(to)}`)
      const arrivedMs = performance.now()
      plug(roofs, to)
      await checks.until(`walk ${walk + 1}: he goes on at ${to}, with the address that he had`, () => pings.atMs.some((at) => at > arrivedMs), Boolean)
      gaps.push((pings.atMs.find((at) => at > arrivedMs) ?? Number.NaN) - arrivedMs)
      await checks.until(`walk ${walk + 1}: d knows that he is at ${to}`, where, (box) => box === to)
      const said = roofs.json<{ readonly tt_address: string; readonly orig_address: string; readonly best?: boolean }>('d', 'transtable_global_json').filter((entry) => entry.tt_address === WALKER_MAC && entry.best === true)
      checks.equal(`walk ${walk + 1}: as batctl has it`, [...new Set(said.map((entry) => roofs.boxOf(entry.orig_address)))], [to])
    }
    checks.notes['walk to another box of one layer-2 network → first answer, s'] = gaps.map((gap) => Math.round(gap / 10) / 100).join(', ')
  } finally {
    stop()
    seen.stop()
    runAnyway('ip', 'netns', 'del', walker)
    roofs.remove()
  }
}

/** The guest's cable into the bridge of `box`. */
function plug(roofs: Roofs, box: string): void {
  roofs.in(box, 'sh', '-ec', 'ip link set walker master br-guest; ip link set walker up')
}

/** One ping each 100 ms, and when answers came. */
function talk(place: string, to: string): { readonly atMs: readonly number[]; stop(): void } {
  const child = spawn('ip', ['netns', 'exec', place, 'ping', '-n', '-i', '0.1', to], { stdio: ['ignore', 'pipe', 'ignore'] })
  const atMs: number[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes('bytes from')) atMs.push(performance.now())
  })
  return { atMs, stop: () => void child.kill('SIGKILL') }
}
