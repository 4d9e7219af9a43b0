/**
 * Which frames go together: those that are there now, a fair share of each peer's, in each peer's order, and no more than
 * one turn of the loop bears. Pure; who fills it holds a peer back when told to.
 */
import type { Address } from '../../base/index.ts'

/** About 25 ms of work on the slowest board. */
export const MAX_GROUP = 128
/** More of one peer than this stay in the network. */
export const MAX_WAITING_FRAMES = 4 * MAX_GROUP
const RESUME_BELOW = MAX_GROUP

export interface InboundFrame {
  readonly from: Address
  readonly frame: Uint8Array
}

interface Queue {
  readonly frames: Uint8Array[]
  /** Index of the first frame not yet taken. */
  head: number
  isHeld: boolean
}

export class Inbox {
  /** In the order of service; a peer that was served moves to the end. */
  readonly #queues = new Map<Address, Queue>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** `hold`: the peer is to be held back from now on. Frames that come nevertheless (`dropped`) are not kept. */
  add(from: Address, frame: Uint8Array): 'kept' | 'hold' | 'dropped' {
    let queue = this.#queues.get(from)
    if (queue === undefined) this.#queues.set(from, (queue = { frames: [], head: 0, isHeld: false }))
    const waiting = queue.frames.length - queue.head
    // What was read before the peer was held back may be as much again.
    if (waiting >= 2 * MAX_WAITING_FRAMES) return 'dropped'
    queue.frames.push(frame)
    this.#size++
    if (queue.isHeld || waiting + 1 < MAX_WAITING_FRAMES) return 'kept'
    queue.isHeld = true
    return 'hold'
  }

  /** The next group, and the peers that may go on. */
  take(most = MAX_GROUP): { readonly frames: readonly InboundFrame[]; readonly resumed: readonly Address[] } {
    const frames: InboundFrame[] = []
    const resumed: Address[] = []
    while (frames.length < most && this.#size > 0) {
      const share = Math.max(1, Math.floor((most - frames.length) / this.#queues.size))
      for (const [from, queue] of [...this.#queues]) {
        const end = Math.min(queue.head + share, queue.head + most - frames.length, queue.frames.length)
        for (; queue.head < end; queue.head++) {
          const frame = queue.frames[queue.head]
          if (frame !== undefined) frames.push({ from, frame })
          this.#size--
        }
        this.#afterTaking(from, queue, resumed)
        if (frames.length >= most) break
      }
    }
    return { frames, resumed }
  }

  /** The peer is gone: what it said and was not yet heard comes again when it is back. */
  forget(peer: Address): void {
    const queue = this.#queues.get(peer)
    if (queue === undefined) return
    this.#size -= queue.frames.length - queue.head
    this.#queues.delete(peer)
  }

  #afterTaking(from: Address, queue: Queue, resumed: Address[]): void {
    const waiting = queue.frames.length - queue.head
    if (queue.isHeld && waiting < RESUME_BELOW) {
      queue.isHeld = false
      resumed.push(from)
    }
    this.#queues.delete(from)
    if (waiting === 0) return
    if (queue.head >= MAX_GROUP) {
      queue.frames.splice(0, queue.head)
      queue.head = 0
    }
    this.#queues.set(from, queue)
  }
}
