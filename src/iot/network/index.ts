/**
 * The network server of the box: own devices, their sessions, joins, ADR, MAC state, queues, and the one way to the air. LoRaWAN 1.0.2 to
 * 1.0.4 and 1.1, OTAA and ABP, class A and C.
 *
 * `openNetwork` gives NetworkServer, DownlinkDesk and DeviceDesk of ports.ts. What is handed in: the store with this room's migrations, the
 * radio, and a function that writes a reading's log row in the turn that stores its counter.
 */
export { airtimeMigrations, airtimeTables } from './io/airtime-tables.ts'
export { keptRows } from './io/kept-rows.ts'
export { networkMigrations, networkRows } from './io/tables.ts'
export { openNetwork } from './open.ts'
export type { Network, NetworkParts } from './open.ts'
export type { NetworkWishes } from './plan.ts'
export { abpSession } from './session.ts'
export type { SlotOrder } from './desk.ts'
