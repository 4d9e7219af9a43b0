/**
 * The rules of the session: (session, input) → {session, effects}. portal.md row 21: money is on disk
 * before the gate opens, the clock starts when the kernel has it, a gate that fails leaves a credit, and
 * news that comes late is still good news. Bound to what was paid, not to a MAC (portal.md 2.8).
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Moment } from '../../base/index.ts'
import type { MacAddress } from '../gate/types.ts'
import type { EndReason } from '../types.ts'
import { bytesLeft, bytesToSpend, currentOf, newAllotment, refundOf, spendBytes, spendMs, totalMsLeft, unspendBytes, unspendMs } from './allotment.ts'
import { leaseWithinRest } from './grants.ts'
import { NOTHING_READ, boundDevices, devicesMax, isBoundTo, isVisitor, settle, wantsOpening } from './session.ts'
import type { Device, NewDevice, Reading, Reversal, Session, SessionEffect, SessionInput, Step } from './session.ts'

/** Devices that gave up their place and are still listed on the receipt. */
const MAX_FORMER_DEVICES = 16
const WRITE: SessionEffect = { type: 'write', reversals: [] }

/** Throws `conflict` when the input does not fit the state; the session is then unchanged. */
export function step(session: Session, input: SessionInput): Step {
  const taken = react(session, input)
  return 'at' in input ? follow(session, taken, input.at) : taken
}

function react(session: Session, input: SessionInput): Step {
  switch (input.type) {
    case 'preflight':
      return only({ ...session, state: from(session, input.type, 'quoted', 'preflight') })
    case 'received':
      return only({
        ...session,
        state: from(session, input.type, 'preflight', 'received'),
        allotments: [newAllotment(input.terms, 0)],
        devices: [boundDevice(input.device, false)],
      })
    case 'journaled':
      return { session: { ...session, state: from(session, input.type, 'received', 'journaled'), started: input.at }, effects: [WRITE] }
    case 'open':
      return open(session, input.by)
    case 'opened':
      return opened(session, input.at, input.leaseMs)
    case 'refused':
      return refused(session, input.at)
    case 'renewed':
      return only(settle(renewed(session, input.fromMs, input.openUntilMs), input.at.boottimeMs))
    case 'counted':
      return only(count(settle(session, input.at.boottimeMs), input.counters, input.gone ?? []))
    case 'spent':
      return spent(session, input.at)
    case 'tick':
      return only(settle(session, input.at.boottimeMs))
    case 'bought':
      return bought(session, input)
    case 'bind':
      return bind(session, input)
    case 'unbind':
      return unbind(session, input.at, input.mac)
    case 'moved':
      return moved(settle(session, input.at.boottimeMs), input.mac, input.ip4)
    case 'pause':
      return pause(session, input)
    case 'end':
      return end(needOpen(settle(session, input.at.boottimeMs)), input.at, input.reason, [])
    case 'refund':
      return refund(needOpen(settle(session, input.at.boottimeMs)), input.at)
    case 'revoke':
      return revoke(session, input.at, input.bearer)
    case 'used-away':
      return usedAway(session, input)
    case 'restored':
      return restored(session, input.at, input.sameBoot)
  }
}

function open(session: Session, by: 'guest' | 'owner' | 'service'): Step {
  if (session.state === 'paused' && session.pauseReason === 'owner' && by !== 'owner') throw pausedByOwner()
  if (currentOf(session.allotments) === undefined) throw sessionEnded()
  if (boundDevices(session).length === 0)
    throw new MeshBoxError('conflict', 'no device is bound to this session: use its code on a device', { code: 'no-device' })
  const told: Session = { ...session, state: 'gate-open', pauseReason: null, run: null }
  // That it is owed an open gate is on disk already. Otherwise that comes first.
  if (wantsOpening(session)) return toldAnew(told, [])
  if (session.state === 'paused' || session.state === 'credited') return toldAnew(told, [WRITE])
  throw wrongState(session, 'open')
}

function opened(session: Session, at: Moment, leaseMs: number): Step {
  if (session.state !== 'gate-open') throw wrongState(session, 'opened')
  const countedToMs = Math.ceil(at.boottimeMs)
  const openUntilMs = countedToMs + Math.floor(Math.min(leaseMs, totalMsLeft(session.allotments) ?? leaseMs))
  return { session: { ...session, state: 'active', run: { countedToMs, openUntilMs } }, effects: [WRITE] }
}

/** Not opened: a credit. Running, but the gate did not follow: no time is charged until it does. */
function refused(session: Session, at: Moment): Step {
  const settled = settle(session, at.boottimeMs)
  if (settled.state === 'active' && settled.run !== null)
    return only({ ...settled, run: { ...settled.run, openUntilMs: settled.run.countedToMs } })
  return { session: { ...session, state: from(session, 'refused', 'gate-open', 'credited') }, effects: [WRITE] }
}

