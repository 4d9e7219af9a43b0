/**
 * Our own mosquitto: its files on tmpfs, the process, started again when it ends (1 s to 60 s apart), and looked at by connecting. When it is
 * not installed or does not come up, the gateway goes on without a broker and says so.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { asError } from '../../../base/index.ts'
import type { Cancel, Log, Timers } from '../../../base/index.ts'
import { brokerFiles } from '../mosquitto/configuration.ts'
import type { BrokerPlan, BrokerUser } from '../mosquitto/configuration.ts'
import { BrokerGuests } from '../mosquitto/guests.ts'
import type { TenantId } from '../../ports.ts'

export interface BrokerParts {
  /** On tmpfs; made here. Those above it must let the broker's user through. */
  readonly folder: string
  /** Default `mosquitto`, looked for where programs are. */
  readonly program?: string
  readonly timers: Timers
  readonly log: Log
}

const LONGEST_WAIT_MS = 60_000
const LOOK_EVERY_MS = 30_000
const LOOK_TIMEOUT_MS = 3_000
const FIRST_LOOKS = 50
const FIRST_LOOK_MS = 100
const MAX_LOG = 400
const PID_FILE = 'pid'
const ORPHAN_LOOKS = 50

export class Mosquitto {
  readonly #parts: BrokerParts
  #plan: BrokerPlan
  #process: ChildProcess | null = null
  #problem: string | null = 'not started'
  #isStopped = true
  #tries = 0
  #lastWords = ''
  readonly #guests = new BrokerGuests()
  #cancelRetry: Cancel = () => undefined
  #cancelLook: Cancel = () => undefined

  constructor(plan: BrokerPlan, parts: BrokerParts) {
    this.#plan = plan
    this.#parts = parts
  }

  /** Null: it answers. */
  get problem(): string | null {
    return this.#problem
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#plan.loopbackPort}`
  }

  /** Whether somebody of the tenant's is connected and has asked for that topic; null: its log does not say. */
  hasListener(tenant: TenantId, topic: string): boolean | null {
    return this.#guests.hasListener(tenant, topic, this.#plan.users)
  }

