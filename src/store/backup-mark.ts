/**
 * Is the database a backup that somebody has put in place? Money that moved since it was made is not in it, and who
 * signs again what was signed already loses it. The file says so in its header until it is opened for work; a mark
 * beside it says so from then on, until the rooms that have to know have written it down for themselves.
 */
import { closeSync, existsSync, fsyncSync, openSync, readSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from './database-file.ts'

/** Byte 18 of the header: 1 in a backup, 2 in a database at work (sqlite.org/fileformat2.html, 1.3.3). */
const WRITE_VERSION_AT = 18
const BACKUP_VERSION = 1

/** To be asked before the store is opened. True: it is one; `forgetBackupMark` when that is known elsewhere. */
export function markIfBackup(path: string): boolean {
  const mark = markOf(path)
  if (existsSync(mark)) return true
  if (!existsSync(path)) return false
  const file = openSync(path, 'r')
  const version = Buffer.alloc(1)
  try {
    if (readSync(file, version, 0, 1, WRITE_VERSION_AT) === 0 || version[0] !== BACKUP_VERSION) return false
  } finally {
    closeSync(file)
  }
  const handle = openSync(mark, 'w', 0o600)
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  syncFolder(dirname(mark))
  return true
}

export function forgetBackupMark(path: string): void {
  rmSync(markOf(path), { force: true })
}

function markOf(path: string): string {
  return `${path}.from-backup`
}
