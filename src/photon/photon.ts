/**
 * The running room: channels of our contract, and beside them, where the box wants that, those of the original's with nodes
 * on the LAN. It is there at once and says what it waits for.
 */
import { Alarms, FeeBoard, PaymentModes, RunningPhoton } from './box/index.ts'
import type { RoomTerms } from './box/index.ts'
import { JoinedDesk } from './joined-desk.ts'
import type { Photon, PhotonParts } from './parts.ts'
import { PatientRoom } from './patient-room.ts'
import { ProgramDesk } from './program-desk.ts'
import { LegacyDesk, Places, RunningLegacy } from './v1/index.ts'
import type { LanSide, LegacyParts } from './v1/index.ts'

export interface PhotonRooms extends Photon {
  /** Nodes of the original Photon; null: the box does not speak with them. */
  readonly lan: LanSide | null
  /** For the original's REST. */
  readonly programs: ProgramDesk
}

/** Errors: what reading the book throws. What the network or the chain cannot do now is an alarm, and tried again. */
export async function startPhoton(parts: PhotonParts, legacy: LegacyParts | null = null): Promise<PhotonRooms> {
  const { chain, settings, log } = parts
  const alarms = new Alarms(parts.clock, parts.log, () => desk.changed())
  const changed = (): void => desk.changed()
  const held: RoomTerms = { modes: new PaymentModes(alarms), fees: new FeeBoard(parts.store, settings.fee) }
  const own = new PatientRoom<RunningPhoton>({
    parts,
    profile: 'v2',
    contract: settings.contract,
    alarms,
    objection: ({ domain }) => (domain.chainId === chain.chainId ? null : `the channel contract says that it is of chain ${domain.chainId}, and this is chain ${chain.chainId}: signatures would mean nothing`),
    make: (terms) => new RunningPhoton(parts, terms, alarms, changed, held),
    started: (running) => {
      changed()
      log.info('payment channels run', { account: parts.signer.account, contract: settings.contract, channels: running.node.channels().length })
    },
  })
  const lan = legacy === null ? null : legacyRoom(parts, legacy, alarms, changed, held)
  const desk: JoinedDesk = new JoinedDesk({ parts, alarms, running: () => own.running, isHalted: () => own.isHalted }, lan?.side ?? null, () => lan?.desk() ?? null, held.modes)
  await own.start()
  try {
    await lan?.room.start()
  } catch (thrown) {
    await own.stop()
    throw thrown
  }
  return {
    account: parts.signer.account,
    desk,
    streams: () => (held.modes.isStopped ? null : (own.running?.streams ?? null)),
    direct: () => (held.modes.isStopped ? null : (own.running?.direct ?? null)),
    routed: () => (held.modes.isStopped ? null : (own.running?.routed ?? null)),
    lan: lan?.side ?? null,
    programs: new ProgramDesk({ parts, modes: held.modes, fees: held.fees, own: () => own.running, legacy: () => lan?.room.running ?? null }),
    stop: async () => {
      await lan?.room.stop()
      await own.stop()
    },
  }
}

interface LegacyRoom {
  readonly room: PatientRoom<RunningLegacy>
  readonly side: LanSide
  desk(): LegacyDesk | null
}

function legacyRoom(parts: PhotonParts, legacy: LegacyParts, alarms: Alarms, changed: () => void, held: RoomTerms): LegacyRoom {
  const { contract } = legacy.settings
  let desk: LegacyDesk | null = null
  const room = new PatientRoom<RunningLegacy>({
    parts,
    profile: 'v1',
    contract,
    alarms,
    // The original's chain id is what its maker wrote, not the network's: it is signed, and nothing else.
    objection: () => null,
    make: (terms) => new RunningLegacy(parts, legacy, terms, alarms, changed, held),
    started: (running) => {
      desk = new LegacyDesk(running)
      // Said by the owner before the contract was read.
      if (waiting.length > 0) running.updateNodes(waiting)
      changed()
      parts.log.info('channels with original nodes run', { account: legacy.signer.account, contract, channels: running.node.channels().length })
    },
  })
  const { account } = legacy.signer
  let waiting: Parameters<LanSide['updateNodes']>[0] = []
  const side: LanSide = {
    account,
    contract,
    status: () => room.running?.status() ?? { state: 'starting', listening: null, nodes: [], taken: 0, dropped: 0, gasWei: null },
    updateNodes(nodes) {
      if (room.running !== null) return room.running.updateNodes(nodes)
      new Places(account, () => new Set()).own(nodes)
      waiting = nodes
    },
  }
  return { room, side, desk: () => desk }
}
