/**
 * Properties of the UCI reader and editor over generated texts: whatever quoting a value is written in, it
 * reads as that value; no text makes the reader throw anything but ConfigError; an edit changes what it
 * says and nothing else.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { ConfigError, editUci, formatUci, loadConfig, parseUci, plainSections } from '../../../src/config/index.ts'
import type { PlainSection, UciEdit } from '../../../src/config/index.ts'

const RUNS = Number(process.env['MESHBOX_FUZZ_RUNS'] ?? 1500)

const name = fc.stringMatching(/^[a-z_][A-Za-z0-9_]{0,6}$/) // not a number: object keys then keep their order
const type = fc.constantFrom('package', 'tariff', 'x-y', 'b!')
const value = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', ' ', "'", '"', '\\', '#', ';', '\n', '\t', 'ü', '😀', '='), maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)),
)
const optionValue = fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 4 }))
const section: fc.Arbitrary<PlainSection> = fc.record({
  type,
  name: fc.option(name, { nil: null }),
  options: fc.dictionary(name, optionValue, { maxKeys: 5 }),
})
const sections = fc
  .array(section, { maxLength: 6 })
  .map((all) => all.filter((one, index) => one.name === null || all.findIndex((other) => other.name === one.name) === index))

/** One value written in pieces of every quoting style. */
function written(text: string): fc.Arbitrary<string> {
  const chars = [...text]
  return fc.array(fc.constantFrom('plain', 'single', 'double'), { minLength: chars.length + 1, maxLength: chars.length + 1 }).map((styles) => {
    const pieces = chars.map((char, index) => {
      if (styles[index] === 'single' && char !== "'") return `'${char}'`
      if (styles[index] === 'plain' && char !== '\n') return /[\s'"\\#;]/.test(char) ? `\\${char}` : char
      return /["\\]/.test(char) ? `"\\${char}"` : `"${char}"`
    })
    const first = pieces.length === 0 ? (styles[0] === 'single' ? "''" : '""') : ''
    return first + pieces.join('')
  })
}

const fragment = fc.constantFrom(
  'config', 'option', 'list', 'package', ' ', '\t', '\n', '\r\n', "'", '"', '\\', '#', ';', 'tariff', 'price_per_minute', '0.1', 'hotspot', 'x', '\u0000', 'ü', "'n'\n", "config tariff 'tariff'\n",
)
const roughText = fc.oneof(fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join('')), fc.string({ unit: 'binary', maxLength: 80 }))

describe('reading', () => {
  it('gives back what formatUci printed', () => {
    fc.assert(
      fc.property(sections, fc.option(fc.constant('meshbox'), { nil: null }), (all, pack) => {
        const uci = parseUci(formatUci(all, pack), 'f')
        expect(uci.package).toBe(pack)
        expect(plainSections(uci)).toEqual(all)
      }),
      { numRuns: RUNS },
    )
  })

  it('takes a value in any mixture of quotings', () => {
    const pair = value.chain((text) => written(text).map((source) => ({ text, source })))
    fc.assert(
      fc.property(pair, ({ text, source }) => {
        expect(plainSections(parseUci(`config t\noption v ${source} # c\noption w z\n`, 'f'))[0]?.options).toEqual({ v: text, w: 'z' })
      }),
      { numRuns: RUNS },
    )
  })

  it('throws nothing but ConfigError, with lines that are in the text', () => {
    fc.assert(
      fc.property(roughText, (text) => {
        const lines = text.split('\n').length
        for (const read of [parseUci, loadConfig]) {
          try {
            read(text, 'f')
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ConfigError)
            const { problems, message } = thrown as ConfigError
            expect(problems.length).toBeGreaterThan(0)
            expect(message.split('\n')).toHaveLength(problems.length)
            for (const problem of problems) {
              expect(problem.line).toBeGreaterThanOrEqual(0)
              expect(problem.line).toBeLessThanOrEqual(lines)
            }
          }
        }
      }),
      { numRuns: RUNS * 2 },
    )
  })
})

