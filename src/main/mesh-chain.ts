/**
 * Blocks between the boxes of a mesh: spectrum's port for neighbours (MeshChainTransport), served by the peers' questions and a
 * lane for what is said unasked. A box whose chain is not up yet, or is another, gives no answer; it is asked again while it is connected.
 */
import { MeshBoxError, asError, inputError, type Address, type Cancel, type Log, type Timers } from '../base/index.ts'
import type { PeerLane, PeerNode, PeerProtocol, PeerQuestions, PeerSide } from '../mesh/index.ts'
import type { MeshChainTransport, MeshHandlers } from '../spectrum/index.ts'

const MIB = 1024 * 1024
/** The largest that the peers' node carries. Answers are kept below it by who answers (spectrum/source/answers.ts); a longer one is none. */
const MAX_FRAME_BYTES = MIB
const CHAIN_QUESTIONS: PeerProtocol = { name: '/meshbox/chain/1', maxFrameBytes: MAX_FRAME_BYTES, maxQueuedBytes: MAX_FRAME_BYTES + 64 * 1024, maxFramesPerSecond: 64, maxBytesPerSecond: 4 * MIB, sides: ['mesh', 'internet'] }
const CHAIN_NEWS: PeerProtocol = { name: '/meshbox/chain-news/1', maxFrameBytes: MAX_FRAME_BYTES, maxQueuedBytes: MAX_FRAME_BYTES + 64 * 1024, maxFramesPerSecond: 64, maxBytesPerSecond: 4 * MIB, sides: ['mesh', 'internet'] }
/** Longer than the chain's own patience, which gives up before. */
const ANSWER_MS = 60_000
const AGAIN_MS = 30_000

/** Makes a source of a neighbour. False: another chain, no room, or no answer; the transport is closed then. */
export type OpenNeighbour = (transport: MeshChainTransport) => Promise<boolean>

export class MeshChain {
  readonly #questions: PeerQuestions
  readonly #news: PeerLane
  readonly #links = new Map<Address, NeighbourLink>()
  readonly #connected = new Map<Address, PeerSide>()
  readonly #open: OpenNeighbour
  readonly #isWelcome: (box: Address) => boolean
  readonly #timers: Timers
  readonly #log: Log
  readonly #cancels: Cancel[]

  /** Before the node starts. `isWelcome`: of the community. */
  constructor(node: Pick<PeerNode, 'open' | 'openQuestions'>, parts: { readonly open: OpenNeighbour; readonly isWelcome: (box: Address) => boolean; readonly timers: Timers; readonly log: Log }) {
    this.#open = parts.open
    this.#isWelcome = parts.isWelcome
    this.#timers = parts.timers
    this.#log = parts.log
    this.#questions = node.openQuestions(CHAIN_QUESTIONS, async (from, question) => (await this.#links.get(from)?.answer(question)) ?? null)
    this.#news = node.open(CHAIN_NEWS)
    this.#cancels = [
      this.#questions.onOpen((peer, side) => {
        this.#connected.set(peer, side)
        void this.#begin(peer)
      }),
      this.#questions.onClose((peer) => {
        this.#connected.delete(peer)
        this.#links.get(peer)?.end('the neighbour has gone')
      }),
      this.#news.onFrame((from, frame) => this.#links.get(from)?.hear(frame)),
      this.#timers.every(AGAIN_MS, () => {
        for (const peer of this.#connected.keys()) void this.#begin(peer)
      }),
    ]
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel()
    for (const link of this.#links.values()) link.end('we stop')
  }

  async #begin(peer: Address): Promise<void> {
    if (this.#links.has(peer)) return
    const link = new NeighbourLink({
      peer,
      questions: this.#questions,
      news: this.#news,
      // Who comes from the Internet has a way out of its own.
      mayAskThrough: () => this.#connected.get(peer) === 'mesh' && this.#isWelcome(peer),
      onEnd: () => {
        if (this.#links.get(peer) === link) this.#links.delete(peer)
      },
    })
    this.#links.set(peer, link)
    try {
      if (!(await this.#open(link))) this.#log.debug('a neighbour is no source of blocks now', { peer })
    } catch (thrown) {
      link.end('it could not be opened')
      this.#log.warn('a neighbour could not be asked for blocks', { peer, error: asError(thrown) })
    }
  }
}

interface LinkParts {
  readonly peer: Address
  readonly questions: PeerQuestions
  readonly news: PeerLane
  readonly mayAskThrough: () => boolean
  readonly onEnd: () => void
}

class NeighbourLink implements MeshChainTransport {
  readonly neighbour: Address
  readonly #parts: LinkParts
  #handlers: MeshHandlers | null = null
  #isOver = false

  constructor(parts: LinkParts) {
    this.neighbour = parts.peer
    this.#parts = parts
  }

  mayAskThrough(): boolean {
    return this.#parts.mayAskThrough()
  }

  async request(frame: Uint8Array, maxReplyBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#isOver || signal.aborted) throw gone(this.neighbour)
    const given = new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(gone(this.neighbour)), { once: true }))
    const reply = await Promise.race([this.#parts.questions.ask(this.neighbour, frame, ANSWER_MS), given])
    if (reply.length > maxReplyBytes) throw inputError('reply', `${reply.length} bytes`, `at most ${maxReplyBytes} bytes`)
    return reply
  }

  announce(frame: Uint8Array): boolean {
    return !this.#isOver && this.#parts.news.send(this.neighbour, frame)
  }

  serve(handlers: MeshHandlers): void {
    this.#handlers = handlers
  }

  close(): void {
    this.end('closed')
  }

  /** Null: nobody serves here. */
  async answer(question: Uint8Array): Promise<Uint8Array | null> {
    return this.#isOver || this.#handlers === null ? null : this.#handlers.onRequest(question)
  }

  hear(frame: Uint8Array): void {
    if (!this.#isOver) this.#handlers?.onAnnouncement(frame)
  }

  /** Once. */
  end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.onEnd()
    this.#handlers?.onClosed(reason)
  }
}

function gone(neighbour: Address): MeshBoxError {
  return new MeshBoxError('unavailable', `${neighbour} is asked no more`, { code: 'neighbour-gone' })
}
