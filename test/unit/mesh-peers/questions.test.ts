/** Questions and answers on one lane: bounded in both directions, and nobody waits for ever. */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import { MAX_ANSWERING, MAX_OPEN_QUESTIONS, QUESTION_HEAD_BYTES, Questions } from '../../../src/mesh/peers/questions.ts'
import type { BoxId, PeerLane } from '../../../src/mesh/ports.ts'
import { FakeTime } from '../../support/fakes.ts'

const [A, B]: [BoxId, BoxId] = ['0x0a', '0x0b']
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class TestLane implements PeerLane {
  readonly penalties: number[] = []
  readonly sent: Uint8Array[] = []
  isClosed = false
  other: { readonly lane: TestLane; readonly as: BoxId } | null = null
  readonly #frames: ((from: BoxId, frame: Uint8Array) => void)[] = []
  readonly #closes: ((peer: BoxId) => void)[] = []

  send(_to: BoxId, frame: Uint8Array): boolean {
    if (this.isClosed) return false
    this.sent.push(frame)
    const { other } = this
    if (other !== null) queueMicrotask(() => other.lane.arrive(other.as, frame))
    return true
  }
  onFrame(listener: (from: BoxId, frame: Uint8Array) => void): () => void {
    this.#frames.push(listener)
    return () => undefined
  }
  onOpen(): () => void {
    return () => undefined
  }
  onClose(listener: (peer: BoxId) => void): () => void {
    this.#closes.push(listener)
    return () => undefined
  }
  penalise(_peer: BoxId, points: number): void {
    this.penalties.push(points)
  }
  arrive(from: BoxId, frame: Uint8Array): void {
    for (const listener of this.#frames) listener(from, frame)
  }
  close(peer: BoxId): void {
    this.isClosed = true
    for (const listener of this.#closes) listener(peer)
  }
}

let time: FakeTime
let lanes: [TestLane, TestLane]
let pending: ((answer: Uint8Array | null) => void)[]
let asking: Questions
let answering: Questions

beforeEach(() => {
  time = new FakeTime()
  lanes = [new TestLane(), new TestLane()]
  lanes[0].other = { lane: lanes[1], as: A }
  lanes[1].other = { lane: lanes[0], as: B }
  pending = []
  const tools = { timers: time, log: silentLog, maxFrameBytes: 100 }
  asking = new Questions(lanes[0], async () => null, tools)
  answering = new Questions(lanes[1], (_from, question) => (question[0] === 0xff ? Promise.reject(new Error('it broke')) : new Promise((resolve) => pending.push(resolve))), tools)
})

const codeOf = async (asked: Promise<Uint8Array>): Promise<string> => asked.then(() => 'answered', (thrown: unknown) => (thrown instanceof MeshBoxError ? thrown.code : 'another error'))

describe('a question', () => {
  it('gets its own answer, in whatever order they come', async () => {
    const asked = [1, 2, 3].map((n) => asking.ask(B, Uint8Array.of(n), 1000))
    await turn()
    for (const [index, answer] of [...pending].entries()) if (index !== 1) answer(Uint8Array.of(10 + index))
    pending[1]?.(Uint8Array.of(11))
    expect((await Promise.all(asked)).map((answer) => answer[0])).toEqual([10, 11, 12])
    expect([asking.outstanding(), answering.outstanding(), time.pendingTimers]).toEqual([{ asked: 0, answering: 0 }, { asked: 0, answering: 0 }, 0])
  })

  it('ends with a reason: no answer, an error there, silence, a peer that goes, one that is not there', async () => {
    const declined = codeOf(asking.ask(B, Uint8Array.of(1), 1000))
    await turn()
    pending[0]?.(null)
    expect(await declined).toBe('peer-declined')
    expect(await codeOf(asking.ask(B, Uint8Array.of(0xff), 1000))).toBe('peer-declined')
    const silent = codeOf(asking.ask(B, Uint8Array.of(1), 1000))
    time.advance(1000)
    expect(await silent).toBe('peer-silent')
    await turn()
    pending[1]?.(Uint8Array.of(1)) // too late: nobody is penalised for it
    await turn()
    expect(lanes[0].penalties).toEqual([])
    const gone = codeOf(asking.ask(B, Uint8Array.of(1), 1000))
    lanes[0].close(B)
    expect(await gone).toBe('peer-gone')
    expect(await codeOf(asking.ask(B, Uint8Array.of(1), 1000))).toBe('peer-gone')
    expect(asking.outstanding().asked).toBe(0)
    expect(time.pendingTimers).toBe(0)
  })

  it('too many are not asked; who asks more all the same is told so and penalised', async () => {
    const asked = Array.from({ length: MAX_OPEN_QUESTIONS }, () => codeOf(asking.ask(B, Uint8Array.of(1), 1000)))
    expect(await codeOf(asking.ask(B, Uint8Array.of(1), 1000))).toBe('peer-busy')
    await turn()
    expect(answering.outstanding().answering).toBe(MAX_OPEN_QUESTIONS)
    expect(lanes[1].penalties).toEqual([])
    for (let i = 0; i < 50; i++) lanes[1].arrive(A, Uint8Array.of(0, 9, 9, 9, i, 1))
    expect(answering.outstanding().answering).toBe(MAX_OPEN_QUESTIONS)
    expect(lanes[1].penalties).toHaveLength(50)
    time.advance(1000)
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['peer-silent']))
  })

  it('of all peers together are bounded, without anybody’s fault', () => {
    lanes[1].other = null
    for (let peer = 0; peer < 2 * (MAX_ANSWERING / MAX_OPEN_QUESTIONS); peer++) for (let i = 0; i < MAX_OPEN_QUESTIONS; i++) lanes[1].arrive(`0x${peer.toString(16).padStart(2, '0')}`, Uint8Array.of(0, 0, 0, 0, i, 1))
    expect(answering.outstanding().answering).toBe(MAX_ANSWERING)
    expect(lanes[1].penalties).toEqual([])
    expect(lanes[1].sent.filter((frame) => frame[0] === 3)).toHaveLength(MAX_ANSWERING)
  })

  it('is not answered with more than a frame holds', async () => {
    const asked = codeOf(asking.ask(B, Uint8Array.of(1), 1000))
    await turn()
    pending[0]?.(new Uint8Array(101 - QUESTION_HEAD_BYTES))
    expect(await asked).toBe('peer-declined')
  })

  it('of any bytes at all is handled or penalised, and forged answers settle nothing', async () => {
    const asked = codeOf(asking.ask(B, Uint8Array.of(1), 1000))
    await turn()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const before = lanes[1].penalties.length
        lanes[1].arrive('0x0c', bytes)
        const isForm = bytes.length >= QUESTION_HEAD_BYTES && (bytes[0] ?? 9) <= 3
        if (!isForm) expect(lanes[1].penalties.length).toBe(before + 1)
      }),
    )
    lanes[0].arrive('0x0c', Uint8Array.of(1, 0, 0, 0, 1, 5)) // somebody else's answer
    expect(asking.outstanding().asked).toBe(1)
    time.advance(1000)
    expect(await asked).toBe('peer-silent')
  })
})
