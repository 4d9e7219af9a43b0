/** Bans outlive the service, and a file that cannot be written costs a ban and nothing else. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createLog, silentLog } from '../../../src/base/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/tables/index.ts'
import { storedBans } from '../../../src/spectrum/tables/io/bans.ts'
import { openStore } from '../../../src/store/index.ts'

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-bans-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const LIAR = { identity: 'ab'.repeat(64), reason: 'a header nobody signed', untilSeconds: 2_000_000_000 }
const FLOOD = { identity: 'http://192.0.2.1:18545', reason: 'too much', untilSeconds: 1_900_000_000 }

it('are there again after a restart; what was lifted is not', async () => {
  const path = join(folder(), 'box.sqlite')
  const first = openStore({ path, migrations: spectrumMigrations, log: silentLog })
  storedBans(first, silentLog).save([FLOOD, LIAR])
  await first.close()
  const second = openStore({ path, migrations: spectrumMigrations, log: silentLog })
  expect(storedBans(second, silentLog).load()).toEqual([LIAR, FLOOD])
  storedBans(second, silentLog).save([LIAR])
  await second.close()
  const third = openStore({ path, migrations: spectrumMigrations, log: silentLog })
  expect(storedBans(third, silentLog).load()).toEqual([LIAR])
  await third.close()
})

it('that cannot be written are told, not thrown', async () => {
  const store = openStore({ path: join(folder(), 'box.sqlite'), migrations: spectrumMigrations, log: silentLog })
  const lines: string[] = []
  const log = createLog({ level: 'debug', style: 'syslog', now: () => 0, write: (line) => lines.push(line) })
  const bans = storedBans(store, log)
  await store.close()
  bans.save([LIAR])
  await new Promise((resolve) => setImmediate(resolve))
  expect(lines.join('\n')).toContain('bans are not on disk')
})
