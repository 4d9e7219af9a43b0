/** The whole service as a process, from what is bundled of it: started, killed, started again; asked over its control socket as the command line does. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { server } from '../../../scripts/bundle/programs.ts'
import { addonPath, buildNative } from '../../../scripts/native.ts'
import { SQLITE_ADDON } from '../../../scripts/native/sqlite.ts'
import { ControlClient } from '../../../src/cli/control-client.ts'

const PAGES = ['index.html', 'dashboard.js', 'dashboard-shared.js', 'dashboard-seldom.js', 'dashboard.css', 'dashboard.svg']

/** In a folder of its own: what a box with the role `iot` loads. */
export async function bundleService(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-iot-'))
  // Started by root, mosquitto and the codecs' process become others, who must get through.
  chmodSync(folder, 0o755)
  await Promise.all([
    build({ ...server, entryPoints: ['src/main.ts'], outfile: join(folder, 'service.cjs') }),
    build({ ...server, entryPoints: ['src/main/mqtt-file.ts'], outfile: join(folder, 'mqtt.cjs') }),
    build({ ...server, entryPoints: ['src/iot/codecs/io/codec-child.ts'], outfile: join(folder, 'codec.cjs') }),
  ])
  mkdirSync(join(folder, 'web'))
  for (const page of PAGES) writeFileSync(join(folder, 'web', page), '')
  mkdirSync(join(folder, 'native'))
  await buildNative('host', () => undefined, { only: [SQLITE_ADDON] })
  symlinkSync(addonPath('host', SQLITE_ADDON), join(folder, `native/${SQLITE_ADDON}.node`))
  return folder
}

export class Service {
  readonly client: ControlClient
  readonly #folder: string
  readonly #config: string
  readonly #data: string
  #process: ChildProcess | null = null
  log = ''

  constructor(folder: string, name: string, configOf: (data: string, socket: string) => string) {
    this.#folder = folder
    this.#data = join(folder, name)
    mkdirSync(this.#data)
    this.#config = join(this.#data, 'meshbox.conf')
    const socket = join(folder, `${name}.sock`)
    writeFileSync(this.#config, configOf(this.#data, socket))
    this.client = new ControlClient(socket)
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.log = ''
    const started = spawn(process.execPath, [join(this.#folder, 'service.cjs'), '--config', this.#config], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    this.#process = started
    await new Promise<void>((resolve, reject) => {
      const hear = (text: string): void => {
        this.log += text
        if (this.log.includes('meshbox: ready')) resolve()
      }
      started.stdout.setEncoding('utf8').on('data', hear)
      started.stderr.setEncoding('utf8').on('data', hear)
      started.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${this.log}`)))
    })
  }

  /** As a power cut. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = this.#process
    this.#process = null
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()))
    running.kill(signal)
    await ended
  }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

const MOST_MS = 60_000

/** Looks again until it is so. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false> | T | null | undefined | false): Promise<T> {
  const end = performance.now() + MOST_MS
  for (;;) {
    const seen = await look()
    if (seen !== null && seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`not within ${MOST_MS} ms: ${what}`)
    await new Promise((again) => setTimeout(again, 50))
  }
}
