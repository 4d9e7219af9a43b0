/**
 * What two boxes say on the control stream, which each connection has once.
 *
 * | first byte | then |
 * |---|---|
 * | 01 hello | a sealed document of kind `binding`: RLP [1, own peer id, the reader's peer id, instance 16, community 8, name, originator 6 or empty, [protocol…]] |
 * | 02 ping | 8 bytes |
 * | 03 pong | the same 8 bytes |
 * | 04 farewell | one byte: why |
 * | 05 welcome | nothing: lanes may be opened |
 *
 * A binding names both peer ids: shown to anybody else it proves nothing. The first field tells it from a beacon, which is
 * signed under the same kind. `instance` is chosen anew at each start: two connections of one box show the same.
 */
import { concatBytes, equalBytesConstantTime, inputError } from '../../base/index.ts'
import type { BoxId, Documents, Mac } from '../ports.ts'
import { macBytes, openFrame, readDocument, sealFrame, writeDocument } from '../documents/index.ts'

export const CONTROL_PROTOCOL = '/meshbox/peer/1'
export const INSTANCE_BYTES = 16
export const COMMUNITY_BYTES = 8
export const MAX_PEER_ID_BYTES = 64
export const MAX_PROTOCOLS = 32
export const MAX_PROTOCOL_BYTES = 64
export const MAX_NAME_BYTES = 64
export const PING_BYTES = 8
/** First field of what is signed under `binding`. */
const HELLO_PURPOSE = 1

const FAREWELLS = ['full', 'banned', 'twin', 'stopping', 'refused', 'replaced'] as const
/** `twin`: another box shows the same key. `replaced`: by another connection of the same two boxes. */
export type Farewell = (typeof FAREWELLS)[number]

export interface HelloFacts {
  readonly instance: Uint8Array
  readonly community: Uint8Array
  readonly name: string
  readonly originator: Mac | null
  /** That it speaks on this connection. */
  readonly protocols: readonly string[]
}

export interface PeerHello extends HelloFacts {
  readonly box: BoxId
}

export type ControlFrame =
  | { readonly kind: 'hello'; readonly sealed: Uint8Array }
  | { readonly kind: 'ping' | 'pong'; readonly token: Uint8Array }
  | { readonly kind: 'farewell'; readonly reason: Farewell }
  | { readonly kind: 'welcome' }

export function encodeControl(frame: ControlFrame): Uint8Array {
  if (frame.kind === 'hello') return concatBytes(Uint8Array.of(1), frame.sealed)
  if (frame.kind === 'ping') return concatBytes(Uint8Array.of(2), frame.token)
  if (frame.kind === 'pong') return concatBytes(Uint8Array.of(3), frame.token)
  if (frame.kind === 'farewell') return Uint8Array.of(4, FAREWELLS.indexOf(frame.reason))
  return Uint8Array.of(5)
}

/** Errors: input `control`. */
export function decodeControl(bytes: Uint8Array): ControlFrame {
  const body = bytes.subarray(1)
  if (bytes[0] === 1) return { kind: 'hello', sealed: body }
  if ((bytes[0] === 2 || bytes[0] === 3) && body.length === PING_BYTES) return { kind: bytes[0] === 2 ? 'ping' : 'pong', token: body }
  const reason = FAREWELLS[body[0] ?? FAREWELLS.length]
  if (bytes[0] === 4 && body.length === 1 && reason !== undefined) return { kind: 'farewell', reason }
  if (bytes[0] === 5 && body.length === 0) return { kind: 'welcome' }
  throw inputError('control', `${bytes.length} bytes of type ${bytes[0] ?? 'none'}`, 'hello, ping, pong, farewell or welcome')
}

export function sealHello(documents: Documents, ownPeerId: Uint8Array, readerPeerId: Uint8Array, facts: HelloFacts): Uint8Array {
  const originator = facts.originator === null ? null : macBytes(facts.originator)
  const payload = writeDocument('binding', [HELLO_PURPOSE, ownPeerId, readerPeerId, facts.instance, facts.community, { text: facts.name }, originator, facts.protocols.map((text) => ({ text }))])
  return sealFrame(documents, 'binding', payload)
}

/** Errors: input of the field that is wrong; `binding` where it was made for other peer ids; `signature` of nobody. */
export function openHello(documents: Documents, peerId: Uint8Array, ownPeerId: Uint8Array, sealed: Uint8Array): PeerHello {
  const { payload, signature } = openFrame(sealed)
  const facts = readDocument('binding', payload, (reader) => {
    reader.number('purpose', HELLO_PURPOSE, HELLO_PURPOSE)
    const of = reader.string('peerId', 1, MAX_PEER_ID_BYTES)
    const to = reader.string('readerPeerId', 1, MAX_PEER_ID_BYTES)
    if (!equalBytesConstantTime(of, peerId)) throw inputError('binding', 'that of another peer id', 'one of the peer id that noise has shown')
    if (!equalBytesConstantTime(to, ownPeerId)) throw inputError('binding', 'one that was made for another box', 'one made for this box')
    return {
      instance: reader.string('instance', INSTANCE_BYTES).slice(),
      community: reader.string('community', COMMUNITY_BYTES).slice(),
      name: reader.text('name', MAX_NAME_BYTES),
      originator: reader.optional('originator', (each) => each.mac('originator')),
      protocols: reader.list('protocols', MAX_PROTOCOLS, (each) => each.text('protocol', MAX_PROTOCOL_BYTES)),
    }
  })
  const box = documents.signer('binding', payload, signature)
  if (box === null) throw inputError('signature', 'one of nobody', 'the box’s own')
  return { ...facts, box }
}
