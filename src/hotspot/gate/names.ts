/**
 * Names in the kernel. Chosen so that none is a word of nft's own language, and short enough to read in a
 * dump. docs/gate.md explains what each holds.
 */

/** Our table, in the families `inet` and `bridge`. */
export const TABLE = 'meshbox'

/** Walled garden, filled by dnsmasq (its configuration names these). */
export const GARDEN4 = 'garden4'
export const GARDEN6 = 'garden6'

/** Sets and maps of the `inet` table whose contents the service keeps (book.ts). */
export const BOOK_SETS = ['up4', 'down4', 'upmac', 'devmac', 'quotas', 'classes', 'bytes_up', 'bytes_down'] as const
export type BookSet = (typeof BOOK_SETS)[number]

/** Leases: the one set that opens the gate. */
export const PAID = 'paid'

/** Dynamic sets of the `bridge` table that the service reads for alarms. */
export const FORGED = 'forged'
export const DOUBLED = 'doubled'
/** Dynamic set of the `inet` table: paid devices that used another paid device's IPv6 address. */
export const BORROWED6 = 'borrowed6'

/** Chains named so carry the fingerprint of the rules beside them (fingerprint.ts). */
export const MARK_PREFIX = 'mark_'

/**
 * `skb->priority` is the one register our rules have from packet to verdict; it holds a device's handle while
 * a packet is judged, then the shaper's class or nothing. The kernel's own values stay below 16, HTB's classes
 * have major 1: handles start well above both.
 */
export const FIRST_HANDLE = 0x0010_0001
export const LAST_HANDLE = 0xfff0_0000

/** Marks a DNS answer to an unpaid guest between the `inet` output chain and the bridge, where its MAC is known. */
export const UNPAID_ANSWER = 0xfff0_0001

/** A handle or class as nft takes it in any place; `10:1` is not understood everywhere by nft 1.0.6. */
export function classid(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

/** nft's own spelling, `10:1` or `none`. */
export function shownClassid(value: number): string {
  return value === 0 ? 'none' : `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`
}

/** Reads nft's own spelling, `10:1` or `none`; null when it is neither. */
export function readClassid(text: string): number | null {
  if (text === 'none') return 0
  const parts = /^([0-9a-f]{0,4}):([0-9a-f]{0,4})$/i.exec(text)
  if (!parts) return null
  return Number.parseInt(parts[1] || '0', 16) * 0x1_0000 + Number.parseInt(parts[2] || '0', 16)
}