/** News for a session that is no longer running changes nothing; old news does not shorten a newer lease. */
function renewed(session: Session, fromMs: number, openUntilMs: number): Session {
  const settled = settle(session, fromMs)
  if (settled.state !== 'active' || settled.run === null) return session
  const wasClosed = settled.run.openUntilMs < fromMs
  return leaseWithinRest({
    ...settled,
    run: {
      countedToMs: wasClosed ? Math.ceil(fromMs) : settled.run.countedToMs,
      openUntilMs: Math.max(settled.run.openUntilMs, Math.floor(openUntilMs)),
    },
  })
}

/** Counters are cumulative; a lower one than before has started anew from zero. */
function count(session: Session, counters: ReadonlyMap<MacAddress, Reading>, gone: readonly MacAddress[]): Session {
  if (session.state !== 'active') return gone.length > 0 ? session : rebase(session, counters)
  let { upBytes, downBytes } = session
  let isChanged = false
  const devices = session.devices.map((device) => {
    const now = counters.get(device.mac)
    if (now === undefined || !(device.isBound || gone.includes(device.mac)) || sameReading(now, device.seen)) return device
    const delta = isLower(now, device.seen) ? now : mapReading(now, device.seen, (a, b) => a - b)
    upBytes += delta.upBytes
    downBytes += delta.downBytes
    isChanged = true
    return { ...device, seen: now, used: mapReading(device.used, delta, (a, b) => a + b) }
  })
  if (!isChanged) return session
  const spent = upBytes - session.upBytes + (downBytes - session.downBytes)
  return { ...session, devices, upBytes, downBytes, allotments: spendBytes(session.allotments, spent) }
}

/** The kernel's count is the one that counts: it has also seen what passed while devices came and went. */
function spent(session: Session, at: Moment): Step {
  const settled = settle(session, at.boottimeMs)
  const left = bytesToSpend(settled.allotments)
  if (settled.state !== 'active' || left === null) return only(settled)
  return only({ ...settled, allotments: spendBytes(settled.allotments, left) })
}

/** While the gate is shut nothing is charged, but counters that were dropped meanwhile start from zero. */
function rebase(session: Session, counters: ReadonlyMap<MacAddress, Reading>): Session {
  const isStale = (device: Device): boolean => isLower(counters.get(device.mac) ?? NOTHING_READ, device.seen)
  if (!session.devices.some(isStale)) return session
  return {
    ...session,
    devices: session.devices.map((device) => (isStale(device) ? { ...device, seen: counters.get(device.mac) ?? NOTHING_READ } : device)),
  }
}

/** Whatever happened, time passed: is anything left, and does the gate know which allotment is in use now? */
function follow(before: Session, taken: Step, at: Moment): Step {
  const after = taken.session
  if (after.state !== 'active') return taken
  const current = currentOf(after.allotments)
  if (current === undefined) return expired(after, at)
  if (current.seq === currentOf(before.allotments)?.seq) return taken
  return toldAnew(after, taken.effects)
}

/** The gate is told of this session as it is; surplus devices leave in the same change, and that is written first. */
function toldAnew(session: Session, effects: readonly SessionEffect[]): Step {
  const fitted = fitDevices(session)
  const close = [...fitted.evicted, ...effects.flatMap((effect) => (effect.type === 'gate' ? effect.close : []))]
  const needsWrite = fitted.evicted.length > 0 || effects.some((effect) => effect.type === 'write')
  return { session: fitted.session, effects: [...(needsWrite ? [WRITE] : []), { type: 'gate', open: true, close }] }
}

/** Used up: closing does not wait for the disk, which may be full. */
function expired(session: Session, at: Moment): Step {
  // They are used one after the other: what the last one lacks is what ended the session.
  const last = session.allotments.findLast((allotment) => !allotment.isVoid)
  const ended = end(session, at, last !== undefined && bytesLeft(last) === 0 ? 'bytes-used' : 'time-used', [])
  return { session: ended.session, effects: ended.effects.toReversed() }
}

function end(session: Session, at: Moment, reason: EndReason, reversals: readonly Reversal[]): Step {
  return {
    session: { ...session, state: 'ended', endReason: reason, pauseReason: null, run: null, ended: at },
    effects: [{ type: 'write', reversals }, closeAll(session)],
  }
}

function bought(session: Session, input: Extract<SessionInput, { type: 'bought' }>): Step {
  const settled = needOpen(settle(session, input.at.boottimeMs))
  // A guest's code is not taken while it would buy him nothing; the owner may give what he likes.
  if (settled.state === 'paused' && settled.pauseReason === 'owner' && input.terms.source !== 'owner') throw pausedByOwner()
  const next = { ...settled, allotments: [...settled.allotments, newAllotment(input.terms, settled.allotments.length)] }
  return settled.state === 'active' ? toldAnew(next, [WRITE]) : { session: next, effects: [WRITE] }
}

