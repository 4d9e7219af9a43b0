/**
 * The owner's API: every request and answer as JSON, and the table of routes. Shared as types with the
 * dashboard's browser code and used as values by both doors (the owner listener and the control socket).
 *
 * Rules: amounts are `Money` in answers and decimal token text ("0.5") in requests, never JS numbers;
 * times are milliseconds since 1970 (`…WallMs`) or seconds (`…Seconds`); errors are `PublicError` of
 * base with the HTTP status of their kind. This file imports types only, so that it costs the browser
 * nothing. docs/owner-api.md explains it for people.
 */
import type { PublicError } from '../base/index.ts'
import type { ReloadReportJson } from './api/amounts.ts'
import type { LoginRequest, LoginState, PasswordChange, SetupForm, SetupReply, SetupRequest } from './api/login.ts'
import type { LogEventJson, LogJson, StatusJson } from './api/status.ts'
import type { ExtendRequest, RefundReply, SessionJson, SessionsJson, SessionsQuery } from './api/sessions.ts'
import type {
  VoucherBatchesJson,
  VoucherCreateReply,
  VoucherCreateRequest,
  VoucherRevokeReply,
  VoucherRevokeRequest,
  VouchersJson,
  VouchersQuery,
} from './api/vouchers.ts'
import type { TariffChange, TariffJson, TariffReply } from './api/tariff.ts'
import type { ChainAdoptRequest, ChainBranchesJson, ChainCheckpointJson, ChainPageView, ChainPocCallsJson, ChainPocCallsRequest, ChainPocJson, ChainPocRequest, ChainSendRequest, ChainSentJson, ChainWalletJson } from './api/chain.ts'
import type {
  PhotonAmountRequest,
  PhotonChannelJson,
  PhotonChannelsJson,
  PhotonChannelsQuery,
  PhotonCloseRequest,
  PhotonDutiesJson,
  PhotonOpenRequest,
  PhotonPathsJson,
  PhotonPathsQuery,
  PhotonPaymentJson,
  PhotonPaymentsJson,
  PhotonPaymentsQuery,
  PhotonPayReply,
  PhotonPayRequest,
  PhotonPeerRequest,
  PhotonPeersJson,
  PhotonStatusJson,
  PhotonWatchJson,
  PhotonWrapRequest,
} from './api/photon.ts'
import { IOT_ROUTES } from './api/iot-routes.ts'
import type { IotRouteTypes } from './api/iot-routes.ts'
import type { MeshBanRequest, MeshEndRequest, MeshGuestsJson, MeshInvitationsJson, MeshInviteReply, MeshInviteRequest, MeshJoinReply, MeshJoinRequest, MeshJoiningJson, MeshMapJson, MeshPathJson, MeshPeersJson, MeshPricesJson, MeshStatusJson, MeshViewJson } from './api/mesh.ts'
import type { AuditJson } from './api/audit.ts'
import type { EarningsJson, EarningsQuery, EntriesJson, EntriesQuery } from './api/earnings.ts'
import { PAYOUT_ROUTES } from './api/payout.ts'
import type { PayoutRouteTypes } from './api/payout.ts'
import type {
  AdoptReply,
  AdoptRequest,
  BackupReply,
  BackupRequest,
  PasswordSetRequest,
  ReceiptVerifyReply,
  ReceiptVerifyRequest,
  SettingsChange,
  SettingsJson,
  SettingsReply,
  WordsReply,
  WordsRequest,
} from './api/settings.ts'

export type { PublicError }
export type * from './api/amounts.ts'
export type * from './api/login.ts'
export type * from './api/status.ts'
export type * from './api/sessions.ts'
export type * from './api/vouchers.ts'
export type * from './api/tariff.ts'
export type * from './api/audit.ts'
export type * from './api/earnings.ts'
export type * from './api/payout.ts'
export type * from './api/settings.ts'
export type * from './api/chain.ts'
export type * from './api/photon.ts'
export type * from './api/mesh.ts'
export type * from './api/iot.ts'

