/** Documents between boxes: one encoding each, bounds, and signatures that hold for their kind only. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, encodeRlp, fromHex, integerBytes } from '../../../src/base/index.ts'
import { createDocuments, decodePrice, decodeReading, encodePrice, encodeReading, macBytes, macText, openFrame, sealFrame } from '../../../src/mesh/documents/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'

const curve = loadSecp256k1(null)
const KEY = fromHex('11'.repeat(32))
const documentCurve = { keccak256: (bytes: Uint8Array) => curve.keccak256(bytes), sign: (digest: Uint8Array) => curve.sign(digest, KEY), recoverAddress: (digest: Uint8Array, signature: Uint8Array) => curve.recoverAddress(digest, signature) }
const SELF = '0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a' as const
const documents = createDocuments(SELF, documentCurve)

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as const)
const amount = fc.bigInt({ min: 0n, max: (1n << 255n) - 1n })
const price = fc.record({
  sequence: fc.integer({ min: 1, max: 2 ** 48 }),
  payee: address,
  token: address,
  unitsPerMiB: fc.option(amount),
  ownUnitsPerMiB: amount,
  validSeconds: fc.integer({ min: 10, max: 600 }),
  hops: fc.integer({ min: 0, max: 16 }),
  via: fc.array(address, { maxLength: 16 }),
})
const reading = fc.record({
  carrier: address,
  client: address,
  epoch: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  sequence: fc.integer({ min: 0, max: 2 ** 48 }),
  bytes: fc.record({ up: amount, down: amount }),
  priceSequence: fc.integer({ min: 1, max: 2 ** 48 }),
  after: fc.integer({ min: 0, max: 2 ** 48 }),
  owedParts: amount,
  token: address,
})

describe('prices and readings', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(price, (each) => {
        expect(decodePrice(encodePrice(each))).toEqual(each)
      }),
    )
    fc.assert(
      fc.property(reading, (each) => {
        expect(decodeReading(encodeReading(each))).toEqual(each)
      }),
    )
  })

  it('have one encoding: whatever can be read is written so', () => {
    fc.assert(
      fc.property(fc.oneof(price.map(encodePrice), reading.map(encodeReading)), fc.nat(), fc.integer({ min: 0, max: 255 }), (bytes, at, value) => {
        const changed = bytes.slice()
        changed[at % bytes.length] = value
        for (const [decode, encode] of [[decodePrice, encodePrice], [decodeReading, encodeReading]] as const) {
          try {
            expect((encode as (each: unknown) => Uint8Array)(decode(changed))).toEqual(changed)
          } catch (thrown) {
            expect(thrown).toMatchObject({ name: 'MeshBoxError', kind: 'input' })
          }
        }
      }),
    )
  })

  it('any bytes are refused with the field named', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const decode of [decodePrice, decodeReading, openFrame]) {
          try {
            decode(bytes)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(MeshBoxError)
            expect((thrown as MeshBoxError).field).toBeTypeOf('string')
          }
        }
      }),
    )
  })

  it.each([
    ['validSeconds', { validSeconds: 9 }],
    ['validSeconds', { validSeconds: 601 }],
    ['hops', { hops: 17 }],
    ['sequence', { sequence: 0 }],
  ])('a price with a wrong %s', (field, wrong) => {
    const good = { sequence: 1, payee: SELF, token: SELF, unitsPerMiB: 5n, ownUnitsPerMiB: 1n, validSeconds: 30, hops: 1, via: [SELF] }
    expect(() => decodePrice(encodePrice({ ...good, ...wrong }))).toThrow(expect.objectContaining({ field }))
  })

  it('a price of nothing is not no price', () => {
    const good = { sequence: 1, payee: SELF, token: SELF, ownUnitsPerMiB: 0n, validSeconds: 30, hops: 0, via: [] }
    expect(decodePrice(encodePrice({ ...good, unitsPerMiB: 0n })).unitsPerMiB).toBe(0n)
    expect(decodePrice(encodePrice({ ...good, unitsPerMiB: null })).unitsPerMiB).toBeNull()
  })
})

describe('signatures', () => {
  const payload = encodeRlp([integerBytes(5)])

  it('show whose document it is, for its kind only, and for exactly its bytes', () => {
    const signature = documents.sign('price', payload)
    expect(documents.signer('price', payload, signature)).toBe(SELF)
    expect(documents.signer('reading', payload, signature)).not.toBe(SELF)
    expect(documents.signer('price', encodeRlp([integerBytes(6)]), signature)).not.toBe(SELF)
    expect(documents.signer('price', payload, signature.slice(1))).toBeNull()
    expect(documents.signer('price', payload, new Uint8Array(65))).toBeNull()
  })

  it('travel with the document as one frame', () => {
    const opened = openFrame(sealFrame(documents, 'price', payload))
    expect(opened.payload).toEqual(payload)
    expect(documents.signer('price', opened.payload, opened.signature)).toBe(SELF)
    expect(() => openFrame(encodeRlp([payload, new Uint8Array(64)]))).toThrow(expect.objectContaining({ field: 'signature' }))
  })
})

it('link addresses', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      expect(macBytes(macText(bytes))).toEqual(bytes)
    }),
  )
  expect(() => macBytes('02:00:00:00:00:0G')).toThrow(expect.objectContaining({ field: 'mac' }))
})
