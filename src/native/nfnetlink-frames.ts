/**
 * What goes to the nfnetlink addon and what comes back, as bytes. The layouts stand in
 * native/nfnetlink/changes.h and replies.h. Whatever a caller may get wrong is found here, and named.
 */
import { MeshBoxError, inputError } from '../base/index.ts'
import { MAX_NF_COMMIT_ITEMS, MAX_NF_DATA_BYTES, MAX_NF_NAME_BYTES, NF_FAMILIES } from './nfnetlink.ts'
import type { NfChange, NfCounter, NfDoomedElement, NfElement, NfEvent, NfEventKind, NfFamily, NfNewElement, NfQuota, NfQuotaState, NfTable } from './nfnetlink.ts'

/** linux/netfilter.h: NFPROTO_. */
const FAMILY_NUMBERS: Readonly<Record<NfFamily, number>> = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 }
const FAMILIES = new Map<number, NfFamily>(NF_FAMILIES.map((name) => [FAMILY_NUMBERS[name], name]))

const OPS = { 'add-elements': 1, 'delete-elements': 2, 'flush-set': 3, 'add-quota': 4, 'delete-quota': 5 } as const
const CHANGE = { headerBytes: 12, isExclusive: 1, isOver: 2 } as const
const ELEMENT = { headerBytes: 8, hasTimeout: 1, hasCounter: 2, hasQuota: 4, isQuotaOver: 8, isIntervalEnd: 16 } as const
/** Everything but the texts and bytes of a change or an element fits into so much. */
const MOST_NUMBERS_BYTES = 64
const SHORTEST_TIMEOUT_MS = 10

const SHOWN = { timeout: 1, expiry: 2, counter: 4, quota: 8, quotaOver: 16, intervalEnd: 32, catchAll: 64 } as const
const ELEMENT_FRAME_BYTES = 64
const EVENT_FRAME_BYTES = 40
const EVENT = { isDeleted: 1, isOwn: 2, withQuota: 4, withQuotaOver: 8 } as const
const EVENT_KINDS: readonly NfEventKind[] = ['table', 'chain', 'rule', 'set', 'element', 'object', 'flowtable']
const GENERATION = 7
const QUOTA_USED_UP = 8

const NONE = new Uint8Array(0)
const NAME = /^[\x21-\x7e]+$/
const WORD = 2 ** 32

/** Errors: input `family`, `table` or `set`. */
export function checkPlace(place: NfTable & { readonly set?: string }): number {
  if (!NF_FAMILIES.includes(place.family)) throw inputError('family', place.family, NF_FAMILIES.join(', '))
  checkName('table', place.table)
  if (place.set !== undefined) checkName('set', place.set)
  return FAMILY_NUMBERS[place.family]
}

/** Writes changes; its memory is used again for the next ones. */
export class ChangeWriter {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  #items = 0

  /** How many elements and objects the last changes had. */
  get items(): number {
    return this.#items
  }

  /** Good until the next call. Errors: input, naming the field as in `changes[2].elements[0].key`. */
  write(changes: readonly NfChange[]): Uint8Array {
    this.#length = 0
    this.#items = 0
    for (const [index, change] of changes.entries()) {
      try {
        this.#change(change)
      } catch (error) {
        throw within(error, `changes[${index}]`)
      }
    }
    return this.#bytes.subarray(0, this.#length)
  }

