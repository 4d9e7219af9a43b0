/**
 * Words of a UCI file with their places. The quoting rules are libuci's (openwrt/uci, file.c); where we
 * are stricter is listed in uci.ts.
 *
 * | in the text              | means                                                             |
 * | ------------------------ | ----------------------------------------------------------------- |
 * | blank, tab               | ends a word                                                       |
 * | newline (LF or CR LF)    | ends a word and the statement                                     |
 * | `# …` at a word's start  | comment up to the end of the line                                 |
 * | `'…'`                    | every character as it stands, also newlines and backslashes       |
 * | `"…"`                    | the same, but backslash takes the next character as it stands and backslash-newline vanishes |
 * | `\x` outside quotes      | x as it stands; backslash-newline vanishes                        |
 * | pieces without a blank between | one word: `'it'\''s'` is `it's`                             |
 */
export interface UciWord {
  readonly text: string
  /** 1-based line the word begins on. */
  readonly line: number
  /** Place in the text, quotes included: [start, end). */
  readonly start: number
  readonly end: number
}

/** One statement: its words, and its place from the first column to behind its last newline. */
export interface UciStatement {
  readonly words: readonly UciWord[]
  readonly line: number
  readonly start: number
  readonly end: number
  /** Set when the statement could not be read to its end; `words` then has what was read before. */
  readonly broken?: { readonly line: number; readonly what: string; readonly value?: string }
}

/** More than any statement has: the rest of such a line is not kept. */
const MAX_WORDS = 4
export const MAX_VALUE_CHARS = 4096

class Broken extends Error {
  readonly line: number
  readonly value: string | undefined
  /** Line whose rest is given up; reading goes on behind it. */
  readonly lastLine: number

  constructor(line: number, what: string, value?: string, lastLine = line) {
    super(what)
    this.line = line
    this.value = value
    this.lastLine = lastLine
  }
}

/**
 * The statements of a text, one by one. Never throws; a statement that cannot be read says so in `broken`. Each of
 * those may cost as much as the rest of the text, so the caller gives up after a bounded number.
 */
export function* readStatements(text: string): Generator<UciStatement> {
  const scanner = new Scanner(text)
  for (let next = scanner.statement(); next !== null; next = scanner.statement()) yield next
}

class Scanner {
  readonly #text: string
  #at = 0
  #line = 1

  constructor(text: string) {
    this.#text = text
  }

  /** The next line that says something, or null at the end. */
  statement(): UciStatement | null {
    for (;;) {
      const start = this.#at
      const line = this.#line
      if (start >= this.#text.length) return null
      const words: UciWord[] = []
      try {
        for (let word = this.#word(); word !== null; word = this.#word()) if (words.length < MAX_WORDS) words.push(word)
        this.#endLine()
        if (words.length > 0) return { words, line, start, end: this.#at }
      } catch (thrown) {
        if (!(thrown instanceof Broken)) throw thrown
        // Reading goes on behind the physical line that is wrong, so that one slip hides nothing else.
        this.#goBackTo(thrown.lastLine, line, start)
        this.#endLine()
        const broken = { line: thrown.line, what: thrown.message, ...(thrown.value === undefined ? {} : { value: thrown.value }) }
        return { words, line, start, end: this.#at, broken }
      }
    }
  }

  /** The next word of this line; null when a comment or the end of the line comes first. */
  #word(): UciWord | null {
    const source = this.#text
    while (source[this.#at] === ' ' || source[this.#at] === '\t') this.#at++
    if (source[this.#at] === '#' || this.#atLineEnd()) return null
    const start = this.#at
    const line = this.#line
    let text = ''
    let isQuoted = false
    while (!this.#atLineEnd()) {
      const char = source[this.#at] ?? ''
      if (char === ' ' || char === '\t') break
      if (char === "'" || char === '"') {
        isQuoted = true
        text += char === "'" ? this.#singleQuoted() : this.#doubleQuoted()
      } else if (char === '\\') text += this.#escaped()
      else if (char === '#') throw new Broken(this.#line, "'#' inside a word: put a blank before a comment, or the value in quotes", text)
      else if (char === ';') throw new Broken(this.#line, "';' outside quotes: write one statement on a line, or the value in quotes", text)
      else {
        this.#refuseControl(char)
        text += char
        this.#at++
      }
      if (text.length > MAX_VALUE_CHARS) throw new Broken(line, `longer than ${MAX_VALUE_CHARS} characters`, text.slice(0, 80))
    }
    if (!isQuoted && text === '') throw new Broken(line, 'a line continuation where a word was expected', undefined, this.#line)
    return { text, line, start, end: this.#at }
  }

  #singleQuoted(): string {
    const opened = this.#line
    const close = this.#text.indexOf("'", this.#at + 1)
    if (close < 0) throw this.#unterminated("'", opened)
    const inner = this.#text.slice(this.#at + 1, close)
    for (const char of inner) {
      if (char === '\n') this.#line++
      else this.#refuseControl(char)
    }
    this.#at = close + 1
    return inner
  }

  #doubleQuoted(): string {
    const opened = this.#line
    let inner = ''
    this.#at++
    for (;;) {
      const char = this.#text[this.#at]
      if (char === undefined) throw this.#unterminated('"', opened)
      if (char === '"') {
        this.#at++
        return inner
      }
      if (char === '\\') {
        if (this.#at + 1 >= this.#text.length) throw this.#unterminated('"', opened)
        inner += this.#escaped()
        continue
      }
      if (char === '\n') this.#line++
      else this.#refuseControl(char)
      inner += char
      this.#at++
    }
  }

  /** At a backslash: the character it protects, or nothing for a backslash at a line's end. */
  #escaped(): string {
    const next = this.#text[this.#at + 1]
    if (next === undefined) throw new Broken(this.#line, 'a backslash at the end of the file')
    if (next === '\n' || (next === '\r' && this.#text[this.#at + 2] === '\n')) {
      this.#at += next === '\n' ? 2 : 3
      this.#line++
      return ''
    }
    this.#refuseControl(next)
    this.#at += 2
    return next
  }

  #unterminated(quote: string, line: number): Broken {
    return new Broken(line, `the quote ${quote} opened on this line is never closed`)
  }

  #refuseControl(char: string): void {
    const code = char.charCodeAt(0)
    if ((code < 0x20 && char !== '\t') || code === 0x7f)
      throw new Broken(this.#line, `a control character (0x${code.toString(16).padStart(2, '0')})`)
  }

  #atLineEnd(): boolean {
    const char = this.#text[this.#at]
    if (char === undefined || char === '\n') return true
    const next = this.#text[this.#at + 1]
    return char === '\r' && (next === '\n' || next === undefined)
  }

  /** Moves behind the next newline, over a comment or over what could not be read. */
  #endLine(): void {
    const newline = this.#text.indexOf('\n', this.#at)
    this.#at = newline < 0 ? this.#text.length : newline + 1
    if (newline >= 0) this.#line++
  }

  #goBackTo(line: number, firstLine: number, start: number): void {
    let at = start
    for (let passed = firstLine; passed < line; passed++) at = this.#text.indexOf('\n', at) + 1
    this.#at = at
    this.#line = line
  }
}
