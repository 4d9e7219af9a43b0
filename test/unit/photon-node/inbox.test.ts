import { describe, expect, test } from 'vitest'
import type { Address } from '../../../src/base/index.ts'
import { Inbox, MAX_GROUP, MAX_WAITING_FRAMES } from '../../../src/photon/node/inbox.ts'

const peer = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const frame = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 255)
const number = (bytes: Uint8Array): number => ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)

describe('which frames go together', () => {
  test('one peer alone may fill a group, in its order', () => {
    const inbox = new Inbox()
    for (let i = 0; i < 200; i++) inbox.add(peer(1), frame(i))
    expect(inbox.take().frames.map(({ frame: bytes }) => number(bytes))).toEqual(Array.from({ length: MAX_GROUP }, (_, i) => i))
    expect(inbox.take().frames.map(({ frame: bytes }) => number(bytes))).toEqual(Array.from({ length: 200 - MAX_GROUP }, (_, i) => MAX_GROUP + i))
    expect(inbox.size).toBe(0)
    expect(inbox.take().frames).toEqual([])
  })

  test('a peer that floods leaves the others their share of each group', () => {
    const inbox = new Inbox()
    for (let i = 0; i < 500; i++) inbox.add(peer(1), frame(i))
    for (let i = 0; i < 10; i++) inbox.add(peer(2), frame(i))
    const first = inbox.take().frames
    expect(first.filter(({ from }) => from === peer(2))).toHaveLength(10)
    expect(first).toHaveLength(MAX_GROUP)
  })

  test('more peers than a group has places: all are served within two groups', () => {
    const inbox = new Inbox()
    for (let p = 0; p < 200; p++) for (let i = 0; i < 3; i++) inbox.add(peer(p), frame(i))
    const seen = new Set([...inbox.take().frames, ...inbox.take().frames].map(({ from }) => from))
    expect(seen.size).toBe(200)
  })

  test('a peer is held back at its bound, told so once, let go when there is room; what still comes is dropped at twice the bound', () => {
    const inbox = new Inbox()
    const answers = Array.from({ length: 2 * MAX_WAITING_FRAMES + 5 }, (_, i) => inbox.add(peer(1), frame(i)))
    expect(answers.filter((answer) => answer === 'hold')).toHaveLength(1)
    expect(answers[MAX_WAITING_FRAMES - 1]).toBe('hold')
    expect(answers.slice(-5)).toEqual(Array.from({ length: 5 }, () => 'dropped'))
    const resumed: Address[] = []
    let groups = 0
    for (; inbox.size > 0; groups++) resumed.push(...inbox.take().resumed)
    expect(resumed).toEqual([peer(1)])
    expect(groups).toBe((2 * MAX_WAITING_FRAMES) / MAX_GROUP)
  })

  test('a forgotten peer leaves nothing behind', () => {
    const inbox = new Inbox()
    for (let i = 0; i < 150; i++) inbox.add(peer(1), frame(i))
    inbox.add(peer(2), frame(7))
    inbox.take(10)
    inbox.forget(peer(1))
    expect(inbox.take().frames.map(({ from }) => from).every((from) => from === peer(2))).toBe(true)
    expect(inbox.size).toBe(0)
  })
})
