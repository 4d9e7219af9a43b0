/**
 * The gate with nftables behind it. What should be open is in the book; everything that touches the kernel
 * goes through one lane, in order, so the book and the kernel change together. The watch (rule-watch.ts) tells
 * when somebody else may have touched our tables.
 */
import { MeshBoxError, asError, type Clock, type Log, type Timers } from '../../../base/index.ts'
import { Book, Draft } from '../book.ts'
import { bookFromDump, differenceFrom, withoutClasses } from '../book-dump.ts'
import { draftChanges } from '../book-changes.ts'
import { NO_COUNTS, countsFromDump, deviceCounters, newerCounts } from '../counts.ts'
import type { Contents, Dump } from '../dump.ts'
import { checkGrant } from '../grant.ts'
import { readIp, readMac } from '../address.ts'
import type { Netlink } from '../netlink.ts'
import type { GateRules } from '../rules.ts'
import { checkRules } from '../rules.ts'
import type { SetChange } from '../set-changes.ts'
import type { DeviceCounters, Gate, GateCallbacks, GateChange, GateHealth, Grant, MacAddress } from '../types.ts'
import { GateReport } from './gate-report.ts'
import type { ReadLink } from './guest-link.ts'
import { KernelDriver } from './kernel-driver.ts'
import { Lane } from './lane.ts'
import { RuleWatch, type LookDepth } from './rule-watch.ts'
import { SessionRates } from './session-rates.ts'
import { TcShaper } from './tc-shaper.ts'

export interface NftGateOptions {
  readonly rules: GateRules
  readonly uplinkInterfaces: readonly string[]
  readonly readLink: ReadLink
  readonly callbacks: GateCallbacks
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** Folder of our own, on tmpfs if there is one. */
  readonly runtimeDir: string
  /** See GateDeps. */
  readonly openNetlink: (() => Netlink) | null
  /** Default `['nft']` and `['tc']`; a test puts `ip netns exec …` before them. */
  readonly nftCommand?: readonly string[]
  readonly tcCommand?: readonly string[]
}

/** One call waiting for its transaction. */
interface Waiting {
  readonly change: GateChange
  readonly isReplace: boolean
  /** Boot clock when it was called: leases count from then. */
  readonly atMs: number
  readonly resolve: () => void
  readonly reject: (error: MeshBoxError) => void
}

const MOST_DEVICES_A_CALL = 65_536
/** More repairs than this in the time: somebody fights us. Then once a second, and the gate is down until it is over. */
const REPAIRS_IN_A_ROW = 20
/** Long enough for a slow board, where one repair takes a second. */
const REPAIR_WINDOW_MS = 30_000
const FIGHT_PAUSE_MS = 900

export class NftGate implements Gate {
  readonly #options: NftGateOptions
  readonly #log: Log
  readonly #lane = new Lane()
  readonly #report: GateReport
  #driver: KernelDriver | null = null
  #watch: RuleWatch | null = null
  #rates: SessionRates | null = null
  #book: Book
  #leases: ReadonlyMap<string, MacAddress> = new Map()
  #waiting: Waiting[] = []
  #counts = NO_COUNTS
  #repairs = 0
  #repairTimes: readonly number[] = []
  #isGuardQueued = false

  constructor(options: NftGateOptions) {
    checkRules(options.rules)
    this.#options = options
    this.#log = options.log
    this.#report = new GateReport(options.callbacks, options.log)
    this.#book = new Book(options.rules.maxDevices)
  }

