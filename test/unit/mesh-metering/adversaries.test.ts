/** Neighbours that lie, repeat, bait, do not pay, vanish or forget: what they gain is bounded, and why they were let go is said. */
import { afterEach, describe, expect, it } from 'vitest'
import { CARRIAGE_LANE, PARTS_PER_UNIT, PRICE_LANE } from '../../../src/mesh/metering/index.ts'
import { decodeCarriageFrame, encodeCarriageFrame } from '../../../src/mesh/metering/frames.ts'
import { REST_MS } from '../../../src/mesh/metering/carriage.ts'
import type { LinkTraffic } from '../../../src/mesh/metering/index.ts'
import { signedReading } from './twin.ts'
import { MIB, Village } from './village.ts'
import type { VillageBox } from './village.ts'

let village: Village
afterEach(() => village.remove())

async function pair(price = 10n): Promise<readonly [VillageBox, VillageBox]> {
  village = await Village.line(0n, price)
  await village.rounds(8)
  return [village.box(0), village.box(1)]
}

const times = (factor: bigint, divisor = 1n) => (traffic: LinkTraffic): LinkTraffic => ({
  ...traffic,
  receivedBytes: (traffic.receivedBytes * factor) / divisor,
  sentBytes: (traffic.sentBytes * factor) / divisor,
  endedBytes: (traffic.endedBytes * factor) / divisor,
  allReceivedBytes: (traffic.allReceivedBytes * factor) / divisor,
  allSentBytes: (traffic.allSentBytes * factor) / divisor,
})

describe('a lying meter', () => {
  it('of a carrier that says twice as much: three readings, the client pays its own figure', async () => {
    const [a, b] = await pair()
    b.lie = times(2n, 1n)
    await village.rounds(20, () => void village.carry([a, b], MIB, 3n * MIB))
    expect(b.view('carrier', a)).toMatchObject({ state: 'ended' })
    expect(b.view('carrier', a).reason).toMatch(/^the figures differ: the carrier says \d+ bytes, the client \d+$/)
    expect(a.view('client', b).reason).toMatch(/figures differ/)
    expect(b.gates.get(a.mac)).not.toBe('open')
    await village.rounds(15)
    expect(village.bank.total(a.account, b.account)).toBeLessThanOrEqual(3n * 4n * 10n)
  })

  it('of a client that says a tenth: once, and what it got is one reading', async () => {
    const [a, b] = await pair()
    a.lie = times(1n, 10n)
    let got = 0n
    await village.rounds(20, () => (got += village.carry([a, b], MIB, 3n * MIB).down))
    expect(b.view('carrier', a)).toMatchObject({ state: 'ended' })
    expect(b.gates.get(a.mac)).not.toBe('open')
    expect(got).toBeLessThanOrEqual(2n * 3n * MIB)
  })

  it('of a client that leaves out four tenths, in bursts with quiet readings between: three bursts', async () => {
    const [a, b] = await pair()
    a.lie = times(6n, 10n)
    let got = 0n
    for (let burst = 0; burst < 8; burst++) {
      got += village.carry([a, b], MIB, 3n * MIB).down
      await village.rounds(4)
    }
    expect(b.view('carrier', a)).toMatchObject({ state: 'ended' })
    expect(b.view('carrier', a).reason).toMatch(/figures differ/)
    expect(got).toBe(3n * 3n * MIB)
  })

  it('may begin anew after ten minutes, or when the owner says so', async () => {
    const [a, b] = await pair()
    a.lie = times(1n, 10n)
    await village.rounds(4, () => void village.carry([a, b], MIB, 3n * MIB))
    a.lie = times(1n)
    await village.rounds(20)
    expect(b.view('carrier', a).state).toBe('ended')
    expect(a.desk.refusals().get(b.id) ?? a.view('client', b).reason).toMatch(/figures differ/)
    for (const box of [a, b]) await box.desk.readmit(box === a ? b.id : a.id)
    await village.rounds(8)
    expect(b.view('carrier', a).state).toBe('running')
    await expect(b.desk.readmit(a.id)).rejects.toThrow(/has no carriage that rests/)
    a.lie = times(1n, 10n)
    await village.rounds(4, () => void village.carry([a, b], MIB, 3n * MIB))
    a.lie = times(1n)
    await village.rounds(REST_MS / 5000 + 10)
    expect(b.view('carrier', a).state).toBe('running')
  })
})

