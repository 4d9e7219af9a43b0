/** How much a packet may hold. Every length is held against these, and against the packet's own, before anything is allocated. */

/** The original's largest datagram; v2 keeps it. */
export const MAX_PACKET_BYTES = 1200
/** Addresses in a path. Far above what routing uses (5): a bound for the decoder. */
export const MAX_PATH_HOPS = 20
/** UTF-8 bytes of a refusal's reason. */
export const MAX_REASON_BYTES = 256
/** Bytes of data beside a direct payment or a secret. */
export const MAX_DATA_BYTES = 256
/** r ‖ s ‖ v. */
export const SIGNATURE_BYTES = 65
/** nonce 8 ‖ channel 32 ‖ epoch 8 ‖ transferred 32 ‖ locksroot 32, before the signature. */
export const ENVELOPE_BYTES = 112

/** Stands where a v2 refusal has no contract signature. */
export const NO_SIGNATURE: Uint8Array = new Uint8Array(SIGNATURE_BYTES)

const HALF_ORDER = Uint8Array.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

/** v is 27 or 28, as both profiles demand of every signature they carry. */
export function hasPlainV(signature: Uint8Array): boolean {
  return signature[64] === 27 || signature[64] === 28
}

/** s is at most half the group's order: v2 takes no other, so that nobody can give a signed message a second form. */
export function hasLowS(signature: Uint8Array): boolean {
  for (let index = 0; index < 32; index++) {
    const difference = (signature[32 + index] ?? 0) - (HALF_ORDER[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return true
}

export function isAbsent(signature: Uint8Array): boolean {
  return signature.every((byte) => byte === 0)
}
