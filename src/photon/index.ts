/**
 * Photon: payment channels that also work off the Internet. docs/photon.md
 *
 * `startPhoton(parts)` is the running room: `desk` for the owner, `streams()` for who sells by the second; with a second argument
 * also channels with nodes of the original Photon on the LAN (`lan`). It is up at
 * once; what needs the chain comes as soon as the chain can say it. Tables: tables/index.ts.
 */
export type { ChannelSideView, ChannelView, DutyView, OpenOrder, PayOrder, PaymentPlace, PaymentRow, PhotonAlarm, PhotonDesk, PhotonStatus, SwapOrder } from './desk.ts'
export type { GuestOrderView, GuestOrders, PlacedOrder, PlacedOrderState, PurseStanding, SettleOffer } from './guest-orders.ts'
export type { DirectRow, DirectSide, GuestChannel, GuestOpening, PeerDoor, PeerDoorTerms, Photon, PhotonParts, PhotonSettings, RoutedSide, RoutedStanding, StreamSide, TokenName } from './parts.ts'
export { SECRET_TOPIC } from './chain/index.ts'
export type { ProgramDesk } from './program-desk.ts'
export { startPhoton } from './photon.ts'
export type { PhotonRooms } from './photon.ts'
export { MDNS_GROUP, MDNS_PORT } from './v1/index.ts'
export type { DatagramSocket, LanNode, LanSide, LanStatus, LegacyParts, LegacySettings, Place } from './v1/index.ts'
export type {
  BalanceProof,
  ChainLog,
  ChainMoment,
  ChainPoint,
  ChainPort,
  ChannelEvent,
  ChannelKey,
  Decoded,
  Domain,
  DueDuty,
  Duty,
  Envelope,
  EnvelopeMessage,
  FeePolicy,
  Hop,
  Lock,
  Message,
  MessageKind,
  Path,
  PathRequest,
  PeerTransport,
  Prepared,
  Profile,
  Received,
  Router,
  SecretEvent,
  SettleTerms,
  SettledSide,
  StreamAccount,
  Voucher,
  Wire,
  WithdrawTerms,
} from './ports.ts'
