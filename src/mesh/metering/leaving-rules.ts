/**
 * What leaves, where the kernel has no egress hook for nft: filters of traffic control at clsact's egress, as lines for `tc -batch`.
 * Each neighbour has two counting actions, which stand by themselves and outlive their filters: frames forwarded to it, and all others
 * to it. On each interface, in this order:
 *
 * | pref | frames | |
 * |---|---|---|
 * | 27901 | batman-adv's own tools (packet type 0x43) | uncounted |
 * | 27902 | forwarded (by the mark of carry-rules.ts) to an open neighbour | counted as forwarded |
 * | 27903 | forwarded to anybody else | dropped |
 * | 27904 | people's, to a neighbour | counted as others |
 *
 * A gate shuts when its filter of 27902 goes. u32 finds a neighbour by the last byte of its address, whatever their number, but
 * matches marks only where the kernel was built to, and is silent where not: `marksProbe` asks. There classic BPF does the same,
 * one neighbour after the other.
 */
import { inputError } from '../../base/index.ts'
import { macBytes, macText } from '../documents/index.ts'
import type { Mac } from '../ports.ts'
import { FORWARDED, MAX_NEIGHBOURS } from './carry-rules.ts'

export type LeavingKind = 'forwarded' | 'other'

export interface LeavingLine {
  readonly text: string
  /** Its refusal says nothing: what it takes away may not be there. */
  readonly mayFail: boolean
}

/** How tc says that a frame is counted and goes on, and that it goes no further. */
export interface LeavingWords {
  /** Of actions. */
  readonly kind: string
  readonly pass: string
  readonly drop: string
}

export interface LeavingCounter {
  readonly neighbour: Mac
  readonly kind: LeavingKind
}

/** How frames are told apart. `name`: an interface; `place`: the neighbour's among those that are counted, from 0. */
export interface Matching {
  readonly name: 'u32' | 'bpf'
  /** What stands on an interface for everybody. */
  ground(words: LeavingWords, name: string, isGated: boolean): readonly LeavingLine[]
  count(words: LeavingWords, kind: LeavingKind, name: string, place: number, neighbour: Mac): LeavingLine
  /** No longer counts; of `forwarded`: the gate shuts. */
  end(kind: LeavingKind, name: string, place: number, neighbour: Mac): LeavingLine
}

export const LEAVING_WORDS: LeavingWords = { kind: 'gact', pass: 'gact ok', drop: 'gact drop' }

const PREF = { tools: 27901, forwarded: 27902, shut: 27903, other: 27904 } as const
const BATMAN = '0x4305'
const KINDS: readonly LeavingKind[] = ['forwarded', 'other']
/** Actions have numbers that nobody else gives, and a cookie: `mb`, what is counted, the neighbour's address. */
const FIRST_ACTION = 0x6d62_0000
const COOKIE_PREFIX: Readonly<Record<LeavingKind, string>> = { forwarded: '6d6201', other: '6d6202' }
const COOKIE_BYTES = 9
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/

const line = (text: string): LeavingLine => ({ text, mayFail: false })
const attempt = (text: string): LeavingLine => ({ text, mayFail: true })

// ---- counters

export function actionIndex(place: number, kind: LeavingKind): number {
  return FIRST_ACTION + KINDS.length * place + KINDS.indexOf(kind)
}

/** Null: not a number of ours. */
export function actionPlace(index: number): number | null {
  const place = Math.floor((index - FIRST_ACTION) / KINDS.length)
  return place >= 0 && place < MAX_NEIGHBOURS ? place : null
}

/** Whose counter it is; null: not ours. */
export function readCookie(cookie: Uint8Array | null): LeavingCounter | null {
  if (cookie?.length !== COOKIE_BYTES) return null
  const hex = Buffer.from(cookie).toString('hex')
  const kind = KINDS.find((each) => hex.startsWith(COOKIE_PREFIX[each]))
  return kind === undefined ? null : { kind, neighbour: macText(cookie.subarray(COOKIE_BYTES - 6)) }
}

export function counterLines(words: LeavingWords, place: number, neighbour: Mac): readonly LeavingLine[] {
  return KINDS.map((kind) => line(`actions add action ${words.pass} index ${actionIndex(place, kind)} cookie ${COOKIE_PREFIX[kind]}${checked(neighbour).replaceAll(':', '')}`))
}

/** The kernel refuses while filters use them, and lets go of filters some moments after they went. */
export function removeCounterLines(words: LeavingWords, place: number): readonly LeavingLine[] {
  return KINDS.map((kind) => attempt(`actions del action ${words.kind} index ${actionIndex(place, kind)}`))
}

// ---- filters

/** All filters of an interface; clsact stays, others may use it. */
export function clearLines(name: string): readonly LeavingLine[] {
  return Object.values(PREF).map((pref) => attempt(`filter del dev ${name} egress pref ${pref}`))
}

export function hookLine(name: string): LeavingLine {
  return attempt(`qdisc add dev ${name} clsact`)
}

/** A filter that changes nothing; what `tc` `show` says of it tells whether its mark was taken. */
export function marksProbe(name: string): { readonly lines: readonly LeavingLine[]; readonly show: readonly string[]; readonly taken: RegExp } {
  return {
    lines: [hookLine(name), ...clearLines(name), attempt(`${filter(name, 'tools')} u32 match mark ${FORWARDED} 0xffffffff match u8 0x43 0xff at 0 flowid :1`)],
    show: ['filter', 'show', 'dev', name, 'egress', 'pref', String(PREF.tools)],
    taken: new RegExp(`mark ${FORWARDED} 0xffffffff`),
  }
}

