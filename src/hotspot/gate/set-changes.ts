/**
 * Changes of the kernel's sets as values: what the book and the guard want done, before it becomes nft's language
 * (nft-text.ts) or netlink's bytes (netlink-elements.ts). A list of changes is one transaction, carried out in order.
 */
import { BORROWED6, DOUBLED, FORGED, GARDEN4, GARDEN6, PAID } from './names.ts'

/**
 * What a field of a key holds: `mac`, `ip4`, `ip6` and `port` (an interface's name) are texts, `handle` (of
 * a device, or a class of the shaper) is a number. `raw6` is an IPv6 address where nft knows only bytes.
 */
export type FieldKind = 'mac' | 'ip4' | 'ip6' | 'raw6' | 'handle' | 'port'
export type Field = string | number

export interface SetShape {
  readonly family: 'inet' | 'bridge'
  readonly key: readonly FieldKind[]
  /** What it leads to, in a map: a handle, or a quota object by its name. */
  readonly value: 'handle' | 'quota' | null
  /** Its elements carry a counter. */
  readonly counts?: true
}

const inet = (key: readonly FieldKind[], value: SetShape['value'] = null): SetShape => ({ family: 'inet', key, value })
const bridge = (...key: readonly FieldKind[]): SetShape => ({ family: 'bridge', key, value: null })

/** Every set the service writes or reads, as ruleset.ts and guard.ts declare it. */
export const SETS = {
  up4: inet(['mac', 'ip4'], 'handle'),
  down4: inet(['ip4'], 'handle'),
  upmac: inet(['mac'], 'handle'),
  devmac: inet(['mac', 'handle']),
  quotas: inet(['handle'], 'quota'),
  classes: inet(['handle'], 'handle'),
  bytes_up: { ...inet(['handle']), counts: true },
  bytes_down: { ...inet(['handle']), counts: true },
  owner6: inet(['ip6'], 'handle'),
  [PAID]: inet(['handle']),
  [GARDEN4]: inet(['ip4']),
  [GARDEN6]: inet(['ip6']),
  [BORROWED6]: inet(['mac']),
  guest_ports: bridge('port'),
  router_macs: bridge('mac'),
  router6: bridge('raw6'),
  leased4: bridge('mac', 'ip4'),
  owned4: bridge('ip4'),
  // Filled by rules, with keys that nobody here reads; only ever flushed.
  vetted4: bridge(),
  vetted6: bridge(),
  [FORGED]: bridge('mac'),
  [DOUBLED]: bridge('mac', 'port'),
} as const satisfies Record<string, SetShape>
export type SetName = keyof typeof SETS

/** Wider than the table's own literal types. */
export function shapeOf(set: SetName): SetShape {
  return SETS[set]
}

export interface SetElement {
  readonly key: readonly Field[]
  /** Handle, or name of a quota object; maps only. */
  readonly value?: Field
  /** > 0. Absent: the set's own, or none. */
  readonly timeoutMs?: number
  /** Where a counter begins. */
  readonly count?: { readonly packets: number; readonly bytes: number }
}

export type SetChange =
  | { readonly do: 'add' | 'delete'; readonly set: SetName; readonly elements: readonly SetElement[] }
  /** All elements away. */
  | { readonly do: 'flush'; readonly set: SetName }
  /** Makes the object, or takes over the limit for one that is there, whose count then stays. */
  | { readonly do: 'add-quota'; readonly quota: string; readonly totalBytes: number; readonly usedBytes: number }
  | { readonly do: 'delete-quota'; readonly quota: string }
