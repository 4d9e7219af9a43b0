/**
 * Whatever happens, in whatever order: what was granted is used or left, to the millisecond and the byte,
 * and equal to what a naive second-by-second count of the open gate says. Wall clocks have no say in it.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import type { Moment } from '../../../src/base/index.ts'
import { boundDevices, grantsOf, isBoundTo, isUsable, leaseEndOf, quotedSession, settle, step } from '../../../src/hotspot/session/index.ts'
import type { Reading, Session, SessionInput, Terms } from '../../../src/hotspot/session/index.ts'

const LEASE_MS = 60_000
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'] as const

type Command =
  | { do: 'wait'; seconds: number }
  | { do: 'wall'; years: number }
  | { do: 'traffic'; device: number; bytes: number }
  | { do: 'buy'; seconds: number | null; bytes: number | null; devices: number; price: bigint; bearer: string }
  | { do: 'renew' | 'tick' | 'pause' | 'ownerPause' | 'open' | 'refused' | 'checkpoint' | 'restart' | 'reboot' | 'refund' | 'end' | 'spent' }
  | { do: 'bind' | 'ticket' | 'unbind' | 'move'; device: number }
  | { do: 'revoke'; bearer: string }

const bearer = fc.constantFrom('1.0.1', '1.0.2', '2.0.1')
const device = fc.integer({ min: 0, max: MACS.length - 1 })
const limits = fc
  .record({ seconds: fc.option(fc.integer({ min: 1, max: 200 })), bytes: fc.option(fc.integer({ min: 1, max: 5_000_000 })) })
  .filter((each) => each.seconds !== null || each.bytes !== null)
const buy = fc
  .record({ limits, devices: fc.integer({ min: 1, max: 3 }), price: fc.bigInt({ min: 0n, max: 10n ** 24n }), bearer })
  .map(({ limits: each, ...rest }): Command => ({ do: 'buy', ...each, ...rest }))
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 }).map((seconds): Command => ({ do: 'wait', seconds })) },
  { weight: 1, arbitrary: fc.constantFrom(-10, 10).map((years): Command => ({ do: 'wall', years })) },
  { weight: 3, arbitrary: fc.record({ device, bytes: fc.integer({ min: 1, max: 2_000_000 }) }).map((each): Command => ({ do: 'traffic', ...each })) },
  { weight: 3, arbitrary: buy },
  { weight: 8, arbitrary: fc.constantFrom('renew', 'tick', 'pause', 'open', 'refused', 'checkpoint', 'restart', 'reboot').map((verb): Command => ({ do: verb })) },
  { weight: 1, arbitrary: fc.constantFrom('ownerPause', 'refund', 'end', 'spent').map((verb): Command => ({ do: verb })) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('bind', 'ticket', 'unbind', 'move'), device }) },
  { weight: 1, arbitrary: bearer.map((each): Command => ({ do: 'revoke', bearer: each })) },
)

/** The count kept beside the machine: plain numbers, a second and a byte at a time. */
interface Count {
  ms: number[]
  bytes: number[]
  /** The kernel's counter of each device, up to which it has been charged. */
  seen: Record<string, number>
}

/** Drives the machine as the shell does, and counts for itself. */
class Driver {
  session: Session
  disk: Session
  count: Count = { ms: [0], bytes: [0], seen: {} }
  diskCount: Count = { ms: [0], bytes: [0], seen: {} }
  bootId = 'boot-1'
  bootMs = 1_000_000
  wallMs = 1_700_000_000_000
  readonly counters = new Map<string, Reading>()
  refunds = 0n

