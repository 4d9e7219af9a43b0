/** What `meshbox tool photon` does: packets, signatures, locks and channel ids by hand, without a service. */
import { loadSecp256k1 } from '../../../native/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'

export { channelId } from '../../channel-id.ts'
export { Fields, parseFields } from './fields.ts'
export { inspectPacket } from './inspect-packet.ts'
export type { GivenDomain, PacketInspection } from './inspect-packet.ts'
export { makePacket } from './make-packet.ts'
export { verifyJson, verifyPacket } from './verify.ts'
export type { Verdict } from './verify.ts'

/** In JavaScript: a tool works on any machine, also where no addon was built. */
export function toolCurve(): Secp256k1 {
  return loadSecp256k1(null)
}
