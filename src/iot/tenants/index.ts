/**
 * Tenants: whose frame it is, what it costs him, the receipts. docs/iot.md, "Order of one uplink"; spec 6.2.
 *
 * `createTenantHouse` is the desk that frames and downlinks go through, with the owner's side in `admin`; `tenantMigrations` is what it keeps.
 * Receipts and how a payer checks them: receipt/index.ts, which needs no box. Late frames are kept by late/, whose `LateFrames` fits `LateShelf`.
 *
 * What is promised, and what not: a frame is billed at most once and never before it was acknowledged; what is delivered and not billed when the power goes is
 * worth at most the credit window. A tenant who gives no network session keys pays for whatever his routes fit, a replay after 24 h among it.
 */
export { createTenantHouse } from './house.ts'
export type { TenantHouse } from './house.ts'
export type { MicKeyGiven, TenantDetails } from './admin.ts'
export { tenantMigrations } from './io/tenant-tables.ts'
export { RouteTable } from './routing.ts'
export { dueAccount } from './settlement.ts'
export { DEFAULT_LIMITS } from './types.ts'
export type { EarningsBook, LateShelf, OutcomeCounts, RouteClash, StatementRow, TenantChannels, TenantHouseDeps, TenantLimits, TenantOutcome } from './types.ts'
