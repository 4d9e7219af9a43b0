/** What is kept of rows is what lies on disk, whatever was undone; and frames that share a turn take nothing from each other. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/base/index.ts'
import { keptRows, networkRows } from '../../../src/iot/network/index.ts'
import type { NetworkRows } from '../../../src/iot/network/rows.ts'
import type { NetworkSession } from '../../../src/iot/network/session.ts'
import type { ReadTx, Tx } from '../../../src/store/index.ts'
import { Box, otaa, testSeal } from './box.ts'
import { Sensor, joined } from './sensor.ts'

const KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const EUIS = ['0202020202020202', '0303030303030303', '0404040404040404']
let box: Box
afterEach(() => box.close())

const bytes = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)

/** Every reader, of every device. */
function seen(rows: NetworkRows, tx: ReadTx): unknown {
  return EUIS.map((devEui, index) => ({ device: rows.device(tx, devEui), session: rows.session(tx, devEui), head: rows.head(tx, devEui), at: rows.candidates(tx, index, '', 64) }))
}

describe('kept rows', () => {
  it('are those on disk after any row of turns, some of which are undone', async () => {
    box = await new Box().open()
    const template = await joined(box, new Sensor('0909090909090909', KEY)).then(() => box.store.read((tx) => networkRows(testSeal).session(tx, '0909090909090909')) as NetworkSession)
    const plain = networkRows(testSeal)
    const write: Readonly<Record<string, (rows: NetworkRows, tx: Tx, at: number) => void>> = {
      put: (rows, tx, at) => rows.putDevice(tx, otaa(EUIS[at] ?? '', KEY, { name: `n${tx.get<{ n: number }>('SELECT abs(random() % 1000) AS n')?.n}` })),
      remove: (rows, tx, at) => void rows.removeDevice(tx, EUIS[at] ?? ''),
      start: (rows, tx, at) => {
        const key = bytes(at)
        rows.startSession(tx, { ...template, devEui: EUIS[at] ?? '', devAddr: at, number: rows.nextNumber(tx, EUIS[at] ?? '') }, { fNwkSIntKey: key, sNwkSIntKey: key, nwkSEncKey: key, appSKey: key })
      },
      retire: (rows, tx, at) => rows.retireSession(tx, EUIS[at] ?? ''),
      save: (rows, tx, at) => {
        const session = rows.session(tx, EUIS[at] ?? '')
        if (session !== null) rows.saveSession(tx, { ...session, fCntUp: session.fCntUp + 1, fCntDown: session.fCntDown + 1, battery: session.fCntUp % 254 })
      },
      skip: (rows, tx) => void rows.skipDownCounters(tx, 7),
      queue: (rows, tx, at) => void rows.addQueueItem(tx, { devEui: EUIS[at] ?? '', fPort: 1, payload: bytes(1), isConfirmed: false, asker: 'test', expiresAt: null, state: 'queued', tries: [] }),
      sent: (rows, tx, at) => {
        const head = rows.head(tx, EUIS[at] ?? '')
        if (head !== null) rows.saveQueueItem(tx, { ...head, state: 'sent' })
      },
      look: (rows, tx) => void seen(rows, tx),
    }
    const step = fc.record({ what: fc.constantFrom(...Object.keys(write)), at: fc.nat(2) })
    const turn = fc.record({ steps: fc.array(step, { maxLength: 5 }), end: fc.constantFrom('stays', 'stays', 'undone') })
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 12 }), fc.boolean(), async (turns, isTogether) => {
        await box.store.turn((tx) => {
          for (const devEui of EUIS) plain.removeDevice(tx, devEui)
        })
        const kept = keptRows(plain)
        const run = ({ steps, end }: (typeof turns)[number]): Promise<unknown> =>
          box.store
            .turn((tx) => {
              for (const { what, at } of steps) write[what]?.(kept, tx, at)
              expect(seen(kept, tx)).toEqual(seen(plain, tx))
              if (end === 'undone') throw new Error('undone')
            })
            .catch((thrown: unknown) => {
              if ((thrown as Error).message !== 'undone') throw thrown
            })
        if (isTogether) await Promise.all(turns.map(run))
        else for (const one of turns) await run(one)
        expect(box.store.read((tx) => seen(kept, tx))).toEqual(box.store.read((tx) => seen(plain, tx)))
      }),
      { numRuns: 60 },
    )
  })
})

describe('frames that are ready together', () => {
  it('share a commit, in the order in which they were heard', async () => {
    box = await new Box().open()
    const sensor = new Sensor(EUIS[0] ?? '', KEY)
    await joined(box, sensor)
    const commits = box.store.stats().commits
    const frames = Array.from({ length: 40 }, (_, n) => box.heard(sensor.frame(utf8(`${n}`))))
    const verdicts = await Promise.all(frames.map((heard) => box.network.server.take(heard)))
    expect(verdicts.map(({ kind }) => kind)).toEqual(frames.map(() => 'reading'))
    expect(box.readings.map(({ fCnt }) => fCnt)).toEqual(frames.map((_, n) => n))
    expect(box.store.stats().commits).toBe(commits + 1)
  })

  it('one that cannot be stored takes no other with it', async () => {
    box = await new Box().open()
    const sensors = EUIS.map((devEui) => new Sensor(devEui, KEY))
    for (const sensor of sensors) await joined(box, sensor)
    box.keep = ({ devEui }) => {
      if (devEui === EUIS[1]) throw new Error('no')
    }
    const said = (text: string): readonly Promise<unknown>[] => sensors.map((sensor) => box.network.server.take(box.heard(sensor.frame(utf8(text)))))
    expect((await Promise.allSettled(said('a'))).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(box.readings.map(({ devEui }) => devEui)).toEqual([EUIS[0], EUIS[2]])
    box.keep = () => undefined
    // Its counter was not taken either: not on disk, and not in memory.
    expect(await Promise.all(said('b'))).toMatchObject([{ kind: 'reading' }, { kind: 'reading' }, { kind: 'reading' }])
    expect(EUIS.map((devEui) => box.store.read((tx) => networkRows(testSeal).session(tx, devEui))?.fCntUp)).toEqual([2, 2, 2])
  })
})
