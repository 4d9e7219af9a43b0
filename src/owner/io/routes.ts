/**
 * The table that both doors dispatch by: for each route of api.ts that they share, what it accepts and
 * which verb of the owner it calls. One file per subject in routes/; no file knows them all but this one.
 */
import type { RouteName, RouteTypes } from '../api.ts'
import { ROUTES } from '../api.ts'
import type { Owner } from '../owner.ts'
import type { RequestSchema } from '../request-schema.ts'
import { auditRoutes } from './routes/audit.ts'
import { chainRoutes } from './routes/chain.ts'
import { earningsRoutes } from './routes/earnings.ts'
import { iotRoutes } from './routes/iot.ts'
import { meshRoutes } from './routes/mesh.ts'
import { payoutRoutes } from './routes/payout.ts'
import { photonRoutes } from './routes/photon.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { settingsRoutes } from './routes/settings.ts'
import { statusRoutes } from './routes/status.ts'
import { tariffRoutes } from './routes/tariff.ts'
import { voucherRoutes } from './routes/vouchers.ts'

/** A request after its schema let it through. */
export interface Call<Body = unknown> {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: Body
  /** Whether the dashboard's own door speaks TLS; shown on the settings page. */
  readonly ownerTls: boolean
}

type BodyOf<N extends RouteName> = RouteTypes[N] extends { body: infer Body } ? Body : unknown

export interface Handler<N extends RouteName> {
  readonly schema: RequestSchema
  /** A text that is long may come in pieces. */
  readonly run: (owner: Owner, call: Call<BodyOf<N>>) => RouteTypes[N]['reply'] | Promise<RouteTypes[N]['reply']> | (RouteTypes[N]['reply'] extends string ? AsyncIterable<string> : never)
  /** Default: JSON. */
  readonly type?: string
  /** Name under which a browser saves the answer. */
  readonly saveAs?: (call: Call) => string
  /** Instead of the door's own policy: for pages that are printed. */
  readonly contentSecurityPolicy?: string
}

/** Routes that need the owner's login on the dashboard's door and nothing on the control socket. */
export type SharedRoute = { [N in RouteName]: (typeof ROUTES)[N]['access'] extends 'owner' ? N : never }[RouteName]

export const SHARED: { readonly [N in SharedRoute]: Handler<N> } = {
  ...statusRoutes,
  ...sessionRoutes,
  ...voucherRoutes,
  ...tariffRoutes,
  ...chainRoutes,
  ...photonRoutes,
  ...meshRoutes,
  ...iotRoutes,
  ...earningsRoutes,
  ...auditRoutes,
  ...payoutRoutes,
  ...settingsRoutes,
}
