/** What is kept of a side's packets: a partner restored from an old copy is given back the newest 1,024, whatever the purge does. */
import { afterEach, expect, test } from 'vitest'
import { join } from 'node:path'
import { silentLog } from '../../../src/base/index.ts'
import { photonMigrations } from '../../../src/photon/node/tables/migrations.ts'
import { KEPT_PACKETS, insertPackets, purgePackets, readPackets } from '../../../src/photon/node/tables/packets.ts'
import { openStore } from '../../../src/store/index.ts'
import { tempDir } from './box.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

test('the newest 1,024 of a side stay, and those that are needed for another reason; older ones go, a few dozen late at most', async () => {
  const store = openStore({ path: join(tempDir(cleanUps), 'box.sqlite'), migrations: photonMigrations, log: silentLog })
  cleanUps.push(() => store.close())
  const kept = (who: 'own' | 'partner'): number => store.read((tx) => readPackets(tx, 1, who, 0n, 10_000n, 10_000)).length
  for (let newest = 1n; newest <= 1500n; newest++) {
    await store.turn((tx) => {
      insertPackets(tx, [{ channelNumber: 1, who: 'own', nonce: newest, packet: Uint8Array.of(1) }, { channelNumber: 1, who: 'partner', nonce: newest, packet: Uint8Array.of(2) }])
      purgePackets(tx, 1, 'own', newest, newest)
      purgePackets(tx, 1, 'partner', newest, 100n) // as if all from 100 on had not been acknowledged
    })
    if (newest % 97n !== 0n) continue
    expect(kept('own')).toBeGreaterThanOrEqual(Number(newest < KEPT_PACKETS ? newest : KEPT_PACKETS))
    expect(kept('own')).toBeLessThan(Number(KEPT_PACKETS) + 66)
  }
  expect(store.read((tx) => readPackets(tx, 1, 'partner', 100n, 1500n, 10_000))).toHaveLength(1401)
})