function bind(session: Session, input: Extract<SessionInput, { type: 'bind' }>): Step {
  const { device } = input
  const settled = needOpen(settle(session, input.at.boottimeMs))
  if (settled.state === 'paused' && settled.pauseReason === 'owner') throw pausedByOwner()
  if (isBoundTo(settled, device.mac)) return bindAgain(settled, input)
  const former = settled.devices.find((known) => known.mac === device.mac)
  const bound: Device = { ...boundDevice(device, input.byTicket), used: former?.used ?? NOTHING_READ }
  const fitted = fitDevices({
    ...settled,
    devices: [...settled.devices.filter((known) => known.mac !== device.mac), bound],
  })
  // Whoever lost his place must not come back with the ticket he saw.
  const ticketCounter = settled.ticketCounter + (input.byTicket || fitted.evicted.length > 0 ? 1 : 0)
  const next = { ...fitted.session, ticketCounter }
  if (settled.state !== 'active') return { session: next, effects: [WRITE] }
  return { session: next, effects: [WRITE, { type: 'gate', open: true, close: fitted.evicted }] }
}

/** Who came by a link and now shows what was paid is a guest no longer. */
function bindAgain(session: Session, { device, byTicket }: Extract<SessionInput, { type: 'bind' }>): Step {
  const stays = byTicket || !isVisitor(session, device.mac)
  const known = stays ? session : { ...session, devices: session.devices.map((each) => (each.mac === device.mac ? { ...each, byTicket: false } : each)) }
  const after = device.ip4 === null ? only(known) : moved(known, device.mac, device.ip4)
  return stays || after.effects.length > 0 ? after : { session: known, effects: [WRITE] }
}

/** The device went over to another session. Without any device the clock stops. */
function unbind(session: Session, at: Moment, mac: MacAddress): Step {
  if (!isBoundTo(session, mac)) return only(session)
  const settled = settle(session, at.boottimeMs)
  const devices = dropFormer(settled.devices.map((device) => (device.mac === mac ? { ...device, isBound: false } : device)))
  const next: Session = { ...settled, devices }
  if (next.state !== 'active') return { session: next, effects: [WRITE] }
  const close: SessionEffect = { type: 'gate', open: false, close: [mac] }
  if (devices.some((device) => device.isBound)) return { session: next, effects: [WRITE, close] }
  return { session: { ...next, state: 'paused', pauseReason: 'guest', run: null }, effects: [WRITE, close] }
}

/** DHCP gave a bound device another address: the gate follows, nothing is charged. */
function moved(session: Session, mac: MacAddress, ip4: string): Step {
  const device = session.devices.find((known) => known.isBound && known.mac === mac)
  if (device === undefined || device.ip4 === ip4 || session.state === 'ended') return only(session)
  const next = { ...session, devices: session.devices.map((known) => (known === device ? { ...known, ip4 } : known)) }
  return { session: next, effects: session.state === 'active' ? [WRITE, { type: 'gate', open: true, close: [] }] : [WRITE] }
}

function pause(session: Session, input: Extract<SessionInput, { type: 'pause' }>): Step {
  const { at, reason } = input
  if (session.state === 'paused') {
    // A guest who pauses while his session waits to be opened after a restart wants it to stay paused.
    const isNews = reason === 'owner' ? session.pauseReason !== 'owner' : reason === 'guest' ? session.pauseReason === 'restart' : reason === 'away' && session.pauseReason !== 'owner'
    return isNews ? { session: { ...session, pauseReason: reason }, effects: [WRITE] } : only(session)
  }
  const settled = needOpen(settle(session, at.boottimeMs))
  if (settled.state !== 'active') throw wrongState(settled, 'pause')
  if (currentOf(settled.allotments) === undefined) return only(settled)
  return {
    session: { ...settled, state: 'paused', pauseReason: reason, run: null },
    effects: [WRITE, closeAll(settled)],
  }
}

function refund(session: Session, at: Moment): Step {
  const reversals: Reversal[] = []
  const allotments = session.allotments.map((allotment) => {
    const amount = refundOf(allotment)
    if (amount === 0n || allotment.entryId === null) return allotment
    reversals.push({ seq: allotment.seq, entryId: allotment.entryId, amount })
    return { ...allotment, refunded: amount, isVoid: true }
  })
  return end({ ...session, allotments }, at, 'refunded', reversals)
}

