/** The chain side's tables and the scheduler over them. */
export { DutyDesk } from './duty-desk.ts'
export type { DutyDeskOptions } from './duty-desk.ts'
export type { KeptTransaction } from './transaction-table.ts'
export { loadPosition, savePosition } from './position-table.ts'
