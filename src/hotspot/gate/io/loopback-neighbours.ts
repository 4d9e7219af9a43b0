/**
 * Neighbours for record-only mode: no guest link, so every address gets a MAC of its own, made from the
 * address (locally administered, the same after a restart). Trying the portal from another address of the
 * loopback network (127.0.0.2 …) is then trying it with another device.
 */
import { createHash } from 'node:crypto'
import { isIp4, readIp } from '../address.ts'
import type { MacAddress, NeighbourTable } from '../types.ts'

const MAX_KNOWN = 4096

export class LoopbackNeighbours implements NeighbourTable {
  readonly #ip4Of = new Map<MacAddress, string>()
  readonly #listeners: ((mac: MacAddress, ip4: string) => void)[] = []

  start(): Promise<void> {
    return Promise.resolve()
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  macOf(address: string): Promise<MacAddress | null> {
    const ip = readIp(address)
    if (ip === null) return Promise.resolve(null)
    const digest = createHash('sha256').update(`neighbour ${ip}`).digest('hex')
    const mac = ['02', ...(digest.slice(0, 10).match(/../g) ?? [])].join(':')
    if (isIp4(ip) && !this.#ip4Of.has(mac) && this.#ip4Of.size < MAX_KNOWN) {
      this.#ip4Of.set(mac, ip)
      for (const listener of this.#listeners) listener(mac, ip)
    }
    return Promise.resolve(mac)
  }

  ip4Of(mac: MacAddress): string | null {
    return this.#ip4Of.get(mac) ?? null
  }

  onIp4(listener: (mac: MacAddress, ip4: string) => void): void {
    this.#listeners.push(listener)
  }

  /** There is no link on which anybody could be heard. */
  onHeard(): void {}
}
