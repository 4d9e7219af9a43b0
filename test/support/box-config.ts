/** The configuration of a box in the town, in the product's own format. */
import { formatUci, type PlainSection } from '../../src/config/index.ts'
import { TOWN } from './netns.ts'
import type { BoxFiles } from './town-services.ts'

export const PORTAL_HOST = 'wifi.meshbox.lan'
export const PORTAL = `http://${PORTAL_HOST}:2080/`

export interface BoxConfigChange {
  readonly main?: Readonly<Record<string, string>>
  readonly hotspot?: Readonly<Record<string, string | readonly string[]>>
  readonly tariff?: Readonly<Record<string, string>>
}

/** Packages: `short` 6 s, `long` 10 min, `pair` 10 min on two devices, `data` 2 MiB, `slow` 10 min at 2 Mbit/s. */
export function boxConfig(files: BoxFiles, change: BoxConfigChange = {}): string {
  const sell = (name: string, slot: number, options: Readonly<Record<string, string>>): PlainSection => ({ type: 'package', name, options: { slot: String(slot), label: `Package ${name}`, ...options } })
  return formatUci([
    {
      type: 'meshbox',
      name: 'main',
      options: { name: 'Town Box', data_dir: files.dataDir, control_socket: files.socket, log_level: 'debug', log_style: 'time', clock_trust: 'never', roles: ['hotspot'], ...change.main },
    },
    { type: 'token', name: 'token', options: { symbol: 'SMT', decimals: '18' } },
    {
      type: 'hotspot',
      name: 'hotspot',
      options: {
        gate: 'nft',
        guest_interface: TOWN.guestInterface,
        uplink_interfaces: [TOWN.wanInterface],
        portal_host: PORTAL_HOST,
        lease_seconds: '8',
        checkpoint_seconds: '2',
        port_pin_seconds: '5',
        guess_burst: '4',
        guess_seconds: '60',
        dnsmasq_leases_file: files.leases,
        dnsmasq_conf_dir: files.confDir,
        dnsmasq_options_file: files.optionsFile,
        dnsmasq_pid_file: files.pidFile,
        ...change.hotspot,
      },
    },
    { type: 'owner', name: 'owner', options: { address: '127.0.0.1', port: '2090' } },
    { type: 'tariff', name: 'tariff', options: { price_per_minute: '0.1', trial_minutes: '1', ...change.tariff } },
    sell('short', 0, { seconds: '6', price: '0.01' }),
    sell('long', 1, { seconds: '600', price: '1' }),
    sell('pair', 2, { seconds: '600', price: '2', devices: '2' }),
    sell('data', 3, { bytes: '2097152', price: '3' }),
    sell('slow', 4, { seconds: '600', price: '1', down_kbps: '2000', up_kbps: '1000' }),
    { type: 'share', name: 'investor', options: { role: 'investor', beneficiary: 'anna', parts_per_million: '333333' } },
  ])
}
