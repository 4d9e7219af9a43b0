/**
 * The gate: what the kernel lets through. Level-triggered: the hotspot says what should be open, the gate
 * makes it so and keeps it so. A grant is always a lease; when nobody renews it, the kernel closes it.
 */

/** Lower-case `aa:bb:cc:dd:ee:ff`. */
export type MacAddress = string

/** One device of one session, as the kernel should hold it. Quota and rates belong to the session. */
export interface Grant {
  readonly sessionId: string
  readonly mac: MacAddress
  /** The device's IPv4 address, if known. IPv6 addresses are learned by the kernel from the MAC. */
  readonly ip4: string | null
  /** From now until the kernel closes by itself: min(remaining, lease). > 0. */
  readonly leaseMs: number
  /** Bytes (up + down, layer 3) the session may still use; null = not limited. */
  readonly quotaBytes: number | null
  /**
   * Bytes the session has used by the caller's books, those that `quotaBytes` already leaves out. Their sum
   * is the session's whole allowance; the kernel goes on with its own count, so what passed since the books
   * were read is not given away at a renewal. Absent: what `counters` last reported for its devices.
   */
  readonly usedBytes?: number
  readonly downKbps: number | null
  readonly upKbps: number | null
}

export interface GateChange {
  /** Opens, renews or alters. A grant for a MAC replaces the older grant of that MAC. */
  readonly open: readonly Grant[]
  /** Closes these devices at once, both directions, established flows included. */
  readonly close: readonly MacAddress[]
}

/**
 * Layer-3 bytes and packets that passed since the device was first opened; not reset by renewals, nor by
 * close and open again. A device closed for 15 minutes is forgotten; opened after that, it counts from 0 anew.
 */
export interface DeviceCounters {
  readonly mac: MacAddress
  readonly upBytes: number
  readonly downBytes: number
  readonly upPackets: number
  readonly downPackets: number
}

export interface GateHealth {
  /** `recording`: no kernel behind it (record-only mode). */
  readonly state: 'ready' | 'recording' | 'degraded' | 'down'
  readonly reason?: string
  /** Times our rules were found missing or altered and put back. */
  readonly repairs: number
  readonly devices: number
  /** Who carries changes to the kernel; absent while none does. */
  readonly driver?: 'netlink' | 'nft'
}

export interface GateAlarm {
  readonly kind: 'repaired' | 'degraded' | 'duplicate-mac' | 'forged-address'
  readonly detail: string
  readonly mac?: MacAddress
}

export interface Gate {
  /** Installs rules (fail closed: nothing is open) and begins watching them. */
  start(): Promise<void>
  /** Leaves the rules in the kernel, so that open leases run out by themselves. */
  stop(): Promise<void>
  /**
   * One all-or-nothing kernel transaction; close is carried out before open. Resolves when the kernel has
   * it, rejects with MeshBoxError `unavailable` code `gate-failed` and nothing changed.
   * Concurrent calls are coalesced in order.
   */
  apply(change: GateChange): Promise<void>
  /** Makes the kernel hold exactly these grants (start-up, repair). */
  replace(grants: readonly Grant[]): Promise<void>
  /** All devices with counters. */
  counters(): Promise<DeviceCounters[]>
  /** Cheap check before money moves: is the gate able to open one more? */
  preflight(): Promise<void>
  health(): GateHealth
}

export interface GateCallbacks {
  /** The kernel lost our state and the gate re-made its rules: answer with all grants (as for `replace`). */
  readonly desired: () => readonly Grant[]
  readonly alarm: (alarm: GateAlarm) => void
  /**
   * The kernel stopped this session because its bytes are used up (the packet that would have gone over is
   * not let through, so the counters stay up to one packet of 64 KiB below the allowance). Its devices are
   * closed already; a grant with a larger allowance opens them again.
   */
  readonly spent?: (sessionId: string) => void
}

/** Who is behind an address on the guest link. */
export interface NeighbourTable {
  start(): Promise<void>
  stop(): Promise<void>
  /** MAC behind an IPv4 or IPv6 address on the guest interface (IPv4-mapped IPv6 accepted); null if unknown. */
  macOf(address: string): Promise<MacAddress | null>
  /** Newest IPv4 address known for a MAC (lease file first, then neighbour table); null if none. */
  ip4Of(mac: MacAddress): string | null
  /** A device's IPv4 address became known or changed. */
  onIp4(listener: (mac: MacAddress, ip4: string) => void): void
  /** The kernel has something new of a device, also of one it knew: it is here, or was until now. */
  onHeard(listener: (mac: MacAddress) => void): void
}
