/**
 * What the command line shares with the service without loading its doors: a router starts `meshbox` often,
 * and an HTTP server in it would cost most of a second each time.
 */
export { ROUTES } from '../api.ts'
export type * from '../api.ts'
export { receiptJson } from '../receipt.ts'
