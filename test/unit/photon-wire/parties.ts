/** The people, the curve and the messages of the published vectors. */
import { createHash } from 'node:crypto'
import { fromHex, hexOf, utf8 } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { BalanceProof, Decoded, Domain, Envelope, Message, Wire } from '../../../src/photon/index.ts'
import { createWire } from '../../../src/photon/wire/index.ts'
import type { Keccak } from '../../../src/photon/wire/index.ts'

export const curve = loadSecp256k1(null)
export const keccak: Keccak = (data) => curve.keccak256(data)
export const sha256 = (data: Uint8Array): Hash => hexOf(createHash('sha256').update(data).digest())

export const KEY1 = fromHex('4359f525e2b373089be5fe8f9a4e8ffb6d30e2960918be426217921e1b2547f7')
export const KEY2 = fromHex('00'.repeat(31) + '02')
export const ONE_ADDRESS: Address = '0x05e9918f4bcbf3c8307887d421eb02b5e26b6f45'
export const TWO_ADDRESS: Address = '0x2b5ad5c4795c026514f8317c7a215e218dccd6cf'

export const V1: Domain = { profile: 'v1', chainId: 8888n, contract: '0xf5deccfb4935ef57b500807a5214120addc86f74' }
export const V2: Domain = { profile: 'v2', chainId: 20_180_430n, contract: '0x1111111111111111111111111111111111111111' }
export const wire1 = createWire(V1, keccak)
export const wire2 = createWire(V2, keccak)

export const CHANNEL: Hash = hexOf(keccak(utf8('123')))
export const KEY = { channel: CHANNEL, epoch: 3n }
export const ONES: Hash = `0x${'11'.repeat(32)}`
export const ZEROS: Hash = `0x${'00'.repeat(32)}`
export const SECRET_HASH = sha256(fromHex(ONES))
export const ENVELOPE: Envelope = { ...KEY, nonce: 11n, transferred: 12n, locksroot: ZEROS }

/** Signs with `key` and gives the packet. */
export function sealed(wire: Wire, message: Message, key: Uint8Array): Uint8Array {
  const prepared = wire.prepare(message)
  return prepared.seal(message.kind === 'ack' ? new Uint8Array(0) : curve.sign(prepared.digest, key))
}

/** Throws what was refused. */
export function taken(wire: Wire, packet: Uint8Array): Decoded {
  const decoded = wire.decode(packet)
  if ('refused' in decoded) throw new Error(decoded.refused)
  return decoded
}

export function refusalOf(wire: Wire, packet: Uint8Array): string | null {
  const decoded = wire.decode(packet)
  return 'refused' in decoded ? decoded.refused : null
}

export function signerOf(digest: Uint8Array | null, signature: Uint8Array | null): Address | null {
  if (digest === null || signature === null) return null
  const address = curve.recoverAddress(digest, signature, 'accept')
  return address === null ? null : hexOf(address)
}

export function proofOf(decoded: Decoded): BalanceProof {
  if (!('envelope' in decoded.message) || decoded.signature === null) throw new Error('no envelope')
  return { ...decoded.message.envelope, extra: decoded.extra, signature: decoded.signature }
}
