/** An access point and a station on emulated radios (mac80211_hwsim), each in a network namespace. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWifi } from '../../../src/native/index.ts'
import type { GenetlinkDoor, WifiStationEvent } from '../../../src/native/index.ts'
import type { Checks } from './checks.ts'
import { run, runAnyway } from './line.ts'
import type { Recorder } from './recorder.ts'

const SSID = 'meshbox-guest'
const HOSTAPD = `interface=ap0\ndriver=nl80211\nssid=${SSID}\nhw_mode=g\nchannel=1\nauth_algs=1\nwpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=a-long-passphrase\n`
const SUPPLICANT = `network={\n ssid="${SSID}"\n psk="a-long-passphrase"\n scan_freq=2412\n}\n`

export async function checkWifi(door: GenetlinkDoor, checks: Checks, recorder: Recorder): Promise<void> {
  const before = new Set(radios())
  try {
    run('modprobe', 'mac80211_hwsim', 'radios=2')
  } catch (error) {
    checks.add('mac80211_hwsim can be loaded', false, String(error))
    return
  }
  const made = radios().filter((radio) => !before.has(radio))
  const folder = mkdtempSync(join(tmpdir(), 'genetlink-wifi-'))
  const names = { ap: `gnl${process.pid}ap`, station: `gnl${process.pid}st` }
  const children: ChildProcess[] = []
  const start = (namespace: string, ...command: string[]): ChildProcess => {
    const child = spawn('ip', ['netns', 'exec', namespace, ...command], { stdio: 'ignore' })
    children.push(child)
    return child
  }
  try {
    for (const [index, [namespace, link]] of [[names.ap, 'ap0'] as const, [names.station, 'sta0'] as const].entries()) {
      run('ip', 'netns', 'add', namespace)
      run('iw', 'phy', made[index] ?? '', 'set', 'netns', 'name', namespace)
      const [radioLink = ''] = run('ip', 'netns', 'exec', namespace, 'ls', '/sys/class/net').split('\n').filter((name) => name.startsWith('wlan'))
      run('ip', '-n', namespace, 'link', 'set', radioLink, 'name', link)
      run('ip', '-n', namespace, 'link', 'set', 'lo', 'up')
      run('ip', '-n', namespace, 'address', 'add', `10.78.0.${index + 1}/24`, 'dev', link)
    }
    writeFileSync(join(folder, 'hostapd.conf'), HOSTAPD)
    writeFileSync(join(folder, 'supplicant.conf'), SUPPLICANT)
    const netlink = await door.open({ namespacePath: `/run/netns/${names.ap}` })
    try {
      const wifi = createWifi(recorder.over(netlink, 'wifi ap'))
      const events: WifiStationEvent[] = []
      const stop = await wifi.watchStations({ onEvent: (event) => events.push(event), onLost: () => checks.add('no event of Wi-Fi is lost', false, 'lost') })

      start(names.ap, 'hostapd', join(folder, 'hostapd.conf'))
      const [ap] = await checks.until('the access point is up', () => wifi.interfaces(), ([first]) => first?.type === 'ap' && first.ssid !== null && first.frequencyMhz !== null)
      const ssid = ap?.ssid ?? null
      checks.equal('access point: name, SSID, channel', [ap?.interfaceName, ssid === null ? null : Buffer.from(ssid).toString(), ap?.frequencyMhz, ap?.channelWidthMhz], ['ap0', SSID, 2412, 20])
      checks.equal('access point: address', ap?.address, addressOf(names.ap, 'ap0'))
      checks.equal('an access point without stations', await wifi.stations('ap0'), [])

      const station = addressOf(names.station, 'sta0')
      const supplicant = start(names.station, 'wpa_supplicant', '-D', 'nl80211', '-i', 'sta0', '-c', join(folder, 'supplicant.conf'))
      await checks.until('a new station is an event', () => events, (list) => list.some(({ kind, station: { address } }) => kind === 'new' && address === station))
      await checks.until('the station becomes authorized', () => wifi.stations('ap0'), ([first]) => first?.isAuthorized === true)
      run('ip', 'netns', 'exec', names.station, 'ping', '-c', '5', '-i', '0.2', '-w', '60', '10.78.0.1')
      const [seen] = await wifi.stations('ap0')
      const said = run('ip', 'netns', 'exec', names.ap, 'iw', 'dev', 'ap0', 'station', 'dump')
      const saidNumber = (label: string): number => Number(new RegExp(`${label}:\\s+(-?\\d+)`).exec(said)?.[1])
      checks.add('station: address and bytes as iw reads them', seen?.address === station && (seen.rxBytes ?? 0) > 500 && saidNumber('rx bytes') >= (seen.rxBytes ?? 0) && saidNumber('rx bytes') < (seen.rxBytes ?? 0) + 5000, { seen, said })
      checks.add('station: packets, signal, rates, times', seen !== undefined && [seen.rxPackets, seen.txPackets, seen.txBytes, seen.connectedSeconds, seen.inactiveMs].every((value) => value !== null) && (seen.signalDbm ?? 0) < 0 && (seen.rxBitrateKbit ?? 0) > 0 && (seen.txBitrateKbit ?? 0) > 0, { seen, said })
      checks.equal('station: signal as iw reads it', seen?.signalDbm, saidNumber('signal'))
      checks.equal('station: associated and authenticated', [seen?.isAssociated, seen?.isAuthenticated], [true, true])

      supplicant.kill('SIGTERM')
      await checks.until('a station that leaves is an event', () => events, (list) => list.some(({ kind, station: { address } }) => kind === 'deleted' && address === station))
      stop()
      await checks.refuses('stations of an interface that is not there', 'no-interface', wifi.stations('ap9'))
      await checks.refuses('stations of an interface that is no Wi-Fi', 'no-wifi-interface', wifi.stations('lo'))
    } finally {
      netlink.close()
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    for (const namespace of Object.values(names)) runAnyway('ip', 'netns', 'del', namespace)
    runAnyway('modprobe', '-r', 'mac80211_hwsim')
    rmSync(folder, { recursive: true, force: true })
  }
}

const radios = (): string[] => {
  try {
    return readdirSync('/sys/class/ieee80211')
  } catch {
    return [] // without Wi-Fi in the kernel the folder is missing
  }
}

const addressOf = (namespace: string, link: string): string => run('ip', 'netns', 'exec', namespace, 'cat', `/sys/class/net/${link}/address`).trim()
