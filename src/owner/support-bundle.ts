/**
 * What an owner sends to whoever helps him: a tar.gz of the state of the box, its configuration, the last
 * log lines and the shape of its books. It holds no secrets and no guest: everything goes through
 * scrub.ts, and rows of the books are counted, never read.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { utf8 } from '../base/index.ts'
import type { ReadTx } from '../store/index.ts'
import type { StatusJson } from './api/status.ts'
import type { OwnerPorts } from './ports.ts'
import { createScrub, scrubJson } from './scrub.ts'
import { writeTar } from './tar.ts'

const SALT_BYTES = 16
const COUNT_UP_TO = 100_000
const compress = promisify(gzip)

const README = `Support bundle of a MeshBox.

status.json   state of the box and of its parts
config.txt    configuration, values of secret options hidden
log.txt       last lines of the log
books.json    tables of the books: their form and how many rows, no contents

Device addresses are replaced by short names that mean nothing outside this bundle. Passwords, keys,
voucher codes, tickets and recovery words are not in it; if you find one, please tell the makers.
`

export async function supportBundle(
  ports: Pick<OwnerPorts, 'store' | 'config' | 'ring' | 'clock' | 'randomness' | 'version'>,
  status: StatusJson,
  knownSecrets: readonly string[],
): Promise<Uint8Array> {
  const scrub = createScrub(ports.randomness.bytes(SALT_BYTES), knownSecrets)
  const json = (value: unknown): string => `${JSON.stringify(scrubJson(value, scrub), null, 2)}\n`
  const { setupCode: _never, address, ...shown } = status
  const texts: Record<string, string> = {
    'README.txt': README,
    // The box's address is public (it is on every receipt) and would look like a key to the scrubber.
    'status.json': json(shown).replace(/^\{/, `{\n  "address": ${JSON.stringify(address)},`),
    'config.txt': scrub(ports.config.text()),
    'log.txt': scrub(logText(ports)),
    'books.json': json(ports.store.read(booksOf)),
  }
  const unixSeconds = Math.floor(ports.clock.wallMs() / 1000)
  const files = Object.entries(texts).map(([name, text]) => ({ name: `meshbox-support/${name}`, body: utf8(text) }))
  return new Uint8Array(await compress(writeTar(files, unixSeconds)))
}

function logText(ports: Pick<OwnerPorts, 'ring'>): string {
  const lines = ports.ring.last().map((event) => `${new Date(event.wallMs).toISOString()} ${event.level} ${event.line}`)
  return `${ports.ring.dropped} older lines are gone\n${lines.join('\n')}\n`
}

interface Table {
  readonly name: string
  readonly sql: string | null
}

/** Form and size of the tables. Counting stops early, so that large books do not hold the box up. */
function booksOf(tx: ReadTx): unknown {
  const tables = tx.all<Table>("select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name")
  return tables.map(({ name, sql }) => {
    const quoted = `"${name.replaceAll('"', '""')}"`
    const rows = tx.get<{ rows: number }>(`select count(*) as rows from (select 1 from ${quoted} limit ${COUNT_UP_TO + 1})`)?.rows ?? 0
    return { table: name, rows: rows > COUNT_UP_TO ? `more than ${COUNT_UP_TO}` : Number(rows), form: sql }
  })
}
