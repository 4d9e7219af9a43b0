/** One end's figure of what was carried: RLP of the fields of Reading, in their order. Both ends sign their own. */
import type { Reading } from '../ports.ts'
import { readDocument, writeDocument } from './fields.ts'

export const EPOCH_BYTES = 8
const MAX_SEQUENCE = 2 ** 48

export function encodeReading(reading: Reading): Uint8Array {
  const { carrier, client, epoch, sequence, bytes, priceSequence, after, owedParts, token } = reading
  return writeDocument('reading', [carrier, client, epoch, sequence, bytes.up, bytes.down, priceSequence, after, owedParts, token])
}

/** Errors: input of the field that is wrong. */
export function decodeReading(payload: Uint8Array): Reading {
  return readDocument('reading', payload, (reader) => ({
    carrier: reader.address('carrier'),
    client: reader.address('client'),
    epoch: reader.string('epoch', EPOCH_BYTES).slice(),
    sequence: reader.number('sequence', 0, MAX_SEQUENCE),
    bytes: { up: reader.amount('up'), down: reader.amount('down') },
    priceSequence: reader.number('priceSequence', 1, MAX_SEQUENCE),
    after: reader.number('after', 0, MAX_SEQUENCE),
    owedParts: reader.amount('owedParts'),
    token: reader.address('token'),
  }))
}
