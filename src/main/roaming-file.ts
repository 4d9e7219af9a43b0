/** What was counted of other boxes' guests, for the next process of the same boot: one small file in a folder that a reboot empties. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { VisitJournal } from '../hotspot/index.ts'

export function visitFile(path: string): VisitJournal {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8') : null),
    write(text) {
      // Whole or not at all.
      writeFileSync(`${path}.draft`, text, { mode: 0o600 })
      renameSync(`${path}.draft`, path)
    },
  }
}
