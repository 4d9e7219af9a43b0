/** What the door writes for the nfnetlink addon and reads from it, byte by byte, and what it refuses to write. */
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, toHex } from '../../../src/base/index.ts'
import { ChangeWriter, checkPlace, readElementFrames, readEventFrames, readQuotaFrames } from '../../../src/native/nfnetlink-frames.ts'
import { hostWord } from '../../../src/native/index.ts'
import { concatenation, interfaceName, readHostWord, readInterfaceName, splitConcatenation } from '../../../src/native/nfnetlink-keys.ts'
import { MAX_NF_COMMIT_ITEMS, MAX_NF_DATA_BYTES } from '../../../src/native/nfnetlink.ts'
import type { NfChange } from '../../../src/native/index.ts'

const inet = { family: 'inet', table: 't' } as const
const key = hostWord(0x0010_0001)
const hex = (...changes: NfChange[]): string => toHex(new ChangeWriter().write(changes))
const ascii = (text: string): string => toHex(new TextEncoder().encode(text))
/** Unchecked, as from JavaScript. */
const wild = (change: unknown): NfChange => change as NfChange

describe('changes as bytes', () => {
  it('each kind', () => {
    // What native/nfnetlink/vectors.cc turns into nft's own messages.
    const pair = concatenation(fromHex('020000000001'), fromHex('0a000007'))
    expect(
      hex(
        { op: 'delete-elements', ...inet, set: 'up4', elements: [{ key: pair }] },
        { op: 'add-elements', ...inet, set: 'up4', elements: [{ key: pair, value: key }] },
        { op: 'add-elements', ...inet, set: 'bytes', elements: [{ key: hostWord(0x0010_0003), counter: { packets: 7, bytes: 700 } }] },
        { op: 'add-quota', ...inet, quota: { name: 'pass3', bytes: 5000, usedBytes: 17, isOver: true } },
      ),
    ).toBe(
      `020100010300000001000000${ascii('tup4')}00000c000000000002000000000100000a000007` +
        `010100010300000001000000${ascii('tup4')}00000c000400000002000000000100000a00000701001000` +
        `010100010500000001000000${ascii('tbytes')}0200040000000000030010000700000000000000bc02000000000000` +
        `040102010500000000000000${ascii('tpass3')}88130000000000001100000000000000`,
    )
    expect(hex({ op: 'flush-set', family: 'bridge', table: 't', set: 's' })).toBe(`030700010100000000000000${ascii('ts')}`)
    expect(hex({ op: 'delete-quota', family: 'ip6', table: 't', name: 'q' })).toBe(`050a00010100000000000000${ascii('tq')}`)
  })

  it('everything an element may have', () => {
    const change: NfChange = {
      op: 'add-elements',
      family: 'netdev',
      table: 't',
      set: 's',
      isExclusive: true,
      elements: [{ key, keyEnd: hostWord(2), object: 'o', isIntervalEnd: true, timeoutMs: 2 ** 40 + 3, counter: { packets: 1, bytes: 2 }, quota: { bytes: 3, usedBytes: 4, isOver: true } }],
    }
    expect(hex(change)).toBe(
      `010501010100000001000000${ascii('ts')}` + `1f00040400010000` + `0100100002000000${ascii('o')}` + '0300000000010000' + '01000000000000000200000000000000' + '03000000000000000400000000000000',
    )
  })

  it('a timeout that some kernels take as none is made longer', () => {
    const of = (timeoutMs: number): string => hex({ op: 'add-elements', ...inet, set: 's', elements: [{ key, timeoutMs }] }).slice(-16)
    expect([of(1), of(9), of(10), of(11)]).toEqual(['0a00000000000000', '0a00000000000000', '0a00000000000000', '0b00000000000000'])
  })

  it('counts elements and quotas, and grows', () => {
    const writer = new ChangeWriter()
    const elements = Array.from({ length: 5000 }, (_, index) => ({ key: hostWord(index), value: hostWord(index) }))
    const bytes = writer.write([{ op: 'add-elements', ...inet, set: 's', elements }, { op: 'flush-set', ...inet, set: 's' }])
    expect(writer.items).toBe(5001)
    expect(bytes.length).toBe(14 + 5000 * 16 + 14)
    expect(writer.write([{ op: 'flush-set', ...inet, set: 's' }]).length).toBe(14)
    expect(writer.items).toBe(1)
  })
})

