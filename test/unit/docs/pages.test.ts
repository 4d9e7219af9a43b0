/** What the pages name is there: files, links, commands with their options, settings, make's targets, variables. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkArguments, findCommand, parseOptions, takeGlobals } from '../../../src/cli/arguments.ts'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { ConfigError, describeOptions, loadConfig, problemLine } from '../../../src/config/index.ts'
import { ROUTES } from '../../../src/owner/api.ts'
import { PAGES, ROOT, TREE, isFolder, isInTree, shellWords } from './pages.ts'

const SHELL = new Set(['sh', 'bash', 'console'])
const spans = PAGES.flatMap((page) => page.spans)
const shellLines = PAGES.flatMap((page) =>
  page.blocks.filter((block) => SHELL.has(block.language)).flatMap((block) => block.text.replace(/\\\n\s*/g, ' ').split('\n').map((text) => ({ at: block.at, text }))),
)

describe('a file or folder', () => {
  /** What is made, not kept: looked for by the tests of what makes it. */
  const MADE = /^(build|dist|node_modules|parts)\//
  const named = spans.filter(({ text }) => /^[\w.*-]+(\/[\w.*-]+)*\/?$/.test(text) && !MADE.test(text) && (/\.(tsx?|sh|cc|sol|md)$/.test(text) || TREE.has(text.split('/')[0] + '') && text.includes('/')))

  it('that a page names is there', () => {
    expect(named.length).toBeGreaterThan(200)
    expect(named.filter(({ text }) => !isInTree(text)).map(({ at, text }) => `${at}: ${text}`)).toEqual([])
  })
})

describe('a link', () => {
  const links = PAGES.flatMap((page) => [...page.text.matchAll(/\]\(([^)\s]+)\)/g)].map((found) => ({ page, to: found[1] ?? '' }))).filter(({ to }) => !/^[a-z]+:/.test(to))
  /** As GitHub makes it of a heading. */
  const anchors = (text: string): string[] =>
    [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-'))

  it('leads to a page or a picture, and to a heading that it has', () => {
    expect(links.length).toBeGreaterThan(100)
    const broken = links.filter(({ page, to }) => {
      const [file = '', anchor] = to.split('#')
      const target = file === '' ? page.name : normalize(join(dirname(page.name), file))
      if (!TREE.has(target)) return true
      return anchor !== undefined && !anchors(readFileSync(join(ROOT, target), 'utf8')).includes(anchor)
    })
    expect(broken.map(({ page, to }) => `${page.name}: ${to}`)).toEqual([])
  })

  it('leads to every page from another one', () => {
    const linked = new Set(links.map(({ page, to }) => normalize(join(dirname(page.name), to.split('#')[0] ?? ''))))
    const named = new Set(spans.map(({ text }) => text))
    const told = (name: string): boolean => linked.has(name) || PAGES.some((page) => page.name !== name && page.text.includes(name.slice('docs/'.length))) || named.has(name)
    expect(PAGES.map(({ name }) => name).filter((name) => name !== 'README.md' && !told(name))).toEqual([])
  })
})

