/** Spectrum's port for neighbours over questions and a lane: replies, news, giving up, going away, coming again. */
import { beforeEach, expect, it } from 'vitest'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import { MeshChain } from '../../../src/main/mesh-chain.ts'
import type { BoxId, PeerSide } from '../../../src/mesh/index.ts'
import type { MeshChainTransport } from '../../../src/spectrum/index.ts'
import { FakeTime } from '../../support/fakes.ts'

const id = (byte: number): BoxId => hexOf(new Uint8Array(20).fill(byte))

/** One end: what the peers' node gives, wired to the other end. */
class End {
  readonly self: BoxId
  readonly time = new FakeTime()
  readonly opened: MeshChainTransport[] = []
  readonly closed: string[] = []
  readonly news: string[] = []
  readonly strangers = new Set<BoxId>()
  isSource = true
  isSilent = false
  other: End | null = null
  answer: (from: BoxId, question: Uint8Array) => Promise<Uint8Array | null> = async () => null
  frame: (from: BoxId, frame: Uint8Array) => void = () => undefined
  opens: (peer: BoxId, side: PeerSide) => void = () => undefined
  closes: (peer: BoxId) => void = () => undefined
  readonly chain: MeshChain

  constructor(self: BoxId) {
    this.self = self
    this.chain = new MeshChain(
      {
        openQuestions: (_protocol, answer) => {
          this.answer = answer
          return {
            ask: async (_to, question) => {
              if (this.isSilent) return new Promise(() => undefined)
              const answered = await this.other?.answer(this.self, question)
              if (answered == null) throw new Error('no answer')
              return answered
            },
            onOpen: (listener) => ((this.opens = listener), () => undefined),
            onClose: (listener) => ((this.closes = listener), () => undefined),
          }
        },
        open: () => ({
          send: (_to, frame) => (this.other?.frame(this.self, frame), this.other !== null),
          onFrame: (listener) => ((this.frame = listener), () => undefined),
          onOpen: () => () => undefined,
          onClose: () => () => undefined,
          penalise: () => undefined,
        }),
      },
      { open: (transport) => this.#open(transport), isWelcome: (box) => !this.strangers.has(box), timers: this.time, log: silentLog },
    )
  }

  async #open(transport: MeshChainTransport): Promise<boolean> {
    this.opened.push(transport)
    transport.serve({
      onRequest: async (frame) => Uint8Array.from([...frame, 99]),
      onAnnouncement: (frame) => void this.news.push(hexOf(frame)),
      onClosed: (reason) => void this.closed.push(reason),
    })
    if (!this.isSource) transport.close('another chain')
    return this.isSource
  }
}

let a: End
let b: End
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
beforeEach(async () => {
  ;[a, b] = [new End(id(1)), new End(id(2))]
  ;[a.other, b.other] = [b, a]
  a.opens(b.self, 'mesh')
  b.opens(a.self, 'mesh')
  await settled()
})

it('carries questions, replies and news of one neighbour', async () => {
  const [link] = a.opened
  expect(link?.neighbour).toBe(b.self)
  expect(await link?.request(Uint8Array.of(3, 1), 100, new AbortController().signal)).toEqual(Uint8Array.of(3, 1, 99))
  expect([link?.announce(Uint8Array.of(7)), b.news]).toEqual([true, ['0x07']])
})

it('asks others only for boxes of the community that are on the mesh', async () => {
  const [link] = a.opened
  expect(link?.mayAskThrough()).toBe(true)
  a.strangers.add(b.self)
  expect(link?.mayAskThrough()).toBe(false)
  a.strangers.clear()
  a.closes(b.self)
  expect(link?.mayAskThrough()).toBe(false)
  a.opens(b.self, 'internet')
  await settled()
  expect(a.opened.at(-1)?.mayAskThrough()).toBe(false)
})

it('refuses a reply that is longer than was asked for, and lets who gives up go', async () => {
  const [link] = a.opened
  await expect(link?.request(Uint8Array.of(3, 1), 2, new AbortController().signal)).rejects.toMatchObject({ kind: 'input' })
  a.isSilent = true
  const giveUp = new AbortController()
  const asked = link?.request(Uint8Array.of(3), 100, giveUp.signal)
  giveUp.abort()
  await expect(asked).rejects.toMatchObject({ code: 'neighbour-gone' })
})

it('ends with the connection, once, and begins anew with the next', async () => {
  a.closes(b.self)
  a.closes(b.self)
  expect(a.closed).toEqual(['the neighbour has gone'])
  const [link] = a.opened
  await expect(link?.request(Uint8Array.of(3), 100, new AbortController().signal)).rejects.toMatchObject({ code: 'neighbour-gone' })
  expect([link?.announce(Uint8Array.of(7)), await a.answer(b.self, Uint8Array.of(1))]).toEqual([false, null])
  a.opens(b.self, 'mesh')
  await settled()
  expect(a.opened).toHaveLength(2)
  expect(await a.answer(b.self, Uint8Array.of(1))).toEqual(Uint8Array.of(1, 99))
})

it('asks again who was no source, while it is connected', async () => {
  a.isSource = false
  a.closes(b.self)
  a.opens(b.self, 'mesh')
  await settled()
  const before = a.opened.length
  a.isSource = true
  a.time.advance(30_000)
  await settled()
  expect(a.opened).toHaveLength(before + 1)
  a.time.advance(300_000)
  await settled()
  expect(a.opened).toHaveLength(before + 1)
  a.chain.stop()
  expect(a.closed.at(-1)).toBe('we stop')
})
