/** Receipts: signed plain text a guest can keep and anybody can check. */
export { hashCounters } from './counters.ts'
export { writeReceipt } from './write.ts'
export { verifyReceipt } from './verify.ts'
export type { ReceiptCheck } from './verify.ts'
export type { DeviceUse, ReceiptFacts, ReceiptSigner } from './types.ts'
