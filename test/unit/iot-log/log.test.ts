import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { DataLog, createLogTables, csvLine, downSample, logMigrations } from '../../../src/iot/log/index.ts'
import type { LogLimits } from '../../../src/iot/log/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Copy, Reading } from '../../../src/iot/ports.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { START_MS, moment, reading } from './readings.ts'

const DAY_MS = 86_400_000
const MANY: LogLimits = { days: 400, maxBytes: 1e9 }

function opened(limits: LogLimits = MANY): { store: Store; tables: ReturnType<typeof createLogTables>; desk: DataLog; time: FakeTime } {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-log-'))
  const store = openStore({ path: join(folder, 'box.db'), migrations: logMigrations, log: silentLog })
  onTestFinished(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const tables = createLogTables(limits)
  const time = new FakeTime()
  return { store, tables, time, desk: new DataLog({ store, tables, clock: time, timers: systemTimers, log: silentLog }) }
}

function sizes(store: Store): { rows: number; bytes: number }[] {
  return store.read((tx) => tx.all<{ rows: number; bytes: number }>('SELECT rows, bytes FROM iot_reading_size ORDER BY dev_eui'))
}

/** Rows are counted when it is time to prune; without a believed clock, and far below the limits, nothing is taken away. */
async function count(store: Store, tables: ReturnType<typeof createLogTables>): Promise<void> {
  while ((await store.turn((tx) => tables.prune(tx, moment(START_MS, false)))) > 0) continue
}

/** What the sizes must be, counted from the rows. */
function counted(store: Store): { rows: number; bytes: number }[] {
  return store.read((tx) =>
    tx.all<{ rows: number; bytes: number }>('SELECT count(*) AS rows, sum(bytes) + 110 * (SELECT count(*) FROM iot_reading_hour h WHERE h.dev_eui = r.dev_eui) AS bytes FROM iot_reading r GROUP BY dev_eui ORDER BY dev_eui'),
  )
}

describe('the data log', () => {
  it('gives back what was put in, newest first, in pages', async () => {
    const { store, tables, desk } = opened()
    const all = Array.from({ length: 7 }, (_, n) => reading({ fCnt: n, at: moment(START_MS + n * 1_000, n > 2), values: n === 3 ? null : [{ name: 'n', value: n, unit: null }], problem: n === 3 ? 'the codec threw' : null, isLate: n === 5 }))
    await store.turn((tx) => all.forEach((one) => tables.add(tx, one)))
    const first = desk.rows({ devEui: all[0]!.devEui, limit: 4 })
    const second = desk.rows({ devEui: all[0]!.devEui, limit: 4, beforeId: first.at(-1)!.id })
    expect([...first, ...second].map(({ id: _, ...rest }) => rest)).toEqual([...all].reverse())
    expect(desk.rows({ devEui: 'ffffffffffffffff', limit: 4 })).toEqual([])
    expect(() => desk.rows({ devEui: 'ffffffffffffffff', limit: 501 })).toThrow(expect.objectContaining({ field: 'limit' }))
  })

  it('takes values that the codec had late, once', async () => {
    const { store, tables, desk } = opened()
    const { devEui } = reading()
    await store.turn((tx) => {
      tables.add(tx, reading({ fCnt: 9, values: null, problem: 'waits' }))
      tables.setValues(tx, devEui, 9, [{ name: 'soil', value: 3, unit: null }], null)
      tables.setValues(tx, devEui, 10, [{ name: 'other', value: 3, unit: null }], null)
      tables.setValues(tx, devEui, 9, [{ name: 'soil', value: 4, unit: null }], null)
    })
    expect(desk.rows({ devEui, limit: 5 }).map(({ values, problem }) => [values, problem])).toEqual([[[{ name: 'soil', value: 4, unit: null }], null]])
    await count(store, tables)
    expect(sizes(store)).toEqual(counted(store))
    // Also of a row that is counted already.
    await store.turn((tx) => tables.setValues(tx, devEui, 9, [{ name: 'soil', value: 4, unit: null }, { name: 'longer', value: 'by this', unit: null }], null))
    expect(sizes(store)).toEqual(counted(store))
    await count(store, tables)
    expect(sizes(store)).toEqual(counted(store))
  })

  it('counts rows that are new since the last time, a thousand in a turn, each once', async () => {
    const { store, tables } = opened()
    await store.turn((tx) => {
      for (let n = 0; n < 2_300; n++) tables.add(tx, reading({ devEui: n % 3 === 0 ? '000000000000000c' : '000000000000000a', fCnt: n }))
    })
    const steps: number[] = []
    while (steps.at(-1) !== 0) steps.push(await store.turn((tx) => tables.prune(tx, moment(START_MS))))
    expect(steps).toEqual([1_000, 1_000, 0])
    expect(sizes(store)).toEqual(counted(store))
    await store.turn((tx) => tables.add(tx, reading({ devEui: '000000000000000a', fCnt: 2_300 })))
    await count(store, tables)
    expect(sizes(store)).toEqual(counted(store))
    expect(sizes(store).reduce((sum, { rows }) => sum + rows, 0)).toBe(2_301)
  })

  it('goes on from a log of the version before: its rows are counted and named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-log-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const place = { path: join(folder, 'box.db'), log: silentLog }
    const before = openStore({ ...place, migrations: logMigrations.slice(0, 1) })
    const old = reading()
    const named = JSON.stringify({
      deviceName: old.deviceName, devAddr: old.devAddr, frame: old.frame, fPort: old.fPort, isConfirmed: old.isConfirmed, frequencyHz: old.frequencyHz, modulation: old.modulation, dataRate: old.dataRate, isLate: old.isLate,
      payload: '0102ff', copies: old.copies.map((copy) => ({ ...copy, time: copy.time.kind === 'station' ? ['station', '9223372036854775807', '3'] : ['foreign', '0908'] })),
    })
    await before.turn((tx) => {
      tx.run(
        'INSERT INTO iot_reading (dev_eui, f_cnt, wall_ms, wall_trusted, boot_id, boottime_ms, record, vals, problem, bytes) VALUES (?, ?, ?, 1, ?, ?, ?, ?, NULL, 900)',
        old.devEui, old.fCnt, old.at.wallMs, old.at.bootId, old.at.boottimeMs, named, JSON.stringify(old.values),
      )
      tx.run('INSERT INTO iot_reading_size VALUES (?, 1, 900)', old.devEui)
    })
    await before.close()
    const store = openStore({ ...place, migrations: logMigrations })
    onTestFinished(() => store.close())
    const tables = createLogTables(MANY)
    expect(store.read((tx) => tables.rows(tx, { devEui: old.devEui, limit: 5 })).map(({ id: _, ...rest }) => rest)).toEqual([old])
    await store.turn((tx) => tables.add(tx, reading({ fCnt: 2, values: null })))
    await count(store, tables)
    expect(sizes(store)).toEqual(counted(store))
  })

  it('keeps a frame of every modulation and of every kind of concentrator', async () => {
    const { store, tables } = opened()
    const modulations: Reading['modulation'][] = [
      { kind: 'lora', spreadingFactor: 12, bandwidthHz: 500_000, codingRate: '4/8LI' },
      { kind: 'fsk', bitsPerSecond: 50_000, deviationHz: 25_000 },
      { kind: 'lr-fhss', widthHz: 137_000, codingRate: '1/3', gridSteps: 8 },
    ]
    const times: Copy['time'][] = [{ kind: 'counter', tmstUs: 4_294_967_295 }, { kind: 'station', xtime: -1n, rctx: 0n }, { kind: 'foreign', context: new Uint8Array(0) }]
    const all = modulations.flatMap((modulation, m) => times.map((time, t) => reading({ fCnt: m * 3 + t, modulation, copies: reading().copies.map((copy) => ({ ...copy, time })), isConfirmed: t === 1, isLate: m === 1, payload: new Uint8Array(t * 100), deviceName: 'a "name", [ü]' })))
    await store.turn((tx) => all.forEach((one) => tables.add(tx, one)))
    expect(store.read((tx) => tables.after(tx, 0, 20)).map(({ id: _, ...rest }) => rest)).toEqual(all)
  })

  it('keeps its books on bytes, and takes away by age, rows and bytes: oldest first, from who has most', async () => {
    const { store, tables } = opened({ days: 10, maxBytes: 60_000, maxRows: 90 })
    const random = seededRandom(7)
    for (let day = 0; day < 25; day++) {
      await store.turn((tx) => {
        for (let n = 0; n < 12; n++) {
          const chatty = random.next() < 0.7
          tables.add(tx, reading({ devEui: chatty ? '000000000000000c' : '000000000000000a', fCnt: day * 100 + n, at: moment(START_MS + day * DAY_MS + n * 600_000, random.next() < 0.9), values: [{ name: `v${n % 3}`, value: random.next(), unit: null }] }))
        }
      })
      const newest = store.read((tx) => tables.rows(tx, { devEui: '000000000000000c', limit: 1 }))
      await store.turn((tx) => tables.prune(tx, moment(START_MS + day * DAY_MS + DAY_MS)))
      expect(sizes(store)).toEqual(counted(store))
      expect(sizes(store).reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(60_000)
      for (const { rows } of sizes(store)) expect(rows).toBeLessThanOrEqual(90)
      expect(store.read((tx) => tables.rows(tx, { devEui: '000000000000000c', limit: 1 }))).toEqual(newest)
      const tooOld = store.read((tx) => tx.all('SELECT 1 FROM iot_reading WHERE wall_trusted = 1 AND wall_ms < ?', START_MS + (day - 9) * DAY_MS))
      expect(tooOld).toEqual([])
    }
  })

  it('takes nothing away for its age while the clock is not believed, and at most 200 rows in a turn', async () => {
    const { store, tables } = opened({ days: 1, maxBytes: 1e9 })
    await store.turn((tx) => {
      for (let n = 0; n < 700; n++) tables.add(tx, reading({ fCnt: n }))
    })
    const later = START_MS + 3 * DAY_MS
    expect(await store.turn((tx) => tables.prune(tx, moment(later, false)))).toBe(0)
    const taken: number[] = []
    while (taken.at(-1) !== 0) taken.push(await store.turn((tx) => tables.prune(tx, moment(later))))
    expect(taken).toEqual([200, 200, 200, 100, 0])
    expect(store.read((tx) => tx.all('SELECT * FROM iot_reading_name UNION ALL SELECT dev_eui, name FROM iot_reading_hour'))).toEqual([])
  })

  it('cleans up by itself, in pieces, until nothing is too old', async () => {
    const { store, tables, time } = opened({ days: 1, maxBytes: 1e9 })
    time.trusted = true
    await store.turn((tx) => {
      for (let n = 0; n < 1_200; n++) tables.add(tx, reading({ fCnt: n, at: moment(time.wallMs() - 5 * DAY_MS) }))
    })
    const desk = new DataLog({ store, tables, clock: time, timers: systemTimers, log: silentLog })
    desk.start()
    await desk.prune()
    desk.stop()
    expect(sizes(store)).toEqual([])
  })
})

describe('a plot', () => {
  it('has the mean, the least and the most of each piece', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.integer({ min: -50, max: 1_050 }), value: fc.integer({ min: -100, max: 100 }) }), { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (given, points) => {
        const made = downSample(given.map(({ at, value }) => ({ wallMs: at, count: 1, sum: value, least: value, most: value })), { fromWallMs: 0, toWallMs: 1_000, points })
        const expected = Array.from({ length: points }, (_, index) => given.filter(({ at }) => at >= 0 && at < 1_000 && Math.floor(at / (1_000 / points)) === index).map(({ value }) => value))
        const filled = expected.filter((values) => values.length > 0)
        expect(made.map(({ least, most }) => [least, most])).toEqual(filled.map((values) => [Math.min(...values), Math.max(...values)]))
        made.forEach(({ mean }, i) => expect(mean).toBeCloseTo(filled[i]!.reduce((sum, value) => sum + value, 0) / filled[i]!.length))
      }),
    )
  })

  it('of many readings is made of hours, and says the same', async () => {
    const { store, tables, desk } = opened()
    const random = seededRandom(3)
    await store.turn((tx) => {
      for (let n = 0; n < 6_000; n++) tables.add(tx, reading({ fCnt: n, at: moment(START_MS + n * 60_000), values: [{ name: 'soil', value: Math.round(random.next() * 100), unit: null }, { name: 'door', value: random.next() < 0.5, unit: null }] }))
    })
    const from = Math.ceil(START_MS / 3_600_000) * 3_600_000
    const ask = { devEui: reading().devEui, fromWallMs: from, toWallMs: from + 96 * 3_600_000, points: 24 }
    const short = { ...ask, toWallMs: from + 24 * 3_600_000, points: 6 }
    for (const name of ['soil', 'door']) {
      const hours = desk.series({ ...ask, name })
      expect(hours).toHaveLength(24)
      const rows = desk.series({ ...short, name })
      hours.slice(0, 6).forEach((point, i) => {
        expect([point.wallMs, point.least, point.most]).toEqual([rows[i]!.wallMs, rows[i]!.least, rows[i]!.most])
        expect(point.mean).toBeCloseTo(rows[i]!.mean)
      })
    }
    expect(desk.series({ ...ask, name: 'nothing' })).toEqual([])
    expect(() => desk.series({ ...ask, name: 'soil', points: 1_001 })).toThrow(expect.objectContaining({ field: 'points' }))
    expect(() => desk.series({ ...ask, name: 'soil', toWallMs: from })).toThrow(expect.objectContaining({ field: 'fromWallMs' }))
  })
})

