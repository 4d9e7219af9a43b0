/**
 * The beacon: one datagram that says which box is at which address of this link. Form: a sealed document of kind `binding`,
 * RLP [2, peer id, IPv6 16, port, community 8, originator 6 or empty]; the first field tells it from a hello. It is believed
 * for where to dial and for the map only: who answers there must show the same box (hello.ts).
 */
import { inputError } from '../../base/index.ts'
import type { Beacon, Documents } from '../ports.ts'
import { macBytes, openFrame, readDocument, sealFrame, writeDocument } from '../documents/index.ts'
import { ip6Text, ipBytes, isUniqueLocal } from './addresses.ts'
import { COMMUNITY_BYTES, MAX_PEER_ID_BYTES } from './hello.ts'

/** Below what any link carries in one piece. */
export const MAX_BEACON_BYTES = 512
const BEACON_PURPOSE = 2

export type BeaconFacts = Omit<Beacon, 'box'>

/** Errors: input `ip6`, which must be a unique local address. */
export function sealBeacon(documents: Documents, facts: BeaconFacts): Uint8Array {
  const address = ipBytes(facts.ip6)
  if (address === null || !isUniqueLocal(address)) throw inputError('ip6', facts.ip6, 'a unique local address (fc00::/7)')
  const originator = facts.originator === null ? null : macBytes(facts.originator)
  return sealFrame(documents, 'binding', writeDocument('beacon', [BEACON_PURPOSE, facts.peerId, address, facts.port, facts.community, originator]))
}

/** What it says, unproved. Errors: input of the field that is wrong. */
export function readBeacon(datagram: Uint8Array): BeaconFacts {
  if (datagram.length > MAX_BEACON_BYTES) throw inputError('beacon', `${datagram.length} bytes`, `at most ${MAX_BEACON_BYTES} bytes`)
  return readDocument('beacon', openFrame(datagram).payload, (reader) => {
    reader.number('purpose', BEACON_PURPOSE, BEACON_PURPOSE)
    const peerId = reader.string('peerId', 1, MAX_PEER_ID_BYTES).slice()
    const address = reader.string('ip6', 16)
    if (!isUniqueLocal(address)) throw inputError('ip6', ip6Text(address), 'a unique local address (fc00::/7)')
    const port = reader.number('port', 1, 65_535)
    const community = reader.string('community', COMMUNITY_BYTES).slice()
    return { peerId, ip6: ip6Text(address), port, community, originator: reader.optional('originator', (each) => each.mac('originator')) }
  })
}

/** Errors: as `readBeacon`; `signature` of nobody. */
export function openBeacon(documents: Documents, datagram: Uint8Array): Beacon {
  const facts = readBeacon(datagram)
  const { payload, signature } = openFrame(datagram)
  const box = documents.signer('binding', payload, signature)
  if (box === null) throw inputError('signature', 'one of nobody', 'the box’s own')
  return { box, ...facts }
}
