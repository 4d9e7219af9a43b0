/**
 * The emulated router with our package on it: packs the ipk, installs it as an owner would, waits for the
 * service, asks it things. Used by `make qemu`, the tests and the benchmark.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { BuildError, run } from '../scripts/native/run.ts'
import { imageOf, type Image } from './image.ts'
import { architectureNamed, type Architecture } from './image/architectures.ts'
import { keyOf, QEMU_BUILD, ROOT, say } from './image/places.ts'
import { makeOverlay } from './runner/disk.ts'
import { Machine, type MachineOptions } from './runner/machine.ts'

export const CONTROL_SOCKET = '/var/run/meshbox.sock'
export const OWNER_PASSWORD = 'emulated-box-owner'
/** The router's own addresses, as OpenWrt's and our package's defaults make them. */
export const LAN_ADDRESS = '192.168.1.1'
export const DASHBOARD_PORT = 2090
export const PORTAL_PORT = 2080
/** By these the guest's boot script (guest/root/usr/libexec/guest/boot) knows which network card is which port. */
export const LAN_CARD = '52:54:00:6d:62:00'
export const WAN_CARD = '52:54:00:6d:62:01'
export const GUEST_CARD = '52:54:00:6d:62:02'
/** The wan port as a network of the emulator's own: DHCP, and this machine's 127.0.0.1 under one address. */
export const WAN_NETWORK = ['-netdev', 'user,id=wan', '-device', `virtio-net-device,netdev=wan,mac=${WAN_CARD}`]
export const HOST_ADDRESS = '10.0.2.2'
/** The visitor's card: this machine reaches its SOCKS5 server by a forwarded port, and nothing else leads out that way. */
const VISITOR_ADDRESS = '10.0.9.15'
export const visitorNetwork = (port: number): readonly string[] => [
  ...['-netdev', `user,id=visitor,net=10.0.9.0/24,restrict=on,hostfwd=tcp:127.0.0.1:${port}-${VISITOR_ADDRESS}:1080`],
  ...['-device', `virtio-net-device,netdev=visitor,mac=${GUEST_CARD}`],
]
export const PORTAL_HOST = 'wifi.meshbox.lan'
/** The service starts on an emulated processor, maybe beside another emulator on a busy machine. Bounds, not measures. */
const READY_SECONDS = 420
const INSTALL_SECONDS = 420
/** Native parts for the C library of each image's Node. */
const TARGETS: Readonly<Record<Architecture['name'], string>> = { arm64: 'arm64-gnu', armhf: 'armv7-gnu' }

/** The same package as long as what is in it is the same. */
const PACKED_AT = '1767225600'

export interface Package {
  readonly file: string
  readonly version: string
}

/** Packs the service for the image; what is up to date of its native parts is not compiled again. */
export function packageFor(architecture: Architecture, version?: string): Package {
  const out = join(QEMU_BUILD, `packages${version === undefined ? '' : `-${version}`}`)
  const args = ['scripts/ipk.ts', '--arch', architecture.openwrt, '--target', TARGETS[architecture.name], '--out', out, '--epoch', PACKED_AT, ...(version === undefined ? [] : ['--version', version])]
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })
  const file = globSync('meshbox_*.ipk', { cwd: join(out, architecture.openwrt) })
    .map((name) => join(out, architecture.openwrt, name))
    .find((path) => version === undefined || path.includes(`_${version}_`))
  if (file === undefined) throw new BuildError(`scripts/ipk.ts made no package in ${out}/${architecture.openwrt}`)
  return { file, version: basename(file).split('_')[1] as string }
}

export class Router {
  readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  static async boot(options: MachineOptions): Promise<Router> {
    return new Router(await Machine.boot(options))
  }

  /** As the owner does it: the file is there, `opkg install`. */
  async install(file: string, ...options: string[]): Promise<string> {
    copyFileSync(file, join(this.machine.share, basename(file)))
    return this.machine.sh(`opkg ${options.join(' ')} install /host/${basename(file)} 2>&1`, INSTALL_SECONDS)
  }

  /** Waits until the service answers; gives the guest's seconds since its kernel started. */
  async ready(): Promise<number> {
    // Before there is a socket nobody need be asked: each curl takes from an emulated processor what the service needs to start.
    const script = `until [ -S ${CONTROL_SOCKET} ] && curl -sf --max-time 20 --unix-socket ${CONTROL_SOCKET} http://box/api/status > /dev/null 2>&1; do sleep 0.2; done; cut -d' ' -f1 /proc/uptime`
    const { code, stdout } = await this.machine.exec(script, READY_SECONDS)
    if (code === 0) return Number(stdout)
    throw new Error(`the service did not answer within ${READY_SECONDS} s:\n${(await this.machine.exec('logread | tail -n 60; ps | grep -v "\\["')).stdout}`)
  }

