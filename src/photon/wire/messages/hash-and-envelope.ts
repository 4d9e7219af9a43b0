/** Three messages of 32 bytes and an envelope: unlock (secret; 7, 0x45), expired (secret hash; 17, 0x46), disposed-response (secret hash; 27, 0x48). */
import { readEnvelope, writeEnvelope } from '../envelope.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type Releasing = 'expired' | 'disposed-response'

const unlock = {
  write: ((out, message) => {
    out.hash(message.secret, 'secret')
    writeEnvelope(out, message.envelope)
  }) satisfies Layout<MessageOf<'unlock'>>['write'],
  read: ((from) => {
    const secret = from.hash()
    return { kind: 'unlock', envelope: readEnvelope(from), secret }
  }) satisfies Layout<MessageOf<'unlock'>>['read'],
}

function releasing<K extends Releasing>(kind: K, type: number, version: number): Layout<MessageOf<Releasing>> {
  return {
    kind,
    type,
    version,
    signedAs: 'envelope',
    write(out, message) {
      out.hash(message.secretHash, 'secretHash')
      writeEnvelope(out, message.envelope)
    },
    read(from) {
      const secretHash = from.hash()
      return { kind, envelope: readEnvelope(from), secretHash }
    },
  }
}

export const unlockV1: Layout<MessageOf<'unlock'>> = { kind: 'unlock', type: 7, version: 0, signedAs: 'envelope', ...unlock }
export const unlockV2: Layout<MessageOf<'unlock'>> = { kind: 'unlock', type: 0x45, version: FRAME_VERSION, signedAs: 'envelope', ...unlock }
export const expiredV1 = releasing('expired', 17, 0)
export const expiredV2 = releasing('expired', 0x46, FRAME_VERSION)
export const disposedResponseV1 = releasing('disposed-response', 27, 0)
export const disposedResponseV2 = releasing('disposed-response', 0x48, FRAME_VERSION)
