/** Sources that are kept out, on disk: a liar is still banned after a restart. */
import { asError } from '../../../base/index.ts'
import type { Log } from '../../../base/index.ts'
import type { Migration, Store } from '../../../store/index.ts'
import type { Ban, BanStore } from '../../source/index.ts'

export const banMigrations: readonly Migration[] = [
  {
    id: 'spectrum-bans-001',
    sql: 'CREATE TABLE spectrum_ban (identity TEXT PRIMARY KEY, reason TEXT NOT NULL, until_seconds INTEGER NOT NULL) STRICT;',
  },
]

export function storedBans(store: Store, log: Log): BanStore {
  return {
    load: () => store.read((tx) => tx.all<Ban>('SELECT identity, reason, until_seconds AS untilSeconds FROM spectrum_ban ORDER BY until_seconds DESC')),
    save(bans) {
      store
        .turn((tx) => {
          tx.run('DELETE FROM spectrum_ban')
          for (const { identity, reason, untilSeconds } of bans) tx.run('INSERT INTO spectrum_ban (identity, reason, until_seconds) VALUES (?, ?, ?)', identity, reason, untilSeconds)
        })
        .catch((error: unknown) => log.error('bans are not on disk; they last until the next start', { error: asError(error) }))
    },
  }
}
