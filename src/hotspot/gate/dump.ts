/**
 * Reads what `nft -j list …` prints (libnftables-json(5), schema version 1): the elements of our sets, the
 * quota objects, and the structure of our tables in a form that can be compared.
 */
import { createHash } from 'node:crypto'
import { MARK_PREFIX, TABLE } from './names.ts'

/** One element. Keys of several parts are joined as nft writes them, `a . b`. */
export interface DumpedElement {
  readonly key: string
  /** Maps only. */
  readonly value: string | null
  /** Whole seconds until it runs out, rounded down; null without a timeout. */
  readonly expiresSeconds: number | null
  readonly packets: number
  readonly bytes: number
}

export interface DumpedQuota {
  readonly totalBytes: number
  /** The kernel never shows more than `totalBytes`. */
  readonly usedBytes: number
}

/** What is in the sets of the `inet` table, by `inet <set>`, and its quotas. */
export interface Contents {
  readonly sets: ReadonlyMap<string, readonly DumpedElement[]>
  readonly quotas: ReadonlyMap<string, DumpedQuota>
}

export interface Dump extends Contents {
  /** Name of the chain that carries the fingerprint; null if there is none. */
  readonly mark: string | null
  /** Hash over tables, chains, rules and set declarations, without elements, handles and counters. */
  readonly structure: string
  readonly isEmpty: boolean
}

type Json = Record<string, unknown>

/** `texts`: one JSON document per listed table. Throws Error when one is not what nft prints. */
export function readDump(texts: readonly string[]): Dump {
  const sets = new Map<string, readonly DumpedElement[]>()
  const quotas = new Map<string, DumpedQuota>()
  const structure: string[] = []
  let mark: string | null = null
  for (const item of texts.flatMap(itemsOf)) {
    const [kind, body] = Object.entries(item)[0] ?? []
    if (kind === undefined || !isJson(body) || kind === 'metainfo') continue
    if (kind !== 'table' && body['table'] !== TABLE) continue
    if (kind === 'table' && body['name'] !== TABLE) continue
    // The guard's sets hold raw bytes, which each nft shows in its own way; nobody needs them here.
    if ((kind === 'set' || kind === 'map') && body['family'] === 'inet') sets.set(`inet ${String(body['name'])}`, elementsOf(body['elem']))
    if (kind === 'quota') quotas.set(String(body['name']), { totalBytes: wholeNumber(body['bytes']), usedBytes: wholeNumber(body['used']) })
    else if (kind === 'chain' && String(body['name']).startsWith(MARK_PREFIX)) mark = String(body['name'])
    else structure.push(canonical(kind, body))
  }
  return {
    sets,
    quotas,
    mark,
    structure: createHash('sha256').update(structure.join('\n')).digest('hex').slice(0, 16),
    isEmpty: structure.length === 0,
  }
}

/** Elements of the one set that a `list set` or `list map` printed. */
export function readElements(text: string): readonly DumpedElement[] {
  for (const item of itemsOf(text)) {
    const [kind, body] = Object.entries(item)[0] ?? []
    if ((kind === 'set' || kind === 'map') && isJson(body)) return elementsOf(body['elem'])
  }
  return []
}

/** Interfaces of all flow tables (`list flowtables`): traffic they take over is seen by no rule. */
export function readFlowtableDevices(text: string): string[] {
  return itemsOf(text).flatMap((item) => {
    const body = item['flowtable']
    const devices = isJson(body) ? body['dev'] : undefined
    return typeof devices === 'string' ? [devices] : Array.isArray(devices) ? devices.filter((name): name is string => typeof name === 'string') : []
  })
}

function itemsOf(text: string): Json[] {
  const document: unknown = JSON.parse(text)
  const items = isJson(document) ? document['nftables'] : undefined
  if (!Array.isArray(items)) throw new Error('nft printed no list of objects')
  return items.filter(isJson)
}

function elementsOf(elements: unknown): DumpedElement[] {
  if (elements === undefined) return []
  if (!Array.isArray(elements)) throw new Error('nft printed a set without a list of elements')
  return elements.map((element: unknown) => {
    const [left, right] = Array.isArray(element) ? (element as [unknown, unknown]) : [element, null]
    const body = isJson(left) && isJson(left['elem']) ? left['elem'] : { val: left }
    const counter = counterOf(body)
    return {
      key: keyText(body['val']),
      value: right === null ? null : keyText(right),
      expiresSeconds: typeof body['expires'] === 'number' ? body['expires'] : null,
      packets: wholeNumber(counter['packets']),
      bytes: wholeNumber(counter['bytes']),
    }
  })
}

/** In the element itself, or (newer nft) in its list of statements. */
function counterOf(element: Json): Json {
  const statements: unknown[] = Array.isArray(element['stmt']) ? element['stmt'] : []
  const found = [element, ...statements].map((part) => (isJson(part) ? part['counter'] : undefined)).find(isJson)
  return found ?? {}
}

function keyText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (isJson(value)) {
    if (Array.isArray(value['concat'])) return value['concat'].map(keyText).join(' . ')
    const prefix = value['prefix']
    if (isJson(prefix)) return `${keyText(prefix['addr'])}/${keyText(prefix['len'])}`
    if (Array.isArray(value['range'])) return value['range'].map(keyText).join('-')
  }
  throw new Error('nft printed an element of an unknown kind')
}

/** What may change without anybody touching the rules is left out. */
function canonical(kind: string, body: Json): string {
  const without = new Set(kind === 'rule' || kind === 'chain' || kind === 'table' ? ['handle'] : ['handle', 'elem'])
  return `${kind} ${JSON.stringify(body, (key, value: unknown) => (without.has(key) && value !== body ? undefined : value))}`
}

function wholeNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
