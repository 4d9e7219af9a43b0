/** configs/dev with the lab's folders and addresses. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { editUci, writeConfigFile, type UciEdit } from '../../src/config/index.ts'
import { TOWN } from '../../test/support/netns.ts'
import type { BoxFiles } from '../../test/support/town-services.ts'
import { STORY_SECONDS } from './story.ts'
import { ROOT } from './town.ts'

export const PASSWORD = 'meshbox-lab'
export const HOST = 'wifi.meshbox.lan'

export function writeConfig(files: BoxFiles, lab: { ownerAddress: string; gate: 'nft' | 'record' }): void {
  const set = (section: string, options: Readonly<Record<string, string>>): UciEdit[] =>
    Object.entries(options).map(([option, value]) => ({ do: 'set-option', section: { name: section }, option, value }))
  const edits: UciEdit[] = [
    ...set('main', { data_dir: files.dataDir, control_socket: files.socket }),
    ...set('token', { symbol: 'SMT' }),
    ...set('hotspot', { gate: lab.gate, portal_host: HOST }),
    ...set('owner', { address: lab.ownerAddress }),
    {
      do: 'add-section',
      section: { type: 'package', name: 'story', options: { slot: '15', label: `${STORY_SECONDS} seconds`, seconds: String(STORY_SECONDS), price: '0.05', offered: '0' } },
    },
  ]
  if (lab.gate === 'nft')
    edits.push(
      { do: 'set-list', section: { name: 'hotspot' }, option: 'uplink_interfaces', values: [TOWN.wanInterface] },
      ...set('hotspot', {
        guest_interface: TOWN.guestInterface,
        dnsmasq_leases_file: files.leases,
        dnsmasq_conf_dir: files.confDir,
        dnsmasq_options_file: files.optionsFile,
        dnsmasq_pid_file: files.pidFile,
      }),
    )
  writeConfigFile(files.config, editUci(readFileSync(join(ROOT, 'configs/dev/meshbox'), 'utf8'), edits))
}
