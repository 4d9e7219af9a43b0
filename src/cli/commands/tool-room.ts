/**
 * All that the tools for payments and LoRa and the commands about joining load of their rooms, and only when one of them
 * runs: a file of its own beside the command line, as chain-room.ts is for the chain.
 */
export * as iot from '../../iot/inspect/index.ts'
export * as iotReceipts from '../../iot/tenants/receipt/index.ts'
export * as joining from '../../mesh/joining/index.ts'
export * as payoutStatements from '../../payout/statement/index.ts'
export * as photon from '../../photon/wire/inspect/index.ts'
