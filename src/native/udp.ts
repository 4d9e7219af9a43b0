/** UDP by the batch: what native/udp does, and its layouts. Nothing here knows what is in a datagram. */

export interface UdpPlace {
  /** IPv4 that came through IPv6 is written as IPv4. A link's own address has its scope as a number: `fe80::1%3`. */
  readonly host: string
  readonly port: number
}

export interface UdpOptions {
  /** IPv4 or IPv6, no name. */
  readonly address: string
  /** 0: any. */
  readonly port: number
  /** Asked of the kernel, for what comes while the event loop is busy. */
  readonly receiveBytes: number
  /** What comes less than `closeMs` after the last batch waits `gatherMs` for others; `gatherMs` 0: never. Each at most 1,000. */
  readonly closeMs: number
  readonly gatherMs: number
}

/**
 * Datagrams lie in numbered slots from the call of the listener until it returns. An answer goes to where its datagram came from, is no longer than
 * it, and leaves with the others by `answer()`. Who sends and closes may do so at any time.
 */
export interface UdpSocket {
  /** 0: closed. */
  readonly port: number
  /** A copy of the datagram. */
  bytes(slot: number): Uint8Array
  /** The same object for the same place, while it is among the newest. */
  from(slot: number): UdpPlace
  /** The datagram's bytes are overwritten by it: take them first. */
  mark(slot: number, answer: Uint8Array): void
  /** Sends what is marked; how many of them the kernel did not take. */
  answer(): number
  /** False: the kernel did not take it. */
  send(bytes: Uint8Array, to: UdpPlace): boolean
  close(): void
}

/** `listener`: so many datagrams lie in slots 0 and following. Errors: unavailable `cannot-listen`. */
export type OpenUdp = (options: UdpOptions, listener: (socket: UdpSocket, count: number) => void) => UdpSocket
