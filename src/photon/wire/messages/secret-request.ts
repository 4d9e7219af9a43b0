/** The target asks for the secret. v1 command 5: secret hash 32 ‖ amount 32. v2 type 0x49: payment id 1 or 33 ‖ secret hash 32 ‖ amount 16. */
import { FRAME_VERSION, absentInV1, readOptionalHash, writeOptionalHash } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type SecretRequest = MessageOf<'secret-request'>

export const secretRequestV1: Layout<SecretRequest> = {
  kind: 'secret-request',
  type: 5,
  version: 0,
  signedAs: 'frame',
  write(out, message) {
    absentInV1(message.paymentId, 'paymentId')
    out.hash(message.secretHash, 'secretHash').u256(message.amount, 'amount')
  },
  read(from) {
    const secretHash = from.hash()
    return { kind: 'secret-request', secretHash, amount: from.u256(), paymentId: null }
  },
}

export const secretRequestV2: Layout<SecretRequest> = {
  kind: 'secret-request',
  type: 0x49,
  version: FRAME_VERSION,
  signedAs: 'frame',
  write(out, message) {
    writeOptionalHash(out, message.paymentId, 'paymentId')
    out.hash(message.secretHash, 'secretHash').u128(message.amount, 'amount')
  },
  read(from) {
    const paymentId = readOptionalHash(from, 'payment id')
    const secretHash = from.hash()
    return { kind: 'secret-request', secretHash, amount: from.u128(), paymentId }
  },
}