const filter = (name: string, pref: keyof typeof PREF, does: 'add' | 'del' = 'add'): string => `filter ${does} dev ${name} egress pref ${PREF[pref]} protocol ${BATMAN}`
const use = (words: LeavingWords, place: number, kind: LeavingKind): string => `flowid :1 action ${words.kind} index ${actionIndex(place, kind)}`

/** Packet types 0x40 to 0x42: 0x43 has gone by. */
const TRAFFIC = 'match u8 0x40 0xfc at 0'
const MARKED = `match mark ${FORWARDED} 0xffffffff`
/** A table for each kind, by the last byte of the destination, which ends two bytes before batman-adv's header begins. */
const TABLES: Readonly<Record<LeavingKind, string>> = { forwarded: '6d1:', other: '6d2:' }
const BY_LAST_BYTE = 'hashkey mask 0x000000ff at -12'

export const U32: Matching = {
  name: 'u32',
  ground: (words, name, isGated) => [
    line(`${filter(name, 'tools')} u32 match u8 0x43 0xff at 0 flowid :1`),
    // Tables stay for as long as anybody has u32 on the interface.
    ...KINDS.map((kind) => attempt(`${filter(name, 'tools', 'del')} handle ${TABLES[kind]} u32`)),
    ...KINDS.flatMap((kind) => [
      line(`${filter(name, kind)} handle ${TABLES[kind]} u32 divisor 256`),
      line(`${filter(name, kind)} u32 ${kind === 'forwarded' ? `${MARKED} ` : ''}${TRAFFIC} link ${TABLES[kind]} ${BY_LAST_BYTE}`),
    ]),
    ...(isGated ? [line(`${filter(name, 'shut')} u32 ${MARKED} ${TRAFFIC} flowid :1 action ${words.drop}`)] : []),
  ],
  count: (words, kind, name, place, neighbour) => {
    const bucket = `${TABLES[kind]}${checked(neighbour).slice(-2)}:`
    return line(`${filter(name, kind)} handle ${bucket}${(place + 1).toString(16)} u32 ht ${bucket} match ether dst ${neighbour} ${use(words, place, kind)}`)
  },
  end: (kind, name, place, neighbour) => attempt(`${filter(name, kind, 'del')} handle ${TABLES[kind]}${checked(neighbour).slice(-2)}:${(place + 1).toString(16)} u32`),
}

export const BPF: Matching = {
  name: 'bpf',
  ground: (words, name, isGated) => [
    line(`${filter(name, 'tools')} handle 1 ${bytecode([...typeIs(0xff, 0x43)])} flowid :1`),
    ...(isGated ? [line(`${filter(name, 'shut')} handle 1 ${bytecode([...IS_MARKED, ...IS_TRAFFIC])} flowid :1 action ${words.drop}`)] : []),
  ],
  count: (words, kind, name, place, neighbour) =>
    line(`${filter(name, kind)} handle ${place + 1} ${bytecode([...(kind === 'forwarded' ? IS_MARKED : []), ...isTo(checked(neighbour)), ...IS_TRAFFIC])} ${use(words, place, kind)}`),
  end: (kind, name, place) => attempt(`${filter(name, kind, 'del')} handle ${place + 1} bpf`),
}

// ---- classic BPF: it sees a leaving frame from its Ethernet header on

interface Step {
  readonly code: number
  readonly k: number
}

const [LOAD_WORD, LOAD_HALF, LOAD_BYTE, AND, JUMP_EQUAL, RETURN] = [0x20, 0x28, 0x30, 0x54, 0x15, 0x06]
const MARK_AT = 0xffff_f000 + 20
const TYPE_AT = 14
const MATCHES = 0xffff_ffff

const IS_MARKED: readonly Step[] = [{ code: LOAD_WORD, k: MARK_AT }, { code: JUMP_EQUAL, k: Number(FORWARDED) }]
const IS_TRAFFIC = typeIs(0xfc, 0x40)

function typeIs(mask: number, type: number): readonly Step[] {
  return [{ code: LOAD_BYTE, k: TYPE_AT }, { code: AND, k: mask }, { code: JUMP_EQUAL, k: type }]
}

function isTo(neighbour: Mac): readonly Step[] {
  const bytes = Buffer.from(macBytes(neighbour))
  return [{ code: LOAD_WORD, k: 0 }, { code: JUMP_EQUAL, k: bytes.readUInt32BE(0) }, { code: LOAD_HALF, k: 4 }, { code: JUMP_EQUAL, k: bytes.readUInt16BE(4) }]
}

/** What is not equal goes to the last step, which matches nothing. */
function bytecode(steps: readonly Step[]): string {
  const all = [...steps, { code: RETURN, k: MATCHES }, { code: RETURN, k: 0 }]
  const texts = all.map(({ code, k }, at) => `${code} 0 ${code === JUMP_EQUAL ? all.length - 2 - at : 0} ${k}`)
  return `bpf bytecode '${all.length},${texts.join()}'`
}

function checked(neighbour: Mac): Mac {
  if (!MAC.test(neighbour)) throw inputError('neighbour', neighbour, 'aa:bb:cc:dd:ee:ff in lower case')
  return neighbour
}
