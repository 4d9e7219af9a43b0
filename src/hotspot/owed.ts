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
 * `tell` hands the grants to the gate, together with what else it has to say. `isRunningOnDisk`: the disk has
 * the session as active with these devices, so that the next checkpoint of its use is enough. Throws what the
 * gate says. Number of sessions opened.
 */
export async function openOwed(
  deps: HotspotDeps,
  { live, lanes, keeper }: OwedParts,
  tell: (grants: readonly Grant[]) => Promise<void>,
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
      const grants = opening.flatMap((session) => grantsOf(session, deps.clock.boottimeMs(), leaseMs))
      keeper.onOpening(grants.map((grant) => grant.mac))
      await tell(grants)
      keeper.told(grants)
      const at = keeper.now()
      for (const session of opening) {
        live.put(step(session, { type: 'opened', at, leaseMs }).session)
        if (!isRunningOnDisk(session)) keeper.unwritten.add(session.id)
      }
      if (opening.length > 0) deps.log.info('sessions go on', { sessions: opening.length })
      return opening.length
    },
  )
}
