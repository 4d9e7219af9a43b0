/** What own devices measured: kept by days and bytes, plotted from hourly sums where there is much, exported as CSV in pieces. */
export { DataLog } from './data-log.ts'
export type { DataLogParts } from './data-log.ts'
export { csvLine } from './csv.ts'
export { downSample } from './series.ts'
export { createLogTables, logMigrations } from './io/tables.ts'
export type { DataLogTables, LogLimits } from './io/tables.ts'
