/** The wall clock is believed when two sources agree with it, and not before. */
import { describe, expect, it } from 'vitest'
import { TRUST_TOLERANCE_MS, TimeTrust, momentOf } from '../../../src/base/index.ts'
import { FakeTime } from '../../support/fakes.ts'

const WALL = 1_790_000_000_000
const BOOT = 60_000

describe('TimeTrust', () => {
  it('needs two sources that say the same as the system', () => {
    const trust = new TimeTrust()
    expect(trust.agrees(WALL, BOOT)).toBe(false)
    trust.observe('ntp', WALL, BOOT)
    expect(trust.agrees(WALL, BOOT)).toBe(false)
    trust.observe('browser', WALL + TRUST_TOLERANCE_MS, BOOT)
    expect(trust.agrees(WALL, BOOT)).toBe(true)
  })

  it('counts a source once, with its newest word', () => {
    const trust = new TimeTrust()
    for (let i = 0; i < 5; i++) trust.observe('browser', WALL, BOOT)
    expect(trust.agrees(WALL, BOOT)).toBe(false)
    trust.observe('ntp', WALL, BOOT)
    trust.observe('browser', WALL - 10 * TRUST_TOLERANCE_MS, BOOT)
    expect(trust.agrees(WALL, BOOT)).toBe(false)
  })

  it('does not believe two sources that differ from the system, even when they agree with each other', () => {
    const trust = new TimeTrust()
    trust.observe('ntp', WALL, BOOT)
    trust.observe('browser', WALL, BOOT)
    expect(trust.agrees(WALL + TRUST_TOLERANCE_MS + 1, BOOT)).toBe(false)
    expect(trust.agrees(WALL - TRUST_TOLERANCE_MS - 1, BOOT)).toBe(false)
  })

  it('loses its trust when the wall clock jumps, and keeps it while both clocks run on', () => {
    const trust = new TimeTrust()
    trust.observe('ntp', WALL, BOOT)
    trust.observe('browser', WALL, BOOT)
    const day = 86_400_000
    expect(trust.agrees(WALL + day, BOOT + day)).toBe(true)
    expect(trust.agrees(WALL + day, BOOT)).toBe(false)
    expect(trust.agrees(WALL - 10 * 365 * day, BOOT)).toBe(false)
  })

  it('forgets on request, ignores what is no time, and keeps a bounded number', () => {
    const trust = new TimeTrust()
    trust.observe('ntp', WALL, BOOT)
    trust.observe('browser', WALL, BOOT)
    trust.forget('ntp')
    expect(trust.agrees(WALL, BOOT)).toBe(false)
    trust.observe('ntp', Number.NaN, BOOT)
    expect(trust.sources()).toEqual(['browser'])
    for (let i = 0; i < 40; i++) trust.observe(`peer-${i}`, WALL, BOOT)
    expect(trust.sources()).toHaveLength(16)
    expect(trust.sources()).toContain('peer-39')
  })
})

it('a moment has both clocks and says whether the wall may be believed', () => {
  const time = new FakeTime()
  time.trusted = true
  expect(momentOf(time)).toEqual({ bootId: time.bootId, boottimeMs: time.boottimeMs(), wallMs: time.wallMs(), wallTrusted: true })
})
