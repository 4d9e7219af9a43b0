/** Lists of pending locks: all changes return new lists with their sum and root. */
import { hash } from 'node:crypto'
import type { Hash } from '../../base/index.ts'
import { bytesOf } from '../../base/index.ts'
import type { Lock } from '../ports.ts'
import { lockHash, merkleRoot, rootOfDistinct } from '../wire/index.ts'
import type { Keccak } from '../wire/index.ts'
import type { ChannelSide, PendingLock } from './state.ts'

type LockTotals = Pick<ChannelSide, 'locks' | 'locked' | 'locksroot'>

/** The registry refuses a secret of zeros, so such a lock could never be opened on the chain. */
export const ZERO_SECRET_HASH: Hash = '0x66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'

/** The hashes of the newest secrets: each is looked at by payment, channel and lock in turn. */
const recentHashes = new Map<Hash, Hash>()
const KEPT_HASHES = 256

export function secretHashOf(secret: Hash): Hash {
  const known = recentHashes.get(secret)
  if (known !== undefined) return known
  const secretHash: Hash = `0x${hash('sha256', bytesOf(secret), 'hex')}`
  if (recentHashes.size >= KEPT_HASHES) recentHashes.clear()
  recentHashes.set(secret, secretHash)
  return secretHash
}

const HASH = /^0x[0-9a-f]{64}$/
export function isHash(text: string): text is Hash {
  return HASH.test(text)
}

export function lockIn(side: ChannelSide, secretHash: Hash): PendingLock | undefined {
  return side.locks.find((lock) => lock.secretHash === secretHash)
}

export function withLock(keccak256: Keccak, side: ChannelSide, lock: Lock): LockTotals {
  const { expiration, amount, secretHash } = lock
  const pending: PendingLock = { expiration, amount, secretHash, hash: lockHash(keccak256, lock), secret: null, registeredBlock: null, isDisposed: false }
  const locks = [...side.locks, pending]
  return { locks, locked: side.locked + amount, locksroot: merkleRoot(keccak256, leavesOf(locks)) }
}

export function withoutLock(keccak256: Keccak, side: ChannelSide, lock: PendingLock): LockTotals {
  const locks = side.locks.filter((other) => other !== lock)
  return { locks, locked: side.locked - lock.amount, locksroot: rootOfDistinct(keccak256, leavesOf(locks)) }
}

/** Marks on a lock that its hash does not cover: root and sum stay. */
export function withMark(side: ChannelSide, lock: PendingLock, mark: Partial<Pick<PendingLock, 'secret' | 'registeredBlock' | 'isDisposed'>>): ChannelSide {
  return { ...side, locks: side.locks.map((other) => (other === lock ? { ...other, ...mark } : other)) }
}

/** The lock without our own marks. */
export function plainLock(lock: PendingLock): Lock {
  return { expiration: lock.expiration, amount: lock.amount, secretHash: lock.secretHash }
}

function leavesOf(locks: readonly PendingLock[]): readonly Hash[] {
  return locks.map((lock) => lock.hash)
}