  constructor(first: Terms) {
    const quoted = step(quotedSession('0000000001abcdef'), { type: 'preflight' }).session
    const received = step(quoted, { type: 'received', terms: first, device: this.#device(0) }).session
    this.session = booked(step(received, { type: 'journaled', at: this.at() }).session)
    this.disk = this.session
    this.run({ do: 'open' })
  }

  at(): Moment {
    return { bootId: this.bootId, boottimeMs: this.bootMs, wallMs: this.wallMs, wallTrusted: false }
  }

  run(command: Command): void {
    const at = this.at()
    switch (command.do) {
      case 'wait':
        return this.#wait(command.seconds)
      case 'wall':
        this.wallMs += command.years * 365 * 86_400_000
        return
      case 'traffic':
        return this.#traffic(MACS[command.device] ?? MACS[0], command.bytes)
      case 'buy':
        if (this.#take({ type: 'bought', at, terms: terms(command) })) {
          this.count.ms.push(0)
          this.count.bytes.push(0)
          this.session = booked(this.session)
          this.#save()
        }
        return
      case 'renew':
        this.#take({ type: 'renewed', at, fromMs: this.bootMs, openUntilMs: leaseEndOf(this.session, this.bootMs, LEASE_MS) })
        return
      case 'tick':
        this.#take({ type: 'tick', at })
        return
      case 'pause':
        this.#take({ type: 'pause', at, reason: 'guest' })
        return
      case 'ownerPause':
        this.#take({ type: 'pause', at, reason: 'owner' })
        return
      case 'open':
        if (this.#take({ type: 'open', by: 'owner' })) this.#take({ type: 'opened', at, leaseMs: LEASE_MS })
        return
      case 'refused':
        // Also while it runs: a change that the kernel did not take.
        if (this.session.state === 'active' || this.#take({ type: 'open', by: 'service' })) this.#take({ type: 'refused', at })
        return
      case 'checkpoint':
        this.session = settle(this.session, this.bootMs)
        return this.#save()
      case 'restart':
      case 'reboot':
        return this.#newProcess(command.do === 'reboot')
      case 'refund':
        this.#take({ type: 'refund', at })
        return
      case 'end':
        this.#take({ type: 'end', at, reason: 'ended-by-guest' })
        return
      case 'spent':
        return this.#spent()
      case 'bind':
      case 'ticket':
        return this.#bind(this.#device(command.device), command.do === 'ticket')
      case 'unbind':
        this.#take({ type: 'unbind', at, mac: MACS[command.device] ?? MACS[0] })
        return
      case 'move':
        this.#take({ type: 'moved', at, mac: MACS[command.device] ?? MACS[0], ip4: `10.0.0.${this.bootMs % 250}` })
        return
      case 'revoke':
        this.#take({ type: 'revoke', at, bearer: command.bearer })
        return
    }
  }

  /** Takes a step the way the shell does; false when the machine refuses it, and then nothing has changed. */
  #take(input: SessionInput): boolean {
    let taken
    try {
      taken = step(this.session, input)
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'conflict') return false
      throw thrown
    }
    this.session = taken.session
    for (const effect of taken.effects) {
      if (effect.type !== 'write') continue
      for (const reversal of effect.reversals) this.refunds += reversal.amount
      this.#save()
    }
    return true
  }

  #save(): void {
    this.disk = this.session
    this.diskCount = structuredClone(this.count)
  }

  #wait(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      const { session } = this
      const isOpen = session.state === 'active' && session.run !== null && this.bootMs < session.run.openUntilMs
      this.bootMs += 1000
      this.wallMs += 1000
      if (isOpen) this.#countSecond()
    }
  }

  /** Naive: one second from the first allotment that has any left. */
  #countSecond(): void {
    for (const each of this.session.allotments) {
      const ms = this.count.ms[each.seq] ?? 0
      if (each.isVoid || (each.grantedMs !== null && ms >= each.grantedMs)) continue
      if (each.grantedBytes !== null && (this.count.bytes[each.seq] ?? 0) >= each.grantedBytes) continue
      this.count.ms[each.seq] = ms + 1000
      return
    }
  }

  #traffic(mac: string, bytes: number): void {
    // The kernel lets through only what is open, and reports it before anything else happens.
    const grant = grantsOf(this.session, this.bootMs, LEASE_MS).find((each) => each.mac === mac)
    if (grant === undefined || this.session.state !== 'active') return
    const before = this.counters.get(mac) ?? reading(0)
    this.counters.set(mac, reading(before.upBytes + bytes))
    const settled = settle(this.session, this.bootMs)
    // What a dead process had read and not written down is read again.
    let rest = 0
    for (const device of boundDevices(settled)) {
      const now = this.counters.get(device.mac)?.upBytes ?? 0
      rest += now - (this.count.seen[device.mac] ?? 0)
      this.count.seen[device.mac] = now
    }
    for (const each of settled.allotments) {
      if (rest === 0 || !isUsable(each)) continue
      const used = this.count.bytes[each.seq] ?? 0
      const taken = each.grantedBytes === null ? rest : Math.min(rest, each.grantedBytes - used)
      this.count.bytes[each.seq] = used + taken
      rest -= taken
    }
    this.#take({ type: 'counted', at: this.at(), counters: this.counters })
  }

  #bind(device: { mac: string; ip4: string | null; seen: Reading }, byTicket: boolean): void {
    const isNew = !isBoundTo(this.session, device.mac)
    const seen = this.count.seen[device.mac] ?? 0
    if (isNew) this.count.seen[device.mac] = device.seen.upBytes
    if (!this.#take({ type: 'bind', at: this.at(), device, byTicket })) this.count.seen[device.mac] = seen
  }

  #spent(): void {
    this.#take({ type: 'spent', at: this.at() })
    // The one place where more is charged than was counted: when the kernel says that all it was told of passed.
    for (const each of this.session.allotments) {
      const extra = each.usedBytes - (this.count.bytes[each.seq] ?? 0)
      expect(extra).toBeGreaterThanOrEqual(0)
      this.count.bytes[each.seq] = each.usedBytes
    }
    this.#save()
  }

  /** The process's memory is gone; after a reboot the kernel's state too. */
  #newProcess(isReboot: boolean): void {
    const diskBootId = this.bootId
    if (isReboot) {
      this.bootId = `${this.bootId}+`
      this.bootMs = 20_000
      this.counters.clear()
      this.diskCount.seen = {}
    }
    const lost = this.session
    const lostCount = this.count
    this.session = this.disk
    this.count = structuredClone(this.diskCount)
    if (!isReboot && this.disk.state === 'active' && this.disk.run !== null) {
      // Still the same boot: the time since the checkpoint is known, and charged as far as the lease went.
      const untilMs = Math.min(this.bootMs, this.disk.run.openUntilMs)
      for (let ms = this.disk.run.countedToMs; ms < untilMs; ms += 1000) this.#countSecond()
    }
    this.#take({ type: 'restored', at: this.at(), sameBoot: diskBootId === this.bootId })
    // The guest never has less than what was on disk; what the process had counted since is his.
    for (const each of this.session.allotments) {
      expect(each.usedBytes).toBeLessThanOrEqual(lost.allotments[each.seq]?.usedBytes ?? 0)
      if (isReboot) expect(each.usedMs).toBeLessThanOrEqual(lostCount.ms[each.seq] ?? 0)
    }
    if (this.session.state !== 'ended') return
    this.#save()
  }

  #device(index: number): { mac: string; ip4: string | null; seen: Reading } {
    const mac = MACS[index] ?? MACS[0]
    return { mac, ip4: null, seen: this.counters.get(mac) ?? reading(0) }
  }
}

