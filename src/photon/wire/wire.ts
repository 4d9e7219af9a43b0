/**
 * Messages to packets and back, in either profile. v1: command int16 and version int16, both little-endian, then the body
 * (the original's packets, byte for byte). v2: type 1, version 1, then the body. A signature of 65 bytes ends both, but
 * for an ack. Bodies: messages/.
 */
import { MeshBoxError, hexOf, inputError } from '../../base/index.ts'
import type { Decoded, Domain, Message, Prepared, Wire } from '../ports.ts'
import { ENVELOPE_BYTES, MAX_PACKET_BYTES, SIGNATURE_BYTES, hasLowS, hasPlainV } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter, pooledBytes } from './byte-writer.ts'
import { createDigests } from './digests.ts'
import { lockHash } from './identifiers.ts'
import type { Layout } from './layout.ts'
import { layoutsOf } from './layouts.ts'
import { createLegacyPayloads } from './legacy-payload.ts'
import { PHOTON, createTypedHasher } from '../typed-hasher.ts'
import type { Keccak } from '../typed-hasher.ts'
import { balanceProofDigest, frameDigest } from './typed-data.ts'

const V1_HEADER_BYTES = 4
const V2_HEADER_BYTES = 2

interface Sealing {
  envelope(tail: Uint8Array, extra: Uint8Array): Uint8Array
  frame(extra: Uint8Array): Uint8Array
}

/**
 * `keccak`: 32 bytes of any bytes. Not to be shared between threads. Errors: input `contract`, `chainId`.
 */
export function createWire(domain: Domain, keccak: Keccak): Wire {
  const isLegacy = domain.profile === 'v1'
  const headerBytes = isLegacy ? V1_HEADER_BYTES : V2_HEADER_BYTES
  const layouts = layoutsOf(domain.profile)
  const digests = createDigests(domain, keccak)
  const sealing = isLegacy ? legacySealing(domain, keccak) : typedSealing(domain, keccak)
  const out = new ByteWriter(MAX_PACKET_BYTES)

  /** `bytes`: everything before the signature. */
  const digestOf = (layout: Layout, message: Message, bytes: Uint8Array, extra: Uint8Array): Uint8Array => {
    if (layout.signedAs === 'envelope') return sealing.envelope(bytes.subarray(bytes.length - ENVELOPE_BYTES), extra)
    if (message.kind === 'disposed') return digests.disposed(message.key, lockHash(keccak, message.lock), hexOf(extra))
    return sealing.frame(extra)
  }

  const prepare = (message: Message): Prepared => {
    const layout = layouts.byKind(message.kind)
    if (layout === undefined) throw inputError('kind', message.kind, `a message of profile ${domain.profile}`)
    out.reset().u8(layout.type, 'type')
    if (isLegacy) out.zeros(1).u8(layout.version, 'version').zeros(1)
    else out.u8(layout.version, 'version')
    layout.write(out, message)
    const isSigned = layout.signedAs !== 'nothing'
    const packet = out.copy(isSigned ? SIGNATURE_BYTES : 0)
    let isSealed = false
    const seal = (signature: Uint8Array): Uint8Array => {
      checkOuterSignature(signature, isSigned, isLegacy)
      // One message, one signature: a second would change what was already handed out.
      if (isSealed) throw new MeshBoxError('conflict', 'this packet has its signature', { code: 'already-sealed' })
      isSealed = true
      packet.set(signature, packet.length - signature.length)
      return packet
    }
    if (!isSigned)
      return {
        // An ack's own hash is hardly ever wanted, and there are as many acks as messages: it is made when it is asked for.
        get digest() {
          return keccak(packet)
        },
        get extra() {
          return hexOf(keccak(packet))
        },
        seal,
      }
    const bytes = out.written()
    const extra = keccak(bytes)
    return { digest: digestOf(layout, message, bytes, extra), extra: hexOf(extra), seal }
  }

  const decode = (packet: Uint8Array): Decoded | { readonly refused: string } => {
    if (packet.length > MAX_PACKET_BYTES) return { refused: `${packet.length} bytes, at most ${MAX_PACKET_BYTES}` }
    const layout = packet.length < headerBytes ? undefined : layouts.byType(packet[0] ?? 0)
    if (layout === undefined) return { refused: packet.length < headerBytes ? 'too short' : `type ${packet[0]} is none of profile ${domain.profile}` }
    const fault = isLegacy ? headerFault(packet, layout.version) : packet[1] === layout.version ? null : `version ${packet[1]}`
    if (fault !== null) return { refused: fault }
    const isSigned = layout.signedAs !== 'nothing'
    const end = packet.length - (isSigned ? SIGNATURE_BYTES : 0)
    if (end < headerBytes) return { refused: 'too short' }
    const signature = isSigned ? copyOf(packet.subarray(end)) : null
    if (signature !== null && !hasPlainV(signature)) return { refused: `signature: v is ${signature[64]}` }
    if (signature !== null && !isLegacy && !hasLowS(signature)) return { refused: 'signature: high s' }
    const from = new ByteReader(packet, headerBytes, end)
    const message = layout.read(from)
    from.finish()
    if (from.refusal !== null) return { refused: `${layout.kind}: ${from.refusal}` }
    const bytes = packet.subarray(0, end)
    if (signature === null)
      return {
        message,
        digest: null,
        signature,
        get extra() {
          return hexOf(keccak(bytes))
        },
      }
    const extra = keccak(bytes)
    return { message, digest: digestOf(layout, message, bytes, extra), signature, extra: hexOf(extra) }
  }

  return { domain, prepare, decode }
}

/** Its own: a packet is a view of what the socket has read, a signature is kept. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = pooledBytes(bytes.length)
  copy.set(bytes)
  return copy
}

function legacySealing(domain: Domain, keccak: Keccak): Sealing {
  const legacy = createLegacyPayloads(domain.chainId, keccak)
  // Simple v1 messages are signed as they are: the hash of their bytes is the digest.
  return { envelope: (tail, extra) => legacy.balanceProof(tail, extra), frame: (extra) => extra }
}

function typedSealing(domain: Domain, keccak: Keccak): Sealing {
  const hasher = createTypedHasher(keccak, PHOTON, domain)
  return { envelope: (tail, extra) => balanceProofDigest(hasher, tail, extra), frame: (extra) => frameDigest(hasher, extra) }
}

/** The original reads both numbers as 16 bits and compares them exactly. */
function headerFault(packet: Uint8Array, version: number): string | null {
  if (packet[1] !== 0) return `command ${(packet[0] ?? 0) + 256 * (packet[1] ?? 0)}`
  const found = (packet[2] ?? 0) + 256 * (packet[3] ?? 0)
  return found === version ? null : `version ${found}, not ${version}`
}

function checkOuterSignature(signature: Uint8Array, isSigned: boolean, isLegacy: boolean): void {
  if (!isSigned) {
    if (signature.length !== 0) throw inputError('signature', `${signature.length} bytes`, 'no bytes: an ack is not signed')
    return
  }
  const isTaken = signature.length === SIGNATURE_BYTES && hasPlainV(signature) && (isLegacy || hasLowS(signature))
  if (!isTaken) throw inputError('signature', `${signature.length} bytes, v ${signature[64]}`, 'r, s, v: 65 bytes, v 27 or 28, low s')
}
