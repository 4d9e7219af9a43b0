import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import type { Tx } from '../../../src/store/index.ts'
import { codeOf, ids, insert, openTestStore } from './open-test-store.ts'
import { readWal } from './wal-file.ts'

/** Commits that a crash right now would leave behind, read from the file itself. */
function commitsInLog(path: string): number {
  return readWal(readFileSync(`${path}-wal`)).frames.filter((frame) => frame.isCommit).length
}

describe('group commit', () => {
  it('puts turns of one event-loop turn into one commit on disk', async () => {
    const store = openTestStore()
    const before = { log: commitsInLog(store.path), ...store.stats() }
    await Promise.all(Array.from({ length: 100 }, (_, id) => insert(store, id)))
    expect(commitsInLog(store.path) - before.log).toBe(1)
    expect(store.stats().commits - before.commits).toBe(1)
    expect(store.stats().turns - before.turns).toBe(100)
    expect(ids(store)).toHaveLength(100)
  })

  it('has written the commit when the promise resolves, and not before', async () => {
    const store = openTestStore()
    const before = commitsInLog(store.path)
    const done = insert(store, 1)
    await Promise.resolve()
    expect(commitsInLog(store.path)).toBe(before)
    await done
    expect(commitsInLog(store.path)).toBe(before + 1)
  })

  it('bounds a group, so that thousands of turns do not hold the event loop', async () => {
    const store = openTestStore()
    await Promise.all(Array.from({ length: 1000 }, (_, id) => insert(store, id)))
    expect(store.stats().commits).toBe(4)
    expect(ids(store)).toHaveLength(1000)
  })

  it('refuses turns beyond the bound of the queue and loses none of the others', async () => {
    const store = openTestStore()
    const queued = Array.from({ length: 10_000 }, (_, id) => insert(store, id))
    expect(await codeOf(() => insert(store, 10_001))).toBe('store-busy')
    await Promise.all(queued)
    expect(ids(store)).toHaveLength(10_000)
    await insert(store, 10_001)
  })

  it('runs turns in the order they were asked for; each sees the writes of those before', async () => {
    const store = openTestStore()
    const seen = await Promise.all(
      Array.from({ length: 600 }, (_, id) =>
        store.turn((tx) => {
          tx.run('INSERT INTO rows VALUES (?, ?)', id, 'x')
          return tx.get<{ n: number }>('SELECT count(*) AS n FROM rows')?.n
        }),
      ),
    )
    expect(seen).toEqual(Array.from({ length: 600 }, (_, id) => id + 1))
  })
})

describe('a turn that throws', () => {
  it('takes only its own writes with it', async () => {
    const store = openTestStore()
    const results = await Promise.allSettled([
      insert(store, 1),
      store.turn((tx) => {
        tx.run('INSERT INTO rows VALUES (2, ?)', 'half')
        throw new Error('changed my mind')
      }),
      insert(store, 3),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { message: 'changed my mind' } })
    expect(ids(store)).toEqual([1, 3])
    expect(store.stats().commits).toBe(1)
  })

  it('property: whatever mixture of bodies runs, exactly the rows of the resolved turns are there', async () => {
    const store = openTestStore()
    let next = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('good', 'throws', 'duplicate', 'caught', 'async'), { maxLength: 30 }), async (kinds) => {
        const expected: number[] = []
        const undone: number[] = []
        const before = new Set(ids(store))
        const outcomes = await Promise.allSettled(
          kinds.map((kind) => {
            const id = ++next
            if (kind === 'good' || kind === 'caught') expected.push(id)
            return store.turn((tx): unknown => {
              tx.onUndone(() => undone.push(id))
              expect(tx.insert('INSERT INTO rows VALUES (?, ?)', id, kind)).toBe(id)
              if (kind === 'throws') throw new Error('no')
              if (kind === 'duplicate') tx.run('INSERT INTO rows VALUES (?, ?)', id, 'again')
              if (kind === 'caught') expect(() => tx.run('INSERT INTO rows VALUES (?, ?)', id, 'again')).toThrow(/UNIQUE/)
              return kind === 'async' ? Promise.reject(new Error('late')) : id
            })
          }),
        )
        expect(outcomes.map((outcome) => outcome.status === 'fulfilled')).toEqual(kinds.map((kind) => kind === 'good' || kind === 'caught'))
        expect(ids(store).filter((id) => !before.has(id))).toEqual(expected)
        expect(undone).toEqual(kinds.map((_, index) => next - kinds.length + 1 + index).filter((id) => !expected.includes(id)))
      }),
      { numRuns: 60 },
    )
  })

  it('is told which rule of the database it broke', async () => {
    const store = openTestStore()
    await insert(store, 1)
    await expect(insert(store, 1)).rejects.toMatchObject({ kind: 'internal', code: 'store-constraint', message: expect.stringContaining('rows.id') })
  })
})

