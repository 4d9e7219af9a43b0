/** The gate's door: what the hotspot, the portal and main.ts may use of it. */
export type {
  DeviceCounters,
  Gate,
  GateAlarm,
  GateCallbacks,
  GateChange,
  GateHealth,
  Grant,
  MacAddress,
  NeighbourTable,
} from './types.ts'
export { createGate } from './io/create-gate.ts'
export type { GateDeps, GateParts } from './io/create-gate.ts'
export { NftGate } from './io/nft-gate.ts'
export type { NftGateOptions } from './io/nft-gate.ts'
export { Neighbours } from './io/neighbours.ts'
export type { NeighboursOptions } from './io/neighbours.ts'
export type { Netlink } from './netlink.ts'
export { gateRules } from './rules.ts'
export type { GateRules } from './rules.ts'
export { RecordGate } from './io/record-gate.ts'
export { LoopbackNeighbours } from './io/loopback-neighbours.ts'
export { DnsmasqFiles } from './io/dnsmasq-files.ts'
export type { DnsmasqPaths } from './io/dnsmasq-files.ts'
export { dnsmasqOptions, dnsmasqSnippet } from './dnsmasq.ts'
export type { DnsmasqNames } from './dnsmasq.ts'
export { readIp, readMac } from './address.ts'
