/**
 * The first boot of an image, as far as its configuration goes: the package's script and the image's, run as OpenWrt runs
 * first-boot scripts, in a root of busybox and the stand-in for OpenWrt's userland (qemu/openwrt). Needs root, for chroot.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')
const CONFIGS = {
  system: "config system\n\toption hostname 'OpenWrt'\n\toption timezone 'UTC'\n",
  network: "config interface 'lan'\n\toption device 'br-lan'\n\toption proto 'static'\n\toption ipaddr '192.168.1.1'\n\toption netmask '255.255.255.0'\n\nconfig interface 'wan'\n\toption device 'eth1'\n\toption proto 'dhcp'\n",
  dhcp: "config dnsmasq\n\toption domain 'lan'\n",
  firewall: "config defaults\n\toption input 'REJECT'\n\nconfig zone\n\toption name 'lan'\n\tlist network 'lan'\n\nconfig zone\n\toption name 'wan'\n\tlist network 'wan'\n",
}
const radio = (number: number): string =>
  `config wifi-device 'radio${number}'\n\toption type 'mac80211'\n\toption band '${number === 0 ? '2g' : '5g'}'\n\toption disabled '1'\n\nconfig wifi-iface 'default_radio${number}'\n\toption device 'radio${number}'\n\toption network 'lan'\n\toption mode 'ap'\n\toption ssid 'OpenWrt'\n\toption encryption 'none'\n\n`
const WIRELESS = radio(0) + radio(1)

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meshbox-first-boot-'))
  for (const folder of ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'tmp', 'etc/config', 'etc/uci-defaults', 'etc/init.d', 'lib', 'var/run', 'proc', 'dev']) mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'dev/null'), '')
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim()
  put('/bin/busybox', busybox)
  // Debian's busybox is linked dynamically: its libraries come along.
  for (const library of execFileSync('ldd', [busybox], { encoding: 'utf8' }).match(/\/\S+/g) ?? []) put(library, library)
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet))
  cpSync(join(ROOT, 'qemu/openwrt'), root, { recursive: true })
  put('/usr/lib/meshbox/setup', join(ROOT, 'openwrt-feed/meshbox/files/usr/lib/meshbox/setup'))
  put('/etc/config/meshbox', join(ROOT, 'openwrt-feed/meshbox/files/etc/config/meshbox'))
  for (const [name, text] of Object.entries(CONFIGS)) write(`/etc/config/${name}`, text)
  write('/sbin/wifi', `#!/bin/sh\n[ "$1" = config ] && [ -e /radios ] && cat /radios > /etc/config/wireless\n`, 0o755)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(path: string, from: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  copyFileSync(from, join(root, path))
}
function write(path: string, text: string, mode = 0o644): void {
  writeFileSync(join(root, path), text)
  chmodSync(join(root, path), mode)
}
const read = (path: string): string => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '')
const configs = (): Record<string, string> => Object.fromEntries(['system', 'network', 'wireless', 'dhcp', 'firewall', 'meshbox'].map((name) => [name, read(`/etc/config/${name}`)]))

/** As uci_apply_defaults of OpenWrt's functions.sh: each is sourced, and deleted when it ends well. */
function boot(): void {
  put('/etc/uci-defaults/90-meshbox', join(ROOT, 'openwrt-feed/meshbox/files/etc/uci-defaults/90-meshbox'))
  cpSync(join(ROOT, 'firmware/files'), root, { recursive: true })
  const done = spawnSync('chroot', [root, '/bin/sh', '-c', 'cd /etc/uci-defaults && for file in *; do ( . "./$file" ) && rm -f "$file"; done; uci commit; ls'], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
  expect([done.stdout, done.status], done.stderr).toEqual(['', 0])
}
function get(option: string): string {
  return spawnSync('chroot', [root, '/sbin/uci', '-q', 'get', option], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }).stdout.trim()
}

describe.each([
  ['radios known before the scripts run', true],
  ['radios found by the script', false],
])('%s', (_name, early) => {
  beforeEach(() => write(early ? '/etc/config/wireless' : '/radios', WIRELESS))

  it('puts the guests on the air and nothing else, and the dashboard on the owner\'s network', () => {
    boot()
    expect(get('system.@system[0].hostname')).toBe('MeshBox')
    for (const name of ['radio0', 'radio1']) {
      expect(get(`wireless.${name}.disabled`)).toBe('0')
      expect(get(`wireless.default_${name}.disabled`)).toBe('1')
      expect(get(`wireless.meshbox_${name}.network`)).toBe('guest')
      expect(get(`wireless.meshbox_${name}.isolate`)).toBe('1')
      expect(get(`wireless.meshbox_${name}.disabled`)).not.toBe('1')
    }
    expect(get('wireless.meshbox_mesh.disabled')).toBe('1')
    expect(get('meshbox.owner.address')).toBe('192.168.1.1')
    expect(get('meshbox.hotspot.guest_interface')).toBe('br-guest')
  })

  it('changes nothing when it runs again, as after an upgrade', () => {
    boot()
    const once = configs()
    boot()
    expect(configs()).toEqual(once)
  })

  it('leaves alone what an owner has set', () => {
    boot()
    for (const change of ['system.@system[0].hostname=cafe', 'wireless.radio1.disabled=1', 'wireless.default_radio0.ssid=Office', 'wireless.default_radio0.encryption=sae', 'wireless.default_radio0.disabled=0'])
      spawnSync('chroot', [root, '/sbin/uci', 'set', change], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
    spawnSync('chroot', [root, '/sbin/uci', 'commit'], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
    const mine = configs()
    boot()
    expect(configs()).toEqual(mine)
  })
})

it('is quiet on a machine without radios', () => {
  boot()
  expect(read('/etc/config/wireless')).toBe('')
  expect(get('meshbox.owner.address')).toBe('192.168.1.1')
  const once = configs()
  boot()
  expect(configs()).toEqual(once)
})
