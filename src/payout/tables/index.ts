/** The room's tables, for who opens the store before the room is loaded. */
export { payoutMigrations } from '../io/tables.ts'
