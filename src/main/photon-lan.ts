/** Original Photon's nodes on the LAN, from the configuration: the account they know this box by, and its sockets there. */
import type { Address } from '../base/index.ts'
import type { PhotonConfig } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import { MDNS_GROUP, MDNS_PORT, type LegacyParts } from '../photon/index.ts'
import { networkOf, openAskingSocket, openGroupSocket, openPacketSocket } from '../photon/v1/io/udp-socket.ts'
import { refuseGuests } from './guest-side.ts'

export interface LanPartsFrom {
  readonly config: PhotonConfig
  /** Null: this box has none. */
  readonly guestInterface: string | null
  readonly identity: Identity
  readonly curve: Secp256k1
}

const MAX_PEERS = 64

/** Null: not wanted. */
export function lanParts({ config, guestInterface, identity, curve }: LanPartsFrom): LegacyParts | null {
  const { v1Contract, v1ListenAddress: host, v1ListenPort, v1FirstBlock, v1Trusted, v1Nodes, v1Mdns } = config
  if (v1Contract === null || host === null) return null
  // The key stays in these two closures.
  const secret = identity.deriveSecret('photon-v1-account')
  const group = { host: MDNS_GROUP, port: MDNS_PORT }
  return {
    settings: {
      contract: v1Contract.toLowerCase() as Address,
      firstBlock: v1FirstBlock,
      trustedPeers: v1Trusted.map((account) => account.toLowerCase() as Address),
      nodes: v1Nodes.map(({ account, endpoint }) => ({ account: account as Address, endpoint, deviceType: '' })),
      maxPeers: MAX_PEERS,
    },
    signer: {
      account: identity.addressFor('photon-v1-account').toLowerCase() as Address,
      sign: (digests) => curve.signBatch(digests, secret),
      signInPool: (digests) => curve.signBatchInPool(digests, secret),
    },
    openSocket: async (onDatagram) => {
      refuseGuests('photon.v1_listen_address', host, guestInterface)
      return openPacketSocket(host, v1ListenPort, onDatagram)
    },
    isNear: networkOf(host),
    mdns: v1Mdns ? { group, openGroup: (onDatagram) => openGroupSocket(host, group, onDatagram), openAsker: (onDatagram) => openAskingSocket(host, onDatagram) } : null,
  }
}
