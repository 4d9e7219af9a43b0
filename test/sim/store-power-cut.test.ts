/**
 * Cuts the power of a writing service, again and again, on one database file: kill -9 at seeded random
 * moments, then the file and its write-ahead log as they lie there are damaged the ways a power cut may
 * damage them, and reopened. Nothing acknowledged may be missing, no turn may be there by halves.
 *
 * What a power cut may do, by SQLite's rules and the settings of the store:
 * - whatever was written to the log after the last fsync may be gone, or torn, in any order;
 * - pages that a checkpoint was writing into the file may be torn, as long as the log still holds them.
 * Everything acknowledged was fsynced before, so it is in neither class.
 */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import Database from 'better-sqlite3'
import { silentLog } from '../../src/base/index.ts'
import { openStore } from '../../src/store/index.ts'
import { seededRandom } from '../support/fakes.ts'
import { readWal } from '../unit/store/wal-file.ts'
import { WRITER_MIGRATION, wholeTurns } from '../unit/store/writer-schema.ts'

const CUTS = Number(process.env.MESHBOX_POWER_CUTS ?? 45)
const SEED = Number(process.env.MESHBOX_POWER_CUT_SEED ?? 20_261_121)
const WRITER = join(import.meta.dirname, '../unit/store/turn-writer.ts')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-power-cut-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Lets a service write from `firstId` on and kills it a random while after `turns` acknowledgements. */
async function writeUntilCut(path: string, firstId: number, turns: number, spin: number): Promise<number[]> {
  const child = spawn(process.execPath, [WRITER, path, String(firstId)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: number[] = []
  let opened = false
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'open') opened = true
    // A line that was cut off in the middle promises nothing; the writer writes each with one call.
    else if (/^\d+$/.test(line)) acknowledged.push(Number(line))
    if (acknowledged.length === turns) {
      for (let n = 0; n < spin; n++) Math.sqrt(n)
      child.kill('SIGKILL')
    }
  }
  expect(opened).toBe(true)
  return acknowledged
}

