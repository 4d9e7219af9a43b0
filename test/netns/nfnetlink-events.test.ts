/** What Nfnetlink tells of changes: our own, other processes', and those the kernel makes by itself. */
import { execFile } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hostWord } from '../../src/native/index.ts'
import type { NfChange, NfEvent, NfNewElement } from '../../src/native/index.ts'
import { NfPlace, Told, plainElement } from './nfnetlink-place.ts'

let place: NfPlace
let told: Told
beforeEach(async () => {
  place = await NfPlace.create()
  await place.nft('add table inet t', 'add set inet t paid { type classid; flags timeout; }', 'add set inet t bytes { type classid; counter; }', 'add map inet t quotas { type classid : quota; }')
  told = new Told()
})
afterEach(() => place.destroy())

const inet = { family: 'inet', table: 't' } as const
const add = (set: string, ...elements: NfNewElement[]): NfChange => ({ op: 'add-elements', ...inet, set, elements })
const remove = (set: string, ...keys: Uint8Array[]): NfChange => ({ op: 'delete-elements', ...inet, set, elements: keys.map((key) => ({ key })) })
const generations = (): Extract<NfEvent, { kind: 'generation' }>[] => told.events.filter((event) => event.kind === 'generation')
/** All but generations, as short texts. */
const shown = (): string[] =>
  told.events.flatMap((event) => (event.kind === 'generation' ? [] : event.kind === 'quota-used-up' ? [`used up ${event.quota.name}`] : [`${event.change} ${event.kind} ${event.family} ${event.table} ${event.name}`.trim()]))

/** nft's process id, and its end. */
function nftProcess(...commands: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = execFile('ip', ['netns', 'exec', place.name, 'nft', commands.join('\n')], (error) => (error === null ? resolve(child.pid ?? 0) : reject(error)))
  })
}

