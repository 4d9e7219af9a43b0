/** The tables of every room, in the order in which a new book gets them. What stands here once is never changed: a book that has it would not open. */
import { hotspotMigrations } from '../hotspot/index.ts'
import { iotMigrations } from '../iot/tables/index.ts'
import { ledgerMigrations } from '../ledger/index.ts'
import { meshMigrations } from '../mesh/tables/index.ts'
import { payoutMigrations } from '../payout/tables/index.ts'
import { photonMigrations } from '../photon/tables/index.ts'
import { spectrumMigrations } from '../spectrum/tables/index.ts'
import type { Migration } from '../store/index.ts'
import { boxMigrations } from './same-box.ts'

export const TABLES: readonly Migration[] = [...ledgerMigrations, ...hotspotMigrations, ...spectrumMigrations, ...boxMigrations, ...photonMigrations, ...meshMigrations, ...iotMigrations, ...payoutMigrations]
