/** The machine's table: what each state answers to each input, and in which order effects come. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { NOTHING_READ, deadlineOf, grantsOf, needsRenewal, quotedSession, step } from '../../../src/hotspot/session/index.ts'
import type { Session, SessionInput, Terms } from '../../../src/hotspot/session/index.ts'

const LEASE_MS = 60_000
const MAC = '02:00:00:00:00:01'
const at = (boottimeMs: number) => ({ bootId: 'boot', boottimeMs, wallMs: 0, wallTrusted: false })
const device = (n: number) => ({ mac: `02:00:00:00:00:0${n}`, ip4: null, seen: NOTHING_READ })
const terms = (changes: Partial<Terms> = {}): Terms => ({
  source: 'voucher',
  bearer: '1.0.1',
  label: 'ten minutes',
  grantedMs: 600_000,
  grantedBytes: null,
  devices: 1,
  downKbps: null,
  upKbps: null,
  price: 100n,
  ...changes,
})
const after = (session: Session, ...inputs: SessionInput[]): Session => inputs.reduce((now, input) => step(now, input).session, session)

const quoted = quotedSession('0000000001abcdef')
const preflight = after(quoted, { type: 'preflight' })
const received = after(preflight, { type: 'received', terms: terms(), device: device(1) })
const journaled = after(received, { type: 'journaled', at: at(1000) })
const gateOpen = after(journaled, { type: 'open', by: 'guest' })
const active = after(gateOpen, { type: 'opened', at: at(1000), leaseMs: LEASE_MS })
const paused = after(active, { type: 'pause', at: at(61_000), reason: 'guest' })
const ownerPaused = after(active, { type: 'pause', at: at(61_000), reason: 'owner' })
const credited = after(gateOpen, { type: 'refused', at: at(1000) })
const ended = after(active, { type: 'end', at: at(31_000), reason: 'ended-by-guest' })
const STATES = { quoted, preflight, received, journaled, gateOpen, active, paused, ownerPaused, credited, ended }

/** What each input may do to each state; everything not named is refused and changes nothing. */
const ALLOWED: Record<string, { input: SessionInput; to: Partial<Record<keyof typeof STATES, Session['state']>> }> = {
  preflight: { input: { type: 'preflight' }, to: { quoted: 'preflight' } },
  received: { input: { type: 'received', terms: terms(), device: device(1) }, to: { preflight: 'received' } },
  journaled: { input: { type: 'journaled', at: at(2000) }, to: { received: 'journaled' } },
  'open for a guest': { input: { type: 'open', by: 'guest' }, to: { journaled: 'gate-open', gateOpen: 'gate-open', paused: 'gate-open', credited: 'gate-open' } },
  'open for the owner': {
    input: { type: 'open', by: 'owner' },
    to: { journaled: 'gate-open', gateOpen: 'gate-open', paused: 'gate-open', ownerPaused: 'gate-open', credited: 'gate-open' },
  },
  opened: { input: { type: 'opened', at: at(32_000), leaseMs: LEASE_MS }, to: { gateOpen: 'active' } },
  refused: { input: { type: 'refused', at: at(32_000) }, to: { gateOpen: 'credited', active: 'active' } },
  pause: { input: { type: 'pause', at: at(32_000), reason: 'guest' }, to: { active: 'paused', paused: 'paused', ownerPaused: 'paused' } },
}

describe('each state', () => {
  for (const [name, { input, to }] of Object.entries(ALLOWED))
    for (const [stateName, session] of Object.entries(STATES) as [keyof typeof STATES, Session][]) {
      const next = to[stateName]
      it(`${stateName}, asked to ${name}: ${next ?? 'refused'}`, () => {
        if (next !== undefined) expect(step(session, input).session.state).toBe(next)
        else {
          let thrown: unknown
          try {
            step(session, input)
          } catch (error) {
            thrown = error
          }
          expect(thrown).toBeInstanceOf(MeshBoxError)
          expect(thrown).toMatchObject({ kind: 'conflict' })
        }
      })
    }

  it('that is over stays so, whatever is asked', () => {
    const asked: SessionInput[] = [
      { type: 'bought', at: at(40_000), terms: terms() },
      { type: 'bind', at: at(40_000), device: device(2), byTicket: false },
      { type: 'end', at: at(40_000), reason: 'ended-by-owner' },
      { type: 'refund', at: at(40_000) },
      { type: 'revoke', at: at(40_000), bearer: '1.0.1' },
    ]
    for (const input of asked) expect(() => step(ended, input)).toThrow(expect.objectContaining({ code: 'session-ended' }))
    const news: SessionInput[] = [
      { type: 'tick', at: at(1e9) },
      { type: 'renewed', at: at(40_000), fromMs: 40_000, openUntilMs: 100_000 },
      { type: 'counted', at: at(40_000), counters: new Map([[MAC, { upBytes: 9, downBytes: 9, upPackets: 9, downPackets: 9 }]]) },
      { type: 'spent', at: at(40_000) },
      { type: 'moved', at: at(40_000), mac: MAC, ip4: '10.0.0.9' },
    ]
    for (const input of news) expect(step(ended, input)).toEqual({ session: ended, effects: [] })
  })
})

