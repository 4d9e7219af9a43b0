/** A code of a community, as its box would give it out. */
import { codeText, makeInvitation } from '../../../src/mesh/joining/index.ts'
import { TERMS, boxDocuments, keys } from '../mesh-joining/boxes.ts'

export function meshCode(): string {
  const founder = boxDocuments(0)
  return codeText(keys, makeInvitation(founder, keys, { ...TERMS, community: founder.self, number: 1, uses: 1, notAfterSeconds: null, nonce: new Uint8Array(16).fill(3) }))
}
