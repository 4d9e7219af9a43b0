/** A bundle of this tree in a folder of its own, and the service started from it: no hotspot, no network but loopback. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatUci } from '../../../src/config/index.ts'
import type { StatusJson } from '../../../src/owner/api/index.ts'
import { freePort } from '../../support/free-port.ts'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

export interface StartOptions {
  readonly node?: string
  readonly env?: Readonly<Record<string, string>>
  /** Goes before the program: Node's own arguments; the start script is then left out. */
  readonly nodeArguments?: readonly string[]
  /** Sent at the first line of the log, while the rooms are being started. */
  readonly earlySignal?: NodeJS.Signals
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'meshbox-bundle-'))
}

/** Runs the service of this bundle. `whenReady` is called once it is ready, then it is stopped; it may also end before. */
export async function runService(bundle: string, options: StartOptions = {}, whenReady: (box: BundledBox) => Promise<void> = async () => undefined): Promise<Ended> {
  const box = await BundledBox.create(bundle, options)
  try {
    return await box.run(whenReady)
  } finally {
    rmSync(box.dir, { recursive: true, force: true })
  }
}

export class BundledBox {
  readonly dir = temporaryFolder()
  readonly #bundle: string
  readonly #options: StartOptions

  private constructor(bundle: string, options: StartOptions) {
    this.#bundle = bundle
    this.#options = options
  }

  static async create(bundle: string, options: StartOptions): Promise<BundledBox> {
    const box = new BundledBox(bundle, options)
    mkdirSync(join(box.dir, 'data'), { mode: 0o700 })
    writeFileSync(
      join(box.dir, 'meshbox'),
      formatUci([
        { type: 'meshbox', name: 'main', options: { data_dir: join(box.dir, 'data'), control_socket: join(box.dir, 'control.sock'), log_style: 'syslog' } },
        { type: 'owner', name: 'owner', options: { address: '127.0.0.1', port: String(await freePort()) } },
      ]),
    )
    return box
  }

  async status(): Promise<StatusJson> {
    const asked = await this.#start('meshbox', ['--socket', join(this.dir, 'control.sock'), 'status', '--json']).ended
    return JSON.parse(asked.output) as StatusJson
  }

  async run(whenReady: (box: BundledBox) => Promise<void>): Promise<Ended> {
    const started = this.#start('meshboxd', ['--config', join(this.dir, 'meshbox')])
    let asked: Promise<void> | null = null
    let early = this.#options.earlySignal
    started.onOutput((output) => {
      if (early !== undefined && /\bstarting version=/.test(output)) {
        started.send(early)
        early = undefined
      }
      if (asked === null && /\bready sinceStartMs=/.test(output)) asked = whenReady(this).finally(() => this.#options.earlySignal !== 'SIGTERM' && started.send('SIGTERM'))
    })
    const ended = await started.ended
    await asked
    return ended
  }

  #start(program: string, args: readonly string[]): { readonly ended: Promise<Ended>; onOutput(heard: (output: string) => void): void; send(signal: NodeJS.Signals): void } {
    const { node = process.execPath, nodeArguments, env = {} } = this.#options
    const entry = { meshboxd: 'meshboxd.cjs', meshbox: 'meshbox-cli.cjs' }[program] ?? program
    const command = nodeArguments === undefined ? [join(this.#bundle, program)] : [node, ...nodeArguments, join(this.#bundle, entry)]
    const child = spawn(command[0] ?? '', [...command.slice(1), ...args], { env: { PATH: process.env['PATH'], MESHBOX_NODE: node, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let hear: (output: string) => void = () => undefined
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        hear(output)
      })
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve({ code, signal, output }))
    })
    return { ended, onOutput: (heard) => (hear = heard), send: (signal) => void child.kill(signal) }
  }
}
