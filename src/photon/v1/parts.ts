/** What the room for nodes of the original Photon needs of the box, and what it gives. */
import type { Address } from '../../base/index.ts'
import type { AccountSigner } from '../node/index.ts'
import type { DatagramSocket, GroupSocket } from './lan-door.ts'
import type { LanNode, Place } from './places.ts'

export interface LegacySettings {
  /** The original TokensNetwork. */
  readonly contract: Address
  /** Block in which it was made. */
  readonly firstBlock: number
  /** With whom cooperative settlements and withdrawals are signed, though such signatures never end and one can be passed off as a balance proof (F1, F6). */
  readonly trustedPeers: readonly Address[]
  /** Nodes the owner has named. */
  readonly nodes: readonly LanNode[]
  readonly maxPeers: number
}

type OnDatagram = (bytes: Uint8Array, from: Place) => void

export interface LegacyParts {
  readonly settings: LegacySettings
  /** An account of its own: the original's signatures have no types, and its transactions have nonces of their own. */
  readonly signer: AccountSigner
  /** The packets' door, at an address of the LAN. Errors: what the network says. */
  readonly openSocket: (onDatagram: OnDatagram) => Promise<DatagramSocket>
  readonly isNear: (host: string) => boolean
  /** Null: nodes are known by the owner's word alone. */
  readonly mdns: { readonly group: Place; openGroup(onDatagram: OnDatagram): Promise<GroupSocket>; openAsker(onDatagram: OnDatagram): Promise<DatagramSocket> } | null
}

/** For the owner's doors. */
export interface LanSide {
  /** What original nodes have to know this box by. */
  readonly account: Address
  readonly contract: Address
  status(): LanStatus
  /** The original's `updatenodes`: where nodes are. Errors: input, and then nothing has changed. */
  updateNodes(nodes: readonly LanNode[]): void
}

export interface LanStatus {
  readonly state: 'starting' | 'ready' | 'offline' | 'halted'
  readonly listening: Place | null
  readonly nodes: readonly { readonly account: Address; readonly place: Place; readonly isConnected: boolean }[]
  /** Datagrams since the start. */
  readonly taken: number
  readonly dropped: number
  /** Wei for gas at the safe head; null while not known. */
  readonly gasWei: bigint | null
}
