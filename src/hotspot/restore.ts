/**
 * After a start: what is on disk is owed. Running sessions and those that were being opened get their gate
 * back in one kernel change; paused ones stay paused; what ran out meanwhile is over (portal.md 2.10).
 */
import { asError } from '../base/index.ts'
import type { Grant } from './gate/types.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import { openSessions, saveSession, sessionIds } from './io/session-tables.ts'
import { trialsTaken } from './io/trial-tables.ts'
import { openOwed } from './owed.ts'
import type { OwedParts } from './owed.ts'
import type { HotspotDeps } from './ports.ts'
import type { SessionIds } from './session-ids.ts'
import { boundDevices, isOver, step } from './session/index.ts'
import type { Session } from './session/index.ts'
import type { Trials } from './trials.ts'

export interface RestoreParts extends OwedParts {
  readonly gatekeeper: Gatekeeper
  readonly trials: Trials
  readonly ids: SessionIds
  /** Other boxes' guests, who are in by a lease of this boot. */
  readonly visitors: () => readonly Grant[]
}

/** Does not throw when the gate refuses: the sessions wait for the renewal, and no time is charged. */
export async function restore(deps: HotspotDeps, parts: RestoreParts): Promise<void> {
  const { store, clock } = deps
  const { live, keeper, trials, ids } = parts
  trials.load(store.read(trialsTaken))
  ids.restore(store.read((tx) => sessionIds(tx, 1, null))[0])
  const ended: Session[] = []
  /** Active on disk, with so many devices. */
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
  try {
    await openOwed(
      deps,
      parts,
      (grants) => parts.gatekeeper.tellAll([...grants, ...parts.visitors()], [], 'replace'),
      (session) => running.get(session.id) === boundDevices(session).length,
    )
  } catch (thrown) {
    deps.log.error('the gate could not be opened for the running sessions; trying again every second', { error: asError(thrown) })
    keeper.onTrouble()
  }
}
