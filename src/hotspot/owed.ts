/**
 * Sessions that are owed an open gate without anybody asking: running or being opened when the service went.
 * All of them in one kernel change; if the kernel refuses it, they stay as they are and their time stands still.
 */
import type { Grant } from './gate/types.ts'
import type { Keeper } from './keeper.ts'
import type { Lanes } from './lanes.ts'
import { sessionLane } from './lanes.ts'
import type { LiveSessions } from './live-sessions.ts'
import type { HotspotDeps } from './ports.ts'
import { boundDevices, grantsOf, step, wantsOpening } from './session/index.ts'
import type { Session } from './session/index.ts'

export interface OwedParts {
  readonly live: LiveSessions
  readonly lanes: Lanes
  readonly keeper: Keeper
}

/**
 * `tell` hands the grants to the gate, together with what else it has to say, and gives the ids of sessions that
 * the gate does not take. `isRunningOnDisk`: the disk has
 * the session as active with these devices, so that the next checkpoint of its use is enough. Throws what the
 * gate says. Number of sessions opened.
 */
export async function openOwed(
  deps: HotspotDeps,
  { live, lanes, keeper }: OwedParts,
  tell: (grants: readonly Grant[]) => Promise<ReadonlySet<string>>,
  isRunningOnDisk: (session: Session) => boolean = () => false,
): Promise<number> {
  const leaseMs = deps.config().hotspot.leaseSeconds * 1000
  const owed = [...live.all()].filter(
    (session) => wantsOpening(session) && boundDevices(session).length > 0 && !lanes.isBusy(sessionLane(session.id)),
  )
  return lanes.run(
    owed.map((session) => sessionLane(session.id)),
    async () => {
      const opening = owed.map((session) => step(session, { type: 'open', by: 'service' }).session)
      const fromMs = deps.clock.boottimeMs()
      const refused = await tell(opening.flatMap((session) => grantsOf(session, fromMs, leaseMs)))
      const at = keeper.now()
      const opened = opening.filter((session) => !refused.has(session.id))
      for (const session of opened) {
        live.put(step(session, { type: 'opened', at, leaseMs: leaseMs - (at.boottimeMs - fromMs) }).session)
        if (!isRunningOnDisk(session)) keeper.unwritten.add(session.id)
      }
      if (opened.length > 0) deps.log.info('sessions go on', { sessions: opened.length })
      return opened.length
    },
  )
}
