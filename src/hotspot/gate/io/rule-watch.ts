/**
 * Watches over what the gate put into the kernel. Its driver tells of a stranger's hand at once; regular
 * looks catch what was missed. Also follows the guest link (ports come and go with the radio) and reads the
 * guard's findings.
 */
import { asError, type Cancel, type Clock, type Timers } from '../../../base/index.ts'
import { readFlowtableDevices } from '../dump.ts'
import type { FindingSet, KernelEvents, KernelSets } from '../kernel-sets.ts'
import { BORROWED6, DOUBLED, FORGED } from '../names.ts'
import type { GateAlarm } from '../types.ts'
import type { LinkState, ReadLink } from './guest-link.ts'
import type { NftRunner } from './nft-runner.ts'

/**
 * How closely to look. `structure` and `contents` are the regular looks, and not even made where the driver is
 * sure that nobody touched the rules (contents are compared all the same); `full` looks at everything.
 */
export type LookDepth = 'structure' | 'contents' | 'full'

export interface RuleWatchOptions {
  readonly sets: KernelSets
  readonly nft: NftRunner
  readonly guestInterface: string
  readonly uplinkInterfaces: readonly string[]
  readonly hasGuard: () => boolean
  /** The rules could not be put back: try with every tick. */
  readonly isDown: () => boolean
  readonly readLink: ReadLink
  readonly timers: Timers
  readonly clock: Clock
  readonly onSuspicion: (why: string, depth: LookDepth) => void
  readonly onQuotaUsed: (key: string, totalBytes: number) => void
  readonly onLink: (link: LinkState) => void
  readonly onNewInterface: (device: string) => void
  readonly onAlarm: (alarm: GateAlarm) => void
  readonly onTrouble: (part: 'monitor' | 'offload', reason: string | null) => void
}

const TICK_MS = 1000
/** In ticks. Without events the rules are looked at with every tick. */
const STRUCTURE_EVERY = 15
const CONTENTS_EVERY = 60
/** Whatever the driver believes. */
const FULL_EVERY = 600
const FINDINGS_EVERY = 3
/** The same finding is told again after so long. */
const ALARM_AGAIN_MS = 60_000
const MOST_FINDINGS = 1024

export class RuleWatch {
  readonly #options: RuleWatchOptions
  readonly #events: KernelEvents
  readonly #told = new Map<string, number>()
  readonly #indexes = new Map<string, number>()
  #cancel: Cancel = () => undefined
  #ticks = 0
  #linkText = ''
  #isReading = false
  /** Asked for since the running look began. */
  #flowtableLooks = 0
  #isWatching = false

  constructor(options: RuleWatchOptions) {
    this.#options = options
    this.#events = options.sets.events(options.nft.pids, (event) => {
      if (!this.#isWatching) return // what the tables were before we had them is looked at anyway
      if (event.kind === 'tampered') options.onSuspicion(event.what, 'full')
      else if (event.kind === 'overrun') options.onSuspicion('events of nft were lost', 'full')
      else if (event.kind === 'quota-used') options.onQuotaUsed(event.quota, event.totalBytes)
      if (event.kind === 'overrun' || event.kind === 'flowtable') void this.#lookForFlowtables()
    })
  }

  /** Before the installation. */
  open(): void {
    this.#events.open()
  }

  /** Resolves when it listens (or will not, after a while: the regular looks go on without it). */
  async start(): Promise<void> {
    this.#isWatching = true
    this.#followLink(this.#options.readLink())
    this.#cancel = this.#options.timers.every(TICK_MS, () => this.#tick())
    void this.#lookForFlowtables()
    await this.#events.start()
  }

  stop(): void {
    this.#cancel()
    this.#isWatching = false
    this.#events.stop()
  }

  #tick(): void {
    this.#ticks++
    this.#followLink(this.#options.readLink())
    const isDeaf = !this.#events.isListening
    this.#options.onTrouble('monitor', isDeaf ? 'changes of others are not heard of: the rules are checked every second' : null)
    if (isDeaf && this.#options.sets.driver === 'netlink') void this.#events.start() // nft's monitor starts itself again
    if (this.#ticks % FULL_EVERY === 0 || this.#options.isDown()) this.#options.onSuspicion('regular look', 'full')
    else if (this.#ticks % CONTENTS_EVERY === 0) this.#options.onSuspicion('regular look', 'contents')
    else if (this.#ticks % STRUCTURE_EVERY === 0 || isDeaf) this.#options.onSuspicion('regular look', 'structure')
    if (this.#ticks % FINDINGS_EVERY === 0) void this.#readFindings()
    // netlink tells of flow tables by itself.
    if (this.#ticks % (this.#options.sets.driver === 'nft' ? CONTENTS_EVERY : FULL_EVERY) === 0) void this.#lookForFlowtables()
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
      await this.#readSet(BORROWED6, (mac) => ({ kind: 'forged-address', mac, detail: `${mac} used the IPv6 address of another guest` }))
      if (!this.#options.hasGuard()) return
      await this.#readSet(FORGED, (mac) => ({ kind: 'forged-address', mac, detail: `${mac} claimed an address that is not its own` }))
      await this.#readSet(DOUBLED, (key) => {
        const [mac = '', port = ''] = key.split(' . ')
        return { kind: 'duplicate-mac', mac, detail: `${mac} is in use at one port and was seen at ${port}` }
      })
    } catch (error) {
      this.#options.onSuspicion(`findings could not be read: ${asError(error).message}`, 'structure')
    } finally {
      this.#isReading = false
    }
  }

  async #readSet(set: FindingSet, alarmOf: (key: string) => GateAlarm): Promise<void> {
    const now = this.#options.clock.boottimeMs()
    for (const [text, toldMs] of this.#told) if (toldMs + ALARM_AGAIN_MS <= now) this.#told.delete(text)
    for (const key of await this.#options.sets.findings(set)) {
      const alarm = alarmOf(key)
      if (this.#told.has(alarm.detail) || this.#told.size >= MOST_FINDINGS) continue
      this.#told.set(alarm.detail, now)
      this.#options.onAlarm(alarm)
    }
  }

  /** Offloaded flows pass no rule: a guest whose flows are offloaded is not cut off. One look at a time. */
  async #lookForFlowtables(): Promise<void> {
    this.#flowtableLooks++
    if (this.#flowtableLooks > 1) return
    for (let answered = 0; answered < this.#flowtableLooks; ) {
      answered = this.#flowtableLooks
      await this.#listFlowtables()
    }
    this.#flowtableLooks = 0
  }

  async #listFlowtables(): Promise<void> {
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