  #change(change: NfChange): void {
    switch (change.op) {
      case 'add-elements': {
        this.#header(change, change.set, change.isExclusive === true ? CHANGE.isExclusive : 0, change.elements.length)
        this.#each(change.elements, (element) => this.#newElement(element))
        return
      }
      case 'delete-elements':
        this.#header(change, change.set, 0, change.elements.length)
        this.#each(change.elements, (element) => this.#element(element, 0, NONE, ''))
        return
      case 'flush-set':
        this.#header(change, change.set, 0, 1)
        return
      case 'add-quota': {
        checkQuota(change.quota)
        const flags = (change.isExclusive === true ? CHANGE.isExclusive : 0) | (change.quota.isOver ? CHANGE.isOver : 0)
        this.#header(change, change.quota.name, flags, 1)
        this.#number(change.quota.bytes)
        this.#number(change.quota.usedBytes)
        return
      }
      case 'delete-quota':
        this.#header(change, change.name, 0, 1)
        return
      default:
        throw inputError('op', (change as { op: unknown }).op, Object.keys(OPS).join(', '))
    }
  }

  #each<Element>(elements: readonly Element[], write: (element: Element) => void): void {
    for (let index = 0; index < elements.length; index++) {
      try {
        write(elements[index] as Element)
      } catch (error) {
        throw within(error, `elements[${index}]`)
      }
    }
  }

  #header(change: NfChange, name: string, flags: number, items: number): void {
    const family = checkPlace({ family: change.family, table: change.table })
    checkName(NAME_FIELDS[change.op], name)
    this.#items += items
    if (this.#items > MAX_NF_COMMIT_ITEMS) throw inputError('changes', `${this.#items} elements`, `at most ${MAX_NF_COMMIT_ITEMS} elements and quotas`)
    const at = this.#grow(CHANGE.headerBytes)
    const bytes = this.#bytes
    bytes[at] = OPS[change.op]
    bytes[at + 1] = family
    bytes[at + 2] = flags
    bytes[at + 3] = change.table.length
    bytes[at + 4] = name.length
    bytes.fill(0, at + 5, at + 8)
    this.#view.setUint32(at + 8, change.op === 'add-elements' || change.op === 'delete-elements' ? change.elements.length : 0, true)
    this.#text(change.table)
    this.#text(name)
  }

  #newElement(element: NfNewElement): void {
    const { timeoutMs, counter, quota, value = NONE, object = '' } = element
    let flags = 0
    if (timeoutMs !== undefined) flags |= ELEMENT.hasTimeout
    if (counter !== undefined) flags |= ELEMENT.hasCounter
    if (quota !== undefined) flags |= ELEMENT.hasQuota | (quota.isOver ? ELEMENT.isQuotaOver : 0)
    if (object !== '') checkName('object', object)
    this.#element(element, flags, value, object)
    if (timeoutMs !== undefined) {
      checkWhole('timeoutMs', timeoutMs, 1)
      this.#number(Math.max(SHORTEST_TIMEOUT_MS, timeoutMs))
    }
    if (counter !== undefined) {
      checkWhole('counter.packets', counter.packets)
      checkWhole('counter.bytes', counter.bytes)
      this.#number(counter.packets)
      this.#number(counter.bytes)
    }
    if (quota !== undefined) {
      checkQuota(quota)
      this.#number(quota.bytes)
      this.#number(quota.usedBytes)
    }
  }

  #element({ key, keyEnd = NONE, isIntervalEnd }: NfDoomedElement, flags: number, value: Uint8Array, object: string): void {
    checkData('key', key, 1)
    checkData('keyEnd', keyEnd, 0)
    checkData('value', value, 0)
    const at = this.#grow(ELEMENT.headerBytes)
    const bytes = this.#bytes
    bytes[at] = flags | (isIntervalEnd === true ? ELEMENT.isIntervalEnd : 0)
    bytes[at + 1] = 0
    bytes[at + 2] = key.length
    bytes[at + 3] = keyEnd.length
    bytes[at + 4] = value.length
    bytes[at + 5] = object.length
    bytes[at + 6] = 0
    bytes[at + 7] = 0
    this.#raw(key)
    if (keyEnd.length > 0) this.#raw(keyEnd)
    if (value.length > 0) this.#raw(value)
    if (object !== '') this.#text(object)
  }

  #number(value: number): void {
    const at = this.#grow(8)
    this.#view.setUint32(at, value % WORD, true)
    this.#view.setUint32(at + 4, Math.floor(value / WORD), true)
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length)
    for (let i = 0; i < bytes.length; i++) this.#bytes[at + i] = bytes[i] as number
  }

  #text(text: string): void {
    const at = this.#grow(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i)
  }

  #grow(length: number): number {
    const at = this.#length
    this.#length += length
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + MOST_NUMBERS_BYTES))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }
}

const NAME_FIELDS = { 'add-elements': 'set', 'delete-elements': 'set', 'flush-set': 'set', 'add-quota': 'quota.name', 'delete-quota': 'name' } as const

/** Reads the frames of a dump. Keys and values are copies. */
export function readElementFrames(frames: Uint8Array): NfElement[] {
  const reader = new FrameReader(frames)
  const elements: NfElement[] = []
  for (let at = 0; at < frames.length; at += reader.length(at)) elements.push(reader.element(at))
  return elements
}

/** Reads the frames of a dump of quotas. */
export function readQuotaFrames(frames: Uint8Array): NfQuota[] {
  const reader = new FrameReader(frames)
  const quotas: NfQuota[] = []
  for (let at = 0; at < frames.length; at += reader.length(at)) {
    const quota = reader.quotaOfEvent(at)
    if (quota !== null) quotas.push(quota)
  }
  return quotas
}

export function readEventFrames(frames: Uint8Array): NfEvent[] {
  const reader = new FrameReader(frames)
  const events: NfEvent[] = []
  for (let at = 0; at < frames.length; at += reader.length(at)) events.push(reader.event(at))
  return events
}

