/** Published vectors of other implementations: Hello, handshake and its secrets, discovery packets (with their types moved), and discovery packets made by @ethereumjs/devp2p. */
import { encode } from '@ethereumjs/devp2p'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, toHex, utf8 } from '../../../src/base/index.ts'
import type { Randomness } from '../../../src/base/index.ts'
import { decodePacket, encodePacket } from '../../../src/spectrum/source/discovery/packet.ts'
import { Initiator, nodeIdOf, respond } from '../../../src/spectrum/source/rlpx/handshake.ts'
import { decodeHello } from '../../../src/spectrum/source/rlpx/base-protocol.ts'
import { BOTH, native } from '../spectrum/curves.ts'
import * as vectors from './eip8-vectors.ts'
import { dice, freshKey } from './towns.ts'

/** These values first, then anything. */
function loaded(...values: string[]): Randomness {
  const left = values.map((value) => fromHex(value))
  return { bytes: (length) => (left[0]?.length === length ? (left.shift() ?? new Uint8Array(length)) : dice.bytes(length)) }
}

describe('EIP-8', () => {
  it('Hello of version 55 with more items', () => {
    const hello = decodeHello(fromHex(vectors.HELLO))
    expect({ ...hello, nodeId: toHex(hello.nodeId).slice(0, 16) }).toEqual({
      version: 55,
      clientName: 'kneth/v0.91/plan9',
      capabilities: [{ name: 'eth', version: 61 }, { name: 'mork', version: 22 }],
      listenPort: 9999,
      nodeId: 'fda1cff674c90c9a',
    })
  })

  it.each(BOTH)('handshake: B answers Auth 2 and Auth 3 with the right secrets (%s)', (_, curve) => {
    for (const auth of [vectors.AUTH_2, vectors.AUTH_3].map((text) => fromHex(text))) {
      const crypto = { curve, randomness: loaded(vectors.EPHEMERAL_KEY_B, vectors.NONCE_B) }
      const { secrets } = respond(crypto, fromHex(vectors.STATIC_KEY_B), auth)
      expect(toHex(secrets.remoteId)).toBe(toHex(nodeIdOf(curve, fromHex(vectors.STATIC_KEY_A))))
      expect([toHex(secrets.aes), toHex(secrets.mac)]).toEqual([vectors.AES_SECRET, vectors.MAC_SECRET])
    }
    const { secrets } = respond({ curve, randomness: loaded(vectors.EPHEMERAL_KEY_B, vectors.NONCE_B) }, fromHex(vectors.STATIC_KEY_B), fromHex(vectors.AUTH_2))
    expect(toHex(curve.keccak256(concatBytes(secrets.ingressSeed, utf8('foo'))))).toBe(vectors.INGRESS_MAC_FOO)
  })

  it.each(BOTH)('handshake: A takes Ack 2 and Ack 3 with the right secrets (%s)', (_, curve) => {
    for (const ack of [vectors.ACK_2, vectors.ACK_3].map((text) => fromHex(text))) {
      const crypto = { curve, randomness: loaded(vectors.EPHEMERAL_KEY_A, vectors.NONCE_A) }
      const secrets = new Initiator(crypto, fromHex(vectors.STATIC_KEY_A), nodeIdOf(curve, fromHex(vectors.STATIC_KEY_B))).finish(ack)
      expect([toHex(secrets.aes), toHex(secrets.mac)]).toEqual([vectors.AES_SECRET, vectors.MAC_SECRET])
    }
  })

  it.each([
    ['ping', vectors.PING, { kind: 'ping', version: 4, from: { address: '127.0.0.1', udpPort: 3322, tcpPort: 5544 }, to: { address: '0:0:0:0:0:0:0:1', udpPort: 2222, tcpPort: 3333 }, expirationSeconds: 1136239445 }],
    ['ping of version 555', vectors.PING_555, { kind: 'ping', version: 555, from: { address: '2001:db8:3c4d:15:0:0:abcd:ef12', udpPort: 3322, tcpPort: 5544 } }],
    ['pong', vectors.PONG, { kind: 'pong', to: { address: '2001:db8:85a3:8d3:1319:8a2e:370:7348', udpPort: 2222, tcpPort: 33338 }, expirationSeconds: 1136239445 }],
    ['findnode', vectors.FINDNODE, { kind: 'findnode', expirationSeconds: 1136239445 }],
    ['neighbours', vectors.NEIGHBOURS, { kind: 'neighbours', nodes: [{ address: '99.33.22.55', udpPort: 4444, tcpPort: 4445 }, { address: '1.2.3.4', udpPort: 1, tcpPort: 1 }, { address: '2001:db8:3c4d:15:0:0:abcd:ef12', udpPort: 3333, tcpPort: 3333 }, { address: '2001:db8:85a3:8d3:1319:8a2e:370:7348', udpPort: 999, tcpPort: 1000 }] }],
  ])('discovery: %s, refused as it is, taken with its type moved', (_, text, expected) => {
    const bytes = fromHex(text)
    expect(() => decodePacket(native, bytes)).toThrow(/packet.type/)
    const received = decodePacket(native, moved(bytes, fromHex(vectors.DISCOVERY_KEY)))
    expect(received.packet).toMatchObject(expected)
    expect(received.nodeId).toEqual(nodeIdOf(native, fromHex(vectors.DISCOVERY_KEY)))
  })
})

describe('discovery packets of @ethereumjs/devp2p', () => {
  it('are ours but for the type, hash and signature', () => {
    const key = freshKey()
    const endpoint = { address: '203.0.113.7', udpPort: 60303, tcpPort: 60304 }
    const theirs = new Uint8Array(encode('ping', { version: 4, from: endpoint, to: endpoint, timestamp: 1_700_000_000 }, key))
    const ours = encodePacket(native, key, { kind: 'ping', version: 4, from: endpoint, to: endpoint, expirationSeconds: 1_700_000_000 }).bytes
    expect(toHex(moved(theirs, key))).toBe(toHex(ours))
  })
})

/** The same packet with its type moved up by nine (1 becomes 10), hashed and signed anew. */
function moved(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const typed = bytes.slice(97)
  typed[0] = (typed[0] ?? 0) + 9
  const signature = native.sign(native.keccak256(typed), key)
  signature[64] = (signature[64] ?? 0) - 27
  const signed = concatBytes(signature, typed)
  return concatBytes(native.keccak256(signed), signed)
}
