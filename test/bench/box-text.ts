/** The configuration of a benchmark's box, as text: the shipped one for developers, with its places set. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { editUci } from '../../src/config/index.ts'
import type { UciEdit } from '../../src/config/index.ts'
import { TOWN } from '../support/netns.ts'

const DEV = fileURLToPath(new URL('../../configs/dev/meshbox', import.meta.url))

export interface BoxPlaces {
  readonly dataDir: string
  readonly gate?: 'nft' | 'record'
  readonly leaseSeconds?: number
  readonly leasesFile?: string
  readonly controlSocket?: string
}

export function boxText(places: BoxPlaces): string {
  const set = (section: string, option: string, value: string): UciEdit => ({ do: 'set-option', section: { name: section }, option, value })
  return editUci(readFileSync(DEV, 'utf8'), [
    set('main', 'data_dir', places.dataDir),
    set('main', 'control_socket', places.controlSocket ?? join(places.dataDir, 'control.sock')),
    set('main', 'log_level', 'info'),
    set('hotspot', 'gate', places.gate ?? 'nft'),
    set('hotspot', 'guest_interface', TOWN.guestInterface),
    set('hotspot', 'max_sessions', '4096'),
    set('hotspot', 'lease_seconds', String(places.leaseSeconds ?? 300)),
    set('hotspot', 'checkpoint_seconds', '5'),
    ...(places.leasesFile === undefined ? [] : [set('hotspot', 'dnsmasq_leases_file', places.leasesFile)]),
    { do: 'set-list', section: { name: 'hotspot' }, option: 'uplink_interfaces', values: [TOWN.wanInterface] },
  ])
}
