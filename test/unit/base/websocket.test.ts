/** The server's side of a WebSocket: RFC 6455's own examples, bounds, and that no bytes make it throw or keep too much. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLOSE, OPCODE, SocketReader, acceptOf, closeFrame, serverFrame } from '../../../src/base/websocket.ts'
import type { SocketEvent } from '../../../src/base/websocket.ts'
import { clientFrame } from '../../support/websocket-client.ts'

const MAX = 200
const read = (...chunks: Uint8Array[]): SocketEvent[] => {
  const reader = new SocketReader(MAX)
  return chunks.flatMap((chunk) => reader.take(chunk))
}
const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values)
const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const message = (payload: Uint8Array): SocketEvent => ({ type: 'message', bytes: payload })
const HEADERS = { upgrade: 'websocket', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }

describe('a WebSocket', () => {
  it('is accepted as RFC 6455 computes it (1.3)', () => {
    expect(acceptOf({ method: 'GET', headers: HEADERS })).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(acceptOf({ method: 'GET', headers: { ...HEADERS, upgrade: 'WebSocket' } })).not.toBeNull()
  })
  it.each([
    ['another method', 'POST', {}],
    ['another protocol', 'GET', { upgrade: 'h2c' }],
    ['another version', 'GET', { 'sec-websocket-version': '8' }],
    ['no key', 'GET', { 'sec-websocket-key': undefined }],
    ['a key of the wrong length', 'GET', { 'sec-websocket-key': 'AAAA' }],
    ['two keys', 'GET', { 'sec-websocket-key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] }],
  ])('is none with %s', (_name, method, change) => {
    expect(acceptOf({ method, headers: { ...HEADERS, ...change } })).toBeNull()
  })
  it('reads the masked example of 5.7 and messages in parts', () => {
    const hello = new TextEncoder().encode('Hello')
    // The example is text; the same bytes as binary.
    expect(read(bytes(0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58))).toEqual([message(hello)])
    const ping = clientFrame(OPCODE.ping, bytes(9))
    expect(read(clientFrame(OPCODE.binary, hello.subarray(0, 3), false), ping, clientFrame(OPCODE.continuation, hello.subarray(3)))).toEqual([{ type: 'ping', bytes: bytes(9) }, message(hello)])
  })
  it('gives any messages back, in pieces of any size', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: MAX }), { maxLength: 6 })
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (given, cuts) => {
        const wire = joined(given.map((payload) => clientFrame(OPCODE.binary, payload)))
        const reader = new SocketReader(MAX)
        const got: SocketEvent[] = []
        for (let at = 0, turn = 0; at < wire.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          got.push(...reader.take(wire.subarray(at, at + size)))
          at += size
        }
        expect(got).toEqual(given.map(message))
      }),
    )
  })
  it.each<[string, number, Uint8Array]>([
    ['text', CLOSE.unsupported, clientFrame(1, bytes(65))],
    ['no mask', CLOSE.protocol, serverFrame(OPCODE.binary, bytes(1))],
    ['bits of an extension', CLOSE.protocol, bytes(0xc2, 0x81)],
    ['an opcode that is none', CLOSE.protocol, clientFrame(5, bytes())],
    ['a part of nothing', CLOSE.protocol, clientFrame(OPCODE.continuation, bytes(1))],
    ['a ping in parts', CLOSE.protocol, clientFrame(OPCODE.ping, bytes(1), false)],
    ['a ping that is too long', CLOSE.protocol, bytes(0x89, 0x80 | 126, 0, 126)],
    ['a length longer than it needs to be', CLOSE.protocol, bytes(0x82, 0x80 | 126, 0, 5)],
    ['more than the bound, before any of it came', CLOSE.tooBig, bytes(0x82, 0x80 | 126, 0, MAX + 1)],
    ['a length of eight bytes', CLOSE.tooBig, bytes(0x82, 0x80 | 127)],
    ['goodbye', CLOSE.normal, clientFrame(OPCODE.close, bytes(3, 0xe8))],
  ])('is closed by %s', (_name, code, chunk) => {
    expect(read(chunk, clientFrame(OPCODE.binary, bytes(1)))).toEqual([{ type: 'close', code }])
  })
  it('is closed by a second message before the first is whole, by parts beyond the bound, and by too many of them', () => {
    const part = (size: number): Uint8Array => clientFrame(OPCODE.continuation, new Uint8Array(size), false)
    const begin = clientFrame(OPCODE.binary, new Uint8Array(100), false)
    expect(read(begin, clientFrame(OPCODE.binary, bytes(1)))).toEqual([{ type: 'close', code: CLOSE.protocol }])
    expect(read(begin, part(100), part(1))).toEqual([{ type: 'close', code: CLOSE.tooBig }])
    expect(read(begin, ...Array.from({ length: 20 }, () => part(0)))).toEqual([{ type: 'close', code: CLOSE.policy }])
  })
  it('never throws, whatever comes, and says nothing after a close', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), fc.constantFrom('binary' as const, 'text' as const), (chunks, kind) => {
        const reader = new SocketReader(MAX, kind)
        const events = chunks.flatMap((chunk) => reader.take(chunk))
        const closed = events.findIndex((event) => event.type === 'close')
        expect(closed === -1 || closed === events.length - 1).toBe(true)
        for (const event of events) if (event.type === 'message') expect(event.bytes.length).toBeLessThanOrEqual(MAX)
      }),
      { numRuns: 2000 },
    )
  })
  it('is written as 5.7 has it', () => {
    expect(serverFrame(OPCODE.binary, bytes(1, 2))).toEqual(bytes(0x82, 2, 1, 2))
    expect(serverFrame(OPCODE.binary, new Uint8Array(256)).subarray(0, 4)).toEqual(bytes(0x82, 126, 1, 0))
    expect(closeFrame(CLOSE.policy)).toEqual(bytes(0x88, 2, 0x03, 0xf0))
  })

  it('reads texts where it was made for them, also in parts, and then nothing binary', () => {
    const words = new TextEncoder().encode('{"router":"Ünï"}')
    const texts = (...chunks: Uint8Array[]): SocketEvent[] => {
      const reader = new SocketReader(MAX, 'text')
      return chunks.flatMap((chunk) => reader.take(chunk))
    }
    expect(texts(clientFrame(OPCODE.text, words))).toEqual([message(words)])
    // Cut in the middle of a letter: only the whole has to be UTF-8.
    expect(texts(clientFrame(OPCODE.text, words.subarray(0, 12), false), clientFrame(OPCODE.continuation, words.subarray(12)))).toEqual([message(words)])
    expect(texts(clientFrame(OPCODE.binary, words))).toEqual([{ type: 'close', code: CLOSE.unsupported }])
    expect(texts(clientFrame(OPCODE.text, bytes(0xc3, 0x28)), clientFrame(OPCODE.text, words))).toEqual([{ type: 'close', code: CLOSE.notUtf8 }])
    expect(texts(clientFrame(OPCODE.text, new Uint8Array(MAX + 1).fill(65)))).toEqual([{ type: 'close', code: CLOSE.tooBig }])
  })
})