describe('frames', () => {
  it('repeated, forged and broken ones move no sum', async () => {
    const [a, b] = await pair()
    village.frames.length = 0
    await village.rounds(6, () => void village.carry([a, b], MIB, MIB))
    const [sumA, sumB] = [a.view('client', b).owed, b.view('carrier', a).owed]
    const seen = village.frames.filter(({ protocol }) => protocol === CARRIAGE_LANE)
    const bytesBefore = village.bank.paid.size
    for (const { from, to, frame } of seen) village.inject(from, to, CARRIAGE_LANE, frame)
    await village.settle()
    expect([a.view('client', b).owed, b.view('carrier', a).owed]).toEqual([sumA, sumB])
    expect([a.view('client', b).state, b.view('carrier', a).state]).toEqual(['running', 'running'])
    expect(village.bank.paid.size).toBe(bytesBefore)
    // The partner's reading with one byte of its signature changed, and plain rubbish.
    const reading = seen.findLast(({ frame, from }) => from === b && decodeCarriageFrame(frame).kind === 'reading')?.frame ?? new Uint8Array(0)
    const forged = reading.slice()
    forged[forged.length - 40] = (forged[forged.length - 40] ?? 0) ^ 1
    for (const frame of [forged, new Uint8Array(0), new Uint8Array(2000).fill(0xf9)]) village.inject(b, a, CARRIAGE_LANE, frame)
    village.inject(b, a, PRICE_LANE, reading)
    await village.settle()
    expect(a.penalties.length).toBe(4)
    expect(a.view('client', b)).toMatchObject({ state: 'running', owed: sumA })
  })

  it('a carrier that signs two figures under one number is shown to the owner, and not used', async () => {
    const [a, b] = await pair()
    await village.rounds(3, () => void village.carry([a, b], MIB, MIB))
    // The same box with an old copy of its disk, on which numbers were used for other figures.
    const last = village.frames.findLast(({ frame, from, protocol }) => from === b && protocol === CARRIAGE_LANE && decodeCarriageFrame(frame).kind === 'reading')
    expect(last).toBeDefined()
    const frame = decodeCarriageFrame(last?.frame ?? new Uint8Array(0))
    if (frame.kind !== 'reading') throw new Error('no reading')
    const { reading } = frame.signed
    for (let again = 0; again < 3; again++) village.inject(b, a, CARRIAGE_LANE, signedReading(b, { ...reading, bytes: { up: reading.bytes.up + 1n, down: reading.bytes.down } }))
    await village.settle()
    expect(a.view('client', b)).toMatchObject({ state: 'ended', reason: 'the carrier signed two figures under one number' })
    expect(a.desk.alarms()).toHaveLength(1)
    expect(a.desk.alarms()).toMatchObject([{ box: b.id, reason: 'the carrier signed two figures under one number' }])
  })
})

it('a carrier that begins again and again, or with an old epoch, makes the client write nothing', async () => {
  const [a, b] = await pair()
  const before = a.view('client', b)
  await b.desk.end(a.id, 'enough')
  await village.rounds(2)
  // The client asks; what the carrier answers is the test's.
  await b.desk.readmit(a.id)
  village.isLost = ({ from }) => from === b
  await village.rounds(10)
  const commits = a.commits
  village.inject(b, a, CARRIAGE_LANE, encodeCarriageFrame({ kind: 'begin', epoch: Buffer.from(before.epoch, 'hex'), standing: null }))
  await village.settle()
  expect(a.commits).toBe(commits)
  for (let n = 1; n <= 20; n++) village.inject(b, a, CARRIAGE_LANE, encodeCarriageFrame({ kind: 'begin', epoch: new Uint8Array(8).fill(n), standing: null }))
  await village.settle()
  expect(a.desk.carriages().filter(({ state }) => state !== 'ended')).toHaveLength(1)
  expect(a.desk.carriages().length).toBeLessThanOrEqual(2)
})

