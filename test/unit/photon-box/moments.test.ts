/** What is known of a chain that is out of view, by which clock. */
import { expect, it } from 'vitest'
import type { ChainPoint } from '../../../src/photon/index.ts'
import { ChainMoments, UNKNOWN_BLOCKS } from '../../../src/photon/box/chain-moments.ts'
import { FakeTime } from '../../support/fakes.ts'

const START_SECONDS = 1_700_000_000

function view(blockSeconds: number, time = new FakeTime(), disk = { text: null as string | null, writes: 0 }, isFrozen = false) {
  const state = { head: 300, isFrozen, isStopped: false }
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
    memory: {
      read: () => disk.text,
      write: (text) => {
        disk.text = text
        disk.writes++
      },
    },
    isStopped: () => state.isStopped,
  })
  const told: number[] = []
  moments.onChange(({ offlineBlocks = 0 }) => told.push(offlineBlocks))
  return { time, disk, state, moments, told, mine: () => (state.head++, listeners.forEach((tell) => tell())) }
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

it('counts on over a restart of the service, and over one that comes while the chain was in view', () => {
  const before = view(5)
  before.state.isFrozen = true
  before.time.advance(300_000)
  before.moments.stop()
  before.time.advance(100_000)
  const after = view(5, before.time, before.disk, true)
  expect(after.moments.now().offlineBlocks).toBe(80)
  after.time.advance(50_000)
  expect(after.moments.now().offlineBlocks).toBe(90)
  after.state.isFrozen = false
  after.mine()
  expect(after.moments.now().offlineBlocks).toBe(0)

  // Stopped in view and started out of view: what passed in between counts, and at most ten minutes too much.
  after.moments.stop()
  after.time.advance(200_000)
  const { offlineBlocks = 0 } = view(5, after.time, after.disk, true).moments.now()
  expect(offlineBlocks).toBeGreaterThanOrEqual(40)
  expect(offlineBlocks).toBeLessThanOrEqual(40 + 120)
})

it('after a reboot nobody knows how long it was: nothing is taken before the chain or a trusted clock says', () => {
  const before = view(5)
  before.time.reboot('99999999-2222-4333-8444-555555555555')
  const after = view(5, before.time, before.disk, true)
  expect(after.moments.now().offlineBlocks).toBe(UNKNOWN_BLOCKS)
  after.time.advance(60_000)
  expect(after.moments.now().offlineBlocks).toBe(UNKNOWN_BLOCKS)
  after.time.trusted = true
  after.time.jumpWall(940_000)
  after.time.advance(2_000)
  expect(after.moments.now().offlineBlocks).toBe(Math.ceil(1_002 / 5))
  after.time.trusted = false
  after.state.isFrozen = false
  after.mine()
  expect(after.moments.now().offlineBlocks).toBe(0)
  after.state.isFrozen = true
  after.time.advance(10_000)
  expect(after.moments.now().offlineBlocks).toBe(2)
})

it.each(['', 'nonsense', '11111111-2222-4333-8444-555555555555', '11111111-2222-4333-8444-555555555555 NaN', '11111111-2222-4333-8444-555555555555 9e99'])('takes a note like %j for none', (text) => {
  expect(view(5, new FakeTime(), { text, writes: 0 }, true).moments.now().offlineBlocks).toBe(UNKNOWN_BLOCKS)
})

it('writes seldom: flash is not for seconds', () => {
  const { time, disk, state } = view(5)
  time.advance(3_600_000)
  expect(disk.writes).toBeLessThanOrEqual(8)
  const inView = disk.writes
  state.isFrozen = true
  time.advance(3_600_000)
  expect(disk.writes).toBe(inView + 1)
})
