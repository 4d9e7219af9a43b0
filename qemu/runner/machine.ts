/**
 * One emulated machine: boots an image, runs scripts in it without rebooting, and has a power switch. The
 * emulator dies with the process that started it, also when that is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createConnection, type Socket } from 'node:net'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Image } from '../image.ts'

export interface MachineOptions {
  readonly image: Image
  /** For sockets, logs and the shared folder `host`; must be short (Unix sockets), is made if missing. */
  readonly folder: string
  /** ext4 image that keeps what the guest writes; without one it is gone with the power. See disk.ts. */
  readonly overlay?: string
  readonly memoryMegabytes?: number
  /** Default 2. One costs a fifth less processor time in all: right where as many machines run as this one has cores. */
  readonly processors?: number
  /**
   * The guest's clock counts what its processor has done, a nanosecond each instruction, and goes with ours while it has nothing to do: a
   * busy host makes its time slow, and what has a time limit in the guest has it there as on a board. One processor of the host does all.
   */
  readonly hasOwnTime?: boolean
  /** QEMU's `-netdev`/`-device` arguments; none: no network but the guest's own namespaces. */
  readonly network?: readonly string[]
  /** The guest has to answer in this time. A bound against hanging, not a measure. */
  readonly bootSeconds?: number
}

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Job {
  /** In the shared folder; grow while the job runs. */
  readonly stdoutFile: string
  readonly stderrFile: string
  readonly finished: Promise<Finished>
}

export class GuestError extends Error {
  override readonly name = 'GuestError'
}

const DEFAULT_BOOT_SECONDS = 240
const KERNEL_WORDS = 'console=ttyAMA0 quiet panic=-1 mitigations=off'
/**
 * Without what costs an emulated processor half of its time: a random place of the kernel, for it isolates the page tables, whatever
 * `mitigations` says, and then each system call empties the emulator's table of addresses; huge pages; pages emptied before they are given
 * away; the linear map in small pages; random places of programs; the kernel's tests of its own ciphers; audit.
 */
const QUICK_WORDS = 'nokaslr transparent_hugepage=never init_on_alloc=0 rodata=off norandmaps cryptomgr.notests audit=0 apparmor=0'
const DEFAULT_JOB_SECONDS = 120
/** An emulator on a busy machine is slow to say that a job was killed. */
const GRACE_SECONDS = 60

export class Machine {
  /** Seen in the guest as /host. */
  readonly share: string
  /** Everything the guest said on its serial console. */
  readonly consoleLog: string
  readonly consoleSocket: string
  /** Seconds since the kernel started when the guest was ready, by the guest's own clock. */
  readySeconds = 0
  readonly #emulator: ChildProcess
  readonly #waiting = new Map<string, (code: number) => void>()
  readonly #gone: Promise<void>
  #agent: Socket | undefined
  #nextJob = 1
  #isGone = false
  #lastWords = ''