describe('the body of a turn', () => {
  it('must not be asynchronous', async () => {
    const store = openTestStore()
    const code = await codeOf(() =>
      store.turn(async (tx) => {
        tx.run('INSERT INTO rows VALUES (1, ?)', 'x')
      }),
    )
    expect(code).toBe('turn-async')
    expect(ids(store)).toEqual([])
  })

  it('must not keep tx', async () => {
    const store = openTestStore()
    const kept: Tx[] = []
    await store.turn((tx) => kept.push(tx))
    expect(() => kept[0]?.run('INSERT INTO rows VALUES (1, ?)', 'x')).toThrow(expect.objectContaining({ code: 'tx-ended' }))
    expect(ids(store)).toEqual([])
  })

  it.each(['COMMIT', ' rollback', '-- why\nBEGIN', '/* a */ SAVEPOINT x', 'PRAGMA synchronous = OFF', "ATTACH 'x' AS y", 'VACUUM'])(
    'may not end the group or leave the file: %s',
    async (sql) => {
      const store = openTestStore()
      const [, , third] = await Promise.allSettled([insert(store, 1), store.turn((tx) => tx.run(sql)), insert(store, 2)])
      expect(third?.status).toBe('fulfilled')
      expect(await codeOf(() => store.turn((tx) => tx.run(sql)))).toBe('store-sql')
      expect(ids(store)).toEqual([1, 2])
    },
  )

  it('may ask for another turn, which comes in a later group', async () => {
    const store = openTestStore()
    const inner: Promise<number>[] = []
    await store.turn((tx) => {
      inner.push(insert(store, 2))
      tx.run('INSERT INTO rows VALUES (1, ?)', 'x')
    })
    expect(ids(store)).toEqual([1])
    await Promise.all(inner)
    expect(ids(store)).toEqual([1, 2])
  })

  it('takes integers of 64 bits, bytes and null, and returns them', async () => {
    const store = openTestStore()
    const row = await store.turn((tx) => tx.get<{ a: number; b: Uint8Array; c: null; d: string }>('SELECT ? AS a, ? AS b, ? AS c, ? AS d', 9_007_199_254_740_991n, new Uint8Array([0, 255]), null, 'é'))
    expect(row).toEqual({ a: 9_007_199_254_740_991, b: Buffer.from([0, 255]), c: null, d: 'é' })
    await expect(store.turn((tx) => tx.get('SELECT ?', 1n << 64n))).rejects.toThrow(/too big/)
  })
})

describe('reading', () => {
  it('never shows what is not committed', async () => {
    const store = openTestStore()
    const code = await codeOf(() =>
      store.turn((tx) => {
        tx.run('INSERT INTO rows VALUES (1, ?)', 'x')
        return ids(store)
      }),
    )
    expect(code).toBe('store-nested')
    expect(ids(store)).toEqual([])
  })

  it('cannot write', async () => {
    const store = openTestStore()
    await insert(store, 1)
    expect(await codeOf(() => store.read((tx) => tx.get("INSERT INTO rows VALUES (2, 'x') RETURNING id")))).toBe('store-read-only')
    expect(await codeOf(() => store.read((tx) => tx.all('DELETE FROM rows RETURNING id')))).toBe('store-read-only')
    expect(ids(store)).toEqual([1])
  })

  it('works with far more different statements than are kept prepared', async () => {
    const store = openTestStore()
    for (let round = 0; round < 2; round++)
      for (let n = 0; n < 600; n++) expect(store.read((tx) => tx.get<{ n: number }>(`SELECT ${n} AS n`))).toEqual({ n })
  })
})

describe('closing', () => {
  it('commits what waits, refuses what comes later, and can be asked twice', async () => {
    const store = openTestStore()
    const waiting = Array.from({ length: 700 }, (_, id) => insert(store, id))
    const closing = store.close()
    expect(await codeOf(() => insert(store, 9999))).toBe('store-closed')
    await Promise.all([...waiting, closing, store.close()])
    expect(await codeOf(() => ids(store))).toBe('store-closed')
    expect(await codeOf(() => store.backup(`${store.path}.copy`))).toBe('store-closed')
    expect(ids(openTestStore({ path: store.path }))).toHaveLength(700)
  })
})