describe('prices', () => {
  it('bait: a raise above what we pay ends it before a byte counts by it', async () => {
    const [a, b] = await pair(10n)
    a.terms = { ...a.terms, maxUnitsPerMiB: 20n }
    await village.rounds(4, () => void village.carry([a, b], 0n, MIB))
    b.terms = { ...b.terms, ownUnitsPerMiB: 500n }
    await village.rounds(30, () => void village.carry([a, b], 0n, MIB))
    expect(a.view('client', b)).toMatchObject({ state: 'ended', reason: 'it asks 500 units for a MiB; at most 20 units are paid' })
    expect(a.desk.refusals().get(b.id)).toBe('it asks 500 units for a MiB; at most 20 units are paid')
    expect(a.view('client', b).owed).toBeLessThanOrEqual(10n * 10n)
  })

  it('a sudden raise is paid after it stood for a minute, the bytes before by the old price', async () => {
    const [a, b] = await pair(10n)
    b.terms = { ...b.terms, ownUnitsPerMiB: 40n }
    await village.rounds(4)
    expect(a.view('client', b)).toMatchObject({ state: 'running', unitsPerMiB: 10n })
    expect(a.desk.adverts()[0]?.refusal).toMatch(/raised its price from 10 units to 40 units at once/)
    village.carry([a, b], 0n, MIB)
    await village.rounds(3)
    await village.rounds(16)
    expect(a.view('client', b)).toMatchObject({ state: 'running', unitsPerMiB: 40n })
    village.carry([a, b], 0n, MIB)
    await village.rounds(6)
    expect(b.view('carrier', a).owed).toBe(50n)
    expect(a.view('client', b).owed).toBe(50n)
  })

  it('a lower one at once, and a client that never takes a new one is let go after five minutes', async () => {
    const [a, b] = await pair(10n)
    b.terms = { ...b.terms, ownUnitsPerMiB: 4n }
    await village.rounds(5)
    expect(b.view('carrier', a).unitsPerMiB).toBe(4n)
    village.isLost = ({ protocol, from }) => protocol === PRICE_LANE && from === b
    b.terms = { ...b.terms, ownUnitsPerMiB: 5n }
    await village.rounds(70)
    expect(b.view('carrier', a)).toMatchObject({ state: 'ended', reason: 'the new price was not taken' })
  })

  it('the way out moves to the other end: who was carried carries', async () => {
    village = await Village.line(3n, 4n)
    const [a, b] = [village.box(0), village.box(1)]
    await village.rounds(8)
    expect(a.view('client', b).state).toBe('running')
    b.terms = { ...b.terms, hasUplink: false }
    a.terms = { ...a.terms, hasUplink: true }
    await village.rounds(30)
    expect(a.view('client', b).state).toBe('ended')
    expect(b.view('client', a)).toMatchObject({ state: 'running', unitsPerMiB: 3n })
  })
})

describe('who does not pay', () => {
  it('is shut out above what it may owe, and let in with the payment; nothing is forgotten', async () => {
    const [a, b] = await pair(10n)
    village.bank.isShut = true
    let got = 0n
    await village.rounds(40, () => (got += village.carry([a, b], 0n, 4n * MIB).down))
    expect(b.view('carrier', a).state).toBe('in-debt')
    expect(b.view('carrier', a).reason).toMatch(/units are owed; up to 640 units may be/)
    expect(got).toBeLessThanOrEqual(68n * MIB + 4n * MIB)
    expect(a.view('client', b).unpaidOrder).toMatchObject({ problem: 'no channel' })
    const owed = b.view('carrier', a).owed
    await village.box(1).restart()
    await village.box(0).restart()
    await village.rounds(5)
    expect(b.view('carrier', a)).toMatchObject({ owed, state: 'in-debt' })
    village.bank.isShut = false
    await village.rounds(20)
    expect(b.view('carrier', a)).toMatchObject({ owed, paid: owed, state: 'running', reason: null })
    expect(village.bank.total(a.account, b.account)).toBe(owed)
    expect(village.carry([a, b], 0n, 1n).down).toBe(1n)
  })

  it('a payment that nobody can say of whether it came is not sent twice, and those after it are paid', async () => {
    const [a, b] = await pair(10n)
    village.bank.unknown = 1
    await village.rounds(20, () => void village.carry([a, b], 0n, 2n * MIB))
    await village.rounds(20)
    const { owed } = b.view('carrier', a)
    const sent = village.bank.total(a.account, b.account)
    expect(sent).toBeLessThan(owed)
    expect(sent).toBeGreaterThan(0n)
    expect(a.view('client', b)).toMatchObject({ unpaidOrder: null, paid: owed })
  })

  it('a box that lost its disk is told what it owes, and carried for again when it is written off', async () => {
    const [a, b] = await pair(10n)
    village.bank.isShut = true
    await village.rounds(10, () => void village.carry([a, b], 0n, 2n * MIB))
    await a.loseDisk()
    await village.rounds(20)
    expect(b.view('carrier', a)).toMatchObject({ state: 'ended', owed: 200n })
    expect(b.view('carrier', a).reason).toMatch(/this box has no record of it/)
    expect(a.desk.refusals().get(b.id)).toMatch(/units of the last carriage are not paid/)
    await b.desk.writeOff(a.id)
    village.bank.isShut = false
    await village.rounds(20)
    expect(b.view('carrier', a).state).toBe('running')
    await expect(b.desk.writeOff(a.id)).rejects.toThrow(/owes nothing/)
  })
})

