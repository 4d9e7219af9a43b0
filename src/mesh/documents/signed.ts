/** A document and its signature as one frame: RLP [payload, signature]. What is signed: ports.ts, DocumentKind. */
import { concatBytes, decodeRlp, encodeRlp, hexOf, inputError, utf8 } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import type { BoxId, DocumentKind, Documents } from '../ports.ts'
import { MAX_DOCUMENT_BYTES } from './fields.ts'

const SIGNATURE_BYTES = 65
const LIMITS = { maxBytes: MAX_DOCUMENT_BYTES + SIGNATURE_BYTES + 16, maxItems: 3, maxDepth: 1 }

/** The house's curve, as far as documents need it. */
export interface DocumentCurve {
  keccak256(bytes: Uint8Array): Uint8Array
  /** r ‖ s ‖ v with low s. */
  sign(digest: Uint8Array): Uint8Array
  /** Null for what is no signature, a high s among it. */
  recoverAddress(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
}

export function createDocuments(self: Address, curve: DocumentCurve): Documents {
  const digestOf = (kind: DocumentKind, payload: Uint8Array): Uint8Array => curve.keccak256(concatBytes(utf8(`meshbox ${kind} 1\0`), payload))
  return {
    self,
    sign: (kind, payload) => curve.sign(digestOf(kind, payload)),
    signer(kind, payload, signature): BoxId | null {
      if (signature.length !== SIGNATURE_BYTES) return null
      const address = curve.recoverAddress(digestOf(kind, payload), signature)
      return address === null ? null : hexOf(address)
    },
  }
}

export interface SignedFrame {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

export function sealFrame(documents: Documents, kind: DocumentKind, payload: Uint8Array): Uint8Array {
  return encodeRlp([payload, documents.sign(kind, payload)])
}

/** Errors: input, by the frame's form only; whose it is says `documents.signer`. */
export function openFrame(frame: Uint8Array): SignedFrame {
  const item = decodeRlp(frame, LIMITS, 'frame')
  if (item instanceof Uint8Array || item.length !== 2) throw inputError('frame', item instanceof Uint8Array ? 'a string' : `${item.length} items`, 'a document and its signature')
  const [payload, signature] = item
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array)) throw inputError('frame', 'a list', 'two strings')
  if (signature.length !== SIGNATURE_BYTES) throw inputError('signature', `${signature.length} bytes`, `${SIGNATURE_BYTES} bytes`)
  return { payload, signature }
}
