/** A stream of bytes to somebody and back, whatever carries it; and reading it by counts. */
import { MeshBoxError } from '../../../base/index.ts'
import { windowOf } from '../raw-rlp.ts'

export interface Wire {
  readonly remoteAddress: string
  readonly remotePort: number
  /** Pieces as they come, not asked for before they are wanted. Ends when the other side ends; may throw. */
  readonly incoming: AsyncIterable<Uint8Array>
  /** Resolves when there is room for more. Rejects when the wire is gone. */
  write(bytes: Uint8Array): Promise<void>
  /** Sends what is written, then closes. */
  end(): void
  /** Closes at once; `incoming` ends. */
  destroy(): void
}

export function closedError(reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `the connection is closed: ${reason}`, { code: 'source-closed' })
}

export class ByteStream {
  readonly #pieces: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array(0)

  constructor(incoming: AsyncIterable<Uint8Array>) {
    this.#pieces = incoming[Symbol.asyncIterator]()
  }

  /** 1 to `most` bytes. Errors: unavailable `source-closed` at the end. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#piece.length === 0) this.#piece = await this.#next()
    const taken = windowOf(this.#piece, 0, Math.min(most, this.#piece.length))
    this.#piece = windowOf(this.#piece, taken.length, this.#piece.length)
    return taken
  }

  /** Exactly `count` bytes, own ones. `count` must be bounded by the caller. */
  async exactly(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count)
    for (let filled = 0; filled < count; ) {
      const piece = await this.some(count - filled)
      bytes.set(piece, filled)
      filled += piece.length
    }
    return bytes
  }

  async #next(): Promise<Uint8Array> {
    const next = await this.#pieces.next().catch(() => ({ done: true as const, value: undefined })) // a broken wire is a closed one
    if (next.done === true || next.value === undefined) throw closedError('the other side ended')
    return next.value
  }
}