describe('a command of meshbox', () => {
  /** Not behind another program's words (`opkg install meshbox luci-app-meshbox`, `ubus call meshbox status`), nor a text that is signed or paid with (`meshbox counters 1`, `meshbox ahead`). */
  const CALL = /(?<=^|[\s;&|(])(?<!(?:install|upgrade|call|remove|gz|commit|config|identity|su) )meshbox (?=[a-z-])/g
  const SIGNED = / 1(\\0|:|$)|\\0|^meshbox ahead$/
  const called = [...shellLines.map((line) => ({ ...line, isWhole: true })), ...spans.map((span) => ({ ...span, isWhole: false }))].flatMap(({ at, text, isWhole }) =>
    SIGNED.test(text) ? [] : [...text.split(/(?<=^|\s)# /)[0]!.matchAll(CALL)].map((found) => ({ at, words: shellWords(text.slice(found.index + found[0].length)), isWhole })),
  )

  const problem = (words: readonly string[], isWhole: boolean): string | null => {
    try {
      const { rest } = takeGlobals(words.filter((word) => word !== '…'))
      if (rest[0] === 'help') return null
      const firstOption = rest.findIndex((word) => word.startsWith('-'))
      const leading = firstOption < 0 ? rest : rest.slice(0, firstOption)
      // Between backticks a page may speak of a family of commands.
      if (!isWhole && COMMANDS.some((command) => leading.every((word, index) => command.words[index] === word))) return null
      const found = findCommand(COMMANDS, leading)
      if (found === null) return 'no command'
      const { args } = parseOptions(rest.slice(found.used), found.command)
      if (isWhole) checkArguments(args, found.command)
      return null
    } catch (error) {
      return String((error as Error).message)
    }
  }

  it('that a page says to type is one, with those options and arguments', () => {
    expect(called.length).toBeGreaterThan(150)
    expect(called.flatMap(({ at, words, isWhole }) => { const what = problem(words, isWhole); return what === null ? [] : [`${at}: meshbox ${words.join(' ')}: ${what}`] })).toEqual([])
  })
})

describe('the first page', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

  it('names every command by its first word', () => {
    const list = readme.slice(readme.indexOf('## The command line'), readme.indexOf('## Settings'))
    const named = new Set([...list.matchAll(/`(?:meshbox )?([a-z-]+)[^`]*`/g)].map(([, word]) => word))
    expect([...new Set(COMMANDS.map(({ words }) => words[0]))].filter((word) => !named.has(word))).toEqual([])
  })

  it('says what each check of an audit means, on the page of troubles', () => {
    const checks = [...readFileSync(join(ROOT, 'src/audit/types.ts'), 'utf8').matchAll(/^ {2}\| '([a-z-]+)'$/gm)].map(([, name = '']) => name)
    const told = [...readFileSync(join(ROOT, 'docs/guide/trouble.md'), 'utf8').matchAll(/`([a-z-]+)(…?)`/g)].map(([, name = '', rest]) => ({ name, isFamily: rest !== '' }))
    expect(checks.length).toBeGreaterThan(20)
    expect(checks.filter((check) => !told.some(({ name, isFamily }) => check === name || (isFamily && check.startsWith(name))))).toEqual([])
  })
})

describe('a setting', () => {
  const options = describeOptions()
  const named = new Set(options.flatMap((one) => [`${one.section}.${one.option}`, `${one.sectionName ?? one.section}.${one.option}`]))
  const sections = new Set(options.flatMap((one) => [one.section, one.sectionName ?? one.section]))

  it('that a page names by section and option is one', () => {
    const told = spans.flatMap(({ at, text }) => (/^([a-z]+)\.([a-z]+_[a-z_]+)$/.exec(text) !== null && sections.has(text.split('.')[0] ?? '') ? [{ at, text }] : []))
    expect(told.length).toBeGreaterThan(8)
    expect(told.filter(({ text }) => !named.has(text)).map(({ at, text }) => `${at}: ${text}`)).toEqual([])
  })

  /** What is wrong with a line whatever else the file says; other rules are about options together. */
  const OF_ITSELF = /is not allowed|is not an option|is written as|has the wrong name|has no name|is not a section/
  /** For what the reader has to fill in. */
  const ADDRESS = `0x${'11'.repeat(20)}`
  const filledIn = (value: string): string => value.replace(/^(\$?[A-Z_]+|…|0x…)(?=:|$)/, ADDRESS)

  it.each(PAGES.filter(({ text }) => text.includes('uci set meshbox.')))('that $name says to set by uci is taken', ({ text }) => {
    const types = new Map(options.map((one) => [one.sectionName ?? '', one.section]))
    for (const [, name = '', type = ''] of text.matchAll(/uci set meshbox\.(\w+)=(\w+)/g)) types.set(name, type)
    const written = [...text.matchAll(/uci (set|add_list) meshbox\.(\w+)\.(\w+)=('[^']*'|"[^"]*"|[^\s;`]+)/g)]
    const problems = written.flatMap(([line, verb, section = '', option = '', value = '']) => {
      const type = types.get(section)
      if (type === undefined) return [`${line}: there is no section '${section}'`]
      const said = `config ${type} '${section}'\n ${verb === 'set' ? 'option' : 'list'} ${option} '${filledIn(value.replace(/^(['"])(.*)\1$/, '$2'))}'\n`
      // What the option needs beside it is on the page too; here it is about the option alone.
      return problemsOf(said).filter((one) => OF_ITSELF.test(one)).map((one) => `${line}: ${one}`)
    })
    expect(written.length).toBeGreaterThan(0)
    expect(problems).toEqual([])
  })

  it('in a piece of the file that a page shows is one', () => {
    const shown = PAGES.flatMap((page) => page.blocks.filter((block) => /^config \w+/.test(block.text)))
    expect(shown.length).toBeGreaterThan(3)
    expect(shown.flatMap((block) => problemsOf(block.text.replaceAll('0x…', ADDRESS)).filter((one) => OF_ITSELF.test(one)).map((one) => `${block.at}: ${one}`))).toEqual([])
  })

  function problemsOf(text: string): string[] {
    try {
      loadConfig(text, 'page')
      return []
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return error.problems.map(problemLine)
    }
  }
})

