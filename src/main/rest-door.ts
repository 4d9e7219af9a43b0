/** The original node's REST interface on the owner's door, where the configuration wants it: docs/photon-rest.md. */
import { MeshBoxError, asError, type Log } from '../base/index.ts'
import { systemRandomness, systemTimers } from '../base/io/system.ts'
import type { PhotonConfig } from '../config/index.ts'
import { openPhotonToken, type PhotonRestDoor } from '../owner/index.ts'
import type { LanSide, PhotonDesk, ProgramDesk } from '../photon/index.ts'
import { createRest, deskApi, serveRest, type DeskApiParts } from '../photon/rest/index.ts'

export interface RestDoorParts {
  readonly desk: PhotonDesk
  /** Null: Photon could not be started. */
  readonly programs: ProgramDesk | null
  /** Null: no nodes of the original are spoken with. */
  readonly lan: LanSide | null
  readonly config: PhotonConfig
  readonly dataDir: string
  readonly version: string
  readonly log: Log
}

/** Null where it is not wanted, or where its token can be neither read nor made: guests and the owner do not wait for programs. */
export function restDoor({ desk, programs, lan, config, dataDir, version, log }: RestDoorParts): PhotonRestDoor | null {
  if (!config.rest) return null
  const { revealTimeout } = config
  const api = deskApi({
    desk,
    programs: programs ?? outOfOrder(),
    updateNodes: lan === null ? null : (nodes) => lan.updateNodes(nodes),
    build: { version, commit: '', built: '' },
    revealTimeout,
    randomness: systemRandomness,
    timers: systemTimers,
  })
  const rest = createRest(api, (fault) => log.error('a request of a program went wrong', { error: asError(fault) }))
  try {
    return { serve: (server, authorize) => serveRest(server, rest, authorize), token: openPhotonToken(dataDir, systemRandomness) }
  } catch (thrown) {
    log.error('programs are not served', { error: asError(thrown) })
    return null
  }
}

function outOfOrder(): DeskApiParts['programs'] {
  const refuse = (): never => {
    throw new MeshBoxError('unavailable', 'payment channels could not be started', { code: 'photon-2008' })
  }
  return { channel: refuse, waiting: refuse, monitoring: refuse, balanceOf: refuse, sendCoin: refuse, fees: refuse, setFees: refuse, setDirectOnly: refuse, prepareUpdate: refuse, stop: refuse, transactions: refuse }
}
