/**
 * Events of a real kernel, in a network namespace of its own: the family `netdev` tells of every interface that
 * comes and goes (Linux 6.6 and later). Needs root.
 */
import { randomBytes } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { asError } from '../../../src/base/index.ts'
import { loadGenetlink } from '../../../src/native/index.ts'
import { readAttributes } from '../../../src/native/genetlink-attributes.ts'
import type { Genetlink, GenetlinkDoor, GenetlinkMessage, GenetlinkWatcher } from '../../../src/native/index.ts'
import { builtGenetlink, runGenetlinkProgram } from './genetlink-built.ts'

const ADDED = 2
const DELETED = 3
const INDEX = 1
/** Indexes are counted in each namespace by itself; no machine has as many interfaces. */
const FIRST_OF_OURS = 900_001
const namespace = `gnl-${process.pid}-${randomBytes(2).toString('hex')}`
const namespacePath = `/run/netns/${namespace}`
let addon: string
let door: GenetlinkDoor
let folder: string

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}; this test needs root and iproute2`)
  return stdout
}
const ip = (...args: string[]): string => run('ip', '-n', namespace, ...args)

beforeAll(async () => {
  addon = await builtGenetlink()
  door = loadGenetlink(addon)
  folder = mkdtempSync(join(tmpdir(), 'genetlink-'))
  run('ip', 'netns', 'add', namespace)
})
afterAll(() => {
  spawnSync('ip', ['netns', 'del', namespace])
  rmSync(folder, { recursive: true, force: true })
})

async function open(options: { receiveBytes?: number } = {}): Promise<Genetlink> {
  const netlink = await door.open({ namespacePath, ...options })
  onTestFinished(() => netlink.close())
  return netlink
}

/** Hears everything; `when` resolves as soon as the condition holds. */
class Ear implements GenetlinkWatcher {
  readonly heard: GenetlinkMessage[] = []
  lost = 0
  #waiting: (() => void)[] = []

  onMessage(message: GenetlinkMessage): void {
    this.heard.push(message)
    for (const look of this.#waiting) look()
  }

  onLost(): void {
    this.lost++
    for (const look of this.#waiting) look()
  }

  when(holds: (ear: Ear) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds(this)) return
        this.#waiting = this.#waiting.filter((other) => other !== look)
        resolve()
      }
      this.#waiting.push(look)
      look()
    })
  }

  /** Indexes of the interfaces that came or went. */
  of(command: number): (number | null)[] {
    return this.heard.filter((message) => message.command === command).map(({ attributes }) => readAttributes(attributes).u32(INDEX))
  }
}

async function listening(netlink: Genetlink): Promise<{ ear: Ear; stop: () => void }> {
  const ear = new Ear()
  const stop = await netlink.watch(await netlink.family('netdev'), 'mgmt', ear)
  return { ear, stop }
}

/** A pair of interfaces, and both gone again. */
async function makeAndRemove(netlink: Genetlink, name: string, index?: number): Promise<number[]> {
  const numbers = index === undefined ? [[], []] : [['index', String(index)], ['index', String(index + 1)]]
  ip('link', 'add', name, ...(numbers[0] ?? []), 'type', 'veth', 'peer', 'name', `${name}p`, ...(numbers[1] ?? []))
  const indexes = [await netlink.interfaceIndex(name), await netlink.interfaceIndex(`${name}p`)]
  ip('link', 'del', name)
  return indexes.sort()
}

describe('events', () => {
  it('come from the namespace of the door and from no other', async () => {
    const before = readlinkSync('/proc/thread-self/ns/net')
    const netlink = await open()
    const elsewhere = await door.open()
    onTestFinished(() => elsewhere.close())
    const { ear } = await listening(netlink)
    const { ear: other } = await listening(elsewhere)
    const indexes = await makeAndRemove(netlink, 'one', FIRST_OF_OURS)
    await ear.when(() => ear.of(DELETED).length >= 2)
    expect(ear.of(ADDED).sort()).toEqual(indexes)
    expect(ear.of(DELETED).sort()).toEqual(indexes)
    await elsewhere.families()
    expect(other.heard.map(({ attributes }) => readAttributes(attributes).u32(INDEX)).filter((index) => index !== null && index >= FIRST_OF_OURS)).toEqual([])
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before)
    expect(await asErrorCode(elsewhere.interfaceIndex('one'))).toBe('no-interface')
  })

  it('come to every watch, until it ends', async () => {
    const netlink = await open()
    const [one, two] = [await listening(netlink), await listening(netlink)]
    await makeAndRemove(netlink, 'two')
    await Promise.all([one, two].map(({ ear }) => ear.when(() => ear.of(DELETED).length >= 2)))
    one.stop()
    one.stop()
    const heardBefore = one.ear.heard.length
    await makeAndRemove(netlink, 'three')
    await two.ear.when((ear) => ear.of(DELETED).length >= 4)
    expect(one.ear.heard).toHaveLength(heardBefore)
    two.stop()
    const third = await listening(netlink)
    await makeAndRemove(netlink, 'four')
    await third.ear.when((ear) => ear.of(DELETED).length >= 2)
    expect(two.ear.of(DELETED)).toHaveLength(4)
  })

  it('that a busy service does not read in time are told as lost; what comes later is heard', { timeout: 120_000 }, async () => {
    const netlink = await open({ receiveBytes: 4096 })
    const { ear } = await listening(netlink)
    // Enough for what waits inside the addon (1 MiB) and in the kernel. spawnSync keeps this thread from reading.
    const script = join(folder, 'many')
    writeFileSync(script, Array.from({ length: 1500 }, (_, index) => `link add m${index} type veth peer name n${index}\n`).join(''))
    ip('-batch', script)
    await ear.when(() => ear.lost > 0)
    expect(ear.heard.length).toBeLessThan(3000)
    const indexes = await makeAndRemove(netlink, 'later')
    await ear.when(() => indexes.every((index) => ear.of(DELETED).includes(index)))
    // The answers to questions do not get lost.
    expect(await netlink.interfaceIndex('m7')).toBeGreaterThan(0)
  })

  it('whose watcher throws end the process like any uncaught error', { timeout: 60_000 }, async () => {
    const ended = await runGenetlinkProgram('throwing-watcher.ts', [addon])
    expect(ended.code, ended.output).toBe(1)
    expect(ended.signal).toBeNull()
    expect(ended.output).toContain('on purpose')
  })
})

describe('a namespace', () => {
  it('that is removed meanwhile can still be asked', async () => {
    const name = `${namespace}-x`
    run('ip', 'netns', 'add', name)
    const netlink = await door.open({ namespacePath: `/run/netns/${name}` })
    onTestFinished(() => netlink.close())
    run('ip', 'netns', 'del', name)
    expect(await netlink.interfaceIndex('lo')).toBe(1)
    const stop = new AbortController()
    const doomed = netlink.families({ signal: stop.signal }).catch(asError)
    stop.abort()
    await doomed
    expect(await netlink.families()).not.toHaveLength(0)
  })
})

const asErrorCode = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => (asError(error) as { code?: string }).code,
  )
