/**
 * What the kernel's sets should hold, device by device and session by session. Pure: the clock comes in as a
 * number. A change is written into a draft; the draft says which nft commands lead from the book to it
 * (book-script.ts), and is taken over once the kernel has accepted them, or dropped.
 */
import { createHash } from 'node:crypto'
import { MeshBoxError } from '../../base/index.ts'
import { FIRST_HANDLE, LAST_HANDLE } from './names.ts'
import { Overlay } from './overlay.ts'
import type { Grant, MacAddress } from './types.ts'

export interface Device {
  readonly mac: MacAddress
  /** Its number in the kernel; given once, never to another device. */
  readonly handle: number
  /** IPv4 address it may use; null if unknown, or while another device holds it. */
  readonly ip4: string | null
  /** Address its newest grant named: only a change of it takes an address from another open device. */
  readonly askedIp4: string | null
  /** Key of its session (also of the last one, while closed); null for a device found in the kernel. */
  readonly session: string | null
  readonly isOpen: boolean
  /** Boot clock: when its lease ends if open, when it was closed if not. */
  readonly untilMs: number
}

export interface BookedSession {
  /** Name of its quota object. */
  readonly key: string
  /** Null when only the kernel knew of it (after a restart, until a grant names it). */
  readonly id: string | null
  /** Whole allowance in the kernel's count; null = not limited. */
  readonly totalBytes: number | null
  /** Count the quota object starts with when it is made. */
  readonly startBytes: number
  /** Raised when the object has to be made anew. */
  readonly generation: number
  /** The kernel stopped it; its devices have no lease until the allowance grows. */
  readonly isSpent: boolean
  /** The kernel's count when it was last read. */
  readonly readBytes: number
  readonly downKbps: number | null
  readonly upKbps: number | null
  /** Minor number of its class in the shaper; null without rates or without open devices. */
  readonly minor: number | null
  readonly macs: readonly MacAddress[]
}

/** A closed device is remembered so long, for its counters; longer would make each reading of counters longer. */
export const REMEMBER_MS = 15 * 60_000
const SWEEP_MS = 60_000

const FIRST_MINOR = 0x10
const LAST_MINOR = 0xfff0

/** nft name of a session's quota object: session ids may hold what nft's language does not. */
export function sessionKey(sessionId: string): string {
  return `q${createHash('sha256').update(sessionId).digest('hex').slice(0, 24)}`
}

export class Book {
  readonly devices = new Map<MacAddress, Device>()
  readonly byHandle = new Map<number, MacAddress>()
  readonly byIp4 = new Map<string, MacAddress>()
  readonly sessions = new Map<string, BookedSession>()
  readonly minors = new Map<number, string>()
  readonly maxDevices: number
  /** DHCP's word on who has which address: stronger than a grant's. */
  leases: ReadonlyMap<string, MacAddress> = new Map()
  nextHandle = FIRST_HANDLE
  nextMinor = FIRST_MINOR
  sweptMs = Number.NEGATIVE_INFINITY
  /** When it was made from what the kernel held; sessions found there without a device wait from then on. */
  foundMs = 0

  constructor(maxDevices: number) {
    this.maxDevices = maxDevices
  }

  openCount(nowMs: number): number {
    let count = 0
    for (const device of this.devices.values()) if (isPaid(device, this.sessions) && device.untilMs > nowMs) count++
    return count
  }

  /** Could one more device be opened? Closed ones make room. */
  hasRoom(): boolean {
    if (this.devices.size < this.maxDevices) return true
    for (const device of this.devices.values()) if (!device.isOpen) return true
    return false
  }
}

/** Should the kernel hold a lease for it (while the lease's time is not over)? */
export function isPaid(device: Device, sessions: { get(key: string): BookedSession | undefined }): boolean {
  return device.isOpen && !(device.session !== null && sessions.get(device.session)?.isSpent === true)
}

export class Draft {
  readonly book: Book
  readonly nowMs: number
  readonly devices: Overlay<MacAddress, Device>
  readonly sessions: Overlay<string, BookedSession>
  /** Devices whose lease is to be set anew, besides those whose entry changed. */
  readonly renewed = new Set<MacAddress>()
  readonly #byIp4: Overlay<string, MacAddress>
  readonly #minors: Overlay<number, string>
  #nextHandle: number
  #nextMinor: number

