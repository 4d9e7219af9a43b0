/** The genetlink addon against this machine's kernel: every Linux has the family `nlctrl`. */
import { readlinkSync } from 'node:fs'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MeshBoxError, asError, fromHex } from '../../../src/base/index.ts'
import { createBatadv, createWifi, loadGenetlink, u32Attribute } from '../../../src/native/index.ts'
import { readAttributes, textAttribute } from '../../../src/native/genetlink-attributes.ts'
import { GenetlinkRefused, MAX_GENETLINK_REQUEST_BYTES, MAX_GENETLINK_WAITING } from '../../../src/native/genetlink.ts'
import type { Genetlink, GenetlinkDoor, GenetlinkFamily } from '../../../src/native/index.ts'
import { builtGenetlink, runGenetlinkProgram } from './genetlink-built.ts'

const GET_FAMILY = 3
const NOTHING = new Uint8Array(0)
let door: GenetlinkDoor
let path: string
beforeAll(async () => {
  path = await builtGenetlink()
  door = loadGenetlink(path)
})

async function open(): Promise<{ netlink: Genetlink; nlctrl: GenetlinkFamily }> {
  const netlink = await door.open()
  onTestFinished(() => netlink.close())
  return { netlink, nlctrl: await netlink.family('nlctrl') }
}

