/** The room that docs/capability.md shows: the page has what is compiled here, and it does what the page says. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog, type Clock } from '../../../src/base/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { openStore } from '../../../src/store/index.ts'
import { letterMigrations } from './letters/io/tables.ts'
import { Letters } from './letters/index.ts'
import { PAGES } from './pages.ts'

const ROOM = join(import.meta.dirname, 'letters')
const CLOCK: Clock = { bootId: '82677c7d-04c7-4099-9d57-c8e1c5bec1a1', boottimeMs: () => 1000, wallMs: () => Date.UTC(2026, 10, 23), isWallTrusted: () => true }

it('stands on the page file by file, as it would lie in src/', () => {
  const page = PAGES.find(({ name }) => name === 'docs/capability.md')!
  const shown = Object.fromEntries(page.blocks.flatMap(({ text }) => [...text.matchAll(/^\/\/ src\/letters\/(\S+)\n([\s\S]*)$/g)].map(([, file = '', body = '']) => [file, body])))
  const kept = Object.fromEntries(globSync('**/*.ts', { cwd: ROOM }).map((file) => [file, readFileSync(join(ROOM, file), 'utf8').replace(/'(?:\.\.\/)+src\//g, file.includes('/') ? "'../../" : "'../").trimEnd()]))
  expect(Object.keys(kept).length).toBe(5)
  expect(shown).toEqual(kept)
})

describe('letters', () => {
  const paid = new Map<string, bigint>()

  function open(path: string): { letters: Letters; earned: () => bigint; close: () => Promise<void> } {
    const store = openStore({ path, migrations: [...ledgerMigrations, ...letterMigrations], log: silentLog })
    const ledger = createLedger({ shares: () => [{ role: 'investor', beneficiary: 'maria', partsPerMillion: 100_000, sources: [] }] })
    const letters = new Letters({ store, ledger, payments: { paid: (reference, token) => (token === 'TOK' ? (paid.get(reference) ?? 0n) : 0n) }, clock: CLOCK, token: 'TOK', price: 10n })
    return { letters, earned: () => -store.read((tx) => ledger.balance(tx, 'owner', 'TOK') + ledger.balance(tx, 'investor:maria', 'TOK')), close: () => store.close() }
  }

  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), 'meshbox-letters-'))
    onTestFinished(() => rmSync(made, { recursive: true }))
    return join(made, 'box.db')
  }

  it('are kept once, with one earning, however often they come and over a restart', async () => {
    const path = folder()
    const body = new Uint8Array(1500).fill(7)
    let box = open(path)
    paid.set('a', 29n)
    // 1500 bytes for 2 days at 10 a KiB and day: 29.3, so 30.
    await expect(box.letters.keep('a', body, 2)).rejects.toMatchObject({ code: 'unpaid' })
    expect(box.letters.read('a')).toBeNull()
    expect(box.earned()).toBe(0n)
    paid.set('a', 30n)
    await Promise.all([box.letters.keep('a', body, 2), box.letters.keep('a', body, 2)])
    await box.close()
    box = open(path)
    await box.letters.keep('a', body, 2)
    expect(Buffer.from(box.letters.read('a') ?? [])).toEqual(Buffer.from(body))
    expect(box.earned()).toBe(30n)
    await box.close()
  })

  it('are refused by name above what is allowed, and when there is no room', async () => {
    const box = open(folder())
    await expect(box.letters.keep('b', new Uint8Array(16_385), 1)).rejects.toMatchObject({ field: 'letter' })
    await expect(box.letters.keep('b', new Uint8Array(1), 31)).rejects.toMatchObject({ field: 'days' })
    const names = Array.from({ length: 257 }, (_, index) => `n${index}`)
    for (const name of names) paid.set(name, 1n)
    const done = await Promise.allSettled(names.map((name) => box.letters.keep(name, new Uint8Array(1), 1)))
    expect(done.filter(({ status }) => status === 'fulfilled').length).toBe(256)
    expect(done.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'no-room' } })
    expect(box.earned()).toBe(256n)
    await box.close()
  })
})