describe('two epochs', () => {
  it('a carrier that lost its disk begins another; the client pays both', async () => {
    const [a, b] = await pair(30n)
    await village.rounds(5, () => void village.carry([a, b], 0n, 2n * MIB))
    const first = a.view('client', b)
    await b.loseDisk()
    await village.rounds(10)
    const second = a.view('client', b)
    expect(second.epoch).not.toBe(first.epoch)
    expect(second.state).toBe('running')
    await village.rounds(5, () => void village.carry([a, b], 0n, 2n * MIB))
    await village.rounds(20)
    expect(village.bank.total(a.account, b.account)).toBe(600n)
    expect(b.view('carrier', a)).toMatchObject({ owed: 300n, paid: 300n })
  })

  it('a table that was flushed: the figures go on, no byte counts twice', async () => {
    const [a, b] = await pair(30n)
    await village.rounds(5, () => void village.carry([a, b], 0n, 2n * MIB))
    b.traffic.clear()
    await village.rounds(5, () => void village.carry([a, b], 0n, 2n * MIB))
    await village.rounds(4)
    expect(b.view('carrier', a)).toMatchObject({ owed: 600n, state: 'running' })
  })
})

it('a partition of an hour: shut out, and on where both were', async () => {
  const [a, b] = await pair(30n)
  await village.rounds(5, () => void village.carry([a, b], 0n, 2n * MIB))
  const { epoch } = b.view('carrier', a)
  village.cut(a, b)
  let got = 0n
  await village.rounds(720, () => (got += village.carry([a, b], 0n, MIB).down))
  expect(b.view('carrier', a)).toMatchObject({ state: 'silent', reason: 'the client has not answered a reading for 30 s' })
  expect(got).toBeLessThanOrEqual(8n * MIB)
  village.heal(a, b)
  await village.rounds(30)
  expect(b.view('carrier', a)).toMatchObject({ epoch, state: 'running', reason: null })
  expect(b.view('carrier', a).owed).toBe(((10n * MIB + got) * 30n) / PARTS_PER_UNIT)
  expect(village.bank.total(a.account, b.account)).toBe(b.view('carrier', a).owed)
})

it('the owner ends it: both are told, what is owed is paid', async () => {
  const [a, b] = await pair(30n)
  await village.rounds(3, () => void village.carry([a, b], 0n, 2n * MIB))
  await village.rounds(1)
  await b.desk.end(a.id, 'the roof is being repaired')
  await village.rounds(16)
  expect(a.view('client', b)).toMatchObject({ state: 'ended', reason: 'the other box ended it: its owner says: the roof is being repaired' })
  expect(b.gates.get(a.mac)).not.toBe('open')
  expect(village.bank.total(a.account, b.account)).toBe(180n)
})

describe('what a box lets through for nothing', () => {
  it('everything, while it has no way out: boxes reach each other to find one', async () => {
    village = await Village.line(3n, 4n, 5n)
    const [a, b, c] = [village.box(0), village.box(1), village.box(2)]
    c.terms = { ...c.terms, hasUplink: false }
    await village.rounds(75)
    expect(a.view('client', b)).toMatchObject({ state: 'ended', reason: 'the other box ended it: the client has not taken the new price' })
    expect(b.desk.adverts().find(({ box }) => box === c.id)).toMatchObject({ unitsPerMiB: null, refusal: 'it has no way out' })
    expect(village.carry([a, b, c], 1000n, 1000n)).toEqual({ up: 1000n, down: 1000n })
    // One is found: from then on it is asked for.
    c.terms = { ...c.terms, hasUplink: true }
    await village.rounds(1)
    expect(c.gates.get(b.mac)).not.toBe('open')
    await village.rounds(16)
    expect(a.view('client', b)).toMatchObject({ state: 'running', owed: 0n, unitsPerMiB: 9n })
    expect(village.carry([a, b, c], 1000n, 1000n)).toEqual({ up: 1000n, down: 1000n })
  })

  it('nothing by the advert of a box that is no direct neighbour', async () => {
    village = await Village.line(3n, 4n, 5n)
    const [a, c] = [village.box(0), village.box(2)]
    await village.rounds(2)
    const advert = village.frames.find(({ from, protocol }) => from === c && protocol === PRICE_LANE)?.frame ?? new Uint8Array(0)
    a.ports.get(PRICE_LANE.name)?.frame?.(c.id, advert)
    await village.rounds(8)
    expect(a.desk.adverts().find(({ box }) => box === c.id)?.refusal).toBe('it is no direct neighbour')
    expect(a.view('client', village.box(1)).unitsPerMiB).toBe(9n)
  })
})

it('a row that cannot be read stops nobody else, and stays for somebody to look at', async () => {
  village = await Village.line(3n, 4n, 5n)
  const [a, b, c] = [village.box(0), village.box(1), village.box(2)]
  await village.rounds(12)
  await b.store?.turn((tx) => tx.run("UPDATE mesh_carriages SET snapshot = x'c0' WHERE role = 'carrier'"))
  await b.restart()
  await village.rounds(12)
  expect(b.view('client', c).state).toBe('running')
  expect(b.store?.read((tx) => tx.all("SELECT 1 FROM mesh_carriages WHERE snapshot = x'c0'"))).toHaveLength(1)
  expect(a.view('client', b).state).toBe('running')
})
