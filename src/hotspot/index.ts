/**
 * The paid Wi-Fi: sessions, vouchers, tickets, tariffs, receipts. `new Hotspot(parts)` needs store, ledger, gate and keys, and gives a desk for
 * guests, one for the owner, and doors for those who pay by the second, roam, or buy ahead. What it promises: a grant is opened after
 * its session is on disk, and is a lease, so that the kernel closes it without us; used time survives a crash up to one checkpoint; a voucher
 * earns once. The kernel's side is gate/, the page portal/, each entered by an index.ts of its own. docs/hotspot.md
 */
export { AheadSales, aheadTables } from './ahead/index.ts'
export type { AheadDoor, AheadPayment, AheadPrice, AheadState, AheadTerms } from './ahead/index.ts'
export { Hotspot } from './hotspot.ts'
export type { EarningsBook, HotspotDeps } from './ports.ts'
export { hotspotMigrations } from './io/migrations.ts'
export type {
  BearerPreview,
  ClientAddress,
  EndReason,
  GuestDesk,
  GuestView,
  HotspotStatus,
  Offer,
  OwnerDesk,
  PauseReason,
  PriceBoard,
  RoamState,
  SessionState,
  SessionView,
  VoucherBatchRequest,
  VoucherBatchRow,
  VoucherRow,
  WayOut,
} from './types.ts'
export type { DeviceCounters, Gate, GateChange, GateHealth, Grant, MacAddress, NeighbourTable } from './gate/types.ts'
export type { VoucherId, VoucherTerms } from './voucher/types.ts'
export type { ReceiptCheck } from './receipt/index.ts'
export { Roaming } from './roaming/index.ts'
export type { RoamGuide, UsedAway, VisitJournal, WalkingGuests, WalkingSession } from './roaming/index.ts'
export { TopUps } from './stream/index.ts'
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
  StreamEvidence,
  StreamMailbox,
  StreamPayments,
  StreamPeer,
  StreamSale,
  TakeOutOffer,
  TopUpAnswer,
} from './stream/index.ts'
