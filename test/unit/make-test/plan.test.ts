/** How `make test` shares its files out: nothing twice, nothing forgotten, the longest first, and nothing before what it needs. */
import { existsSync, globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DURATIONS } from '../../../scripts/test/durations.ts'
import { lotsOf, runAll } from '../../../scripts/test/plan.ts'
import type { Lot } from '../../../scripts/test/plan.ts'
import { PROJECTS, PROJECT_NAMES, filesOf } from '../../../scripts/test/projects.ts'
import type { Project } from '../../../scripts/test/projects.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const computing: Project = { name: 'unit', include: [], kind: 'computing', runSeconds: 10, usualSeconds: 1 }
const waiting: Project = { ...computing, name: 'real', kind: 'waiting' }
const prepared: Project = { ...computing, name: 'qemu', preparation: 'prepare.ts' }
const lot = (project: Project, name: string, seconds: number): Lot => ({ project, files: [name], seconds })

describe('lots', () => {
  it('hold each file once, neighbours together; a long file has one of its own', () => {
    const files = ['test/c.test.ts', 'test/a/2.test.ts', 'test/a/1.test.ts', 'test/b/long.test.ts', 'test/b/1.test.ts']
    expect(lotsOf(computing, files, { 'test/b/long.test.ts': 10, 'test/b/1.test.ts': 9 })).toEqual([
      { project: computing, files: ['test/a/1.test.ts', 'test/a/2.test.ts'], seconds: 2 },
      { project: computing, files: ['test/b/long.test.ts'], seconds: 10 },
      { project: computing, files: ['test/b/1.test.ts', 'test/c.test.ts'], seconds: 10 },
    ])
    expect(lotsOf(computing, [], {})).toEqual([])
  })

  it('are no longer than a run may be, whatever the durations', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { maxLength: 60 }), (seconds) => {
        const durations = Object.fromEntries(seconds.map((own, index) => [`test/${index}.test.ts`, own]))
        const lots = lotsOf(computing, Object.keys(durations), durations)
        expect(lots.flatMap(({ files }) => files).sort()).toEqual(Object.keys(durations).sort())
        for (const each of lots) if (each.files.length > 1) expect(each.seconds).toBeLessThanOrEqual(computing.runSeconds)
      }),
    )
  })
})

describe('the plan', () => {
  /** What was done, in order; each lot lasts as long as it says, in steps of a clock of our own. */
  async function play(lots: readonly Lot[], processors: number, preparationSeconds = 0): Promise<readonly string[]> {
    const said: string[] = []
    const due: { readonly at: number; readonly wake: () => void }[] = []
    let now = 0
    const pass = (seconds: number): Promise<void> => new Promise((wake) => due.push({ at: now + seconds, wake }))
    let isOver = false
    const all = runAll(lots, processors, {
      async prepare({ name }) {
        said.push(`${now} prepare ${name}`)
        await pass(preparationSeconds)
      },
      async run({ files, seconds }) {
        said.push(`${now} ${files.join(' ')}`)
        await pass(seconds)
      },
    }).then(() => (isOver = true))
    for (;;) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      if (isOver) break
      const next = due.sort((one, other) => one.at - other.at).shift()
      if (next === undefined) throw new Error('it waits for nothing')
      now = next.at
      next.wake()
    }
    await all
    return said
  }

  it('begins with the longest, one for each processor and one more, and with some that wait', async () => {
    const lots = [lot(computing, 'short', 1), lot(computing, 'long', 9), lot(computing, 'middle', 5), ...[1, 2, 3].map((n) => lot(waiting, `waits ${n}`, n))]
    expect(await play(lots, 2)).toEqual(['0 long', '0 middle', '0 short', '0 waits 3', '0 waits 2', '1 waits 1'])
  })

  it('helps with what waits when nothing is left to compute', async () => {
    const lots = [lot(computing, 'one', 1), ...[5, 4, 3, 2].map((n) => lot(waiting, `waits ${n}`, n))]
    expect(await play(lots, 1)).toEqual(['0 one', '0 waits 5', '0 waits 4', '0 waits 3', '1 waits 2'])
  })

  it('keeps one more at it than there are processors to the end, and leaves nothing that computes to those who wait', async () => {
    const lots = [...[9, 8, 7, 6, 5].map((n) => lot(computing, `long ${n}`, n)), lot(waiting, 'waits', 1)]
    expect(await play(lots, 2)).toEqual(['0 long 9', '0 long 8', '0 long 7', '0 waits', '7 long 6', '8 long 5'])
  })

  it('prepares a project once, before the first of it, and does others meanwhile', async () => {
    const lots = [lot(prepared, 'first', 9), lot(prepared, 'second', 8), lot(computing, 'other', 1), lot(computing, 'another', 1)]
    expect(await play(lots, 2, 3)).toEqual(['0 prepare qemu', '0 other', '0 another', '3 first', '3 second'])
  })

  it('runs everything once, whatever there is', async () => {
    const kinds = fc.constantFrom(computing, waiting, prepared)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 9 })), { maxLength: 20 }), fc.integer({ min: 1, max: 4 }), async (each, processors) => {
        const lots = each.map(([project, seconds], index) => lot(project, `lot ${index}`, seconds))
        const said = (await play(lots, processors, 2)).map((line) => line.replace(/^\d+ /, ''))
        expect(said.filter((line) => line !== 'prepare qemu').sort()).toEqual(lots.flatMap(({ files }) => files).sort())
        const first = said.findIndex((line) => lots.some(({ project, files }) => project === prepared && files[0] === line))
        expect(said.filter((line) => line === 'prepare qemu')).toHaveLength(first < 0 ? 0 : 1)
        if (first >= 0) expect(said.indexOf('prepare qemu')).toBeLessThan(first)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the projects', () => {
  const files = PROJECTS.flatMap((project) => filesOf(project, ROOT))

  it('have all test files, each in one of them', () => {
    expect(PROJECTS.map(({ name }) => name)).toEqual(PROJECT_NAMES)
    expect([...files].sort()).toEqual(globSync('test/**/*.test.{ts,tsx}', { cwd: ROOT }).sort())
  })

  it('have no file whose path is part of another: vitest would run both', () => {
    expect(files.filter((file) => files.some((other) => other !== file && other.includes(file)))).toEqual([])
  })

  it('have every file that durations are known of', () => {
    expect(Object.keys(DURATIONS).filter((file) => !files.includes(file))).toEqual([])
    for (const { preparation } of PROJECTS) if (preparation !== undefined) expect(existsSync(new URL(`../../../${preparation}`, import.meta.url))).toBe(true)
  })
})
