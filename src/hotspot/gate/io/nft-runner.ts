/**
 * nft as the gate uses it: transactions in, dumps out. Two ways to run it behind one interface:
 *
 * - `NftSession`: `nft -i` kept running, one for writing and one for reading, so that a long dump does not
 *   hold up a guest who has just paid. No process per authorisation.
 * - `NftOneShot`: a process per transaction. For whole tables where the sets are changed over netlink, and for
 *   everything where nft was built without its interactive mode (OpenWrt's is): some milliseconds of processor
 *   time for each change, which the gate tells in its health.
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Timers } from '../../../base/index.ts'
import { BarrierProcess, ProcessGone } from './barrier-process.ts'

/** nft refused the transaction: nothing of it was done. The message is nft's own. */
export class NftRefused extends Error {
  override readonly name = 'NftRefused'
}

export interface NftRunner {
  readonly mode: 'session' | 'one-shot'
  /** Processes whose transactions are ours, for the monitor. */
  readonly pids: ReadonlySet<number>
  /** One transaction. Throws NftRefused (nothing done) or ProcessGone (not known). */
  run(commands: readonly string[]): Promise<void>
  /** JSON of `nft list <what>`, such as `set inet meshbox paid`. Throws NftRefused or ProcessGone. */
  list(what: string): Promise<string>
  /** JSON of a whole table; null when it is not there. `terse`: without elements. */
  table(family: 'inet' | 'bridge', name: string, terse: boolean): Promise<string | null>
  /** Is nft alive and answering? Throws ProcessGone. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface NftRunnerOptions {
  /** `['nft']`, or with what goes before it: `['ip', 'netns', 'exec', 'x', 'nft']`. */
  readonly command: readonly string[]
  /** Folder of our own, for transactions too long for a line. */
  readonly runtimeDir: string
  readonly timers: Timers
}

/** Longer ones go through a file: nft echoes a failed line whole, and its line editor is slow with long ones. */
const LONGEST_LINE = 1500
const MAX_EXCHANGES = 5000
const ONE_SHOT_TIMEOUT_MS = 10_000
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024

/** A process per transaction; nothing runs in between. */
export async function nftOneShot(options: NftRunnerOptions): Promise<NftRunner> {
  await mkdir(options.runtimeDir, { recursive: true, mode: 0o700 })
  return new NftOneShot(options)
}

/** Starts the way of running nft that this nft knows. Throws ProcessGone when there is no working nft. */
export async function startNft(options: NftRunnerOptions): Promise<NftRunner> {
  await mkdir(options.runtimeDir, { recursive: true, mode: 0o700 })
  const session = new NftSession(options)
  try {
    await session.ping()
    return session
  } catch (error) {
    await session.close()
    if (!(error instanceof ProcessGone) || !/interactive/i.test(error.message)) throw error
    return nftOneShot(options)
  }
}

class NftSession implements NftRunner {
  readonly mode = 'session'
  readonly pids = new Set<number>()
  readonly #options: NftRunnerOptions
  readonly #writer: BarrierProcess
  readonly #reader: BarrierProcess

  constructor(options: NftRunnerOptions) {
    this.#options = options
    const shared = { timers: options.timers, isBarrier, isNoise, linesBeforeBarrier: 1, maxExchanges: MAX_EXCHANGES }
    this.#writer = new BarrierProcess({ ...shared, command: [...options.command, '-i'], onStart: (pid) => rememberPid(this.pids, pid, 2) })
    this.#reader = new BarrierProcess({ ...shared, command: [...options.command, '-j', '-i'] })
  }

  async run(commands: readonly string[]): Promise<void> {
    const text = commands.join(';')
    const line = text.length > LONGEST_LINE || text.includes('\n') ? await asInclude(this.#options.runtimeDir, commands) : text
    await this.#write(line)
  }

  async ping(): Promise<void> {
    // Parsed and thrown away: asks nothing of the kernel.
    await this.#write('')
  }

  async list(what: string): Promise<string> {
    const { errors, output } = await this.#reader.exchange(`list ${what}`, true)
    refuse(errors)
    return output[0] ?? ''
  }

  table(family: 'inet' | 'bridge', name: string, terse: boolean): Promise<string | null> {
    return listTable(this.#options, family, name, terse)
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close()])
  }

  async #write(line: string): Promise<void> {
    refuse((await this.#writer.exchange(line)).errors)
  }
}

class NftOneShot implements NftRunner {
  readonly mode = 'one-shot'
  readonly pids = new Set<number>()
  readonly #options: NftRunnerOptions

  constructor(options: NftRunnerOptions) {
    this.#options = options
  }

  async run(commands: readonly string[]): Promise<void> {
    const file = await writeTransaction(this.#options.runtimeDir, commands)
    const result = await runNft(this.#options, ['-f', file], (pid) => rememberPid(this.pids, pid, 8))
    if (result.code !== 0) throw new NftRefused(result.stderr)
  }

  async ping(): Promise<void> {
    await runNft(this.#options, ['--version'])
  }

  async list(what: string): Promise<string> {
    const result = await runNft(this.#options, ['-j', 'list', ...what.split(' ')])
    if (result.code !== 0) throw new NftRefused(result.stderr)
    return result.stdout
  }

  table(family: 'inet' | 'bridge', name: string, terse: boolean): Promise<string | null> {
    return listTable(this.#options, family, name, terse)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** The newest few: a transaction of a process that is gone may still come through the monitor. */
function rememberPid(pids: Set<number>, pid: number, most: number): void {
  const kept = [...pids].slice(1 - most)
  pids.clear()
  for (const each of [...kept, pid]) pids.add(each)
}

async function listTable(options: NftRunnerOptions, family: string, name: string, terse: boolean): Promise<string | null> {
  const result = await runNft(options, ['-j', ...(terse ? ['-t'] : []), 'list', 'table', family, name])
  if (result.code === 0) return result.stdout
  if (/No such file or directory|not supported/i.test(result.stderr)) return null
  throw new NftRefused(result.stderr)
}

/** nft's complaint about a word it does not know ends with the line it stands in, then marks under it. */
function isBarrier(line: string, word: string): boolean {
  return line.trim() === word
}

function isNoise(line: string): boolean {
  return /^[\s^~]*$/.test(line)
}

function refuse(errors: readonly string[]): void {
  const real = errors.filter((line) => !/^(W:|Warning)/.test(line))
  if (real.length > 0) throw new NftRefused(real.slice(0, 4).join(' ').slice(0, 500))
}

async function asInclude(runtimeDir: string, commands: readonly string[]): Promise<string> {
  return `include "${await writeTransaction(runtimeDir, commands)}"`
}

async function writeTransaction(runtimeDir: string, commands: readonly string[]): Promise<string> {
  const file = join(runtimeDir, 'transaction.nft')
  await writeFile(file, `${commands.join('\n')}\n`, { mode: 0o600 })
  return file
}

function runNft(options: NftRunnerOptions, args: readonly string[], onPid?: (pid: number) => void): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program = '', ...before] = options.command
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...before, ...args],
      { timeout: ONE_SHOT_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, LC_ALL: 'C' } },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr })
        else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
        else reject(new ProcessGone(`${options.command.join(' ')} ${args[0] ?? ''}: ${error.message}`))
      },
    )
    if (child.pid !== undefined) onPid?.(child.pid)
  })
}
