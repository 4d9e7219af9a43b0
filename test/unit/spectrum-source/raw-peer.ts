/** A peer that does what it likes: a real RLPx session, of which a test sends every message by hand; and bare sockets. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { systemTimers } from '../../../src/base/io/system.ts'
import { CODE, encodeStatus } from '../../../src/spectrum/source/eth63.ts'
import type { Message, Status } from '../../../src/spectrum/source/eth63.ts'
import { TcpDoor } from '../../../src/spectrum/source/io/tcp-door.ts'
import { MAX_MESSAGE_BYTES, RECEIVE_BUDGET_BYTES } from '../../../src/spectrum/source/limits.ts'
import { ReceiveBudget } from '../../../src/spectrum/source/receive-budget.ts'
import { FrameWriter } from '../../../src/spectrum/source/rlpx/frame.ts'
import { pack } from '../../../src/spectrum/source/rlpx/snappy.ts'
import { ByteStream } from '../../../src/spectrum/source/rlpx/wire.ts'
import { openRlpx } from '../../../src/spectrum/source/rlpx/open.ts'
import { Initiator, bodyBytes, nodeIdOf } from '../../../src/spectrum/source/rlpx/handshake.ts'
import { BASE_CODE, CAPABILITY_OFFSET, encodeHello, ourHello } from '../../../src/spectrum/source/rlpx/base-protocol.ts'
import type { Wire } from '../../../src/spectrum/source/rlpx/index.ts'
import type { RlpxSession } from '../../../src/spectrum/source/rlpx/session.ts'
import { identityOf } from '../../../src/spectrum/source/eth63-peer.ts'
import { native } from '../spectrum/curves.ts'
import { devnet, dice, freshKey, realClock } from './towns.ts'
import type { Town } from './towns.ts'

const doors: TcpDoor[] = []
const sockets: Socket[] = []

export async function closeRawPeers(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(doors.splice(0).map((door) => door.close()))
}

export const goodStatus = (): Status => ({ version: 63, networkId: 1n, totalDifficulty: devnet(8).totalDifficulty, head: devnet(8).hash, genesis: devnet(0).hash })

export class RawPeer {
  readonly session: RlpxSession
  readonly wire: Wire
  readonly identity: string

  constructor(session: RlpxSession, wire: Wire, identity: string) {
    this.session = session
    this.wire = wire
    this.identity = identity
  }

  send(code: number, payload: Uint8Array): void {
    this.session.send({ code, payload }).catch(() => undefined)
  }
  ping(): void {
    this.session.sendBase(BASE_CODE.ping, Uint8Array.of(0xc0)).catch(() => undefined)
  }

  /** The next message with this code; others are passed over. */
  async next(code: number): Promise<Message> {
    for (;;) {
      const message = await this.session.read(() => MAX_MESSAGE_BYTES)
      if (!message.isBase && message.code === code) return message
    }
  }

  /** Why the other side ended, as it said or as the wire did. */
  async goodbye(): Promise<string> {
    try {
      for (;;) await this.session.read(() => MAX_MESSAGE_BYTES)
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : ''
    }
  }
}

export interface RawSettings {
  readonly key?: Uint8Array
  readonly status?: Status | null
}

/** Calls a town. `status`: what it says first (null: nothing). */
export async function rawPeer(place: Town, settings: RawSettings = {}): Promise<RawPeer> {
  const door = new TcpDoor()
  doors.push(door)
  const wire = await door.dial('127.0.0.1', place.node.listenPort)
  const nodeKey = settings.key ?? freshKey()
  const parts = { curve: native, randomness: dice, nodeKey, clientName: 'raw', listenPort: 0, budget: new ReceiveBudget(RECEIVE_BUDGET_BYTES), clock: realClock, timers: systemTimers }
  const { session } = await openRlpx(parts, wire, place.node.nodeId)
  const peer = new RawPeer(session, wire, identityOf(nodeIdOf(native, nodeKey)))
  if (settings.status !== null) {
    const { payload } = encodeStatus(settings.status ?? goodStatus())
    peer.send(CODE.status, payload)
  }
  return peer
}

/** A raw peer that the town has taken for a source. */
export async function rawSource(place: Town, settings: RawSettings = {}): Promise<RawPeer> {
  const before = place.ears.sources.length
  const peer = await rawPeer(place, settings)
  await place.ears.until(() => place.ears.sources.length > before)
  await peer.next(CODE.status)
  return peer
}

/** The bytes of a whole frame. */
export function frame(writer: FrameWriter, plain: Uint8Array): Uint8Array {
  return Buffer.concat([writer.header(plain.length), writer.data(plain), writer.end()])
}

/** A peer that the town has taken for a source, with its frames still to be made by hand: to write what no session writes. */
export async function bareFrames(place: Town): Promise<{ readonly wire: Wire; readonly writer: FrameWriter; readonly identity: string }> {
  const door = new TcpDoor()
  doors.push(door)
  const wire = await door.dial('127.0.0.1', place.node.listenPort)
  const key = freshKey()
  const nodeId = nodeIdOf(native, key)
  const initiator = new Initiator({ curve: native, randomness: dice }, key, place.node.nodeId)
  await wire.write(initiator.auth)
  const stream = new ByteStream(wire.incoming)
  const size = await stream.exactly(2)
  const writer = new FrameWriter(initiator.finish(Buffer.concat([size, await stream.exactly(bodyBytes(size))])))
  void (async () => {
    for (;;) await stream.some(65_536)
  })().catch(() => undefined)
  await wire.write(frame(writer, Buffer.concat([Uint8Array.of(0x80), encodeHello(ourHello('bare', 0, nodeId))])))
  await wire.write(frame(writer, Buffer.concat([Uint8Array.of(CAPABILITY_OFFSET + CODE.status), pack(encodeStatus(goodStatus()).payload)])))
  await place.ears.until(() => place.ears.sources.length > 0)
  return { wire, writer, identity: identityOf(nodeId) }
}

/** A bare TCP connection that sends `bytes`; resolves when the other side closed it. */
export function knock(place: Town, bytes: Uint8Array): { readonly socket: Socket; readonly closed: Promise<void> } {
  const socket = connect(place.node.listenPort, '127.0.0.1')
  sockets.push(socket)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(bytes)
  return { socket, closed }
}
