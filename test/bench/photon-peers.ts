/** Processes of the payment benchmark: bundled as on a box, spoken to by lines. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { build } from 'esbuild'
import { peer } from '../../scripts/bundle/programs.ts'
import { MALLOC_ENVIRONMENT, V8_FLAGS } from '../../scripts/bundle/start-scripts.ts'
import { addonPath, buildNative } from '../../scripts/native.ts'
import type { Figures, PayResult, PeerOrder, PeerTask, Primitives } from './workers/photon-peer.ts'

export interface PeerProgram {
  readonly file: string
  readonly sqliteBinding: string
}

/** `dir`: where the bundle goes. */
export async function bundlePeer(dir: string, say: (line: string) => void): Promise<PeerProgram> {
  await buildNative('host', say)
  const file = join(dir, 'photon-peer.cjs')
  await build({ ...peer, entryPoints: ['test/bench/workers/photon-peer.ts'], outfile: file })
  const sqliteBinding = join(dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')), `prebuilds/linux-${process.arch}.node`)
  return { file, sqliteBinding }
}

export interface PeerSettings extends Pick<PeerTask, 'key' | 'partners' | 'route' | 'transport'> {
  /** Below it, a new folder for the file. */
  readonly base: string
  readonly isNoble?: boolean
  /** Where strace notes the calls that write to the disk and wait for it. */
  readonly syncLog?: string
  /** With the flags and the environment of a box's service: with Node's own, V8 doubles its young generation twice in the first 80,000 payments. */
  readonly isAsOnBox?: boolean
}

export class Peer {
  readonly settings: PeerSettings
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  #address = ''

  private constructor(settings: PeerSettings, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.settings = settings
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static async start(program: PeerProgram, settings: PeerSettings): Promise<Peer> {
    const { base, key, partners, route, transport, isAsOnBox = false } = settings
    const task: PeerTask = { key, partners, route, transport, dir: mkdtempSync(join(base, `peer-${key}-`)), secp256k1Path: settings.isNoble === true ? null : addonPath('host', 'secp256k1'), sqliteBinding: program.sqliteBinding }
    const words = [process.execPath, ...(isAsOnBox ? V8_FLAGS : []), program.file, JSON.stringify(task)]
    const traced = settings.syncLog === undefined ? words : ['strace', '-f', '-qq', '-s', '0', '-e', 'trace=fsync,fdatasync,pwrite64', '-o', settings.syncLog, ...words]
    const peer = new Peer(settings, spawn(traced[0] ?? '', traced.slice(1), { env: { ...process.env, ...(isAsOnBox ? MALLOC_ENVIRONMENT : {}) }, stdio: ['pipe', 'pipe', 'inherit'] }))
    peer.#address = (await peer.#next<{ address: string }>()).address
    return peer
  }

  async dial(other: Peer, hasChannel: boolean): Promise<void> {
    await this.#ask({ do: 'dial', address: other.#address, partner: hasChannel ? other.settings.key : null })
  }

  pay(kind: 'direct' | 'locked', window: number, count: number): Promise<PayResult> {
    return this.#ask({ do: 'pay', kind, window, count })
  }

  figures(): Promise<Figures> {
    return this.#ask({ do: 'figures' })
  }

  primitives(milliseconds: number): Promise<Primitives> {
    return this.#ask({ do: 'primitives', milliseconds })
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin.end(`${JSON.stringify({ do: 'stop' } satisfies PeerOrder)}\n`)
    await closed
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #ask<T>(order: PeerOrder): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    return this.#next<T>()
  }

  async #next<T>(): Promise<T> {
    const { done, value } = await this.#lines.next()
    if (done === true) throw new Error(`the payment node with key ${this.settings.key} ended`)
    return JSON.parse(value) as T
  }
}
