/** Streams: minutes paid by the second with vouchers and hash words. The payer's side alone is in payer/. docs/photon-stream.md */
export type { ContractOnChain } from './digests.ts'
export { STOP } from './frames.ts'
export { nodeSha256 } from './hash.ts'
export { FlashJournal } from './io/index.ts'
export { faultOfTerms } from './terms.ts'
export type { StreamTerms } from './terms.ts'
export { PayeeDesk, channelOf, paidTicks, recordOf, valueOf } from './payee/index.ts'
export type {
  ClaimFacts,
  ClaimReason,
  HeldVoucher,
  PaidLife,
  PayeeChannel,
  PayeePorts,
  StreamDeskDeps,
  StreamService,
} from './payee/index.ts'
export { PollingPeer } from './polling-peer.ts'