/** The addon made the frames and is believed. */
class FrameReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  length(at: number): number {
    return this.#view.getUint32(at, true)
  }

  element(at: number): NfElement {
    const view = this.#view
    const shown = view.getUint32(at + 4, true)
    const keyAt = at + ELEMENT_FRAME_BYTES
    const keyEndAt = keyAt + view.getUint16(at + 56, true)
    const valueAt = keyEndAt + view.getUint16(at + 58, true)
    const objectAt = valueAt + view.getUint16(at + 60, true)
    const end = objectAt + view.getUint16(at + 62, true)
    return {
      key: this.#bytes.slice(keyAt, keyEndAt),
      keyEnd: valueAt > keyEndAt ? this.#bytes.slice(keyEndAt, valueAt) : null,
      value: objectAt > valueAt ? this.#bytes.slice(valueAt, objectAt) : null,
      object: end > objectAt ? this.#text(objectAt, end) : null,
      timeoutMs: (shown & SHOWN.timeout) !== 0 ? this.#number(at + 8) : null,
      expiresMs: (shown & SHOWN.expiry) !== 0 ? this.#number(at + 16) : null,
      counter: (shown & SHOWN.counter) !== 0 ? this.#counter(at + 24) : null,
      quota: (shown & SHOWN.quota) !== 0 ? this.#quota(at + 40, (shown & SHOWN.quotaOver) !== 0) : null,
      isIntervalEnd: (shown & SHOWN.intervalEnd) !== 0,
      isCatchAll: (shown & SHOWN.catchAll) !== 0,
    }
  }

  event(at: number): NfEvent {
    const kind = this.#bytes[at + 4] as number
    const flags = this.#bytes[at + 5] as number
    const isOwn = (flags & EVENT.isOwn) !== 0
    const [table, name, end] = this.#names(at)
    if (kind === GENERATION) return { kind: 'generation', id: this.#view.getUint32(at + 8, true), pid: this.#view.getUint32(at + 12, true), processName: name, isOwn }
    const family = FAMILIES.get(this.#bytes[at + 6] as number) ?? null
    const quota = this.quotaOfEvent(at)
    if (kind === QUOTA_USED_UP && quota !== null) return { kind: 'quota-used-up', family, table, quota }
    return {
      kind: EVENT_KINDS[kind] ?? 'object',
      change: (flags & EVENT.isDeleted) !== 0 ? 'deleted' : 'new',
      family,
      table,
      name,
      element: end < at + this.length(at) ? this.element(end) : null,
      quota,
      isOwn,
    }
  }

  quotaOfEvent(at: number): NfQuota | null {
    const flags = this.#bytes[at + 5] as number
    if ((flags & EVENT.withQuota) === 0) return null
    const [, name] = this.#names(at)
    return { name, ...this.#quota(at + 16, (flags & EVENT.withQuotaOver) !== 0) }
  }

  /** Table, name, and where the frame's own part ends. */
  #names(at: number): [string, string, number] {
    const tableAt = at + EVENT_FRAME_BYTES
    const nameAt = tableAt + this.#view.getUint16(at + 32, true)
    const end = nameAt + this.#view.getUint16(at + 34, true)
    return [this.#text(tableAt, nameAt), this.#text(nameAt, end), at + Math.ceil((end - at) / 8) * 8]
  }

  #counter(at: number): NfCounter {
    return { packets: this.#number(at), bytes: this.#number(at + 8) }
  }

  #quota(at: number, isOver: boolean): NfQuotaState {
    return { bytes: this.#number(at), usedBytes: this.#number(at + 8), isOver }
  }

  #number(at: number): number {
    return this.#view.getUint32(at + 4, true) * WORD + this.#view.getUint32(at, true)
  }

  #text(from: number, to: number): string {
    let text = ''
    for (let at = from; at < to; at++) text += String.fromCharCode(this.#bytes[at] as number)
    return text
  }
}

function checkName(field: string, name: unknown): void {
  if (typeof name !== 'string' || name.length > MAX_NF_NAME_BYTES || !NAME.test(name))
    throw inputError(field, name, `1 to ${MAX_NF_NAME_BYTES} visible ASCII characters`)
}

function checkData(field: string, bytes: unknown, least: number): void {
  if (!(bytes instanceof Uint8Array) || bytes.length < least || bytes.length > MAX_NF_DATA_BYTES)
    throw inputError(field, bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes, `a Uint8Array of ${least} to ${MAX_NF_DATA_BYTES} bytes`)
}

function checkWhole(field: string, value: unknown, least = 0): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw inputError(field, value, `a whole number from ${least} to 2^53 - 1`)
}

function checkQuota(quota: NfQuotaState): void {
  checkWhole('quota.bytes', quota.bytes)
  checkWhole('quota.usedBytes', quota.usedBytes)
}

/** The same error with the way to the field before its name. */
function within(error: unknown, way: string): unknown {
  if (!(error instanceof MeshBoxError) || error.field === undefined || error.allowed === undefined) return error
  return inputError(error.field === 'changes' ? error.field : `${way}.${error.field}`, error.value, error.allowed)
}
