/**
 * Who is behind an address on the guest link. One `ip monitor neigh` tells of changes as they happen; a list
 * of all is read at the start, after the monitor was lost, and, at a bounded rate and never twice at once,
 * when an address is asked for that is not known. dnsmasq's lease file says which IPv4 address belongs to
 * which MAC. No process per question.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { existsSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import { asError, type Cancel, type Clock, type Log, type Timers } from '../../../base/index.ts'
import { isIp4, readIp } from '../address.ts'
import { readArpTable, readLeases, readNeighbourLine, readPortLine, type NeighbourLine } from '../neighbour-lines.ts'
import type { MacAddress, NeighbourTable } from '../types.ts'
import { eachLine } from './barrier-process.ts'

export interface NeighboursOptions {
  readonly guestInterface: string
  readonly leasesFile: string | null
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** Address → MAC by DHCP, whenever that changed. */
  readonly onLeases?: (pairs: ReadonlyMap<string, MacAddress>) => void
  /** Default `['ip']`; a test puts `ip netns exec …` before it. */
  readonly ipCommand?: readonly string[]
  readonly arpFile?: string
}

const MOST_KNOWN = 16_384
/** At most one list of all neighbours per this time, however many unknown addresses are asked for. */
const REFRESH_MS = 250
const LIST_TIMEOUT_MS = 2000
const MAX_LIST_BYTES = 16 * 1024 * 1024
const RESTART_MS = 1000
/** inotify is enough on a disk; where it is not (some overlays), the file's time is looked at. */
const LEASES_POLL_MS = 5000
/** dnsmasq writes the file in place; a guest with a new address waits so long for the guard to know it. */
const LEASES_SETTLE_MS = 20
const MAX_LEASE_FILE_BYTES = 8 * 1024 * 1024

export class Neighbours implements NeighbourTable {
  readonly #options: NeighboursOptions
  readonly #macs = new Map<string, MacAddress>()
  readonly #seenIp4 = new Map<MacAddress, string>()
  #leased = new Map<MacAddress, string>()
  readonly #listeners: ((mac: MacAddress, ip4: string) => void)[] = []
  readonly #heard: ((mac: MacAddress) => void)[] = []
  #monitor: ChildProcess | null = null
  #watcher: FSWatcher | null = null
  #cancels: Cancel[] = []
  #refreshing: Promise<void> | null = null
  #nextList: Promise<void> | null = null
  #refreshedMs = Number.NEGATIVE_INFINITY
  #leaseStamp = ''
  #isStopped = true
  #leaseRead: Promise<void> = Promise.resolve()

