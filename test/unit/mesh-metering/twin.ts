/** What another machine with a box's key could say. */
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { encodeCarriageFrame, signReading } from '../../../src/mesh/metering/frames.ts'
import type { Reading } from '../../../src/mesh/ports.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { VillageBox } from './village.ts'

const curve = loadSecp256k1(null)

export function signedReading(box: VillageBox, reading: Reading): Uint8Array {
  const documents = createDocuments(box.id, {
    keccak256: (bytes) => curve.keccak256(bytes),
    sign: (digest) => curve.sign(digest, box.key),
    recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature),
  })
  return encodeCarriageFrame({ kind: 'reading', signed: signReading(documents, reading) })
}
