/**
 * After a start: what is on disk is owed. Running sessions and those that were being opened get their gate
 * back in one kernel change; paused ones stay paused; what ran out meanwhile is over (portal.md 2.10).
 */
import { asError } from '../base/index.ts'
import { openSessions, saveSession, sessionIds } from './io/session-tables.ts'
import { trialsTaken } from './io/trial-tables.ts'
import type { Keeper } from './keeper.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { Metering } from './metering.ts'
import type { HotspotDeps } from './ports.ts'
import type { SessionIds } from './session-ids.ts'
import { boundDevices, grantsOf, isOver, step, wantsOpening } from './session/index.ts'
import type { Session } from './session/index.ts'
import type { Trials } from './trials.ts'

export interface RestoreParts {
  readonly live: LiveSessions
  readonly keeper: Keeper
  readonly metering: Metering
  readonly trials: Trials
  readonly ids: SessionIds
}

/** Does not throw when the gate refuses: the sessions wait for the renewal, and no time is charged. */
export async function restore(deps: HotspotDeps, parts: RestoreParts): Promise<void> {
  const { store, clock } = deps
  const { live, keeper, trials, ids } = parts
  trials.load(store.read(trialsTaken))
  ids.restore(store.read((tx) => sessionIds(tx, 1, null))[0])
  const ended: Session[] = []
  const running = new Map<string, number>()
  for (const stored of store.read(openSessions)) {
    const sameBoot = stored.bootId === clock.bootId
    const { session } = step(stored.session, { type: 'restored', at: keeper.now(), sameBoot })
    if (isOver(session)) ended.push(session)
    else live.put(session)
    if (stored.session.state === 'active') running.set(session.id, boundDevices(stored.session).length)
  }
  if (ended.length > 0)
    await store.turn((tx) => {
      for (const session of ended) saveSession(tx, session, clock.bootId)
    })
  await openAll(deps, parts, running)
}

/** `running`: those that are 'active' on disk, with so many devices; for them a checkpoint of their use is enough. */
async function openAll(deps: HotspotDeps, parts: RestoreParts, running: ReadonlyMap<string, number>): Promise<void> {
  const { gate, clock, config, log } = deps
  const { live, keeper, metering } = parts
  const leaseMs = config().hotspot.leaseSeconds * 1000
  const waiting = [...live.all()].filter((session) => wantsOpening(session) && boundDevices(session).length > 0)
  const opening = waiting.map((session) => step(session, { type: 'open', by: 'service' }).session)
  const grants = opening.flatMap((session) => grantsOf(session, clock.boottimeMs(), leaseMs))
  metering.opening(grants.map((grant) => grant.mac))
  try {
    await gate.replace(grants)
  } catch (thrown) {
    log.error('the gate could not be opened for the running sessions; trying again every second', { error: asError(thrown) })
    keeper.onTrouble()
    return
  }
  const at = keeper.now()
  for (const session of opening) {
    live.put(step(session, { type: 'opened', at, leaseMs }).session)
    if (running.get(session.id) !== boundDevices(session).length) keeper.unwritten.add(session.id)
  }
  if (opening.length > 0) log.info('sessions go on', { sessions: opening.length })
}
