/**
 * What the kernel lets through. `createGate` gives a `Gate` over nftables, or one that only records. It is told what is to be open, whole
 * (`replace`) or in part (`apply`), makes the kernel so, and keeps it so; each grant ends by itself. It asks nobody and books nothing. docs/gate.md
 */
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
export type { Netlink } from './netlink.ts'
export { DnsmasqFiles } from './io/dnsmasq-files.ts'
export type { DnsmasqPaths } from './io/dnsmasq-files.ts'
export { readIp, readMac } from './address.ts'
