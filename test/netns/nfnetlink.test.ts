/** Nfnetlink against a real kernel: sets are made by nft, filled by us, and looked at by nft; and the other way round. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromHex } from '../../src/base/index.ts'
import { NfRefused, hostWord, loadNfnetlink } from '../../src/native/index.ts'
import { concatenation, interfaceName, readHostWord, readInterfaceName, splitConcatenation } from '../../src/native/nfnetlink-keys.ts'
import type { NfChange, NfFamily, NfNewElement } from '../../src/native/index.ts'
import { NfPlace, errorOf, plainElement } from './nfnetlink-place.ts'

let place: NfPlace
beforeEach(async () => {
  place = await NfPlace.create()
})
afterEach(() => place.destroy())

const MAC = fromHex('020000000001')
const IP = fromHex('0a000007')
const HANDLE = 0x0010_0001
const inet = { family: 'inet', table: 't' } as const
const add = (set: string, ...elements: NfNewElement[]): NfChange => ({ op: 'add-elements', ...inet, set, elements })
const remove = (set: string, ...keys: Uint8Array[]): NfChange => ({ op: 'delete-elements', ...inet, set, elements: keys.map((key) => ({ key })) })

describe('elements that we add, as nft sees them', () => {
  it('keys of one field and of several, values, and names of quotas', async () => {
    await place.nft(
      'add table inet t',
      'add set inet t plain { type classid; }',
      'add map inet t up4 { type ether_addr . ipv4_addr : classid; }',
      'add map inet t down4 { type ipv4_addr : classid; }',
      'add map inet t quotas { type classid : quota; }',
      'add set inet t six { type ipv6_addr; }',
    )
    await place.nf.commit([
      { op: 'add-quota', ...inet, quota: { name: 'pass', bytes: 5000, usedBytes: 17, isOver: true } },
      add('plain', { key: hostWord(HANDLE) }, { key: hostWord(HANDLE + 1) }),
      add('up4', { key: concatenation(MAC, IP), value: hostWord(HANDLE) }),
      add('down4', { key: IP, value: hostWord(HANDLE) }),
      add('quotas', { key: hostWord(HANDLE), object: 'pass' }),
      add('six', { key: fromHex('20010db8000000000000000000000001') }),
    ])
    expect(await place.elements('inet', 'plain')).toEqual(['10:1', '10:2'])
    expect(await place.elements('inet', 'up4')).toEqual([[{ concat: ['02:00:00:00:00:01', '10.0.0.7'] }, '10:1']])
    expect(await place.elements('inet', 'down4')).toEqual([['10.0.0.7', '10:1']])
    expect(await place.elements('inet', 'quotas')).toEqual([['10:1', 'pass']])
    expect(await place.elements('inet', 'six')).toEqual(['2001:db8::1'])
    expect(await place.nft('list quotas')).toContain('over 5000 bytes used 17 bytes')
  })

  it('in every family', async () => {
    const families: readonly NfFamily[] = ['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev']
    for (const family of families) await place.nft(`add table ${family} t`, `add set ${family} t ports { type ifname; }`)
    await place.nf.commit(families.map((family) => ({ op: 'add-elements', family, table: 't', set: 'ports', elements: [{ key: interfaceName('wlan0-1') }] })))
    for (const family of families) {
      expect(await place.elements(family, 'ports'), family).toEqual(['wlan0-1'])
      const [element] = await place.nf.dumpElements({ family, table: 't', set: 'ports' })
      expect(readInterfaceName(element?.key ?? new Uint8Array(0)), family).toBe('wlan0-1')
    }
  })

  it('timeouts and where counters start', async () => {
    await place.nft('add table inet t', 'add set inet t paid { type classid; flags timeout; timeout 1d; }', 'add set inet t bytes { type classid; counter; }')
    await place.nf.commit([
      add('paid', { key: hostWord(1), timeoutMs: 3_600_000 }, { key: hostWord(2) }),
      add('bytes', { key: hostWord(1), counter: { packets: 3, bytes: 2 ** 40 + 5 } }, { key: hostWord(2) }),
    ])
    expect(await place.nft('list set inet t paid')).toMatch(/0:1 timeout 1h expires 59m59s/)
    expect(await place.nft('list set inet t bytes')).toContain(`0:1 counter packets 3 bytes ${2 ** 40 + 5}, 0:2 counter packets 0 bytes 0`)
  })

  it('a timeout shorter than the kernel can tell from none still runs out', async () => {
    await place.nft('add table inet t', 'add set inet t paid { type classid; flags timeout; }')
    await place.nf.commit([add('paid', { key: hostWord(1), timeoutMs: 1 }, { key: hostWord(2), timeoutMs: 60_000 })])
    const keys = async (): Promise<number[]> => (await place.nf.dumpElements({ ...inet, set: 'paid' })).map((element) => readHostWord(element.key))
    for (let left = 500; left > 0 && (await keys()).includes(1); left--) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await keys()).toEqual([2])
  })

  it('a quota and a counter of an element of its own', async () => {
    await place.nft('add table inet t', 'add set inet t own { type classid; }')
    const elements = [
      { key: hostWord(1), quota: { bytes: 9000, usedBytes: 20, isOver: true } },
      { key: hostWord(2), quota: { bytes: 9000, usedBytes: 0, isOver: false } },
    ]
    await place.nf.commit([add('own', ...elements, { key: hostWord(3), counter: { packets: 1, bytes: 2 }, quota: { bytes: 7, usedBytes: 6, isOver: true } })])
    const found = await place.nf.dumpElements({ ...inet, set: 'own' })
    expect(found.toSorted((a, b) => readHostWord(a.key) - readHostWord(b.key))).toEqual([
      ...elements.map((element) => plainElement(element)),
      plainElement({ key: hostWord(3), counter: { packets: 1, bytes: 2 }, quota: { bytes: 7, usedBytes: 6, isOver: true } }),
    ])
  })

  it('intervals of one field and of concatenations', async () => {
    await place.nft('add table inet t', 'add set inet t nets { type ipv4_addr; flags interval; }', 'add set inet t pairs { type ipv4_addr . inet_service; flags interval; }')
    const port = (number: number): Uint8Array => Uint8Array.of(number >> 8, number & 255)
    await place.nf.commit([
      add('nets', { key: fromHex('c0a80000') }, { key: fromHex('c0a90000'), isIntervalEnd: true }),
      add('pairs', { key: concatenation(fromHex('0a000000'), port(80)), keyEnd: concatenation(fromHex('0a0000ff'), port(90)) }),
    ])
    expect(await place.elements('inet', 'nets')).toEqual([{ prefix: { addr: '192.168.0.0', len: 16 } }])
    expect(await place.nft('list set inet t pairs')).toContain('10.0.0.0/24 . 80-90')
    const ends = (await place.nf.dumpElements({ ...inet, set: 'nets' })).filter((element) => element.isIntervalEnd)
    expect(ends.map((element) => element.key)).toContainEqual(fromHex('c0a90000'))
    const [pair] = await place.nf.dumpElements({ ...inet, set: 'pairs' })
    expect(pair?.keyEnd).toEqual(concatenation(fromHex('0a0000ff'), port(90)))
    await place.nf.commit([{ op: 'delete-elements', ...inet, set: 'pairs', elements: [{ key: pair?.key ?? IP, keyEnd: pair?.keyEnd ?? IP }] }])
    expect(await place.elements('inet', 'pairs')).toEqual([])
  })
})

describe('elements that nft and packets add, as we see them', () => {
  it('keys, values, objects, timeouts, counters, the element for all others', async () => {
    await place.nft(
      'add table inet t',
      'add quota inet t pass { over 10 mbytes used 3 bytes }',
      'add map inet t up4 { type ether_addr . ipv4_addr : classid; elements = { 02:00:00:00:00:01 . 10.0.0.7 : 0x100001 } }',
      'add map inet t quotas { type classid : quota; elements = { 0x100001 : "pass" } }',
      'add set inet t paid { type classid; flags timeout; elements = { 0x100001 timeout 1h } }',
      'add set inet t bytes { type classid; counter; elements = { 0x100001 counter packets 7 bytes 700 } }',
      'add map inet t rest { type ipv4_addr : classid; elements = { * : 0x100009 } }',
      'add map inet t verdicts { type ipv4_addr : verdict; elements = { 10.0.0.7 : drop } }',
    )
    const dump = (set: string) => place.nf.dumpElements({ ...inet, set })
    const [up4] = await dump('up4')
    expect(splitConcatenation(up4?.key ?? IP, [6, 4])).toEqual([MAC, IP])
    expect(up4).toEqual(plainElement({ key: concatenation(MAC, IP), value: hostWord(HANDLE) }))
    expect(await dump('quotas')).toEqual([plainElement({ key: hostWord(HANDLE), object: 'pass' })])
    expect(await dump('bytes')).toEqual([plainElement({ key: hostWord(HANDLE), counter: { packets: 7, bytes: 700 } })])
    expect(await dump('rest')).toEqual([plainElement({ key: new Uint8Array(0), value: hostWord(0x100009), isCatchAll: true })])
    expect(await dump('verdicts')).toEqual([plainElement({ key: IP })])
    const [paid] = await dump('paid')
    expect(paid).toMatchObject({ key: hostWord(HANDLE), timeoutMs: 3_600_000 })
    expect(paid?.expiresMs).toBeGreaterThan(3_500_000)
    expect(paid?.expiresMs).toBeLessThanOrEqual(3_600_000)
    expect(await place.nf.dumpQuotas(inet)).toEqual([{ name: 'pass', bytes: 10 * 1024 * 1024, usedBytes: 3, isOver: true }])
    expect(await place.nf.dumpQuotas({ family: 'bridge', table: 't' })).toEqual([])
  })

  it('what a rule put into a dynamic set, and counted', async () => {
    await place.nft(
      'add table inet t',
      'add set inet t seen { type ipv4_addr; flags dynamic,timeout; timeout 5m; counter; }',
      'add chain inet t out { type filter hook output priority 0; }',
      'add rule inet t out ip protocol icmp icmp type echo-request update @seen { ip daddr counter }',
    )
    await place.run('ip', 'link', 'set', 'lo', 'up')
    expect((await place.run('ping', '-c', '2', '-i', '0.2', '-s', '56', '127.0.0.1')).code).toBe(0)
    const [seen] = await place.nf.dumpElements({ ...inet, set: 'seen' })
    // The set's own timeout is not told again for each element.
    expect(seen).toMatchObject({ key: fromHex('7f000001'), timeoutMs: null, expiresMs: expect.any(Number) as number, counter: { packets: 2, bytes: 168 } })
    await place.nf.commit([remove('seen', fromHex('7f000001'))])
    expect(await place.nf.dumpElements({ ...inet, set: 'seen' })).toEqual([])
  })
})

describe('changes', () => {
  beforeEach(() =>
    place.nft(
      'add table inet t',
      'add set inet t paid { type classid; flags timeout; }',
      'add map inet t classes { type classid : classid; }',
      'add map inet t quotas { type classid : quota; }',
      'add set inet t bytes { type classid; counter; }',
    ),
  )

  it('add, delete and add of one element in one transaction sets its time anew', async () => {
    const element = { key: hostWord(1), timeoutMs: 3_600_000 }
    for (const timeoutMs of [60_000, 3_600_000, 120_000])
      await place.nf.commit([add('paid', { ...element, timeoutMs }), remove('paid', element.key), add('paid', { ...element, timeoutMs })])
    expect(await place.nft('list set inet t paid')).toMatch(/0:1 timeout 2m expires 1m59s/)
  })

  it('delete and add keep a count when told it', async () => {
    await place.nft('add element inet t bytes { 0:1 counter packets 5 bytes 500 }')
    await place.nf.commit([remove('bytes', hostWord(1)), add('bytes', { key: hostWord(1), counter: { packets: 5, bytes: 500 } })])
    expect(await place.nft('list set inet t bytes')).toContain('0:1 counter packets 5 bytes 500')
  })

  it('flushes a set', async () => {
    await place.nf.commit([add('paid', { key: hostWord(1) }, { key: hostWord(2) }), add('classes', { key: hostWord(1), value: hostWord(9) })])
    await place.nf.commit([{ op: 'flush-set', ...inet, set: 'paid' }])
    expect(await place.elements('inet', 'paid')).toEqual([])
    expect(await place.elements('inet', 'classes')).toEqual([['0:1', '0:9']])
  })

  it('a quota takes a new limit and keeps its count; it goes when nothing names it', async () => {
    const quota = { name: 'pass', bytes: 1000, usedBytes: 400, isOver: true }
    await place.nf.commit([{ op: 'add-quota', ...inet, quota }, add('quotas', { key: hostWord(1), object: 'pass' })])
    await place.nf.commit([{ op: 'add-quota', ...inet, quota: { ...quota, bytes: 2000, usedBytes: 0 } }])
    expect(await place.nf.dumpQuotas(inet)).toEqual([{ ...quota, bytes: 2000 }])
    expect(await errorOf(place.nf.commit([{ op: 'delete-quota', ...inet, name: 'pass' }]))).toMatchObject({ errno: 'EBUSY', changeIndex: 0 })
    await place.nf.commit([remove('quotas', hostWord(1)), { op: 'delete-quota', ...inet, name: 'pass' }])
    expect(await place.nf.dumpQuotas(inet)).toEqual([])
  })

  it('of thousands of elements are one transaction', async () => {
    const elements = Array.from({ length: 10_000 }, (_, index) => ({ key: hostWord(index + 1), value: hostWord(index * 3) }))
    const before = await place.nf.generation()
    await place.nf.commit([add('classes', ...elements), add('paid', { key: hostWord(1) })])
    expect(await place.nf.generation()).toBe(before + 1)
    const found = new Map((await place.nf.dumpElements({ ...inet, set: 'classes' })).map((element) => [readHostWord(element.key), readHostWord(element.value ?? IP)]))
    expect(found.size).toBe(10_000)
    expect(elements.every(({ key, value }) => found.get(readHostWord(key)) === readHostWord(value))).toBe(true)
    await place.nf.commit([remove('classes', ...elements.map(({ key }) => key))])
    expect(await place.nf.dumpElements({ ...inet, set: 'classes' })).toEqual([])
  })

  it('of nothing ask the kernel for nothing', async () => {
    const before = await place.nf.generation()
    await place.nf.commit([])
    await place.nf.commit([add('paid'), remove('paid')])
    expect(await place.nf.generation()).toBe(before)
    await place.nf.commit([add('paid'), add('bytes', { key: hostWord(1) })])
    expect(await place.elements('inet', 'bytes')).toHaveLength(1)
  })
})

describe('what the kernel refuses', () => {
  beforeEach(() =>
    place.nft(
      'add table inet t',
      'add set inet t paid { type classid; flags timeout; elements = { 0:1 } }',
      'add map inet t classes { type classid : classid; elements = { 0:1 : 0:9 } }',
      'add quota inet t pass { over 1000 bytes }',
    ),
  )

  const refusals: readonly [string, readonly NfChange[], { errno: string; changeIndex: number | null; elementIndex?: number | null }][] = [
    ['an element that is not there', [add('paid', { key: hostWord(2) }), remove('paid', hostWord(1), hostWord(2), hostWord(3))], { errno: 'ENOENT', changeIndex: 1, elementIndex: 2 }],
    ['an element that is there, exclusively', [{ op: 'add-elements', ...inet, set: 'paid', isExclusive: true, elements: [{ key: hostWord(5) }, { key: hostWord(1) }] }], { errno: 'EEXIST', changeIndex: 0, elementIndex: 1 }],
    ['another value for a key', [add('paid', { key: hostWord(7) }), add('classes', { key: hostWord(1), value: hostWord(8) })], { errno: 'EEXIST', changeIndex: 1 }],
    ['a key of another length', [add('paid', { key: fromHex('0102030405060708') })], { errno: 'EINVAL', changeIndex: 0, elementIndex: 0 }],
    ['a value for a set', [add('paid', { key: hostWord(2), value: hostWord(1) })], { errno: 'EINVAL', changeIndex: 0 }],
    ['a set that is not there', [add('paid', { key: hostWord(2) }), add('nothing', { key: hostWord(1) })], { errno: 'ENOENT', changeIndex: 1, elementIndex: null }],
    ['a table that is not there', [{ op: 'flush-set', family: 'bridge', table: 't', set: 'paid' }], { errno: 'ENOENT', changeIndex: 0 }],
    ['a quota that is there, exclusively', [add('paid', { key: hostWord(2) }), { op: 'add-quota', ...inet, isExclusive: true, quota: { name: 'pass', bytes: 1, usedBytes: 0, isOver: true } }], { errno: 'EEXIST', changeIndex: 1 }],
    ['a quota that is not there', [{ op: 'delete-quota', ...inet, name: 'nobody' }, add('paid', { key: hostWord(2) })], { errno: 'ENOENT', changeIndex: 0 }],
    ['a quota that is not there, for an element', [add('paid', { key: hostWord(2), object: 'nobody' })], { errno: 'EINVAL', changeIndex: 0 }],
  ]
  for (const [name, changes, expected] of refusals)
    it(`${name}: and then nothing is changed`, async () => {
      const [before, generation] = [await place.ruleset(), await place.nf.generation()]
      const error = await errorOf(place.nf.commit(changes))
      expect(error).toBeInstanceOf(NfRefused)
      expect(error).toMatchObject({ kind: 'unavailable', code: 'nft-refused', ...expected })
      expect(await place.ruleset()).toBe(before)
      expect(await place.nf.generation()).toBe(generation)
      await place.nf.commit([add('paid', { key: hostWord(99) })]) // the door still works
    })

  it('one element among thousands is found', async () => {
    const elements = Array.from({ length: 5000 }, (_, index) => ({ key: hostWord(index + 10) }))
    await place.nf.commit([add('paid', ...elements)])
    await place.nf.commit([remove('paid', hostWord(4331))])
    const error = await errorOf(place.nf.commit([{ op: 'delete-elements', ...inet, set: 'paid', elements }]))
    expect(error).toMatchObject({ errno: 'ENOENT', changeIndex: 0, elementIndex: 4321 })
    expect(await place.nf.dumpElements({ ...inet, set: 'paid' })).toHaveLength(5000)
  })

  it('more than a set has room for', async () => {
    await place.nft('add set inet t small { type classid; size 4; }')
    const elements = Array.from({ length: 5 }, (_, index) => ({ key: hostWord(index) }))
    expect(await errorOf(place.nf.commit([add('small', ...elements)]))).toMatchObject({ errno: 'ENFILE' })
    expect(await place.nf.dumpElements({ ...inet, set: 'small' })).toEqual([])
  })

  it('anything from somebody without the right to it', async () => {
    process.seteuid?.(65_534) // small commits are done inside the call
    const asked = place.nf.commit([add('paid', { key: hostWord(2) })])
    process.seteuid?.(0)
    expect(await errorOf(asked)).toMatchObject({ code: 'nft-refused', errno: 'EPERM' })
    expect(await place.nf.dumpElements({ ...inet, set: 'paid' })).toHaveLength(1)
  })

  it('dumps of what is not there', async () => {
    expect(await errorOf(place.nf.dumpElements({ ...inet, set: 'nothing' }))).toMatchObject({ code: 'nft-refused', errno: 'ENOENT', changeIndex: null })
  })
})

describe('many at once', () => {
  beforeEach(() => place.nft('add table inet t', 'add map inet t last { type classid : classid; }', 'add set inet t paid { type classid; }'))

  it('commits are done in the order they were asked for, whichever way each goes; close waits for all', async () => {
    const key = hostWord(1)
    const bulk = Array.from({ length: 1000 }, (_, index) => ({ key: hostWord(index + 100) }))
    const changesOf = (round: number): NfChange[] => [
      ...(round === 0 ? [] : [remove('last', key)]),
      add('last', { key, value: hostWord(round) }),
      ...(round % 10 === 3 ? [add('paid', ...bulk)] : round % 10 === 7 ? [remove('paid', ...bulk.map((element) => element.key))] : []),
    ]
    const nf = place.another()
    const asked = Array.from({ length: 200 }, (_, round) => nf.commit(changesOf(round)))
    const dumps = Array.from({ length: 10 }, () => nf.dumpElements({ ...inet, set: 'paid' }))
    const closed = nf.close()
    expect(await errorOf(nf.commit([]))).toMatchObject({ kind: 'unavailable', code: 'nfnetlink-closed' })
    await Promise.all(asked)
    // A transaction is whole in every dump.
    for (const dump of dumps) expect([0, 1000]).toContain((await dump).length)
    await closed
    await nf.close()
    const [last] = await place.nf.dumpElements({ ...inet, set: 'last' })
    expect(readHostWord(last?.value ?? IP)).toBe(199)
    expect(() => nf.watch({ onEvents: () => undefined, onLost: () => undefined })).toThrow(expect.objectContaining({ code: 'nfnetlink-closed' }))
    for (const call of [() => nf.dumpElements({ ...inet, set: 'last' }), () => nf.dumpQuotas(inet), () => nf.generation()]) expect(await errorOf(call())).toMatchObject({ code: 'nfnetlink-closed' })
  })

  it('a dump is whole, whoever changes the set meanwhile', async () => {
    const bulk = Array.from({ length: 1000 }, (_, index) => ({ key: hostWord(index + 100) }))
    const other = place.another()
    let isOver = false
    const changing = (async () => {
      for (let round = 0; round < 150; round++) {
        await other.commit([round % 2 === 0 ? add('paid', ...bulk) : remove('paid', ...bulk.map((element) => element.key))])
        // Without a pause nobody could ever read it all between two transactions.
        await new Promise((resolve) => setTimeout(resolve, round % 7))
      }
      isOver = true
    })()
    const sizes: number[] = []
    while (!isOver) sizes.push((await place.nf.dumpElements({ ...inet, set: 'paid' })).length)
    await changing
    expect(sizes.filter((size) => size !== 0 && size !== 1000)).toEqual([])
    expect(sizes.length).toBeGreaterThan(20)
    await other.close()
  })

  it('what is asked for does not change with the arrays it was asked with', async () => {
    const key = hostWord(5)
    const large = Array.from({ length: 1000 }, (_, index) => ({ key: hostWord(index + 100) }))
    const asked = [place.nf.commit([add('paid', ...large)]), place.nf.commit([add('paid', { key })])]
    key.set(hostWord(6))
    for (const element of large) element.key.set(hostWord(7))
    await Promise.all(asked)
    const keys = (await place.nf.dumpElements({ ...inet, set: 'paid' })).map((element) => readHostWord(element.key)).toSorted((a, b) => a - b)
    expect(keys).toEqual([5, ...Array.from({ length: 1000 }, (_, index) => index + 100)])
  })

  it('a refused commit does not hold up those behind it', async () => {
    const large = Array.from({ length: 1000 }, (_, index) => hostWord(index))
    const asked = [place.nf.commit([remove('paid', ...large)]), place.nf.commit([remove('paid', hostWord(1))]), place.nf.commit([add('paid', { key: hostWord(1) })])]
    expect((await Promise.allSettled(asked)).map((each) => each.status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  })
})

describe('namespaces', () => {
  it('a door stays in its own, also when the name is gone, and this process in its own', async () => {
    await place.nft('add table inet t', 'add set inet t paid { type classid; }')
    const other = await NfPlace.create()
    try {
      const [here, there] = [place.another(), other.nf]
      await here.commit([add('paid', { key: hostWord(1) })])
      expect(await errorOf(there.commit([add('paid', { key: hostWord(1) })]))).toMatchObject({ errno: 'ENOENT' })
      const own = place.door.open()
      expect(await errorOf(own.dumpElements({ ...inet, set: 'paid' }))).toMatchObject({ errno: 'ENOENT' })
      await own.close()
    } finally {
      await other.destroy()
    }
  })

  it('goes on after its name was removed', async () => {
    const gone = await NfPlace.create()
    await gone.nft('add table inet t', 'add set inet t paid { type classid; }')
    const nf = place.door.open({ namespacePath: gone.path })
    await gone.destroy()
    await nf.commit([add('paid', { key: hostWord(1) })])
    expect(await nf.dumpElements({ ...inet, set: 'paid' })).toHaveLength(1)
    nf.watch({ onEvents: () => undefined, onLost: () => undefined })
    await nf.close()
  })

  it('that are none are refused', () => {
    for (const namespacePath of ['/run/netns/there-is-no-such', '/proc/self/status', '/run'])
      expect(() => place.door.open({ namespacePath }), namespacePath).toThrow(expect.objectContaining({ kind: 'unavailable', code: 'nfnetlink-unusable' }))
    for (const namespacePath of ['run/netns/x', '', '/run/\0'])
      expect(() => place.door.open({ namespacePath }), namespacePath).toThrow(expect.objectContaining({ kind: 'input', field: 'namespacePath' }))
  })
})

describe('without the addon', () => {
  it('there is no door, and a path that is no addon is an error', () => {
    expect(loadNfnetlink(null)).toBeNull()
    expect(() => loadNfnetlink('/nowhere/nfnetlink.node')).toThrow(expect.objectContaining({ kind: 'unavailable', code: 'addon-unusable' }))
  })
})
