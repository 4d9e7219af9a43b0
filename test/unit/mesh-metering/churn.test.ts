/** A line of boxes whose links break and whose processes die, by seed: money is conserved, sums are exact. */
import { afterEach, expect, it } from 'vitest'
import { PARTS_PER_UNIT } from '../../../src/mesh/metering/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { MIB, Village } from './village.ts'

const SEEDS = Number(process.env.MESHBOX_CHURN_SEEDS ?? 3)
let village: Village
afterEach(() => village.remove())

it.each(Array.from({ length: SEEDS }, (_, seed) => [seed + 1]))('seed %s: every hop owes for what its carrier carried, both ends say so, and it is paid', async (seed) => {
  village = await Village.line(7n, 13n, 29n, 31n)
  const { boxes } = village
  const random = seededRandom(seed)
  const upTo = (most: number): number => Math.floor(random.next() * most)
  await village.rounds(14)
  const cuts = new Set<number>()
  for (let round = 0; round < 40; round++) {
    const at = upTo(3)
    const what = upTo(10)
    if (what === 0) {
      village.cut(village.box(at), village.box(at + 1))
      cuts.add(at)
    } else if (what <= 2 && cuts.has(at)) {
      village.heal(village.box(at), village.box(at + 1))
      cuts.delete(at)
    } else if (what === 3) {
      const box = village.box(upTo(4))
      // In the middle of its work, in one case of two.
      if (upTo(2) === 0) box.crash = { commits: box.commits + 1 + upTo(3), when: upTo(2) === 0 ? 'before' : 'after' }
      else await box.restart()
    }
    const from = upTo(3)
    village.carry(boxes.slice(from), BigInt(upTo(1 << 20)), BigInt(upTo(1 << 22)))
    await village.rounds(1)
    for (const box of boxes) if (box.isDead) await box.restart()
    for (let hop = 0; hop < 3; hop++) expect(village.bank.total(village.box(hop).account, village.box(hop + 1).account)).toBeLessThanOrEqual(carriedParts(hop) / PARTS_PER_UNIT)
  }
  for (const hop of cuts) village.heal(village.box(hop), village.box(hop + 1))
  for (const box of boxes) box.crash = null
  await village.rounds(36)
  for (const box of boxes) await box.desk.stop()
  expect(carriedParts(0)).toBeGreaterThan(10n * MIB)
  for (let hop = 0; hop < 3; hop++) {
    const [client, carrier] = [village.box(hop), village.box(hop + 1)]
    expect(carrier.owedParts('carrier', client)).toBe(carriedParts(hop))
    expect(client.owedParts('client', carrier)).toBe(carriedParts(hop))
    expect(village.bank.total(client.account, carrier.account)).toBe(carriedParts(hop) / PARTS_PER_UNIT)
  }
  // What one box has as its cost, the next has as its earning; nothing comes from nowhere.
  for (let hop = 0; hop < 3; hop++) expect(village.box(hop).booked().cost).toBe(village.box(hop + 1).booked().earned)
  expect(village.box(0).booked().earned).toBe(0n)
  expect(village.box(3).booked().cost).toBe(0n)
})

/** By the carrier's own kernel, which no crash of a process touches; each box asks its share and those behind it. */
function carriedParts(hop: number): bigint {
  const [client, carrier] = [village.box(hop), village.box(hop + 1)]
  const counted = carrier.traffic.get(client.mac)
  if (counted === undefined) return 0n
  const bytes = carrier.terms.hasUplink ? counted.receivedBytes + counted.endedBytes + counted.allSentBytes : counted.receivedBytes + counted.sentBytes
  return bytes * ([73n, 60n, 31n][hop] ?? 0n)
}
