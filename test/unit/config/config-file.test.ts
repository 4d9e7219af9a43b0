/** The file itself: bounded reading, and writing that never leaves half a file. */
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, readConfigFile, writeConfigFile } from '../../../src/config/index.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-config-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const code = (expected: string) => expect.objectContaining({ code: expected }) as Error

describe('readConfigFile', () => {
  it('reads UTF-8 as it is', () => {
    writeFileSync(join(folder, 'c'), "config meshbox 'main'\n option name 'Café'\n")
    expect(readConfigFile(join(folder, 'c'))).toContain('Café')
  })

  it('refuses what is missing, a folder, too large, or not UTF-8, and says so', () => {
    expect(() => readConfigFile(join(folder, 'none'))).toThrow(code('no-config-file'))
    expect(() => readConfigFile(folder)).toThrow(code('config-unreadable'))
    writeFileSync(join(folder, 'large'), Buffer.alloc(256 * 1024 + 1, '#'))
    expect(() => readConfigFile(join(folder, 'large'))).toThrow(/too large/)
    writeFileSync(join(folder, 'latin'), Buffer.concat([Buffer.from('# one\n# two\n# Caf'), Buffer.of(0xe9), Buffer.from('\n')]))
    expect(() => readConfigFile(join(folder, 'latin'))).toThrow(/latin:3: the text is not valid UTF-8/)
    expect(() => readConfigFile(join(folder, 'latin'))).toThrow(ConfigError)
  })

  it('takes a file of just the allowed size', () => {
    writeFileSync(join(folder, 'full'), Buffer.alloc(256 * 1024, '#'))
    expect(readConfigFile(join(folder, 'full'))).toHaveLength(256 * 1024)
  })
})

describe('writeConfigFile', () => {
  it('replaces the text, keeps the mode, leaves nothing else in the folder', () => {
    const path = join(folder, 'meshbox')
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    writeConfigFile(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(folder)).toEqual(['meshbox'])
  })

  it('makes a new file for its owner alone', () => {
    writeConfigFile(join(folder, 'fresh'), 'x')
    expect(statSync(join(folder, 'fresh')).mode & 0o777).toBe(0o600)
  })

  it('never touches the old file: it is another inode that takes its name', () => {
    const path = join(folder, 'meshbox')
    writeFileSync(path, 'old')
    const before = statSync(path).ino
    writeConfigFile(path, 'new')
    expect(statSync(path).ino).not.toBe(before)
  })

  it('writes through a link to what it points to', () => {
    mkdirSync(join(folder, 'real'))
    writeFileSync(join(folder, 'real', 'file'), 'old')
    symlinkSync(join(folder, 'real', 'file'), join(folder, 'link'))
    writeConfigFile(join(folder, 'link'), 'new')
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(folder, 'real', 'file'), 'utf8')).toBe('new')
  })

  it('takes over what a power cut left behind', () => {
    const path = join(folder, 'meshbox')
    writeFileSync(path, 'old')
    writeFileSync(join(folder, '.meshbox.new'), 'half a fi')
    writeConfigFile(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(existsSync(join(folder, '.meshbox.new'))).toBe(false)
  })

  it('says when it cannot, and the old text stays', () => {
    expect(() => writeConfigFile(join(folder, 'nowhere', 'meshbox'), 'x')).toThrow(code('config-unwritable'))
    mkdirSync(join(folder, 'taken'))
    writeFileSync(join(folder, 'taken', 'inside'), '')
    expect(() => writeConfigFile(join(folder, 'taken'), 'x')).toThrow(code('config-unwritable'))
    expect(readdirSync(folder)).toEqual(['taken'])
  })
})

/** A folder like /etc/config: root's, with our file and its spare in it. */
describe('a service that may not write in the folder', () => {
  const NOBODY = 65534
  const path = () => join(folder, 'meshbox')
  const spare = () => join(folder, '.meshbox.spare')
  const held = (text: string) => `${createHash('sha256').update(text).digest('hex')}\n${text}`
  beforeEach((context) => {
    if (process.geteuid?.() !== 0) context.skip('needs root: it becomes another user')
    chmodSync(folder, 0o755)
    for (const file of [path(), spare()]) {
      writeFileSync(file, '')
      chownSync(file, NOBODY, NOBODY)
      chmodSync(file, 0o600)
    }
    writeFileSync(path(), 'old')
  })
  const asNobody = (act: () => void): void => {
    process.seteuid?.(NOBODY)
    try {
      act()
    } finally {
      process.seteuid?.(0)
    }
  }

  it('writes in place, by way of the spare file', () => {
    const before = statSync(path())
    asNobody(() => writeConfigFile(path(), 'new'))
    expect(readFileSync(path(), 'utf8')).toBe('new')
    expect(readFileSync(spare(), 'utf8')).toBe('')
    expect([statSync(path()).ino, statSync(path()).uid, statSync(path()).mode]).toEqual([before.ino, NOBODY, before.mode])
  })

  it('cannot without a spare file, and says so', () => {
    rmSync(spare())
    asNobody(() => expect(() => writeConfigFile(path(), 'new')).toThrow(code('config-unwritable')))
    expect(readFileSync(path(), 'utf8')).toBe('old')
  })

  it('finishes what a power cut interrupted while the configuration was overwritten', () => {
    const text = "config meshbox 'main'\n\toption name 'New'\n"
    for (let length = 0; length <= text.length; length++) {
      writeFileSync(spare(), held(text))
      writeFileSync(path(), text.slice(0, length))
      asNobody(() => expect(readConfigFile(path())).toBe(text))
      expect(readFileSync(path(), 'utf8')).toBe(text)
      expect(readFileSync(spare(), 'utf8')).toBe('')
    }
  })

  it('keeps the old configuration when the spare file itself was interrupted', () => {
    const whole = held('new')
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(spare(), whole.slice(0, length))
      asNobody(() => expect(readConfigFile(path())).toBe('old'))
    }
  })

  it('does not put an older text over what root wrote in between', () => {
    writeFileSync(spare(), held('interrupted'))
    writeConfigFile(path(), 'by root')
    expect(readConfigFile(path())).toBe('by root')
  })
})
