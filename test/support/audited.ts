/** A box's whole file, and what the audit says of it: with the tables of all rooms, whichever rooms run. */
import { createHash } from 'node:crypto'
import { hexOf, silentLog } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import { systemTimers } from '../../src/base/io/system.ts'
import type { AuditReport } from '../../src/audit/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { hotspotMigrations } from '../../src/hotspot/index.ts'
import { iotMigrations } from '../../src/iot/tables/index.ts'
import { ledgerMigrations } from '../../src/ledger/index.ts'
import { auditBox } from '../../src/main/audit.ts'
import type { AuditChain } from '../../src/main/audit.ts'
import { meshMigrations } from '../../src/mesh/tables/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import { payoutMigrations } from '../../src/payout/tables/index.ts'
import { photonMigrations } from '../../src/photon/tables/index.ts'
import { openStore } from '../../src/store/index.ts'
import type { Migration, Store } from '../../src/store/index.ts'

export const ALL_MIGRATIONS: readonly Migration[] = [...ledgerMigrations, ...hotspotMigrations, ...photonMigrations, ...meshMigrations, ...iotMigrations, ...payoutMigrations]
export const curve = loadSecp256k1(null)

export function openWholeStore(path: string): Store {
  return openStore({ path, migrations: ALL_MIGRATIONS, log: silentLog })
}

export interface Key {
  readonly secret: Uint8Array
  readonly address: Address
}

export function keyFrom(name: string): Key {
  const secret = new Uint8Array(createHash('sha256').update(name).digest())
  return { secret, address: hexOf(curve.keccak256(curve.publicKeyOf(secret).subarray(1)).subarray(12)) }
}

export interface AuditedBox {
  readonly store: Pick<Store, 'read'>
  readonly self: string
  readonly chain?: AuditChain | null
  /** UCI text: tokens of channels and the limits. */
  readonly config?: string
}

export function auditOf({ store, self, chain = null, config = '' }: AuditedBox): Promise<AuditReport> {
  return auditBox({ store, config: loadConfig(config, 'audited'), self, curve, chain, timers: systemTimers })
}
