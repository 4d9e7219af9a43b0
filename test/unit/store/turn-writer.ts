/**
 * A process of its own that opens a store and writes until it is killed: `node turn-writer.ts <path> <first id>`.
 * Prints one line per acknowledged turn, straight to the pipe, so that a reader knows what was promised:
 * `open`, then `<id>` per turn. With first id `hold` it only holds the file.
 *
 * Each turn writes its rows and moves money between two of ten accounts, so that half a turn would show.
 */
import { writeSync } from 'node:fs'
import { silentLog } from '../../../src/base/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { WRITER_MIGRATION } from './writer-schema.ts'

const [path = '', first = ''] = process.argv.slice(2)
const store = openStore({ path, migrations: [WRITER_MIGRATION], log: silentLog })
writeSync(1, 'open\n')

if (first === 'hold') {
  process.stdin.resume()
} else {
  let next = Number(first)
  // Keeps a few turns in flight: groups of one to seven, with rows of different lengths.
  const writeOn = async (): Promise<void> => {
    for (;;) {
      const id = next++
      await store.turn((tx) => {
        tx.run('INSERT INTO acknowledged VALUES (?, ?)', id, 'm'.repeat((id * 37) % 900))
        tx.run('UPDATE accounts SET balance = balance - ? WHERE id = ?', id % 13, id % 10)
        tx.run('UPDATE accounts SET balance = balance + ? WHERE id = ?', id % 13, (id * 7 + 3) % 10)
        tx.run('INSERT INTO parts VALUES (?, 1), (?, 2), (?, 3)', id, id, id)
      })
      writeSync(1, `${id}\n`)
    }
  }
  await Promise.all(Array.from({ length: 7 }, writeOn))
}