  constructor(book: Book, nowMs: number) {
    this.book = book
    this.nowMs = nowMs
    this.devices = new Overlay(book.devices)
    this.sessions = new Overlay(book.sessions)
    this.#byIp4 = new Overlay(book.byIp4)
    this.#minors = new Overlay(book.minors)
    this.#nextHandle = book.nextHandle
    this.#nextMinor = book.nextMinor
  }

  /** `leaseUntilMs` on the boot clock. Throws MeshBoxError `limit` when all room is taken by open devices. */
  open(grant: Grant, leaseUntilMs: number): void {
    const key = sessionKey(grant.sessionId)
    const old = this.devices.get(grant.mac)
    if (old?.session !== undefined && old.session !== null && old.session !== key) this.#leaveSession(old.mac, old.session)
    const handle = old?.handle ?? this.#newHandle()
    const ip4 = this.#claimIp4(grant, old)
    this.devices.set(grant.mac, { mac: grant.mac, handle, ip4, askedIp4: grant.ip4 ?? old?.askedIp4 ?? null, session: key, isOpen: true, untilMs: leaseUntilMs })
    this.renewed.add(grant.mac)
    this.#joinSession(key, grant)
  }

  close(mac: MacAddress): void {
    const device = this.devices.get(mac)
    if (device === undefined || !device.isOpen) return
    if (device.ip4 !== null) this.#byIp4.delete(device.ip4)
    this.devices.set(mac, { ...device, ip4: null, askedIp4: null, isOpen: false, untilMs: this.nowMs })
    if (device.session !== null) this.#settleMinor(device.session)
  }

  closeAllBut(macs: ReadonlySet<MacAddress>): void {
    for (const device of [...this.devices.values()]) if (device.isOpen && !macs.has(device.mac)) this.close(device.mac)
  }

  /** The kernel says the session's bytes are used up: its devices lose their leases. */
  spend(key: string): void {
    const session = this.sessions.get(key)
    if (session === undefined || session.isSpent || session.totalBytes === null) return
    this.sessions.set(key, { ...session, isSpent: true })
  }

  /** Drops what was closed long ago; looks for it once a minute. */
  forgetOld(): void {
    if (this.nowMs - this.book.sweptMs < SWEEP_MS) return
    this.book.sweptMs = this.nowMs
    for (const device of [...this.devices.values()]) if (!device.isOpen && device.untilMs + REMEMBER_MS <= this.nowMs) this.#forget(device)
    if (this.book.foundMs + REMEMBER_MS > this.nowMs) return
    for (const session of [...this.sessions.values()]) if (session.macs.length === 0) this.sessions.delete(session.key)
  }

  /** The kernel has it: the draft becomes the book. */
  takeOver(): void {
    const { book } = this
    for (const mac of this.devices.changed()) {
      const [before, after] = [this.devices.before(mac), this.devices.get(mac)]
      if (before !== undefined) book.byHandle.delete(before.handle)
      if (after !== undefined) book.byHandle.set(after.handle, mac)
    }
    this.devices.takeOver()
    this.sessions.takeOver()
    this.#byIp4.takeOver()
    this.#minors.takeOver()
    book.nextHandle = this.#nextHandle
    book.nextMinor = this.#nextMinor
  }

  /** All devices whose kernel elements may differ from the book's. */
  touched(): Set<MacAddress> {
    const macs = new Set(this.renewed)
    for (const mac of this.devices.changed()) macs.add(mac)
    for (const key of this.sessions.changed()) for (const mac of (this.sessions.get(key) ?? this.sessions.before(key))?.macs ?? []) macs.add(mac)
    return macs
  }

  #newHandle(): number {
    if (this.devices.size >= this.book.maxDevices) this.#forgetOldestClosed()
    if (this.#nextHandle >= LAST_HANDLE) throw new MeshBoxError('limit', 'all device numbers are used up; restart the service', { code: 'no-room' })
    return this.#nextHandle++
  }

