/** UDP sockets on the native addon (native/udp). Where there is no addon, whoever wants a socket takes node:dgram. */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { OpenUdp, UdpOptions, UdpPlace, UdpSocket } from '../udp.ts'
import { loadAddon } from './load-addon.ts'

/** What native/udp/addon.cc exports. It checks every argument itself, with plainer errors. */
interface Addon {
  open(address: string, port: number, receiveBytes: number, closeMs: number, gatherMs: number, bytes: Uint8Array, table: Int32Array, listener: (count: number) => void): number
  port(socket: number): number
  answer(socket: number): number
  host(socket: number, slot: number): string | null
  send(socket: number, bytes: Uint8Array, address: string, port: number): number
  close(socket: number): void
}

const FUNCTIONS: Readonly<Record<keyof Addon, true>> = { open: true, port: true, answer: true, host: true, send: true, close: true }

/** As native/udp/socket.h has them. */
const SLOTS = 16
const SLOT_BYTES = 65_536
const ROW_WORDS = 8
const ANSWER_WORD = 7
/** Places that are remembered; a flood of made-up addresses begins anew with them. */
const MAX_PLACES = 256

/**
 * The addon at this absolute path; null for null.
 * Errors: input `path`; unavailable `addon-unusable`.
 */
export function loadUdp(path: string | null): OpenUdp | null {
  if (path === null) return null
  const addon = loadAddon(path, Object.keys(FUNCTIONS)) as unknown as Addon
  return (options, listener) => new AddonSocket(addon, options, listener)
}

class AddonSocket implements UdpSocket {
  readonly #addon: Addon
  readonly #number: number
  /** The kernel writes into it, and touches of each slot only what a datagram fills. */
  readonly #bytes = Buffer.from(new ArrayBuffer(SLOTS * SLOT_BYTES))
  readonly #table = new Int32Array(SLOTS * ROW_WORDS)
  /** By address and port; of IPv6 by text. */
  readonly #places = new Map<number | string, UdpPlace>()
  #isClosed = false

  constructor(addon: Addon, { address, port, receiveBytes, closeMs, gatherMs }: UdpOptions, listener: (socket: UdpSocket, count: number) => void) {
    this.#addon = addon
    try {
      this.#number = addon.open(address, port, receiveBytes, closeMs, gatherMs, this.#bytes, this.#table, (count) => listener(this, count))
    } catch (thrown) {
      throw new MeshBoxError('unavailable', `cannot listen at UDP ${address}:${port}: ${asError(thrown).message}`, { code: 'cannot-listen', cause: thrown })
    }
  }

  get port(): number {
    return this.#isClosed ? 0 : this.#addon.port(this.#number)
  }

  bytes(slot: number): Uint8Array {
    const length = this.#table[slot * ROW_WORDS] ?? 0
    const copy = Buffer.allocUnsafe(length)
    this.#bytes.copy(copy, 0, slot * SLOT_BYTES, slot * SLOT_BYTES + length)
    return copy
  }

  from(slot: number): UdpPlace {
    const table = this.#table
    const row = slot * ROW_WORDS
    const port = table[row + 1] ?? 0
    const isV4 = table[row + 2] === 0 && table[row + 3] === 0 && table[row + 4] === 0xffff
    const key = isV4 ? ((table[row + 5] ?? 0) >>> 0) * 0x1_0000 + port : table.subarray(row + 1, row + ANSWER_WORD).join()
    const known = this.#places.get(key)
    if (known !== undefined) return known
    if (this.#places.size >= MAX_PLACES) this.#places.clear()
    const place = { host: this.#addon.host(this.#number, slot) ?? '', port }
    this.#places.set(key, place)
    return place
  }

  mark(slot: number, answer: Uint8Array): void {
    this.#bytes.set(answer, slot * SLOT_BYTES)
    this.#table[slot * ROW_WORDS + ANSWER_WORD] = answer.length
  }

  answer(): number {
    return this.#isClosed ? 0 : this.#addon.answer(this.#number)
  }

  send(bytes: Uint8Array, { host, port }: UdpPlace): boolean {
    return !this.#isClosed && this.#addon.send(this.#number, bytes, host, port) === 0
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#addon.close(this.#number)
  }
}
