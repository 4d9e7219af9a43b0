/** Logs of kept blocks: one block, or a bounded range, read in steps so that others get their turn. */
import { hashTransaction } from '../codec/transaction.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { bodyOfBlock, receiptsOfBlock } from './block-contents.ts'
import { blockByHash, needBlock, readBlockTag } from './block-tag.ts'
import type { BlockWanted } from './block-tag.ts'
import type { Hash } from '../codec/fields.ts'
import { bloomTest, matchesLog, readLogFilter } from './log-filter.ts'
import type { BloomTest, LogFilter } from './log-filter.ts'
import type { Param } from './params.ts'
import type { RpcPolicy } from './policy.ts'
import type { RpcPorts } from './ports.ts'
import { turn } from './turn.ts'
import { logJson } from './present.ts'
import type { Json } from './present.ts'
import { RPC_CODES, RpcError, paramError } from './rpc-error.ts'

/** Blooms looked at before others get their turn. */
const BLOOMS_PER_TURN = 64
/** A log in JSON without its data, roughly. */
const LOG_BYTES = 500

export interface LogQuery {
  readonly filter: LogFilter
  readonly range: { readonly blockHash: Hash } | { readonly from: BlockWanted; readonly to: BlockWanted }
}

type LogLimits = Pick<RpcPolicy, 'maxLogBlocks' | 'maxLogs' | 'maxResponseBytes'>

/** Logs on their way into an answer: bounded by number and by bytes before the answer's text is made. */
export class FoundLogs {
  readonly logs: Json[] = []
  readonly #limits: LogLimits
  #bytes = 0

  constructor(limits: LogLimits) {
    this.#limits = limits
  }

  /** Errors: RpcError -32005. */
  add(log: Json, dataBytes: number): void {
    // Two digits a byte, and the rest of a log.
    this.#bytes += 2 * dataBytes + LOG_BYTES
    if (this.logs.length >= this.#limits.maxLogs) throw new RpcError(RPC_CODES.limit, `more than ${this.#limits.maxLogs} logs; ask for fewer blocks`)
    if (this.#bytes > this.#limits.maxResponseBytes) throw new RpcError(RPC_CODES.limit, `more than ${this.#limits.maxResponseBytes} bytes of logs; ask for fewer blocks`)
    this.logs.push(log)
  }
}

/** Errors: RpcError -32602. */
export function readLogQuery(param: Param): LogQuery {
  const { fromBlock, toBlock, blockHash, address, topics } = param.fields(['fromBlock', 'toBlock', 'blockHash', 'address', 'topics'])
  const filter = readLogFilter(address, topics)
  if (blockHash.isAbsent) return { filter, range: { from: readBlockTag(fromBlock), to: readBlockTag(toBlock) } }
  if (!fromBlock.isAbsent || !toBlock.isAbsent) throw paramError(blockHash.name, 'a value beside fromBlock or toBlock', 'one of the two')
  return { filter, range: { blockHash: blockHash.hash() } }
}

/** Errors: RpcError -32001 where a block that may hold such a log is not kept (never a part of the answer), -32005 for too much. */
export async function findLogs(ports: RpcPorts, query: LogQuery, limits: LogLimits): Promise<readonly Json[]> {
  const mayMatch = bloomTest(ports.curve, query.filter)
  const found = new FoundLogs(limits)
  if ('blockHash' in query.range) {
    const block = blockByHash(ports.chain, query.range.blockHash)
    if (block === null) throw new RpcError(RPC_CODES.missing, `block ${query.range.blockHash} is not known`)
    await addLogsOfBlock(ports, query.filter, mayMatch, block, false, found)
    return found.logs
  }
  const [from, to] = rangeOf(ports, query.range)
  if (to - from >= limits.maxLogBlocks) throw new RpcError(RPC_CODES.limit, `params[0]: ${to - from + 1} blocks; at most ${limits.maxLogBlocks} at a time`)
  for (let number = from; number <= to; number++) {
    if ((number - from) % BLOOMS_PER_TURN === BLOOMS_PER_TURN - 1) await turn(ports)
    const block = number === 0 ? null : needBlock(ports.curve, ports.chain, { number }) // the genesis has no logs
    if (block !== null) await addLogsOfBlock(ports, query.filter, mayMatch, block, false, found)
  }
  return found.logs
}

function rangeOf(ports: RpcPorts, range: { readonly from: BlockWanted; readonly to: BlockWanted }): readonly [number, number] {
  const head = ports.chain.head().header.number
  const numberOf = (wanted: BlockWanted): number => ('number' in wanted ? wanted.number : needBlock(ports.curve, ports.chain, wanted).header.number)
  const [from, to] = [numberOf(range.from), Math.min(numberOf(range.to), head)]
  // Nothing is above the head yet: a wallet that asks from the next block on gets an empty list, not an error.
  if (from > to && from <= head) throw paramError('params[0].fromBlock', `block ${from}, behind toBlock ${to},`, 'a block up to toBlock')
  return [from, to]
}

/** Adds to `found`. Errors: RpcError -32001 where receipts are missing, -32005 beyond the bounds. */
export async function addLogsOfBlock(ports: RpcPorts, filter: LogFilter, mayMatch: BloomTest, block: KnownHeader, removed: boolean, found: FoundLogs): Promise<void> {
  if (!mayMatch(block.header.bloom)) return
  await turn(ports) // a block's receipts are read and decoded in one go
  const receipts = await receiptsOfBlock(ports, block)
  if (!receipts.some((receipt) => receipt.logs.some((log) => matchesLog(filter, log)))) return
  const { transactions } = await bodyOfBlock(ports, block)
  const places = receipts.flatMap((receipt, index) => receipt.logs.map((log) => ({ log, index })))
  for (const [logIndex, { log, index }] of places.entries()) {
    const transaction = transactions[index]
    if (transaction === undefined || !matchesLog(filter, log)) continue
    found.add(logJson(log, { hash: block.hash, number: block.header.number, index }, hashTransaction(ports.curve, transaction), logIndex, removed), log.data.length)
  }
}