describe('what is not written', () => {
  const add = (element: unknown): NfChange => wild({ op: 'add-elements', ...inet, set: 's', elements: [{ key }, element] })
  const quota = (fields: object): NfChange => wild({ op: 'add-quota', ...inet, quota: { name: 'q', bytes: 1, usedBytes: 0, isOver: true, ...fields } })
  const wrong: readonly [NfChange, string][] = [
    [wild({ op: 'reset', ...inet, set: 's' }), 'changes[0].op'],
    [wild({ op: 'flush-set', family: 'inet6', table: 't', set: 's' }), 'changes[0].family'],
    [wild({ op: 'flush-set', family: 'toString', table: 't', set: 's' }), 'changes[0].family'],
    [wild({ op: 'flush-set', family: 'inet', table: '', set: 's' }), 'changes[0].table'],
    [wild({ op: 'flush-set', family: 'inet', table: 'a b', set: 's' }), 'changes[0].table'],
    [wild({ op: 'flush-set', family: 'inet', table: 't', set: 's\0' }), 'changes[0].set'],
    [wild({ op: 'flush-set', family: 'inet', table: 't', set: 'x'.repeat(256) }), 'changes[0].set'],
    [wild({ op: 'flush-set', family: 'inet', table: 't', set: 'ü' }), 'changes[0].set'],
    [wild({ op: 'flush-set', family: 'inet', table: 't' }), 'changes[0].set'],
    [wild({ op: 'delete-quota', ...inet, name: 7 }), 'changes[0].name'],
    [quota({ name: '' }), 'changes[0].quota.name'],
    [quota({ bytes: -1 }), 'changes[0].quota.bytes'],
    [quota({ usedBytes: 0.5 }), 'changes[0].quota.usedBytes'],
    [quota({ bytes: 2 ** 53 }), 'changes[0].quota.bytes'],
    [add({}), 'changes[0].elements[1].key'],
    [add({ key: 'abc' }), 'changes[0].elements[1].key'],
    [add({ key: new Uint8Array(0) }), 'changes[0].elements[1].key'],
    [add({ key: new Uint8Array(MAX_NF_DATA_BYTES + 1) }), 'changes[0].elements[1].key'],
    [add({ key, keyEnd: new Uint8Array(65) }), 'changes[0].elements[1].keyEnd'],
    [add({ key, value: [1] }), 'changes[0].elements[1].value'],
    [add({ key, object: 'a b' }), 'changes[0].elements[1].object'],
    [add({ key, timeoutMs: 0 }), 'changes[0].elements[1].timeoutMs'],
    [add({ key, timeoutMs: Number.NaN }), 'changes[0].elements[1].timeoutMs'],
    [add({ key, counter: { packets: 1 } }), 'changes[0].elements[1].counter.bytes'],
    [add({ key, quota: { bytes: 1, usedBytes: 1n, isOver: true } }), 'changes[0].elements[1].quota.usedBytes'],
  ]
  for (const [change, field] of wrong)
    it(`${field}: ${JSON.stringify(change, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)).slice(0, 90)}`, () => {
      expect(() => hex(change)).toThrow(expect.objectContaining({ kind: 'input', field }))
    })

  it('more elements than a commit takes', () => {
    const elements = Array.from({ length: MAX_NF_COMMIT_ITEMS + 1 }, () => ({ key }))
    expect(() => hex({ op: 'add-elements', ...inet, set: 's', elements })).toThrow(expect.objectContaining({ kind: 'input', field: 'changes' }))
  })

  it('a place that is none', () => {
    expect(() => checkPlace({ family: 'inet', table: 't', set: '' } as never)).toThrow(expect.objectContaining({ field: 'set' }))
    expect(checkPlace({ family: 'bridge', table: 't' })).toBe(7)
  })
})

