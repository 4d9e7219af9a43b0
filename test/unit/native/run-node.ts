/** Runs one of the programs in this folder in a Node of its own. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

export interface NodeRun {
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export function runNode(program: string, args: readonly string[], { flags = [], env = {} }: NodeRun = {}): Promise<Ended> {
  const path = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
  return runProgram(process.execPath, [...flags, path, ...args], env)
}

export function runProgram(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { NODE_OPTIONS: _vitests, ...rest } = process.env
    const child = spawn(program, args, { env: { ...rest, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, output }))
  })
}