describe('a watch', () => {
  it('tells what a transaction did, in its order, then who made it', async () => {
    place.nf.watch(told.watcher)
    await place.nf.commit([
      { op: 'add-quota', ...inet, quota: { name: 'pass', bytes: 10, usedBytes: 1, isOver: true } },
      add('quotas', { key: hostWord(1), object: 'pass' }),
      add('paid', { key: hostWord(1), timeoutMs: 60_000 }, { key: hostWord(2) }),
      remove('paid', hostWord(2)),
    ])
    await told.generations(1)
    expect(shown()).toEqual(['new object inet t pass', 'new element inet t quotas', 'new element inet t paid', 'new element inet t paid', 'deleted element inet t paid'])
    expect(told.events.every((event) => event.kind === 'quota-used-up' || event.isOwn)).toBe(true)
    expect(told.events[0]).toMatchObject({ quota: { name: 'pass', bytes: 10, usedBytes: 1, isOver: true }, element: null })
    expect(told.events[1]).toMatchObject({ quota: null, element: plainElement({ key: hostWord(1), object: 'pass' }) })
    expect(told.events[2]).toMatchObject({ element: { key: hostWord(1), timeoutMs: 60_000 } })
    const [generation] = generations()
    expect(generation).toMatchObject({ pid: process.pid, isOwn: true, id: await place.nf.generation() })
  })

  it('tells the last count of an element that is deleted', async () => {
    await place.nf.commit([add('bytes', { key: hostWord(1), counter: { packets: 9, bytes: 999 } })])
    place.nf.watch(told.watcher)
    await place.nf.commit([remove('bytes', hostWord(1))])
    await told.generations(1)
    expect(told.events[0]).toMatchObject({ change: 'deleted', element: plainElement({ key: hostWord(1), counter: { packets: 9, bytes: 999 } }) })
  })

  it('tells the hands of strangers from our own, by name', async () => {
    place.nf.watch(told.watcher)
    const pid = await nftProcess(
      'add chain inet t doors { type filter hook input priority 0; }',
      'add rule inet t doors drop',
      'add set inet t more { type ipv4_addr; elements = { 10.0.0.1 } }',
      'delete set inet t bytes',
      'add table bridge t',
      'add counter inet t everything',
    )
    await told.generations(1)
    expect(shown()).toEqual([
      'new chain inet t doors',
      'new rule inet t doors',
      'new set inet t more',
      'new element inet t more',
      'deleted set inet t bytes',
      'new table bridge t',
      'new object inet t everything',
    ])
    expect(told.events.some((event) => event.kind !== 'quota-used-up' && event.isOwn)).toBe(false)
    expect(generations()).toMatchObject([{ pid, processName: 'nft', isOwn: false }])
    await nftProcess('delete table inet t')
    await told.generations(2)
    expect(shown()).toContain('deleted table inet t')
  })

  it('may leave out what we do ourselves; another door of the same process is a stranger', async () => {
    place.nf.watch(told.watcher, { skipOwn: true })
    await place.nf.commit([add('paid', { key: hostWord(1) })])
    await place.another().commit([add('paid', { key: hostWord(2) })])
    await told.generations(1)
    expect(told.events).toMatchObject([{ kind: 'element', isOwn: false, element: { key: hostWord(2) } }, { kind: 'generation', isOwn: false, pid: process.pid }])
  })

  it('tells nothing of a transaction that was refused', async () => {
    place.nf.watch(told.watcher)
    await expect(place.nf.commit([add('paid', { key: hostWord(1) }), remove('paid', hostWord(7))])).rejects.toMatchObject({ errno: 'ENOENT' })
    await place.nf.commit([add('paid', { key: hostWord(3) })])
    await told.generations(1)
    expect(told.events).toMatchObject([{ kind: 'element', element: { key: hostWord(3) } }, { kind: 'generation' }])
  })

  it('tells when packets have used up a quota', async () => {
    await place.nft('add quota inet t pass { over 100 bytes }', 'add chain inet t out { type filter hook output priority 0; }', 'add rule inet t out ip protocol icmp quota name "pass" drop')
    await place.run('ip', 'link', 'set', 'lo', 'up')
    place.nf.watch(told.watcher)
    await place.run('ping', '-c', '3', '-i', '0.2', '-W', '1', '127.0.0.1')
    await told.until(() => told.events.length > 0)
    // In an IPv4 packet's name, although the table is one of inet.
    expect(told.events).toEqual([{ kind: 'quota-used-up', family: 'ip', table: 't', quota: { name: 'pass', bytes: 100, usedBytes: 100, isOver: true } }])
  })

  it('that is ended is told nothing more, also from within, and leaves others alone', async () => {
    const [ended, other] = [new Told(), new Told()]
    const stop = place.nf.watch({
      onEvents: (events) => {
        ended.watcher.onEvents(events)
        stop()
        stop()
      },
      onLost: ended.watcher.onLost,
    })
    place.nf.watch(other.watcher)
    place.nf.watch(told.watcher)
    await place.nf.commit([add('paid', { key: hostWord(1) })])
    await other.generations(1)
    await ended.generations(1)
    await place.nf.commit([add('paid', { key: hostWord(2) })])
    await Promise.all([other.generations(2), told.generations(2)])
    expect(ended.events).toHaveLength(2)
  })

  it('says when events were lost, and goes on', async () => {
    place.nf.watch(told.watcher, { bufferBytes: 65_536 })
    const keys = Array.from({ length: 5000 }, (_, index) => index + 1)
    place.nftAtOnce(`add element inet t paid { ${keys.join(', ')} }`) // the loop stands still meanwhile
    await told.until(() => told.losses > 0)
    expect(told.events.length).toBeLessThan(5000)
    told.events.length = 0
    await place.nf.commit([add('bytes', { key: hostWord(1) })])
    await told.until(() => told.events.some((event) => event.kind === 'generation' && event.isOwn))
    expect(shown()).toContain('new element inet t bytes')
  })

  it('has room for thousands of changes while the loop stands still', async () => {
    place.nf.watch(told.watcher)
    const keys = Array.from({ length: 5000 }, (_, index) => index + 1)
    place.nftAtOnce(`add element inet t paid { ${keys.join(', ')} }`)
    await told.generations(1)
    expect(told.losses).toBe(0)
    expect(told.events).toHaveLength(5001)
  })

  it('does not start with a wrong size', () => {
    for (const bufferBytes of [0, -1, 1.5, 2 ** 40, Number.NaN]) expect(() => place.nf.watch(told.watcher, { bufferBytes })).toThrow(expect.objectContaining({ kind: 'input', field: 'bufferBytes' }))
  })
})