describe('effects', () => {
  it('write before the gate is opened or shut, except when time is up: closing does not wait', () => {
    const kinds = (session: Session, input: SessionInput) => step(session, input).effects.map((effect) => (effect.type === 'write' ? 'write' : effect.open ? 'open' : 'close'))
    expect(kinds(received, { type: 'journaled', at: at(1000) })).toEqual(['write'])
    expect(kinds(journaled, { type: 'open', by: 'guest' })).toEqual(['open'])
    expect(kinds(gateOpen, { type: 'opened', at: at(1), leaseMs: LEASE_MS })).toEqual(['write'])
    expect(kinds(paused, { type: 'open', by: 'guest' })).toEqual(['write', 'open'])
    expect(kinds(active, { type: 'pause', at: at(2000), reason: 'guest' })).toEqual(['write', 'close'])
    expect(kinds(active, { type: 'bought', at: at(2000), terms: terms() })).toEqual(['write', 'open'])
    expect(kinds(active, { type: 'bind', at: at(2000), device: device(2), byTicket: true })).toEqual(['write', 'open'])
    expect(kinds(active, { type: 'refund', at: at(2000) })).toEqual(['write', 'close'])
    const long = after(active, { type: 'renewed', at: at(50_000), fromMs: 50_000, openUntilMs: 650_000 })
    expect(kinds(long, { type: 'tick', at: at(601_000) })).toEqual(['close', 'write'])
  })
})

describe('the clock', () => {
  it('starts when the kernel has it, and stops at the end of its lease', () => {
    const later = after(gateOpen, { type: 'opened', at: at(9000.25), leaseMs: LEASE_MS })
    expect(later.run).toEqual({ countedToMs: 9001, openUntilMs: 69_001 })
    expect(after(later, { type: 'tick', at: at(500_000) }).allotments[0]?.usedMs).toBe(60_000)
    expect(after(later, { type: 'renewed', at: at(500_000), fromMs: 500_000, openUntilMs: 560_000 }, { type: 'tick', at: at(505_000) }).allotments[0]?.usedMs).toBe(65_000)
  })

  it('names the next moment somebody must look', () => {
    expect(deadlineOf(active)).toBeNull() // the lease comes first
    expect(needsRenewal(active)).toBe(true)
    const last = after(active, { type: 'tick', at: at(31_000) }, { type: 'renewed', at: at(31_000), fromMs: 31_000, openUntilMs: 601_000 })
    expect(deadlineOf(last)).toBe(601_000)
    expect(needsRenewal(last)).toBe(false)
    expect(deadlineOf(paused)).toBeNull()
  })

  it('leaves the last lease a margin, the first none', () => {
    expect(grantsOf(gateOpen, 1000, 1e9)[0]?.leaseMs).toBe(600_000)
    const last = after(active, { type: 'renewed', at: at(1000), fromMs: 1000, openUntilMs: 601_000 })
    expect(grantsOf(last, 301_000, 1e9)[0]?.leaseMs).toBe(300_000 - 40)
    expect(grantsOf(last, 600_990, 1e9)[0]?.leaseMs).toBe(1)
    expect(grantsOf(last, 601_000, 1e9)).toEqual([])
    expect(grantsOf(paused, 1000, 1e9)).toEqual([])
    expect(grantsOf(credited, 1000, 1e9)).toEqual([])
  })
})

describe('terms', () => {
  it.each([
    ['nothing at all', { grantedMs: null, grantedBytes: null }],
    ['no time', { grantedMs: 0 }],
    ['half a millisecond', { grantedMs: 0.5 }],
    ['negative bytes', { grantedBytes: -1 }],
    ['no device', { devices: 0 }],
  ])('that grant %s are refused', (_what, changes) => {
    expect(() => step(preflight, { type: 'received', terms: terms(changes), device: device(1) })).toThrow(expect.objectContaining({ kind: 'input' }))
    expect(() => step(active, { type: 'bought', at: at(2000), terms: terms(changes) })).toThrow(expect.objectContaining({ kind: 'input' }))
  })

  it('keep at most sixteen former devices, and all that they used', () => {
    let session = active
    for (let n = 2; n < 60; n++) {
      const mac = `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`
      session = after(session, { type: 'bind', at: at(2000), device: { mac, ip4: null, seen: NOTHING_READ }, byTicket: false })
      const counters = new Map([[mac, { upBytes: 1, downBytes: 1, upPackets: 1, downPackets: 1 }]])
      session = after(session, { type: 'counted', at: at(2000), counters })
    }
    expect(session.devices).toHaveLength(17)
    expect(session.upBytes).toBe(58)
  })
})
