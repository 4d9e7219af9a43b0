/**
 * The guest's root, a read-only squashfs: Debian's programs without their documentation, links to busybox for
 * everything else, Node from npm, OpenWrt's userland stand-in, and the files of guest/root. A program whose
 * library is missing stops the build.
 */
import { chmodSync, copyFileSync, cpSync, existsSync, globSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { npmTool } from '../../scripts/native/fetch.ts'
import { BuildError, run } from '../../scripts/native/run.ts'
import { DECLARED, UNWANTED, type Architecture } from './architectures.ts'
import type { DebianFiles } from './debian.ts'
import type { Kernel } from './kernel.ts'
import { GUEST_FILES, OPENWRT_FILES } from './places.ts'

const PROGRAM_FOLDERS = ['bin', 'sbin', 'usr/bin', 'usr/sbin']
/** Documentation, and what only Debian's own boot and users need. Patterns. */
const LEFT_OUT = [
  ...['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info', 'usr/share/lintian', 'usr/share/bug', 'usr/share/bash-completion'],
  ...['usr/share/zsh', 'usr/share/initramfs-tools', 'usr/share/gcc', 'usr/share/gdb', 'usr/lib/systemd', 'lib/systemd', 'lib/udev', 'usr/lib/tmpfiles.d'],
  ...['usr/share/metainfo', 'usr/share/dbus-1', 'usr/include', 'var', 'run', 'etc/init.d', 'etc/default', 'etc/cron.d', 'etc/network', 'etc/logrotate.d'],
  ...['etc/modprobe.d', 'etc/dbus-1', 'etc/ldap', 'etc/init', 'etc/systemd', 'etc/pam.d', 'etc/nftables.conf', 'usr/share/iproute2-doc'],
  // These want PAM; busybox has its own.
  ...['bin/su', 'bin/login', 'sbin/runuser', 'sbin/sulogin', 'sbin/agetty', 'sbin/getty', 'usr/bin/chfn', 'usr/bin/chsh'],
  // These want libraries that nothing else does.
  ...['usr/lib/*/tc/q_atm.so', 'usr/lib/*/sasl2', 'usr/sbin/arpd', 'sbin/arpd'],
]
const FOLDERS = ['dev', 'proc', 'sys', 'tmp', 'rom', 'overlay', 'host', 'root', 'mnt', 'etc', 'lib', 'usr/lib']
/** Where OpenWrt has them and the kernel looks. */
const SBIN_APPLETS = /^(init|halt|poweroff|reboot|ifconfig|route|udhcpc|hwclock|sysctl|mdev|getty|syslogd|klogd|start-stop-daemon|switch_root|pivot_root)$/

/** Fills the folder `root`. */
export async function layRoot(architecture: Architecture, debian: DebianFiles, kernel: Kernel, root: string): Promise<void> {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true })
  const wanted = debian.files.filter(({ name }) => !name.startsWith('linux-image-') && !architecture.apart.includes(name) && !UNWANTED.test(name))
  for (const file of wanted) await run('dpkg-deb', ['-x', join(debian.folder, file.file), root])
  for (const path of globSync(LEFT_OUT, { cwd: root })) rmSync(join(root, path), { recursive: true, force: true })
  cpSync(kernel.modules, root, { recursive: true })
  copyFileSync(join(await npmTool(architecture.node), 'bin/node'), join(root, 'usr/bin/node'))
  chmodSync(join(root, 'usr/bin/node'), 0o755)
  symlinkSync('tmp', join(root, 'var'))
  symlinkSync('tmp/run', join(root, 'run')) // Debian's programs look there; OpenWrt's use /var/run, the same place
  for (const files of [join(GUEST_FILES, 'root'), OPENWRT_FILES]) if (existsSync(files)) cpSync(files, root, { recursive: true, verbatimSymlinks: true })
  enableServices(root)
  linkBusybox(root)
  await tellOpkg(architecture, debian, kernel, root)
  await checkLibraries(root)
}

export async function packRoot(root: string, goal: string): Promise<void> {
  rmSync(goal, { force: true })
  // Not compressed: the emulated processor is the slow part.
  const plain = ['-noI', '-noD', '-noF', '-noX', '-no-xattrs', '-all-root', '-no-progress', '-quiet']
  await run('mksquashfs', [root, goal, ...plain], { ifMissing: 'install squashfs-tools', env: { SOURCE_DATE_EPOCH: '0' } })
}

