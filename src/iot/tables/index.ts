/** What this room keeps in the box's file, as one list. Apart from the room itself, which is loaded only where it is switched on. */
import type { Migration, Tx } from '../../store/index.ts'
import { codecMigrations } from '../codecs/io/tables.ts'
import { outboxMigrations } from '../io/outbox-tables.ts'
import { forgetAllLate, lateMigrations } from '../late/io/tables.ts'
import { logMigrations } from '../log/io/tables.ts'
import { brokerUserMigrations } from '../mqtt/io/user-tables.ts'
import { airtimeMigrations } from '../network/io/airtime-tables.ts'
import { networkMigrations, skipDownCounters, skipJoinNonces } from '../network/io/tables.ts'
import { ruleMigrations } from '../rules/io/tables.ts'
import { noteAccountsBehind } from '../tenants/io/account-tables.ts'
import { paidMigrations, paidTables } from '../tenants/io/paid-tables.ts'
import { tenantMigrations } from '../tenants/io/tenant-tables.ts'

/** For main, which knows the channels. */
export { paidTables }

export const iotMigrations: readonly Migration[] = [
  ...networkMigrations,
  ...airtimeMigrations,
  ...tenantMigrations,
  ...paidMigrations,
  ...lateMigrations,
  ...logMigrations,
  ...outboxMigrations,
  ...codecMigrations,
  ...ruleMigrations,
  ...brokerUserMigrations,
]

/** Far above what a box sends a device between two backups, far below the 16384 that a device takes as a gap; and more joins than there are. */
const SKIPPED_AFTER_OLD_COPY = 4_096

/**
 * The book is a backup that was put in place. What happened since is not in it: no counter down may come twice, no receipt may be signed
 * beside one that is out, and what waited may have been delivered long ago.
 */
export function noteIotOldCopy(tx: Tx): void {
  skipDownCounters(tx, SKIPPED_AFTER_OLD_COPY)
  skipJoinNonces(tx, SKIPPED_AFTER_OLD_COPY)
  noteAccountsBehind(tx)
  forgetAllLate(tx)
}
