/** The stand-in's uci: answers known from the real one, and what its files say to our own strict reader. */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { formatUci, parseUci, plainSections } from '../../../src/config/index.ts'
import type { PlainSection } from '../../../src/config/index.ts'
import { run, WORLDS } from './shells.ts'
import type { Result, World } from './shells.ts'

const RUNS = Number(process.env['MESHBOX_FUZZ_RUNS'] ?? 30)
const folder = mkdtempSync(join(tmpdir(), 'openwrt-uci-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const config = join(folder, 'config')
const saved = join(folder, 'saved')
beforeEach(() => {
  for (const one of [config, saved]) {
    rmSync(one, { recursive: true, force: true })
    mkdirSync(one)
  }
})

function uciIn(world: World) {
  const call = (args: readonly string[], input = ''): Result => run(world, folder, 'sbin/uci', ['-c', config, '-t', saved, ...args], { input })
  const ok = (...args: string[]): string => {
    const done = call(args)
    expect(done.err).toBe('')
    expect(done.code).toBe(0)
    return done.out
  }
  return { call, ok }
}
const put = (name: string, text: string): void => writeFileSync(join(config, name), text)
const file = (name: string): string => readFileSync(join(config, name), 'utf8')

const FIREWALL = `config defaults
	option	input REJECT # not so
config zone
	option name lan
	list network 'lan'
	list network "gu\\"est x"
	option multi 'a
b'
config zone
	option name 'it'\\''s'; option masq 1
config rule named
	option x "y"
	option empty ''
`

describe.each(WORLDS)('uci in %s', (world) => {
  const { call, ok } = uciIn(world)

  it('shows with the quoting and the names of the real one', () => {
    put('firewall', FIREWALL)
    expect(ok('show', 'firewall')).toBe(
      [
        'firewall.@defaults[0]=defaults',
        "firewall.@defaults[0].input='REJECT'",
        'firewall.@zone[0]=zone',
        "firewall.@zone[0].name='lan'",
        `firewall.@zone[0].network='lan' 'gu"est x'`,
        "firewall.@zone[0].multi='a\nb'",
        'firewall.@zone[1]=zone',
        "firewall.@zone[1].name='it'\\''s'",
        "firewall.@zone[1].masq='1'",
        'firewall.named=rule',
        "firewall.named.x='y'",
        '',
      ].join('\n'),
    )
    // Names that a real router shows for these types in these places.
    expect(ok('-X', 'show', 'firewall.@defaults[0]')).toContain('firewall.cfg01e63d=defaults')
    expect(ok('-X', 'show', 'firewall.@zone[-1]')).toContain('firewall.cfg03dc81=zone')
    expect(ok('get', 'firewall.@zone[0].network')).toBe(`lan 'gu"est x'\n`)
    expect(ok('-d', '|', 'get', 'firewall.@zone[0].network')).toBe(`lan|'gu"est x'\n`)
    expect(ok('get', 'firewall.named')).toBe('rule\n')
  })

  it('keeps changes aside until commit, and writes the file as the real one does', () => {
    put('firewall', FIREWALL)
    ok('set', 'firewall.@zone[-1].masq=0')
    const added = ok('add', 'firewall', 'rule').trim()
    expect(added).toBe('cfg0592bd')
    ok('set', `firewall.${added}.name=a b'c`)
    ok('add_list', 'firewall.named.x=z')
    expect(file('firewall')).toBe(FIREWALL)
    expect(ok('changes')).toBe(
      [`firewall.cfg03dc81.masq='0'`, `firewall.cfg0592bd='rule'`, `firewall.cfg0592bd.name='a b'\\''c'`, `firewall.named.x+='z'`, ''].join('\n'),
    )
    ok('commit', 'firewall')
    expect(ok('changes')).toBe('')
    expect(file('firewall')).toBe(
      `
config defaults
	option input 'REJECT'

config zone
	option name 'lan'
	list network 'lan'
	list network 'gu"est x'
	option multi 'a
b'

config zone
	option name 'it'\\''s'
	option masq '0'

config rule 'named'
	list x 'y'
	list x 'z'

config rule
	option name 'a b'\\''c'

`,
    )
  })

  it('exports, names and imports', () => {
    put('n', "config a 'b'\n\toption c d\nconfig e\n\tlist f 1\n")
    expect(ok('export', 'n')).toBe("package n\n\nconfig a 'b'\n\toption c 'd'\n\nconfig e\n\tlist f '1'\n\n")
    expect(ok('-n', 'export', 'n')).toMatch(/^config e 'cfg02[0-9a-f]{4}'$/m)
    expect(call(['import', 'new'], "config x 'y'\n\toption z '1'\nconfig x 'y'\n\toption w '2'\n").code).toBe(0)
    expect(ok('show', 'new')).toBe("new.y=x\nnew.y.z='1'\nnew.y.w='2'\n")
    expect(call(['-m', 'import', 'new'], "config x 'y'\n\toption z '3'\n").code).toBe(0)
    expect(ok('changes', 'new')).toContain("new.y.z='3'")
    ok('commit')
    expect(file('new')).toBe("\nconfig x 'y'\n\toption z '3'\n\toption w '2'\n\n")
  })

  it('deletes, renames, moves and takes back', () => {
    put('n', "config a 'one'\n\toption p '1'\n\tlist l 'x'\n\tlist l 'y'\n\tlist l 'x'\nconfig a 'two'\nconfig a\n")
    ok('delete', 'n.one.p')
    ok('del_list', 'n.one.l=x')
    ok('rename', 'n.two=zwei')
    ok('rename', 'n.one.l=m')
    ok('reorder', 'n.@a[2]=0')
    expect(ok('show', 'n')).toBe("n.@a[0]=a\nn.one=a\nn.one.m='y'\nn.zwei=a\n")
    ok('revert', 'n.one')
    expect(ok('show', 'n.one')).toBe("n.one=a\nn.one.p='1'\nn.one.l='x' 'y' 'x'\n")
    ok('revert', 'n')
    expect(ok('changes')).toBe('')
    ok('delete', 'n.one.l=1')
    expect(ok('get', 'n.one.l')).toBe('x x\n')
    ok('set', 'n.one.p=')
    expect(call(['get', 'n.one.p']).code).toBe(1)
    ok('delete', 'n.@a[1]')
    ok('commit', 'n')
    expect(file('n')).toBe("\nconfig a 'one'\n\tlist l 'x'\n\tlist l 'x'\n\nconfig a\n\n")
  })

  it('runs a batch in one process and goes on after what failed', () => {
    put('n', '')
    const done = call(
      ['batch'],
      `set n.s=type\nset n.s.o='1 2'\nadd_list n.s.l="q'"\nadd n anon\nset n.@anon[-1].v=last\ndelete n.none\nfrobnicate\ncommit n\nget n.s.o\nexit\nget n.s.l\n`,
    )
    expect(done).toEqual({ code: 0, out: 'cfg0222f1\n1 2\n', err: 'uci: Entry not found\nUnknown command\n' })
    expect(file('n')).toBe(`\nconfig type 's'\n\toption o '1 2'\n\tlist l 'q'\\'''\n\nconfig anon\n\toption v 'last'\n\n`)
  })

  it('refuses with the exit codes and words of the real one', () => {
    put('n', "config a 'b'\n\toption c d\n")
    put('bad', "config a 'b'\nnonsense here\n")
    const table: [string[], number, string][] = [
      [['get', 'n.b.none'], 1, 'uci: Entry not found\n'],
      [['-q', 'get', 'n.b.none'], 1, ''],
      [['get', 'none.b.c'], 1, 'uci: Entry not found\n'],
      [['get', 'n.b.c=1'], 1, ''],
      [['get', 'n.@a[0'], 1, 'uci: Invalid argument\n'],
      [['delete', 'n.x'], 1, 'uci: Entry not found\n'],
      [['set', 'n.b.c-d=1'], 1, 'uci: Invalid argument\n'],
      [['set', 'n.x.c=1'], 1, 'uci: Invalid argument\n'],
      [['set', 'none.x=a'], 1, 'uci: Entry not found\n'],
      [['rename', 'n.b=a-b'], 1, 'uci: Invalid argument\n'],
      [['add_list', 'n.b.l'], 1, 'uci: Invalid argument\n'],
      [['show', 'bad'], 1, 'uci: Parse error (invalid command) at line 2, byte 0\n'],
      [['export', '../n'], 1, 'uci: Invalid argument\n'],
    ]
    for (const [args, code, err] of table) expect([args, call(args).code, call(args).err]).toEqual([args, code, err])
    expect(call(['frobnicate']).code).toBe(255)
    expect(call(['set']).code).toBe(255)
    expect(ok('changes', 'n')).toBe('')
  })

  it('keeps mode and link of a file, and a failed write leaves file and changes', () => {
    put('n', "config a 'b'\n")
    chmodSync(join(config, 'n'), 0o640)
    ok('set', 'n.b.c=1')
    ok('commit', 'n')
    expect(statSync(join(config, 'n')).mode & 0o777).toBe(0o640)
    symlinkSync('n', join(config, 'link'))
    ok('set', 'link.b.c=2')
    ok('commit', 'link')
    expect(lstatSync(join(config, 'link')).isSymbolicLink()).toBe(true)
    expect(file('n')).toContain("option c '2'")
    // As on a full disk: dd fails.
    ok('set', 'n.b.c=3')
    const broken = join(folder, 'broken')
    mkdirSync(broken, { recursive: true })
    writeFileSync(join(broken, 'dd'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    expect(run(world, folder, 'sbin/uci', ['-c', config, '-t', saved, 'commit', 'n'], { first: broken })).toMatchObject({ code: 1, err: 'uci: I/O error\n' })
    expect(file('n')).toContain("option c '2'")
    expect(ok('changes', 'n')).toBe("n.b.c='3'\n")
    ok('commit', 'n')
    expect(file('n')).toContain("option c '3'")
  })
})

// Values and names with everything that quoting is about; an option without text is none to UCI.
const name = fc.stringMatching(/^[a-z_][A-Za-z0-9_]{0,6}$/)
const text = fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '\\', '#', ';', '\n', '\t', 'ü', '=', '.', '@', '[', '$', '`', '%'), minLength: 1, maxLength: 12 })
const optionValue = fc.oneof(text, fc.array(fc.oneof(text, fc.constant('')), { minLength: 1, maxLength: 3 }))
const sections = fc
  .array(fc.record({ type: fc.constantFrom('package', 'tariff', 'x-y'), name: fc.option(name, { nil: null }), options: fc.dictionary(name, optionValue, { maxKeys: 4 }) }), { minLength: 1, maxLength: 5 })
  .map((all): PlainSection[] => all.filter((one, index) => one.name === null || all.findIndex((other) => other.name === one.name) === index))

const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`

describe.each(WORLDS)('uci in %s over generated configurations', (world) => {
  const { call, ok } = uciIn(world)

  it('writes what our own reader reads as the same', () => {
    fc.assert(
      fc.property(sections, (all) => {
        put('n', formatUci(all))
        ok('set', 'n.one_more=mark')
        ok('commit', 'n')
        expect(plainSections(parseUci(file('n'), 'n'))).toEqual([...all, { type: 'mark', name: 'one_more', options: {} }])
        expect(file('n')).toBe(`${formatUci([...all, { type: 'mark', name: 'one_more', options: {} }])}\n`)
        expect(ok('export', 'n')).toBe(`package n\n${file('n')}`)
      }),
      { numRuns: RUNS, seed: 20261122 },
    )
  })

  it('builds any configuration by single changes, and staged reads as committed', () => {
    fc.assert(
      fc.property(sections, (all) => {
        rmSync(join(saved, 'n'), { force: true })
        put('n', '')
        const lines: string[] = []
        for (const section of all) {
          if (section.name === null) lines.push(`add n ${section.type}`)
          else lines.push(`set n.${section.name}=${section.type}`)
          const path = `n.${section.name ?? `@${section.type}[-1]`}`
          for (const [option, value] of Object.entries(section.options))
            if (typeof value === 'string') lines.push(`set ${path}.${option}=${quoted(value)}`)
            else for (const item of value) lines.push(`add_list ${path}.${option}=${quoted(item)}`)
        }
        expect(call(['batch'], `${lines.join('\n')}\n`)).toMatchObject({ code: 0, err: '' })
        const staged = ok('show', 'n')
        ok('commit', 'n')
        expect(ok('show', 'n')).toBe(staged)
        expect(plainSections(parseUci(file('n'), 'n'))).toEqual(all)
      }),
      { numRuns: RUNS, seed: 20261122 },
    )
  })
})
