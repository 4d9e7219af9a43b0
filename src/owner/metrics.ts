/**
 * The state of the box in Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats);
 * pure. Names and units follow its naming rules: base units, `_total` for counters, `_bytes`, `_seconds`.
 */
import { formatAmount } from '../base/index.ts'
import type { EarningTotals } from '../ledger/index.ts'
import type { IotStatusJson, MeshStatusJson, PhotonStatusJson, StatusJson, TokenJson } from './api.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | string]

/**
 * `totals`: of all tokens; only those of `token` are shown, because the decimals of others are not known. `channels`: null where the box
 * has none, or they are out of order. `mesh`: null where the box is in none; its `status` null where it could not be started. `iot`: null
 * where it has none, or it could not be started.
 */
export function metricsText(status: StatusJson, token: TokenJson, totals: readonly EarningTotals[], channels: PhotonStatusJson | null, mesh: { readonly status: MeshStatusJson | null } | null, iot: IotStatusJson | null): string {
  const out: string[] = []
  const metric = (name: string, kind: 'gauge' | 'counter', help: string, samples: readonly Sample[]): void => {
    if (samples.length === 0) return
    out.push(`# HELP meshbox_${name} ${help}`, `# TYPE meshbox_${name} ${kind}`)
    for (const [labels, value] of samples) out.push(`meshbox_${name}${labelText(labels)} ${value}`)
  }
  const one = (value: number | string): Sample[] => [[{}, value]]
  const { facts, store, gate } = status

  metric('build_info', 'gauge', 'Version of the service.', [[{ version: status.version, runtime: facts.runtime }, 1]])
  metric('uptime_seconds', 'gauge', 'Seconds since the service started.', one(status.uptimeSeconds))
  metric('sessions', 'gauge', 'Sessions by state.', [
    [{ state: 'active' }, status.sessions.active],
    [{ state: 'paused' }, status.sessions.paused],
  ])
  metric('sessions_total', 'counter', 'Sessions ever opened.', one(status.sessions.total))
  metric('vouchers_unused', 'gauge', 'Vouchers that can still be redeemed.', one(status.vouchersUnused))
  metric('gate_state', 'gauge', '1 for the state the gate is in.', (['ready', 'recording', 'degraded', 'down'] as const).map((state) => [{ state }, gate.state === state ? 1 : 0]))
  metric('gate_devices', 'gauge', 'Devices the kernel lets through.', one(gate.devices))
  metric('gate_repairs_total', 'counter', 'Times our rules were put back.', one(gate.repairs))
  metric('store_turns_total', 'counter', 'Units of work committed.', one(store.turns))
  metric('store_commits_total', 'counter', 'Commits to disk.', one(store.commits))
  metric('store_failed_commits_total', 'counter', 'Commits that failed.', one(store.failedCommits))
  metric('store_file_bytes', 'gauge', 'Size of the books.', one(store.fileBytes))
  metric('store_wal_bytes', 'gauge', 'Size of the write-ahead log.', one(store.walBytes))
  metric('resident_memory_bytes', 'gauge', 'Resident memory of the service.', one(facts.memory.rssBytes))
  if (facts.memory.rssAnonBytes !== null) metric('anonymous_memory_bytes', 'gauge', 'Memory of the service that cannot be reclaimed.', one(facts.memory.rssAnonBytes))
  metric('heap_used_bytes', 'gauge', 'JavaScript heap in use.', one(facts.memory.heapUsedBytes))
  metric('machine_free_memory_bytes', 'gauge', 'Memory the machine could give out.', one(facts.memory.machineFreeBytes))
  if (facts.disk !== null) metric('disk_free_bytes', 'gauge', 'Free space where the books are.', one(facts.disk.freeBytes))
  metric('event_loop_lag_seconds', 'gauge', 'How late the event loop was in the last minute.', [
    [{ of: 'mean' }, facts.eventLoopLag.meanMs / 1000],
    [{ of: 'p99' }, facts.eventLoopLag.p99Ms / 1000],
    [{ of: 'max' }, facts.eventLoopLag.maxMs / 1000],
  ])
  metric('load1', 'gauge', 'Load average over one minute.', one(facts.load[0]))
  metric('clock_trusted', 'gauge', '1 when two sources agree with the wall clock.', one(status.clock.trusted ? 1 : 0))
  metric('dnsmasq_up', 'gauge', '1 when dnsmasq runs or is not used.', one(facts.dnsmasq.state === 'missing' ? 0 : 1))
  const earned = totals.find((one) => one.token === token.symbol)?.bySource ?? []
  metric('earned_tokens', 'gauge', 'Earned and not taken back, by source; a gauge, because refunds lower it.', earned.map(({ source, allTime }) => [
    { source, token: token.symbol },
    formatAmount(allTime.total, token.decimals),
  ]))
  metric('channels_up', 'gauge', '1 while payment channels run, off line too; 0 where they are configured and do not.', status.photon ? one(channels === null || channels.state === 'halted' ? 0 : 1) : [])
  if (channels !== null) {
    metric('channels_state', 'gauge', '1 for the state payment channels are in.', (['starting', 'ready', 'offline', 'halted'] as const).map((state) => [{ state }, channels.state === state ? 1 : 0]))
    metric('channels', 'gauge', 'Payment channels that are open or being settled.', one(channels.channels))
    metric('channels_peers', 'gauge', 'Boxes that are connected for payments.', one(channels.peers))
    metric('channels_alarms', 'gauge', 'Alarms of payment channels.', one(channels.alarms.length))
    if (channels.gas !== null) metric('channels_gas_coins', 'gauge', 'Coins that the account of payment channels has for gas.', one(channels.gas.text))
  }
  if (mesh !== null) {
    const { status: seen } = mesh
    metric('mesh_up', 'gauge', '1 while batman-adv is seen; 0 where the box is in a mesh and does not see it.', one(seen?.condition.kind === 'up' ? 1 : 0))
    if (seen !== null) {
      metric('mesh_nodes', 'gauge', 'Nodes of the mesh in reach, this one left out.', one(seen.nodes))
      metric('mesh_peers', 'gauge', 'Boxes of the mesh that are connected.', one(seen.connected))
      metric('mesh_devices', 'gauge', 'Devices of guests in the whole mesh.', one(seen.guests))
      metric('mesh_reach', 'gauge', '1 for what the Internet is from here.', (['internet', 'intermittent', 'none'] as const).map((reach) => [{ reach }, seen.reach === reach ? 1 : 0]))
      metric('mesh_alarms', 'gauge', 'Alarms of the mesh, by their kind.', alarmCounts(seen))
    }
  }
  if (status.iot) metric('iot_up', 'gauge', '1 while IoT runs; 0 where it is configured and does not.', one(iot === null ? 0 : 1))
  if (iot !== null) {
    metric('iot_gateways', 'gauge', 'LoRa concentrators that are online.', one(iot.gateways.online))
    metric('iot_devices', 'gauge', "The owner's devices that are online.", one(iot.devices.online))
    metric('iot_tenants', 'gauge', 'Tenants that are served.', one(iot.tenants.served))
    metric('iot_uplinks_total', 'counter', 'Frames heard since the service started.', one(iot.uplinks))
    metric('iot_refused_packets_total', 'counter', 'What concentrators sent that could not be read.', one(iot.refusedPackets))
    metric('iot_downlinks_total', 'counter', 'Orders to concentrators, by their end.', [[{ end: 'sent' }, iot.downlinksSent], [{ end: 'failed' }, iot.downlinksFailed]])
    metric('iot_late_frames', 'gauge', 'Frames that wait for tenants.', one(iot.late.frames))
    metric('iot_broker_up', 'gauge', '1 while the MQTT broker is connected.', iot.broker.kind === 'off' ? [] : one(iot.broker.isConnected ? 1 : 0))
    metric('iot_unpublished_readings', 'gauge', 'Readings that the broker has not got.', one(iot.broker.unpublished))
  }
  return `${out.join('\n')}\n`
}

/** One of no kind where all is well: a line that is always there can be watched. */
function alarmCounts({ alarms }: MeshStatusJson): Sample[] {
  const counts = new Map<string, number>()
  for (const { code } of alarms) counts.set(code, (counts.get(code) ?? 0) + 1)
  return counts.size === 0 ? [[{ code: '' }, 0]] : [...counts].map(([code, count]) => [{ code }, count])
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
