/** Our own PUBLISH and PUBACK against another decoder's, cut anywhere. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PubackSieve, publishPacket } from '../../../src/iot/mqtt/publish-packet.ts'
import { becomes, client } from './broker-town.ts'

describe('a PUBLISH', () => {
  it('is laid out as MQTT 3.1.1 and 5 say', () => {
    const message = { topic: 'a/é', payload: Uint8Array.of(1, 2), isRetained: false }
    expect(publishPacket({ ...message, qos: 0 }, 7, 4).toString('hex')).toBe('3008' + '0004612fc3a9' + '0102')
    expect(publishPacket({ ...message, qos: 0 }, 7, 5).toString('hex')).toBe('3009' + '0004612fc3a9' + '00' + '0102')
    expect(publishPacket({ ...message, qos: 1, isRetained: true }, 0x1234, 5).toString('hex')).toBe('330b' + '0004612fc3a9' + '1234' + '00' + '0102')
  })
  it('has a length of one to three bytes', () => {
    for (const [bytes, length] of [[123, '7f'], [124, '8001'], [16_379, 'ff7f'], [16_380, '808001']] as const)
      expect(publishPacket({ topic: 'a', payload: new Uint8Array(bytes), qos: 0, isRetained: false }, 0, 5).toString('hex')).toMatch(new RegExp(`^30${length}00016100`))
  })
})

const length = (bytes: number): number[] => (bytes < 128 ? [bytes] : [(bytes & 127) | 128, bytes >> 7])
const packet = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.option(fc.integer({ min: 0, max: 255 }), { nil: null }), fc.integer({ min: 0, max: 200 })).map(([id, reason, properties]) => {
    const body = [id >> 8, id & 255, ...(reason === null ? [] : [reason, ...new Array<number>(properties).fill(0)])]
    return { puback: { id, reason: reason ?? 0 }, bytes: Uint8Array.of(0x40, ...length(body.length), ...body) }
  }),
  fc.tuple(fc.integer({ min: 0, max: 15 }).filter((kind) => kind !== 4), fc.uint8Array({ maxLength: 300 })).map(([kind, body]) => ({ puback: null, bytes: Uint8Array.of(kind << 4, ...length(body.length), ...body) })),
)

describe('what a broker sends', () => {
  it('is parted into PUBACKs and the rest, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }), (packets, pieces) => {
        const acknowledged: { id: number; reason: number }[] = []
        const others: Buffer[] = []
        const sieve = new PubackSieve((id, reason) => acknowledged.push({ id, reason }), (bytes) => others.push(Buffer.from(bytes)))
        const all = Buffer.concat(packets.map(({ bytes }) => bytes))
        for (let at = 0, piece = 0; at < all.length; at += pieces[piece++ % pieces.length] ?? 1) sieve.take(all.subarray(at, at + (pieces[piece % pieces.length] ?? 1)))
        expect(acknowledged).toEqual(packets.flatMap(({ puback }) => puback ?? []))
        expect(Buffer.concat(others).equals(Buffer.concat(packets.filter(({ puback }) => puback === null).map(({ bytes }) => bytes)))).toBe(true)
      }),
    )
  })
  it('may be anything: nothing is kept of it but the beginning of a packet', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 30 }), (chunks) => {
        let passed = 0
        const sieve = new PubackSieve(() => undefined, (bytes) => (passed += bytes.length))
        for (const chunk of chunks) sieve.take(Buffer.from(chunk))
        expect(passed).toBeLessThanOrEqual(chunks.reduce((sum, { length: bytes }) => sum + bytes, 0))
      }),
    )
  })
})

describe('publishing', () => {
  it('gives a broker no more at once than it takes, and all of it in the end, in order', async () => {
    const came: string[] = []
    let [inside, most] = [0, 0]
    // A broker with the few words that this takes; all packets are short. CONNACK: a receive maximum of 3.
    const server = createServer((socket) => {
      let rest = Buffer.alloc(0)
      socket.on('data', (chunk) => {
        for (rest = Buffer.concat([rest, chunk]); rest.length >= 2 && rest.length >= 2 + (rest[1] ?? 0); rest = rest.subarray(2 + (rest[1] ?? 0))) {
          const body = rest.subarray(2, 2 + (rest[1] ?? 0))
          if ((rest[0] ?? 0) >> 4 === 1) socket.write(Buffer.from([0x20, 6, 0, 0, 3, 0x21, 0, 3]))
          if ((rest[0] ?? 0) >> 4 !== 3) continue
          most = Math.max(most, ++inside)
          came.push(body.subarray(6).toString())
          const ack = Buffer.from([0x40, 2, body[3] ?? 0, body[4] ?? 0])
          setTimeout(() => {
            inside--
            socket.write(ack)
          }, 1)
        }
      })
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const box = client((server.address() as AddressInfo).port)
    await becomes(box, true)
    await Promise.all(Array.from({ length: 40 }, (_, n) => box.publish({ topic: 'n', payload: Buffer.from(String(n)), qos: 1, isRetained: false })))
    expect(came).toEqual(Array.from({ length: 40 }, (_, n) => String(n)))
    expect(most).toBe(3)
  })
})
