/**
 * Writing UCI: a whole file in the form `uci export` prints, and edits in place that leave every comment,
 * blank line and quoting of what is not touched as the owner wrote it.
 */
import { MeshBoxError, inputError } from '../base/index.ts'
import { MAX_NAME_CHARS, MAX_STATEMENTS_PER_SECTION, NAME_CHARS, TYPE_CHARS, parseUci, sectionTitle } from './uci.ts'
import type { UciFile, UciOption, UciSection } from './uci.ts'
import { MAX_VALUE_CHARS } from './uci-lines.ts'
import type { UciStatement } from './uci-lines.ts'

/** A section by its name, or the n-th (from 0) of its type, as `uci` writes `@type[n]`. */
export type SectionRef = { readonly name: string } | { readonly type: string; readonly index: number }

/** A text stands for `option`, an array for the items of a `list`. */
export type OptionValue = string | readonly string[]

export interface PlainSection {
  readonly type: string
  readonly name: string | null
  readonly options: Readonly<Record<string, OptionValue>>
}

export type UciEdit =
  /** Sets an option; a list of that name becomes this one option. */
  | { readonly do: 'set-option'; readonly section: SectionRef; readonly option: string; readonly value: string }
  /** Sets all items of a list; no items removes it; an option of that name becomes the list. */
  | { readonly do: 'set-list'; readonly section: SectionRef; readonly option: string; readonly values: readonly string[] }
  /** Removes an option or list; not an error when there is none. */
  | { readonly do: 'delete-option'; readonly section: SectionRef; readonly option: string }
  /** Adds a section behind `after`, or at the end of the file. */
  | { readonly do: 'add-section'; readonly section: PlainSection; readonly after?: SectionRef }
  /** Removes a section, and the comment lines that stand directly above it. */
  | { readonly do: 'delete-section'; readonly section: SectionRef }

/** A whole file: no comments, single quotes, tab before options, an empty line before each section. */
export function formatUci(sections: readonly PlainSection[], packageName: string | null = null): string {
  const head = packageName === null ? '' : `package ${packageName}\n`
  return head + sections.map((section) => `\n${sectionText(section, '\t', '\n')}`).join('')
}

/** The sections of a file without places, as formatUci takes them. */
export function plainSections(uci: UciFile): PlainSection[] {
  return uci.sections.map(({ type, name, options }) => ({
    type,
    name,
    options: Object.fromEntries(options.map((option) => [option.name, plainValue(option)])),
  }))
}

/**
 * Applies edits one after the other and returns the new text.
 * @param file name shown in errors
 * @throws ConfigError when `text` is not valid UCI, before or after an edit
 * @throws MeshBoxError `input` for a malformed edit, `not-found` code `no-such-section`, `conflict` code `section-exists`
 */
export function editUci(text: string, edits: readonly UciEdit[], file = 'configuration'): string {
  let edited = text
  for (const edit of edits) edited = applyOne(edited, parseUci(edited, file), edit)
  parseUci(edited, file)
  return edited
}

function applyOne(text: string, uci: UciFile, edit: UciEdit): string {
  switch (edit.do) {
    case 'set-option':
      return setValues(text, findSection(uci, edit.section), edit.option, 'option', [edit.value])
    case 'set-list':
      return setValues(text, findSection(uci, edit.section), edit.option, 'list', edit.values)
    case 'delete-option':
      return setValues(text, findSection(uci, edit.section), edit.option, 'list', [])
    case 'add-section':
      return addSection(text, uci, edit.section, edit.after)
    case 'delete-section':
      return deleteSection(text, uci, findSection(uci, edit.section))
  }
}

function setValues(text: string, section: UciSection, name: string, kind: 'option' | 'list', values: readonly string[]): string {
  checkName('option', name, NAME_CHARS)
  checkItemCount(name, values)
  for (const value of values) checkValue(name, value)
  const known = section.options.find((option) => option.name === name)
  const old = known?.values ?? []
  const cuts: Cut[] = []
  if (known !== undefined && known.kind === kind) {
    for (let i = 0; i < Math.max(old.length, values.length); i++) {
      const [before, after] = [old[i], values[i]]
      if (before === undefined) continue
      if (after === undefined) cuts.push({ ...before.statement, put: '' })
      else if (before.text !== after) cuts.push({ ...before.word, put: quote(after) })
    }
    const last = old.at(-1)?.statement
    if (last !== undefined) cuts.push(insertion(text, last, kind, name, values.slice(old.length), indentOf(text, last)))
  } else {
    for (const value of old) cuts.push({ ...value.statement, put: '' })
    const place = old[0]?.statement ?? lastStatement(section)
    const indent = place === section.statement ? '\t' : indentOf(text, place)
    cuts.push(insertion(text, place, kind, name, values, indent))
  }
  return cut(text, cuts)
}

function addSection(text: string, uci: UciFile, section: PlainSection, after: SectionRef | undefined): string {
  checkName('section type', section.type, TYPE_CHARS)
  if (section.name !== null) checkName('section name', section.name, NAME_CHARS)
  for (const [name, value] of Object.entries(section.options)) {
    checkName('option', name, NAME_CHARS)
    const values = typeof value === 'string' ? [value] : value
    checkItemCount(name, values)
    for (const item of values) checkValue(name, item)
  }
  if (section.name !== null && uci.sections.some((other) => other.name === section.name))
    throw new MeshBoxError('conflict', `${sectionTitle(section)}: the file already has a section of this name`, { code: 'section-exists', field: 'section', value: section.name })
  const place = after === undefined ? undefined : lastStatement(findSection(uci, after))
  const at = place?.end ?? text.length
  const newline = newlineOf(text)
  const before = text.slice(0, at)
  const gap = before === '' ? '' : before.endsWith('\n') ? newline : newline + newline
  const rest = text.slice(at)
  const isTight = rest !== '' && !isBlank(lineAt(rest, 0)?.text ?? '')
  return before + gap + sectionText(section, '\t', newline) + (isTight ? newline : '') + rest
}

