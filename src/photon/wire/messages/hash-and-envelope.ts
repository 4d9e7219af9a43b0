/** Three messages of 32 bytes and an envelope: unlock (secret; 7, 0x45), expired (secret hash; 17, 0x46), disposed-response (secret hash; 27, 0x48). */
import { readEnvelope, writeEnvelope } from '../envelope.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type Releasing = 'expired' | 'disposed-response'

function unlock(type: number, version: number): Layout<MessageOf<'unlock'>> {
  return {
    kind: 'unlock',
    type,
    version,
    signedAs: 'envelope',
    write(out, message) {
      out.hash(message.secret, 'secret')
      writeEnvelope(out, message.envelope)
    },
    read(from) {
      const secret = from.hash()
      return { kind: 'unlock', envelope: readEnvelope(from), secret }
    },
  }
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

export const unlockV1 = unlock(7, 0)
export const unlockV2 = unlock(0x45, FRAME_VERSION)
export const expiredV1 = releasing('expired', 17, 0)
export const expiredV2 = releasing('expired', 0x46, FRAME_VERSION)
export const disposedResponseV1 = releasing('disposed-response', 27, 0)
export const disposedResponseV2 = releasing('disposed-response', 0x48, FRAME_VERSION)
