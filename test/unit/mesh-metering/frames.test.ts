/** Frames of the two lanes: one encoding each, bounds, rubbish; and what they weigh beside what is carried. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { CARRIAGE_LANE, PRICE_LANE } from '../../../src/mesh/metering/index.ts'
import { decodeCarriageFrame, encodeCarriageFrame, isStandingSigned, sealAdvert, shortReason, signReading } from '../../../src/mesh/metering/frames.ts'
import type { CarriageFrame } from '../../../src/mesh/metering/index.ts'
import type { SignedReading } from '../../../src/mesh/metering/frames.ts'
import { ADVERT_VALID_SECONDS } from '../../../src/mesh/metering/prices.ts'
import type { Reading } from '../../../src/mesh/ports.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { Village } from './village.ts'

const curve = loadSecp256k1(null)
const documentsOf = (n: number) => {
  const key = new Uint8Array(32).fill(n)
  const address = `0x${Buffer.from(curve.keccak256(curve.publicKeyOf(key).subarray(1)).subarray(12)).toString('hex')}` as const
  return createDocuments(address, { keccak256: (bytes) => curve.keccak256(bytes), sign: (digest) => curve.sign(digest, key), recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature) })
}
const [carrier, client] = [documentsOf(1), documentsOf(2)]
/** As large as a reading gets: petabytes at a price of 2⁹⁶. */
const LARGEST: Reading = {
  carrier: carrier.self,
  client: client.self,
  epoch: new Uint8Array(8).fill(255),
  sequence: 2 ** 47,
  bytes: { up: 1n << 79n, down: 1n << 79n },
  priceSequence: 2 ** 47,
  after: 2 ** 47,
  owedParts: 1n << 180n,
  token: `0x${'70'.repeat(20)}`,
}
const signed = { carrier: signReading(carrier, LARGEST), client: signReading(client, LARGEST) }

describe('carriage frames', () => {
  const standing = { from: signed, pair: signed }
  it.each<[string, CarriageFrame]>([
    ['want with nothing', { kind: 'want', priceSequence: 1, epoch: null, standing: null }],
    ['want with all', { kind: 'want', priceSequence: 2 ** 47, epoch: LARGEST.epoch, standing }],
    ['want with the first exchange', { kind: 'want', priceSequence: 3, epoch: LARGEST.epoch, standing: { from: null, pair: signed } }],
    ['begin', { kind: 'begin', epoch: LARGEST.epoch, standing }],
    ['reading', { kind: 'reading', signed: signed.carrier }],
    ['end', { kind: 'end', epoch: LARGEST.epoch, reason: 'the figures differ' }],
    ['refusal', { kind: 'end', epoch: null, reason: '' }],
  ])('%s comes back as it was, and fits its lane', (_what, frame) => {
    const bytes = encodeCarriageFrame(frame)
    expect(decodeCarriageFrame(bytes)).toEqual(frame)
    expect(bytes.length).toBeLessThanOrEqual(CARRIAGE_LANE.maxFrameBytes)
  })

  it('a standing counts only with each end under its own figure', () => {
    expect(isStandingSigned(carrier, { from: signed, pair: signed }, carrier.self, client.self)).toBe(true)
    const swapped: { carrier: SignedReading; client: SignedReading } = { carrier: signed.client, client: signed.carrier }
    expect(isStandingSigned(carrier, { from: signed, pair: swapped }, carrier.self, client.self)).toBe(false)
    expect(isStandingSigned(carrier, { from: swapped, pair: signed }, carrier.self, client.self)).toBe(false)
  })

  it('three readings are no standing', () => {
    const odd = encodeCarriageFrame({ kind: 'begin', epoch: LARGEST.epoch, standing: { from: signed, pair: signed } })
    expect(() => decodeCarriageFrame(odd.subarray(0, odd.length - 10))).toThrow(MeshBoxError)
  })

  it('a reason is cut to what fits, whatever its letters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const bytes = encodeCarriageFrame({ kind: 'end', epoch: null, reason: text })
        expect(decodeCarriageFrame(bytes)).toMatchObject({ kind: 'end', epoch: null })
        expect(Buffer.byteLength(shortReason(text))).toBeLessThanOrEqual(200)
      }),
    )
  })

  it('whatever bytes come, they are a frame or an input error', () => {
    const some = [
      encodeCarriageFrame({ kind: 'want', priceSequence: 7, epoch: LARGEST.epoch, standing: { from: signed, pair: signed } }),
      encodeCarriageFrame({ kind: 'reading', signed: signed.carrier }),
      encodeCarriageFrame({ kind: 'end', epoch: null, reason: 'enough' }),
    ]
    const changed = fc.tuple(fc.constantFrom(...some), fc.array(fc.tuple(fc.nat(1500), fc.nat(255)), { maxLength: 4 }), fc.nat(1500)).map(([frame, flips, length]) => {
      const bytes = frame.slice(0, Math.max(1, frame.length - (length % 7 === 0 ? length : 0)))
      for (const [at, value] of flips) bytes[at % bytes.length] = value
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          // What is read has one encoding only.
          expect(encodeCarriageFrame(decodeCarriageFrame(bytes))).toEqual(bytes)
        } catch (error) {
          if (!(error instanceof MeshBoxError)) throw error
          expect(error.kind).toBe('input')
        }
      }),
      { numRuns: Number(process.env.MESHBOX_FUZZ_RUNS ?? 2000) },
    )
  })

  it('an advert over sixteen boxes fits its lane', () => {
    const via = Array.from({ length: 16 }, (_, n) => documentsOf(n + 3).self)
    const offer = { payee: carrier.self, token: carrier.self, unitsPerMiB: 1n << 96n, ownUnitsPerMiB: 1n << 96n, validSeconds: ADVERT_VALID_SECONDS, hops: 16, via }
    expect(sealAdvert(carrier, offer, 2 ** 47).length).toBeLessThanOrEqual(PRICE_LANE.maxFrameBytes)
  })
})

