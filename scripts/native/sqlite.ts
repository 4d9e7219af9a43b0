/**
 * better-sqlite3 for machines that its npm package has no fitting binary for: 32-bit arm, and routers, where npm's
 * binary for musl would want a libstdc++ of gcc 13 beside it. Built from the sources in the same npm package, with the defines
 * and units its own binding.gyp names.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './fetch.ts'
import { nodeDefines, nodeHeaders } from './recipe.ts'
import type { Recipe } from './recipe.ts'
import { BuildError } from './run.ts'

export const SQLITE_ADDON = 'better_sqlite3'
export const SQLITE_PACKAGE = join(ROOT, 'node_modules/better-sqlite3')
/** Node 22.14 and later; see its binding.gyp. */
const NODE_API = 10

/** The binary inside the npm package for a glibc machine; null where it has none. */
export function npmSqlite(machine: string): string | null {
  const file = join(SQLITE_PACKAGE, `prebuilds/linux-${machine}.node`)
  return existsSync(file) ? file : null
}

export function sqliteRecipe(): Recipe {
  const amalgamation = join(SQLITE_PACKAGE, 'deps/sqlite3')
  if (!existsSync(join(amalgamation, 'sqlite3.c'))) throw new BuildError("better-sqlite3's sources are missing from node_modules; run npm ci")
  const headers = nodeHeaders()
  return {
    name: SQLITE_ADDON,
    units: [
      // Warnings of others' code are theirs.
      { file: join(amalgamation, 'sqlite3.c'), flags: ['-std=c99', '-w', '-DNDEBUG', ...sqliteDefines()] },
      {
        file: join(SQLITE_PACKAGE, 'src/better_sqlite3.cpp'), // one unit: it includes the other files
        flags: ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-w', '-DNDEBUG', ...nodeDefines(SQLITE_ADDON, NODE_API), `-isystem${amalgamation}`, ...headers.flags],
      },
    ],
    fuzzer: null,
    read: [...globSync('{src/**/*.{cpp,hpp},deps/sqlite3/*.h}', { cwd: SQLITE_PACKAGE }).map((file) => join(SQLITE_PACKAGE, file)), ...headers.files],
  }
}

/** The list in the package itself, a Python literal of one string per line. */
function sqliteDefines(): string[] {
  const file = join(SQLITE_PACKAGE, 'deps/defines.gypi')
  const list = /'defines':\s*\[([^\]]*)\]/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
  const defines = [...list.matchAll(/'([^']+)'/g)].map((match) => `-D${match[1]}`)
  if (!defines.includes('-DSQLITE_ENABLE_COLUMN_METADATA')) throw new BuildError(`${file} has not the form it had: no list of defines`)
  return defines
}
