/**
 * Photon's node: the pure machines made durable and fast. `PhotonNode` is one account's channels of one contract; what it
 * needs comes in by ports.ts. `photonMigrations` are its tables. Transports: `TcpTransport` for benchmarks and tests here;
 * io/libp2p-transport.ts is not exported, so that who does not use it does not load it. docs/photon-node.md
 */
export { PhotonNode } from './photon-node.ts'
export type { DirectPayment, LockedPayment, PhotonNodeOptions, SentPayment, SwapLeg } from './node-terms.ts'
export type { ChannelAlarm, ReceivedPayment, SettleRefusal } from './peer-desk.ts'
export type { PaymentNotice } from './payment-desk.ts'
export type { AccountSigner, DutySink, FeeBook, FeeEarning, MomentSource, PacedTransport, SignerRecovery, Soon } from './ports.ts'
export { readLife } from './tables/channels.ts'
export type { HistoryKind, HistoryRow, StoredPayment } from './tables/history.ts'
export { MAX_FRAME_BYTES } from './framing.ts'
export { createPeerBinding } from './peer-binding.ts'
export type { PeerBindingTools } from './peer-binding.ts'
export type { TcpTransportOptions } from './io/tcp-transport.ts'
export type { BytePipe, Hello, LinkEnds } from './io/peer-links.ts'