describe('what settlement weighs', () => {
  let village: Village
  afterEach(() => village.remove())
  /**
   * Around each frame, as it goes over the mesh: length 2, yamux 12, noise 18, TCP with timestamps 32, IPv6 40, Ethernet and
   * batman-adv 24; and the acknowledgement of it 96. Nothing is coalesced here, which is the worst case.
   */
  const AROUND_BYTES = 2 + 12 + 18 + 32 + 40 + 24 + 96

  async function weigh(upBytesPerRound: bigint): Promise<{ readonly ratio: number; readonly bytesPerHour: number; readonly framesPerHour: number }> {
    village = await Village.line(0n, 30n)
    const [a, b] = [village.box(0), village.box(1)]
    await village.rounds(10)
    village.frames.length = 0
    let carried = 0n
    const rounds = 60
    await village.rounds(rounds, () => {
      const passed = village.carry([a, b], upBytesPerRound, upBytesPerRound * 4n)
      carried += passed.up + passed.down
    })
    const told = village.frames.reduce((sum, { frame }) => sum + frame.length + AROUND_BYTES, 0)
    const perHour = 3600 / (rounds * 5)
    return { ratio: carried === 0n ? 0 : told / Number(carried), bytesPerHour: told * perHour, framesPerHour: village.frames.length * perHour }
  }

  it('is below 0.1 % of what is carried from 2 Mbit/s on', async () => {
    // 1.25 MB in five seconds.
    const { ratio, framesPerHour } = await weigh(250_000n)
    expect(ratio).toBeLessThan(0.001)
    expect(framesPerHour).toBeLessThanOrEqual(2 * 720 + 4 * 80)
  })

  it('and of a quiet neighbour a few hundred kilobytes an hour', async () => {
    const { bytesPerHour } = await weigh(0n)
    expect(bytesPerHour).toBeLessThan(400_000)
    expect(village.box(0).view('client', village.box(1)).state).toBe('running')
  })
})