  constructor(options: NeighboursOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#isStopped = false
    this.#spawnMonitor()
    await Promise.all([this.#refresh(), this.#readLeases()])
    if (this.#options.leasesFile === null) return
    this.#watchLeases(this.#options.leasesFile)
    this.#cancels.push(this.#options.timers.every(LEASES_POLL_MS, () => void this.#readLeases()))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#watcher?.close()
    this.#watcher = null
    this.#monitor?.kill('SIGTERM')
    this.#monitor = null
    await Promise.all([this.#refreshing, this.#leaseRead])
  }

  async macOf(address: string): Promise<MacAddress | null> {
    const ip = readIp(address)
    if (ip === null) return null
    const known = this.#macs.get(ip)
    if (known !== undefined) return known
    // The monitor's word may still be on its way. A list begun before the question may not have it either.
    await this.#listFromNow()
    return this.#macs.get(ip) ?? null
  }

  ip4Of(mac: MacAddress): string | null {
    return this.#leased.get(mac) ?? this.#seenIp4.get(mac) ?? null
  }

  onIp4(listener: (mac: MacAddress, ip4: string) => void): void {
    this.#listeners.push(listener)
  }

  onHeard(listener: (mac: MacAddress) => void): void {
    this.#heard.push(listener)
  }

  /** Waits for a list begun after now. All who ask before it begins share it; lists keep their distance. */
  #listFromNow(): Promise<void> {
    this.#nextList ??= (async () => {
      await this.#refreshing
      const waitMs = this.#refreshedMs + REFRESH_MS - this.#options.clock.boottimeMs()
      if (waitMs > 0) await new Promise<void>((resolve) => void this.#options.timers.after(waitMs, resolve))
      this.#nextList = null
      await this.#refresh()
    })()
    return this.#nextList
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#list().finally(() => {
      this.#refreshing = null
      this.#refreshedMs = this.#options.clock.boottimeMs()
    })
    return this.#refreshing
  }

  async #list(): Promise<void> {
    const [ip = '', ...before] = this.#options.ipCommand ?? ['ip']
    const device = this.#options.guestInterface
    const listed = await new Promise<string | null>((resolve) => {
      execFile(ip, [...before, '-o', 'neigh', 'show', 'dev', device], { timeout: LIST_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_LIST_BYTES }, (error, stdout) => {
        if (error !== null) this.#options.log.debug('neighbours could not be listed', { error: asError(error) })
        resolve(error === null ? stdout : null)
      })
    })
    if (listed !== null) for (const line of listed.split('\n')) this.#note(readNeighbourLine(line, device))
    else for (const line of readArpTable(await readFile(this.#options.arpFile ?? '/proc/net/arp', 'utf8').catch(() => ''), device)) this.#note(line)
  }

  #spawnMonitor(): void {
    const [ip = '', ...before] = this.#options.ipCommand ?? ['ip']
    const device = this.#options.guestInterface
    const child = spawn(ip, [...before, '-o', 'monitor', 'neigh'], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#monitor = child
    let isOver = false
    const over = (): void => {
      if (isOver || this.#isStopped) return
      isOver = true
      this.#cancels.push(this.#options.timers.after(RESTART_MS, () => {
        this.#spawnMonitor()
        void this.#refresh()
      }))
    }
    child.once('error', over)
    child.once('close', over)
    eachLine(child.stdout, (line) => {
      const read = readNeighbourLine(line, device)
      const mac = read === null ? this.#learnedMac(line) : read.mac
      this.#note(read)
      if (mac !== null) for (const listener of this.#heard) this.#safely(() => listener(mac))
    })
  }

  /** Of whom the guests' bridge learned: who came back while the kernel still had his address is told of by nothing else. */
  #learnedMac(line: string): MacAddress | null {
    const learned = readPortLine(line)
    return learned !== null && existsSync(`/sys/class/net/${this.#options.guestInterface}/brif/${learned.port}`) ? learned.mac : null
  }

  #note(line: NeighbourLine | null): void {
    if (line === null) return
    if (line.mac === null) {
      this.#macs.delete(line.ip)
      return
    }
    const isNew = this.#macs.get(line.ip) !== line.mac
    this.#macs.delete(line.ip) // set again below: the order of the map is the order of last news
    makeRoom(this.#macs)
    this.#macs.set(line.ip, line.mac)
    if (!isIp4(line.ip) || (!isNew && this.#seenIp4.get(line.mac) === line.ip)) return
    this.#seenIp4.delete(line.mac)
    makeRoom(this.#seenIp4)
    this.#seenIp4.set(line.mac, line.ip)
    // What DHCP says comes first; the table's word counts where DHCP says nothing.
    if (!this.#leased.has(line.mac)) this.#tell(line.mac, line.ip)
  }

  #watchLeases(file: string): void {
    let cancelSettle: Cancel = () => undefined
    try {
      // The folder, because the file may be replaced, or not be there yet.
      this.#watcher = watch(dirname(file), (_event, name) => {
        if (name !== null && name !== basename(file)) return
        cancelSettle()
        cancelSettle = this.#options.timers.after(LEASES_SETTLE_MS, () => void this.#readLeases())
        this.#cancels = [...this.#cancels.slice(-8), cancelSettle]
      })
      this.#watcher.on('error', (error) => this.#options.log.warn('the lease file is not watched any more, only looked at', { file, error }))
    } catch (error) {
      this.#options.log.warn('the lease file cannot be watched, only looked at', { file, error: asError(error) })
    }
  }

  #readLeases(): Promise<void> {
    this.#leaseRead = this.#leaseRead.then(() => this.#readLeasesOnce())
    return this.#leaseRead
  }

  async #readLeasesOnce(): Promise<void> {
    const file = this.#options.leasesFile
    if (file === null || this.#isStopped) return
    let text: string
    try {
      const { mtimeMs, size, ino } = await stat(file)
      const stamp = `${mtimeMs} ${size} ${ino}`
      if (stamp === this.#leaseStamp) return
      if (size > MAX_LEASE_FILE_BYTES) throw new Error(`${size} bytes; at most ${MAX_LEASE_FILE_BYTES} are read`)
      text = await readFile(file, 'utf8')
      this.#leaseStamp = stamp
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#options.log.warn('the lease file cannot be read', { file, error: asError(error) })
      return
    }
    const leases = readLeases(text, MOST_KNOWN)
    const before = this.#leased
    this.#leased = new Map(leases.map(({ mac, ip4 }) => [mac, ip4]))
    this.#options.onLeases?.(new Map(leases.map(({ mac, ip4 }) => [ip4, mac])))
    for (const [mac, ip4] of this.#leased) if (before.get(mac) !== ip4) this.#tell(mac, ip4)
  }

  #tell(mac: MacAddress, ip4: string): void {
    for (const listener of this.#listeners) this.#safely(() => listener(mac, ip4))
  }

  #safely(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#options.log.error('a listener for neighbours threw', { error: asError(error) })
    }
  }
}

/** Bounded: what has been silent for longest goes. */
function makeRoom<K, V>(map: Map<K, V>): void {
  if (map.size < MOST_KNOWN) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
