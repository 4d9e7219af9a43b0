/** A payment that is final on receipt. v1 command 9: varint n ‖ data n ‖ envelope. v2 type 0x43: payment id 1 or 33 ‖ n 2 ‖ data n ‖ envelope. */
import { MAX_DATA_BYTES } from '../bounds.ts'
import { checkData } from '../byte-writer.ts'
import { readEnvelope, writeEnvelope } from '../envelope.ts'
import { FRAME_VERSION, absentInV1, readOptionalHash, writeOptionalHash } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'
import { readVarint, writeVarint } from '../varint.ts'

type Direct = MessageOf<'direct'>

export const directV1: Layout<Direct> = {
  kind: 'direct',
  type: 9,
  version: 0,
  signedAs: 'envelope',
  write(out, message) {
    absentInV1(message.paymentId, 'paymentId')
    writeVarint(out, checkData(message.data).length, 'data')
    out.bytes(message.data)
    writeEnvelope(out, message.envelope)
  },
  read(from) {
    const data = from.bytes(readVarint(from, 'data'), MAX_DATA_BYTES, 'data')
    return { kind: 'direct', envelope: readEnvelope(from), paymentId: null, data }
  },
}

export const directV2: Layout<Direct> = {
  kind: 'direct',
  type: 0x43,
  version: FRAME_VERSION,
  signedAs: 'envelope',
  write(out, message) {
    writeOptionalHash(out, message.paymentId, 'paymentId')
    out.u16(checkData(message.data).length, 'data').bytes(message.data)
    writeEnvelope(out, message.envelope)
  },
  read(from) {
    const paymentId = readOptionalHash(from, 'payment id')
    const data = from.bytes(from.u16(), MAX_DATA_BYTES, 'data')
    return { kind: 'direct', envelope: readEnvelope(from), paymentId, data }
  },
}