describe('the export', () => {
  it('is a header and a line per reading, in pieces, in order of time', async () => {
    const { store, tables, desk } = opened()
    await store.turn((tx) => {
      for (let n = 0; n < 350; n++) tables.add(tx, reading({ fCnt: n, at: moment(START_MS + ((n * 9) % 350) * 1_000), values: [{ name: 'n', value: n, unit: null }] }))
    })
    const pieces: string[] = []
    for await (const piece of desk.csv({ devEui: reading().devEui, fromWallMs: START_MS + 10_000, toWallMs: START_MS + 340_000 })) pieces.push(piece)
    expect(pieces.length).toBeGreaterThan(3)
    const lines = pieces.join('').split('\r\n')
    expect(lines[0]).toBe('time,clock_trusted,device,dev_eui,counter,port,late,payload,gateways,rssi_dbm,snr_db,problem,n')
    expect(lines.at(-1)).toBe('')
    const times = lines.slice(1, -1).map((line) => line.split(',')[0]!)
    expect(times).toHaveLength(330)
    expect(times).toEqual([...times].sort())
    expect(lines[1]).toBe('2023-11-14T22:13:30.000Z,true,field-3,0102030405060708,40,2,false,0102ff,2,-57,9.5,,40')
  })

  it('holds nothing that a spreadsheet runs, and numbers stay numbers', () => {
    const line = csvLine(reading({ deviceName: '=HYPERLINK("http://x")', problem: '@SUM(1)', values: [{ name: 'a', value: -4.5, unit: null }, { name: 'b', value: '+1', unit: null }, { name: 'c', value: 'two\nlines, "quoted"', unit: null }, { name: 'd', value: '\tx', unit: null }] }), ['a', 'b', 'c', 'd', 'missing'])
    expect(line).toContain(`,"'=HYPERLINK(""http://x"")",`)
    expect(line.endsWith(`,"'@SUM(1)",-4.5,"'+1","two\nlines, ""quoted""","'\tx",\r\n`)).toBe(true)
    fc.assert(
      fc.property(fc.string(), (text) => {
        const cell = csvLine(reading({ deviceName: text }), []).split(',').slice(2).join(',')
        expect(cell).not.toMatch(/^"?[=+\-@\t\r]/)
      }),
    )
  })
})
