/**
 * Boxes that find each other by the beacon: real namespaces joined by veth links, real multicast, no default route, nothing
 * but unique local addresses. A second interface leads to somebody who must find and be found by nobody.
 */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { afterEach, expect, it } from 'vitest'
import { Namespace, runProgram } from '../support/netns.ts'

const CHILD = new URL('./peer-child.ts', import.meta.url).pathname
const places: Namespace[] = []
afterEach(async () => {
  for (const place of places.splice(0)) {
    await place.killAll()
    await runProgram('ip', ['netns', 'delete', place.name])
  }
})

type Said = Record<string, unknown>

interface Box {
  readonly place: Namespace
  readonly said: Said[]
  readonly child: ChildProcess
}

async function place(): Promise<Namespace> {
  const made = new Namespace(`mp${process.pid.toString(36)}${randomBytes(2).toString('hex')}`)
  expect(await runProgram('ip', ['netns', 'add', made.name])).toMatchObject({ code: 0 })
  places.push(made)
  await made.sysctl('ipv6/conf/default/accept_dad', 0)
  await made.ip('link', 'set', 'lo', 'up')
  return made
}

async function join(a: Namespace, b: Namespace, nameAtA: string, nameAtB: string): Promise<void> {
  await a.ip('link', 'add', nameAtA, 'type', 'veth', 'peer', 'name', nameAtB, 'netns', b.name)
  await a.ip('link', 'set', nameAtA, 'up')
  await b.ip('link', 'set', nameAtB, 'up')
}

function start(at: Namespace, number: number, interfaceName = 'bat0'): Box {
  const child = at.spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, String(number), interfaceName, 'fd00:5::/64'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Said[] = []
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said))
  return { place: at, said, child }
}

async function until(box: Box, key: string, test: (value: unknown) => boolean = () => true): Promise<Said> {
  const end = Date.now() + 60_000
  for (;;) {
    const found = box.said.find((one) => key in one && test(one[key]))
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`no ${key} in a minute: ${JSON.stringify(box.said.slice(-5))}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

it('two boxes on one link find each other without any route, and talk', async () => {
  const [a, b] = [await place(), await place()]
  await join(a, b, 'bat0', 'bat0')
  await a.ip('addr', 'add', 'fd00:5::a/64', 'dev', 'bat0', 'nodad')
  await b.ip('addr', 'add', 'fd00:5::b/64', 'dev', 'bat0', 'nodad')
  expect(await a.ip('-6', 'route', 'show', 'default')).toBe('')
  const [one, two] = [start(a, 1), start(b, 2)]
  expect(await until(one, 'opened')).toMatchObject({ side: 'mesh', address: expect.stringMatching(/^\/ip6\/fd00:5:/) as string })
  expect(await until(two, 'heard')).toMatchObject({ heard: 'hello from 1' })
  expect(await until(one, 'heard')).toMatchObject({ heard: 'hello from 2' })
})

it('a box whose address comes later is found then, and says until then why not', async () => {
  const [a, b] = [await place(), await place()]
  await join(a, b, 'bat0', 'bat0')
  await a.ip('addr', 'add', 'fd00:5::a/64', 'dev', 'bat0', 'nodad')
  const [one, two] = [start(a, 1), start(b, 2)]
  expect(await until(two, 'trouble', (trouble) => trouble !== null)).toMatchObject({ trouble: expect.stringContaining('unique local address') as string })
  await b.ip('addr', 'add', 'fd00:5::b/64', 'dev', 'bat0', 'nodad')
  await until(one, 'opened')
  await until(two, 'trouble', (trouble) => trouble === null)
})

it('the beacon is said and heard on one interface only', async () => {
  const [a, guest, b] = [await place(), await place(), await place()]
  await join(a, b, 'bat0', 'bat0')
  await join(a, guest, 'br-guest', 'eth0')
  await a.ip('addr', 'add', 'fd00:5::a/64', 'dev', 'bat0', 'nodad')
  await b.ip('addr', 'add', 'fd00:5::b/64', 'dev', 'bat0', 'nodad')
  // The guest has given itself an address of the mesh, and knows the way to the box.
  await guest.ip('addr', 'add', 'fd00:5::66/64', 'dev', 'eth0', 'nodad')
  const [one, stranger] = [start(a, 1), start(guest, 3, 'eth0')]
  await until(stranger, 'trouble', (trouble) => trouble === null)
  const two = start(b, 2)
  await until(one, 'opened')
  await until(two, 'heard')
  // Three seconds of the stranger's beacons were sent by now.
  for (let beats = stranger.said.length; stranger.said.length < beats + 6; ) await new Promise((resolve) => setTimeout(resolve, 100))
  expect(one.said.filter((said) => 'opened' in said)).toHaveLength(1)
  expect(stranger.said.filter((said) => 'opened' in said)).toEqual([])
  expect(stranger.said.at(-1)).toMatchObject({ addresses: 0 })
})

it('a link that goes down is no failure: the boxes find each other again', async () => {
  const [a, b] = [await place(), await place()]
  await join(a, b, 'bat0', 'bat0')
  await a.ip('addr', 'add', 'fd00:5::a/64', 'dev', 'bat0', 'nodad')
  await b.ip('addr', 'add', 'fd00:5::b/64', 'dev', 'bat0', 'nodad')
  const one = start(a, 1)
  const first = start(b, 2)
  await until(one, 'opened')
  first.child.kill('SIGKILL')
  await until(one, 'closed')
  await b.ip('link', 'set', 'bat0', 'down')
  await until(one, 'trouble')
  await b.ip('link', 'set', 'bat0', 'up')
  await b.ip('addr', 'replace', 'fd00:5::b/64', 'dev', 'bat0', 'nodad') // IPv6 addresses go with the link
  one.said.length = 0
  start(b, 2)
  await until(one, 'opened')
})