describe('frames of the addon', () => {
  const words = (...numbers: number[]): string => numbers.map((number) => toHex(hostWord(number))).join('')
  const long = (...numbers: number[]): string => numbers.map((number) => words(number % 2 ** 32, Math.floor(number / 2 ** 32))).join('')

  it('an element with everything, and one with nothing', () => {
    const full = words(80, 1 + 2 + 4 + 8 + 16 + 32) + long(2 ** 41, 2 ** 40, 5, 2 ** 52, 9, 8) + '0400040001000100' + '01001000' + '02001000' + 'aa' + ascii('q') + '000000000000'
    const bare = words(64, 64) + long(0, 0, 0, 0, 0, 0) + '0000000000000000'
    expect(readElementFrames(fromHex(full + bare))).toEqual([
      {
        key,
        keyEnd: hostWord(0x0010_0002),
        value: Uint8Array.of(0xaa),
        object: 'q',
        timeoutMs: 2 ** 41,
        expiresMs: 2 ** 40,
        counter: { packets: 5, bytes: 2 ** 52 },
        quota: { bytes: 9, usedBytes: 8, isOver: true },
        isIntervalEnd: true,
        isCatchAll: false,
      },
      { key: new Uint8Array(0), keyEnd: null, value: null, object: null, timeoutMs: null, expiresMs: null, counter: null, quota: null, isIntervalEnd: false, isCatchAll: true },
    ])
    expect(readElementFrames(new Uint8Array(0))).toEqual([])
  })

  it('events of every kind', () => {
    const event = (kind: number, flags: number, family: number, table: string, name: string, more = '', [generation = 0, pid = 0, bytes = 0, used = 0]: number[] = []): string => {
      const texts = ascii(table + name)
      const padding = '00'.repeat((8 - ((40 + texts.length / 2) % 8)) % 8)
      const body = words(generation, pid) + long(bytes, used) + toHex(Uint8Array.of(table.length, 0, name.length, 0, 0, 0, 0, 0)) + texts + padding + more
      return words(8 + body.length / 2) + toHex(Uint8Array.of(kind, flags, family, 0)) + body
    }
    const element = words(72, 0) + long(0, 0, 0, 0, 0, 0) + '0400000000000000' + '0100100000000000'
    const frames = fromHex(
      [
        event(0, 0, 1, 'meshbox', ''),
        event(2, 1, 7, 'meshbox', 'frames'),
        event(4, 2, 1, 'meshbox', 'paid', element),
        event(5, 4 + 8, 1, 'meshbox', 'pass', '', [0, 0, 100, 20]),
        event(5, 0, 1, 'meshbox', 'a counter'),
        event(7, 2, 0, '', 'node', '', [77, 4242]),
        event(8, 4 + 8, 99, 'meshbox', 'pass', '', [0, 0, 100, 100]),
      ].join(''),
    )
    const quiet = { element: null, quota: null }
    expect(readEventFrames(frames)).toEqual([
      { kind: 'table', change: 'new', family: 'inet', table: 'meshbox', name: '', isOwn: false, ...quiet },
      { kind: 'rule', change: 'deleted', family: 'bridge', table: 'meshbox', name: 'frames', isOwn: false, ...quiet },
      { kind: 'element', change: 'new', family: 'inet', table: 'meshbox', name: 'paid', isOwn: true, ...quiet, element: readElementFrames(fromHex(element))[0] },
      { kind: 'object', change: 'new', family: 'inet', table: 'meshbox', name: 'pass', isOwn: false, ...quiet, quota: { name: 'pass', bytes: 100, usedBytes: 20, isOver: true } },
      { kind: 'object', change: 'new', family: 'inet', table: 'meshbox', name: 'a counter', isOwn: false, ...quiet },
      { kind: 'generation', id: 77, pid: 4242, processName: 'node', isOwn: true },
      { kind: 'quota-used-up', family: null, table: 'meshbox', quota: { name: 'pass', bytes: 100, usedBytes: 100, isOver: true } },
    ])
    expect(readQuotaFrames(frames)).toHaveLength(2)
  })
})

describe('bytes of keys', () => {
  it('words, names and concatenations, there and back', () => {
    expect(readHostWord(hostWord(0xffff_fffe))).toBe(0xffff_fffe)
    expect(toHex(hostWord(0x0010_0001))).toBe('01001000') // on every machine we build for
    expect(readInterfaceName(interfaceName('br-guest'))).toBe('br-guest')
    expect(interfaceName('x').length).toBe(16)
    const [mac, ip] = [fromHex('020000000001'), fromHex('0a000007')]
    expect(toHex(concatenation(mac, ip))).toBe('02000000000100000a000007')
    expect(splitConcatenation(concatenation(mac, ip), [6, 4])).toEqual([mac, ip])
    expect(readHostWord(concatBytes(Uint8Array.of(9), hostWord(5)).subarray(1))).toBe(5)
  })

  it('not of what does not fit', () => {
    for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => hostWord(value)).toThrow(expect.objectContaining({ field: 'value' }))
    for (const name of ['', 'x'.repeat(16), 'a b', 'ü']) expect(() => interfaceName(name)).toThrow(expect.objectContaining({ field: 'name' }))
    expect(() => concatenation()).toThrow(expect.objectContaining({ field: 'fields' }))
    expect(() => concatenation(new Uint8Array(65))).toThrow(expect.objectContaining({ field: 'fields' }))
    expect(() => splitConcatenation(new Uint8Array(12), [4, 4])).toThrow(expect.objectContaining({ field: 'bytes' }))
    expect(() => readHostWord(new Uint8Array(5))).toThrow(expect.objectContaining({ field: 'bytes' }))
  })
})