/** Header that carries `LoginState.csrf` on every request that is not GET. */
export const CSRF_HEADER = 'x-meshbox-csrf'
export const SESSION_COOKIE = 'meshbox_owner'
/** Set to `1` on requests the dashboard makes by itself (polling): they do not count as use of the login. */
export const BACKGROUND_HEADER = 'x-meshbox-background'

/**
 * `open`: no login. `setup`: only while no password is set. `owner`: login on the dashboard's door, none
 * on the control socket. `control`: only on the control socket. `dashboard`: only on the dashboard's door.
 */
export type Access = 'open' | 'setup' | 'owner' | 'control' | 'dashboard'
export interface RouteInfo {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly access: Access
}

export const ROUTES = {
  loginState: { method: 'GET', path: '/api/login', access: 'open' },
  login: { method: 'POST', path: '/api/login', access: 'open' },
  logout: { method: 'POST', path: '/api/logout', access: 'dashboard' },
  changePassword: { method: 'POST', path: '/api/password/change', access: 'dashboard' },
  setupForm: { method: 'GET', path: '/api/setup', access: 'setup' },
  setup: { method: 'POST', path: '/api/setup', access: 'setup' },

  status: { method: 'GET', path: '/api/status', access: 'owner' },
  log: { method: 'GET', path: '/api/log', access: 'owner' },

  sessions: { method: 'GET', path: '/api/sessions', access: 'owner' },
  session: { method: 'GET', path: '/api/sessions/:id', access: 'owner' },
  kick: { method: 'POST', path: '/api/sessions/:id/kick', access: 'owner' },
  pause: { method: 'POST', path: '/api/sessions/:id/pause', access: 'owner' },
  resume: { method: 'POST', path: '/api/sessions/:id/resume', access: 'owner' },
  extend: { method: 'POST', path: '/api/sessions/:id/extend', access: 'owner' },
  refund: { method: 'POST', path: '/api/sessions/:id/refund', access: 'owner' },

  vouchers: { method: 'GET', path: '/api/vouchers', access: 'owner' },
  voucherBatches: { method: 'GET', path: '/api/voucher-batches', access: 'owner' },
  createVouchers: { method: 'POST', path: '/api/vouchers', access: 'owner' },
  revokeVouchers: { method: 'POST', path: '/api/vouchers/revoke', access: 'owner' },
  /** text/html, A4, 32 vouchers a page: open it in a new tab and print. */
  voucherSheet: { method: 'GET', path: '/api/vouchers/sheet', access: 'owner' },
  /** text/csv, as a download. */
  voucherCsv: { method: 'GET', path: '/api/vouchers/csv', access: 'owner' },

  tariff: { method: 'GET', path: '/api/tariff', access: 'owner' },
  changeTariff: { method: 'PUT', path: '/api/tariff', access: 'owner' },

  earnings: { method: 'GET', path: '/api/earnings', access: 'owner' },
  entries: { method: 'GET', path: '/api/earnings/entries', access: 'owner' },
  audit: { method: 'GET', path: '/api/audit', access: 'owner' },

  chain: { method: 'GET', path: '/api/chain', access: 'owner' },
  clearChainAlarm: { method: 'POST', path: '/api/chain/alarm/clear', access: 'owner' },
  chainCheckpoint: { method: 'GET', path: '/api/chain/checkpoint', access: 'owner' },
  chainBranches: { method: 'GET', path: '/api/chain/branches', access: 'owner' },
  adoptBranch: { method: 'POST', path: '/api/chain/adopt', access: 'owner' },
  chainWallet: { method: 'GET', path: '/api/chain/wallet', access: 'owner' },
  chainPoc: { method: 'GET', path: '/api/chain/poc', access: 'owner' },
  orderPoc: { method: 'POST', path: '/api/chain/poc', access: 'owner' },
  chainPocCalls: { method: 'POST', path: '/api/chain/poc/calls', access: 'owner' },

  photon: { method: 'GET', path: '/api/photon', access: 'owner' },
  clearPhotonAlarm: { method: 'POST', path: '/api/photon/alarms/:id/clear', access: 'owner' },
  wrapCoins: { method: 'POST', path: '/api/photon/wrap', access: 'owner' },
  unwrapCoins: { method: 'POST', path: '/api/photon/unwrap', access: 'owner' },
  photonChannels: { method: 'GET', path: '/api/photon/channels', access: 'owner' },
  openChannel: { method: 'POST', path: '/api/photon/channels', access: 'owner' },
  photonChannel: { method: 'GET', path: '/api/photon/channels/:id', access: 'owner' },
  depositToChannel: { method: 'POST', path: '/api/photon/channels/:id/deposit', access: 'owner' },
  withdrawFromChannel: { method: 'POST', path: '/api/photon/channels/:id/withdraw', access: 'owner' },
  closeChannel: { method: 'POST', path: '/api/photon/channels/:id/close', access: 'owner' },
  photonPayments: { method: 'GET', path: '/api/photon/payments', access: 'owner' },
  pay: { method: 'POST', path: '/api/photon/payments', access: 'owner' },
  photonPayment: { method: 'GET', path: '/api/photon/payments/:id', access: 'owner' },
  cancelPayment: { method: 'POST', path: '/api/photon/payments/:id/cancel', access: 'owner' },
  allowReveal: { method: 'POST', path: '/api/photon/payments/:id/reveal', access: 'owner' },
  photonDuties: { method: 'GET', path: '/api/photon/duties', access: 'owner' },
  photonPaths: { method: 'GET', path: '/api/photon/paths', access: 'owner' },
  photonWatching: { method: 'GET', path: '/api/photon/watching', access: 'owner' },
  photonPeers: { method: 'GET', path: '/api/photon/peers', access: 'owner' },
  addPhotonPeer: { method: 'POST', path: '/api/photon/peers', access: 'owner' },

  mesh: { method: 'GET', path: '/api/mesh', access: 'owner' },
  meshView: { method: 'GET', path: '/api/mesh/view', access: 'owner' },
  meshPeers: { method: 'GET', path: '/api/mesh/peers', access: 'owner' },
  meshBan: { method: 'POST', path: '/api/mesh/peers/:id/ban', access: 'owner' },
  meshUnban: { method: 'POST', path: '/api/mesh/peers/:id/unban', access: 'owner' },
  meshCarriageEnd: { method: 'POST', path: '/api/mesh/carriages/:id/end', access: 'owner' },
  meshCarriageReadmit: { method: 'POST', path: '/api/mesh/carriages/:id/readmit', access: 'owner' },
  meshCarriageWriteOff: { method: 'POST', path: '/api/mesh/carriages/:id/write-off', access: 'owner' },
  meshGuests: { method: 'GET', path: '/api/mesh/guests', access: 'owner' },
  meshMap: { method: 'GET', path: '/api/mesh/map', access: 'owner' },
  meshPrices: { method: 'GET', path: '/api/mesh/prices', access: 'owner' },
  meshPath: { method: 'GET', path: '/api/mesh/path', access: 'owner' },
  meshInvitations: { method: 'GET', path: '/api/mesh/invitations', access: 'owner' },
  meshInvite: { method: 'POST', path: '/api/mesh/invitations', access: 'owner' },
  meshTakeBack: { method: 'POST', path: '/api/mesh/invitations/:id/void', access: 'owner' },
  meshExpel: { method: 'POST', path: '/api/mesh/members/:id/expel', access: 'owner' },
  meshPardon: { method: 'POST', path: '/api/mesh/members/:id/pardon', access: 'owner' },
  meshJoining: { method: 'GET', path: '/api/mesh/joining', access: 'owner' },
  meshJoin: { method: 'POST', path: '/api/mesh/joining', access: 'owner' },

  settings: { method: 'GET', path: '/api/settings', access: 'owner' },
  changeSettings: { method: 'PUT', path: '/api/settings', access: 'owner' },
  verifyReceipt: { method: 'POST', path: '/api/receipt/verify', access: 'owner' },
  reload: { method: 'POST', path: '/api/reload', access: 'owner' },
  /** application/gzip, as a download; holds no secrets. */
  supportBundle: { method: 'GET', path: '/api/support-bundle', access: 'owner' },
  /** application/vnd.sqlite3, as a download; holds voucher codes: keep it like money. */
  backupDownload: { method: 'POST', path: '/api/backup/download', access: 'dashboard' },
  /** As `sendCoins`, for who types the owner's password once more. */
  sendCoinsConfirmed: { method: 'POST', path: '/api/chain/send/confirmed', access: 'dashboard' },
  revealWords: { method: 'POST', path: '/api/identity/reveal', access: 'dashboard' },
  revealVoucherWords: { method: 'POST', path: '/api/voucher-keys/reveal', access: 'dashboard' },

  /** `status` with the set-up code while the box has no owner. */
  consoleStatus: { method: 'GET', path: '/api/console-status', access: 'control' },
  backup: { method: 'POST', path: '/api/backup', access: 'control' },
  identityWords: { method: 'POST', path: '/api/identity/words', access: 'control' },
  voucherKeyWords: { method: 'POST', path: '/api/voucher-keys/words', access: 'control' },
  voucherKeyAdopt: { method: 'POST', path: '/api/voucher-keys/adopt', access: 'control' },
  setPassword: { method: 'POST', path: '/api/password', access: 'control' },
  sendCoins: { method: 'POST', path: '/api/chain/send', access: 'control' },
  ...IOT_ROUTES,
  ...PAYOUT_ROUTES,
} as const satisfies Record<string, RouteInfo>

