/**
 * Carries out the steps of sessions: disk first, then the kernel, then what the kernel said (portal.md row
 * 21). Everything that changes a session goes through here, with the session's lane held; memory changes and
 * the gate is told in the same instant, so that the gate hears of changes in the order they happened.
 */
import { MeshBoxError, asError, momentOf } from '../base/index.ts'
import type { Moment } from '../base/index.ts'
import type { Tx } from '../store/index.ts'
import type { GateChange, Grant, MacAddress } from './gate/types.ts'
import { saveSession } from './io/session-tables.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import { allowanceOf, grantsOf, isBoundTo, isOver, step } from './session/index.ts'
import type { Session, SessionEffect, SessionInput, Step } from './session/index.ts'

/** A guest waits no longer than this for the gate; what happens after it is reconciled. */
export const GATE_PATIENCE_MS = 5000

/** Runs inside the turn that writes the session; gives what is to be written instead. */
export type InTurn = (tx: Tx, session: Session) => Session
type WriteEffect = Extract<SessionEffect, { type: 'write' }>
type GateEffect = Extract<SessionEffect, { type: 'gate' }>

export class Keeper {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  /** Sessions of which the kernel may not hold what it should; the renewal sees to them. */
  readonly behind = new Set<string>()
  /** Devices the gate failed to close; their leases run out by themselves, the renewal closes them earlier. */
  readonly unclosed = new Set<MacAddress>()
  /** Sessions whose state in memory could not be written; the next checkpoint does. */
  readonly unwritten = new Set<string>()
  /** Byte allowances of running sessions that the kernel is known to have. */
  readonly #allowances = new Map<string, number | null>()
  /** Something is behind: look soon. */
  onTrouble: () => void = () => undefined
  /** The gate was asked to open these: from now on it may hold counters of them. */
  onOpening: (macs: readonly MacAddress[]) => void = () => undefined
  readonly #work = new Set<Promise<void>>()

  constructor(deps: HotspotDeps, live: LiveSessions, lanes: Lanes) {
    this.#deps = deps
    this.#live = live
    this.#lanes = lanes
  }

  now(): Moment {
    return momentOf(this.#deps.clock)
  }

  /** Takes the step the input asks for. The session's lane is held by the caller. */
  async perform(session: Session, input: SessionInput, inTurn?: InTurn): Promise<Session> {
    return this.carryOut(step(session, input), inTurn)
  }

  /** Throws what the disk or, for a session being opened, the gate says; the session is then as before, or credited. */
  async carryOut({ session, effects }: Step, inTurn?: InTurn): Promise<Session> {
    let now = session
    if (!effects.some((effect) => effect.type === 'write')) this.#live.put(now)
    for (const effect of effects) {
      if (effect.type === 'gate') now = await this.#tellGate(now, effect)
      else [now] = await this.#write([[now, effect, inTurn]])
    }
    return now
  }

  /** Two sessions in one turn, e.g. a device that leaves one and joins the other. Both lanes are held. */
  async carryOutBoth(leaving: Step, joining: Step): Promise<Session> {
    const steps = [leaving, joining] as const
    const writes = steps.flatMap(({ session, effects }) =>
      effects.filter((effect) => effect.type === 'write').map((effect) => [session, effect, undefined] as const),
    )
    await this.#write(writes)
    await this.carryOut({ session: leaving.session, effects: gateOnly(leaving) })
    return this.carryOut({ session: joining.session, effects: gateOnly(joining) })
  }

  /** Asks the gate whether it could open one more. Throws `unavailable` code `gate-failed`; nothing was taken. */
  async preflight(): Promise<void> {
    try {
      await this.patiently(this.#deps.gate.preflight())
    } catch (thrown) {
      this.#deps.log.warn('the gate is not ready to open', { error: asError(thrown) })
      throw new MeshBoxError('unavailable', 'the gate is not ready: nothing was taken, try again in a moment', {
        code: 'gate-failed',
        retryAfterSeconds: 5,
        cause: thrown,
      })
    }
  }

  /** The kernel has these grants. */
  told(grants: readonly Grant[]): void {
    for (const grant of grants) this.#allowances.set(grant.sessionId, allowanceOf(grant))
  }

  /** Bytes the kernel was told the session may use in all; null = not limited, or never told. */
  allowanceTold(id: string): number | null {
    return this.#allowances.get(id) ?? null
  }

  /** Work nobody waits for, in the session's lane. Does nothing if the session is over by then. */
  inBackground(id: string, what: string, task: (session: Session) => Promise<unknown>): void {
    this.spawn(
      what,
      this.#lanes.run([sessionLane(id)], async () => {
        const session = this.#live.get(id)
        if (session !== undefined) await task(session)
      }),
    )
  }

