/** Edits in place: what stays of the owner's own writing. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { ConfigError, editUci } from '../../../src/config/index.ts'
import type { UciEdit } from '../../../src/config/index.ts'

const TEXT = `# my box

config tariff 'tariff'
  option price "0.1"   # per minute
  list days mon
  # weekend
  list days 'sat'

# the small one
# (my favourite)
config package 'small'
\toption label Small

config package
\toption label 'no name'
`
const edit = (...edits: UciEdit[]): string => editUci(TEXT, edits, 'f')
const tariff = { name: 'tariff' }

describe('editUci', () => {
  it('replaces only the word of a value', () => {
    expect(edit({ do: 'set-option', section: tariff, option: 'price', value: "a'b" })).toBe(TEXT.replace('"0.1"', `'a'\\''b'`))
  })

  it('leaves a value alone that already says so', () => {
    expect(edit({ do: 'set-option', section: tariff, option: 'price', value: '0.1' })).toBe(TEXT)
    expect(edit({ do: 'set-list', section: tariff, option: 'days', values: ['mon', 'sat'] })).toBe(TEXT)
  })

  it('adds an option behind the last line of its section, indented alike', () => {
    expect(edit({ do: 'set-option', section: tariff, option: 'new', value: '1' })).toBe(TEXT.replace(`list days 'sat'\n`, `list days 'sat'\n  option new '1'\n`))
  })

  it('changes, adds and removes items of a list where they stand', () => {
    expect(edit({ do: 'set-list', section: tariff, option: 'days', values: ['tue', 'sat', 'sun'] })).toBe(
      TEXT.replace('list days mon', "list days 'tue'").replace(`list days 'sat'\n`, `list days 'sat'\n  list days 'sun'\n`),
    )
    expect(edit({ do: 'set-list', section: tariff, option: 'days', values: ['mon'] })).toBe(TEXT.replace(`  list days 'sat'\n`, ''))
    expect(edit({ do: 'set-list', section: tariff, option: 'days', values: [] })).toBe(TEXT.replace(`  list days mon\n`, '').replace(`  list days 'sat'\n`, ''))
  })

  it('turns an option into a list and back, in its place', () => {
    const asList = edit({ do: 'set-list', section: tariff, option: 'price', values: ['1', '2'] })
    expect(asList).toBe(TEXT.replace(`  option price "0.1"   # per minute\n`, `  list price '1'\n  list price '2'\n`))
    expect(editUci(asList, [{ do: 'set-option', section: tariff, option: 'price', value: '3' }])).toContain(`tariff'\n  option price '3'\n  list days`)
  })

  it('deletes a section with the comment that touches it, and one empty line', () => {
    expect(edit({ do: 'delete-section', section: { name: 'small' } })).toBe(
      TEXT.replace(`# the small one\n# (my favourite)\nconfig package 'small'\n\toption label Small\n\n`, ''),
    )
  })

  it('does not take the tail of a value above for a comment', () => {
    const text = `config a 'one'\n option v 'x\n# y'\nconfig b 'two'\n`
    expect(editUci(text, [{ do: 'delete-section', section: { name: 'two' } }])).toBe(`config a 'one'\n option v 'x\n# y'\n`)
  })

  it('finds an anonymous section by type and number', () => {
    expect(edit({ do: 'set-option', section: { type: 'package', index: 1 }, option: 'label', value: 'x' })).toBe(TEXT.replace("'no name'", "'x'"))
  })

  it('adds a section at the end or behind another', () => {
    const section = { type: 'package', name: 'new', options: { label: 'New', l: ['a', 'b'] } }
    const lines = `config package 'new'\n\toption label 'New'\n\tlist l 'a'\n\tlist l 'b'\n`
    expect(edit({ do: 'add-section', section })).toBe(`${TEXT}\n${lines}`)
    expect(edit({ do: 'add-section', section, after: tariff })).toBe(TEXT.replace(`list days 'sat'\n`, `list days 'sat'\n\n${lines}`))
    expect(editUci('', [{ do: 'add-section', section }])).toBe(lines)
    expect(editUci(`config a`, [{ do: 'add-section', section }])).toBe(`config a\n\n${lines}`)
  })

  it('keeps CR LF line ends', () => {
    expect(editUci(`config a 'x'\r\n`, [{ do: 'set-option', section: { name: 'x' }, option: 'v', value: '1' }])).toBe(`config a 'x'\r\n\toption v '1'\r\n`)
  })

  it('ends an open last line before it adds one', () => {
    expect(editUci(`config a 'x'\n option v 1`, [{ do: 'set-option', section: { name: 'x' }, option: 'w', value: '2' }])).toBe(
      `config a 'x'\n option v 1\n option w '2'\n`,
    )
  })

  it.each<[string, UciEdit, string]>([
    ['no such name', { do: 'delete-section', section: { name: 'nobody' } }, 'no-such-section'],
    ['no such number', { do: 'delete-option', section: { type: 'package', index: 2 }, option: 'x' }, 'no-such-section'],
    ['add behind nobody', { do: 'add-section', section: { type: 'a', name: null, options: {} }, after: { name: 'nobody' } }, 'no-such-section'],
    ['name taken', { do: 'add-section', section: { type: 'a', name: 'small', options: {} } }, 'section-exists'],
    ['section type', { do: 'add-section', section: { type: 'a b', name: null, options: {} } }, 'bad-input'],
    ['section name', { do: 'add-section', section: { type: 'a', name: 'x y', options: {} } }, 'bad-input'],
    ['option name', { do: 'set-option', section: tariff, option: "a' 'b", value: '' }, 'bad-input'],
    ['option name of a new section', { do: 'add-section', section: { type: 'a', name: null, options: { 'a\nb': '' } } }, 'bad-input'],
    ['control character', { do: 'set-option', section: tariff, option: 'a', value: 'x\u0007' }, 'bad-input'],
    ['carriage return', { do: 'set-option', section: tariff, option: 'a', value: 'x\ry' }, 'bad-input'],
    ['half a character', { do: 'set-option', section: tariff, option: 'a', value: '\ud800' }, 'bad-input'],
    ['value too long', { do: 'set-option', section: tariff, option: 'a', value: 'x'.repeat(4097) }, 'bad-input'],
    ['too many items', { do: 'set-list', section: tariff, option: 'a', values: new Array(513).fill('x') }, 'bad-input'],
  ])('refuses: %s', (_name, one, code) => {
    expect(() => edit(one)).toThrow(expect.objectContaining({ code }) as MeshBoxError)
  })

  it('refuses a text that is no UCI, and to make one that is too large', () => {
    expect(() => editUci('nonsense', [])).toThrow(ConfigError)
    const large = `config a 'x'\n${`#${'x'.repeat(1000)}\n`.repeat(261)}`
    expect(() => editUci(large, [{ do: 'set-option', section: { name: 'x' }, option: 'v', value: 'y'.repeat(4000) }])).toThrow(ConfigError)
  })
})
