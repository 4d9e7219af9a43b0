/** UDP by the batch, as the native addon does it (src/native/udp.ts); handed in by main where there is one. */

/**
 * Datagrams lie in numbered slots from the call of the listener until it returns. An answer goes to where its datagram came from, is no longer than
 * it, and leaves with the others by `answer()`.
 */
export interface UdpSocket {
  /** 0: closed. */
  readonly port: number
  /** A copy of the datagram. */
  bytes(slot: number): Uint8Array
  /** IPv4 that came through IPv6 is written as IPv4. */
  from(slot: number): { readonly host: string; readonly port: number }
  /** The datagram's bytes are overwritten by it: take them first. */
  mark(slot: number, answer: Uint8Array): void
  /** Sends what is marked; how many of them the kernel did not take. */
  answer(): number
  /** False: the kernel did not take it. */
  send(bytes: Uint8Array, to: { readonly host: string; readonly port: number }): boolean
  close(): void
}

/**
 * What comes less than `closeMs` after the last batch waits `gatherMs` for others.
 * `listener`: so many datagrams lie in slots 0 and following. Errors: unavailable `cannot-listen`.
 */
export type OpenUdp = (options: { readonly address: string; readonly port: number; readonly receiveBytes: number; readonly closeMs: number; readonly gatherMs: number }, listener: (socket: UdpSocket, count: number) => void) => UdpSocket
