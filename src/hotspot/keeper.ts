/**
 * Carries out the steps of sessions: disk first, then the kernel, then what the kernel said (portal.md row
 * 21). Everything that changes a session goes through here, with the session's lane held; memory changes and
 * the gate is told in the same instant, so that the gate hears of changes in the order they happened.
 */
import { MeshBoxError, asError, momentOf } from '../base/index.ts'
import type { Moment } from '../base/index.ts'
import type { Tx } from '../store/index.ts'
import type { GateChange, MacAddress } from './gate/types.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import { saveSession } from './io/session-tables.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import { grantsOf, isBoundTo, isOver, leaseEndOf, settleClosing, step } from './session/index.ts'
import type { Session, SessionEffect, SessionInput, Step } from './session/index.ts'

/** Runs inside the turn that writes the session; gives what is to be written instead. */
export type InTurn = (tx: Tx, session: Session) => Session
type WriteEffect = Extract<SessionEffect, { type: 'write' }>
type GateEffect = Extract<SessionEffect, { type: 'gate' }>

export class Keeper {
  readonly #deps: HotspotDeps
  readonly #live: LiveSessions
  readonly #lanes: Lanes
  readonly #gatekeeper: Gatekeeper
  /** Sessions of which the kernel may not hold what it should; the renewal sees to them. */
  readonly behind = new Set<string>()
  /** Sessions whose state in memory could not be written; the next checkpoint does. */
  readonly unwritten = new Set<string>()
  /** Something is behind: look soon. */
  onTrouble: () => void = () => undefined
  readonly #work = new Set<Promise<void>>()

  constructor(deps: HotspotDeps, live: LiveSessions, lanes: Lanes, gatekeeper: Gatekeeper) {
    this.#deps = deps
    this.#live = live
    this.#lanes = lanes
    this.#gatekeeper = gatekeeper
  }

  now(): Moment {
    return momentOf(this.#deps.clock)
  }

  /** Takes the step the input asks for. The session's lane is held by the caller. */
  async perform(session: Session, input: SessionInput, inTurn?: InTurn): Promise<Session> {
    const { run } = session
    const taken = step(session, input)
    if (run === null || !('at' in input) || taken.session.state !== 'paused') return this.carryOut(taken, inTurn)
    return this.carryOut(taken, inTurn, (paused) => settleClosing(paused, run, input.at.boottimeMs, this.#deps.clock.boottimeMs()))
  }

  /** Throws what the disk or, for a session being opened, the gate says; the session is then as before, or credited. */
  async carryOut({ session, effects }: Step, inTurn?: InTurn, beforeClosing?: (paused: Session) => Session): Promise<Session> {
    let now = session
    if (!effects.some((effect) => effect.type === 'write')) this.#live.put(now)
    for (const effect of effects) {
      if (effect.type === 'gate' && beforeClosing !== undefined) {
        const settled = beforeClosing(now)
        const isLater = settled !== now
        now = await this.#tellGate(settled, effect)
        // On disk before the guest is told.
        if (isLater) now = await this.#note({ session: now, effects: [{ type: 'write', reversals: [] }] })
      } else if (effect.type === 'gate') now = await this.#tellGate(now, effect)
      else [now] = await this.#write([[now, effect, inTurn]])
    }
    return now
  }

  /** Two sessions in one turn, e.g. a device that leaves one and joins the other. Both lanes are held. */
  async carryOutBoth(leaving: Step, joining: Step, inTurn?: InTurn): Promise<Session> {
    const writesOf = ({ session, effects }: Step, add?: InTurn): (readonly [Session, WriteEffect, InTurn | undefined])[] =>
      effects.filter((effect) => effect.type === 'write').map((effect) => [session, effect, add] as const)
    const written = await this.#write([...writesOf(leaving), ...writesOf(joining, inTurn)])
    await this.carryOut({ session: leaving.session, effects: gateOnly(leaving) })
    return this.carryOut({ session: written.find(({ id }) => id === joining.session.id) ?? joining.session, effects: gateOnly(joining) })
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
      if (isOver(session)) {
        this.behind.delete(session.id)
        this.#gatekeeper.forget(session.id)
      }
      this.#live.put(session)
    }
    return written as [Session, ...Session[]]
  }

  async #tellGate(session: Session, effect: GateEffect): Promise<Session> {
    const { clock, config, log } = this.#deps
    const leaseMs = config().hotspot.leaseSeconds * 1000
    const fromMs = clock.boottimeMs()
    const open = effect.open ? grantsOf(session, fromMs, leaseMs) : []
    const change: GateChange = { open, close: effect.close }
    const isOpening = session.state === 'gate-open'
    try {
      await this.#gatekeeper.tell(change, isOpening ? () => this.spawn('reconciling a late gate', this.#reconcile(session.id, change)) : undefined)
    } catch (thrown) {
      log.warn(isOpening ? 'the gate did not open' : 'the gate did not follow', { session: session.id, error: asError(thrown) })
      if (isOpening) {
        await this.#note(step(session, { type: 'refused', at: this.now() }))
        throw gateFailed(thrown)
      }
      this.onTrouble()
      if (open.length === 0) return session
      this.behind.add(session.id)
      return this.carryOut(step(session, { type: 'refused', at: this.now() }))
    }
    if (open.length === 0) return session
    this.behind.delete(session.id)
    const at = this.now()
    // The kernel counts the lease from when it was asked.
    if (isOpening) return this.#note(step(session, { type: 'opened', at, leaseMs: leaseMs - (at.boottimeMs - fromMs) }))
    return this.carryOut(step(session, { type: 'renewed', at, fromMs, openUntilMs: leaseEndOf(session, fromMs, leaseMs) }))
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

  /** The guest was told that it failed. If the gate opened after all, the session goes on from there. */
  async #reconcile(id: string, change: GateChange): Promise<void> {
    await this.#lanes.run([sessionLane(id)], async () => {
      const session = this.#live.get(id)
      if (session?.state === 'credited') {
        this.#deps.log.info('the gate opened late; the session goes on', { session: id })
        await this.perform(session, { type: 'open', by: 'service' })
        return
      }
      const strays = change.open.map((grant) => grant.mac).filter((mac) => !this.isHeld(mac))
      if (strays.length > 0) await this.#gatekeeper.tell({ open: [], close: strays })
    })
  }

  /** Is this device bound to a session that is open now? */
  isHeld(mac: MacAddress): boolean {
    const session = this.#live.ofDevice(mac)
    return session !== undefined && (session.state === 'active' || session.state === 'gate-open') && isBoundTo(session, mac)
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