  private constructor(options: MachineOptions) {
    this.share = join(options.folder, 'host')
    this.consoleLog = join(options.folder, 'console.log')
    this.consoleSocket = join(options.folder, 'console')
    for (const socket of ['console', 'agent']) rmSync(join(options.folder, socket), { force: true })
    mkdirSync(join(this.share, 'jobs'), { recursive: true })
    const { emulator } = options.image.architecture
    // The kernel takes the emulator down with us, whatever ends us.
    this.#emulator = spawn('setpriv', ['--pdeathsig', 'KILL', emulator, ...emulatorArguments(options)], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#emulator.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#lastWords = (this.#lastWords + text).slice(-2000)))
    this.#gone = new Promise((resolve) => {
      const end = (): void => {
        this.#isGone = true
        this.#agent?.destroy()
        resolve()
      }
      this.#emulator.once('close', end)
      this.#emulator.once('error', (error) => {
        this.#lastWords += `${error.message}; install qemu-system-arm`
        end()
      })
    })
  }

  /** Resolves when the guest's init has run its boot scripts and answers. */
  static async boot(options: MachineOptions): Promise<Machine> {
    mkdirSync(options.folder, { recursive: true })
    const machine = new Machine(options)
    try {
      await machine.#meetAgent(join(options.folder, 'agent'), options.bootSeconds ?? DEFAULT_BOOT_SECONDS)
      return machine
    } catch (error) {
      await machine.cut()
      throw error
    }
  }

  /** Runs a shell script in the guest as root, any exit code. Throws GuestError when the guest is gone or silent. */
  async exec(script: string, seconds = DEFAULT_JOB_SECONDS): Promise<Finished> {
    return this.start(script, seconds).finished
  }

  /** Like exec; an exit code other than 0 throws with what the script said. Gives its standard output. */
  async sh(script: string, seconds = DEFAULT_JOB_SECONDS): Promise<string> {
    const { code, stdout, stderr } = await this.exec(script, seconds)
    if (code !== 0) throw new GuestError(`in the guest: exit code ${code}${code === 137 ? ` (killed after ${seconds} s?)` : ''}\n${script.slice(0, 600)}\n${stdout.slice(-3000)}${stderr.slice(-3000)}`)
    return stdout
  }

  /** Starts a script that runs beside others; it is killed after so many seconds. */
  start(script: string, seconds = DEFAULT_JOB_SECONDS): Job {
    const id = String(this.#nextJob++)
    const file = (kind: string): string => join(this.share, 'jobs', `${id}.${kind}`)
    const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
    writeFileSync(file('sh'), `${script}\n`)
    let silence: NodeJS.Timeout | undefined
    const code = new Promise<number>((resolve, reject) => {
      this.#waiting.set(id, resolve)
      silence = setTimeout(() => reject(new GuestError(`the guest did not answer for ${seconds + GRACE_SECONDS} s: ${script.slice(0, 200)}\n${this.lastWords()}`)), (seconds + GRACE_SECONDS) * 1000)
      void this.#gone.then(() => reject(new GuestError(`the guest is gone while it ran: ${script.slice(0, 200)}\n${this.lastWords()}`)))
      if (!this.#isGone) this.#agent?.write(`${id} ${seconds}\n`)
    }).finally(() => {
      clearTimeout(silence)
      this.#waiting.delete(id)
    })
    const finished = code.then((exit) => ({ code: exit, stdout: read(file('out')), stderr: read(file('err')) }))
    // Whoever started a job and pulled the power need not wait for it.
    finished.catch(() => undefined)
    return { stdoutFile: file('out'), stderrFile: file('err'), finished }
  }

  /** Pulls the power: the emulator is killed where it stands. */
  async cut(): Promise<void> {
    this.#emulator.kill('SIGKILL')
    await this.#gone
  }

  /** Shuts down in order: services stopped, disks read-only. Throws GuestError when that takes longer; the power is off then, too. */
  async powerOff(seconds = 180): Promise<void> {
    if (this.#isGone) return
    void this.start('poweroff', seconds)
    let words: string | undefined
    const late = setTimeout(() => {
      words = this.lastWords()
      this.#emulator.kill('SIGKILL')
    }, seconds * 1000)
    await this.#gone
    clearTimeout(late)
    if (words !== undefined) throw new GuestError(`the guest did not shut down within ${seconds} s\n${words}`)
  }

  /** Resolves when the emulator has ended, however. */
  async ended(): Promise<void> {
    await this.#gone
  }

  /** End of the serial console and what the emulator complained of. */
  lastWords(): string {
    const text = existsSync(this.consoleLog) ? readFileSync(this.consoleLog, 'utf8') : ''
    return `last words on the console:\n${text.slice(-2500)}\n${this.#lastWords}`
  }

  async #meetAgent(path: string, seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1000
    const late = (): GuestError => new GuestError(`no answer from the guest within ${seconds} s of switching it on\n${this.lastWords()}`)
    // The socket is there a moment before the emulator listens on it.
    let agent: Socket | undefined
    while ((agent = existsSync(path) ? await connected(path) : undefined) === undefined) {
      if (this.#isGone) throw new GuestError(`the emulator did not start (is qemu-system-arm installed?): ${this.#lastWords}`)
      if (performance.now() > until) throw late()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    this.#agent = agent
    const port = agent
    let isReady: () => void = () => undefined
    const ready = new Promise<void>((resolve, reject) => {
      isReady = resolve
      port.once('error', reject)
      void this.#gone.then(() => reject(new GuestError(`the guest went away while booting\n${this.lastWords()}`)))
      setTimeout(() => reject(late()), Math.max(0, until - performance.now())).unref()
    })
    let pending = ''
    agent.setEncoding('utf8').on('data', (text: string) => {
      const lines = (pending + text).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) {
        const [word, id, code] = line.split(' ')
        if (word === 'ready') {
          this.readySeconds = Number(id)
          isReady()
        } else if (word === 'done') this.#waiting.get(id ?? '')?.(Number(code))
      }
    })
    await ready
    agent.on('error', (error) => (this.#lastWords += error.message))
  }
}

/** Undefined when nobody listens there yet. */
function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? resolve(undefined) : reject(error)))
  })
}

function emulatorArguments(options: MachineOptions): string[] {
  const { image, folder, overlay } = options
  const disk = (name: string, file: string, more: string): string[] => [
    ...['-drive', `if=none,id=${name},file=${file},format=raw,${more}`],
    ...['-device', `virtio-blk-device,drive=${name},serial=${name}`],
  ]
  return [
    ...image.architecture.machine,
    ...(options.hasOwnTime === true ? ['-accel', 'tcg,thread=single,tb-size=256', '-icount', 'shift=0'] : ['-accel', 'tcg,thread=multi,tb-size=256']),
    ...['-smp', String(options.processors ?? 2), '-m', String(options.memoryMegabytes ?? 512)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', image.kernel, '-initrd', image.initramfs, '-append', `${KERNEL_WORDS} ${QUICK_WORDS}`],
    ...['-chardev', `socket,id=console,path=${join(folder, 'console')},server=on,wait=off,logfile=${join(folder, 'console.log')}`, '-serial', 'chardev:console'],
    ...['-device', 'virtio-serial-device', '-chardev', `socket,id=agent,path=${join(folder, 'agent')},server=on,wait=off`],
    ...['-device', 'virtserialport,chardev=agent,name=agent'],
    ...['-fsdev', `local,id=host,path=${join(folder, 'host')},security_model=none`, '-device', 'virtio-9p-device,fsdev=host,mount_tag=host'],
    ...['-device', 'virtio-rng-device'],
    ...disk('root', image.root, 'readonly=on'),
    ...(overlay === undefined ? [] : disk('overlay', overlay, 'cache=writeback')),
    ...(options.network ?? []),
  ]
}
