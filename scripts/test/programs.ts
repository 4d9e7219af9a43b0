/** Runs programs for `make test`: their exit codes, and their words to the terminal or into a file. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
/** A program that npm installed. */
export const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name)

/** Resolves with the exit code. `logFile`: where its words go instead of to the terminal. */
export function run(command: string, args: readonly string[], { logFile, env }: { readonly logFile?: string | undefined; readonly env?: NodeJS.ProcessEnv } = {}): Promise<number> {
  return new Promise((resolve) => {
    const log = logFile === undefined ? 'inherit' : openSync(logFile, 'w')
    const child = spawn(command, args, { cwd: ROOT, stdio: ['inherit', log, log], env: { ...process.env, ...env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}` } })
    child.on('error', (error) => {
      console.error(`[test] ${command}: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code) => resolve(code ?? 1))
    if (typeof log === 'number') closeSync(log) // the child has its own
  })
}