  /** Resolves when it answers, or when it is clear that it does not (then it is tried again, and `problem` says why). Errors: input, as brokerFiles. */
  async start(): Promise<void> {
    brokerFiles(this.#plan, this.#parts.folder)
    this.#isStopped = false
    await this.#endOrphan()
    this.#run()
    await this.#lookUntilUp()
    this.#cancelLook = this.#parts.timers.every(LOOK_EVERY_MS, () => void this.#look())
  }

  /** Other names and passwords; connections that stay are not cut. Errors: input. */
  setUsers(users: readonly BrokerUser[]): void {
    const plan = { ...this.#plan, users }
    brokerFiles(plan, this.#parts.folder)
    this.#plan = plan
    if (this.#isStopped) return
    this.#write()
    this.#process?.kill('SIGHUP')
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelRetry()
    this.#cancelLook()
    this.#problem = 'stopped'
    const running = this.#process
    this.#process = null
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.timers.after(3_000, () => running.kill('SIGKILL'))
      running.once('close', () => {
        cancel()
        resolve()
      })
      running.kill('SIGTERM')
    })
  }

  /** One that a service before this one has left behind, killed without a goodbye: it has the port, and old names. */
  async #endOrphan(): Promise<void> {
    const { folder, timers, log } = this.#parts
    const pid = orphanOf(folder)
    if (pid === null) return
    log.warn('a broker of a service before this one still runs; it is ended', { pid })
    for (let n = 0; n < ORPHAN_LOOKS; n++) {
      try {
        process.kill(pid, n === 0 ? 'SIGTERM' : n === ORPHAN_LOOKS - 1 ? 'SIGKILL' : 0)
      } catch {
        return // it is gone, or somebody else's by now: then the port says so
      }
      await new Promise<void>((resolve) => timers.after(FIRST_LOOK_MS, resolve))
    }
  }

  #run(): void {
    const { folder, program = 'mosquitto' } = this.#parts
    try {
      this.#write()
    } catch (thrown) {
      return this.#ended(null, `its files cannot be written: ${asError(thrown).message}`)
    }
    const started = spawn(program, ['-c', join(folder, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = started
    if (started.pid !== undefined) writeFileSync(join(folder, PID_FILE), String(started.pid), { mode: 0o600 })
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-MAX_LOG)
      this.#guests.take(text)
    })
    started.on('error', (error) => this.#ended(started, 'code' in error && error.code === 'ENOENT' ? `${program} is not installed` : error.message))
    started.on('close', (code, signal) => this.#ended(started, `it ended (${signal ?? code}): ${reasonOf(this.#lastWords)}`))
  }

  #ended(which: ChildProcess | null, why: string): void {
    if (which !== this.#process || this.#isStopped) return
    this.#process = null
    this.#lastWords = ''
    this.#guests.clear()
    if (this.#problem !== why) this.#parts.log.warn('the broker is not there', { problem: why })
    this.#problem = why
    const wait = Math.min(LONGEST_WAIT_MS, 1_000 * 2 ** Math.min(this.#tries++, 10))
    this.#cancelRetry = this.#parts.timers.after(wait, () => this.#run())
  }

  async #lookUntilUp(): Promise<void> {
    for (let n = 0; n < FIRST_LOOKS && !this.#isStopped && this.#process !== null; n++) {
      if (await this.#look()) return
      await new Promise<void>((resolve) => this.#parts.timers.after(FIRST_LOOK_MS, resolve))
    }
  }

  /** Somebody else may sit on the port while our own process ends: then its end says so. */
  async #look(): Promise<boolean> {
    const asked = this.#process
    if (asked === null) return false
    const isThere = await canConnect(this.#plan.loopbackPort, this.#parts.timers)
    if (asked !== this.#process) return false
    this.#problem = isThere ? null : 'it does not answer'
    if (isThere) this.#tries = 0
    return isThere
  }

  #write(): void {
    const { folder } = this.#parts
    const { configuration, passwords, rights } = brokerFiles(this.#plan, folder)
    const owner = process.getuid?.() === 0 ? idsOf(this.#plan.systemUser) : null
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    if (owner !== null) chownSync(folder, owner.uid, owner.gid)
    for (const [name, text] of [['mosquitto.conf', configuration], ['passwords', passwords], ['rights', rights]] as const) {
      const path = join(folder, name)
      writeFileSync(`${path}.new`, text, { mode: 0o600 })
      if (owner !== null) chownSync(`${path}.new`, owner.uid, owner.gid)
      renameSync(`${path}.new`, path)
    }
  }
}

/** Who came and went is in the same log. */
function reasonOf(words: string): string {
  const lines = words.trim().split('\n')
  return lines.findLast((line) => /^(Error|Warning)/.test(line)) ?? lines.at(-1) ?? ''
}

function canConnect(port: number, timers: Timers): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const end = (isThere: boolean): void => {
      cancel()
      socket.destroy()
      resolve(isThere)
    }
    const cancel = timers.after(LOOK_TIMEOUT_MS, () => end(false))
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

/** Its number, if that is still a process that was started with the files of this folder. */
function orphanOf(folder: string): number | null {
  try {
    const pid = Number(readFileSync(join(folder, PID_FILE), 'utf8'))
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return Number.isInteger(pid) && pid > 1 && words.includes(join(folder, 'mosquitto.conf')) ? pid : null
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ESRCH')) return null
    throw thrown
  }
}

/** Null: no such user; then the broker itself will say so. */
function idsOf(name: string): { readonly uid: number; readonly gid: number } | null {
  const [, , uid, gid] = readFileSync('/etc/passwd', 'utf8').split('\n').find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) }
}
