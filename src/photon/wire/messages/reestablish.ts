/** v2 type 0x42: channel 32 ‖ epoch 8 ‖ sent nonce 8 ‖ sent hash 32 ‖ seen nonce 8 ‖ seen hash 32. Nonce 0: nothing yet. */
import { readKey, writeKey } from '../envelope.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

export const reestablishV2: Layout<MessageOf<'reestablish'>> = {
  kind: 'reestablish',
  type: 0x42,
  version: FRAME_VERSION,
  signedAs: 'frame',
  write(out, message) {
    writeKey(out, message.key)
    out.u64(message.sentNonce, 'sentNonce').hash(message.sentHash, 'sentHash').u64(message.seenNonce, 'seenNonce').hash(message.seenHash, 'seenHash')
  },
  read(from) {
    const key = readKey(from)
    const sentNonce = from.u64()
    const sentHash = from.hash()
    const seenNonce = from.u64()
    const seenHash = from.hash()
    return { kind: 'reestablish', key, sentNonce, sentHash, seenNonce, seenHash }
  },
}
