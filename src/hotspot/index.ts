/** The hotspot: sessions and their desks, and the parts of its inner rooms that main.ts joins them with. */
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
export type {
  DeviceCounters,
  Gate,
  GateAlarm,
  GateCallbacks,
  GateChange,
  GateHealth,
  Grant,
  MacAddress,
  NeighbourTable,
} from './gate/types.ts'
export type { VoucherId, VoucherTerms } from './voucher/types.ts'
export { DnsmasqFiles, LoopbackNeighbours, RecordGate, createGate } from './gate/index.ts'
export type { DnsmasqPaths, GateDeps, GateParts } from './gate/index.ts'
export { PortalServer, readTlsFiles } from './portal/index.ts'
export type { Option114, PortalDeps } from './portal/index.ts'
export { verifyReceipt } from './receipt/index.ts'
export type { ReceiptCheck } from './receipt/index.ts'
export { Roaming } from './roaming/index.ts'
export type { RoamGuide, UsedAway, VisitJournal, WalkingGuests, WalkingSession } from './roaming/index.ts'
export { StreamTill, TopUps } from './stream/index.ts'
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
