/**
 * Reader of OpenWrt's UCI text format, the format of /etc/config/*: the same file runs on a laptop and on
 * a router, and what `uci commit` or LuCI wrote is read here as they meant it.
 *
 *     package <name>                    at most once, before the first section
 *     config <type> ['<name>']          opens a section; without a name it is anonymous
 *         option <name> '<value>'       a value
 *         list <name> '<value>'         one item of a list; the items of one name belong together
 *     # comment
 *
 * Names are [A-Za-z0-9_]+ (a package's may have '-'), types printable ASCII. Words and quoting: uci-lines.ts.
 *
 * Stricter than libuci, which lets the later of two win, merges silently or cuts a value short:
 * one statement on a line (no `;`), keywords written out (no `c`, `o`, `l`, `p`), no `#` inside an unquoted word,
 * no section name twice, no option twice, no `list` and `option` of one name in a section, no missing or
 * surplus word, no control characters but tab and newline, no byte order mark, one package, bounded sizes.
 */
import { ConfigError } from './config-error.ts'
import type { ConfigProblem } from './config-error.ts'
import { readStatements } from './uci-lines.ts'
import type { UciStatement, UciWord } from './uci-lines.ts'

export interface UciValue {
  readonly text: string
  readonly line: number
  readonly word: UciWord
  readonly statement: UciStatement
}

export interface UciOption {
  readonly kind: 'option' | 'list'
  readonly name: string
  /** One for an option, one or more for a list. */
  readonly values: readonly UciValue[]
}

export interface UciSection {
  readonly type: string
  /** Null for an anonymous section. */
  readonly name: string | null
  readonly options: readonly UciOption[]
  readonly statement: UciStatement
  /** A line of it could not be read, so something it says may be missing here. */
  readonly isDamaged: boolean
}

export interface UciFile {
  readonly file: string
  readonly package: string | null
  readonly sections: readonly UciSection[]
}

export const MAX_FILE_BYTES = 256 * 1024
const MAX_SECTIONS = 512
export const MAX_STATEMENTS_PER_SECTION = 512
export const MAX_NAME_CHARS = 64
/** After so many the reader gives up: the first ones are what has to be mended anyway. */
const MAX_PROBLEMS = 50

export const NAME_CHARS = /^[A-Za-z0-9_]+$/
export const TYPE_CHARS = /^[\x21-\x7e]+$/
const PACKAGE_CHARS = /^[A-Za-z0-9_-]+$/
const NAMES_ALLOWED = `letters, digits and _, at most ${MAX_NAME_CHARS}`

/** What a section is called in messages. */
export function sectionTitle(section: { readonly type: string; readonly name: string | null }): string {
  return section.name === null ? section.type : `${section.type} '${section.name}'`
}

/**
 * Reads a UCI text.
 * @param file name shown in errors
 * @throws ConfigError with every problem found
 */
export function parseUci(text: string, file: string): UciFile {
  const { uci, problems } = readUci(text, file)
  if (problems.length > 0) throw new ConfigError(problems)
  return uci
}

/** As parseUci, but gives what could be read next to the problems; never throws. */
export function readUci(text: string, file: string): { uci: UciFile; problems: ConfigProblem[] } {
  const nothing = { file, package: null, sections: [] }
  const whole = (what: string, allowed: string): { uci: UciFile; problems: ConfigProblem[] } => ({
    uci: nothing,
    problems: [{ file, line: 0, what, allowed }],
  })
  if (text.length > MAX_FILE_BYTES || Buffer.byteLength(text) > MAX_FILE_BYTES)
    return whole('the file is too large', `at most ${MAX_FILE_BYTES} bytes`)
  if (text.startsWith('\ufeff')) return whole('the file begins with a byte order mark', 'plain UTF-8 without one')
  if (/\p{Surrogate}/u.test(text)) return whole('the text is not valid Unicode', 'plain UTF-8')
  const reader = new Reader(file)
  for (const statement of readStatements(text)) if (!reader.take(statement)) break
  return { uci: reader.file(), problems: reader.problems }
}

interface OpenSection {
  type: string
  name: string | null
  options: Map<string, { kind: 'option' | 'list'; name: string; values: UciValue[] }>
  statement: UciStatement
  isDamaged: boolean
  statements: number
  /** Stands in for a section whose `config` line was wrong, so that its options are not blamed too. */
  isPhantom: boolean
}

class Reader {
  readonly problems: ConfigProblem[] = []
  readonly #file: string
  readonly #sections: OpenSection[] = []
  readonly #lineOfName = new Map<string, number>()
  #package: string | null = null
  #open: OpenSection | null = null

  constructor(file: string) {
    this.#file = file
  }

