/** docs/security.md: every proof it names is a test that is there, under that name, and every source file it names too. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const PAGE = readFileSync(join(ROOT, 'docs/security.md'), 'utf8').replace(/\n(?=\S)/g, ' ')
/** A test file, and the names in quotes that follow it. */
const PROOFS = [...PAGE.matchAll(/`((?:unit|sim|netns|browser|qemu)\/[\w./-]+)`((?:[^`|“”]{0,60}“[^”]+”)+)/g)].map(([, file = '', names = '']) => ({ file, names: [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name) }))
const SOURCES = [...new Set([...PAGE.matchAll(/`((?:src|scripts|openwrt-feed)\/[\w./-]+)`/g)].map(([, path = '']) => path))]

/** As a reader sees a name in a source. */
const plain = (text: string): string => text.replaceAll('\\', '').replace(/\s+/g, ' ')

it('names proofs, at least one for most of its rows', () => {
  expect(PROOFS.length).toBeGreaterThan(60)
  expect(SOURCES.length).toBeGreaterThan(50)
})

it.each(PROOFS)('$file has what is said of it', ({ file, names }) => {
  const text = plain(readFileSync(join(ROOT, 'test', `${file}.test.ts`), 'utf8'))
  expect(names.filter((name) => !text.includes(plain(name)))).toEqual([])
})

it('names no source that is not there', () => {
  expect(SOURCES.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})
