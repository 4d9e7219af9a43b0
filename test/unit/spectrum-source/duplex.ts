/** Two neighbours of the mesh without a mesh: what is asked at one end is answered at the other. */
import type { MeshChainTransport, MeshHandlers } from '../../../src/spectrum/source/index.ts'

/** One end of a duplex: what is asked here is answered there. */
export class Pipe implements MeshChainTransport {
  readonly neighbour: string
  isWelcome = true
  other: Pipe | null = null
  handlers: MeshHandlers | null = null
  isClosed = false
  #serving: () => void = () => undefined
  readonly isServing = new Promise<void>((resolve) => (this.#serving = resolve))
  /** A test may answer by itself. */
  forge: ((frame: Uint8Array) => Promise<Uint8Array>) | null = null

  constructor(neighbour: string) {
    this.neighbour = neighbour
  }

  mayAskThrough(): boolean {
    return this.isWelcome
  }
  async request(frame: Uint8Array, maxReplyBytes: number): Promise<Uint8Array> {
    if (this.forge === null) await this.other?.isServing
    const reply = await (this.forge?.(frame) ?? this.other?.handlers?.onRequest(frame))
    if (reply === undefined || reply.length > maxReplyBytes) throw new Error('no answer')
    return reply
  }
  announce(frame: Uint8Array): boolean {
    this.other?.handlers?.onAnnouncement(frame)
    return true
  }
  serve(handlers: MeshHandlers): void {
    this.handlers = handlers
    this.#serving()
  }
  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    if (this.other?.isClosed === false) this.other.isClosed = true
    this.other?.handlers?.onClosed(reason)
    this.handlers?.onClosed(reason)
  }
}

export function duplex(): [Pipe, Pipe] {
  const [a, b] = [new Pipe('neighbour-b'), new Pipe('neighbour-a')]
  a.other = b
  b.other = a
  return [a, b]
}
