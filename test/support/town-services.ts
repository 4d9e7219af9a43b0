/**
 * What runs in the town: the Internet's servers, the box's dnsmasq, the guests' DHCP clients and the
 * bundled service itself. Shared by the end-to-end tests, the benchmarks and `make run`.
 */
import { type ChildProcess } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TOWN, type GuestHost, type Host, type RunResult, type Town } from './netns.ts'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
export const NODE = join(ROOT, 'node_modules/.bin/node')
/** MESHBOX_BUNDLE: a copy, for who does not want it made anew under his feet. */
const BUNDLE = process.env['MESHBOX_BUNDLE'] ?? join(ROOT, 'dist')
export const CLI = join(BUNDLE, 'meshbox')

/** Polls until `check` gives a value; throws with `what` after the time. */
export async function waitFor<T>(what: string, check: () => Promise<T | undefined | false | null> | T | undefined | false | null, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== false && value !== null) return value
    if (performance.now() > end) throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** Web, echo and DNS servers of the Internet namespace; every name resolves to it. */
export async function startInternet(town: Town, runtimeDir: string): Promise<void> {
  const server = town.internet.spawn(NODE, ['--disable-warning=ExperimentalWarning', join(ROOT, 'test/support/internet-server.ts')])
  await outputLine(server, 'ready')
  town.internet.spawn('dnsmasq', [
    '--no-daemon', '--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--pid-file=', '--user=root',
    `--address=/#/${TOWN.internet4}`, `--address=/#/${TOWN.internet6}`,
    `--log-facility=${join(runtimeDir, 'internet-dns.log')}`,
  ])
  town.internet.setResolver('127.0.0.1')
}

export interface BoxFiles {
  readonly dir: string
  readonly leases: string
  readonly confDir: string
  readonly optionsFile: string
  readonly pidFile: string
  readonly dataDir: string
  readonly socket: string
  readonly config: string
}

export function boxFiles(dir: string): BoxFiles {
  const files = {
    dir,
    leases: join(dir, 'dhcp.leases'),
    confDir: join(dir, 'dnsmasq.d'),
    optionsFile: join(dir, 'dhcp-options'),
    pidFile: join(dir, 'dnsmasq.pid'),
    dataDir: join(dir, 'data'),
    socket: join(dir, 'control.sock'),
    config: join(dir, 'meshbox'),
  }
  for (const folder of [dir, files.confDir, files.dataDir]) mkdirSync(folder, { recursive: true })
  if (!existsSync(files.leases)) writeFileSync(files.leases, '')
  if (!existsSync(files.optionsFile)) writeFileSync(files.optionsFile, '')
  return files
}

/** The box's DHCP, router advertisements and DNS for guests. Start the service first: it writes its snippet. */
export async function startBoxDnsmasq(town: Town, files: BoxFiles): Promise<ChildProcess> {
  const child = town.box.spawn('dnsmasq', [
    '--keep-in-foreground', '--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--user=root',
    `--interface=${TOWN.guestInterface}`, '--bind-dynamic', '--except-interface=lo',
    '--dhcp-range=10.77.0.50,10.77.0.250,255.255.255.0,1h', '--dhcp-authoritative', '--no-ping',
    `--dhcp-range=::,constructor:${TOWN.guestInterface},ra-only,64,1h`, '--enable-ra', `--ra-param=${TOWN.guestInterface},4,600`,
    `--dhcp-leasefile=${files.leases}`, `--dhcp-optsfile=${files.optionsFile}`, `--conf-dir=${files.confDir},*.conf`,
    `--server=${TOWN.internet4}`, `--pid-file=${files.pidFile}`, `--log-facility=${join(files.dir, 'dnsmasq.log')}`,
  ])
  await waitFor('dnsmasq on the box', () => existsSync(files.pidFile) && readFileSync(files.pidFile, 'utf8').trim() !== '')
  return child
}

