/** The reader of UCI texts: what it accepts, as libuci means it, and what it refuses, and where. */
import { describe, expect, it } from 'vitest'
import { ConfigError, formatUci, parseUci, plainSections } from '../../../src/config/index.ts'

const read = (text: string) => plainSections(parseUci(text, 'f'))
const valueOf = (written: string): unknown => read(`config t 'n'\n option v ${written}\n`)[0]?.options['v']

function problemsOf(text: string) {
  try {
    parseUci(text, 'f')
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems
    throw thrown
  }
  throw new Error('the text was accepted')
}

describe('what UCI means', () => {
  it.each([
    [`plain`, 'plain'],
    [`'single'`, 'single'],
    [`"double"`, 'double'],
    [`''`, ''],
    [`""`, ''],
    [`'a b'`, 'a b'],
    [`"a # b; c"`, 'a # b; c'],
    [`'it'\\''s'`, "it's"],
    [`pre'mid'"post"`, 'premidpost'],
    [`'back\\slash'`, 'back\\slash'],
    [`"say \\"hi\\""`, 'say "hi"'],
    [`"a\\\\b"`, 'a\\b'],
    [`"a\\nb"`, 'anb'],
    [`a\\ b`, 'a b'],
    [`a\\#b`, 'a#b'],
    [`one\\\ntwo`, 'onetwo'],
    [`"one\\\ntwo"`, 'onetwo'],
    [`"one\\\r\ntwo"`, 'onetwo'],
    [`'one\ntwo'`, 'one\ntwo'],
    [`"one\ntwo"`, 'one\ntwo'],
    [`'one\\\ntwo'`, 'one\\\ntwo'],
    [`'tab\there'`, 'tab\there'],
    [`Größe`, 'Größe'],
    [`'😀'`, '😀'],
    [`\\😀`, '😀'],
    [`'x' # a comment`, 'x'],
    [`'x'#`, undefined],
  ])('%s', (written, value) => {
    if (value === undefined) expect(problemsOf(`config t\n option v ${written}\n`)).toHaveLength(1)
    else expect(valueOf(written)).toBe(value)
  })

  it('keeps sections, lists and their order; anonymous sections have no name', () => {
    const text = `# head\npackage meshbox\n\nconfig a 'one'\n\toption x '1'\n\tlist l 'p'\n\toption y "2"\n\tlist l q\n\nconfig a\n  list only 'z'\nconfig b! two\n`
    expect(parseUci(text, 'f').package).toBe('meshbox')
    expect(read(text)).toEqual([
      { type: 'a', name: 'one', options: { x: '1', l: ['p', 'q'], y: '2' } },
      { type: 'a', name: null, options: { only: ['z'] } },
      { type: 'b!', name: 'two', options: {} },
    ])
  })

  it('takes CR LF line ends, blank lines, a missing last newline, and an empty text', () => {
    expect(read(`\r\nconfig a 'x'\r\n\toption v 'w' # c\r\n\r\n  \t\r\n\toption u z`)).toEqual([{ type: 'a', name: 'x', options: { v: 'w', u: 'z' } }])
    expect(read('')).toEqual([])
    expect(read('# only a comment')).toEqual([])
  })

  it('says where each value stands', () => {
    const uci = parseUci(`config a 'x'\n option v 'one\ntwo'\n list l "p"\n list l q\n`, 'f')
    const [v, l] = uci.sections[0]?.options ?? []
    expect(v?.values.map((value) => value.line)).toEqual([2])
    expect(l?.values.map((value) => value.line)).toEqual([4, 5])
  })

  it('prints as uci export does, and reads that again', () => {
    const sections = [
      { type: 'a', name: 'x', options: { v: "it's", l: ['1', '2'] } },
      { type: 'b', name: null, options: {} },
    ]
    const text = formatUci(sections, 'meshbox')
    expect(text).toBe(`package meshbox\n\nconfig a 'x'\n\toption v 'it'\\''s'\n\tlist l '1'\n\tlist l '2'\n\nconfig b\n`)
    expect(read(text)).toEqual(sections)
  })
})

