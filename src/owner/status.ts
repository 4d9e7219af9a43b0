/** The state of the box, gathered from the rooms. */
import type { HotspotStatus } from '../hotspot/index.ts'
import type { StatusJson } from './api/status.ts'
import { healthOf } from './health.ts'
import type { IotVerbs } from './iot.ts'
import type { MeshVerbs } from './mesh.ts'
import type { PayoutVerbs } from './payout.ts'
import type { PhotonVerbs } from './photon.ts'
import type { OwnerPorts } from './ports.ts'

const NO_HOTSPOT: HotspotStatus = {
  gate: { state: 'down', reason: 'the hotspot is not switched on', repairs: 0, devices: 0 },
  sessionsActive: 0,
  sessionsPaused: 0,
  sessionsTotal: 0,
  vouchersUnused: 0,
  alarms: [],
  option114: 'withheld',
  option114Reason: 'the hotspot is not switched on',
}

export function statusJson(ports: OwnerPorts, photon: PhotonVerbs, mesh: MeshVerbs, iot: IotVerbs, payouts: PayoutVerbs, startedBoottimeMs: number): StatusJson {
  const { main } = ports.config.current()
  const hotspot = ports.desk?.status() ?? NO_HOTSPOT
  const bootMs = ports.clock.boottimeMs()
  const known = {
    name: main.name,
    version: ports.version,
    roles: [...main.roles],
    photon: photon.isOn,
    mesh: mesh.isOn,
    iot: iot.isOn,
    address: ports.identity.address,
    signatures: ports.identity.backend,
    uptimeSeconds: Math.floor((bootMs - startedBoottimeMs) / 1000),
    bootUptimeSeconds: Math.floor(bootMs / 1000),
    clock: { wallMs: Math.floor(ports.clock.wallMs()), trusted: ports.clock.isWallTrusted(), sources: ports.timeSources() },
    gate: hotspot.gate,
    store: ports.store.stats(),
    option114: { state: hotspot.option114, reason: hotspot.option114Reason },
    sessions: { active: hotspot.sessionsActive, paused: hotspot.sessionsPaused, total: hotspot.sessionsTotal },
    vouchersUnused: hotspot.vouchersUnused,
    alarms: hotspot.alarms,
    facts: ports.facts(),
    setup: { passwordSet: ports.password.isSet, recoveryWordsShown: ports.identity.recoveryWordsShown },
  }
  return { ...known, health: healthOf(known, [photon.health(), mesh.health(), iot.health(), payouts.health()]) }
}