/** With ledger entries, as the journal turn adds them. */
function booked(session: Session): Session {
  return { ...session, allotments: session.allotments.map((each) => ({ ...each, entryId: each.seq + 1 })) }
}

function reading(upBytes: number): Reading {
  return { upBytes, downBytes: 0, upPackets: upBytes === 0 ? 0 : 1, downPackets: 0 }
}

function terms(command: { seconds: number | null; bytes: number | null; devices: number; price: bigint; bearer: string }): Terms {
  return {
    source: 'voucher',
    bearer: command.bearer,
    label: 'bought',
    grantedMs: command.seconds === null ? null : command.seconds * 1000,
    grantedBytes: command.bytes,
    devices: command.devices,
    downKbps: null,
    upKbps: null,
    price: command.price,
  }
}

const first = buy.filter((each) => each.do === 'buy')

describe('the session machine', () => {
  it('conserves time and bytes under any sequence of inputs, restarts and reboots', () => {
    fc.assert(
      fc.property(first, fc.array(command, { maxLength: 60 }), (opening, commands) => {
        if (opening.do !== 'buy') return
        const driver = new Driver(terms(opening))
        for (const each of commands) {
          driver.run(each)
          const now = settle(driver.session, driver.bootMs)
          expect(now.allotments.map((allotment) => allotment.usedMs)).toEqual(driver.count.ms)
          expect(now.allotments.map((allotment) => allotment.usedBytes)).toEqual(driver.count.bytes)
          let refunded = 0n
          for (const allotment of now.allotments) {
            if (allotment.grantedMs !== null) expect(allotment.usedMs).toBeLessThanOrEqual(allotment.grantedMs)
            if (allotment.grantedBytes !== null) expect(allotment.usedBytes).toBeLessThanOrEqual(allotment.grantedBytes)
            expect(allotment.refunded).toBeLessThanOrEqual(allotment.price)
            refunded += allotment.refunded
          }
          expect(refunded).toBe(driver.refunds)
          expectSoundGate(now, driver.bootMs)
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('does not care what the wall clock says', () => {
    fc.assert(
      fc.property(first, fc.array(command, { maxLength: 40 }), fc.array(fc.constantFrom(-10, 10), { maxLength: 40 }), (opening, commands, jumps) => {
        if (opening.do !== 'buy') return
        const [calm, jumpy] = [new Driver(terms(opening)), new Driver(terms(opening))]
        for (const [index, each] of commands.entries()) {
          calm.run(each)
          jumpy.run({ do: 'wall', years: jumps[index] ?? 0 })
          jumpy.run(each)
        }
        const withoutWall = (session: Session): unknown => ({ ...session, started: null, ended: session.ended?.boottimeMs })
        expect(withoutWall(jumpy.session)).toEqual(withoutWall(calm.session))
      }),
      { numRuns: 300 },
    )
  })
})

/** Open only when something is left, never beyond it, never for more devices than paid for. */
function expectSoundGate(session: Session, nowMs: number): void {
  const grants = grantsOf(session, nowMs, LEASE_MS)
  if (grants.length === 0) return
  const usable = session.allotments.filter(isUsable)
  expect(['active', 'gate-open']).toContain(session.state)
  expect(usable.length).toBeGreaterThan(0)
  expect(grants.length).toBeLessThanOrEqual(usable[0]?.devices ?? 0)
  const isTimeLimited = usable.every((each) => each.grantedMs !== null)
  const leftMs = usable.reduce((sum, each) => sum + (each.grantedMs ?? 0) - each.usedMs, 0)
  for (const grant of grants) {
    expect(grant.leaseMs).toBeGreaterThan(0)
    expect(grant.leaseMs).toBeLessThanOrEqual(isTimeLimited ? Math.min(LEASE_MS, leftMs) : LEASE_MS)
    // Up to the first one that bytes do not limit.
    const unlimited = usable.findIndex((each) => each.grantedBytes === null)
    const leading = unlimited < 0 ? usable : usable.slice(0, unlimited)
    if (leading.length === 0) expect(grant.quotaBytes).toBeNull()
    else expect(grant.quotaBytes).toBe(leading.reduce((sum, each) => sum + (each.grantedBytes ?? 0) - each.usedBytes, 0))
  }
}
