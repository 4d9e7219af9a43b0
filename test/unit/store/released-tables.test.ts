/** A book keeps the hash of each change of its tables, and does not open where one has another text by now. So what has landed once is kept in a list. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TABLES } from '../../../src/main/tables.ts'

const LIST = join(import.meta.dirname, 'released-tables.txt')

describe('changes of tables that have landed', () => {
  const listed = readFileSync(LIST, 'utf8').trimEnd().split('\n')
  const now = TABLES.map(({ id, sql }) => `${id} ${createHash('sha256').update(sql).digest('hex')}`)

  it('are as they were: what is to be otherwise is a change of its own', () => {
    expect(listed.filter((line) => !now.includes(line))).toEqual([])
  })

  it('are all in the list: a new one gets its line in released-tables.txt', () => {
    expect(now.filter((line) => !listed.includes(line))).toEqual([])
  })

  it('have an id each', () => {
    expect(new Set(TABLES.map(({ id }) => id)).size).toBe(TABLES.length)
  })
})
