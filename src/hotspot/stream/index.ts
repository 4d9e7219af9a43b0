/** Minutes paid by the tick, and codes that fund a guest's channel. docs/photon-stream.md */
export type { StreamClaim, StreamEvidence, StreamPayments, StreamSale } from './ports.ts'
export { StreamTill } from './stream-till.ts'
export type { StreamTillParts } from './stream-till.ts'
export { TopUps } from './top-ups.ts'
export type {
  ChannelFunder,
  FundingOrder,
  GuestConsent,
  GuestOrder,
  OpeningTerms,
  OrderView,
  PurseBoard,
  PurseView,
  StreamBalance,
  StreamBoard,
  StreamDoor,
  StreamMailbox,
  StreamPeer,
  TakeOutOffer,
  TopUpAnswer,
} from './door.ts'
export type { TokenCode, TopUp, TopUpEffect, TopUpInput, TopUpState, TopUpStep } from './top-up.ts'
