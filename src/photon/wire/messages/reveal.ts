/** The secret itself. v1 command 15: secret 32 ‖ varint n ‖ data n. v2 type 0x4a: secret 32 ‖ n 2 ‖ data n. */
import { MAX_DATA_BYTES } from '../bounds.ts'
import { checkData } from '../byte-writer.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'
import { readVarint, writeVarint } from '../varint.ts'

type Reveal = MessageOf<'reveal'>

export const revealV1: Layout<Reveal> = {
  kind: 'reveal',
  type: 15,
  version: 0,
  signedAs: 'frame',
  write(out, message) {
    out.hash(message.secret, 'secret')
    writeVarint(out, checkData(message.data).length, 'data')
    out.bytes(message.data)
  },
  read(from) {
    const secret = from.hash()
    return { kind: 'reveal', secret, data: from.bytes(readVarint(from, 'data'), MAX_DATA_BYTES, 'data') }
  },
}

export const revealV2: Layout<Reveal> = {
  kind: 'reveal',
  type: 0x4a,
  version: FRAME_VERSION,
  signedAs: 'frame',
  write(out, message) {
    out.hash(message.secret, 'secret').u16(checkData(message.data).length, 'data').bytes(message.data)
  },
  read(from) {
    const secret = from.hash()
    return { kind: 'reveal', secret, data: from.bytes(from.u16(), MAX_DATA_BYTES, 'data') }
  },
}
