/** From a fresh wire to a session: keys agreed on, Hello exchanged and judged. */
import { equalBytesConstantTime, concatBytes, inputError } from '../../../base/index.ts'
import type { Clock, Timers } from '../../../base/index.ts'
import type { ReceiveBudget } from '../receive-budget.ts'
import { BASE_CODE, DISCONNECT, decodeHello, encodeHello, ourHello, speaksEth63, usesSnappy } from './base-protocol.ts'
import type { DisconnectCode, Hello } from './base-protocol.ts'
import { Initiator, bodyBytes, nodeIdOf, respond } from './handshake.ts'
import type { Crypto, Secrets } from './handshake.ts'
import { RlpxSession } from './session.ts'
import { ByteStream } from './wire.ts'
import type { Wire } from './wire.ts'

export interface OpenParts extends Crypto {
  /** 32 bytes; its public key is our node id. */
  readonly nodeKey: Uint8Array
  readonly clientName: string
  /** 0: we do not listen. */
  readonly listenPort: number
  readonly budget: ReceiveBudget
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
}

/** A peer that is not for us; `code` has been told to it. */
export class Unsuited extends Error {
  readonly code: DisconnectCode
  constructor(code: DisconnectCode, reason: string) {
    super(reason)
    this.code = code
  }
}

/**
 * `remoteId`: whom we called; null: we were called. The caller sets the deadline, by destroying the wire.
 * Errors: input: it broke the protocol; `Unsuited`; unavailable `source-closed`.
 */
export async function openRlpx(parts: OpenParts, wire: Wire, remoteId: Uint8Array | null): Promise<{ readonly session: RlpxSession; readonly hello: Hello }> {
  const stream = new ByteStream(wire.incoming)
  const secrets = remoteId === null ? await answer(parts, wire, stream) : await call(parts, wire, stream, remoteId)
  const session = new RlpxSession({ ...parts, wire, stream, secrets })
  const ownId = nodeIdOf(parts.curve, parts.nodeKey)
  await session.sendBase(BASE_CODE.hello, encodeHello(ourHello(parts.clientName, parts.listenPort, ownId)))
  const message = await session.read(() => undefined)
  if (message.code !== BASE_CODE.hello) throw inputError('message', message.code, 'Hello first')
  const hello = decodeHello(message.payload)
  if (usesSnappy(hello)) session.startSnappy()
  const refuse = (code: DisconnectCode, reason: string): Unsuited => {
    session.close(code)
    return new Unsuited(code, reason)
  }
  // The id in Hello is a claim; the one in the secrets was proved by the handshake.
  if (!equalBytesConstantTime(hello.nodeId, secrets.remoteId)) throw refuse(DISCONNECT.unexpectedIdentity, 'Hello names another node than the handshake proved')
  if (equalBytesConstantTime(hello.nodeId, ownId)) throw refuse(DISCONNECT.self, 'it is this box')
  if (!speaksEth63(hello)) throw refuse(DISCONNECT.useless, 'it does not speak eth/63')
  return { session, hello }
}

async function call(parts: OpenParts, wire: Wire, stream: ByteStream, remoteId: Uint8Array): Promise<Secrets> {
  const initiator = new Initiator(parts, parts.nodeKey, remoteId)
  await wire.write(initiator.auth)
  return initiator.finish(await handshakeMessage(stream))
}

async function answer(parts: OpenParts, wire: Wire, stream: ByteStream): Promise<Secrets> {
  const { ack, secrets } = respond(parts, parts.nodeKey, await handshakeMessage(stream))
  await wire.write(ack)
  return secrets
}

async function handshakeMessage(stream: ByteStream): Promise<Uint8Array> {
  const size = await stream.exactly(2)
  return concatBytes(size, await stream.exactly(bodyBytes(size)))
}