  file(): UciFile {
    const sections = this.#sections.map((section) => ({
      type: section.type,
      name: section.name,
      options: [...section.options.values()],
      statement: section.statement,
      isDamaged: section.isDamaged,
    }))
    return { file: this.#file, package: this.#package, sections }
  }

  /** False when reading should end. */
  take(statement: UciStatement): boolean {
    const word = statement.words[0]
    const isPlain = word !== undefined && word.text.length === word.end - word.start // no quotes, no backslashes
    const keyword = isPlain ? word.text : ''
    if (statement.broken !== undefined) {
      this.#broken(statement, keyword)
    } else if (keyword === 'package') this.#takePackage(statement)
    else if (keyword === 'config') this.#takeConfig(statement)
    else if (keyword === 'option' || keyword === 'list') this.#takeValue(statement, keyword)
    else {
      if (this.#open) this.#open.isDamaged = true
      this.#report(statement.line, 'this line begins with none of the words UCI knows', {
        value: word?.text ?? '',
        allowed: 'package, config, option, list or # comment',
      })
    }
    if (this.problems.length < MAX_PROBLEMS) return true
    this.#report(statement.line, `more than ${MAX_PROBLEMS} problems; the rest of the file was not read`)
    return false
  }

  #broken(statement: UciStatement, keyword: string): void {
    if (keyword === 'config') this.#openPhantom(statement)
    else if (this.#open) this.#open.isDamaged = true
    const option = keyword === 'option' || keyword === 'list' ? statement.words[1]?.text : undefined
    const { line, what, value } = statement.broken ?? { line: statement.line, what: '' }
    this.#report(line, what, {
      ...(keyword === 'config' ? {} : this.#place()),
      ...(option === undefined ? {} : { option }),
      ...(value === undefined ? {} : { value }),
    })
  }

  #takePackage(statement: UciStatement): void {
    const words = statement.words.slice(1)
    const name = words[0]
    if (!this.#counts(statement, words.length, 1, 1, 'package <name>') || !name) return
    if (this.#package !== null || this.#open !== null)
      return this.#report(statement.line, this.#package === null ? 'package after the first section' : 'a second package', {
        value: name.text,
        allowed: 'at most one package line, before the first config line',
      })
    if (!isName(name.text, PACKAGE_CHARS))
      return this.#report(name.line, 'not a package name', { value: name.text, allowed: `${NAMES_ALLOWED}, and -` })
    this.#package = name.text
  }

  #takeConfig(statement: UciStatement): void {
    const [type, name] = statement.words.slice(1)
    this.#openPhantom(statement)
    if (!this.#counts(statement, statement.words.length - 1, 1, 2, "config <type> ['<name>']") || !type) return
    if (!isName(type.text, TYPE_CHARS))
      return this.#report(type.line, 'not a section type', { value: type.text, allowed: `printable ASCII without blanks, at most ${MAX_NAME_CHARS}` })
    if (name !== undefined && !isName(name.text, NAME_CHARS))
      return this.#report(name.line, 'not a section name', { section: type.text, value: name.text, allowed: `${NAMES_ALLOWED}; or no name` })
    const title = { section: sectionTitle({ type: type.text, name: name?.text ?? null }) }
    const before = name === undefined ? undefined : this.#lineOfName.get(name.text)
    if (name !== undefined && before !== undefined)
      return this.#report(name.line, `a second section named '${name.text}' (the first is on line ${before})`, { ...title, allowed: 'each name once in a file' })
    if (this.#sections.length >= MAX_SECTIONS)
      return this.#report(statement.line, 'too many sections', { ...title, allowed: `at most ${MAX_SECTIONS}` })
    if (name !== undefined) this.#lineOfName.set(name.text, statement.line)
    this.#open = { ...phantom(statement), type: type.text, name: name?.text ?? null, isPhantom: false }
    this.#sections.push(this.#open)
  }

  #takeValue(statement: UciStatement, kind: 'option' | 'list'): void {
    const section = this.#open
    const [, name, value] = statement.words
    if (section === null)
      return this.#report(statement.line, `${kind} before the first section`, { ...(name ? { option: name.text } : {}), allowed: 'config <type> first' })
    const place = { ...this.#place(), ...(name ? { option: name.text } : {}) }
    if (!this.#counts(statement, statement.words.length - 1, 2, 2, `${kind} <name> '<value>'`, place) || !name || !value) return
    if (!isName(name.text, NAME_CHARS))
      return this.#damage(statement, 'not an option name', { ...this.#place(), option: name.text, value: value.text, allowed: NAMES_ALLOWED })
    section.statements++
    if (section.statements === MAX_STATEMENTS_PER_SECTION + 1)
      this.#damage(statement, 'too many lines in one section', { ...place, allowed: `at most ${MAX_STATEMENTS_PER_SECTION}` })
    if (section.statements > MAX_STATEMENTS_PER_SECTION) return
    const known = section.options.get(name.text)
    const entry = { text: value.text, line: value.line, word: value, statement }
    if (known === undefined) section.options.set(name.text, { kind, name: name.text, values: [entry] })
    else if (kind === 'list' && known.kind === 'list') known.values.push(entry)
    else {
      const first = known.values[0]?.line ?? 0
      const what = kind === known.kind ? `given twice (first on line ${first})` : `${kind} of a name that is ${known.kind === 'list' ? 'a list' : 'an option'} on line ${first}`
      this.#damage(statement, what, { ...place, value: value.text, allowed: 'one option line, or list lines only' })
    }
  }

  #counts(statement: UciStatement, have: number, min: number, max: number, form: string, place: Partial<ConfigProblem> = {}): boolean {
    if (have >= min && have <= max) return true
    const surplus = statement.words[max + 1]
    this.#damage(statement, have < min ? 'something is missing on this line' : 'too many words on this line', {
      ...place,
      ...(surplus === undefined ? {} : { value: surplus.text }),
      allowed: `${form}; a value with blanks stands in quotes`,
    })
    return false
  }

  #damage(statement: UciStatement, what: string, rest: Partial<ConfigProblem>): void {
    if (this.#open) this.#open.isDamaged = true
    this.#report(statement.line, what, rest)
  }

  #openPhantom(statement: UciStatement): void {
    this.#open = phantom(statement)
  }

  #place(): { section?: string } {
    return this.#open === null || this.#open.isPhantom ? {} : { section: sectionTitle(this.#open) }
  }

  #report(line: number, what: string, rest: Partial<ConfigProblem> = {}): void {
    this.problems.push({ file: this.#file, line, what, ...rest })
  }
}

function phantom(statement: UciStatement): OpenSection {
  return { type: '', name: null, options: new Map(), statement, isDamaged: false, statements: 0, isPhantom: true }
}

function isName(text: string, chars: RegExp): boolean {
  return text.length <= MAX_NAME_CHARS && chars.test(text)
}
