/**
 * The book and the kernel side by side: making a book from what a former life of the service left in the
 * kernel, and telling whether the kernel still holds what the book says.
 */
import { Book, isPaid, type BookedSession, type Device } from './book.ts'
import { footprints } from './book-changes.ts'
import type { Contents, DumpedElement, DumpedQuota } from './dump.ts'
import { BOOK_SETS, PAID, readClassid } from './names.ts'
import type { Field } from './set-changes.ts'

/** A lease the kernel lost this much before its time was lost by somebody, not by the clock. */
const EARLY_TOLERANCE_MS = 2000
/** nft shows whole seconds, and reading takes a while: only what is later than this was lengthened by somebody. */
const LATE_TOLERANCE_MS = 5000

const elementsOf = (dump: Contents, set: string): readonly DumpedElement[] => dump.sets.get(`inet ${set}`) ?? []

/** What is open by the kernel's sets becomes the book; sessions are known by the key of their quota only. */
export function bookFromDump(dump: Contents, maxDevices: number, nowMs: number): Book {
  const book = new Book(maxDevices)
  book.foundMs = nowMs
  for (const [key, quota] of dump.quotas) book.sessions.set(key, foundSession(key, quota))
  const leases = new Map(elementsOf(dump, PAID).map((element) => [readClassid(element.key), element.expiresSeconds]))
  const ip4s = new Map(elementsOf(dump, 'down4').map((element) => [readClassid(element.value ?? ''), element.key]))
  const keys = new Map(elementsOf(dump, 'quotas').map((element) => [readClassid(element.key), element.value]))
  const openMacs = new Set(elementsOf(dump, 'upmac').map((element) => element.key))
  for (const element of elementsOf(dump, 'devmac')) {
    const [mac = '', handleText = ''] = element.key.split(' . ')
    const handle = readClassid(handleText)
    if (handle === null || book.byHandle.has(handle) || book.devices.has(mac) || book.devices.size >= maxDevices) continue
    const isOpen = openMacs.has(mac)
    const ip4 = isOpen ? (ip4s.get(handle) ?? null) : null
    const key = keys.get(handle) ?? null
    const session = key !== null && dump.quotas.has(key) ? key : null
    book.devices.set(mac, { mac, handle, ip4, askedIp4: ip4, session, isOpen, untilMs: isOpen ? nowMs + 1000 * (leases.get(handle) ?? 0) : nowMs })
    book.byHandle.set(handle, mac)
    if (ip4 !== null) book.byIp4.set(ip4, mac)
    const joined = session === null ? undefined : book.sessions.get(session)
    if (joined !== undefined) book.sessions.set(joined.key, { ...joined, macs: [...joined.macs, mac] })
  }
  // Numbers are not used twice, not even those that only a learned address still leads to.
  const owners = elementsOf(dump, 'owner6').map((element) => element.value ?? '')
  const counted = elementsOf(dump, 'bytes_up').map((element) => element.key)
  for (const text of [...owners, ...counted]) book.nextHandle = Math.max(book.nextHandle, (readClassid(text) ?? 0) + 1)
  for (const handle of book.byHandle.keys()) book.nextHandle = Math.max(book.nextHandle, handle + 1)
  return book
}

function foundSession(key: string, quota: DumpedQuota): BookedSession {
  return {
    key,
    id: null,
    totalBytes: quota.totalBytes,
    startBytes: quota.usedBytes,
    generation: 0,
    isSpent: quota.usedBytes >= quota.totalBytes,
    readBytes: quota.usedBytes,
    downKbps: null,
    upKbps: null,
    minor: null,
    macs: [],
  }
}

/**
 * First difference between the kernel and the book, in words; null when there is none. A lease that is missing
 * although its time is not over, or lasts longer than it should, is a difference; one that ran out is not.
 */
export function differenceFrom(book: Book, dump: Contents, nowMs: number): string | null {
  for (const set of BOOK_SETS) {
    const expected = new Map<string, Field | null>()
    for (const device of book.devices.values()) {
      const session = device.session === null ? undefined : book.sessions.get(device.session)
      for (const print of footprints(device, session)) if (print.set === set) expected.set(print.key.join(' . '), print.value)
    }
    const found = elementsOf(dump, set)
    for (const element of found) {
      const value = expected.get(plainKey(element.key))
      if (value === undefined) return `${set} holds ${element.key}, which nobody granted`
      if ((value === null ? null : String(value)) !== (element.value === null ? null : plainValue(element.value))) return `${set} leads ${element.key} to ${String(element.value)}`
    }
    if (found.length < expected.size) return `${set} lacks ${expected.size - found.length} of ${expected.size}`
  }
  return leaseDifference(book, dump, nowMs) ?? quotaDifference(book, dump)
}

function leaseDifference(book: Book, dump: Contents, nowMs: number): string | null {
  const missing = new Map<number, Device>()
  for (const device of book.devices.values()) if (isPaid(device, book.sessions)) missing.set(device.handle, device)
  for (const element of elementsOf(dump, PAID)) {
    const handle = readClassid(element.key) ?? 0
    const device = missing.get(handle)
    if (device === undefined) return `${PAID} holds ${element.key}, which nobody granted`
    missing.delete(handle)
    if (element.expiresSeconds === null || nowMs + element.expiresSeconds * 1000 > device.untilMs + LATE_TOLERANCE_MS) return `the lease of ${device.mac} is longer than granted`
  }
  for (const device of missing.values()) if (device.untilMs > nowMs + EARLY_TOLERANCE_MS) return `the lease of ${device.mac} is gone before its time`
  return null
}

function quotaDifference(book: Book, dump: Contents): string | null {
  const limited = [...book.sessions.values()].filter((session) => session.totalBytes !== null)
  for (const session of limited) {
    const quota = dump.quotas.get(session.key)
    if (quota === undefined) return `quota ${session.key} is gone`
    if (quota.totalBytes !== session.totalBytes) return `quota ${session.key} is ${quota.totalBytes} bytes instead of ${String(session.totalBytes)}`
  }
  return dump.quotas.size > limited.length ? `${dump.quotas.size - limited.length} quotas nobody granted` : null
}

/** Handles as the book has them, `1048577`, instead of nft's `10:1`. */
function plainValue(text: string): string {
  const handle = readClassid(text)
  return handle === null ? text : String(handle)
}

function plainKey(key: string): string {
  return key.split(' . ').map(plainValue).join(' . ')
}

/** The shaper begins anew with each life, so classes found in the kernel mean nothing. */
export function withoutClasses(dump: Contents): Contents {
  const sets = new Map(dump.sets)
  sets.delete('inet classes')
  return { sets, quotas: dump.quotas }
}
