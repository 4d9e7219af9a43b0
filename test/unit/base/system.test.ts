/** The machine's own clock and timers, where they differ from what Node gives. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SystemClock, systemRandomness, systemTimers } from '../../../src/base/io/system.ts'

describe('systemTimers', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const MONTH = 30 * 86_400_000 // longer than a Node timer can be

  it('fire after a month, not at once and not after 24 days', () => {
    const run = vi.fn()
    systemTimers.after(MONTH, run)
    vi.advanceTimersByTime(MONTH - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('can be cancelled, also in the second half of a long wait', () => {
    const run = vi.fn()
    const cancel = systemTimers.after(MONTH, run)
    vi.advanceTimersByTime(MONTH - 1000)
    cancel()
    vi.advanceTimersByTime(MONTH)
    expect(run).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('take a delay in the past for now, and repeat', () => {
    const [once, often] = [vi.fn(), vi.fn()]
    systemTimers.after(-5, once)
    const cancel = systemTimers.every(1000, often)
    vi.advanceTimersByTime(3500)
    cancel()
    vi.advanceTimersByTime(3500)
    expect(once).toHaveBeenCalledTimes(1)
    expect(often).toHaveBeenCalledTimes(3)
  })
})

describe('SystemClock', () => {
  it('never runs backwards and knows its boot', () => {
    const clock = new SystemClock()
    expect(clock.bootId).toMatch(/^[0-9a-f-]{36}$/)
    let before = clock.boottimeMs()
    for (let i = 0; i < 1000; i++) {
      const now = clock.boottimeMs()
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
  })

  it('believes the wall clock as it was told to', () => {
    expect(new SystemClock('always').isWallTrusted()).toBe(true)
    expect(new SystemClock('never').isWallTrusted()).toBe(false)
    const clock = new SystemClock('auto')
    clock.trust.observe('browser', clock.wallMs(), clock.boottimeMs())
    clock.trust.observe('peer', clock.wallMs(), clock.boottimeMs())
    expect(clock.isWallTrusted()).toBe(true)
    clock.trust.observe('peer', clock.wallMs() + 3_600_000, clock.boottimeMs())
    clock.trust.forget('browser')
    expect(clock.isWallTrusted()).toBe(false)
  })
})

it('randomness has the asked length and does not repeat', () => {
  expect(systemRandomness.bytes(32)).toHaveLength(32)
  expect(systemRandomness.bytes(32)).not.toEqual(systemRandomness.bytes(32))
})
