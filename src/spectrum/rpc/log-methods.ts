/** Logs, and filters that a client polls. */
import { FoundLogs, addLogsOfBlock, findLogs, readLogQuery } from './find-logs.ts'
import { bloomTest } from './log-filter.ts'
import type { Asked, MethodTable } from './method.ts'
import type { Param } from './params.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

const MAX_ID_CHARS = 34
const idOf = (param: Param): string => param.text(MAX_ID_CHARS)

export const LOG_METHODS: MethodTable = {
  eth_getLogs: { maxParams: 1, run: ({ ports, policy }, params) => findLogs(ports, readLogQuery(params.at(0)), policy) },
  eth_newFilter: { maxParams: 1, run: ({ filters, caller, policy }, params) => filters.add(caller.key, { kind: 'logs', query: readLogQuery(params.at(0)) }, policy.maxFilters) },
  eth_newBlockFilter: { maxParams: 0, run: ({ filters, caller, policy }) => filters.add(caller.key, { kind: 'blocks' }, policy.maxFilters) },
  eth_uninstallFilter: { maxParams: 1, run: ({ filters, caller }, params) => filters.remove(caller.key, idOf(params.at(0))) },
  eth_getFilterChanges: { maxParams: 1, run: (asked, params) => changes(asked, idOf(params.at(0))) },
  eth_getFilterLogs: {
    maxParams: 1,
    run: ({ ports, policy, filters, caller }, params) => {
      const what = filters.get(caller.key, idOf(params.at(0)))
      if (what.kind !== 'logs') throw new RpcError(RPC_CODES.server, 'filter not found')
      return findLogs(ports, what.query, policy)
    },
  },
}

/** Hashes of new blocks, or logs; those of blocks that were taken back come once more, with `removed`. A filter's own bounds hold. */
async function changes({ ports, policy, filters, caller }: Asked, id: string): Promise<readonly unknown[]> {
  const { what, changes: happened, taken } = filters.changes(caller.key, id)
  if (what.kind === 'blocks') {
    taken()
    return happened.filter((change) => !change.removed).map((change) => change.block.hash)
  }
  const { filter, range } = what.query
  const mayMatch = bloomTest(ports.curve, filter)
  const found = new FoundLogs(policy)
  for (const { block, removed } of happened) {
    const { number } = block.header
    const isInside =
      'blockHash' in range ? block.hash === range.blockHash : !('number' in range.from && number < range.from.number) && !('number' in range.to && number > range.to.number)
    if (isInside) await addLogsOfBlock(ports, filter, mayMatch, block, removed, found)
  }
  taken()
  return found.logs
}
