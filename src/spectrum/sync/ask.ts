/**
 * One question to one source: with a deadline, its answer's size checked, its failures told as misdeeds.
 * A source's promise may hang or reject with anything; here that becomes a `SourceFault`.
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Timers } from '../../base/index.ts'
import type { Hash } from '../codec/fields.ts'
import type { ChainSource, Misdeed } from '../ports.ts'

export const MAX_HEADERS = 192
export const MAX_BODIES = 128
export const MAX_NODES = 384
/** The longest that a source may take for one answer. */
const ANSWER_MS = 15_000

/** No answer, or none that can be used. `misdeed` null: nobody's fault, there was just too much to ask at once. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault'
  readonly misdeed: Misdeed | null

  constructor(misdeed: Misdeed | null) {
    super(misdeed?.reason ?? 'too many questions at once')
    this.misdeed = misdeed
  }
}

export function lie(reason: string): SourceFault {
  return new SourceFault({ kind: 'lie', reason })
}

export function slow(reason: string): SourceFault {
  return new SourceFault({ kind: 'slow', reason })
}

export class Questions {
  readonly #timers: Timers
  readonly #answerMs: number

  constructor(timers: Timers, answerMs: number = ANSWER_MS) {
    this.#timers = timers
    this.#answerMs = answerMs
  }

  /** At most 192, ascending. Errors: SourceFault. */
  async headers(source: ChainSource, from: Hash | number, count: number): Promise<readonly Uint8Array[]> {
    return atMost(await this.#answer(() => source.headers(from, count), 'headers'), count, 'headers')
  }

  /** At most 128; as many as asked. Errors: SourceFault. */
  async bodies(source: ChainSource, hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return exactly(await this.#answer(() => source.bodies(hashes), 'bodies'), hashes.length, 'bodies')
  }

  /** At most 128; as many as asked. Errors: SourceFault. */
  async receipts(source: ChainSource, hashes: readonly Hash[]): Promise<readonly (Uint8Array | null)[]> {
    return exactly(await this.#answer(() => source.receipts(hashes), 'receipts'), hashes.length, 'receipts')
  }

  /** At most 384, in any order. Errors: SourceFault. */
  async nodes(source: ChainSource, hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
    return atMost(await this.#answer(() => source.nodes(hashes), 'nodes'), hashes.length, 'nodes')
  }

  #answer<T>(ask: () => Promise<T>, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#timers.after(this.#answerMs, () => reject(slow(`no ${what} within ${this.#answerMs / 1000} s`)))
      // What is thrown before there is a promise is an answer, too.
      const work = new Promise<T>((begin) => begin(ask()))
      work.then(
        (answer) => {
          cancel()
          resolve(answer)
        },
        (thrown: unknown) => {
          cancel()
          // A source takes so many questions of ours and no more.
          if (thrown instanceof MeshBoxError && thrown.kind === 'limit') reject(new SourceFault(null))
          else reject(slow(`${what}: ${thrown instanceof MeshBoxError ? thrown.code : asError(thrown).message}`))
        },
      )
    })
  }
}

function atMost<T>(answer: readonly T[], count: number, what: string): readonly T[] {
  if (answer.length > count) throw lie(`${answer.length} ${what} where ${count} were asked for`)
  return answer
}

function exactly<T>(answer: readonly (T | null)[], count: number, what: string): readonly (T | null)[] {
  if (answer.length > count) throw lie(`${answer.length} ${what} where ${count} were asked for`)
  return Array.from({ length: count }, (_, index) => answer[index] ?? null)
}
