/** Filters of what leaves, as text and as numbers. That tc and the kernel take them: test/netns/mesh-carry-filters.test.ts */
import { describe, expect, it } from 'vitest'
import { BPF, LEAVING_WORDS, MAX_NEIGHBOURS, U32, actionPlace, clearLines, counterLines, marksProbe, readCookie, removeCounterLines } from '../../../src/mesh/metering/index.ts'
import { actionIndex } from '../../../src/mesh/metering/leaving-rules.ts'
import type { LeavingLine } from '../../../src/mesh/metering/index.ts'

const NEAR = '02:00:00:00:03:a1'
const texts = (lines: readonly LeavingLine[]): string[] => lines.map(({ text }) => text)
const cookieOf = (line: string | undefined): Uint8Array => Uint8Array.from(Buffer.from(/cookie (\w+)$/.exec(line ?? '')?.[1] ?? '', 'hex'))

interface Frame {
  readonly to: string
  readonly type: number
  readonly mark?: number
}

/** Runs classic BPF over a frame's first 15 bytes as the kernel does. */
function matches(line: string, { to, type, mark = 0 }: Frame): boolean {
  const frame = Buffer.from(`${to.replaceAll(':', '')}02000000020243 05${type.toString(16).padStart(2, '0')}`.replaceAll(' ', ''), 'hex')
  const [count, ...steps] = (/bytecode '([^']+)'/.exec(line)?.[1] ?? '').split(',')
  expect(steps).toHaveLength(Number(count))
  let sum = 0
  for (let at = 0; at < steps.length; at++) {
    const [code = 0, yes = 0, no = 0, k = 0] = (steps[at] ?? '').split(' ').map(Number)
    if (code === 0x06) return k !== 0
    if (code === 0x20) sum = k === 0xffff_f014 ? mark : frame.readUInt32BE(k)
    else if (code === 0x28) sum = frame.readUInt16BE(k)
    else if (code === 0x30) sum = frame.readUInt8(k)
    else if (code === 0x54) sum &= k
    else if (code === 0x15) at += sum === k ? yes : no
    else throw new Error(`code ${code}`)
  }
  throw new Error('it ran over its end')
}

describe('counters of what leaves', () => {
  it('are two for each neighbour, with numbers and cookies by which they are known again', () => {
    const [forwarded, other] = texts(counterLines(LEAVING_WORDS, 7, NEAR))
    expect(forwarded).toBe(`actions add action gact ok index ${0x6d62_0000 + 14} cookie 6d62010200000003a1`)
    expect(readCookie(cookieOf(forwarded))).toEqual({ kind: 'forwarded', neighbour: NEAR })
    expect(readCookie(cookieOf(other))).toEqual({ kind: 'other', neighbour: NEAR })
    for (const kind of ['forwarded', 'other'] as const) for (const place of [0, 7, MAX_NEIGHBOURS - 1]) expect(actionPlace(actionIndex(place, kind))).toBe(place)
    expect(removeCounterLines(LEAVING_WORDS, 7).every(({ mayFail }) => mayFail)).toBe(true)
  })

  it("are not mistaken for anybody else's", () => {
    for (const index of [0, 1, 0x6d61_ffff, actionIndex(MAX_NEIGHBOURS, 'forwarded'), 0xffff_ffff]) expect(actionPlace(index)).toBeNull()
    for (const hex of ['', '6d6203020000000301', '6d62010200000003', '6d620102000000030100', '000001020000000301']) expect(readCookie(Uint8Array.from(Buffer.from(hex, 'hex')))).toBeNull()
    expect(readCookie(null)).toBeNull()
  })
})

