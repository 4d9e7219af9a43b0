/** Asks batman-adv over an open Genetlink. Shapes: batadv.ts. */
import { MeshBoxError } from '../base/index.ts'
import {
  BATADV_COMMAND,
  BATADV_MESH_INDEX,
  decodeBackbone,
  decodeClaim,
  decodeConfigEvent,
  decodeGateway,
  decodeGlobalTranslation,
  decodeHardInterface,
  decodeLocalTranslation,
  decodeMesh,
  decodeNeighbour,
  decodeOriginator,
} from './batadv.ts'
import type {
  BatadvBackbone,
  BatadvClaim,
  BatadvConfigEvent,
  BatadvGateway,
  BatadvGlobalTranslation,
  BatadvHardInterface,
  BatadvLocalTranslation,
  BatadvMesh,
  BatadvNeighbour,
  BatadvOriginator,
} from './batadv.ts'
import { askAboutInterface, watchGroup } from './genetlink-family.ts'
import type { FamilyTraits } from './genetlink-family.ts'
import { GenetlinkRefused } from './genetlink.ts'
import type { Genetlink, GenetlinkCall, GenetlinkMessage } from './genetlink.ts'

const TRAITS: FamilyTraits = {
  name: 'batadv',
  indexAttribute: BATADV_MESH_INDEX,
  missing: { code: 'no-batman-adv', message: 'this box has no mesh: the kernel module batman-adv is not loaded; on OpenWrt install kmod-batman-adv, elsewhere run: modprobe batman-adv' },
  wrongInterface: { code: 'no-mesh-interface', allowed: 'a batman-adv interface, such as bat0' },
}

export interface BatadvConfigWatcher {
  onEvent(event: BatadvConfigEvent): void
  /** Events were lost: read again what matters. */
  onLost(): void
}

/**
 * `mesh` is the name of a batman-adv interface of the Genetlink's namespace. Errors of all, besides those of
 * Genetlink: `unavailable` `no-batman-adv`; `not-found` `no-interface`; `input` `no-mesh-interface`;
 * `unavailable` `mesh-idle`: the mesh has no active hard interface, so there is nothing to tell.
 */
export interface Batadv {
  mesh(mesh: string, call?: GenetlinkCall): Promise<BatadvMesh>
  hardInterfaces(mesh: string, call?: GenetlinkCall): Promise<BatadvHardInterface[]>
  originators(mesh: string, call?: GenetlinkCall): Promise<BatadvOriginator[]>
  neighbours(mesh: string, call?: GenetlinkCall): Promise<BatadvNeighbour[]>
  gateways(mesh: string, call?: GenetlinkCall): Promise<BatadvGateway[]>
  localTranslations(mesh: string, call?: GenetlinkCall): Promise<BatadvLocalTranslation[]>
  globalTranslations(mesh: string, call?: GenetlinkCall): Promise<BatadvGlobalTranslation[]>
  claims(mesh: string, call?: GenetlinkCall): Promise<BatadvClaim[]>
  backbones(mesh: string, call?: GenetlinkCall): Promise<BatadvBackbone[]>
  /** Changed settings of all meshes of the namespace. The function ends it. */
  watchConfig(watcher: BatadvConfigWatcher, call?: GenetlinkCall): Promise<() => void>
}

export function createBatadv(netlink: Genetlink): Batadv {
  const ask = async (interfaceName: string, command: number, isDump: boolean, call: GenetlinkCall): Promise<GenetlinkMessage[]> => {
    try {
      return await askAboutInterface(netlink, TRAITS, { interfaceName, command, isDump }, call)
    } catch (error) {
      if (!(error instanceof GenetlinkRefused) || error.errno !== 'ENOENT') throw error
      throw new MeshBoxError('unavailable', `the mesh ${interfaceName} has no active hard interface yet`, { code: 'mesh-idle', value: interfaceName, cause: error })
    }
  }
  const list =
    <Entry>(command: number, decode: (message: GenetlinkMessage) => Entry | null) =>
    async (mesh: string, call: GenetlinkCall = {}): Promise<Entry[]> =>
      (await ask(mesh, command, true, call)).flatMap((message) => decode(message) ?? [])

  return {
    async mesh(mesh, call = {}) {
      const [message] = await ask(mesh, BATADV_COMMAND.mesh, false, call)
      if (message === undefined) throw new MeshBoxError('unavailable', `batman-adv told nothing about ${mesh}`, { code: 'mesh-idle', value: mesh })
      return decodeMesh(message)
    },
    hardInterfaces: list(BATADV_COMMAND.hardInterfaces, decodeHardInterface),
    originators: list(BATADV_COMMAND.originators, decodeOriginator),
    neighbours: list(BATADV_COMMAND.neighbours, decodeNeighbour),
    gateways: list(BATADV_COMMAND.gateways, decodeGateway),
    localTranslations: list(BATADV_COMMAND.localTranslations, decodeLocalTranslation),
    globalTranslations: list(BATADV_COMMAND.globalTranslations, decodeGlobalTranslation),
    claims: list(BATADV_COMMAND.claims, decodeClaim),
    backbones: list(BATADV_COMMAND.backbones, decodeBackbone),
    watchConfig: (watcher, call = {}) =>
      watchGroup(
        netlink,
        TRAITS,
        'config',
        {
          onMessage(message) {
            const event = decodeConfigEvent(message)
            if (event !== null) watcher.onEvent(event)
          },
          onLost: () => watcher.onLost(),
        },
        call,
      ),
  }
}
