/** Chooses the gate's driver from the configuration and joins it with its neighbour table. */
import type { Clock, Log, Timers } from '../../../base/index.ts'
import type { HotspotConfig } from '../../../config/index.ts'
import { MeshBoxError } from '../../../base/index.ts'
import type { Gate, GateCallbacks, NeighbourTable } from '../types.ts'
import { LoopbackNeighbours } from './loopback-neighbours.ts'
import { RecordGate } from './record-gate.ts'

export interface GateDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly callbacks: GateCallbacks
  /** A folder of our own for transactions too long for one line; on tmpfs if there is one. Made if missing. */
  readonly runtimeDir: string
}

export interface GateParts {
  readonly gate: Gate
  readonly neighbours: NeighbourTable
}

export function createGate(config: HotspotConfig, deps: GateDeps): GateParts {
  if (config.gate === 'record') return { gate: new RecordGate(deps.clock), neighbours: new LoopbackNeighbours() }
  throw new MeshBoxError('unavailable', 'the nft driver is not in this build', { code: 'gate-failed' })
}
