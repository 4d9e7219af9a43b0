/**
 * Every route of the guest side. Paths are compared as they were sent, byte for byte and without decoding,
 * so there is no second spelling of a path that could slip past a check. GETs only look.
 */
import type { GuestGet, GuestPost, OpenGet } from '../asked.ts'
import { RPC_PATH } from '../guest-rpc.ts'
import { STREAM_PATH } from '../stream-desk.ts'
import { API_PATH } from '../option-114.ts'
import { aheadOrder, aheadTerms } from './ahead.ts'
import { addTime, home, move, receiptFile, receiptView, scanned, status } from './look.ts'
import { endSession, pauseSession, redeem, resumeSession, takeTrial } from './act.ts'
import { captivePortalApi } from './capport.ts'
import { orderByKey, pursePage, purseOf, takeOut } from './purse.ts'
import { streamBalance, topUp } from './stream.ts'
import { keepSession, keptElsewhere, openSession, showKey, walletScript, walletView } from './wallet.ts'

export type Route =
  | { readonly kind: 'look'; readonly run: GuestGet }
  | { readonly kind: 'open'; readonly run: OpenGet }
  | { readonly kind: 'act'; readonly run: GuestPost }
  | { readonly kind: 'rpc' }
  | { readonly kind: 'stream' }

const EXACT: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/', { kind: 'look', run: home }],
  ['/add', { kind: 'look', run: addTime }],
  ['/move', { kind: 'look', run: move }],
  ['/ahead.json', { kind: 'look', run: aheadTerms }],
  ['/ahead', { kind: 'act', run: aheadOrder }],
  ['/receipt', { kind: 'look', run: receiptView }],
  ['/receipt.txt', { kind: 'look', run: receiptFile }],
  ['/status.json', { kind: 'look', run: status }],
  ['/wallet', { kind: 'look', run: walletView }],
  ['/wallet.js', { kind: 'open', run: walletScript }],
  ['/wallet/keep', { kind: 'act', run: keepSession }],
  ['/wallet/open', { kind: 'act', run: openSession }],
  ['/wallet/show', { kind: 'act', run: showKey }],
  ['/wallet/top-up', { kind: 'act', run: topUp }],
  ['/wallet/purse.json', { kind: 'look', run: pursePage }],
  ['/wallet/order', { kind: 'act', run: orderByKey }],
  ['/wallet/take-out', { kind: 'act', run: takeOut }],
  [STREAM_PATH, { kind: 'stream' }],
  [API_PATH, { kind: 'open', run: captivePortalApi }],
  ['/redeem', { kind: 'act', run: redeem }],
  ['/trial', { kind: 'act', run: takeTrial }],
  ['/pause', { kind: 'act', run: pauseSession }],
  ['/resume', { kind: 'act', run: resumeSession }],
  ['/end', { kind: 'act', run: endSession }],
  [RPC_PATH, { kind: 'rpc' }],
])

/** Printed codes are all upper case (the QR code is smaller so), their paths included. */
const SCANNED = /^\/[vVtT]\/([0-9A-Za-z]{1,256})$/
const BALANCE = new RegExp(`^${STREAM_PATH}/(0x[0-9a-f]{40})\\.json$`)
const PURSE = new RegExp(`^${STREAM_PATH}/(0x[0-9a-f]{40})/purse\\.json$`)
const KEPT = /^\/wallet\/kept\/(0x[0-9a-f]{40})\.json$/
const API_BY_NAME = new RegExp(`^${API_PATH}/([A-Za-z0-9_-]{24})$`)

export interface Match {
  readonly route: Route
  readonly argument: string
}

export function routeOf(path: string): Match | null {
  const exact = EXACT.get(path)
  if (exact !== undefined) return { route: exact, argument: '' }
  const bearer = SCANNED.exec(path)?.[1]
  if (bearer !== undefined) return { route: { kind: 'look', run: scanned }, argument: bearer.toUpperCase() }
  const payer = BALANCE.exec(path)?.[1]
  if (payer !== undefined) return { route: { kind: 'look', run: streamBalance }, argument: payer }
  const owner = PURSE.exec(path)?.[1]
  if (owner !== undefined) return { route: { kind: 'look', run: purseOf }, argument: owner }
  const keeper = KEPT.exec(path)?.[1]
  if (keeper !== undefined) return { route: { kind: 'look', run: keptElsewhere }, argument: keeper }
  const name = API_BY_NAME.exec(path)?.[1]
  if (name !== undefined) return { route: { kind: 'open', run: captivePortalApi }, argument: name }
  return null
}

export function allowedMethods(route: Route): string {
  if (route.kind === 'rpc') return 'POST, OPTIONS'
  return route.kind === 'act' || route.kind === 'stream' ? 'POST' : 'GET, HEAD'
}

/** For the tests that try every route. */
export const EXACT_PATHS: readonly string[] = [...EXACT.keys()]
