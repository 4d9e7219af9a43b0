/** v1 command 3, v2 type 0x41: nonce 8. */
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type Ping = MessageOf<'ping'>

const body = {
  write(out: ByteWriter, message: Ping): void {
    out.u64(message.nonce, 'nonce')
  },
  read(from: ByteReader): Ping {
    return { kind: 'ping', nonce: from.u64() }
  },
}

export const pingV1: Layout<Ping> = { kind: 'ping', type: 3, version: 0, signedAs: 'frame', ...body }
export const pingV2: Layout<Ping> = { kind: 'ping', type: 0x41, version: FRAME_VERSION, signedAs: 'frame', ...body }