describe('filters of what leaves', () => {
  it('say all of an interface under four numbers of preference', () => {
    const cleared = texts(clearLines('mesh0')).map((text) => / pref (\d+)$/.exec(text)?.[1])
    for (const matching of [U32, BPF]) {
      const made = [...matching.ground(LEAVING_WORDS, 'mesh0', true), matching.count(LEAVING_WORDS, 'forwarded', 'mesh0', 0, NEAR), matching.count(LEAVING_WORDS, 'other', 'mesh0', 0, NEAR)]
      expect(new Set(texts(made).map((text) => / pref (\d+) /.exec(text)?.[1]))).toEqual(new Set(cleared))
      expect(texts(made).every((text) => text.includes('dev mesh0 egress') && text.includes('protocol 0x4305'))).toBe(true)
    }
  })

  it.each([U32, BPF])('of $name: drop nothing where carrying is free, and end where they began', (matching) => {
    expect(texts(matching.ground(LEAVING_WORDS, 'mesh0', true)).join()).toContain('gact drop')
    expect(texts(matching.ground(LEAVING_WORDS, 'mesh0', false)).join()).not.toContain('drop')
    for (const kind of ['forwarded', 'other'] as const) {
      const handle = (line: LeavingLine): string | undefined => / handle (\S+) /.exec(line.text)?.[1]
      expect(handle(matching.end(kind, 'mesh0', 11, NEAR))).toBe(handle(matching.count(LEAVING_WORDS, kind, 'mesh0', 11, NEAR)))
    }
  })

  it('of u32 go to a neighbour by the last byte of its address', () => {
    expect(U32.count(LEAVING_WORDS, 'forwarded', 'mesh0', 11, NEAR).text).toMatch(/handle 6d1:a1:c u32 ht 6d1:a1: match ether dst 02:00:00:00:03:a1 flowid :1 action gact index \d+$/)
  })

  it('ask whether marks are matched, and know the answer', () => {
    const { show, taken } = marksProbe('mesh0')
    expect(show).toContain('mesh0')
    expect(taken.test('fh 800::800 order 2048 key ht 800 bkt 0 *flowid :1\n  mark 0x6d620001 0xffffffff (success 0)\n  match 43000000/ff000000 at 0')).toBe(true)
    expect(taken.test('fh 800::1 order 1 key ht 800 bkt 0 *flowid :1\n  match 43000000/ff000000 at 0')).toBe(false)
  })

  it('of classic BPF match what they should and nothing else', () => {
    const mark = 0x6d62_0001
    const [tools = '', shut = ''] = texts(BPF.ground(LEAVING_WORDS, 'mesh0', true))
    const forwarded = BPF.count(LEAVING_WORDS, 'forwarded', 'mesh0', 0, NEAR).text
    const other = BPF.count(LEAVING_WORDS, 'other', 'mesh0', 0, NEAR).text
    for (const type of [0x00, 0x01, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0xff]) {
      expect(matches(tools, { to: NEAR, type })).toBe(type === 0x43)
      const isTraffic = type >= 0x40 && type <= 0x43 // 0x43 is taken by the filter before
      for (const to of [NEAR, '02:00:00:00:03:a2', '03:00:00:00:03:a1', 'ff:ff:ff:ff:ff:ff'])
        for (const frame of [{ to, type }, { to, type, mark }, { to, type, mark: 77 }]) {
          expect(matches(shut, frame)).toBe(isTraffic && frame.mark === mark)
          expect(matches(forwarded, frame)).toBe(isTraffic && frame.mark === mark && to === NEAR)
          expect(matches(other, frame)).toBe(isTraffic && to === NEAR)
        }
    }
  })

  it.each(['', '02:00:00:00:03:A1', '02:00:00:00:03:a1 action drop'])('refuse the neighbour %j', (neighbour) => {
    for (const make of [() => counterLines(LEAVING_WORDS, 0, neighbour), () => U32.count(LEAVING_WORDS, 'other', 'mesh0', 0, neighbour), () => BPF.count(LEAVING_WORDS, 'other', 'mesh0', 0, neighbour)]) expect(make).toThrow(/^neighbour/)
  })
})
