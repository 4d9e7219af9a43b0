/** Our tar writer against GNU tar: the same tree, the same bytes. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { tarFile, type TarEntry } from '../../../scripts/package/tar.ts'
import { EPOCH } from './sample.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-tar-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const LONG = 'a'.repeat(60)
const TREE: readonly TarEntry[] = [
  { kind: 'dir', path: '', mode: 0o755 },
  { kind: 'file', path: 'empty', mode: 0o644, body: Buffer.alloc(0) },
  { kind: 'file', path: 'a-b', mode: 0o600, body: Buffer.from('x') },
  { kind: 'dir', path: 'a', mode: 0o755 },
  { kind: 'file', path: 'a/block', mode: 0o755, body: Buffer.alloc(512, 'b') },
  { kind: 'file', path: 'a/more', mode: 0o644, body: Buffer.alloc(513, 'c') },
  { kind: 'file', path: 'a.b', mode: 0o644, body: Buffer.from('y') },
  { kind: 'dir', path: 'Z', mode: 0o700 },
  { kind: 'link', path: 'link', target: '../lib/x' },
  { kind: 'link', path: 'far', target: `${LONG}/${LONG}` },
  { kind: 'dir', path: LONG, mode: 0o755 },
  { kind: 'dir', path: `${LONG}/${LONG}`, mode: 0o755 },
  { kind: 'file', path: `${LONG}/${LONG}/${LONG}`, mode: 0o644, body: Buffer.from('deep') },
  { kind: 'file', path: 'größe', mode: 0o644, body: Buffer.from('utf-8') },
]

it('writes what GNU tar writes', () => {
  for (const entry of TREE) {
    const path = join(folder, entry.path)
    if (entry.kind === 'dir') mkdirSync(path, { recursive: true })
    else if (entry.kind === 'link') symlinkSync(entry.target, path)
    else writeFileSync(path, entry.body)
    if (entry.kind !== 'link') chmodSync(path, entry.mode)
  }
  const flags = ['--format=gnu', '--numeric-owner', '--owner=0', '--group=0', '--sort=name', `--mtime=@${EPOCH}`]
  const theirs = execFileSync('tar', [...flags, '-cf', '-', '-C', folder, '.'], { maxBuffer: 1 << 24, env: { ...process.env, LC_ALL: 'C' } })
  const ours = tarFile([...TREE].reverse(), EPOCH)
  expect(ours.equals(theirs)).toBe(true)
})

it('refuses a number that does not fit', () => {
  expect(() => tarFile([{ kind: 'dir', path: '', mode: 0o755 }], -1)).toThrow(/does not fit/)
})
