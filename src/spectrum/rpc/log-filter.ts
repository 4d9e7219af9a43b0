/**
 * Which logs a filter means: any of its addresses, and at each place one of the topics named there; a place
 * left open (null, or an empty list) takes any topic but must be there. Blooms are asked first: a filter's
 * bits are computed once, so that a block costs a few bytes to look at.
 */
import { bloomOfLogs } from '../codec/receipt.ts'
import type { LogEntry } from '../codec/receipt.ts'
import type { Address, Hash, Hex, Keccak } from '../codec/fields.ts'
import type { Param } from './params.ts'

export interface LogFilter {
  /** Null: any. */
  readonly addresses: readonly Address[] | null
  /** By place; null: any topic. */
  readonly topics: readonly (readonly Hash[] | null)[]
}

const MAX_ADDRESSES = 64
const MAX_TOPIC_CHOICES = 64
const MAX_PLACES = 4

/** Errors: RpcError -32602. */
export function readLogFilter(address: Param, topics: Param): LogFilter {
  return { addresses: readAddresses(address), topics: topics.isAbsent ? [] : topics.list(MAX_PLACES).map(readPlace) }
}

function readAddresses(param: Param): readonly Address[] | null {
  if (param.isAbsent) return null
  if (!Array.isArray(param.value)) return [param.address()]
  const addresses = param.list(MAX_ADDRESSES).map((one) => one.address())
  return addresses.length === 0 ? null : addresses
}

function readPlace(param: Param): readonly Hash[] | null {
  if (param.isAbsent) return null
  if (!Array.isArray(param.value)) return [param.hash()]
  const choices = param.list(MAX_TOPIC_CHOICES)
  // As the original has it: a null among the choices leaves the place open.
  return choices.length === 0 || choices.some((one) => one.isAbsent) ? null : choices.map((one) => one.hash())
}

export function matchesLog(filter: LogFilter, log: LogEntry): boolean {
  if (filter.addresses !== null && !filter.addresses.includes(log.address)) return false
  if (filter.topics.length > log.topics.length) return false
  return filter.topics.every((choices, place) => {
    const topic = log.topics[place]
    return choices === null || (topic !== undefined && choices.includes(topic))
  })
}

/** False: no log below this bloom matches. True: perhaps. */
export type BloomTest = (bloom: Uint8Array) => boolean

export function bloomTest(keccak: Keccak, filter: LogFilter): BloomTest {
  const groups = [filter.addresses, ...filter.topics].filter((group) => group !== null).map((group) => group.map((entry) => bitsOf(keccak, entry)))
  return (bloom) => groups.every((group) => group.some((bits) => bits.every(({ at, mask }) => ((bloom[at] ?? 0) & mask) === mask)))
}

function bitsOf(keccak: Keccak, entry: Hex): readonly { readonly at: number; readonly mask: number }[] {
  const bloom = bloomOfLogs(keccak, [{ address: entry, topics: [], data: new Uint8Array(0) }])
  return [...bloom.entries()].filter(([, mask]) => mask !== 0).map(([at, mask]) => ({ at, mask }))
}
