/**
 * A payment under a hash. v1 command 11, version 1: expiration 8 ‖ secret hash 32 ‖ lock amount 32 ‖ target 20 ‖ initiator 20 ‖
 * fee 32 ‖ k int32 ‖ k addresses ‖ envelope. v2 type 0x44: payment id 1 or 33 ‖ expiration 8 ‖ secret hash 32 ‖ lock
 * amount 16 ‖ amount 16 ‖ fee 16 ‖ target 20 ‖ initiator 20 ‖ k 1 ‖ k times address 20, amount 16 ‖ envelope.
 */
import { inputError } from '../../../base/index.ts'
import type { Hop, Lock } from '../../ports.ts'
import { MAX_PATH_HOPS } from '../bounds.ts'
import type { ByteReader } from '../byte-reader.ts'
import { readEnvelope, writeEnvelope } from '../envelope.ts'
import { FRAME_VERSION, absentInV1, presentInV2, readOptionalHash, writeOptionalHash } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type Locked = MessageOf<'locked'>

export const lockedV1: Layout<Locked> = {
  kind: 'locked',
  type: 11,
  version: 1,
  signedAs: 'envelope',
  write(out, message) {
    const { lock, amount, fee } = message
    checkLocked(message)
    absentInV1(message.paymentId, 'paymentId')
    if (fee < 0n || amount < 0n || lock.amount !== amount + fee) throw inputError('lock.amount', lock.amount, 'amount + fee: v1 packets carry only the sum and the fee')
    out.height(lock.expiration, 'lock.expiration').hash(lock.secretHash, 'lock.secretHash').u256(lock.amount, 'lock.amount')
    out.address(message.target, 'target').address(message.initiator, 'initiator').u256(fee, 'fee').i32(message.path.length, 'path')
    for (const hop of message.path) {
      absentInV1(hop.amount, 'path.amount')
      out.address(hop.node, 'path.node')
    }
    writeEnvelope(out, message.envelope)
  },
  read(from) {
    const expiration = from.height('expiration')
    const secretHash = from.hash()
    const lockAmount = from.u256()
    const target = from.address()
    const initiator = from.address()
    const fee = from.u256()
    const path = readPath(from, from.i32(), () => ({ node: from.address(), amount: null }))
    if (fee > lockAmount) from.refuse('fee: more than the amount')
    const lock = checkedLock(from, { expiration, amount: lockAmount, secretHash })
    return { kind: 'locked', envelope: readEnvelope(from), lock, amount: lockAmount - fee, fee, initiator, target, path, paymentId: null }
  },
}

export const lockedV2: Layout<Locked> = {
  kind: 'locked',
  type: 0x44,
  version: FRAME_VERSION,
  signedAs: 'envelope',
  write(out, message) {
    const { lock } = message
    checkLocked(message)
    writeOptionalHash(out, message.paymentId, 'paymentId')
    out.height(lock.expiration, 'lock.expiration').hash(lock.secretHash, 'lock.secretHash').u128(lock.amount, 'lock.amount')
    out.u128(message.amount, 'amount').u128(message.fee, 'fee').address(message.target, 'target').address(message.initiator, 'initiator')
    out.u8(message.path.length, 'path')
    for (const hop of message.path) out.address(hop.node, 'path.node').u128(presentInV2(hop.amount, 'path.amount'), 'path.amount')
    writeEnvelope(out, message.envelope)
  },
  read(from) {
    const paymentId = readOptionalHash(from, 'payment id')
    const expiration = from.height('expiration')
    const secretHash = from.hash()
    const lockAmount = from.u128()
    const amount = from.u128()
    const fee = from.u128()
    const target = from.address()
    const initiator = from.address()
    const path = readPath(from, from.u8(), () => {
      const node = from.address()
      return { node, amount: from.u128() }
    })
    const lock = checkedLock(from, { expiration, amount: lockAmount, secretHash })
    return { kind: 'locked', envelope: readEnvelope(from), lock, amount, fee, initiator, target, path, paymentId }
  },
}

function checkLocked(message: Locked): void {
  if (message.path.length > MAX_PATH_HOPS) throw inputError('path', `${message.path.length} hops`, `at most ${MAX_PATH_HOPS}`)
  if (message.lock.expiration === 0) throw inputError('lock.expiration', 0, '1 or more')
  if (message.lock.amount === 0n) throw inputError('lock.amount', 0, '1 or more')
}

function checkedLock(from: ByteReader, lock: Lock): Lock {
  if (lock.expiration === 0) from.refuse('expiration: 0')
  if (lock.amount === 0n) from.refuse('lock amount: 0')
  return lock
}

/** The count is held against its bound before the first hop is read. */
function readPath(from: ByteReader, count: number, readHop: () => Hop): readonly Hop[] {
  if (count < 0 || count > MAX_PATH_HOPS) {
    from.refuse(`path: ${count} hops, at most ${MAX_PATH_HOPS}`)
    return []
  }
  const path: Hop[] = []
  while (path.length < count && from.refusal === null) path.push(readHop())
  return path
}
