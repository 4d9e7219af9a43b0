/**
 * What this box tells others of its chain, within eth/63's limits (spec 3). What it has not is left out. The
 * answer ends where it has grown to 2 MiB.
 */
import type { Hash } from '../codec/fields.ts'
import { encodeHeader } from '../codec/header.ts'
import type { ChainServer, StateNodes } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import type { KeptChain } from './chain.ts'
import { encodeReceipts } from './stored-receipts.ts'

export const SERVED = { headers: 192, bodies: 128, receipts: 256, nodes: 384, softBytes: 2 * 1024 * 1024 } as const

/** `nodes`: state that this box keeps; one that keeps none serves none. */
export function createChainServer(chain: KeptChain, nodes: StateNodes): ChainServer {
  return {
    network: chain.network,
    head: () => {
      const { hash, header, totalDifficulty } = chain.head()
      return { hash, number: header.number, totalDifficulty }
    },
    headers: (from, count, skip, isReverse) => bounded(headersFrom(chain, from, Math.min(count, SERVED.headers), skip + 1, isReverse)),
    bodies: (hashes) => bounded(each(hashes, SERVED.bodies, (hash) => chain.bodyBytes(hash))),
    receipts: (hashes) =>
      bounded(
        each(hashes, SERVED.receipts, (hash) => {
          const receipts = chain.receipts(hash)
          return receipts === null ? null : encodeReceipts(receipts)
        }),
      ),
    nodes: (hashes) => bounded(each(hashes, SERVED.nodes, (hash) => nodes.node(hash) ?? null)),
  }
}

/** One beyond the soft limit: a single answer larger than that is given too. */
function bounded(items: Iterable<Uint8Array>): Uint8Array[] {
  const answer: Uint8Array[] = []
  let bytes = 0
  for (const item of items) {
    answer.push(item)
    bytes += item.length
    if (bytes >= SERVED.softBytes) break
  }
  return answer
}

function* each(hashes: readonly Hash[], most: number, read: (hash: Hash) => Uint8Array | null): Generator<Uint8Array> {
  for (const hash of hashes.slice(0, most)) {
    const item = read(hash)
    if (item !== null) yield item
  }
}

/** From a block beside the chain, only its ancestors can be told. */
function* headersFrom(chain: KeptChain, from: Hash | number, count: number, step: number, isReverse: boolean): Generator<Uint8Array> {
  if (!Number.isSafeInteger(step) || step < 1 || !(count > 0)) return
  let at = typeof from === 'number' ? chain.headerAt(from) : chain.header(from)
  for (let given = 0; at !== null && given < count; given++) {
    yield encodeHeader(at.header)
    if (!isReverse && given === 0 && !isOnChain(chain, at)) return
    at = isReverse ? ancestor(chain, at, step) : chain.headerAt(at.header.number + step)
  }
}

function ancestor(chain: KeptChain, from: KnownHeader, step: number): KnownHeader | null {
  const wanted = from.header.number - step
  let at: KnownHeader | null = from
  // Beside the chain there are no more blocks than the tree holds.
  while (at !== null && at.header.number > wanted && !isOnChain(chain, at)) at = chain.block(at.header.parentHash)
  return at === null || at.header.number === wanted ? at : chain.headerAt(wanted)
}

function isOnChain(chain: KeptChain, { hash, header }: KnownHeader): boolean {
  return chain.headerAt(header.number)?.hash === hash
}
