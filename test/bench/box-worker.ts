/**
 * A worker inside a namespace: where nft, the kernel's tables and the real gate have to be. It is started as
 * `node workers/<name>.ts <JSON of its task>`, says JSON lines, and ends when its standard input does.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import type { Namespace } from '../support/netns.ts'
import { NODE } from '../support/town-services.ts'

const WORKERS = join(dirname(fileURLToPath(import.meta.url)), 'workers')

export interface BoxWorker {
  /** The next thing it says; rejects with its last words when it ends before. */
  next<T>(): Promise<T>
  /** Says something to it, one line. */
  tell(line: string): void
  /** Lets it end by itself and waits. */
  stop(): Promise<void>
}

export function startBoxWorker(ns: Namespace, name: string, task: unknown): BoxWorker {
  const child = ns.spawn(NODE, [join(WORKERS, `${name}.ts`), JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'pipe'] })
  const said: string[] = []
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  let lastWords = ''
  let isOver = false
  const over = (code: number | null): Error => new Error(`worker ${name} ended with ${code}: ${lastWords}`)
  if (child.stdout)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const first = waiting.shift()
      if (first) first.resolve(line)
      else said.push(line)
    })
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-4000)
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve)).then((code) => {
    isOver = true
    for (const one of waiting.splice(0)) one.reject(over(code))
    return code
  })
  return {
    async next<T>() {
      const line = said.shift() ?? (await new Promise<string>((resolve, reject) => (isOver ? reject(over(child.exitCode)) : waiting.push({ resolve, reject }))))
      return JSON.parse(line) as T
    },
    tell(line) {
      child.stdin?.write(`${line}\n`)
    },
    async stop() {
      child.stdin?.end()
      const code = await ended
      if (code !== 0) throw over(code)
    },
  }
}
