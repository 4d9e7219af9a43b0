/** Statements of payouts: signed text that whoever was paid keeps, and checks anywhere. */
export { NOTE, referenceIn, referenceOf, renderBody, renderIntent, routedNote } from './layout.ts'
export type { ShareTerm, Statement, StatementFacts, StatementLine, StatementRoute } from './layout.ts'
export { MAX_STATEMENTS_BYTES, verifyStatements } from './verify.ts'
export type { StatementWishes, StatementsCheck } from './verify.ts'