  async start(): Promise<void> {
    const options = this.#options
    try {
      const driver = await KernelDriver.open({
        rules: options.rules,
        openNetlink: options.openNetlink,
        command: options.nftCommand ?? ['nft'],
        runtimeDir: options.runtimeDir,
        timers: options.timers,
        log: this.#log,
        onTrouble: (part, reason) => this.#report.trouble(part, reason),
        onChange: () => this.#watchAnew(),
      })
      this.#driver = driver
      const shaper = new TcShaper({
        command: options.tcCommand ?? ['tc'],
        guestInterface: options.rules.guestInterface,
        uplinkInterfaces: options.uplinkInterfaces,
        timers: options.timers,
        log: this.#log,
        onTrouble: (reason) => this.#report.trouble('shaper', reason),
      })
      this.#rates = new SessionRates(shaper, options.timers)
      this.#watch = this.#makeWatch(driver)
      this.#watch.open()
      await this.#lane.run(async () => {
        await this.#takeOverOrInstall()
        await driver.prove()
      })
      await this.#watch.start()
    } catch (error) {
      await this.stop()
      throw failed('the gate could not be installed', error)
    }
  }

  async stop(): Promise<void> {
    this.#watch?.stop()
    await this.#lane.idle()
    this.#watch?.stop() // the lane may have made another
    this.#watch = null
    const [driver, rates] = [this.#driver, this.#rates]
    this.#driver = null
    this.#rates = null
    for (const waiting of this.#waiting.splice(0)) waiting.reject(failed('the gate was stopped', null))
    await Promise.all([driver?.close(), rates?.close()])
  }

  apply(change: GateChange): Promise<void> {
    return this.#enqueue(change, false)
  }

  replace(grants: readonly Grant[]): Promise<void> {
    return this.#enqueue({ open: grants, close: [] }, true)
  }

  async counters(): Promise<DeviceCounters[]> {
    const { sets } = this.#running()
    const hasQuotas = [...this.#book.sessions.values()].some((session) => session.totalBytes !== null)
    try {
      const read = await sets.counts(hasQuotas)
      this.#counts = { ...newerCounts(this.#counts, read, this.#book.byHandle), quotaUsed: read.quotaUsed }
      this.#noteQuotas(read.quotaUsed)
    } catch (error) {
      this.#inspect('the counters could not be read', 'full')
      throw failed('the counters could not be read', error)
    }
    return deviceCounters(this.#book, this.#counts)
  }

  async preflight(): Promise<void> {
    const { sets } = this.#running()
    const down = this.#report.troubleOf('rules')
    if (down !== undefined) throw failed(down, null)
    if (!this.#book.hasRoom()) throw new MeshBoxError('unavailable', `the gate is full: ${this.#options.rules.maxDevices} devices are open`, { code: 'gate-failed', retryAfterSeconds: 60 })
    try {
      await sets.ping()
    } catch (error) {
      this.#inspect('the kernel does not answer', 'full')
      throw failed('the kernel does not answer', error)
    }
  }

  health(): GateHealth {
    const devices = this.#book.openCount(this.#options.clock.boottimeMs())
    const driver = this.#driver?.sets.driver
    const base = { repairs: this.#repairs, devices, ...(driver === undefined ? {} : { driver }) }
    const down = driver === undefined ? 'the gate is not running' : this.#report.troubleOf('rules')
    if (down !== undefined) return { state: 'down', reason: down, ...base }
    const reasons = this.#report.troubles
    return reasons.length === 0 ? { state: 'ready', ...base } : { state: 'degraded', reason: reasons.join('; '), ...base }
  }

  /**
   * Who has which IPv4 address by DHCP (address → MAC): the guard then lets nobody else use it, and a grant
   * that says otherwise does not get the address.
   */
  setLeases(pairs: ReadonlyMap<string, MacAddress>): void {
    const checked = new Map([...pairs].filter(([ip4, mac]) => readIp(ip4) === ip4 && !ip4.includes(':') && readMac(mac) === mac))
    const isSame = checked.size === this.#leases.size && [...checked].every(([ip4, mac]) => this.#leases.get(ip4) === mac)
    if (isSame) return
    this.#leases = checked
    this.#book.leases = checked
    this.#guardSoon()
  }

  #enqueue(change: GateChange, isReplace: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      try {
        if (change.open.length + change.close.length > MOST_DEVICES_A_CALL) throw new MeshBoxError('limit', `more than ${MOST_DEVICES_A_CALL} devices in one call`, { code: 'no-room' })
        change.open.forEach(checkGrant)
        this.#running()
      } catch (error) {
        reject(asError(error))
        return
      }
      this.#waiting.push({ change, isReplace, atMs: this.#options.clock.boottimeMs(), resolve, reject })
      // All that wait by the time the lane is free go together.
      if (this.#waiting.length === 1) void this.#lane.run(() => this.#commitWaiting())
    })
  }

  async #commitWaiting(): Promise<void> {
    const batch = this.#waiting.splice(0)
    if (batch.length === 0) return
    if (batch.length > 1) {
      try {
        await this.#commit(batch)
        return
      } catch (error) {
        this.#log.debug('a combined change failed; trying its parts', { parts: batch.length, error: asError(error) })
      }
    }
    for (const waiting of batch) {
      try {
        await this.#commitAlone(waiting)
      } catch (error) {
        waiting.reject(error instanceof MeshBoxError && error.kind !== 'internal' ? error : failed('the kernel did not carry out the change', error))
      }
    }
  }

  /** Once more after making sure of the tables: a lost process or a stranger's hand shall not cost a guest. */
  async #commitAlone(waiting: Waiting): Promise<void> {
    try {
      await this.#commit([waiting])
    } catch (error) {
      if (error instanceof MeshBoxError) throw error
      this.#log.warn('a change failed; looking at the rules and trying again', { error: asError(error) })
      await this.#compare(asError(error).message, 'full')
      await this.#commit([waiting], (changes) => this.#running().commitSomehow(changes))
    }
  }

  async #watchAnew(): Promise<void> {
    this.#watch?.stop()
    this.#watch = this.#makeWatch(this.#running())
    await this.#watch.start()
  }

  async #commit(batch: readonly Waiting[], carryOut = (changes: readonly SetChange[]) => this.#running().sets.commit(changes)): Promise<void> {
    const draft = new Draft(this.#book, this.#options.clock.boottimeMs())
    draft.forgetOld()
    for (const waiting of batch) fold(draft, waiting)
    const changes = draftChanges(draft, this.#options.clock.boottimeMs())
    await this.#rates?.beforeOpening(draft)
    if (changes.length > 0) await carryOut(changes)
    const touched = [...draft.sessions.changed()]
    draft.takeOver()
    for (const waiting of batch) waiting.resolve()
    this.#rates?.follow(this.#book)
    const granted = new Set(batch.flatMap((waiting) => waiting.change.open.map((grant) => grant.sessionId)))
    for (const key of touched) {
      const session = this.#book.sessions.get(key)
      if (session?.isSpent === true && session.id !== null && granted.has(session.id)) this.#report.spent(session.id)
    }
  }

  /** The tables a former life left are kept if they are exactly ours; else its leases go into new ones. */
  async #takeOverOrInstall(): Promise<void> {
    const [driver, nowMs] = [this.#running(), this.#options.clock.boottimeMs()]
    const link = this.#options.readLink()
    const found = await driver.readFormerLife().catch((error: unknown) => {
      this.#log.warn('the rules of a former life cannot be read; they are replaced', { error: asError(error) })
      return null
    })
    const book = found === null ? new Book(this.#options.rules.maxDevices) : bookFromDump(found, this.#options.rules.maxDevices, nowMs)
    book.leases = this.#leases
    const counts = found === null ? NO_COUNTS : countsFromDump(found)
    if (found !== null && driver.tables.recognise(found, link) && differenceFrom(book, withoutClasses(found), nowMs) === null) {
      await driver.commitSomehow([{ do: 'flush', set: 'classes' }, ...driver.tables.guardChanges(link, this.#leases)])
      this.#log.info('the rules of a former life are kept', { devices: book.openCount(nowMs) })
    } else await driver.tables.install({ book, counts, learned: found, link, nowMs: () => this.#options.clock.boottimeMs() })
    this.#book = book
    this.#counts = counts
    this.#report.trouble('guard', driver.tables.guardTrouble)
  }

  /** Somebody may have touched our tables: look, and put them back if so. */
  #inspect(why: string, depth: LookDepth): void {
    void this.#lane.run(() => this.#compare(why, depth)).catch((error: unknown) => {
      if (this.#driver === null) return // stopped meanwhile
      this.#log.error('the rules cannot be checked', { error: asError(error) })
    })
  }

  async #compare(why: string, depth: LookDepth): Promise<void> {
    const driver = this.#running()
    const isRegular = depth !== 'full' && this.#report.troubleOf('rules') === undefined
    if (isRegular && (await driver.isUntouched())) {
      if (depth === 'structure') return
      const contents = await driver.sets.contents().catch(() => null) // the look below says what is wrong
      if (contents !== null && this.#difference(contents) === null) return this.#noteContents(contents)
    }
    const foundInOrder = await driver.sets.beginLook().catch(() => () => undefined) // then it stays unsure, and looks again
    const dump = depth === 'structure' ? await driver.tables.read(true) : await driver.readTables()
    const difference = !driver.tables.isIntact(dump)
      ? dump.isEmpty ? 'our tables were gone' : 'our rules were altered'
      : depth === 'structure' ? null : this.#difference(dump)
    if (difference === null) {
      foundInOrder()
      this.#report.trouble('rules', null)
      if (depth !== 'structure') this.#noteContents(dump)
      return
    }
    await this.#repair(`${difference} (${why})`, depth === 'structure' ? await driver.readTables() : dump)
  }

  #difference(contents: Contents): string | null {
    return differenceFrom(this.#book, contents, this.#options.clock.boottimeMs())
  }

  async #repair(reason: string, dump: Dump): Promise<void> {
    const nowMs = this.#options.clock.boottimeMs()
    this.#repairTimes = this.#repairTimes.filter((atMs) => atMs > nowMs - REPAIR_WINDOW_MS)
    const isFight = this.#repairTimes.length >= REPAIRS_IN_A_ROW
    if (isFight && nowMs - (this.#repairTimes.at(-1) ?? 0) < FIGHT_PAUSE_MS) {
      this.#report.trouble('rules', 'somebody keeps changing our rules')
      return
    }
    this.#repairTimes = [...this.#repairTimes, nowMs]
    const desired = this.#report.desired()
    if (desired !== null) {
      const draft = new Draft(this.#book, this.#options.clock.boottimeMs())
      fold(draft, { change: { open: desired, close: [] }, isReplace: true, atMs: draft.nowMs })
      draft.takeOver() // what the kernel has now is gone in a moment
    }
    await this.#installAnew(dump)
    this.#repairs++
    this.#report.alarm({ kind: 'repaired', detail: reason })
  }

  #installSoon(why: string): void {
    void this.#lane.run(async () => {
      this.#log.info('the rules are installed anew', { why })
      await this.#installAnew(await this.#running().readTables())
    }).catch((error: unknown) => this.#log.warn('the rules could not be installed anew', { error: asError(error) }))
  }

  async #installAnew(dump: Dump): Promise<void> {
    const counts = newerCounts(this.#counts, countsFromDump(dump), this.#book.byHandle)
    try {
      await this.#running().tables.install({ book: this.#book, counts, learned: dump, link: this.#options.readLink(), nowMs: () => this.#options.clock.boottimeMs() })
    } catch (error) {
      this.#report.trouble('rules', `the rules could not be put back: ${asError(error).message}`)
      throw error
    }
    this.#counts = counts
    this.#report.trouble('rules', null)
    this.#report.trouble('guard', this.#running().tables.guardTrouble)
    this.#rates?.follow(this.#book)
  }

  #spend(key: string, totalBytes: number): void {
    void this.#lane.run(async () => {
      const session = this.#book.sessions.get(key)
      if (session === undefined || session.isSpent || session.totalBytes !== totalBytes) return
      const draft = new Draft(this.#book, this.#options.clock.boottimeMs())
      draft.spend(key)
      const changes = draftChanges(draft, draft.nowMs)
      if (changes.length > 0) await this.#running().sets.commit(changes)
      draft.takeOver()
      if (session.id !== null) this.#report.spent(session.id)
    }).catch((error: unknown) => this.#log.warn('a spent session could not be closed; its quota holds it', { error: asError(error) }))
  }

  #noteContents({ quotas }: Contents): void {
    this.#noteQuotas(new Map([...quotas].map(([key, quota]) => [key, quota.usedBytes])))
  }

  /** Takes over the kernel's counts; the kernel's word that one is used up may have been lost. */
  #noteQuotas(usedBytes: ReadonlyMap<string, number>): void {
    for (const [key, readBytes] of usedBytes) {
      const session = this.#book.sessions.get(key)
      if (session === undefined) continue
      this.#book.sessions.set(key, { ...session, readBytes })
      if (session.totalBytes !== null && readBytes >= session.totalBytes) this.#spend(key, session.totalBytes)
    }
  }

  /** The link or DHCP changed; a repair would bring it too, so a failure is only told and looked into. */
  #guardSoon(): void {
    if (this.#driver === null || this.#isGuardQueued) return
    this.#isGuardQueued = true
    void this.#lane.run(async () => {
      this.#isGuardQueued = false
      const changes = this.#running().tables.guardChanges(this.#options.readLink(), this.#leases)
      if (changes.length > 0) await this.#running().sets.commit(changes)
    }).catch((error: unknown) => {
      if (this.#driver === null) return // stopped meanwhile
      this.#log.warn('the guard could not be brought up to date', { error: asError(error) })
      this.#inspect('the guard refused a change', 'full')
    })
  }

  #makeWatch({ sets, nft, tables }: KernelDriver): RuleWatch {
    const { rules, uplinkInterfaces, readLink, timers, clock } = this.#options
    return new RuleWatch({
      sets,
      nft,
      guestInterface: rules.guestInterface,
      uplinkInterfaces,
      hasGuard: () => tables.hasGuard,
      isDown: () => this.#report.troubleOf('rules') !== undefined,
      readLink,
      timers,
      clock,
      onSuspicion: (why, depth) => this.#inspect(why, depth),
      onQuotaUsed: (key, totalBytes) => this.#spend(key, totalBytes),
      onLink: (link) => {
        if (tables.lacksGuard(link)) this.#installSoon(`${rules.guestInterface} is a bridge now`)
        else this.#guardSoon()
      },
      onNewInterface: (device) => this.#rates?.forget(device),
      onAlarm: (alarm) => this.#report.alarm(alarm),
      onTrouble: (part, reason) => this.#report.trouble(part, reason),
    })
  }

  #running(): KernelDriver {
    if (this.#driver === null) throw failed('the gate is not running', null)
    return this.#driver
  }
}

function fold(draft: Draft, { change, isReplace, atMs }: Pick<Waiting, 'change' | 'isReplace' | 'atMs'>): void {
  if (isReplace) draft.closeAllBut(new Set(change.open.map((grant) => grant.mac)))
  for (const mac of change.close) draft.close(mac)
  for (const grant of change.open) draft.open(grant, atMs + grant.leaseMs)
}

function failed(what: string, cause: unknown): MeshBoxError {
  if (cause instanceof MeshBoxError) return cause
  const because = cause === null ? '' : `: ${asError(cause).message}`
  return new MeshBoxError('unavailable', `${what}${because}`, { code: 'gate-failed', ...(cause === null ? {} : { cause }) })
}
