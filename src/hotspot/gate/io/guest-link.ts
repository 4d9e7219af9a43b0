/** The guest link as the kernel shows it: bridge ports, the box's own addresses on it, interface numbers. */
import { readFileSync, readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { readIp, readMac } from '../address.ts'
import type { MacAddress } from '../types.ts'

export interface LinkState {
  /** False: a plain interface, without ports to guard. */
  readonly isBridge: boolean
  readonly ports: readonly string[]
  /** The bridge's own MAC and its ports'. */
  readonly macs: readonly MacAddress[]
  readonly ip4: readonly string[]
  readonly ip6: readonly string[]
  /** Kernel's number of an interface, 0 where it is missing: an interface made anew has another. */
  indexOf(device: string): number
}

export type ReadLink = () => LinkState

/** Reads sysfs and the interface list; a handful of small reads, no process. */
export function systemLink(guestInterface: string): ReadLink {
  return () => {
    const ports = listDirectory(`/sys/class/net/${guestInterface}/brif`)
    const names = [guestInterface, ...(ports ?? [])]
    const addresses = (networkInterfaces()[guestInterface] ?? []).map((entry) => readIp(entry.address)).filter((address) => address !== null)
    return {
      isBridge: ports !== null,
      ports: ports ?? [],
      macs: [...new Set(names.map((name) => readMac(readText(`/sys/class/net/${name}/address`))).filter((mac) => mac !== null))].sort(),
      ip4: addresses.filter((address) => !address.includes(':')).sort(),
      ip6: addresses.filter((address) => address.includes(':')).sort(),
      indexOf: (device) => Number(readText(`/sys/class/net/${device}/ifindex`)) || 0,
    }
  }
}

function listDirectory(path: string): string[] | null {
  try {
    return readdirSync(path).sort()
  } catch {
    return null // not a bridge, or not there (yet)
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return '' // an interface that has just gone
  }
}
