/**
 * A folder laid out like OpenWrt's root, with busybox and the stand-ins of qemu/openwrt for uci and opkg, in which our
 * scripts run by their own absolute paths (chroot). The configuration files are those a fresh router has.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const STAND_IN = join(REPOSITORY, 'qemu/openwrt')

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class RouterRoot {
  readonly path = mkdtempSync(join(tmpdir(), 'meshbox-router-'))

  constructor() {
    for (const folder of ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'usr/lib/opkg/info', 'etc/config', 'etc/init.d', 'etc/opkg', 'tmp', 'dev', 'proc', 'var/lock', 'var/run'])
      mkdirSync(join(this.path, folder), { recursive: true })
    this.#addBusybox()
    for (const part of readdirSync(STAND_IN)) cpSync(join(STAND_IN, part), join(this.path, part), { recursive: true, verbatimSymlinks: true })
    // Plain files do for what runs here, and need no rights.
    writeFileSync(join(this.path, 'dev/null'), '')
    writeFileSync(join(this.path, 'dev/urandom'), randomBytes(4096))
    this.write('etc/passwd', 'root:x:0:0:root:/root:/bin/ash\ndnsmasq:x:453:453:dnsmasq:/var/run/dnsmasq:/bin/false\n')
    this.write('etc/group', 'root:x:0:\ndnsmasq:x:453:dnsmasq\n')
    this.write('etc/shadow', 'root:::0:99999:7:::\n')
    for (const [name, text] of Object.entries(FRESH)) this.write(`etc/config/${name}`, text)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true })
    writeFileSync(join(this.path, path), text)
    chmodSync(join(this.path, path), mode)
  }

  read(path: string): string {
    return readFileSync(join(this.path, path), 'utf8')
  }

  has(path: string): boolean {
    return existsSync(join(this.path, path))
  }

  /** All files of /etc/config, by name. */
  configs(): Record<string, string> {
    const folder = join(this.path, 'etc/config')
    return Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
  }

  /** Runs a line of shell inside. Without root, in a user namespace where this user is root. */
  run(line: string, env: Readonly<Record<string, string>> = {}): Ran {
    const chroot = ['chroot', this.path, '/bin/sh', '-c', line]
    const [program = '', ...args] = process.getuid?.() === 0 ? chroot : ['unshare', '--user', '--map-root-user', ...chroot]
    const done = spawnSync(program, args, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env } })
    if (done.error !== undefined) throw done.error
    return { code: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
  }

  /** Runs a script inside as a machine of its own: what it leaves running ends with it. Needs root. */
  live(script: string): Ran {
    const inside = `mount --bind '${this.path}' '${this.path}' && mount -t proc proc '${this.path}/proc' && exec chroot '${this.path}' /bin/sh -c "$1"`
    const done = spawnSync('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', inside, 'sh', script], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
    if (done.error !== undefined) throw done.error
    return { code: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
  }

  /** Runs and expects success. */
  must(line: string): string {
    const done = this.run(line)
    if (done.code !== 0) throw new Error(`${line}: exit ${done.code}\n${done.stdout}${done.stderr}`)
    return done.stdout
  }

  uci(path: string): string | null {
    const done = this.run(`uci -q get '${path}'`)
    return done.code === 0 ? done.stdout.replace(/\n$/, '') : null
  }

  /** A program of this machine with the libraries it needs. */
  addProgram(from: string, to: string): void {
    mkdirSync(join(this.path, dirname(to)), { recursive: true })
    copyFileSync(from, join(this.path, to))
    const libraries = spawnSync('ldd', [from], { encoding: 'utf8' }).stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)
    for (const [, library = ''] of libraries) {
      mkdirSync(join(this.path, dirname(library)), { recursive: true })
      copyFileSync(library, join(this.path, library))
    }
  }

  #addBusybox(): void {
    const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path))
    if (busybox === undefined) throw new Error('busybox is missing: apt-get install busybox')
    this.addProgram(busybox, 'bin/busybox')
    for (const applet of spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.split('\n'))
      if (applet !== '' && applet !== 'busybox' && applet !== 'uci') symlinkSync('/bin/busybox', join(this.path, 'bin', applet))
  }
}

/** What config_generate and the packages of OpenWrt 24.10 leave on a router with two radios, shortened. */
export const FRESH: Readonly<Record<string, string>> = {
  network: `
config interface 'loopback'
	option device 'lo'
	option proto 'static'
	list ipaddr '127.0.0.1/8'

config globals 'globals'
	option ula_prefix 'fd5c:91b5:3a3c::/48'

config device
	option name 'br-lan'
	option type 'bridge'
	list ports 'lan1'   # the owner's own comment
	list ports 'lan2'

config interface 'lan'
	option device 'br-lan'
	option proto 'static'
	option ipaddr '192.168.1.1'
	option netmask '255.255.255.0'
	option ip6assign '60'

config interface 'wan'
	option device 'wan'
	option proto 'dhcp'

config interface 'wan6'
	option device 'wan'
	option proto 'dhcpv6'
`,
  wireless: `
config wifi-device 'radio0'
	option type 'mac80211'
	option path 'platform/soc/18000000.wifi'
	option band '2g'
	option channel '1'
	option disabled '1'

config wifi-iface 'default_radio0'
	option device 'radio0'
	option network 'lan'
	option mode 'ap'
	option ssid 'OpenWrt'
	option encryption 'none'

config wifi-device 'radio1'
	option type 'mac80211'
	option path 'platform/soc/18000000.wifi+1'
	option band '5g'
	option channel '36'
	option disabled '1'

config wifi-iface 'default_radio1'
	option device 'radio1'
	option network 'lan'
	option mode 'ap'
	option ssid 'OpenWrt'
	option encryption 'none'
`,
  dhcp: `
config dnsmasq
	option domainneeded '1'
	option localise_queries '1'
	option rebind_protection '1'
	option leasefile '/tmp/dhcp.leases'

config dhcp 'lan'
	option interface 'lan'
	option start '100'
	option limit '150'
	option leasetime '12h'

config dhcp 'wan'
	option interface 'wan'
	option ignore '1'
`,
  firewall: `config defaults
	option syn_flood	1
	option input		REJECT
	option output		ACCEPT
	option forward		REJECT
	option flow_offloading	1

config zone
	option name		lan
	list   network		'lan'
	option input		ACCEPT
	option output		ACCEPT
	option forward		ACCEPT

config zone
	option name		wan
	list   network		'wan'
	list   network		'wan6'
	option input		REJECT
	option output		ACCEPT
	option forward		REJECT
	option masq		1

config forwarding
	option src		lan
	option dest		wan

# include a file with users custom iptables rules
config include
	option path /etc/firewall.user
`,
}
