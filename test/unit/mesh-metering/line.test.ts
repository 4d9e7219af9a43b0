/** Boxes in a line that carry for each other: who is paid what, to the unit, and what is booked. */
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { createLedger } from '../../../src/ledger/index.ts'
import { createDocuments, decodeReading, openFrame } from '../../../src/mesh/documents/index.ts'
import { PARTS_PER_UNIT } from '../../../src/mesh/metering/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { MIB, Village } from './village.ts'

let village: Village
afterEach(() => village.remove())

describe('four boxes in a line', () => {
  it('find who carries, count, pay and book: shares add up to the price to the part of a unit', async () => {
    village = await Village.line(2n, 3n, 5n, 11n)
    const [a, b, c, d] = [village.box(0), village.box(1), village.box(2), village.box(3)]
    await village.rounds(12)
    expect(a.view('client', b)).toMatchObject({ state: 'running', unitsPerMiB: 19n })
    expect(b.view('client', c)).toMatchObject({ state: 'running', unitsPerMiB: 16n })
    expect(c.view('client', d)).toMatchObject({ state: 'running', unitsPerMiB: 11n })
    let bytes = 0n
    await village.rounds(12, () => {
      const passed = village.carry([a, b, c, d], 700_001n, 5n * MIB + 3n)
      bytes += passed.up + passed.down
    })
    await village.rounds(30)
    expect(bytes).toBe(12n * (700_001n + 5n * MIB + 3n))
    for (const box of village.boxes) await box.desk.stop()
    // Each hop's sum is exact, and the difference of two hops is the share of the box between them.
    expect(b.owedParts('carrier', a)).toBe(bytes * 19n)
    expect(a.owedParts('client', b)).toBe(bytes * 19n)
    expect(c.owedParts('carrier', b)).toBe(bytes * 16n)
    expect(d.owedParts('carrier', c)).toBe(bytes * 11n)
    const paid = (bytes * 19n) / PARTS_PER_UNIT
    expect(village.bank.total(a.account, b.account)).toBe(paid)
    expect(a.booked()).toEqual({ earned: 0n, cost: paid })
    expect(b.booked()).toEqual({ earned: paid, cost: (bytes * 16n) / PARTS_PER_UNIT })
    expect(c.booked()).toEqual({ earned: (bytes * 16n) / PARTS_PER_UNIT, cost: (bytes * 11n) / PARTS_PER_UNIT })
    expect(d.booked()).toEqual({ earned: (bytes * 11n) / PARTS_PER_UNIT, cost: 0n })
  })
})

it("each earning is booked with both ends' readings, which anybody can check", async () => {
  village = await Village.line(0n, 40n)
  const [a, b] = [village.box(0), village.box(1)]
  await village.rounds(8)
  await village.rounds(6, () => void village.carry([a, b], MIB, MIB))
  await village.rounds(3)
  const curve = loadSecp256k1(null)
  const anybody = createDocuments(`0x${'00'.repeat(20)}`, { keccak256: (bytes) => curve.keccak256(bytes), sign: () => new Uint8Array(65), recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature) })
  const entries = b.store?.read((tx) => createLedger({ shares: () => [] }).entries(tx, { limit: 100 })) ?? []
  expect(entries.length).toBe(village.bank.paid.size)
  let sum = 0n
  for (const { source, evidence, postings } of entries) {
    expect(source).toBe('mesh:relay')
    const amount = postings.find(({ account }) => account === `photon:${a.account}`)?.amount ?? 0n
    expect(village.bank.paid.get(evidence.id as `0x${string}`)).toMatchObject({ amount })
    sum += amount
    for (const [name, box] of [['carrierReading', b], ['clientReading', a]] as const) {
      const { payload, signature } = openFrame(fromHex(String(evidence.facts?.[name])))
      expect(anybody.signer('reading', payload, signature)).toBe(box.id)
      const reading = decodeReading(payload)
      expect(reading).toMatchObject({ carrier: b.id, client: a.id })
      // What is booked never passes what both readings stand for.
      expect(sum * PARTS_PER_UNIT).toBeLessThanOrEqual((reading.bytes.up + reading.bytes.down) * 40n)
    }
  }
  expect(sum).toBeGreaterThan(300n)
})

it('a relay that starts again asks what it asked: it does not carry for nothing until it has heard of its way out', async () => {
  village = await Village.line(2n, 3n, 5n)
  const [a, b] = [village.box(0), village.box(1)]
  await village.rounds(12)
  const before = b.desk.ownAdvert()
  expect(before?.unitsPerMiB).toBe(8n)
  await b.restart()
  expect(b.desk.ownAdvert()).toEqual(before)
  for (let round = 0; round < 6; round++) {
    await village.rounds(1)
    expect(b.desk.ownAdvert()).toEqual(before)
  }
  expect(a.penalties).toEqual([])
  expect(a.view('client', b).state).toBe('running')
})

it('a number never stands for two prices, also over a restart', async () => {
  village = await Village.line(0n, 40n)
  const [a, b] = [village.box(0), village.box(1)]
  await village.rounds(4)
  const sequence = (): number | undefined => a.desk.adverts().find(({ box }) => box === b.id)?.sequence
  expect(sequence()).toBe(1)
  await b.restart()
  await village.rounds(12)
  expect(sequence()).toBe(1)
  b.terms = { ...b.terms, ownUnitsPerMiB: 41n }
  await b.restart()
  await village.rounds(4)
  expect(sequence()).toBe(2)
  expect(a.penalties).toEqual([])
})
