/**
 * The beacon of a running node: says where this box listens on the mesh interface, as soon and as long as it has a unique
 * local address there, and tells the node of the boxes that it hears. Listening on `/ip6/::/tcp/…` lets the address come,
 * change and go while the node runs.
 */
import type { Clock, Log, Randomness, Timers } from '../../../base/index.ts'
import type { Documents, Mac } from '../../ports.ts'
import { parsePrefix, portAt } from '../addresses.ts'
import { BeaconStation } from '../beacon-station.ts'
import type { BoxPeerNode } from '../parts.ts'
import { BEACON_PORT, openBeaconSocket, uniqueLocalOf } from './beacon-socket.ts'

export interface NeighbourhoodParts {
  readonly hub: Pick<BoxPeerNode, 'addresses' | 'heard'>
  /** The wire's. */
  readonly peerId: Uint8Array
  readonly documents: Documents
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** `bat0`. */
  readonly interfaceName: string
  readonly meshPrefixes: readonly string[]
  readonly community: Uint8Array
  readonly originator: () => Mac | null
  /** UDP; left out: BEACON_PORT. */
  readonly port?: number
}

/** Not started. Errors: input, for a prefix that is none. */
export function createNeighbourhood(parts: NeighbourhoodParts): BeaconStation {
  const { hub, peerId, documents, clock, timers, randomness, log, interfaceName, community, originator, port = BEACON_PORT } = parts
  const prefixes = parts.meshPrefixes.map(parsePrefix)
  return new BeaconStation({
    documents,
    clock,
    timers,
    randomness,
    log,
    open: (ip6, ends) => openBeaconSocket(interfaceName, ip6, ends, port),
    facts: () => {
      const ip6 = uniqueLocalOf(interfaceName, prefixes)
      const listening = ip6 === null ? null : portAt(ip6, hub.addresses())
      return ip6 === null || listening === null ? null : { peerId, ip6, port: listening, community, originator: originator() }
    },
    onBeacon: (beacon) => hub.heard(beacon),
  })
}
