/** Minutes that another box buys ahead. docs/portal.md "Minutes for boxes" */
export { AheadSales } from './ahead-sales.ts'
export { aheadTables } from './io/ahead-tables.ts'
export type { AheadDoor, AheadPayment, AheadPrice, AheadState, AheadTerms } from './ports.ts'
