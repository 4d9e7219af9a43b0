/** How a worker hears and speaks: a task on its command line, lines in, JSON lines out. */
import { createInterface } from 'node:readline'

/** The task of this worker, from its command line. */
export function task<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T
}

export function say(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

/** Lines the bench tells; ends when it has nothing more to tell. */
export function told(): AsyncIterable<string> {
  return createInterface({ input: process.stdin })
}