/** Links in /etc/rc.d as `/etc/init.d/<name> enable` makes them. */
function enableServices(root: string): void {
  mkdirSync(join(root, 'etc/rc.d'), { recursive: true })
  for (const name of globSync('*', { cwd: join(root, 'etc/init.d') })) {
    const script = readFileSync(join(root, 'etc/init.d', name), 'utf8')
    for (const [word, letter] of [['START', 'S'], ['STOP', 'K']]) {
      const order = new RegExp(`^${word}=(\\d+)`, 'm').exec(script)?.[1]
      if (order !== undefined) symlinkSync(`../init.d/${name}`, join(root, 'etc/rc.d', `${letter}${order}${name}`))
    }
  }
}

/** What opkg is to know of the image: its architecture, and what is there that no ipk brought. */
async function tellOpkg(architecture: Architecture, debian: DebianFiles, kernel: Kernel, root: string): Promise<void> {
  const declare = join(OPENWRT_FILES, 'usr/sbin/opkg-declare')
  if (!existsSync(declare)) throw new BuildError(`${declare} is missing`)
  writeFileSync(join(root, 'etc/opkg.conf'), `dest root /\nlists_dir ext /var/opkg-lists\noption check_signature\narch all 1\narch noarch 1\narch ${architecture.openwrt} 10\n`)
  mkdirSync(join(root, 'etc/opkg/keys'), { recursive: true })
  writeFileSync(join(root, 'etc/opkg/customfeeds.conf'), '# add your custom package feeds here\n')
  const release = { ID: 'OpenWrt', RELEASE: '24.10', ARCH: architecture.openwrt, DESCRIPTION: 'Stand-in for OpenWrt 24.10, emulated' }
  writeFileSync(join(root, 'etc/openwrt_release'), Object.entries(release).map(([name, value]) => `DISTRIB_${name}='${value}'\n`).join(''))
  const versions = new Map([...debian.files.map(({ name, version }) => [name, version] as const), ['kernel', kernel.version], ['node', architecture.node.version], ['stand-in', '1']])
  for (const [name, from] of Object.entries(DECLARED)) {
    // Without epoch and Debian's revision.
    const version = versions.get(from)?.replace(/^\d+:/, '').replace(/-.*$/, '')
    if (version === undefined) throw new BuildError(`${name} is declared to come from ${from}, which is not in the image`)
    await run('sh', [declare, '-o', root, name, `${version}-r1`, ...(from === 'node' ? ['node'] : [])])
  }
}

/** A link for each applet that no real program provides. */
function linkBusybox(root: string): void {
  const present = new Set(PROGRAM_FOLDERS.flatMap((folder) => globSync('*', { cwd: join(root, folder) })))
  for (const applet of applets(readFileSync(join(root, 'bin/busybox')))) {
    if (present.has(applet)) continue
    const folder = SBIN_APPLETS.test(applet) ? 'sbin' : 'bin'
    symlinkSync(folder === 'bin' ? 'busybox' : '../bin/busybox', join(root, folder, applet))
  }
}

/** The program's own table of its names: sorted, each ended by a zero byte. It cannot be asked, it is of another machine. */
function applets(busybox: Buffer): string[] {
  const start = busybox.indexOf('\0[\0[[\0')
  if (start < 0) throw new BuildError('no table of applets found in busybox')
  const names: string[] = []
  for (let at = start + 1; ; ) {
    const end = busybox.indexOf(0, at)
    const name = busybox.toString('latin1', at, end)
    if (!/^[a-z0-9_.+[-]+$/.test(name) || (names.length > 0 && name <= (names.at(-1) as string))) break
    names.push(name)
    at = end + 1
  }
  for (const needed of ['ash', 'init', 'sh', 'mount', 'timeout', 'setsid']) if (!names.includes(needed)) throw new BuildError(`busybox has no applet ${needed}, or its table was misread`)
  return names
}

/** Every library that a program or library of the root asks for is there. */
async function checkLibraries(root: string): Promise<void> {
  const isElf = (path: string): boolean => {
    const state = lstatSync(path)
    return state.isFile() && state.size > 64 && readFileSync(path).subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))
  }
  const libraries = globSync(['lib/**/*.so*', 'usr/lib/**/*.so*'], { cwd: root })
  const there = new Set(libraries.map((path) => basename(path)))
  const files = [...libraries, ...PROGRAM_FOLDERS.flatMap((folder) => globSync(`${folder}/*`, { cwd: root }))].filter((path) => isElf(join(root, path)))
  const { stdout } = await run('readelf', ['-d', ...files], { cwd: root })
  const missing: string[] = []
  let file = ''
  for (const line of stdout.split('\n')) {
    file = /^File: (.*)$/.exec(line)?.[1] ?? file
    const needed = /\(NEEDED\).*\[(.*)\]/.exec(line)?.[1]
    if (needed !== undefined && !there.has(needed)) missing.push(`${file} wants ${needed}`)
  }
  if (missing.length > 0) throw new BuildError(`the root is not whole:\n${missing.join('\n')}`)
}