/** The guest asks for an address as a phone does; resolves with what it got. */
export async function dhcp(guest: GuestHost, files: BoxFiles): Promise<{ ip4: string; options: string }> {
  const script = join(files.dir, 'udhcpc.sh')
  if (!existsSync(script)) {
    writeFileSync(
      script,
      '#!/bin/sh\n[ "$1" = bound ] || [ "$1" = renew ] || exit 0\nip addr replace "$ip/$mask" dev "$interface"\nip route replace default via "${router%% *}" dev "$interface"\nenv | sort > "$0.$interface.$(cat /sys/class/net/$interface/address | tr -d :)"\n',
    )
    chmodSync(script, 0o755)
  }
  guest.ns.setResolver(TOWN.box4)
  const result = await guest.ns.run('busybox', ['udhcpc', '-i', 'eth0', '-s', script, '-n', '-q', '-f', '-t', '10', '-T', '1', '-O', '114', '-x', `hostname:phone${guest.index}`])
  if (result.code !== 0) throw new Error(`guest ${guest.index} got no address by DHCP: ${result.stderr}`)
  const options = readFileSync(`${script}.eth0.${guest.mac.replaceAll(':', '')}`, 'utf8')
  return { ip4: /^ip=(.*)$/m.exec(options)?.[1] ?? '', options }
}

/** Waits for the guest's own IPv6 address from the router advertisement. */
export function slaac(guest: GuestHost): Promise<string> {
  return waitFor(`a router advertisement at guest ${guest.index}`, async () => /inet6 (2001:db8:77:[0-9a-f:]+)\//.exec(await guest.ns.ip('-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'global'))?.[1])
}

export interface Service {
  readonly process: ChildProcess
  readonly files: BoxFiles
  log(): string
  /** SIGTERM and wait. */
  stop(): Promise<void>
  /** SIGKILL and wait: a crash. */
  crash(): Promise<void>
  /** The command line, inside the box. */
  cli(...args: string[]): Promise<RunResult>
  cliJson<T>(...args: string[]): Promise<T>
}

/** On a machine with twenty others at work a start takes half a minute. */
const START_MS = 150_000

/** A copy of the bundle: who runs it for minutes does not see it made anew meanwhile. */
export function copyOfBundle(folder: string): string {
  cpSync(BUNDLE, folder, { recursive: true })
  return folder
}

/** The bundled service in a namespace (or on this machine), as procd would start it; resolves when it is ready. */
export async function startService(host: Host, files: BoxFiles, env: NodeJS.ProcessEnv = {}, bundle = BUNDLE): Promise<Service> {
  let log = ''
  const environment = { ...process.env, MESHBOX_NODE: NODE, ...env }
  const child = host.spawn(join(bundle, 'meshboxd'), ['--config', files.config], { env: environment })
  child.stdout?.on('data', (chunk: Buffer) => { log = (log + chunk.toString()).slice(-200_000) })
  child.stderr?.on('data', (chunk: Buffer) => { log = (log + chunk.toString()).slice(-200_000) })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await waitFor(
    'the service to be ready',
    () => {
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}:\n${log.slice(-4000)}`)
      return log.includes('ready')
    },
    START_MS,
  ).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const cli = (...args: string[]): Promise<RunResult> => host.run(join(bundle, 'meshbox'), ['--socket', files.socket, ...args], { env: { MESHBOX_NODE: NODE } })
  return {
    process: child,
    files,
    log: () => log,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
    async crash() {
      // `ip netns exec` replaces itself by the program, so this pid is the service.
      child.kill('SIGKILL')
      await ended
    },
    cli,
    async cliJson<T>(...args: string[]): Promise<T> {
      const result = await cli('--json', ...args)
      if (result.code !== 0) throw new Error(`meshbox ${args.join(' ')}: ${result.stderr || result.stdout}`)
      return JSON.parse(result.stdout) as T
    },
  }
}

/** One request over a Unix socket, for what the command line does not offer. */
export function socketRequest(socketPath: string, method: string, path: string, body?: unknown): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers: body === undefined ? {} : { 'content-type': 'application/json' } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => { text += chunk })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function outputLine(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString()
      if (seen.includes(text)) resolve()
    }
    child.stdout?.on('data', onData)
    child.stderr?.on('data', onData)
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${seen.slice(-2000)}`)))
  })
}
