/** What is on disk: nonces, counters after an end in order and without, sessions read back as they were, and bytes nobody can foresee. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { fromHex, silentLog, utf8 } from '../../../src/base/index.ts'
import { networkMigrations, networkRows } from '../../../src/iot/network/index.ts'
import { skipJoinNonces } from '../../../src/iot/network/io/tables.ts'
import { channelsOf, channelsText } from '../../../src/iot/network/io/state-text.ts'
import type { NetworkSession } from '../../../src/iot/network/session.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Migration, Store } from '../../../src/store/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { Box, testSeal } from './box.ts'
import { Sensor, joined } from './sensor.ts'

const KEY = fromHex('0102030405060708090a0b0c0d0e0f10')
const EUI = '0202020202020202'
const FUZZ = Number(process.env.MESHBOX_LORA_FUZZ ?? 3_000)
const rows = networkRows(testSeal)
let box: Box
afterEach(() => box.close())

const stored = (): NetworkSession => box.store.read((tx) => rows.session(tx, EUI)) as NetworkSession

it('the last 10,000 DevNonces of a device are remembered, and of no other', async () => {
  box = await new Box().open()
  const use = (devEui: string, nonce: number): Promise<boolean> => box.store.turn((tx) => rows.useDevNonce(tx, devEui, nonce, 'unused'))
  await box.store.turn((tx) => tx.run('WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) INSERT INTO iot_dev_nonce (dev_eui, dev_nonce) SELECT ?, i FROM n', EUI))
  expect(await use(EUI, 0)).toBe(false)
  expect(await use(EUI, 10_000)).toBe(true)
  expect(await use(EUI, 1)).toBe(false)
  expect(await use(EUI, 10_000)).toBe(false)
  expect(await use('0303030303030303', 1)).toBe(true)
  expect(await use(EUI, 0)).toBe(true)
  expect(await use(EUI, 2)).toBe(false)
  expect(await use(EUI, 1)).toBe(true)
})

it('a JoinNonce is never given twice, and there is an end to them', async () => {
  box = await new Box().open()
  const given = await box.store.turn((tx) => [1, 2, 3].map(() => rows.nextJoinNonce(tx, EUI)))
  expect(given).toEqual([1, 2, 3])
  // The book is an old copy by now: a device of 1.1 takes none that is not greater than its last.
  await box.store.turn((tx) => skipJoinNonces(tx, 4_096))
  expect(await box.store.turn((tx) => rows.nextJoinNonce(tx, EUI))).toBe(4_100)
  await box.store.turn((tx) => tx.run('UPDATE iot_join_nonce SET last = 16777214'))
  expect(await box.store.turn((tx) => [rows.nextJoinNonce(tx, EUI), rows.nextJoinNonce(tx, EUI)])).toEqual([0xff_ffff, null])
})

it('counters down go on after an end in order, and skip 32 after any other', async () => {
  box = await new Box().open()
  await joined(box, new Sensor(EUI, KEY))
  expect(stored().fCntDown).toBe(0)
  await box.restart(true)
  expect(stored().fCntDown).toBe(0)
  await box.restart(false)
  expect(stored().fCntDown).toBe(32)
  await box.store.turn((tx) => tx.run('UPDATE iot_session SET f_cnt_down = 4294967290'))
  await box.restart(false)
  // All are used: it is never wrapped around.
  expect(stored().fCntDown).toBe(2 ** 32)
})

it('a session whose counters are used up takes no frame and makes none', async () => {
  box = await new Box().open()
  const sensor = new Sensor(EUI, KEY)
  await joined(box, sensor)
  await box.store.turn((tx) => tx.run('UPDATE iot_session SET f_cnt_down = 4294967296, f_cnt_up = 4294967295'))
  await box.restart(true)
  const asked = box.air.asked.length
  expect(await box.network.server.take(box.heard(sensor.frame(utf8('a'), { fCnt: 4_294_967_295, isConfirmed: true })))).toMatchObject({ kind: 'reading' })
  expect(await box.network.server.take(box.heard(sensor.frame(utf8('b'), { fCnt: 0 })))).toEqual({ kind: 'unknown' })
  await box.pass(3_000)
  expect(box.air.asked).toHaveLength(asked)
})

it('a session reads back as it was written; an old life is not written over a new one, nor a counter down lowered', async () => {
  box = await new Box().open()
  await joined(box, new Sensor(EUI, KEY))
  const session = stored()
  const next: NetworkSession = {
    ...session,
    fCntUp: 9,
    fCntDown: 4,
    channels: [{ frequencyHz: 868_100_000, minDataRate: 0, maxDataRate: 5, isEnabled: false }, null, { frequencyHz: 868_500_000, minDataRate: 1, maxDataRate: 6, isEnabled: true }],
    pendingMac: [{ cid: 6, payload: Uint8Array.of(6), tries: 2 }],
    history: [{ fCnt: 8, snrDb: -3.5, txPowerIndex: 1, gateways: 2 }],
    lastUplink: { fCnt: 8, frame: 'ab', wasAnswered: true },
    awaitingAck: { queueId: 3, fCntDown: 3 },
  }
  await box.store.turn((tx) => rows.saveSession(tx, next))
  expect(stored()).toEqual(next)
  await expect(box.store.turn((tx) => rows.saveSession(tx, { ...next, fCntDown: 3 }))).rejects.toMatchObject({ code: 'session-changed' })
  await expect(box.store.turn((tx) => rows.saveSession(tx, { ...next, number: next.number + 1 }))).rejects.toMatchObject({ code: 'session-changed' })
  for (const channels of [[], [null], next.channels]) expect(channelsOf(channelsText(channels))).toEqual(channels)
})

it('a file of the version before: its sessions are read as they were, counters and keys with them', async () => {
  const [first] = networkMigrations
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-iot-'))
  const path = join(dir, 'box.sqlite')
  const open = (migrations: readonly Migration[]): Store => openStore({ path, migrations, log: silentLog })
  box = await new Box().open()
  await joined(box, new Sensor(EUI, KEY))
  const now = stored()
  const history = Array.from({ length: 20 }, (_, n) => ({ fCnt: 70_000 + 3 * n, snrDb: -12.75 + n, txPowerIndex: 2, gateways: 1 + (n % 3) }))
  const named = { ...now, history, hasAdr: true, lastUplink: { fCnt: 70_057, frame: 'ab', wasAnswered: true } }
  const { devEui: _devEui, number: _number, devAddr: _devAddr, fCntUp: _up, fCntDown: _down, ...state } = named
  const text = JSON.stringify({ ...state, channels: channelsText(now.channels), pendingMac: [{ cid: 6, payload: '06', tries: 2 }] })
  const key = testSeal.seal(KEY)
  let store = open(first === undefined ? [] : [first])
  await store.turn((tx) => tx.run('INSERT INTO iot_session VALUES (?, 3, 7, 70058, 41, 0, ?, ?, NULL, NULL, ?, ?)', EUI, 'mark', key, key, text))
  await store.close()
  store = open(networkMigrations)
  try {
    const expected = { ...named, number: 3, devAddr: 7, fCntUp: 70_058, fCntDown: 41, pendingMac: [{ cid: 6, payload: Uint8Array.of(6), tries: 2 }] }
    const read = (): NetworkSession | null => store.read((tx) => rows.session(tx, EUI))
    expect(read()).toEqual(expected)
    expect(store.read((tx) => rows.sessionKeys(tx, EUI, 3))?.fNwkSIntKey).toEqual(KEY)
    await store.turn((tx) => rows.saveSession(tx, { ...expected, fCntUp: 70_059 }))
    expect(read()).toEqual({ ...expected, fCntUp: 70_059 })
    // One page of the file holds it.
    expect(store.read((tx) => tx.get<{ bytes: number }>('SELECT length(state) AS bytes FROM iot_session'))?.bytes).toBeLessThan(700)
  } finally {
    await store.close()
    rmSync(dir, { recursive: true })
  }
})

it('a file from before LoRaWAN 1.1: rows of 1.0 keep every byte, and are written as they were', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-iot-'))
  const path = join(dir, 'box.sqlite')
  const open = (migrations: readonly Migration[]): Store => openStore({ path, migrations, log: silentLog })
  box = await new Box().open()
  await joined(box, new Sensor(EUI, KEY))
  const now = stored()
  const random = seededRandom(5)
  const number = (most: number): number => Math.floor(random.next() * most)
  const moment = (): string => JSON.stringify([`boot-${number(9)}`, number(1e9), number(1e12), number(2)])
  const names = 'dev_eui, number, dev_addr, f_cnt_up, f_cnt_down, is_retired, keys_mark, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key, state'
  const euis = Array.from({ length: 40 }, (_, at) => (at + 1).toString(16).padStart(16, '0'))
  const bytes = (store: Store): unknown => store.read((tx) => tx.all(`SELECT id, ${names} FROM iot_session ORDER BY id`))
  let store = open(networkMigrations.slice(0, 2))
  await store.turn((tx) => {
    for (const eui of euis) {
      const history = Array.from({ length: number(21) * 4 }, () => number(60))
      const rest = `${JSON.stringify(history)},"${channelsText(now.channels)}",[${number(2) === 0 ? '' : '[6,"06",2]'}]`
      const last = number(2) === 0 ? 'null' : `{"fCnt":${number(1e6)},"frame":"ab","wasAnswered":true}`
      const state = `[0,0,${1 + number(15)},${number(6)},${number(6)},869525000,${number(6)},${number(8)},${1 + number(3)},0,0,16,${number(2)},${number(6)},${number(8)},"00000000000000b0",null,${number(900) / 4},0,${number(256)},${number(64) - 32},null,${last},${moment()},${moment()},${rest}]`
      tx.run(`INSERT INTO iot_session (${names}) VALUES (?, ?, ?, ?, ?, 0, 'mark', ?, NULL, NULL, ?, ?)`, eui, 1 + number(99), number(2 ** 32), number(2 ** 32), number(2 ** 32), random.bytes(16), random.bytes(16), state)
    }
  })
  const before = bytes(store)
  await store.close()
  store = open(networkMigrations)
  try {
    expect(bytes(store)).toEqual(before)
    const sessions = store.read((tx) => rows.sessions(tx))
    expect(sessions).toHaveLength(euis.length)
    for (const session of sessions) expect(session).toMatchObject({ is11: false, aFCntDown: 0, confFCnt: 0 })
    await store.turn((tx) => {
      for (const session of sessions) rows.saveSession(tx, session)
    })
    expect(bytes(store)).toEqual(before)
    // Only the counter of 1.0 is moved.
    await store.turn((tx) => rows.skipDownCounters(tx, 32))
    for (const session of store.read((tx) => rows.sessions(tx))) expect([session.aFCntDown, session.fCntDown]).toEqual([0, Math.min(2 ** 32, (sessions.find(({ devEui }) => devEui === session.devEui)?.fCntDown ?? 0) + 32)])
  } finally {
    await store.close()
    rmSync(dir, { recursive: true })
  }
})

it(`${FUZZ} frames of noise and of broken copies of right ones: none is taken, none throws, nothing changes`, async () => {
  box = await new Box().open()
  const sensor = new Sensor(EUI, KEY)
  await joined(box, sensor)
  await box.pass(2_000)
  const random = seededRandom(11)
  const right = [sensor.frame(utf8('right')), sensor.joinRequest()]
  const before = stored()
  for (let round = 0; round < FUZZ; round++) {
    const base = right[round % 3]
    const phy = base === undefined ? random.bytes(1 + Math.floor(random.next() * 60)) : new Uint8Array(base)
    if (base !== undefined) {
      const at = Math.floor(random.next() * phy.length)
      phy[at] = (phy[at] ?? 0) ^ (1 << Math.floor(random.next() * 8))
    }
    const verdict = await box.network.server.take(box.heard(phy))
    expect(['unknown', 'refused', 'join']).toContain(verdict.kind)
    if (verdict.kind === 'join') expect(verdict.event.refused).not.toBeNull()
  }
  expect(stored()).toEqual(before)
  expect(await box.network.server.take(box.heard(right[0] as Uint8Array))).toMatchObject({ kind: 'reading' })
})
