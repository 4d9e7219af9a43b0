/** The list of files: its form, its mistakes, and that the SDK's way of laying it out gives the packer's tree. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeService } from '../../../scripts/package/describe.ts'
import { gather, readManifest } from '../../../scripts/package/manifest.ts'
import { FEED } from '../../../scripts/package/places.ts'
import type { TarEntry } from '../../../scripts/package/tar.ts'
import { sampleBuild } from './sample.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-manifest-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a mistake is named with its line', () => {
  it.each([
    ['0644 file a', /list:2: expected 'mode kind source destination'/],
    ['0644 file a /a b', /expected 'mode kind/],
    ['0644 socket a /a', /kind 'socket'; allowed: file, conf, tree, dir, link/],
    ['644 file a /a', /mode '644'/],
    ['0644 link a /a', /mode '0644'/],
    ['0755 dir a /a', /a dir has -/],
    ['0644 file ../a /a', /below the package's folder/],
    ['0644 file /etc/passwd /a', /below the package's folder/],
    ['0644 file a b', /destination 'b'/],
    ['0644 file a /b/../c', /destination/],
    ['0644 file a /x\n0644 file b /x', /'\/x' is given twice/],
  ])('%s', (line, expected) => {
    writeFileSync(join(folder, 'list'), `# a comment\n${line}\n`)
    expect(() => readManifest(join(folder, 'list'))).toThrow(expected)
  })

  it('a source that is not there, an empty tree, two files in one place', () => {
    mkdirSync(join(folder, 'dist/empty'), { recursive: true })
    mkdirSync(join(folder, 'dist/tree'))
    writeFileSync(join(folder, 'dist/tree/a'), '')
    const from = (text: string) => {
      writeFileSync(join(folder, 'list'), text)
      return gather(readManifest(join(folder, 'list')), folder, join(folder, 'dist'))
    }
    expect(() => from('0644 file none /a')).toThrow(/none is missing/)
    expect(() => from('0644 tree dist/empty /a')).toThrow(/is empty/)
    expect(() => from('0644 tree dist/tree /t\n0644 file dist/tree/a /t/a')).toThrow(/\/t\/a would be installed twice/)
  })
})

describe('lay-out.sh, with which the SDK installs', () => {
  const layOut = join(FEED, 'meshbox/lay-out.sh')

  it('puts the same files, modes and links into place as the packer', () => {
    const build = sampleBuild(join(folder, 'dist'), 'aarch64_cortex-a53')
    const root = join(folder, 'root')
    mkdirSync(root)
    execFileSync('busybox', ['sh', layOut, join(FEED, 'meshbox/files.list'), join(FEED, 'meshbox'), build.dist, root])
    const packed = describeService(build).contents.entries.map(told).sort()
    expect(tree(root)).toEqual(packed)
    expect(packed.length).toBeGreaterThan(30)
  })

  it('stops at a file that is missing and at a line it does not understand', () => {
    for (const text of ['0644 file none /a', '0644 socket list /a', '0644 file list', '0644 tree . /a b']) {
      writeFileSync(join(folder, 'list'), `${text}\n`)
      const done = spawnSync('busybox', ['sh', layOut, join(folder, 'list'), folder, folder, join(folder, 'root')], { encoding: 'utf8' })
      expect(done.status, text).not.toBe(0)
    }
  })
})

const told = (entry: TarEntry): string =>
  entry.kind === 'link' ? `link ${entry.path} ${entry.target}` : `${entry.kind} ${entry.path} ${entry.mode.toString(8)} ${entry.kind === 'file' ? entry.body.toString('base64') : ''}`

function tree(root: string): string[] {
  const below = readdirSync(root, { recursive: true, withFileTypes: true }).map((one) => {
    const path = join(one.parentPath, one.name)
    const name = posix.relative(root, path)
    if (one.isSymbolicLink()) return told({ kind: 'link', path: name, target: readlinkSync(path) })
    const mode = statSync(path).mode & 0o7777
    return told(one.isDirectory() ? { kind: 'dir', path: name, mode } : { kind: 'file', path: name, mode, body: readFileSync(path) })
  })
  return [...below, told({ kind: 'dir', path: '', mode: 0o755 })].sort()
}