describe('what is refused, and where', () => {
  const head = `config t 'n'\n`
  it.each([
    ['unknown keyword', `${head}optoin a 'b'`, 2, 'none of the words'],
    ['abbreviated keyword', `c t 'n'`, 1, 'none of the words'],
    ['quoted keyword', `'config' t`, 1, 'none of the words|needs'],
    ['option outside a section', `option a 'b'`, 1, 'before the first section'],
    ['list outside a section', `list a 'b'`, 1, 'before the first section'],
    ['config without type', `config`, 1, 'something is missing'],
    ['config with three words', `config a b c`, 1, 'too many words'],
    ['section name with a dash', `config a 'b-c'`, 1, 'not a section name'],
    ['empty section name', `config a ''`, 1, 'not a section name'],
    ['section type with a blank', `config 'a b'`, 1, 'not a section type'],
    ['section type not ASCII', `config ä`, 1, 'not a section type'],
    ['name too long', `config a ${'b'.repeat(65)}`, 1, 'not a section name'],
    ['option without value', `${head}option a`, 2, 'something is missing'],
    ['option with two values', `${head}option a b c`, 2, 'too many words'],
    ['option name with a dot', `${head}option a.b c`, 2, 'not an option name'],
    ['option twice', `${head}option a 1\noption b 2\noption a 3`, 4, 'given twice \\(first on line 2\\)'],
    ['list after option', `${head}option a 1\nlist a 2`, 3, 'list of a name that is an option on line 2'],
    ['option after list', `${head}list a 1\noption a 2`, 3, 'option of a name that is a list on line 2'],
    ['section name twice', `${head}config u 'n'`, 2, 'second section named'],
    ['single quote never closed', `${head}option a 'b\noption c d`, 2, "quote ' opened on this line"],
    ['double quote never closed', `${head}option a b\noption c "d`, 3, 'quote " opened on this line'],
    ['double quote closed only by an escaped one', `${head}option a "b\\"`, 2, 'quote " opened'],
    ['double quote open at a backslash', `${head}option a "b\\`, 2, 'quote " opened'],
    ['backslash at the end of the file', `${head}option a b\\`, 2, 'backslash at the end'],
    ['hash in a word', `${head}option a b#c`, 2, "'#' inside a word"],
    ['two statements on a line', `${head}option a b; option c d`, 2, "';' outside quotes"],
    ['control character outside quotes', `${head}option a b\u0007`, 2, 'control character \\(0x07\\)'],
    ['control character in quotes', `${head}option a 'x\ny\u001b'`, 3, 'control character \\(0x1b\\)'],
    ['NUL', `${head}option a "b\u0000"`, 2, 'control character \\(0x00\\)'],
    ['carriage return in the middle', `${head}option a b\rc`, 2, 'control character \\(0x0d\\)'],
    ['word of a continuation only', `${head}option a \\\n 'b'`, 2, 'line continuation'],
    ['value too long', `${head}option a '${'x'.repeat(4097)}'`, 2, 'longer than 4096'],
    ['package twice', `package a\npackage a`, 2, 'second package'],
    ['package after a section', `${head}package a`, 2, 'package after the first section'],
    ['package name', `package 'a b'`, 1, 'not a package name'],
    ['byte order mark', `\ufeffconfig a`, 0, 'byte order mark'],
    ['half a character', `config a\noption b '\ud800'`, 0, 'not valid Unicode'],
    ['file too large', `#${'x'.repeat(256 * 1024)}`, 0, 'too large'],
    ['file too large in bytes', `#${'ä'.repeat(200 * 1024)}`, 0, 'too large'],
  ])('%s', (_name, text, line, what) => {
    const [first, ...others] = problemsOf(text)
    expect(first?.what).toMatch(new RegExp(what))
    expect(first?.line).toBe(line)
    expect(first?.file).toBe('f')
    expect(others).toEqual([])
  })

  it('reads on behind a bad line and names every one, in order', () => {
    const problems = problemsOf(`nonsense\nconfig t 'n'\noption a\noption b 'x' y\noption c 'ok'\noption d "never\nlist e ok\noption e no\n`)
    expect(problems.map((problem) => [problem.line, problem.option])).toEqual([
      [1, undefined],
      [3, 'a'],
      [4, 'b'],
      [6, 'd'],
      [8, 'e'],
    ])
    expect(problems.slice(1).every((problem) => problem.section === "t 'n'")).toBe(true)
  })

  it('does not blame the section before for options below a bad config line', () => {
    const problems = problemsOf(`config a 'x'\noption v 1\nconfig a 'x'\noption v 2\n`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ line: 3, section: "a 'x'" })
  })

  it('gives up after 50 problems and says so', () => {
    const problems = problemsOf('nonsense\n'.repeat(2000))
    expect(problems).toHaveLength(51)
    expect(problems.at(-1)?.what).toMatch(/more than 50/)
  })

  it.each(['x\\\n', "'\u0001\n", '"\u0001\n', "'\n"])('looks at a hostile text a bounded number of times: %j over and over', (pattern) => {
    // Each of its lines can be read as the start of a word as long as the rest: 50 looks, not one for each line.
    expect(problemsOf(pattern.repeat(80_000)).length).toBeLessThanOrEqual(51)
  })

  it('bounds sections and lines of a section', () => {
    expect(problemsOf('config a\n'.repeat(513))).toMatchObject([{ line: 513, what: 'too many sections' }])
    expect(problemsOf(`config a\n${'list l x\n'.repeat(600)}`)).toMatchObject([{ line: 514, what: 'too many lines in one section' }])
  })

  it('cuts hostile values and keeps control characters out of the message', () => {
    const [problem] = problemsOf(`config t 'n'\n${'y'.repeat(3000)} 'x'`)
    expect(problem?.value).toHaveLength(120)
    try {
      parseUci(`config t 'n'\noption "a\nb" c`, 'f')
    } catch (thrown) {
      expect((thrown as Error).message).not.toContain('\n')
    }
    expect.assertions(2)
  })
})
