/** docs/architecture.md against the tree: its rooms, its drawings, the ports in them, the folders of tests and scripts. */
import { globSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PAGES, ROOT, isFolder, isInTree } from './pages.ts'

const page = PAGES.find(({ name }) => name === 'docs/architecture.md')!
const rooms = readdirSync(join(ROOT, 'src')).filter((name) => isFolder(`src/${name}`))
const drawings = page.blocks.map(({ text }) => text)
/** First cells of the table below a heading. */
const rows = (heading: string): string[] => {
  const part = page.text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...part.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell.trim()).filter((cell) => !/^-+$|^(room|folder)$/.test(cell))
}

describe('docs/architecture.md', () => {
  it('has a row for each room, and for no other', () => {
    const told = rows('Rooms').flatMap((cell) => cell.split(', ')).filter((cell) => cell !== 'main.ts')
    expect(told.map((cell) => cell.replace('/', '')).sort()).toEqual([...rooms].sort())
  })

  it('puts every room into the order of who may know whom, as the lint has it', () => {
    const order = /`(base ← [^`]+)`/.exec(page.text)?.[1] ?? ''
    const lint = readFileSync(join(ROOT, 'scripts/lint.ts'), 'utf8')
    for (const room of rooms.filter((name) => name !== 'main')) expect(lint, room).toMatch(new RegExp(`^  ${room}: \\[`, 'm'))
    // The audit is handed rows and knows no room; pages for browsers share types alone.
    for (const room of rooms.filter((name) => !['audit', 'web'].includes(name))) expect(order, room).toMatch(new RegExp(`\\b${room}\\b`))
  })

  it('draws only parts that are there', () => {
    const drawn = drawings.flatMap((text) => [...text.matchAll(new RegExp(`(?<![\\w/])(?:${rooms.join('|')})/[a-z][\\w/-]*`, 'g'))].map(([path]) => path))
    expect(drawn.length).toBeGreaterThan(15)
    expect(drawn.filter((path) => !isInTree(`src/${path}`) && !isInTree(`src/${path}.ts`))).toEqual([])
  })

  it('names on its arrows only what is declared', () => {
    const declared = new Set(globSync('src/**/*.ts', { cwd: ROOT }).flatMap((path) => [...readFileSync(join(ROOT, path), 'utf8').matchAll(/^export (?:abstract )?(?:class|interface|type) (\w+)/gm)].map(([, name]) => name)))
    const drawn = drawings.flatMap((text) => text.match(/\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b/g) ?? []).filter((name) => name !== 'WebSocket')
    expect(drawn.length).toBeGreaterThan(7)
    expect(drawn.filter((name) => !declared.has(name))).toEqual([])
  })

  it('tells of every kind of test, and of every folder around the service', () => {
    const tests = rows('Tests').map((cell) => cell.replace('test/', ''))
    expect(tests.sort()).toEqual(readdirSync(join(ROOT, 'test')).filter((name) => isFolder(`test/${name}`) && !['support', 'vectors', 'fuzz'].includes(name)).sort())
    for (const folder of rows('Around the service')) expect(isFolder(folder.replace(/\/$/, '')), folder).toBe(true)
  })
})

describe('a folder with a contract', () => {
  const contracts = globSync('src/**/index.ts', { cwd: ROOT }).sort()

  it('says in its first words what it is for', () => {
    expect(contracts.length).toBeGreaterThan(60)
    const first = (path: string): string => /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(join(ROOT, path), 'utf8'))?.[1]?.replace(/^ *\* ?/gm, '').trim() ?? ''
    expect(contracts.filter((path) => first(path).split(/\s+/).length < 5)).toEqual([])
  })

  it('is spoken of on some page', () => {
    const words = PAGES.map(({ text }) => text).join('\n')
    const spokenOf = (folder: string): boolean => words.includes(`${folder.split('/').slice(-1)[0]}/`)
    expect(contracts.map((path) => path.replace(/\/index\.ts$/, '')).filter((folder) => !/\/(io|tables)$/.test(folder) && !spokenOf(folder))).toEqual([])
  })
})
