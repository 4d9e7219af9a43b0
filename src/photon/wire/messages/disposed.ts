/**
 * A lock given up by who was to receive it. v1 command 13: expiration 32 ‖ amount 32 ‖ secret hash 32 ‖ channel 32 ‖ epoch 8 ‖
 * code int32 ‖ length int32 ‖ reason. v2 type 0x47: expiration 8 ‖ amount 16 ‖ secret hash 32 ‖ channel 32 ‖ epoch 8 ‖
 * hop 1 (0xff: none) ‖ code int32 ‖ length 2 ‖ reason.
 *
 * The hop is a hint for the initiator's next try. Each hop on the way back adds one to what it was told, so it may
 * outgrow every path; and v1 has no place for it. Such a hint is left out, rather than the refusal.
 */
import { MAX_PATH_HOPS } from '../bounds.ts'
import { readKey, writeKey } from '../envelope.ts'
import { FRAME_VERSION, readReason, writeReason } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type Disposed = MessageOf<'disposed'>

const NO_HOP = 0xff

export const disposedV1: Layout<Disposed> = {
  kind: 'disposed',
  type: 13,
  version: 0,
  signedAs: 'disposed',
  write(out, message) {
    const { lock } = message
    out.zeros(24).height(lock.expiration, 'lock.expiration').u256(lock.amount, 'lock.amount').hash(lock.secretHash, 'lock.secretHash')
    writeKey(out, message.key)
    writeReason(out, message.code, message.reason, 4)
  },
  read(from) {
    const expiration = from.wideHeight('expiration')
    const amount = from.u256()
    const secretHash = from.hash()
    const key = readKey(from)
    return { kind: 'disposed', key, lock: { expiration, amount, secretHash }, ...readReason(from, 4), hopIndex: null }
  },
}

export const disposedV2: Layout<Disposed> = {
  kind: 'disposed',
  type: 0x47,
  version: FRAME_VERSION,
  signedAs: 'disposed',
  write(out, message) {
    const { lock, hopIndex } = message
    out.height(lock.expiration, 'lock.expiration').u128(lock.amount, 'lock.amount').hash(lock.secretHash, 'lock.secretHash')
    writeKey(out, message.key)
    out.u8(hopIndex === null || hopIndex > MAX_PATH_HOPS ? NO_HOP : hopIndex, 'hopIndex')
    writeReason(out, message.code, message.reason, 2)
  },
  read(from) {
    const expiration = from.height('expiration')
    const amount = from.u128()
    const secretHash = from.hash()
    const key = readKey(from)
    const hop = from.u8()
    if (hop > MAX_PATH_HOPS && hop !== NO_HOP) from.refuse(`hop: ${hop}, at most ${MAX_PATH_HOPS}`)
    return { kind: 'disposed', key, lock: { expiration, amount, secretHash }, ...readReason(from, 2), hopIndex: hop === NO_HOP ? null : hop }
  },
}
