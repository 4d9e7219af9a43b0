import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader, MAX_FRAME_BYTES, joinFrames } from '../../../src/photon/node/framing.ts'

const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: MAX_FRAME_BYTES }), { maxLength: 12 })

describe('frames in a stream', () => {
  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), (sent, cuts) => {
        const bytes = joinFrames(sent)
        const reader = new FrameReader()
        const got: Uint8Array[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1)
          const some = reader.push(bytes.subarray(at, end))
          if ('refused' in some) throw new Error(some.refused)
          got.push(...some.map((frame) => frame.slice()))
          at = end
        }
        expect(got.map((frame) => [...frame])).toEqual(sent.map((frame) => [...frame]))
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    ['length 0', [0]],
    ['one byte more than allowed', [0x80 | ((MAX_FRAME_BYTES + 1) & 0x7f), (MAX_FRAME_BYTES + 1) >> 7]],
    ['a length of three bytes', [0xff, 0xff, 0x01]],
    ['a length written longer than needed', [0x81, 0x00]],
  ])('%s is refused before anything is kept, and so is all that follows', (_name, bytes) => {
    const reader = new FrameReader()
    expect(reader.push(Uint8Array.from(bytes))).toHaveProperty('refused')
    expect(reader.push(joinFrames([Uint8Array.of(1)]))).toHaveProperty('refused')
  })

  test('random bytes never throw and never hold back more than one frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 10 }), (chunks) => {
        const reader = new FrameReader()
        for (const chunk of chunks) reader.push(chunk)
      }),
      { numRuns: 300 },
    )
  })

  test('our own frame that is too long or empty is our own mistake', () => {
    expect(() => joinFrames([new Uint8Array(MAX_FRAME_BYTES + 1)])).toThrow(/frame/)
    expect(() => joinFrames([new Uint8Array(0)])).toThrow(/frame/)
  })
})
