/** The hotspot: what other rooms may know of the paid session. Its own rooms (gate, voucher, …) have their own doors. */
export type {
  ClientAddress,
  EndReason,
  GuestDesk,
  GuestView,
  HotspotStatus,
  Offer,
  OwnerDesk,
  PauseReason,
  PriceBoard,
  SessionState,
  SessionView,
  VoucherBatchRequest,
  VoucherBatchRow,
  VoucherRow,
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