function revoke(session: Session, at: Moment, bearer: string): Step {
  const settled = needOpen(settle(session, at.boottimeMs))
  const allotments = settled.allotments.map((each) => (each.bearer === bearer ? { ...each, isVoid: true } : each))
  const next = leaseWithinRest({ ...settled, allotments })
  return currentOf(allotments) === undefined ? end(next, at, 'revoked', []) : { session: next, effects: [WRITE] }
}

/** While it is away nothing ends it, for what is left may turn out to be more. */
function usedAway(session: Session, { at, ms, bytes, isBack }: Extract<SessionInput, { type: 'used-away' }>): Step {
  const settled = needOpen(settle(session, at.boottimeMs))
  const timed = ms >= 0 ? spendMs(settled.allotments, ms) : unspendMs(settled.allotments, -ms)
  const allotments = bytes >= 0 ? spendBytes(timed, bytes) : unspendBytes(timed, -bytes)
  const next = leaseWithinRest({ ...settled, allotments })
  if (next.state === 'active') return toldAnew(next, [WRITE])
  if (!isBack || next.pauseReason !== 'away') return { session: next, effects: [WRITE] }
  return currentOf(allotments) === undefined ? expired(next, at) : { session: { ...next, pauseReason: 'restart' }, effects: [WRITE] }
}

/**
 * After a service restart in the same boot the guest was online until the kernel's lease ran out: that is
 * charged. After a reboot the time since the last checkpoint is the guest's, and the box was off.
 */
function restored(session: Session, at: Moment, sameBoot: boolean): Step {
  const devices = sameBoot ? session.devices : session.devices.map((device) => ({ ...device, seen: NOTHING_READ }))
  if (session.state !== 'active') return only({ ...session, devices, run: null })
  const settled = sameBoot ? settle(session, at.boottimeMs) : session
  if (currentOf(settled.allotments) === undefined) return expired({ ...settled, devices }, at)
  return only({ ...settled, devices, state: 'paused', pauseReason: 'restart', run: null })
}

/** Beyond what the current allotment allows, the oldest bindings give up their places. */
function fitDevices(session: Session): { session: Session; evicted: MacAddress[] } {
  const bound = boundDevices(session)
  const surplus = bound.length - devicesMax(session)
  if (surplus <= 0) return { session: { ...session, devices: dropFormer(session.devices) }, evicted: [] }
  const evicted = bound.slice(0, surplus).map((device) => device.mac)
  const devices = session.devices.map((device) => (evicted.includes(device.mac) ? { ...device, isBound: false } : device))
  return { session: { ...session, devices: dropFormer(devices) }, evicted }
}

function dropFormer(devices: readonly Device[]): readonly Device[] {
  let surplus = devices.filter((device) => !device.isBound).length - MAX_FORMER_DEVICES
  return surplus <= 0 ? devices : devices.filter((device) => device.isBound || surplus-- <= 0)
}

function boundDevice(device: NewDevice, byTicket: boolean): Device {
  return { ...device, isBound: true, byTicket, used: NOTHING_READ }
}

function closeAll(session: Session): SessionEffect {
  return { type: 'gate', open: false, close: boundDevices(session).map((device) => device.mac) }
}

function only(session: Session): Step {
  return { session, effects: [] }
}

function sameReading(a: Reading, b: Reading): boolean {
  return a.upBytes === b.upBytes && a.downBytes === b.downBytes && a.upPackets === b.upPackets && a.downPackets === b.downPackets
}

function isLower(a: Reading, b: Reading): boolean {
  return a.upBytes < b.upBytes || a.downBytes < b.downBytes || a.upPackets < b.upPackets || a.downPackets < b.downPackets
}

function mapReading(a: Reading, b: Reading, join: (a: number, b: number) => number): Reading {
  return {
    upBytes: join(a.upBytes, b.upBytes),
    downBytes: join(a.downBytes, b.downBytes),
    upPackets: join(a.upPackets, b.upPackets),
    downPackets: join(a.downPackets, b.downPackets),
  }
}

function from(session: Session, input: SessionInput['type'], needed: Session['state'], to: Session['state']): Session['state'] {
  if (session.state !== needed) throw wrongState(session, input)
  return to
}

function needOpen(session: Session): Session {
  if (session.state === 'ended') throw sessionEnded()
  return session
}

function sessionEnded(): MeshBoxError {
  return new MeshBoxError('conflict', 'this session is over', { code: 'session-ended' })
}

function pausedByOwner(): MeshBoxError {
  return new MeshBoxError('conflict', 'the owner paused this session; ask at the counter', { code: 'paused-by-owner' })
}

function wrongState(session: Session, input: SessionInput['type']): MeshBoxError {
  return new MeshBoxError('conflict', `a session that is '${session.state}' cannot be asked to '${input}'`, {
    code: 'wrong-state',
    field: 'state',
    value: session.state,
  })
}
