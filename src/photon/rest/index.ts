/**
 * The REST interface of the original Photon node, `/api/1`, and `/api/2` with amounts as text. `createRest(api, onFault)`
 * answers requests over a `PhotonApi`, which the composition root makes of the running node; `io/` puts it on Fastify.
 * docs/photon-rest.md
 */
export { CHANNEL_STATES, TRANSFER_STATES, photonError } from './api.ts'
export type {
  BlockRange,
  BuildInfo,
  ChannelDetailView,
  ChannelStateName,
  ChannelView,
  DepositOrder,
  FeeEarned,
  FeeRate,
  FeeTable,
  Income,
  IncomeOfDays,
  LockView,
  PendingReceiptView,
  PhotonApi,
  ReceivedTransferView,
  RouteView,
  SentTransferView,
  SwapOrder,
  SystemStatus,
  TokenBalance,
  TransactionFilter,
  TransactionView,
  TransferOrder,
  TransferStateName,
} from './api.ts'
export { deskApi } from './desk-api.ts'
export type { DeskApiParts } from './desk-api.ts'
export { channelDetailView, channelView, dataText, pendingReceiptView, sentTransferView } from './node-views.ts'
export { createRest, restError } from './rest.ts'
export type { Rest, RestAnswer, RestError, RestRequest } from './rest.ts'
export { serveRest } from './io/rest-routes.ts'
