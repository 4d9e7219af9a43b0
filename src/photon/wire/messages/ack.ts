/** v1 command 0, v2 type 0x40: sender 20 ‖ echo hash 32, unsigned. It stops a resend and proves nothing. */
import type { Address, Hash } from '../../../base/index.ts'
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

type Ack = MessageOf<'ack'>

const body = {
  write(out: ByteWriter, message: Ack): void {
    out.address(message.sender, 'sender').hash(message.echo, 'echo')
  },
  read(from: ByteReader): Ack {
    const sender: Address = from.address()
    const echo: Hash = from.hash()
    return { kind: 'ack', sender, echo }
  },
}

export const ackV1: Layout<Ack> = { kind: 'ack', type: 0, version: 0, signedAs: 'nothing', ...body }
export const ackV2: Layout<Ack> = { kind: 'ack', type: 0x40, version: FRAME_VERSION, signedAs: 'nothing', ...body }
