/** Runs a program of the build and gives its output; a failure says the command and the program's last words. */
import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What to do when the program is not installed. */
  readonly ifMissing?: string
  /** Takes any exit code; default: only 0. */
  readonly anyCode?: boolean
}

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class BuildError extends Error {
  override readonly name = 'BuildError'
}

export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const done = await new Promise<Finished>((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, LC_ALL: 'C', ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' && options.cwd === undefined
      reject(new BuildError(missing ? `${command} is not installed; ${options.ifMissing ?? 'install it'}` : `${command}: ${error.message}`))
    })
    child.on('close', (code, signal) => resolve({ code: code ?? 128, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` }))
  })
  if (done.code !== 0 && options.anyCode !== true)
    throw new BuildError(`${command} failed (exit ${done.code}): ${[command, ...args].join(' ').slice(0, 600)}\n${(done.stderr || done.stdout).trim().slice(-4000)}`)
  return done
}
