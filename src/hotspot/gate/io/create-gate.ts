/** Chooses the gate's driver from the configuration and joins it with its neighbour table. */
import { join } from 'node:path'
import type { Clock, Log, Timers } from '../../../base/index.ts'
import type { HotspotConfig } from '../../../config/index.ts'
import type { Netlink } from '../netlink.ts'
import { gateRules } from '../rules.ts'
import type { Gate, GateCallbacks, NeighbourTable } from '../types.ts'
import { systemLink } from './guest-link.ts'
import { LoopbackNeighbours } from './loopback-neighbours.ts'
import { Neighbours } from './neighbours.ts'
import { NftGate } from './nft-gate.ts'
import { RecordGate } from './record-gate.ts'

export interface GateDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly callbacks: GateCallbacks
  /** A folder of our own for transactions too long for one line; on tmpfs if there is one. Made if missing. */
  readonly runtimeDir: string
  /**
   * Opens netlink in this network namespace; called at each start of the gate, which closes it at its stop. What it
   * throws becomes the reason in the gate's health, and changes go through nft. Null: there is no addon.
   */
  readonly openNetlink: (() => Netlink) | null
}

export interface GateParts {
  readonly gate: Gate
  /** Start it after the gate: what DHCP says of addresses goes to the gate's guard. */
  readonly neighbours: NeighbourTable
}

/** Throws MeshBoxError `input` when the configuration holds what cannot become a rule. */
export function createGate(config: HotspotConfig, deps: GateDeps): GateParts {
  const { clock, timers, callbacks } = deps
  const log = deps.log.room('gate')
  if (config.gate === 'record') return { gate: new RecordGate(clock), neighbours: new LoopbackNeighbours() }
  const gate = new NftGate({
    rules: gateRules(config),
    uplinkInterfaces: config.uplinkInterfaces,
    readLink: systemLink(config.guestInterface),
    callbacks,
    clock,
    timers,
    log,
    runtimeDir: join(deps.runtimeDir, 'nft'),
    openNetlink: deps.openNetlink,
  })
  const neighbours = new Neighbours({
    guestInterface: config.guestInterface,
    leasesFile: config.dnsmasqLeasesFile,
    clock,
    timers,
    log,
    onLeases: (pairs) => gate.setLeases(pairs),
  })
  return { gate, neighbours }
}
