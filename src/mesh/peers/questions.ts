/**
 * Questions and answers on one lane: byte 0 says what it is, bytes 1–4 which question (big-endian, chosen by who asks), the
 * rest is the protocol's.
 *
 * | byte 0 | meaning |
 * |---|---|
 * | 00 | question |
 * | 01 | answer |
 * | 02 | no answer: it cannot or will not |
 * | 03 | no answer now: too many questions wait |
 */
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Cancel, Log, Timers } from '../../base/index.ts'
import type { BoxId, PeerLane, PeerQuestions, PeerSide } from '../ports.ts'
import { noSuchPeer } from './lane.ts'

export const QUESTION_HEAD_BYTES = 5
/** At once, with one peer, in each direction. Who keeps to it is never told `busy`. */
export const MAX_OPEN_QUESTIONS = 16
/** At once, of all peers together, that this box is answering. */
export const MAX_ANSWERING = 128
const MALFORMED_POINTS = 20
const FLOOD_POINTS = 2
const [QUESTION, ANSWER, NONE, BUSY] = [0, 1, 2, 3]

type Answerer = (from: BoxId, question: Uint8Array) => Promise<Uint8Array | null>

interface Open {
  readonly resolve: (answer: Uint8Array) => void
  readonly reject: (error: Error) => void
  readonly cancel: Cancel
}

export interface QuestionTools {
  readonly timers: Timers
  readonly log: Log
  readonly maxFrameBytes: number
}

export class Questions implements PeerQuestions {
  readonly #lane: PeerLane
  readonly #answer: Answerer
  readonly #tools: QuestionTools
  readonly #open = new Map<BoxId, Map<number, Open>>()
  readonly #answering = new Map<BoxId, number>()
  #answeringAll = 0
  #next = 0

  constructor(lane: PeerLane, answer: Answerer, tools: QuestionTools) {
    this.#lane = lane
    this.#answer = answer
    this.#tools = tools
    lane.onFrame((from, frame) => this.#onFrame(from, frame))
    lane.onClose((peer) => this.#onClose(peer))
  }

  /** Errors: unavailable `peer-gone`, `peer-silent`, `peer-declined`; limit `peer-busy`; input for a question that is too long. */
  ask(to: BoxId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const open = this.#open.get(to) ?? new Map<number, Open>()
      if (open.size >= MAX_OPEN_QUESTIONS) throw new MeshBoxError('limit', `${MAX_OPEN_QUESTIONS} questions to ${to} wait for an answer`, { code: 'peer-busy' })
      const id = this.#freeId(open)
      if (!this.#lane.send(to, framed(QUESTION, id, question))) throw noSuchPeer(to)
      const cancel = this.#tools.timers.after(timeoutMs, () => this.#settle(to, id)?.reject(new MeshBoxError('unavailable', `${to} did not answer in ${timeoutMs} ms`, { code: 'peer-silent' })))
      open.set(id, { resolve, reject, cancel })
      this.#open.set(to, open)
    })
  }

  onOpen(listener: (peer: BoxId, side: PeerSide) => void): Cancel {
    return this.#lane.onOpen(listener)
  }

  onClose(listener: (peer: BoxId) => void): Cancel {
    return this.#lane.onClose(listener)
  }

  /** Of both directions. */
  outstanding(): { readonly asked: number; readonly answering: number } {
    let asked = 0
    for (const open of this.#open.values()) asked += open.size
    return { asked, answering: this.#answeringAll }
  }

  #freeId(open: ReadonlyMap<number, Open>): number {
    do this.#next = (this.#next + 1) >>> 0
    while (open.has(this.#next))
    return this.#next
  }

  #settle(peer: BoxId, id: number): Open | null {
    const open = this.#open.get(peer)
    const one = open?.get(id)
    if (open === undefined || one === undefined) return null
    open.delete(id)
    if (open.size === 0) this.#open.delete(peer)
    one.cancel()
    return one
  }

  #onFrame(from: BoxId, frame: Uint8Array): void {
    const kind = frame[0] ?? BUSY + 1
    if (frame.length < QUESTION_HEAD_BYTES || kind > BUSY) return this.#lane.penalise(from, MALFORMED_POINTS, 'neither a question nor an answer')
    const id = new DataView(frame.buffer, frame.byteOffset).getUint32(1)
    const body = frame.subarray(QUESTION_HEAD_BYTES)
    if (kind === QUESTION) return void this.#onQuestion(from, id, body)
    const asked = this.#settle(from, id)
    if (asked === null) return // it came too late
    if (kind === ANSWER) asked.resolve(body.slice())
    else if (kind === NONE) asked.reject(new MeshBoxError('unavailable', `${from} has no answer`, { code: 'peer-declined' }))
    else asked.reject(new MeshBoxError('limit', `${from} has too many questions`, { code: 'peer-busy', retryAfterSeconds: 1 }))
  }

  async #onQuestion(from: BoxId, id: number, question: Uint8Array): Promise<void> {
    const before = this.#answering.get(from) ?? 0
    if (before >= MAX_OPEN_QUESTIONS) {
      this.#lane.penalise(from, FLOOD_POINTS, `more than ${MAX_OPEN_QUESTIONS} questions at once`)
      this.#lane.send(from, framed(BUSY, id))
      return
    }
    if (this.#answeringAll >= MAX_ANSWERING) {
      this.#lane.send(from, framed(BUSY, id))
      return
    }
    this.#answering.set(from, before + 1)
    this.#answeringAll += 1
    let answer: Uint8Array | null = null
    try {
      answer = await this.#answer(from, question.slice())
    } catch (thrown) {
      this.#tools.log.debug('a question was not answered', { peer: from, error: asError(thrown) })
    } finally {
      this.#answeringAll -= 1
      const left = (this.#answering.get(from) ?? 1) - 1
      if (left > 0) this.#answering.set(from, left)
      else this.#answering.delete(from)
    }
    const isTooLong = answer !== null && answer.length + QUESTION_HEAD_BYTES > this.#tools.maxFrameBytes
    if (isTooLong) this.#tools.log.warn('an answer is longer than its protocol allows', { peer: from, bytes: answer?.length })
    // Not sent: the peer has gone or does not read, and finds out by its own clock.
    this.#lane.send(from, answer === null || isTooLong ? framed(NONE, id) : framed(ANSWER, id, answer))
  }

  #onClose(peer: BoxId): void {
    const open = this.#open.get(peer)
    this.#open.delete(peer)
    for (const one of open?.values() ?? []) {
      one.cancel()
      one.reject(noSuchPeer(peer))
    }
  }
}

function framed(kind: number, id: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const frame = new Uint8Array(QUESTION_HEAD_BYTES + body.length)
  frame[0] = kind
  new DataView(frame.buffer).setUint32(1, id)
  frame.set(body, QUESTION_HEAD_BYTES)
  return frame
}
