/**
 * Generic netlink: how batman-adv, Wi-Fi (nl80211) and other parts of the kernel are asked and watched. This
 * door moves messages; what their attributes mean is in batadv.ts and nl80211.ts. Sources: the kernel's
 * <linux/genetlink.h>, netlink(7). How it is built: docs/genetlink.md.
 */
import { MeshBoxError } from '../base/index.ts'

/** Bytes of attributes in one request. */
export const MAX_GENETLINK_REQUEST_BYTES = 32_768
/** Bytes of one answer, all its messages together: 4 MiB is a dump of some 40,000 translation table entries. */
export const DEFAULT_GENETLINK_ANSWER_BYTES = 4 * 1024 * 1024
/** Requests that may wait in one Genetlink. */
export const MAX_GENETLINK_WAITING = 256

/** A part of the kernel that speaks generic netlink, as long as its module stays loaded. */
export interface GenetlinkFamily {
  readonly id: number
  readonly name: string
  readonly version: number
  /** Multicast groups: name → number. */
  readonly groups: ReadonlyMap<string, number>
}

export interface GenetlinkMessage {
  readonly command: number
  readonly version: number
  /** To be read with `readAttributes`. */
  readonly attributes: Uint8Array
}

export interface GenetlinkWatcher {
  onMessage(message: GenetlinkMessage): void
  /** Events were lost: anything may have happened. The watch goes on. */
  onLost(): void
}

export interface GenetlinkCall {
  /** Gives up waiting: rejects with `unavailable` `genetlink-given-up`. What the kernel has begun, it finishes. */
  readonly signal?: AbortSignal
  /** Of the answer, at most; more is `limit` `genetlink-too-long`. Default: DEFAULT_GENETLINK_ANSWER_BYTES. */
  readonly answerBytes?: number
}

/**
 * One network namespace. Requests are answered in the order they were made. The process stays alive while
 * something is asked or watched.
 *
 * Errors of all: GenetlinkRefused when the kernel says no; `unavailable` `genetlink-closed` after close and for
 * what was under way; `limit` `genetlink-busy` when MAX_GENETLINK_WAITING wait. Wrong arguments are `input`.
 * All of them reject.
 */
export interface Genetlink {
  /** All families that this kernel knows now. */
  families(call?: GenetlinkCall): Promise<GenetlinkFamily[]>
  /** Errors: `unavailable` `genetlink-no-family`: mostly a kernel module that is not loaded. */
  family(name: string, call?: GenetlinkCall): Promise<GenetlinkFamily>
  /** Asks for one thing; mostly answered with one message, or with none when something was set. */
  request(family: GenetlinkFamily, command: number, attributes: Uint8Array, call?: GenetlinkCall): Promise<GenetlinkMessage[]>
  /**
   * Asks for a list. When it changes while the kernel tells it, it is asked for again, up to
   * five times; then `unavailable` `genetlink-dump-unsteady`.
   */
  dump(family: GenetlinkFamily, command: number, attributes: Uint8Array, call?: GenetlinkCall): Promise<GenetlinkMessage[]>
  /** Index of an interface of this namespace. Errors: `not-found` `no-interface`. */
  interfaceIndex(name: string, call?: GenetlinkCall): Promise<number>
  /**
   * Listens from when the promise is fulfilled; the function ends it. Of a family with several watched groups
   * a watcher hears them all. Errors: `unavailable` `genetlink-no-group`.
   */
  watch(family: GenetlinkFamily, group: string, watcher: GenetlinkWatcher): Promise<() => void>
  /** Any number of times. */
  close(): void
}

export interface GenetlinkOptions {
  /** Path of the network namespace, such as /run/netns/x; null or missing: the process's own. */
  readonly namespacePath?: string | null
  /** How much may wait unread in the kernel, for answers and for events. Default: 1 MiB; above the system's limit only with CAP_NET_ADMIN. */
  readonly receiveBytes?: number
  /** `route`: rtnetlink instead, for messages with a header of four bytes, whose type stands for the family (traffic-actions.ts). Default: `generic`. */
  readonly protocol?: 'generic' | 'route'
}

export interface GenetlinkDoor {
  /** Errors: `unavailable` `genetlink-unusable` (no such namespace, not allowed) or `no-genetlink` (no addon here). */
  open(options?: GenetlinkOptions): Promise<Genetlink>
}

/** The kernel refused. */
export class GenetlinkRefused extends MeshBoxError {
  /** Such as ENODEV; `E` and the number for one without a name here. */
  readonly errno: string
  /** The kernel's own words; empty if it gave none. */
  readonly words: string

  constructor(what: string, errno: string, words: string) {
    super('unavailable', `the kernel refused ${what}: ${errno}${words === '' ? '' : ` (${words})`}`, { code: 'genetlink-refused', value: errno })
    this.errno = errno
    this.words = words
  }
}

/** What stands in for the door where the addon is not installed. */
export const NO_GENETLINK: GenetlinkDoor = {
  open: () =>
    Promise.reject(
      new MeshBoxError('unavailable', 'mesh and Wi-Fi cannot be looked at here: the native addon genetlink is not installed; install the package for this machine, or build it (docs/native.md)', {
        code: 'no-genetlink',
      }),
    ),
}