  /** Over the control socket. Throws on any status but 200. */
  async owner<T>(method: string, path: string, body?: unknown): Promise<T> {
    const sent = body === undefined ? '' : `-H 'content-type: application/json' -d '${JSON.stringify(body).replaceAll("'", `'\\''`)}'`
    const stdout = await this.machine.sh(`curl -s --max-time 60 -w '\\n%{http_code}' -X ${method} ${sent} --unix-socket ${CONTROL_SOCKET} 'http://box${path}'`)
    const at = stdout.lastIndexOf('\n')
    if (stdout.slice(at + 1) !== '200') throw new Error(`${method} ${path}: ${stdout}`)
    return JSON.parse(stdout.slice(0, at)) as T
  }

  /** `meshbox … --json`, as an owner on the router's console. */
  async cli<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.machine.sh(`meshbox ${args.join(' ')} --json`)) as T
  }

  /** The bridge that the package made for guests, and the router's address on it with its length. */
  async guestBridge(): Promise<{ name: string; address: string }> {
    const name = (await this.machine.sh('uci get meshbox.hotspot.guest_interface')).trim()
    const address = /inet (\S+)/.exec(await this.machine.sh(`ip -4 addr show dev ${name}`))?.[1]
    if (address === undefined) throw new Error(`${name} has no address`)
    return { name, address }
  }

  /** Plugs a guest in whom programs of this machine can be, by the SOCKS5 port of visitorNetwork; gives its leased address. */
  async plugVisitor(): Promise<string> {
    const { name } = await this.guestBridge()
    const job = this.machine.start(`exec /usr/libexec/guest/visitor ${name} ${VISITOR_ADDRESS}/24`, 86_400)
    let failed = ''
    void job.finished.then(({ code, stderr }) => (failed = `the visitor ended with ${code}: ${stderr}`), (error: unknown) => (failed = String(error)))
    for (;;) {
      const address = existsSync(job.stdoutFile) ? /^([\d.]+)\n/.exec(readFileSync(job.stdoutFile, 'utf8'))?.[1] : undefined
      if (address !== undefined) return address
      if (failed !== '') throw new Error(failed)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** test/qemu/guest/town.sh: namespaces on the router's ports. */
  async town(command: string): Promise<void> {
    copyFileSync(join(ROOT, 'test/qemu/guest/town.sh'), join(this.machine.share, 'town.sh'))
    await this.machine.sh(`sh /host/town.sh ${command}`)
  }

  /** The first-run wizard through the dashboard's door, from the box itself. */
  async setUp(): Promise<void> {
    const { setupCode } = await this.owner<{ setupCode: string }>('GET', '/api/console-status')
    const request = { setupCode, name: 'Emulated Box', minutesPerToken: 10, password: OWNER_PASSWORD, packages: 'cafe' }
    const door = `http://${LAN_ADDRESS}:${DASHBOARD_PORT}`
    const status = await this.machine.sh(`curl -s --max-time 60 -o /tmp/setup.answer -w '%{http_code}' -H 'origin: ${door}' -H 'content-type: application/json' -d '${JSON.stringify(request)}' ${door}/api/setup`)
    if (status !== '200') throw new Error(`the wizard answered ${status}: ${await this.machine.sh('cat /tmp/setup.answer')}`)
  }
}

export interface Prepared {
  readonly image: Image
  readonly package: Package
  /** An overlay with the package installed, its owner set, its compile cache warm, shut down in order. Copy it. */
  readonly overlay: string
}

/** Made once for each image and package. */
export async function prepared(name: Architecture['name'] = 'arm64'): Promise<Prepared> {
  const image = await imageOf(architectureNamed(name))
  const ipk = packageFor(image.architecture)
  const prefix = `prepared-${name}-`
  const file = `${prefix}${keyOf(basename(dirname(image.root)), readFileSync(ipk.file, 'latin1'), readFileSync(join(ROOT, 'qemu/router.ts'), 'utf8'))}.img`
  const overlay = join(QEMU_BUILD, file)
  for (const old of readdirSync(QEMU_BUILD)) if (old.startsWith(prefix) && old !== file) rmSync(join(QEMU_BUILD, old), { force: true })
  if (!existsSync(overlay)) await prepare(image, ipk, overlay)
  return { image, package: ipk, overlay }
}

async function prepare(image: Image, ipk: Package, overlay: string): Promise<void> {
  say(`${image.architecture.name}: a router with ${basename(ipk.file)}, once for each package (half a minute on a quiet machine)`)
  mkdirSync(QEMU_BUILD, { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
  const draft = `${overlay}.${process.pid}.part`
  try {
    await makeOverlay(draft)
    const router = await Router.boot({ image, folder, overlay: draft })
    try {
      say(`${image.architecture.name}: booted, opkg install`)
      await router.install(ipk.file)
      say(`${image.architecture.name}: installed, the service starts for the first time`)
      await router.ready()
      await router.setUp()
      await router.machine.powerOff()
    } finally {
      await router.machine.cut()
    }
    renameSync(draft, overlay)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(draft, { force: true })
  }
}

/** A copy to write on; sparse as the original. */
export async function copyOverlay(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', '--reflink=auto', from, to])
}
