/**
 * From frames to messages whose senders are known: decoded, looked at as far as costs little, and only then their signers
 * recovered, all of a group together: a few on the loop, more in the thread pool. A peer's frames are mostly signed by itself, so
 * that its signatures are checked as those of one signer (docs/native.md): a third of the cost.
 */
import { ZERO_HASH, concatBytes, hexOf } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { ChannelReceived } from '../channel/index.ts'
import type { Decoded, Message, Wire } from '../ports.ts'
import type { Digests } from '../wire/index.ts'
import type { InboundFrame } from './inbox.ts'
import type { SignerRecovery } from './ports.ts'

/** From so many signatures up the pool is worth its way (docs/native.md). */
export const POOL_FROM = 16
/** What one job of the pool takes: a group is spread over the router's cores. */
const POOL_CHUNK = 64
/** From so many of one peer on, one signer is looked for. */
const ONE_SIGNER_FROM = 4
const RECOVER_BYTES = 32 + 65
const ADDRESS_BYTES = 20

export interface Gathered {
  readonly from: Address
  readonly received: ChannelReceived
}

export interface Unreadable {
  readonly from: Address
  readonly refused: string
}

export interface GatherTools {
  readonly wire: Wire
  readonly digests: Digests
  readonly recovery: SignerRecovery
  /** Why it need not be looked at further, or null: asked before its signature costs anything. */
  objection(from: Address, message: Message): string | null
}

interface Pending {
  readonly from: Address
  readonly frame: Uint8Array
  readonly decoded: Decoded
  /** Places among the recovered addresses; -1: not signed. */
  readonly signer: number
  readonly contractSigner: number
}

/** In the order of the frames. A promise only where the pool was needed. */
export function gather(tools: GatherTools, frames: readonly InboundFrame[]): (Gathered | Unreadable)[] | Promise<(Gathered | Unreadable)[]> {
  const items: (Pending | Unreadable)[] = []
  // A message has at most two signatures: its own and the contract's.
  const toRecover = new Uint8Array(2 * frames.length * RECOVER_BYTES)
  let count = 0
  const runs: Run[] = []
  const recoverLater = (from: Address, digest: Uint8Array, signature: Uint8Array): number => {
    const newest = runs.at(-1)
    if (newest?.from === from && newest.count < POOL_CHUNK) newest.count++
    else runs.push({ from, start: count, count: 1 })
    toRecover.set(digest, count * RECOVER_BYTES)
    toRecover.set(signature, count * RECOVER_BYTES + digest.length)
    return count++
  }
  for (const { from, frame } of frames) {
    const decoded = tools.wire.decode(frame)
    if ('refused' in decoded) {
      items.push({ from, refused: decoded.refused })
      continue
    }
    const refused = tools.objection(from, decoded.message)
    if (refused !== null) {
      items.push({ from, refused })
      continue
    }
    const signer = decoded.digest === null || decoded.signature === null ? -1 : recoverLater(from, decoded.digest, decoded.signature)
    const contractDigest = contractDigestOf(tools.digests, decoded.message)
    const contractSigner = contractDigest === null ? -1 : recoverLater(from, contractDigest.digest, contractDigest.signature)
    items.push({ from, frame, decoded, signer, contractSigner })
  }
  if (count === 0) return items.map((item) => finished(item, NO_ADDRESSES))
  const { recovery } = tools
  const jobs = jobsOf(runs).map(({ start, count: many, from }) => ({ isOneSigner: from !== null, frames: toRecover.subarray(start * RECOVER_BYTES, (start + many) * RECOVER_BYTES) }))
  if (count < POOL_FROM) {
    const addresses = joined(jobs.map(({ isOneSigner, frames: some }) => (isOneSigner ? recovery.recoverOneSignerBatch(some) : recovery.recoverAddressBatch(some))))
    return items.map((item) => finished(item, addresses))
  }
  const parts = jobs.map(({ isOneSigner, frames: some }) => (isOneSigner ? recovery.recoverOneSignerBatchInPool(some) : recovery.recoverAddressBatchInPool(some)))
  return Promise.all(parts).then((answers) => {
    const addresses = joined(answers)
    return items.map((item) => finished(item, addresses))
  })
}

/** Signatures side by side that one peer brought; `from` null: too few of anybody's. */
interface Run {
  from: Address | null
  readonly start: number
  count: number
}

/** Short runs beside each other go together. */
function jobsOf(runs: readonly Run[]): readonly Run[] {
  const jobs: Run[] = []
  for (const run of runs) {
    const newest = jobs.at(-1)
    const isShort = run.count < ONE_SIGNER_FROM
    if (isShort && newest?.from === null && newest.count + run.count <= POOL_CHUNK) newest.count += run.count
    else jobs.push(isShort ? { ...run, from: null } : run)
  }
  return jobs
}

const NO_ADDRESSES = new Uint8Array(0)
const NOBODY = hexOf(new Uint8Array(ADDRESS_BYTES))

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] ?? NO_ADDRESSES) : concatBytes(...parts)
}

function finished(item: Pending | Unreadable, addresses: Uint8Array): Gathered | Unreadable {
  if ('refused' in item) return item
  const { from, frame, decoded } = item
  const signer = item.signer < 0 ? from : addressAt(addresses, item.signer, from)
  if (signer === NOBODY) return { from, refused: 'nobody made this signature' }
  const { message, signature } = decoded
  const extra = message.kind === 'ack' ? ZERO_HASH : decoded.extra // of an ack nobody asks, and it would be hashed for it
  const received: ChannelReceived = { message, sender: signer, extra, signature, packet: frame }
  return { from, received: item.contractSigner < 0 ? received : { ...received, contractSigner: contractSignerOf(addresses, item.contractSigner) } }
}

/** `likely`: mostly it is who sent it, and then no text is made. */
function addressAt(addresses: Uint8Array, index: number, likely: Address): Address {
  const at = index * ADDRESS_BYTES
  for (let i = 0; i < ADDRESS_BYTES; i++) {
    const byte = addresses[at + i] ?? 0
    if (digitAt(likely, 2 + 2 * i) !== byte >> 4 || digitAt(likely, 3 + 2 * i) !== (byte & 15)) return hexOf(addresses.subarray(at, at + ADDRESS_BYTES))
  }
  return likely
}

function digitAt(hex: string, index: number): number {
  const code = hex.charCodeAt(index)
  return code < 0x3a ? code - 0x30 : code - 0x57
}

function contractSignerOf(addresses: Uint8Array, index: number): Address | null {
  const signer = addressAt(addresses, index, NOBODY)
  return signer === NOBODY ? null : signer
}

/** What the contract's signature inside a message covers; null: there is none. */
export function contractDigestOf(digests: Digests, message: Message): { readonly digest: Uint8Array; readonly signature: Uint8Array } | null {
  switch (message.kind) {
    case 'settle-request':
    case 'settle-response':
      if ((message.terms.validUntil === null) !== (digests.domain.profile === 'v1')) return null
      return { digest: digests.cooperativeSettle(message.key, message.terms), signature: message.contractSignature }
    case 'withdraw-request':
    case 'withdraw-response':
      if (message.terms.profile !== digests.domain.profile) return null
      return { digest: digests.withdraw(message.key, message.terms), signature: message.contractSignature }
    default:
      return null
  }
}