  spawn(what: string, work: Promise<unknown>): void {
    const done: Promise<void> = work
      .then(
        () => undefined,
        (thrown: unknown) => this.#deps.log.error(`${what} failed`, { error: asError(thrown) }),
      )
      .finally(() => this.#work.delete(done))
    this.#work.add(done)
  }

  /** Resolves when nothing that was begun is still going on. */
  async quiet(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  async #write(writes: readonly (readonly [Session, WriteEffect, InTurn | undefined])[]): Promise<[Session, ...Session[]]> {
    const { store, ledger, clock } = this.#deps
    const at = this.now()
    const written = await store.turn((tx) =>
      writes.map(([session, effect, inTurn]) => {
        const next = inTurn === undefined ? session : inTurn(tx, session)
        for (const { seq, entryId, amount } of effect.reversals)
          ledger.reverse(tx, entryId, amount, { type: 'refund', id: `${next.id}.${seq}`, facts: { session: next.id } }, at)
        saveSession(tx, next, clock.bootId)
        return next
      }),
    )
    for (const session of written) {
      this.unwritten.delete(session.id)
      if (isOver(session)) this.#allowances.delete(session.id)
      this.#live.put(session)
    }
    return written as [Session, ...Session[]]
  }

  async #tellGate(session: Session, effect: GateEffect): Promise<Session> {
    const { clock, gate, config, log } = this.#deps
    const leaseMs = config().hotspot.leaseSeconds * 1000
    const open = effect.open ? grantsOf(session, clock.boottimeMs(), leaseMs) : []
    const change: GateChange = { open, close: effect.close }
    const isOpening = session.state === 'gate-open'
    this.onOpening(open.map((grant) => grant.mac))
    const applied = gate.apply(change)
    try {
      await this.patiently(applied)
    } catch (thrown) {
      log.warn(isOpening ? 'the gate did not open' : 'the gate did not follow', { session: session.id, error: asError(thrown) })
      if (isOpening) {
        this.#hearLater(session.id, change, applied)
        await this.#note(step(session, { type: 'refused', at: this.now() }))
        throw gateFailed(thrown)
      }
      for (const mac of effect.close) this.unclosed.add(mac)
      this.onTrouble()
      if (open.length === 0) return session
      this.behind.add(session.id)
      return this.carryOut(step(session, { type: 'refused', at: this.now() }))
    }
    if (open.length === 0) return session
    this.told(open)
    this.behind.delete(session.id)
    const at = this.now()
    const opened = step(session, { type: 'opened', at, leaseMs })
    return isOpening ? this.#note(opened) : this.carryOut(opened)
  }

  /** Writes what the kernel did. It is so whether the disk takes it or not: then the next checkpoint writes it. */
  async #note({ session, effects }: Step): Promise<Session> {
    this.#live.put(session)
    this.unwritten.add(session.id)
    try {
      return await this.carryOut({ session, effects })
    } catch (thrown) {
      this.#deps.log.error('a session could not be written; the next checkpoint tries again', { session: session.id, error: asError(thrown) })
      return session
    }
  }

  /** The guest was told that it failed. If the gate opens after all, the session goes on from there. */
  #hearLater(id: string, change: GateChange, applied: Promise<void>): void {
    applied.then(
      () => this.spawn('reconciling a late gate', this.#reconcile(id, change)),
      () => undefined, // refused in the end, as the guest was told
    )
  }

  async #reconcile(id: string, change: GateChange): Promise<void> {
    await this.#lanes.run([sessionLane(id)], async () => {
      const session = this.#live.get(id)
      if (session?.state === 'credited') {
        this.#deps.log.info('the gate opened late; the session goes on', { session: id })
        await this.perform(session, { type: 'open', by: 'service' })
        return
      }
      const strays = change.open.map((grant) => grant.mac).filter((mac) => !this.isHeld(mac))
      if (strays.length > 0) await this.#deps.gate.apply({ open: [], close: strays })
    })
  }

  /** Is this device bound to a session that is open now? */
  isHeld(mac: MacAddress): boolean {
    const session = this.#live.ofDevice(mac)
    return session !== undefined && (session.state === 'active' || session.state === 'gate-open') && isBoundTo(session, mac)
  }

  /** Whatever is asked of the gate: a gate that hangs is one that failed. Throws `unavailable` code `gate-failed`. */
  async patiently(work: Promise<void>): Promise<void> {
    let cancel: () => void = () => undefined
    const impatience = new Promise<never>((_resolve, reject) => {
      cancel = this.#deps.timers.after(GATE_PATIENCE_MS, () =>
        reject(new MeshBoxError('unavailable', `the gate did not answer within ${GATE_PATIENCE_MS / 1000} s`, { code: 'gate-failed' })),
      )
    })
    try {
      await Promise.race([work, impatience])
    } finally {
      cancel()
    }
  }
}

export function gateFailed(cause?: unknown): MeshBoxError {
  return new MeshBoxError('unavailable', 'the gate could not be opened: nothing is lost, the same code goes on when you try again', {
    code: 'gate-failed',
    retryAfterSeconds: 5,
    cause,
  })
}

function gateOnly({ effects }: Step): SessionEffect[] {
  return effects.filter((effect) => effect.type === 'gate')
}
