/**
 * Watches over what the gate put into the kernel. `nft monitor` tells of a stranger's hand at once; regular
 * looks catch what it missed. Also follows the guest link (ports come and go with the radio) and reads the
 * guard's findings.
 */
import { asError, type Cancel, type Clock, type Timers } from '../../../base/index.ts'
import { readElements, readFlowtableDevices } from '../dump.ts'
import { BORROWED6, DOUBLED, FORGED, TABLE } from '../names.ts'
import type { GateAlarm } from '../types.ts'
import type { LinkState, ReadLink } from './guest-link.ts'
import { NftMonitor } from './nft-monitor.ts'
import type { NftRunner } from './nft-runner.ts'

export interface RuleWatchOptions {
  readonly nft: NftRunner
  readonly command: readonly string[]
  readonly guestInterface: string
  readonly uplinkInterfaces: readonly string[]
  readonly hasGuard: () => boolean
  /** Makes a transaction that changes nothing, for the monitor to hear. */
  readonly speak: () => Promise<void>
  /** The rules could not be put back: try with every tick. */
  readonly isDown: () => boolean
  readonly readLink: ReadLink
  readonly timers: Timers
  readonly clock: Clock
  readonly onSuspicion: (why: string, depth: 'structure' | 'full') => void
  readonly onQuotaUsed: (key: string, totalBytes: number) => void
  readonly onLink: (link: LinkState) => void
  readonly onNewInterface: (device: string) => void
  readonly onAlarm: (alarm: GateAlarm) => void
  readonly onTrouble: (part: 'monitor' | 'offload', reason: string | null) => void
}

const TICK_MS = 1000
/** In ticks. Without the monitor the rules are looked at with every tick. */
const STRUCTURE_EVERY = 15
const FULL_EVERY = 60
const FINDINGS_EVERY = 3
/** The same finding is told again after so long. */
const ALARM_AGAIN_MS = 60_000
const MOST_FINDINGS = 1024
const LISTEN_TRIES = 200
const LISTEN_PAUSE_MS = 5

export class RuleWatch {
  readonly #options: RuleWatchOptions
  readonly #monitor: NftMonitor
  readonly #told = new Map<string, number>()
  readonly #indexes = new Map<string, number>()
  #cancel: Cancel = () => undefined
  #ticks = 0
  #linkText = ''
  #isReading = false
  #isWatching = false

  constructor(options: RuleWatchOptions) {
    this.#options = options
    this.#monitor = new NftMonitor({
      command: options.command,
      timers: options.timers,
      ownPids: options.nft.pids,
      onEvent: (event) => {
        if (!this.#isWatching) return // what the tables were before we had them is looked at anyway
        if (event.kind === 'tampered') options.onSuspicion(event.what, 'full')
        else if (event.kind === 'overrun') options.onSuspicion('events of nft were lost', 'full')
        else options.onQuotaUsed(event.quota, event.totalBytes)
      },
    })
  }

  /** The monitor needs a while to begin; started beside the installation it costs none. */
  open(): void {
    this.#monitor.start()
  }

  /** Resolves when the monitor listens (or will not, after a while: the regular looks go on without it). */
  async start(): Promise<void> {
    this.#isWatching = true
    this.#followLink(this.#options.readLink())
    this.#cancel = this.#options.timers.every(TICK_MS, () => this.#tick())
    void this.#lookForFlowtables()
    for (let tries = 0; tries < LISTEN_TRIES && !this.#monitor.hasSpoken; tries++) {
      await this.#options.speak()
      await new Promise<void>((resolve) => this.#options.timers.after(LISTEN_PAUSE_MS, resolve))
    }
  }

  stop(): void {
    this.#cancel()
    this.#monitor.stop()
  }

  #tick(): void {
    this.#ticks++
    this.#followLink(this.#options.readLink())
    this.#options.onTrouble('monitor', this.#monitor.isRunning ? null : 'nft monitor does not run: the rules are checked every second')
    if (this.#ticks % FULL_EVERY === 0 || this.#options.isDown()) this.#options.onSuspicion('regular look', 'full')
    else if (this.#ticks % STRUCTURE_EVERY === 0 || !this.#monitor.isRunning) this.#options.onSuspicion('regular look', 'structure')
    if (this.#ticks % FINDINGS_EVERY === 0) void this.#readFindings()
    if (this.#ticks % FULL_EVERY === 0) void this.#lookForFlowtables()
  }

  #followLink(link: LinkState): void {
    for (const device of [this.#options.guestInterface, ...this.#options.uplinkInterfaces]) {
      const [before, index] = [this.#indexes.get(device), link.indexOf(device)]
      this.#indexes.set(device, index)
      if (before !== undefined && index !== 0 && index !== before) this.#options.onNewInterface(device)
    }
    const text = JSON.stringify([link.isBridge, link.ports, link.macs, link.ip4, link.ip6])
    if (text === this.#linkText) return
    const isFirst = this.#linkText === ''
    this.#linkText = text
    if (!isFirst) this.#options.onLink(link)
  }

  async #readFindings(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      await this.#readSet(`set inet ${TABLE} ${BORROWED6}`, (mac) => ({ kind: 'forged-address', mac, detail: `${mac} used the IPv6 address of another guest` }))
      if (!this.#options.hasGuard()) return
      await this.#readSet(`set bridge ${TABLE} ${FORGED}`, (mac) => ({ kind: 'forged-address', mac, detail: `${mac} claimed an address that is not its own` }))
      await this.#readSet(`set bridge ${TABLE} ${DOUBLED}`, (key) => {
        const [mac = '', port = ''] = key.split(' . ')
        return { kind: 'duplicate-mac', mac, detail: `${mac} is in use at one port and was seen at ${port}` }
      })
    } catch (error) {
      this.#options.onSuspicion(`findings could not be read: ${asError(error).message}`, 'structure')
    } finally {
      this.#isReading = false
    }
  }

  async #readSet(what: string, alarmOf: (key: string) => GateAlarm): Promise<void> {
    const now = this.#options.clock.boottimeMs()
    for (const [text, toldMs] of this.#told) if (toldMs + ALARM_AGAIN_MS <= now) this.#told.delete(text)
    for (const element of readElements(await this.#options.nft.list(what))) {
      const alarm = alarmOf(element.key)
      if (this.#told.has(alarm.detail) || this.#told.size >= MOST_FINDINGS) continue
      this.#told.set(alarm.detail, now)
      this.#options.onAlarm(alarm)
    }
  }

  /** Offloaded flows pass no rule: a guest whose flows are offloaded is not cut off. */
  async #lookForFlowtables(): Promise<void> {
    try {
      const devices = readFlowtableDevices(await this.#options.nft.list('flowtables'))
      const guests = new Set([this.#options.guestInterface, ...this.#options.readLink().ports])
      const found = devices.find((device) => guests.has(device))
      this.#options.onTrouble('offload', found === undefined ? null : `flow offloading covers ${found}: offloaded guests are not counted and not cut off; switch it off for the guest network`)
    } catch (error) {
      // A kernel or nft without flow tables has none to worry about.
      this.#options.onTrouble('offload', /not supported|syntax|No such file/i.test(asError(error).message) ? null : `flow tables cannot be listed: ${asError(error).message}`)
    }
  }
}