/** The same edit on plain sections: what the text has to say afterwards. */
function edited(all: readonly PlainSection[], edit: UciEdit): PlainSection[] | 'refused' {
  const indexOf = (ref: { name: string } | { type: string; index: number }): number =>
    'name' in ref
      ? all.findIndex((one) => one.name === ref.name)
      : all.indexOf(all.filter((one) => one.type === ref.type)[ref.index] ?? { type: '', name: null, options: {} })
  if (edit.do === 'add-section') {
    if (edit.section.name !== null && all.some((one) => one.name === edit.section.name)) return 'refused'
    const after = edit.after === undefined ? all.length - 1 : indexOf(edit.after)
    if (edit.after !== undefined && after < 0) return 'refused'
    return [...all.slice(0, after + 1), edit.section, ...all.slice(after + 1)]
  }
  const at = indexOf(edit.section)
  const target = all[at]
  if (target === undefined) return 'refused'
  if (edit.do === 'delete-section') return all.filter((_, index) => index !== at)
  const options: Record<string, string | readonly string[]> = { ...target.options }
  if (edit.do === 'set-option') options[edit.option] = edit.value
  else if (edit.do === 'delete-option' || edit.values.length === 0) delete options[edit.option]
  else options[edit.option] = edit.values
  return all.map((one, index) => (index === at ? { ...one, options } : one))
}

const ref = fc.oneof(fc.record({ name }), fc.record({ type, index: fc.nat(2) }))
const edit: fc.Arbitrary<UciEdit> = fc.oneof(
  fc.record({ do: fc.constant('set-option' as const), section: ref, option: name, value }),
  fc.record({ do: fc.constant('set-list' as const), section: ref, option: name, values: fc.array(value, { maxLength: 4 }) }),
  fc.record({ do: fc.constant('delete-option' as const), section: ref, option: name }),
  fc.record({ do: fc.constant('add-section' as const), section }),
  fc.record({ do: fc.constant('add-section' as const), section, after: ref }),
  fc.record({ do: fc.constant('delete-section' as const), section: ref }),
)

/** A text an owner may have written: the sections with comments, blank lines, own indents and line ends. */
const messy = fc.tuple(sections, fc.array(fc.constantFrom('', '# c%', '  # c%', '\t'), { minLength: 1, maxLength: 6 }), fc.boolean(), fc.boolean()).map(
  ([all, noise, isCrLf, isOpenEnded]) => {
    let count = 0
    const lines: string[] = []
    for (const line of splitStatements(formatUci(all))) {
      const extra = noise[count++ % noise.length] ?? ''
      lines.push(extra.replace('%', String(count)), line)
    }
    const hasBareNewlineValue = all.some((one) => Object.values(one.options).flat().some((text) => text.includes('\n')))
    const text = lines.join(isCrLf && !hasBareNewlineValue ? '\r\n' : '\n')
    return { all, text: isOpenEnded ? text : `${text}\n` }
  },
)

function splitStatements(text: string): string[] {
  return text.split(/\n(?=(?:config|\t(?:option|list)) )/).map((line) => line.replace(/\n+$/, ''))
}

describe('editing', () => {
  it('says exactly what was asked for, over any sequence of edits', () => {
    fc.assert(
      fc.property(messy, fc.array(edit, { maxLength: 6 }), ({ all, text }, edits) => {
        expect(plainSections(parseUci(text, 'f'))).toEqual(all)
        let now = text
        let model: PlainSection[] = all
        for (const one of edits) {
          const next = edited(model, one)
          if (next === 'refused') {
            expect(() => editUci(now, [one], 'f')).toThrow(MeshBoxError)
            continue
          }
          now = editUci(now, [one], 'f')
          model = next
          expect(plainSections(parseUci(now, 'f')).map(inAnyOrder)).toEqual(model.map(inAnyOrder))
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('adds one line and leaves every other byte as it was', () => {
    fc.assert(
      fc.property(messy, fc.nat(5), value, ({ all, text }, index, text2) => {
        const target = all[index % Math.max(1, all.length)]?.name ?? null
        fc.pre(target !== null)
        const now = editUci(text, [{ do: 'set-option', section: { name: target ?? '' }, option: 'zz_new', value: text2 }], 'f')
        const added = `option zz_new '${text2.replaceAll("'", "'\\''")}'`
        const at = now.indexOf(added)
        expect(at).toBeGreaterThan(0)
        const newline = text.includes('\r\n') ? '\r\n' : '\n'
        const rest = now.slice(0, now.lastIndexOf('\n', at) + 1) + now.slice(at + added.length + newline.length)
        expect([text, text + newline]).toContain(rest)
      }),
      { numRuns: RUNS },
    )
  })
})

function inAnyOrder(one: PlainSection): unknown {
  return { ...one, options: Object.fromEntries(Object.entries(one.options).sort(([a], [b]) => (a < b ? -1 : 1))) }
}
