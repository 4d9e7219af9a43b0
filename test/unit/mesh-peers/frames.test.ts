/** Frames: whatever the pieces, the same frames; lengths are looked at before anything is kept. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { FrameReader, joinFrames } from '../../../src/mesh/peers/frames.ts'

const MAX = 70_000

function read(reader: FrameReader): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(Uint8Array.from(frame))
  return frames
}

describe('frames', () => {
  it('come back whole and in order, however the stream is cut', () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(127, 128, 16_383, 16_384, MAX))
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 1, maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 }), (lengths, cuts) => {
        const frames = lengths.map((length, index) => new Uint8Array(length).fill(index + 1))
        const stream = Buffer.from(joinFrames(frames, MAX))
        const reader = new FrameReader(MAX)
        const got: Uint8Array[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const next = at + (cuts[turn % cuts.length] ?? 1)
          reader.push(stream.subarray(at, next))
          got.push(...read(reader))
          at = next
        }
        expect(got).toEqual(frames)
        expect(reader.heldBytes).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('that drip byte by byte are held as what came, and views of earlier frames stay what they were', () => {
    const stream = joinFrames([new Uint8Array(5).fill(1), new Uint8Array(3000).fill(2), new Uint8Array(7).fill(3)], MAX)
    const reader = new FrameReader(MAX)
    const got: Uint8Array[] = []
    for (const byte of stream) {
      reader.push(Uint8Array.of(byte))
      const frame = reader.next()
      if (frame !== null) got.push(frame)
      expect(reader.heldBytes).toBeLessThanOrEqual(3002)
    }
    expect(got.map((frame) => [frame.length, new Set(frame).size])).toEqual([[5, 1], [3000, 1], [7, 1]])
  })

  it.each([
    ['of no bytes', [0]],
    ['of one byte too many', [0x81, 0x08]],
    ['whose length is written longer than it must be', [0x85, 0x00]],
    ['whose length does not end', [0xff, 0xff, 0xff, 0xff]],
  ])('%s are refused before their bytes come', (_what, bytes) => {
    const reader = new FrameReader(1024)
    reader.push(Uint8Array.from(bytes))
    expect(() => reader.next()).toThrow(MeshBoxError)
  })

  it('that are empty or too long are not written', () => {
    expect(() => joinFrames([new Uint8Array(0)], 10)).toThrow('1 to 10 bytes')
    expect(() => joinFrames([new Uint8Array(11)], 10)).toThrow('1 to 10 bytes')
  })

  it('of any bytes at all are frames or a refusal, nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        const reader = new FrameReader(64)
        try {
          for (const chunk of chunks) {
            reader.push(chunk)
            for (const frame of read(reader)) expect(frame.length).toBeLessThanOrEqual(64)
          }
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
    )
  })
})
