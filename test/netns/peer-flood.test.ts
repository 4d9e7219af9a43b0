/**
 * Somebody on the link forges and repeats beacons, hundreds a second from many addresses, and holds connections that say nothing: boxes
 * that have found each other stay together, and what they keep of strangers stays bounded.
 */
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { NEEDS_ROOT } from '../support/gate-town.ts'
import { Namespace, isRoot, runProgram } from '../support/netns.ts'

const CHILD = fileURLToPath(new URL('./peer-child.ts', import.meta.url))
const FORGER = fileURLToPath(new URL('./mesh-programs/forger.py', import.meta.url))
const GROUP = 'ff02::4d42'
const PORT = 40_003
const FORGED_ADDRESSES = 200
const FLOOD_SECONDS = 10
/** A hundred forged addresses are dialled meanwhile. */
const PATIENCE_MS = 240_000
/** Ended by the test's end, and no sooner. */
const LONG_FLOOD_SECONDS = 600
/** Of the node: addresses to dial, strangers that have not shown who they are, all connections (src/mesh/peers). */
const MOST = { addresses: 256, links: 64, hosts: 256, seated: 50 }

type Said = Record<string, unknown>
const places: Namespace[] = []
afterEach(async () => {
  for (const place of places.splice(0)) {
    await place.killAll()
    await runProgram('ip', ['netns', 'delete', place.name])
  }
})

async function place(): Promise<Namespace> {
  const made = new Namespace(`mf${process.pid.toString(36)}${randomBytes(2).toString('hex')}`)
  expect(await runProgram('ip', ['netns', 'add', made.name])).toMatchObject({ code: 0 })
  places.push(made)
  await made.sysctl('ipv6/conf/default/accept_dad', 0)
  await made.ip('link', 'set', 'lo', 'up')
  return made
}

/** A link that all of them are on. */
async function link(ends: readonly Namespace[]): Promise<void> {
  const middle = await place()
  await middle.ip('link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0')
  await middle.ip('link', 'set', 'br0', 'up')
  for (const [index, end] of ends.entries()) {
    await middle.ip('link', 'add', `port${index}`, 'type', 'veth', 'peer', 'name', 'bat0', 'netns', end.name)
    await middle.ip('link', 'set', `port${index}`, 'master', 'br0', 'up')
    await end.ip('link', 'set', 'bat0', 'up')
  }
}

function listen(at: Namespace, command: string, ...args: string[]): Said[] {
  const child = at.spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Said[] = []
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said))
  return said
}

const box = (at: Namespace, number: number): Said[] => listen(at, process.execPath, '--disable-warning=ExperimentalWarning', CHILD, String(number), 'bat0', 'fd00:5::/64')

async function until(said: readonly Said[], isIt: (one: Said) => boolean): Promise<Said> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = said.find(isIt)
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`not in four minutes: ${isIt.toString()}; ${JSON.stringify(said.slice(-4))}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Three boxes and who means ill, on one link. */
async function street(): Promise<{ readonly a: Namespace; readonly b: Namespace; readonly c: Namespace; readonly forger: Namespace }> {
  const [a, b, c, forger] = [await place(), await place(), await place(), await place()]
  await link([a, b, c, forger])
  for (const [end, address] of [[a, 'fd00:5::a'], [b, 'fd00:5::b'], [c, 'fd00:5::c']] as const) await end.ip('addr', 'add', `${address}/64`, 'dev', 'bat0', 'nodad')
  const own = Array.from({ length: FORGED_ADDRESSES }, (_, n) => `addr add fd00:5::e:${n.toString(16)}/64 dev bat0 nodad`)
  expect(await runProgram('ip', ['-n', forger.name, '-batch', '-'], { input: `${own.join('\n')}\n` })).toMatchObject({ code: 0 })
  // Who dials it waits until he gives up.
  await forger.must('nft', 'add table inet f; add chain inet f in { type filter hook input priority 0; }; add rule inet f in tcp flags & (syn | ack) == syn drop')
  return { a, b, c, forger }
}

const flood = (forger: Namespace, seconds: number): Said[] => listen(forger, 'python3', '-u', FORGER, 'bat0', GROUP, String(PORT), 'fd00:5::e:0', String(FORGED_ADDRESSES), String(seconds))

it('forged and repeated beacons and silent connections part no boxes that know each other, take bounded room, and keep a new one away no longer than they last', async (context) => {
  if (!isRoot()) context.skip(NEEDS_ROOT)
  const { a, b, c, forger } = await street()
  const [one, two] = [box(a, 1), box(b, 2)]
  await until(one, (said) => said['heard'] === 'hello from 2')
  await until(two, (said) => said['heard'] === 'hello from 1')
  const ill = flood(forger, FLOOD_SECONDS)
  await until(ill, (said) => 'begun' in said)
  // Forged ones are believed for where to dial: that is what a beacon is for.
  await until(one, (said) => Number(said['addresses']) > 20)
  const three = box(c, 3)
  const { sent } = await until(ill, (said) => 'sent' in said)
  expect(sent).toBeGreaterThan(1000)
  expect([...one, ...two].filter((said) => 'closed' in said)).toEqual([])
  await until(one, (said) => said['heard'] === 'hello from 3')
  await until(two, (said) => said['heard'] === 'hello from 3')
  await until(three, (said) => said['heard'] === 'hello from 1')
  const sizes = [...one, ...two, ...three].flatMap((said) => ('sizes' in said ? [said['sizes'] as Record<keyof typeof MOST, number>] : []))
  expect(sizes.length).toBeGreaterThan(10)
  for (const size of sizes) for (const [name, most] of Object.entries(MOST)) expect(size[name as keyof typeof MOST], name).toBeLessThanOrEqual(most)
})

it('a neighbour whose box is started anew amid the flood is met again while it lasts', async (context) => {
  if (!isRoot()) context.skip(NEEDS_ROOT)
  const { a, b, forger } = await street()
  const one = box(a, 1)
  const before = box(b, 2)
  await until(one, (said) => said['heard'] === 'hello from 2')
  await until(before, (said) => said['heard'] === 'hello from 1')
  const ill = flood(forger, LONG_FLOOD_SECONDS)
  await until(ill, (said) => 'begun' in said)
  await until(one, (said) => Number(said['addresses']) > 20)
  await b.killAll()
  await until(one, (said) => 'closed' in said)
  one.length = 0
  const again = box(b, 2)
  await until(one, (said) => said['heard'] === 'hello from 2')
  await until(again, (said) => said['heard'] === 'hello from 1')
  // It goes on all the while.
  expect(ill.some((said) => 'sent' in said)).toBe(false)
})
