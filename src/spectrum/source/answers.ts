/** What we answer to others, from our own chain: eth/63's limits, read in slices so that no request holds the event loop. */
import { inputError } from '../../base/index.ts'
import type { Timers } from '../../base/index.ts'
import type { Hash } from '../codec/fields.ts'
import type { ChainServer } from '../ports.ts'
import { CODE, decodeGetHeaders, decodeHashes, encodeItems, encodeNodes } from './eth63.ts'
import type { Message } from './eth63.ts'
import { ANSWER_SLICE, MAX_BODIES, MAX_NODES, MAX_RECEIPTS, SOFT_REPLY_BYTES } from './limits.ts'

/** Two heights of a chain are never this far apart: the second header of such a request is not there. */
const MAX_SKIP = 2 ** 32

/** `softBytes`: items are added until the answer is that large. Errors (rejects): input for a malformed request, or a message that is none. */
export async function answer(server: ChainServer, timers: Timers, request: Message, softBytes = SOFT_REPLY_BYTES): Promise<Message> {
  switch (request.code) {
    case CODE.getHeaders: {
      const { from, count, skip, isReverse } = decodeGetHeaders(request.payload)
      return encodeItems(CODE.headers, server.headers(from, skip > MAX_SKIP ? Math.min(count, 1) : count, Math.min(skip, MAX_SKIP), isReverse))
    }
    case CODE.getBodies:
      return encodeItems(CODE.bodies, await inSlices(timers, decodeHashes(request.payload).slice(0, MAX_BODIES), (hashes) => server.bodies(hashes), softBytes))
    case CODE.getReceipts:
      return encodeItems(CODE.receipts, await inSlices(timers, decodeHashes(request.payload).slice(0, MAX_RECEIPTS), (hashes) => server.receipts(hashes), softBytes))
    case CODE.getNodes:
      return encodeNodes(await inSlices(timers, decodeHashes(request.payload).slice(0, MAX_NODES), (hashes) => server.nodes(hashes), softBytes))
    default:
      throw inputError('message', request.code, 'a request of eth/63')
  }
}

export const isRequest = (code: number): boolean => code === CODE.getHeaders || code === CODE.getBodies || code === CODE.getReceipts || code === CODE.getNodes

/** Stops where a reply is large enough; what is left out is asked for again. */
async function inSlices(timers: Timers, hashes: readonly Hash[], read: (hashes: readonly Hash[]) => readonly Uint8Array[], softBytes: number): Promise<Uint8Array[]> {
  const items: Uint8Array[] = []
  let bytes = 0
  // Bodies can be large: the first slice is one block, to learn how large they are here.
  for (let from = 0, slice = 1; from < hashes.length && bytes < softBytes; from += slice, slice = sliceFor(bytes, items.length, softBytes)) {
    if (from > 0) await new Promise<void>((resolve) => timers.after(0, resolve))
    for (const item of read(hashes.slice(from, from + slice))) {
      if (bytes >= softBytes) return items
      items.push(item)
      bytes += item.length
    }
  }
  return items
}

function sliceFor(bytes: number, count: number, softBytes: number): number {
  const average = count === 0 ? 0 : bytes / count
  return average * ANSWER_SLICE > softBytes / 8 ? 1 : ANSWER_SLICE
}
