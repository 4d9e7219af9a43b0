/** The ring on disk: order, bounds, fairness, and records that nobody meant. MESHBOX_LATE_FUZZ=NUMBER for more of the last. */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, toHex } from '../../../src/base/index.ts'
import { LateFrames, MAX_LATE_BYTES, decodeHeard, encodeHeard, lateMigrations } from '../../../src/iot/late/index.ts'
import type { CodingRate, Copy, Heard, Modulation, RadioTime } from '../../../src/iot/ports.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store, Tx } from '../../../src/store/index.ts'

const RUNS = Number(process.env.MESHBOX_LATE_FUZZ ?? 5_000)
const idOf = (phy: Uint8Array): string => createHash('sha256').update(phy).digest('hex')
const at = { bootId: 'boot', boottimeMs: 1, wallMs: 2, wallTrusted: false }

const u32 = fc.nat(0xffff_ffff)
const rate = fc.constantFrom<CodingRate>('4/5', '4/6', '4/7', '4/8', '4/5LI', '4/6LI', '4/8LI', '1/3', '2/3', 'OFF')
const double = fc.double({ noNaN: true })
const modulation: fc.Arbitrary<Modulation> = fc.oneof(
  fc.record({ kind: fc.constant('lora' as const), spreadingFactor: fc.nat(12), bandwidthHz: u32, codingRate: rate }),
  fc.record({ kind: fc.constant('fsk' as const), bitsPerSecond: u32, deviationHz: u32 }),
  fc.record({ kind: fc.constant('lr-fhss' as const), widthHz: u32, codingRate: rate, gridSteps: u32 }),
)
const time: fc.Arbitrary<RadioTime> = fc.oneof(
  fc.record({ kind: fc.constant('counter' as const), tmstUs: u32 }),
  fc.record({ kind: fc.constant('station' as const), xtime: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), rctx: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
  fc.record({ kind: fc.constant('foreign' as const), context: fc.uint8Array({ maxLength: 255 }) }),
)
const copy: fc.Arbitrary<Copy> = fc.record({
  gateway: fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex),
  time,
  arrivedMs: double,
  utcMs: fc.option(double),
  gpsTimeMs: fc.option(double),
  fineTimeNs: fc.option(double),
  rssiDbm: fc.option(double),
  snrDb: fc.option(double),
  channel: u32,
  radio: u32,
  board: u32,
  antenna: u32,
})
const heard: fc.Arbitrary<Heard> = fc
  .record({ phy: fc.uint8Array({ minLength: 1, maxLength: 255 }), frequencyHz: u32, modulation, copies: fc.array(copy, { minLength: 1, maxLength: 32 }) })
  .map((parts) => ({ ...parts, id: idOf(parts.phy), isLate: false }))

describe('a record', () => {
  it('gives back every frame exactly', () => {
    fc.assert(fc.property(heard, (frame) => void expect(decodeHeard(encodeHeard(frame), idOf)).toEqual(frame)), { numRuns: Math.ceil(RUNS / 10) })
  })

  it('with fewer copies keeps the best', () => {
    fc.assert(fc.property(heard, (frame) => void expect(decodeHeard(encodeHeard(frame, 3), idOf).copies).toEqual(frame.copies.slice(0, 3))), { numRuns: 100 })
  })

  it('a foreign context beyond 255 bytes is left out', () => {
    const [frame] = fc.sample(heard, 1)
    if (frame === undefined) throw new Error('no sample')
    const long = { ...frame, copies: [{ ...frame.copies[0]!, time: { kind: 'foreign' as const, context: new Uint8Array(300) } }] }
    expect(decodeHeard(encodeHeard(long), idOf).copies[0]?.time).toEqual({ kind: 'foreign', context: new Uint8Array(0) })
  })

  it('that is none is an input error, never another', () => {
    const survives = (bytes: Uint8Array): void => {
      try {
        decodeHeard(bytes, idOf)
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'MeshBoxError', kind: 'input' })
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), survives), { numRuns: RUNS })
    fc.assert(
      fc.property(heard, fc.nat(), fc.nat(255), fc.nat(), (frame, place, value, cut) => {
        const bytes = encodeHeard(frame)
        bytes[place % bytes.length] = value
        survives(bytes)
        survives(bytes.subarray(0, cut % bytes.length))
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    )
    survives(new Uint8Array(20_000))
  })
})

