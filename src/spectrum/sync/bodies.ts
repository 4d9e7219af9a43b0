/** The body of a block whose header this box keeps and whose body it has dropped, held against that header. */
import { MeshBoxError } from '../../base/index.ts'
import type { Timers } from '../../base/index.ts'
import type { Keccak } from '../codec/fields.ts'
import { decodeBody } from '../codec/body.ts'
import type { Body } from '../codec/body.ts'
import type { ChainSource } from '../ports.ts'
import { transactionsRootOf } from '../proof/inclusion.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import { Questions, SourceFault, lie } from './ask.ts'
import type { SourcePool } from './ports.ts'

export interface BodyReaderParts {
  readonly keccak: Keccak
  readonly sources: SourcePool
  readonly timers: Timers
}

export class BodyReader {
  readonly #parts: BodyReaderParts
  readonly #questions: Questions

  constructor(parts: BodyReaderParts) {
    this.#parts = parts
    this.#questions = new Questions(parts.timers)
  }

  /** Null: nobody has it now. Whoever sends another block's body for it lies. */
  async of(block: KnownHeader): Promise<Body | null> {
    for (const source of this.#parts.sources.usable()) {
      try {
        const body = await this.#askOne(source, block)
        if (body !== null) return body
      } catch (thrown) {
        if (!(thrown instanceof SourceFault)) throw thrown
        this.#parts.sources.complain(source, thrown.misdeed)
      }
    }
    return null
  }

  async #askOne(source: ChainSource, { hash, header }: KnownHeader): Promise<Body | null> {
    const [bytes] = await this.#questions.bodies(source, [hash])
    if (bytes === null || bytes === undefined) return null
    const body = decode(bytes)
    if (body.uncles.length > 0 || transactionsRootOf(this.#parts.keccak, body.transactions) !== header.transactionsRoot) throw lie(`the body of block ${header.number} is another block's`)
    return body
  }
}

/** Errors: SourceFault. */
function decode(bytes: Uint8Array): Body {
  try {
    return decodeBody(bytes)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) throw lie(`no body: ${thrown.message}`)
    throw thrown
  }
}