export type RouteName = keyof typeof ROUTES

/** What each route takes and gives; `query` goes into the URL, `body` is JSON, `reply` is JSON or a text. */
export interface RouteTypes extends IotRouteTypes, PayoutRouteTypes {
  loginState: { reply: LoginState }
  login: { body: LoginRequest; reply: LoginState }
  logout: { reply: LoginState }
  changePassword: { body: PasswordChange; reply: LoginState }
  setupForm: { reply: SetupForm }
  setup: { body: SetupRequest; reply: SetupReply }
  status: { reply: StatusJson }
  log: { query: { limit?: number; level?: LogEventJson['level'] }; reply: LogJson }
  sessions: { query: SessionsQuery; reply: SessionsJson }
  session: { params: { id: string }; reply: SessionJson }
  kick: { params: { id: string }; reply: SessionJson }
  pause: { params: { id: string }; reply: SessionJson }
  resume: { params: { id: string }; reply: SessionJson }
  extend: { params: { id: string }; body: ExtendRequest; reply: SessionJson }
  refund: { params: { id: string }; reply: RefundReply }
  vouchers: { query: VouchersQuery; reply: VouchersJson }
  voucherBatches: { reply: VoucherBatchesJson }
  createVouchers: { body: VoucherCreateRequest; reply: VoucherCreateReply }
  revokeVouchers: { body: VoucherRevokeRequest; reply: VoucherRevokeReply }
  voucherSheet: { query: { batch: string }; reply: string }
  voucherCsv: { query: { batch: string }; reply: string }
  tariff: { reply: TariffJson }
  changeTariff: { body: TariffChange; reply: TariffReply }
  earnings: { query: EarningsQuery; reply: EarningsJson }
  entries: { query: EntriesQuery; reply: EntriesJson }
  audit: { reply: AuditJson }
  chain: { reply: ChainPageView }
  clearChainAlarm: { reply: ChainPageView }
  chainCheckpoint: { reply: ChainCheckpointJson }
  chainBranches: { reply: ChainBranchesJson }
  adoptBranch: { body: ChainAdoptRequest; reply: ChainPageView }
  chainWallet: { reply: ChainWalletJson }
  sendCoins: { body: ChainSendRequest; reply: ChainSentJson }
  sendCoinsConfirmed: { body: ChainSendRequest & { readonly password: string }; reply: ChainSentJson }
  chainPoc: { reply: ChainPocJson }
  orderPoc: { body: ChainPocRequest; reply: ChainPocJson }
  chainPocCalls: { body: ChainPocCallsRequest; reply: ChainPocCallsJson }
  photon: { reply: PhotonStatusJson }
  clearPhotonAlarm: { params: { id: string }; reply: PhotonStatusJson }
  wrapCoins: { body: PhotonWrapRequest; reply: PhotonStatusJson }
  unwrapCoins: { body: PhotonWrapRequest; reply: PhotonStatusJson }
  photonChannels: { query: PhotonChannelsQuery; reply: PhotonChannelsJson }
  openChannel: { body: PhotonOpenRequest; reply: { readonly channel: string } }
  photonChannel: { params: { id: string }; reply: PhotonChannelJson }
  depositToChannel: { params: { id: string }; body: PhotonAmountRequest; reply: PhotonChannelJson }
  withdrawFromChannel: { params: { id: string }; body: PhotonAmountRequest; reply: PhotonChannelJson }
  closeChannel: { params: { id: string }; body: PhotonCloseRequest; reply: PhotonChannelJson }
  photonPayments: { query: PhotonPaymentsQuery; reply: PhotonPaymentsJson }
  pay: { body: PhotonPayRequest; reply: PhotonPayReply }
  photonPayment: { params: { id: string }; reply: PhotonPaymentJson }
  cancelPayment: { params: { id: string }; reply: PhotonPaymentJson }
  allowReveal: { params: { id: string }; reply: PhotonPaymentJson }
  photonDuties: { reply: PhotonDutiesJson }
  photonPaths: { query: PhotonPathsQuery; reply: PhotonPathsJson }
  photonWatching: { reply: PhotonWatchJson }
  photonPeers: { reply: PhotonPeersJson }
  addPhotonPeer: { body: PhotonPeerRequest; reply: PhotonPeersJson }
  mesh: { reply: MeshStatusJson }
  meshView: { reply: MeshViewJson }
  meshPeers: { reply: MeshPeersJson }
  meshBan: { params: { id: string }; body: MeshBanRequest; reply: MeshPeersJson }
  meshUnban: { params: { id: string }; reply: MeshPeersJson }
  meshCarriageEnd: { params: { id: string }; body: MeshEndRequest; reply: MeshPricesJson }
  meshCarriageReadmit: { params: { id: string }; reply: MeshPricesJson }
  meshCarriageWriteOff: { params: { id: string }; reply: MeshPricesJson }
  meshGuests: { reply: MeshGuestsJson }
  meshMap: { reply: MeshMapJson }
  meshPrices: { reply: MeshPricesJson }
  meshPath: { query: { to: string }; reply: MeshPathJson }
  meshInvitations: { reply: MeshInvitationsJson }
  meshInvite: { body: MeshInviteRequest; reply: MeshInviteReply }
  meshTakeBack: { params: { id: string }; reply: MeshInvitationsJson }
  meshExpel: { params: { id: string }; reply: MeshPeersJson }
  meshPardon: { params: { id: string }; reply: MeshPeersJson }
  meshJoining: { reply: MeshJoiningJson }
  meshJoin: { body: MeshJoinRequest; reply: MeshJoinReply }
  settings: { reply: SettingsJson }
  changeSettings: { body: SettingsChange; reply: SettingsReply }
  verifyReceipt: { body: ReceiptVerifyRequest; reply: ReceiptVerifyReply }
  reload: { reply: ReloadReportJson }
  supportBundle: { reply: Uint8Array }
  backupDownload: { reply: Uint8Array }
  revealWords: { body: WordsRequest; reply: WordsReply }
  revealVoucherWords: { body: WordsRequest; reply: WordsReply }
  consoleStatus: { reply: StatusJson }
  backup: { body: BackupRequest; reply: BackupReply }
  identityWords: { reply: WordsReply }
  voucherKeyWords: { reply: WordsReply }
  voucherKeyAdopt: { body: AdoptRequest; reply: AdoptReply }
  setPassword: { body: PasswordSetRequest; reply: { passwordSet: true } }
}
