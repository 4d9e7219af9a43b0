/**
 * Counters of traffic control's actions, from one dump over rtnetlink: no process. An action stands by itself and is shared by
 * filters; it goes on counting when they change. Who made it knows it again by its cookie, up to 16 bytes of its own. Numbers: the
 * kernel's <linux/rtnetlink.h>, <linux/pkt_cls.h>, <linux/gen_stats.h>.
 */
import { concatBytes } from '../base/index.ts'
import { attribute, listAttributes, nestedAttribute, readAttributes, textAttribute } from './genetlink-attributes.ts'
import type { Attributes } from './genetlink-attributes.ts'
import type { Genetlink, GenetlinkFamily, GenetlinkMessage } from './genetlink.ts'

export interface TrafficAction {
  readonly index: number
  /** Null: it was made without one. */
  readonly cookie: Uint8Array | null
  /** With Ethernet headers on the way out. */
  readonly bytes: bigint
  readonly packets: bigint
  /** Filters that use it. */
  readonly filters: number
}

export interface TrafficActions {
  /** All of this kind (`gact`, `mirred`) in the network namespace; none where the kernel does not have the kind. Errors: those of Genetlink. */
  list(kind: string): Promise<TrafficAction[]>
}

/** Its messages begin with four bytes, family and padding, as generic netlink's do with command and version. */
const GET_ACTIONS: GenetlinkFamily = { id: 50, name: 'actions of traffic control', version: 0, groups: new Map() }
const UNSPECIFIED = 0

const TABLE = 1
const FLAGS = 2
const KIND = 1
const OPTIONS = 2
const STATISTICS = 4
const COOKIE = 6
const BASIC = 1
const MANY_PACKETS = 8
/** Of gact as of mirred: index u32, capabilities u32, verdict u32, references u32, filters u32; some have more behind it. */
const PARAMETERS = 2
const PARAMETER_BYTES = 20
const BASIC_BYTES = 12
/** More than 32 actions in one message (value, selector). */
const LARGE_DUMP = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** `netlink`: opened with `protocol: 'route'`. */
export function createTrafficActions(netlink: Pick<Genetlink, 'dump'>): TrafficActions {
  return { list: async (kind) => (await netlink.dump(GET_ACTIONS, UNSPECIFIED, actionsQuestion(kind))).flatMap(decodeActions) }
}

function actionsQuestion(kind: string): Uint8Array {
  return concatBytes(nestedAttribute(TABLE, nestedAttribute(1, textAttribute(KIND, kind))), attribute(FLAGS, LARGE_DUMP))
}

/** What lacks its index or its counter is left out. */
function decodeActions(message: Pick<GenetlinkMessage, 'attributes'>): TrafficAction[] {
  const table = readAttributes(message.attributes).bytes(TABLE)
  return listAttributes(table ?? new Uint8Array(0)).flatMap(({ value }) => decodeAction(readAttributes(value)))
}

function decodeAction(action: Attributes): TrafficAction[] {
  const parameters = action.nested(OPTIONS)?.bytes(PARAMETERS)
  const statistics = action.nested(STATISTICS)
  const basic = statistics?.bytes(BASIC)
  if (parameters === undefined || parameters === null || parameters.length < PARAMETER_BYTES) return []
  if (statistics === null || basic === undefined || basic === null || basic.length < BASIC_BYTES) return []
  const many = statistics.bytes(MANY_PACKETS)
  return [
    {
      index: viewOf(parameters).getUint32(0, true),
      cookie: action.bytes(COOKIE),
      bytes: viewOf(basic).getBigUint64(0, true),
      packets: many?.length === 8 ? viewOf(many).getBigUint64(0, true) : BigInt(viewOf(basic).getUint32(8, true)),
      filters: viewOf(parameters).getUint32(PARAMETER_BYTES - 4, true),
    },
  ]
}