  #forgetOldestClosed(): void {
    let oldest: Device | undefined
    for (const device of this.devices.values()) if (!device.isOpen && (oldest === undefined || device.untilMs < oldest.untilMs)) oldest = device
    if (oldest === undefined)
      throw new MeshBoxError('limit', `no room: ${this.book.maxDevices} devices are open`, { code: 'no-room', retryAfterSeconds: 60 })
    this.#forget(oldest)
  }

  #forget(device: Device): void {
    this.devices.delete(device.mac)
    if (device.session !== null) this.#leaveSession(device.mac, device.session)
  }

  /** The address this device may use from now on; takes it from its former holder. */
  #claimIp4(grant: Grant, old: Device | undefined): string | null {
    const leasedTo = grant.ip4 === null ? undefined : this.book.leases.get(grant.ip4)
    const wanted = leasedTo !== undefined && leasedTo !== grant.mac ? null : grant.ip4
    if (wanted === null || wanted === old?.ip4) return old?.ip4 ?? null
    const holder = this.#byIp4.get(wanted)
    const holding = holder === undefined ? undefined : this.devices.get(holder)
    if (holding !== undefined && holding.mac !== grant.mac) {
      const isNews = leasedTo === grant.mac || old?.isOpen !== true || old.askedIp4 !== wanted
      if (!isNews) return old.ip4
      this.devices.set(holding.mac, { ...holding, ip4: null })
    }
    if (old?.ip4 !== undefined && old.ip4 !== null) this.#byIp4.delete(old.ip4)
    this.#byIp4.set(wanted, grant.mac)
    return wanted
  }

  #joinSession(key: string, grant: Grant): void {
    const old = this.sessions.get(key)
    const macs = old === undefined ? [grant.mac] : old.macs.includes(grant.mac) ? old.macs : [...old.macs, grant.mac]
    const rates = { downKbps: grant.downKbps, upKbps: grant.upKbps }
    this.sessions.set(key, { ...allowance(key, old, grant), id: grant.sessionId, ...rates, minor: old?.minor ?? null, macs })
    this.#settleMinor(key)
  }

  #leaveSession(mac: MacAddress, key: string): void {
    const session = this.sessions.get(key)
    if (session === undefined) return
    const macs = session.macs.filter((other) => other !== mac)
    if (macs.length > 0) this.sessions.set(key, { ...session, macs })
    else {
      if (session.minor !== null) this.#minors.delete(session.minor)
      this.sessions.delete(key)
    }
    if (macs.length > 0) this.#settleMinor(key)
  }

  /** A class exists exactly while the session has rates and an open device. */
  #settleMinor(key: string): void {
    const session = this.sessions.get(key)
    if (session === undefined) return
    const hasRates = session.downKbps !== null || session.upKbps !== null
    const isOpen = session.macs.some((mac) => this.devices.get(mac)?.isOpen === true && this.devices.get(mac)?.session === key)
    if (hasRates && isOpen && session.minor === null) this.sessions.set(key, { ...session, minor: this.#newMinor(key) })
    if (!(hasRates && isOpen) && session.minor !== null) {
      this.#minors.delete(session.minor)
      this.sessions.set(key, { ...session, minor: null })
    }
  }

  /** Minors are 16 bit: the next free one in turn, so that a number rests before it is used again. Null: none free. */
  #newMinor(key: string): number | null {
    for (let tries = FIRST_MINOR; tries <= LAST_MINOR; tries++) {
      const minor = this.#nextMinor
      this.#nextMinor = minor === LAST_MINOR ? FIRST_MINOR : minor + 1
      if (this.#minors.get(minor) === undefined) {
        this.#minors.set(minor, key)
        return minor
      }
    }
    return null
  }
}

type Allowance = Pick<BookedSession, 'key' | 'totalBytes' | 'startBytes' | 'generation' | 'isSpent' | 'readBytes'>

/**
 * The kernel counts what it blocks as well, so a spent allowance cannot simply be raised: the object is made
 * anew and starts at the old total, of which nothing more has passed.
 */
function allowance(key: string, old: BookedSession | undefined, grant: Grant): Allowance {
  const generation = old?.generation ?? 0
  if (grant.quotaBytes === null) return { key, totalBytes: null, startBytes: 0, generation, isSpent: false, readBytes: 0 }
  const usedBytes = grant.usedBytes ?? old?.readBytes ?? 0
  const totalBytes = usedBytes + grant.quotaBytes
  if (old === undefined || old.totalBytes === null)
    return { key, totalBytes, startBytes: usedBytes, generation, isSpent: grant.quotaBytes === 0, readBytes: usedBytes }
  const kept = { key, startBytes: old.startBytes, generation, readBytes: old.readBytes }
  if (!old.isSpent) return { ...kept, totalBytes, isSpent: false }
  if (totalBytes <= old.totalBytes) return { ...kept, totalBytes: old.totalBytes, isSpent: true }
  return { key, totalBytes, startBytes: old.totalBytes, generation: generation + 1, isSpent: false, readBytes: old.totalBytes }
}
