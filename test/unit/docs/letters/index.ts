/**
 * Letters that a neighbour leaves here for somebody, paid by KiB and day. `new Letters(parts)` needs store, ledger and a word on what was paid. It
 * promises: a letter that is acknowledged is on disk with its earning, and one reference is one letter and one earning.
 */
export { Letters } from './letters.ts'
export type { LettersParts } from './letters.ts'
export type { LetterPayments } from './ports.ts'