function copyDatabase(from: string, to: string): void {
  mkdirSync(join(to, '..'), { recursive: true })
  copyFileSync(from, to)
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`)
}

/** Opens as a restarted service would; the ids found. Throws if anything is by halves. */
async function reopen(path: string): Promise<Set<number>> {
  const store = openStore({ path, migrations: [WRITER_MIGRATION], log: silentLog })
  try {
    expect(store.read((tx) => tx.get<{ integrity_check: string }>('SELECT integrity_check FROM pragma_integrity_check'))).toEqual({ integrity_check: 'ok' })
    return store.read(wholeTurns)
  } finally {
    await store.close()
  }
}

/**
 * Where the part of the log begins that no acknowledgement rests on: the end of the last commit without
 * which an acknowledged turn would be missing. Found by asking SQLite, commit by commit from the end.
 */
async function firstUnpromisedByte(path: string, acknowledged: ReadonlySet<number>, scratch: string): Promise<number> {
  const { frames, endOffset, pageBytes } = readWal(readFileSync(`${path}-wal`))
  const ends = frames.filter((frame) => frame.isCommit).map((frame) => frame.offset + 24 + pageBytes)
  let unpromised = endOffset
  for (let back = 1; back <= 3; back++) {
    const end = ends.at(-back - 1) ?? (ends.length === back ? 32 : undefined)
    if (end === undefined) break
    const without = join(scratch, `without-${back}`, 'box.db')
    copyDatabase(path, without)
    writeFileSync(`${without}-wal`, readFileSync(`${path}-wal`).subarray(0, end))
    // Damaged: the file holds newer pages already, so these frames were fsynced before a checkpoint.
    const found = await reopen(without).catch(() => null)
    if (!found || [...acknowledged].some((id) => !found.has(id))) break
    unpromised = end
  }
  return unpromised
}

describe('power cuts', () => {
  const seen = { tails: 0, restartedLogs: 0, tornTails: 0, tornPages: 0, unacknowledgedKept: 0, kills: 0 }

  it(`lose nothing acknowledged and halve nothing, ${CUTS} times in a row`, async () => {
    const random = seededRandom(SEED)
    const below = (limit: number): number => Math.floor(random.next() * limit)
    const path = join(folder, 'box.db')
    const promised = new Set<number>()
    let nextId = 1
    for (let cut = 0; cut < CUTS; cut++) {
      // Every fourth life is long enough for the service's own checkpoints.
      const turns = cut % 4 === 3 ? 800 + below(1500) : 1 + below(120)
      const acknowledged = await writeUntilCut(path, nextId, turns, below(40_000))
      seen.kills++
      for (const id of acknowledged) promised.add(id)
      const scratch = join(folder, `cut-${cut}`)

      const asLeft = join(scratch, 'left', 'box.db')
      copyDatabase(path, asLeft)
      const walBytes = existsSync(`${asLeft}-wal`) ? statSync(`${asLeft}-wal`).size : 0
      const tail = walBytes === 0 ? 0 : await firstUnpromisedByte(asLeft, promised, scratch)
      if (tail < walBytes) seen.tails++
      if (walBytes > 0 && readFileSync(`${asLeft}-wal`).readUInt32BE(12) > 0) seen.restartedLogs++

      for (const [name, damage] of Object.entries(damages(below, tail))) {
        const victim = join(scratch, name, 'box.db')
        copyDatabase(asLeft, victim)
        if (!damage(victim)) continue
        const found = await reopen(victim)
        const missing = [...promised].filter((id) => !found.has(id))
        expect(missing, `cut ${cut} of seed ${SEED}, ${name}`).toEqual([])
      }

      // The same file goes on, as it was left.
      const found = await reopen(path)
      expect([...promised].filter((id) => !found.has(id)), `cut ${cut} of seed ${SEED}`).toEqual([])
      for (const id of found) if (!promised.has(id)) seen.unacknowledgedKept++
      // Turns that were stored but not acknowledged in time are there to stay: from now on they count too.
      for (const id of found) promised.add(id)
      nextId = Math.max(...found, 0) + 1
      rmSync(scratch, { recursive: true, force: true })
    }
    expect(promised.size).toBeGreaterThan(CUTS * 20)
  })

  /** Each returns false if there was nothing to damage. */
  function damages(below: (limit: number) => number, tail: number): Record<string, (path: string) => boolean> {
    const editTail = (path: string, edit: (log: Buffer, tailBytes: number) => Buffer): boolean => {
      if (!existsSync(`${path}-wal`)) return false
      const log = readFileSync(`${path}-wal`)
      if (log.length <= tail) return false
      writeFileSync(`${path}-wal`, edit(log, log.length - tail))
      seen.tornTails++
      return true
    }
    return {
      'tail never written': (path) => editTail(path, (log) => log.subarray(0, tail)),
      'tail cut at any byte': (path) => editTail(path, (log, bytes) => log.subarray(0, tail + below(bytes))),
      'tail sectors lost': (path) =>
        editTail(path, (log) => {
          for (let at = tail; at < log.length; at += 512) if (below(2) === 0) log.fill(0, at, Math.min(at + 512, log.length))
          return log
        }),
      'tail full of noise': (path) =>
        editTail(path, (log) => {
          for (let at = tail; at < log.length; at++) if (below(4) === 0) log[at] = below(256)
          return log
        }),
      'noise after the tail': (path) => editTail(path, (log) => Buffer.concat([log, Buffer.from(Array.from({ length: 5000 }, () => below(256)))])),
      'checkpoint cut off': (path) => {
        if (!existsSync(`${path}-wal`)) return false
        // The header page is one sector that a disk writes whole or not at all; it is left out.
        const held = [...new Set(committedPages(readFileSync(`${path}-wal`), tail))].filter((page) => page > 1)
        const file = readFileSync(path)
        const torn = held.filter((page) => page * 1024 <= file.length && below(2) === 0)
        for (const page of torn) for (let at = (page - 1) * 1024; at < page * 1024; at++) file[at] = below(256)
        writeFileSync(path, file)
        seen.tornPages += torn.length
        return torn.length > 0
      },
    }
  }

  function committedPages(log: Buffer, end: number): number[] {
    const { frames } = readWal(log)
    const within = frames.filter((frame) => frame.offset < end)
    const last = within.findLastIndex((frame) => frame.isCommit)
    return within.slice(0, last + 1).map((frame) => frame.page)
  }

  it('were of every kind that the test is about', () => {
    expect(seen.kills).toBe(CUTS)
    expect(seen.tails).toBeGreaterThan(0)
    expect(seen.restartedLogs).toBeGreaterThan(0)
    expect(seen.tornTails).toBeGreaterThan(0)
    expect(seen.tornPages).toBeGreaterThan(0)
  })

  it('would be noticed: a log cut before an acknowledged commit does lose turns', async () => {
    const path = join(folder, 'control', 'box.db')
    mkdirSync(join(folder, 'control'))
    const acknowledged = await writeUntilCut(path, 1, 50, 0)
    const { frames } = readWal(readFileSync(`${path}-wal`))
    const commits = frames.filter((frame) => frame.isCommit)
    const early = commits[Math.floor(commits.length / 2)]
    writeFileSync(`${path}-wal`, readFileSync(`${path}-wal`).subarray(0, early?.offset ?? 0))
    const found = await reopen(path)
    expect(acknowledged.some((id) => !found.has(id))).toBe(true)
    const db = new Database(path, { readonly: true })
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    db.close()
  })
})
