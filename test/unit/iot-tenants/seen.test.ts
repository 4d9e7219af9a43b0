/** Frames taken before: what is forgotten of them, and when. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexOf, silentLog, type Moment } from '../../../src/base/index.ts'
import { forgetOldestSeen, forgetSeen, markSeen, surplusSeen } from '../../../src/iot/tenants/io/account-tables.ts'
import { openStore, type Store } from '../../../src/store/index.ts'
import { MIGRATIONS } from './tenant-box.ts'

const HOUR_MS = 3_600_000
let folder = ''
let store: Store
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-seen-'))
  store = openStore({ path: join(folder, 'box.db'), migrations: MIGRATIONS, log: silentLog })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const frame = (n: number): `0x${string}` => hexOf(Uint8Array.from({ length: 32 }, (_, at) => (at < 4 ? (n >> (8 * at)) & 0xff : 0x5e)))
const at = (hours: number, bootId = 'first', wallTrusted = true): Moment => ({ bootId, boottimeMs: hours * HOUR_MS, wallMs: 1e12 + hours * HOUR_MS, wallTrusted })
const mark = (tenant: string, from: number, to: number, moment: Moment): Promise<void> =>
  store.turn((tx) => {
    for (let n = from; n < to; n++) markSeen(tx, tenant, frame(n), moment)
  })
const left = (): number => store.read((tx) => tx.get<{ count: number }>('SELECT count(*) AS count FROM iot_seen'))?.count ?? 0

it('goes after a day, the oldest first, so many in a turn', async () => {
  await mark('farm', 0, 10, at(0))
  await mark('farm', 10, 20, at(20))
  expect(await store.turn((tx) => forgetSeen(tx, at(23), 4))).toBe(0)
  expect([await store.turn((tx) => forgetSeen(tx, at(25), 4)), await store.turn((tx) => forgetSeen(tx, at(25), 100)), left()]).toEqual([4, 6, 10])
  // What is still remembered is no news; what was forgotten is.
  expect(await store.turn((tx) => [markSeen(tx, 'farm', frame(12), at(25)), markSeen(tx, 'farm', frame(2), at(25))])).toEqual([false, true])
})

it('of an earlier boot it goes by a clock that is believed, else a day after the reboot', async () => {
  await mark('farm', 0, 5, at(100, 'earlier'))
  await mark('farm', 5, 9, at(100, 'earlier', false))
  const later: Moment = { bootId: 'now', boottimeMs: HOUR_MS, wallMs: 1e12 + 125 * HOUR_MS, wallTrusted: true }
  expect([await store.turn((tx) => forgetSeen(tx, later, 100)), left()]).toEqual([5, 4])
  expect([await store.turn((tx) => forgetSeen(tx, { ...later, boottimeMs: 25 * HOUR_MS, wallTrusted: false }, 100)), left()]).toEqual([4, 0])
})

it('beyond the bound of one tenant his oldest go, and no other tenant’s', async () => {
  await mark('mill', 100, 110, at(0))
  await mark('farm', 0, 30, at(1))
  const surplus = await store.turn((tx) => surplusSeen(tx, 'farm', 20))
  expect([surplus, await store.turn((tx) => surplusSeen(tx, 'mill', 20))]).toEqual([10, 0])
  expect([await store.turn((tx) => forgetOldestSeen(tx, 'farm', surplus)), left()]).toEqual([10, 30])
  expect(await store.turn((tx) => [markSeen(tx, 'farm', frame(9), at(2)), markSeen(tx, 'farm', frame(10), at(2)), markSeen(tx, 'mill', frame(100), at(2))])).toEqual([true, false, false])
})
