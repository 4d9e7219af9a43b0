/** Compiles the units of a recipe: the same flags for everything that is built from one source. */
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import type { Compiler } from './compilers.ts'
import { ROOT } from './fetch.ts'
import type { Unit } from './recipe.ts'
import { run } from './run.ts'
import type { Target } from './targets.ts'

/** The tree's own folder is kept out of the result: the same inputs give the same bytes anywhere. */
export const COMPILE_FLAGS = ['-fPIC', '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections', `-ffile-prefix-map=${ROOT}=.`]

/** Object file, in the folder `work`, of each source file. As many at a time as there are processors. */
export async function compile(units: readonly Unit[], compiler: Compiler, target: Target, work: string): Promise<Map<string, string>> {
  const waiting = [...new Map(units.map((unit) => [unit.file, unit])).values()]
  const objects = new Map(waiting.map(({ file }, index) => [file, join(work, `${index}-${basename(file)}.o`)]))
  const worker = async (): Promise<void> => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      const [program, ...first] = /\.c(c|pp)$/.test(unit.file) ? compiler.cpp : compiler.c
      await run(program, [...first, ...target.flags, ...COMPILE_FLAGS, ...unit.flags, '-c', unit.file, '-o', objects.get(unit.file) ?? ''], { env: compiler.env })
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), waiting.length) }, worker))
  return objects
}
