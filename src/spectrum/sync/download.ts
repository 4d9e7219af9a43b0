/**
 * What is fetched of one source's chain: where it leaves ours, and from there pieces of headers and bodies in
 * order. The next piece is under way while the last one is judged, and no more than that. Errors: SourceFault.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Hash, Keccak } from '../codec/fields.ts'
import { keccakHex } from '../codec/fields.ts'
import { decodeHeader } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import type { ChainSource, ChainView, SourceHead } from '../ports.ts'
import { MAX_BODIES, MAX_HEADERS, Questions, lie, slow } from './ask.ts'
import type { RawBlock } from './ports.ts'

/** As far back as a reorg is followed at all, and somewhat more, so that one that is too deep is seen and told. */
const WINDOW_BLOCKS = 64

export interface FetchedHeader {
  readonly header: Header
  readonly hash: Hash
  readonly rlp: Uint8Array
}

export interface Ancestor {
  readonly number: number
  readonly hash: Hash
}

export class Download {
  readonly #keccak: Keccak
  readonly #questions: Questions
  readonly #source: ChainSource

  constructor(keccak: Keccak, questions: Questions, source: ChainSource) {
    this.#keccak = keccak
    this.#questions = questions
    this.#source = source
  }

  /**
   * The highest block of our canonical chain that the source's has too: our head, or one of the 64 blocks below.
   * Null: none of them, or the source is on another chain. Two questions at most. `height`: of the source's head.
   */
  async ancestor(chain: ChainView, height: number): Promise<Ancestor | null> {
    const head = chain.head()
    const [theirs] = await this.headers(head.header.number, 1)
    if (theirs !== undefined && theirs.hash === head.hash) return { number: head.header.number, hash: head.hash }
    const top = theirs === undefined ? Math.min(head.header.number, height) : head.header.number - 1
    const low = Math.max(0, top - WINDOW_BLOCKS + 1)
    if (top < 0) return null
    const window = await this.headers(low, top - low + 1)
    const found = window.findLast(({ header, hash }) => chain.headerAt(header.number)?.hash === hash && chain.block(hash) !== null)
    return found === undefined ? null : { number: found.header.number, hash: found.hash }
  }

  /** Of the head that it claims; asked where it told the hash only. The claim is no more true for that. */
  async height({ hash, number }: SourceHead): Promise<number> {
    if (number !== null) return number
    const [rlp] = await this.#questions.headers(this.#source, hash, 1)
    if (rlp === undefined) throw slow('it has not the header of its own head')
    const fetched = this.#fetched(rlp)
    if (fetched.hash !== hash) throw lie(`header ${fetched.hash} where ${hash} was asked for`)
    return fetched.header.number
  }

  /** The block at one height, by hash; null: the source's chain is shorter. */
  async hashAt(number: number): Promise<Hash | null> {
    return (await this.headers(number, 1))[0]?.hash ?? null
  }

  /** Pieces in order, from the block behind `after` until the source has no more. */
  async *pieces(after: Ancestor): AsyncGenerator<readonly RawBlock[]> {
    let next: Promise<Piece> = this.#piece(after, [])
    try {
      for (;;) {
        const piece = await next
        if (piece.blocks.length === 0) return
        next = this.#piece(piece.end, piece.left)
        next.catch(() => undefined) // told when its turn comes, or of no interest any more
        yield piece.blocks
      }
    } finally {
      next.catch(() => undefined)
    }
  }

  /** Decoded, with consecutive heights from `from` on, each linked to the one before. */
  async headers(from: number, count: number): Promise<readonly FetchedHeader[]> {
    const fetched = (await this.#questions.headers(this.#source, from, count)).map((rlp) => this.#fetched(rlp))
    for (const [index, { header }] of fetched.entries()) {
      if (header.number !== from + index) throw lie(`header ${header.number} where ${from + index} was asked for`)
      // Its chain may have changed while it answered.
      if (index > 0 && header.parentHash !== fetched[index - 1]?.hash) throw slow(`header ${header.number} is not linked to the one before`)
    }
    return fetched
  }

  /** `left`: headers that came with the last piece and have no bodies yet. */
  async #piece(after: Ancestor, left: readonly FetchedHeader[]): Promise<Piece> {
    const headers = left.length > 0 ? left : await this.headers(after.number + 1, MAX_HEADERS)
    const [first] = headers
    if (first === undefined) return { blocks: [], end: after, left: [] }
    if (first.header.parentHash !== after.hash) throw slow(`its chain changed at block ${first.header.number}`)
    const now = headers.slice(0, MAX_BODIES)
    const bodies = await this.#bodies(now.map(({ hash }) => hash))
    const blocks = now.slice(0, bodies.length).map(({ rlp }, index): RawBlock => ({ header: rlp, body: bodies[index] ?? new Uint8Array(0) }))
    const last = now[bodies.length - 1] ?? first
    return { blocks, end: { number: last.header.number, hash: last.hash }, left: headers.slice(bodies.length) }
  }

  /** One at least, and without a gap: what is missing is asked for once more with the next piece. */
  async #bodies(hashes: readonly Hash[]): Promise<readonly Uint8Array[]> {
    const bodies = await this.#questions.bodies(this.#source, hashes)
    const gap = bodies.indexOf(null)
    const whole = (gap < 0 ? bodies : bodies.slice(0, gap)).filter((body) => body !== null)
    if (whole.length === 0) throw slow('it has a header but not its body')
    return whole
  }

  #fetched(rlp: Uint8Array): FetchedHeader {
    try {
      // The decoder takes one encoding only, so this is the block's hash.
      return { header: decodeHeader(rlp), hash: keccakHex(this.#keccak, rlp), rlp }
    } catch (thrown) {
      if (thrown instanceof MeshBoxError) throw lie(`not a header: ${thrown.message}`)
      throw thrown
    }
  }
}

interface Piece {
  readonly blocks: readonly RawBlock[]
  readonly end: Ancestor
  readonly left: readonly FetchedHeader[]
}
