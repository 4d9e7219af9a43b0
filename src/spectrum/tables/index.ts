/** The chain's tables, apart from the chain: every box's file has them, and few boxes load the rest of this room. */
import { spectrumMigrations as chainMigrations } from '../chain/io/migrations.ts'
import { sealMigrations } from '../seal/io/migrations.ts'
import { banMigrations } from './io/bans.ts'
import type { Migration } from '../../store/index.ts'

export const spectrumMigrations: readonly Migration[] = [...chainMigrations, ...sealMigrations, ...banMigrations]