function deleteSection(text: string, uci: UciFile, section: UciSection): string {
  const previous = uci.sections[uci.sections.indexOf(section) - 1]
  const floor = previous === undefined ? 0 : lastStatement(previous).end // above it may lie a value with a '#' in it
  let start = section.statement.start
  // Comment lines that touch the section from above speak about it; other comments stay.
  for (let above = lineBefore(text, start); above !== null && above.start >= floor && /^[ \t]*#/.test(above.text); above = lineBefore(text, start))
    start = above.start
  // Of the empty lines above and below it, those below go.
  let end = lastStatement(section).end
  const above = lineBefore(text, start)
  if (above === null || isBlank(above.text))
    for (let below = lineAt(text, end); below !== null && isBlank(below.text); below = lineAt(text, end)) end = below.end
  return text.slice(0, start) + text.slice(end)
}

function findSection(uci: UciFile, ref: SectionRef): UciSection {
  const found =
    'name' in ref
      ? uci.sections.find((section) => section.name === ref.name)
      : uci.sections.filter((section) => section.type === ref.type)[ref.index]
  if (found !== undefined) return found
  const title = 'name' in ref ? `'${ref.name}'` : `@${ref.type}[${ref.index}]`
  throw new MeshBoxError('not-found', `section ${title}: ${uci.file} has none`, { code: 'no-such-section', field: 'section', value: title })
}

function lastStatement(section: UciSection): UciStatement {
  let last = section.statement
  for (const option of section.options) for (const { statement } of option.values) if (statement.end > last.end) last = statement
  return last
}

/** Replaces [start, end) of the text by `put`. */
interface Cut {
  readonly start: number
  readonly end: number
  readonly put: string
}

function cut(text: string, cuts: readonly Cut[]): string {
  const ordered = [...cuts].sort((a, b) => a.start - b.start || a.end - b.end)
  let out = ''
  let at = 0
  for (const { start, end, put } of ordered) {
    out += text.slice(at, start) + put
    at = end
  }
  return out + text.slice(at)
}

/** New lines behind a statement. */
function insertion(text: string, behind: UciStatement, kind: string, name: string, values: readonly string[], indent: string): Cut {
  const newline = newlineOf(text)
  const lines = values.map((value) => `${indent}${kind} ${name} ${quote(value)}${newline}`).join('')
  const isOpenEnded = lines !== '' && !text.slice(behind.start, behind.end).endsWith('\n')
  return { start: behind.end, end: behind.end, put: (isOpenEnded ? newline : '') + lines }
}

function sectionText(section: PlainSection, indent: string, newline: string): string {
  let out = `config ${section.type}${section.name === null ? '' : ` '${section.name}'`}${newline}`
  for (const [name, value] of Object.entries(section.options))
    for (const item of typeof value === 'string' ? [value] : value)
      out += `${indent}${typeof value === 'string' ? 'option' : 'list'} ${name} ${quote(item)}${newline}`
  return out
}

function plainValue(option: UciOption): OptionValue {
  const texts = option.values.map((value) => value.text)
  return option.kind === 'list' ? texts : (texts[0] ?? '')
}

/** As libuci exports: single quotes, a quote inside as '\'' . */
function quote(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`
}

function indentOf(text: string, statement: UciStatement): string {
  return /^[ \t]*/.exec(text.slice(statement.start, statement.end))?.[0] ?? ''
}

/** What the file's own lines end with. */
function newlineOf(text: string): string {
  const first = text.indexOf('\n')
  return first > 0 && text[first - 1] === '\r' ? '\r\n' : '\n'
}

function lineBefore(text: string, at: number): { text: string; start: number } | null {
  if (at === 0) return null
  const start = at < 2 ? 0 : text.lastIndexOf('\n', at - 2) + 1
  return { text: text.slice(start, at), start }
}

function lineAt(text: string, at: number): { text: string; end: number } | null {
  if (at >= text.length) return null
  const newline = text.indexOf('\n', at)
  const end = newline < 0 ? text.length : newline + 1
  return { text: text.slice(at, end), end }
}

function isBlank(line: string): boolean {
  return line.trim() === ''
}

function checkName(field: string, name: string, chars: RegExp): void {
  if (name.length > MAX_NAME_CHARS || !chars.test(name))
    throw inputError(field, name, chars === TYPE_CHARS ? 'printable ASCII without blanks' : 'letters, digits and _')
}

function checkItemCount(name: string, values: readonly string[]): void {
  if (values.length > MAX_STATEMENTS_PER_SECTION) throw inputError(name, values.length, `at most ${MAX_STATEMENTS_PER_SECTION} items`)
}

function checkValue(name: string, value: string): void {
  if (typeof value !== 'string' || value.length > MAX_VALUE_CHARS || /[\u0000-\u0008\u000b-\u001f\u007f]|\p{Surrogate}/u.test(value))
    throw inputError(name, value, `a text of at most ${MAX_VALUE_CHARS} characters without control characters`)
}