/** What the promise was rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    (value) => new Error(`fulfilled with ${String(value)}`),
    (error: unknown) => asError(error),
  )

describe('families', () => {
  it('are listed and found by name, with their groups', async () => {
    const { netlink, nlctrl } = await open()
    expect(nlctrl).toMatchObject({ id: 16, name: 'nlctrl' })
    expect(nlctrl.groups.get('notify')).toBeGreaterThan(0)
    const families = await netlink.families()
    expect(families).toContainEqual(nlctrl)
    for (const family of families) expect(await netlink.family(family.name)).toEqual(family)
  })

  it('that are not there are named', async () => {
    const { netlink } = await open()
    expect(await errorOf(netlink.family('nonexistent'))).toMatchObject({ kind: 'unavailable', code: 'genetlink-no-family', value: 'nonexistent' })
  })

  it('missing batman-adv or Wi-Fi says what to do', async () => {
    const { netlink } = await open()
    const known = (await netlink.families()).map(({ name }) => name)
    const absent = { batadv: createBatadv(netlink).mesh('bat0'), nl80211: createWifi(netlink).interfaces() }
    const codes = { batadv: 'no-batman-adv', nl80211: 'no-wifi' }
    for (const [family, asked] of Object.entries(absent)) {
      const error = await errorOf(asked)
      if (known.includes(family)) expect((error as MeshBoxError).code, 'this machine has it').not.toBe(codes[family as keyof typeof codes])
      else expect(error).toMatchObject({ kind: 'unavailable', code: codes[family as keyof typeof codes], message: expect.stringContaining('kmod') as string })
    }
  })
})

describe('requests', () => {
  it('are answered in the order they were made, lists and single ones mixed', async () => {
    const { netlink, nlctrl } = await open()
    const order: number[] = []
    const asked = Array.from({ length: 100 }, async (_, index) => {
      const messages = index % 3 === 0 ? await netlink.dump(nlctrl, GET_FAMILY, NOTHING) : await netlink.request(nlctrl, GET_FAMILY, textAttribute(2, 'nlctrl'))
      order.push(index)
      return messages.map(({ attributes }) => readAttributes(attributes).text(2))
    })
    const answers = await Promise.all(asked)
    expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index))
    for (const [index, names] of answers.entries()) {
      if (index % 3 !== 0) expect(names).toEqual(['nlctrl'])
      else expect(names.length).toBeGreaterThan(1)
    }
  })

  it('that the kernel refuses carry its errno and its words', async () => {
    const { netlink, nlctrl } = await open()
    const unterminated = await errorOf(netlink.request(nlctrl, GET_FAMILY, fromHex('0600020041420000')))
    expect(unterminated).toBeInstanceOf(GenetlinkRefused)
    expect(unterminated).toMatchObject({ kind: 'unavailable', code: 'genetlink-refused', errno: 'EINVAL' })
    expect((unterminated as GenetlinkRefused).words).not.toBe('')
    expect(unterminated.message).toContain((unterminated as GenetlinkRefused).words)
    expect(await errorOf(netlink.request(nlctrl, 99, NOTHING))).toMatchObject({ errno: 'EOPNOTSUPP' })
    expect(await errorOf(netlink.request({ ...nlctrl, id: 1000 }, GET_FAMILY, NOTHING))).toMatchObject({ errno: 'ENOENT' })
    // After each of them the next one is answered.
    expect(await netlink.request(nlctrl, GET_FAMILY, textAttribute(2, 'nlctrl'))).toHaveLength(1)
  })

  it('with a longer answer than allowed fail alone', async () => {
    const { netlink, nlctrl } = await open()
    const results = await Promise.all([netlink.dump(nlctrl, GET_FAMILY, NOTHING), errorOf(netlink.dump(nlctrl, GET_FAMILY, NOTHING, { answerBytes: 500 })), netlink.dump(nlctrl, GET_FAMILY, NOTHING)])
    expect(results[1]).toMatchObject({ kind: 'limit', code: 'genetlink-too-long' })
    expect(results[2]).toEqual(results[0])
  })

  it('with wrong arguments are refused before they are sent', async () => {
    const { netlink, nlctrl } = await open()
    const wrong: Record<string, Promise<unknown>> = {
      command: netlink.request(nlctrl, 256, NOTHING),
      attributes: netlink.request(nlctrl, 1, new Uint8Array(MAX_GENETLINK_REQUEST_BYTES + 1)),
      answerBytes: netlink.request(nlctrl, 1, NOTHING, { answerBytes: 0.5 }),
      name: netlink.family('a-name-of-sixteen'),
      interface: netlink.interfaceIndex('an-interface-0000'),
    }
    for (const [field, promise] of Object.entries(wrong)) expect(await errorOf(promise), field).toMatchObject({ kind: 'input', field })
    for (const name of ['', 'a\0b']) expect(await errorOf(netlink.family(name))).toMatchObject({ kind: 'input', field: 'name' })
    expect(await netlink.request(nlctrl, GET_FAMILY, u32Attribute(9999, 1)).catch(asError)).toBeInstanceOf(Error)
  })

  it('beyond the limit of those that wait are refused', async () => {
    const { netlink, nlctrl } = await open()
    const waiting = Array.from({ length: MAX_GENETLINK_WAITING }, () => netlink.dump(nlctrl, GET_FAMILY, NOTHING))
    expect(await errorOf(netlink.families())).toMatchObject({ kind: 'limit', code: 'genetlink-busy' })
    await Promise.all(waiting)
    expect(await netlink.families()).not.toHaveLength(0)
  })

  it('find interfaces by name', async () => {
    const { netlink } = await open()
    expect(await netlink.interfaceIndex('lo')).toBe(1)
    expect(await errorOf(netlink.interfaceIndex('nope0'))).toMatchObject({ kind: 'not-found', code: 'no-interface', field: 'interface', value: 'nope0' })
  })
})

describe('giving up', () => {
  it('rejects at once, and the others are answered', async () => {
    const { netlink, nlctrl } = await open()
    const stop = new AbortController()
    const before = netlink.families()
    const given = Array.from({ length: 20 }, () => errorOf(netlink.dump(nlctrl, GET_FAMILY, NOTHING, { signal: stop.signal })))
    const after = netlink.families()
    stop.abort(new Error('enough'))
    for (const error of await Promise.all(given)) {
      expect(error).toMatchObject({ kind: 'unavailable', code: 'genetlink-given-up' })
      expect(error.cause).toMatchObject({ message: 'enough' })
    }
    expect(await after).toEqual(await before)
    expect(await errorOf(netlink.families({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'genetlink-given-up' })
    expect(await netlink.families()).toEqual(await before)
  })

  it('at any moment of hundreds of requests leaves the right answers to the others', async () => {
    const { netlink, nlctrl } = await open()
    const expected = await netlink.families()
    for (let round = 0; round < 40; round++) {
      const stop = new AbortController()
      const doomed = [0, 1, 2].map(() => errorOf(netlink.dump(nlctrl, GET_FAMILY, NOTHING, { signal: stop.signal })))
      const kept = netlink.families()
      await (round % 2 === 0 ? netlink.interfaceIndex('lo') : Promise.resolve())
      stop.abort()
      await Promise.all(doomed)
      expect(await kept).toEqual(expected)
    }
  })
})

describe('closing', () => {
  it('ends all that was asked for, and refuses what comes later', async () => {
    const netlink = await door.open()
    const nlctrl = await netlink.family('nlctrl')
    const stop = await netlink.watch(nlctrl, 'notify', { onMessage: () => undefined, onLost: () => undefined })
    const asked = Array.from({ length: 100 }, () => errorOf(netlink.dump(nlctrl, GET_FAMILY, NOTHING)))
    netlink.close()
    netlink.close()
    for (const error of await Promise.all(asked)) expect(error).toMatchObject({ kind: 'unavailable', code: 'genetlink-closed' })
    stop()
    for (const late of [netlink.families(), netlink.interfaceIndex('lo'), netlink.watch(nlctrl, 'notify', { onMessage: () => undefined, onLost: () => undefined })])
      expect(await errorOf(late)).toMatchObject({ kind: 'unavailable', code: 'genetlink-closed' })
  })

  it('of one door leaves the others open', async () => {
    const [one, other] = [await door.open(), await door.open()]
    const answer = other.families()
    one.close()
    expect(await answer).not.toHaveLength(0)
    other.close()
  })

  it('hundreds of times, with requests under way, keeps neither threads nor sockets', { timeout: 120_000 }, async () => {
    const ended = await runGenetlinkProgram('open-close.ts', [path, '300'])
    expect(ended, ended.output).toMatchObject({ code: 0, signal: null })
    expect(JSON.parse(ended.output)).toEqual({ newThreads: 0, newDescriptors: 0 })
  })
})

describe('opening', () => {
  it('says why it cannot', async () => {
    const cases = { '/nonexistent/net': 'ENOENT', '/etc/hostname': 'EINVAL' }
    for (const [namespacePath, errno] of Object.entries(cases))
      expect(await errorOf(door.open({ namespacePath })), namespacePath).toMatchObject({ kind: 'unavailable', code: 'genetlink-unusable', message: expect.stringContaining(errno) as string })
    for (const namespacePath of ['', 'a\0b', 'x'.repeat(5000)]) expect(await errorOf(door.open({ namespacePath }))).toMatchObject({ kind: 'input', field: 'namespacePath' })
    expect(await errorOf(door.open({ receiveBytes: -1 }))).toMatchObject({ kind: 'input', field: 'receiveBytes' })
  })

  it('in this very namespace by its path gives the same interfaces, and moves nobody', async () => {
    const before = readlinkSync('/proc/thread-self/ns/net')
    const netlink = await door.open({ namespacePath: '/proc/self/ns/net' })
    onTestFinished(() => netlink.close())
    expect(await netlink.interfaceIndex('lo')).toBe(1)
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before)
  })

  it('without the addon says so', async () => {
    expect(await errorOf(loadGenetlink(null).open())).toMatchObject({ kind: 'unavailable', code: 'no-genetlink', message: expect.stringContaining('install') as string })
  })

  it('of groups that a family does not have names those that it has', async () => {
    const { netlink, nlctrl } = await open()
    const error = await errorOf(netlink.watch(nlctrl, 'gossip', { onMessage: () => undefined, onLost: () => undefined }))
    expect(error).toMatchObject({ kind: 'unavailable', code: 'genetlink-no-group', message: expect.stringContaining('notify') as string })
  })
})

describe('a process', () => {
  it('lives while it waits or watches, and ends by itself otherwise', { timeout: 60_000 }, async () => {
    for (const how of ['idle', 'asked', 'unwatched', 'thrown', 'exit', 'worker'] as const) {
      const ended = await runGenetlinkProgram('lifetime.ts', [path, how])
      expect(ended.signal, `${how}: ${ended.output}`).toBeNull()
      expect(ended.code, `${how}: ${ended.output}`).toBe(how === 'thrown' ? 1 : how === 'exit' ? 7 : 0)
      if (how === 'asked') expect(ended.output.trim()).toBe('answered')
      if (how === 'thrown') expect(ended.output).toContain('on purpose')
      if (how === 'worker') expect(ended.output.trim()).toBe('12 threads ended')
    }
  })
})
