/** All tables of the room, for who opens the book: without the room's code. */
import type { Migration } from '../../store/index.ts'
import { joiningMigrations } from '../joining/io/member-tables.ts'
import { orderMigrations } from '../metering/io/order-table.ts'
import { meteringMigrations } from '../metering/io/tables.ts'
import { peerMigrations } from '../peers/io/tables.ts'
import { roamingMigrations } from '../roaming/io/roam-tables.ts'
import { uplinkMigrations } from '../uplinks/io/reseller-table.ts'

export const meshMigrations: readonly Migration[] = [...peerMigrations, ...joiningMigrations, ...meteringMigrations, ...orderMigrations, ...uplinkMigrations, ...roamingMigrations]
