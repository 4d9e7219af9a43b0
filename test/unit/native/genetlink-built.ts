/** The genetlink addon under test, built from this tree first if it is not up to date, and how its programs are run. */
import { fileURLToPath } from 'node:url'
import { addonPath, buildNative } from '../../../scripts/native.ts'
import { runProgram } from './run-node.ts'
import type { Ended, NodeRun } from './run-node.ts'

export async function builtGenetlink(target: 'host' | 'host-asan' = 'host'): Promise<string> {
  await buildNative(target)
  return addonPath(target, 'genetlink')
}

/** A program of genetlink-programs/ in a Node of its own. */
export function runGenetlinkProgram(program: string, args: readonly string[], { flags = [], env = {} }: NodeRun = {}): Promise<Ended> {
  const path = fileURLToPath(new URL(`./genetlink-programs/${program}`, import.meta.url))
  return runProgram(process.execPath, [...flags, path, ...args], env)
}
