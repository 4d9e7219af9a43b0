/** A program that answers each line on its input with one on its output. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Talker {
  readonly process: ChildProcess
  /** What it says before it is asked. */
  readonly first: Promise<string>
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = []

  constructor(process: ChildProcess) {
    this.process = process
    if (process.stdout === null) throw new Error('no output')
    this.first = this.#next()
    const lines = createInterface({ input: process.stdout })
    lines.on('line', (line) => this.#waiting.shift()?.resolve(line))
    lines.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the program ended'))
    })
  }

  ask(line: string): Promise<string> {
    const answer = this.#next()
    this.process.stdin?.write(`${line}\n`)
    return answer
  }

  #next(): Promise<string> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }
}