describe('the ring', () => {
  let folder: string
  let store: Store
  beforeEach(() => {
    folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meshbox-late-'))
    store = openStore({ path: join(folder, 'box.db'), migrations: [...lateMigrations], log: silentLog })
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const frame = (n: number, bytes = 30): Heard => {
    const phy = new Uint8Array(bytes)
    new DataView(phy.buffer).setUint32(0, n)
    return { id: idOf(phy), phy, frequencyHz: 868_100_000, modulation: { kind: 'lora', spreadingFactor: 7, bandwidthHz: 125_000, codingRate: '4/5' }, copies: [], isLate: false }
  }
  const numbers = (ring: LateFrames, tenant: string, limit = 1_000) => (tx: Tx): number[] => ring.peek(tx, tenant, limit).map(({ heard: { phy } }) => new DataView(phy.buffer, phy.byteOffset).getUint32(0))

  it('keeps the order of each tenant; what was handed over is gone, and only that', async () => {
    const ring = new LateFrames(1 << 20)
    await store.turn((tx) => [1, 2, 3, 4, 5].forEach((n) => ring.append(tx, n % 2 === 0 ? 'a' : 'b', frame(n), at)))
    expect(await store.turn(numbers(ring, 'b'))).toEqual([1, 3, 5])
    const seq = await store.turn((tx) => ring.peek(tx, 'b', 2)[1]?.seq ?? 0n)
    expect(await store.turn((tx) => [ring.remove(tx, 'b', seq), ring.remove(tx, 'b', seq), ring.remove(tx, 'a', seq)])).toEqual([true, false, false])
    expect(await store.turn(numbers(ring, 'b'))).toEqual([1, 5])
    expect(await store.turn(numbers(ring, 'a'))).toEqual([2, 4])
    expect(store.read((tx) => [ring.count(tx, 'a'), ring.count(tx, 'b'), ring.stats(tx).frames, ring.stats(tx).lost])).toEqual([2, 2, 4, 0n])
    expect(await store.turn((tx) => ring.forget(tx, 'a'))).toBe(2)
    expect(store.read((tx) => ring.stats(tx).frames)).toBe(2)
  })

  it('is bounded: the oldest of whoever has most goes, and is counted; the others lose nothing', async () => {
    const ring = new LateFrames(20_000)
    await store.turn((tx) => {
      for (let n = 0; n < 10; n++) ring.append(tx, 'quiet', frame(n), at)
    })
    for (let round = 0; round < 10; round++)
      await store.turn((tx) => {
        for (let n = 0; n < 100; n++) ring.append(tx, 'flood', frame(1_000 + 100 * round + n), at)
      })
    expect(await store.turn(numbers(ring, 'quiet'))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const kept = await store.turn(numbers(ring, 'flood'))
    expect(kept.at(-1)).toBe(1_999)
    expect(kept).toEqual(kept.map((_, i) => 2_000 - kept.length + i))
    const stats = store.read((tx) => ring.stats(tx))
    expect(stats.bytes).toBeLessThanOrEqual(20_000)
    expect(stats.lost).toBe(BigInt(1_000 - kept.length))
    expect(store.read((tx) => tx.get<{ bytes: number }>('SELECT sum(bytes) AS bytes FROM iot_late'))?.bytes).toBe(stats.bytes)
  })

  it('holds 50,000 frames of usual size in its 16 MiB', () => {
    const usual = { ...frame(1, 23 + 28), copies: fc.sample(copy, { numRuns: 1, seed: 1 }).map((each) => ({ ...each, time: { kind: 'counter' as const, tmstUs: 1 } })) }
    expect(encodeHeard(usual).length + 96).toBeLessThanOrEqual(Math.floor(MAX_LATE_BYTES / 50_000))
  })

  it('of 0 bytes keeps nothing; a ring beyond 16 MiB is refused', async () => {
    const ring = new LateFrames(0)
    await store.turn((tx) => ring.append(tx, 'a', frame(1), at))
    expect(store.read((tx) => ring.stats(tx))).toEqual({ frames: 0, bytes: 0, lost: 1n })
    expect(() => new LateFrames(MAX_LATE_BYTES + 1)).toThrow(expect.objectContaining({ kind: 'input' }))
  })

  it('what cannot be read is counted as lost and does not stand in the way', async () => {
    const ring = new LateFrames(1 << 20)
    await store.turn((tx) => [1, 2, 3].forEach((n) => ring.append(tx, 'a', frame(n), at)))
    await store.turn((tx) => tx.run("UPDATE iot_late SET record = x'02' WHERE seq = 1"))
    expect(await store.turn(numbers(ring, 'a'))).toEqual([2, 3])
    expect(store.read((tx) => ring.stats(tx))).toMatchObject({ frames: 2, lost: 1n })
  })

  it('never uses a number twice, also after the newest frame went', async () => {
    const ring = new LateFrames(1 << 20)
    const take = async (): Promise<bigint> => store.turn((tx) => {
      ring.append(tx, 'a', frame(1), at)
      const [first] = ring.peek(tx, 'a', 1)
      ring.remove(tx, 'a', first?.seq ?? 0n)
      return first?.seq ?? 0n
    })
    expect(await take()).not.toBe(await take())
  })
})