describe('a target of make', () => {
  const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8')
  const targets = [...makefile.matchAll(/^([a-z-]+%?):/gm)].map(([, name = '']) => name)
  /** OpenWrt's own: ImageBuilder's and the SDK's. */
  const OPENWRT = new Set(['image', 'manifest', 'package/node/compile'])
  const isTarget = (name: string): boolean => targets.some((target) => (target.endsWith('%') ? name.startsWith(target.slice(0, -1)) : target === name))

  it('that a page says to make is one', () => {
    const told = [...spans, ...PAGES.flatMap((page) => page.blocks.flatMap((block) => block.text.split('\n').map((text) => ({ at: block.at, text }))))].flatMap(({ at, text }) => {
      const name = /^make ([a-z][\w/-]*)/.exec(text)?.[1]
      return name === undefined || OPENWRT.has(name) ? [] : [{ at, name }]
    })
    expect(told.length).toBeGreaterThan(40)
    expect(told.filter(({ name }) => !isTarget(name)).map(({ at, name }) => `${at}: make ${name}`)).toEqual([])
  })

  it('is listed by `make help` and made whether or not a file has its name', () => {
    const phony = new Set(/^\.PHONY: (.*)$/m.exec(makefile)?.[1]?.split(' '))
    const plain = targets.filter((name) => !name.endsWith('%'))
    expect(plain.filter((name) => !phony.has(name))).toEqual([])
    expect(plain.filter((name) => !new RegExp(`^${name}:.* ## `, 'm').test(makefile))).toEqual([])
  })
})

describe('a variable of the environment', () => {
  it('that a page names is read somewhere', () => {
    const sources = globSync('{firmware,openwrt-feed,qemu,scripts,src,test}/**/*', { cwd: ROOT }).filter((path) => !isFolder(path) && !path.startsWith('test/unit/docs/') && !/\.(png|gz|bin|hex|json)$/.test(path))
    const read = new Set(sources.flatMap((path) => readFileSync(join(ROOT, path), 'utf8').match(/MESHBOX_[A-Z_]+/g) ?? []))
    const told = new Set(PAGES.flatMap((page) => page.text.match(/\bMESHBOX_[A-Z_]+\b/g) ?? []))
    expect(told.size).toBeGreaterThan(20)
    expect([...told].filter((name) => !read.has(name))).toEqual([])
  })
})

describe("a route of the owner's side", () => {
  it('that a page names is one', () => {
    const known = new Set(Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`))
    const told = spans.flatMap(({ at, text }) => (/^(GET|POST|PUT|DELETE) \/api\/(?![12]\b)[\w/:-]*$/.test(text) ? [{ at, text }] : []))
    expect(told.length).toBeGreaterThan(50)
    expect(told.filter(({ text }) => !known.has(text)).map(({ at, text }) => `${at}: ${text}`)).toEqual([])
  })
})
