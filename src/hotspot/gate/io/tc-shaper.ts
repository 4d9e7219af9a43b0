/**
 * Keeps the kernel's classes as the book wants them, through one running `tc -force -batch -`. Nothing is
 * installed before some session has a rate, and it is taken away when none has one any more. Trouble here
 * never closes or opens the gate: it is told as a reason for degraded health.
 */
import { execFile } from 'node:child_process'
import { asError, type Log, type Timers } from '../../../base/index.ts'
import { classCommands, isReplaceable, removeClassCommand, removeRootCommand, rootCommands, rootDiscipline, type LeafQueue, type SessionRate } from '../shaper.ts'
import { BarrierProcess } from './barrier-process.ts'

export interface TcShaperOptions {
  /** `['tc']`, or with what goes before it. */
  readonly command: readonly string[]
  readonly guestInterface: string
  readonly uplinkInterfaces: readonly string[]
  readonly timers: Timers
  readonly log: Log
  /** Health changed: a reason, or null when shaping works (or is not needed). */
  readonly onTrouble: (reason: string | null) => void
}

const LEAVES: readonly LeafQueue[] = ['fq_codel', 'sfq', 'bfifo']
const SHOW_TIMEOUT_MS = 5000

interface Side {
  readonly device: string
  readonly rateOf: (rate: SessionRate) => number | null
  isInstalled: boolean
  leaf: LeafQueue
  trouble: string | null
  readonly classes: Map<number, number>
}

export class TcShaper {
  readonly #options: TcShaperOptions
  readonly #tc: BarrierProcess
  readonly #sides: readonly Side[]
  #wanted: readonly SessionRate[] = []
  #lane: Promise<void> = Promise.resolve()
  #isQueued = false

  constructor(options: TcShaperOptions) {
    this.#options = options
    this.#tc = new BarrierProcess({
      command: [...options.command, '-force', '-batch', '-'],
      timers: options.timers,
      isBarrier: (line, word) => line.includes(`"${word}"`),
      linesBeforeBarrier: 0,
      isNoise: (line) => line === '' || line.startsWith('Command failed'),
    })
    const side = (device: string, rateOf: Side['rateOf']): Side => ({ device, rateOf, isInstalled: false, leaf: 'fq_codel', trouble: null, classes: new Map() })
    this.#sides = [side(options.guestInterface, (rate) => rate.downKbps), ...options.uplinkInterfaces.map((device) => side(device, (rate) => rate.upKbps))]
  }

  /** Asks for these classes and no others; resolves when the kernel has them or the trouble is told. */
  sync(rates: readonly SessionRate[]): Promise<void> {
    this.#wanted = rates
    if (this.#isQueued) return this.#lane
    if (rates.length === 0 && this.#sides.every((side) => !side.isInstalled && side.trouble === null)) return this.#lane
    this.#isQueued = true
    this.#lane = this.#lane.then(async () => {
      this.#isQueued = false
      const wanted = this.#wanted
      for (const side of this.#sides) await this.#syncSide(side, wanted)
      this.#tellTrouble(wanted)
    })
    return this.#lane
  }

  /** Would `sync` have to put in whole queue disciplines, which takes processes and so a while? */
  mustInstallFor(rates: readonly SessionRate[]): boolean {
    return this.#sides.some((side) => !side.isInstalled && side.trouble === null && rates.some((rate) => side.rateOf(rate) !== null))
  }

  /** An interface was made anew: what we had installed went with the old one. */
  forget(device: string): void {
    for (const side of this.#sides) {
      if (side.device !== device) continue
      side.isInstalled = false
      side.classes.clear()
    }
    void this.sync(this.#wanted)
  }

  /** Leaves the classes in the kernel: leases run on. */
  async close(): Promise<void> {
    await this.#lane
    await this.#tc.close()
  }

  async #syncSide(side: Side, wanted: readonly SessionRate[]): Promise<void> {
    const rates = new Map<number, number>()
    for (const rate of wanted) {
      const kbps = side.rateOf(rate)
      if (kbps !== null) rates.set(rate.minor, kbps)
    }
    try {
      if (rates.size === 0) await this.#remove(side)
      else {
        if (!side.isInstalled) await this.#install(side)
        await this.#syncClasses(side, rates)
      }
      side.trouble = null
    } catch (error) {
      // What the kernel has now is not known: begin again at the next call.
      side.isInstalled = false
      side.classes.clear()
      side.trouble = asError(error).message
    }
  }

  async #install(side: Side): Promise<void> {
    const discipline = rootDiscipline(await this.#show(side.device))
    if (!isReplaceable(discipline)) throw new Error(`${side.device} has a queue discipline of its own (${discipline.split(' ')[0]}), which is left alone`)
    if (discipline.startsWith('htb')) await this.#do(removeRootCommand(side.device))
    for (const [index, leaf] of LEAVES.entries()) {
      const [root = '', unlimited = '', queue = ''] = rootCommands(side.device, leaf)
      if (index === 0) {
        await this.#do(root)
        await this.#do(unlimited)
      }
      if (await this.#works(queue)) {
        side.leaf = leaf
        side.isInstalled = true
        side.classes.clear()
        this.#options.log.info('rates are shaped', { interface: side.device, queue: leaf })
        return
      }
    }
    throw new Error(`${side.device}: no queue discipline for HTB's classes in this kernel`)
  }

  async #syncClasses(side: Side, rates: ReadonlyMap<number, number>): Promise<void> {
    for (const minor of [...side.classes.keys()]) {
      if (rates.has(minor)) continue
      await this.#do(removeClassCommand(side.device, minor))
      side.classes.delete(minor)
    }
    for (const [minor, kbps] of rates) {
      const old = side.classes.get(minor)
      if (old === kbps) continue
      for (const command of classCommands(side.device, minor, kbps, side.leaf, old === undefined)) await this.#do(command)
      side.classes.set(minor, kbps)
    }
  }

  async #remove(side: Side): Promise<void> {
    if (!side.isInstalled) return
    await this.#do(removeRootCommand(side.device))
    side.isInstalled = false
    side.classes.clear()
  }

  async #do(command: string): Promise<void> {
    const { errors } = await this.#tc.exchange(command)
    if (errors.length > 0) throw new Error(`tc ${command}: ${errors.join(' ').slice(0, 200)}`)
  }

  async #works(command: string): Promise<boolean> {
    return (await this.#tc.exchange(command)).errors.length === 0
  }

  #show(device: string): Promise<string> {
    const [program = '', ...before] = this.#options.command
    return new Promise((resolve, reject) => {
      execFile(program, [...before, 'qdisc', 'show', 'dev', device], { timeout: SHOW_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${device}: ${stderr.trim() || error.message}`))
      })
    })
  }

  #tellTrouble(wanted: readonly SessionRate[]): void {
    const troubles = this.#sides.map((side) => side.trouble).filter((trouble) => trouble !== null)
    if (this.#options.uplinkInterfaces.length === 0 && wanted.some((rate) => rate.upKbps !== null)) troubles.push('no interface towards the Internet is named (hotspot.uplink_interfaces), so upload is not shaped')
    this.#options.onTrouble(troubles.length === 0 ? null : `rates are not kept: ${troubles.join('; ')}`)
  }
}
