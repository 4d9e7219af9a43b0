/** What is held against two ends whose figures differ: each missing byte once, and false readings together. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SLACK_BYTES } from '../../../src/mesh/metering/index.ts'
import { NOTHING_JUDGED, judge } from '../../../src/mesh/metering/tolerance.ts'

const MIB = 1n << 20n

/** Figures of one reading after the other, each counted from the beginning. Where it ended; null: it did not. */
function story(readings: readonly (readonly [carrier: bigint, client: bigint])[]): { readonly endedAt: number | null; readonly short: bigint } {
  let tally = NOTHING_JUDGED
  for (const [index, [carrier, client]] of readings.entries()) {
    const judged = judge(tally, carrier, client)
    tally = judged.tally
    if (judged.isOver) return { endedAt: index, short: tally.short }
  }
  return { endedAt: null, short: tally.short }
}

/** Of what passes in each reading, what the client says. */
function told(parts: readonly (readonly [passed: bigint, said: bigint])[]): readonly (readonly [bigint, bigint])[] {
  let [carrier, client] = [0n, 0n]
  return parts.map(([passed, said]) => {
    carrier += passed
    client += said
    return [carrier, client] as const
  })
}

describe('a missing byte', () => {
  it('is judged once, though late answers hide it and the next ones show it again', () => {
    // 1 MiB is lost in a power cut; every second answer counts half a reading more than it was asked for.
    const parts = Array.from({ length: 60 }, (_, n): readonly [bigint, bigint] => [BigInt(n + 2) * 4n * MIB, BigInt(n + 2) * 4n * MIB - MIB + (n % 2 === 1 ? 2n * MIB : 0n)])
    expect(story([[4n * MIB, 4n * MIB], ...parts])).toEqual({ endedAt: null, short: MIB })
  })

  it('of many that are too few to tell counts with the others', () => {
    // All of 40 KiB a reading: within the slack of each.
    expect(story(told(Array.from({ length: 9 }, () => [40n * 1024n, 0n] as const)))).toEqual({ endedAt: 1, short: 80n * 1024n })
    // Half of a reading once in a power cut, and honest from there on.
    expect(story(told([[8n * MIB, 4n * MIB], ...Array.from({ length: 50 }, () => [8n * MIB, 8n * MIB] as const)])).endedAt).toBeNull()
  })
})

describe('who lies', () => {
  it('in every second reading is found at the third lie, whatever lies between', () => {
    const parts = Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? ([8n * MIB, 5n * MIB] as const) : ([2n * MIB, 2n * MIB] as const)))
    expect(story(told(parts)).endedAt).toBe(4)
  })

  it('by more than half is found at once, by a third after three', () => {
    expect(story(told([[8n * MIB, 8n * MIB], [8n * MIB, 3n * MIB]])).endedAt).toBe(1)
    expect(story(told([[8n * MIB, 8n * MIB], ...Array.from({ length: 5 }, () => [9n * MIB, 6n * MIB] as const)])).endedAt).toBe(3)
  })

  it('takes at most 5 % of all that was carried, and slack and half of what passes between two judgements three times', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 16n * MIB }), fc.integer({ min: 0, max: 100 })), { minLength: 1, maxLength: 80 }), (lies) => {
        const readings = told(lies.map(([passed, percent]) => [passed, (passed * BigInt(percent)) / 100n] as const))
        const { endedAt } = story(readings)
        const last = endedAt ?? readings.length - 1
        const [carrier, client] = readings[last - (endedAt === null ? 0 : 1)] ?? [0n, 0n]
        // What passes between two judgements is a reading, and what was too little before it.
        const span = 16n * MIB + 20n * SLACK_BYTES
        expect(carrier - client).toBeLessThanOrEqual(carrier / 20n + 3n * (SLACK_BYTES + span / 2n))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is nobody whose link loses up to 4 %, however it is spread over readings that are large enough', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.bigInt({ min: 2n * MIB, max: 64n * MIB }), fc.integer({ min: 0, max: 40 })), { minLength: 1, maxLength: 80 }), (parts) => {
        expect(story(told(parts.map(([passed, perMille]) => [passed, passed - (passed * BigInt(perMille)) / 1000n] as const))).endedAt).toBeNull()
      }),
    )
  })
})
