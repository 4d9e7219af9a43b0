/**
 * What the parts of this room pass to each other. Each part is made by somebody who knows only these shapes and docs/iot.md:
 *
 *   radio/   turns datagrams and WebSocket texts of concentrators into `Heard`, and `Downlink` into what they send
 *   lorawan/ pure: frames, keys, MAC commands, regions, time on air (its own contract: lorawan/index.ts)
 *   network/ the network server of the box: sessions, counters, joins, ADR, downlink queues
 *   airtime/ the ledger of how long each transmitter was on air, and what a millisecond costs
 *   tenants/ whose frame it is, what it costs him, the receipts
 *   late/    frames that could not be handed over in time      mqtt/   topics, Home Assistant, Sparkplug, the broker
 *   codecs/  bytes ↔ values      rules/  "if … then open the valve"      log/  what was measured, kept and exported
 *
 * `iot.ts` puts them together. What is stored: ports/tables.ts.
 *
 * Money is bigint in the token's smallest unit. Times called `…Ms` without more are milliseconds of Clock.boottimeMs.
 * Key bytes are Uint8Array(16) and never appear in a log, an error or a view.
 */
export type * from './ports/radio.ts'
export type * from './ports/downlink.ts'
export type * from './ports/network.ts'
export type * from './ports/tenants.ts'
export type * from './ports/outward.ts'
export type * from './ports/tables.ts'
export type * from './ports/desks.ts'
export type * from './ports/settings.ts'
export type * from './ports/udp.ts'
