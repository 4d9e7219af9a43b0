/**
 * Connections between boxes, as this room needs them: encrypted, the other end's peer id shown, many streams in each.
 * io/libp2p-wire.ts makes them; nothing above this line knows libp2p.
 */
export interface WireStream {
  /** Order is kept. On a stream that is closed it does nothing. */
  write(bytes: Uint8Array): void
  /** Bytes that were written and have not left yet. */
  queuedBytes(): number
  /** Bytes that came while it was paused. */
  unreadBytes(): number
  pause(): void
  resume(): void
  abort(reason: string): void
}

/** What the owner of a stream is told. */
export interface StreamEnds {
  onBytes(bytes: Uint8Array): void
  /** Less is queued than was. */
  onDrained(): void
  onClosed(): void
}

export interface WireConnection {
  /** Multihash of the other end's key, which it has shown to own. */
  readonly peerId: Uint8Array
  /** The same for people. */
  readonly peerIdText: string
  /** `/ip6/fd…/tcp/40003`. */
  readonly address: string
  readonly isOutbound: boolean
  /** Errors: what the network says; the other end does not speak it, or not in time. */
  openStream(protocol: string, ends: (stream: WireStream) => StreamEnds): Promise<void>
  close(reason: string): void
}

/** What the node decides. */
export interface WireOwner {
  /** Before the handshake, by where it comes from. */
  mayConnect(address: string): boolean
  /** A connection stands, ours or another's. */
  onConnection(connection: WireConnection): void
  onConnectionClosed(connection: WireConnection): void
  /** The other end opened a stream; null: it is refused. */
  onStream(connection: WireConnection, protocol: string, stream: WireStream): StreamEnds | null
}

export interface Wire {
  /** Of this box; known before `start`. */
  readonly peerId: Uint8Array
  start(owner: WireOwner, protocols: readonly string[]): Promise<void>
  /** Where it listens. */
  addresses(): readonly string[]
  /** The connection is told by `onConnection`, and returned. Errors: what the network says. */
  dial(address: string): Promise<WireConnection>
  stop(): Promise<void>
}
