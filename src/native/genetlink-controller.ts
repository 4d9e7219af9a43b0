/**
 * The family that knows all families, `nlctrl`, and the form of every message. Numbers: the kernel's
 * <linux/genetlink.h>.
 *
 *   netlink header  16  length u32, type u16, flags u16, sequence u32, port u32
 *   family's header  4  command u8, version u8, reserved u16
 *   attributes      ...
 */
import { listAttributes, readAttributes } from './genetlink-attributes.ts'
import type { GenetlinkFamily, GenetlinkMessage } from './genetlink.ts'

export const CONTROLLER: GenetlinkFamily = { id: 16, name: 'nlctrl', version: 1, groups: new Map([['notify', 16]]) }
export const GET_FAMILY = 3
export const FAMILY_NAME = 2
/** A family's name with the zero byte at its end (GENL_NAMSIZ). */
export const FAMILY_NAME_BYTES = 16

const FAMILY_ID = 1
const FAMILY_VERSION = 3
const FAMILY_GROUPS = 7
const GROUP_NAME = 1
const GROUP_ID = 2

const NETLINK_HEADER_BYTES = 16
const HEADERS_BYTES = NETLINK_HEADER_BYTES + 4

/** Null for a message without name or number. */
export function decodeFamily(message: GenetlinkMessage): GenetlinkFamily | null {
  const found = readAttributes(message.attributes)
  const [id, name, version] = [found.u16(FAMILY_ID), found.text(FAMILY_NAME), found.u32(FAMILY_VERSION)]
  if (id === null || name === null) return null
  const groups = new Map<string, number>()
  for (const { value } of listAttributes(found.bytes(FAMILY_GROUPS) ?? new Uint8Array(0))) {
    const group = readAttributes(value)
    const [groupName, groupId] = [group.text(GROUP_NAME), group.u32(GROUP_ID)]
    if (groupName !== null && groupId !== null) groups.set(groupName, groupId)
  }
  return { id, name, version: version ?? 1, groups }
}

export interface TypedMessage {
  /** The family's number. */
  readonly type: number
  readonly message: GenetlinkMessage
}

/** The messages that the addon hands over: each padded to 4 bytes. A length that cannot be ends the reading. */
export function splitMessages(bytes: Uint8Array): TypedMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: TypedMessage[] = []
  for (let at = 0; at + HEADERS_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, true)
    if (length < HEADERS_BYTES || length > bytes.length - at) break
    const [command, version] = [view.getUint8(at + NETLINK_HEADER_BYTES), view.getUint8(at + NETLINK_HEADER_BYTES + 1)]
    found.push({ type: view.getUint16(at + 4, true), message: { command, version, attributes: bytes.subarray(at + HEADERS_BYTES, at + length) } })
    at += (length + 3) & ~3
  }
  return found
}
