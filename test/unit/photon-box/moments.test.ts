/** What is known of a chain that is out of view, by which clock. */
import { expect, it } from 'vitest'
import type { ChainPoint } from '../../../src/photon/index.ts'
import { ChainMoments } from '../../../src/photon/box/chain-moments.ts'
import { FakeTime } from '../../support/fakes.ts'

const START_SECONDS = 1_700_000_000

function view(blockSeconds: number) {
  const time = new FakeTime()
  const state = { head: 300, isFrozen: false, isStopped: false }
  const pointOf = (number: number): ChainPoint => ({ number, hash: `0x${number.toString(16).padStart(64, '0')}`, timeSeconds: START_SECONDS + (number - 300) * blockSeconds })
  const listeners = new Set<() => void>()
  const moments = new ChainMoments({
    chain: {
      head: () => pointOf(state.head),
      at: (number) => (number < 0 || number > state.head ? null : pointOf(number)),
      isFrozen: () => state.isFrozen,
      onHead: (listener) => {
        const tell = (): void => listener(pointOf(state.head), null)
        listeners.add(tell)
        return () => listeners.delete(tell)
      },
    },
    clock: time,
    timers: time,
    isStopped: () => state.isStopped,
  })
  const told: number[] = []
  moments.onChange(({ offlineBlocks = 0 }) => told.push(offlineBlocks))
  return { time, state, moments, told, mine: () => (state.head++, listeners.forEach((tell) => tell())) }
}

it('counts the blocks that a chain out of view has probably made, as fast as it made them before', () => {
  const { time, state, moments, told, mine } = view(5)
  mine()
  expect(moments.now()).toEqual({ block: 301, isFrozen: false, offlineBlocks: 0 })
  state.isFrozen = true
  time.advance(60_000)
  expect(moments.now()).toMatchObject({ block: 301, isFrozen: true, offlineBlocks: 12 })
  time.advance(600_000)
  expect(moments.now().offlineBlocks).toBe(132)
  expect(told).toEqual([...told].sort((a, b) => a - b))
  state.isFrozen = false
  mine()
  expect(moments.now()).toEqual({ block: 302, isFrozen: false, offlineBlocks: 0 })
})

it('believes a trusted wall clock that knows of a longer time, and no untrusted one', () => {
  const { time, state, moments } = view(5)
  time.jumpWall(500_000)
  state.isFrozen = true
  time.advance(10_000)
  expect(moments.now().offlineBlocks).toBe(2)
  time.trusted = true
  time.advance(2_000)
  expect(moments.now().offlineBlocks).toBe(Math.ceil(512 / 5))
})

it('stands still where what was told of the chain is not so any more', () => {
  const { state, moments, time } = view(5)
  state.isStopped = true
  time.advance(2_000)
  expect(moments.now().isFrozen).toBe(true)
  moments.stop()
  state.isStopped = false
  time.advance(20_000)
  expect(moments.now().isFrozen).toBe(true)
})
