/** Asks batman-adv for all that the picture is made of. */
import type { Batadv, GenetlinkCall } from '../../native/index.ts'
import type { Cancel } from '../../base/index.ts'
import type { MeshReading } from './picture.ts'

/** Errors: those of Batadv. */
export interface MeshReader {
  read(call: GenetlinkCall): Promise<MeshReading>
  /** Somebody changed a setting of the mesh, or events were lost. */
  watchSettings(onChange: () => void, call: GenetlinkCall): Promise<Cancel>
}

/** `meshName`: the batman-adv interface, such as `bat0`. */
export function createKernelReader(batadv: Batadv, meshName: string): MeshReader {
  return {
    async read(call) {
      // The settings first: they tell with one short answer that there is no mesh.
      const mesh = await batadv.mesh(meshName, call)
      const [originators, neighbours, gateways, localClients, globalClients] = await Promise.all([
        batadv.originators(meshName, call),
        batadv.neighbours(meshName, call),
        batadv.gateways(meshName, call),
        batadv.localTranslations(meshName, call),
        batadv.globalTranslations(meshName, call),
      ])
      return { mesh, originators, neighbours, gateways, localClients, globalClients }
    },
    watchSettings: (onChange, call) =>
      batadv.watchConfig(
        {
          onEvent(event) {
            const name = event.kind === 'mesh' ? event.mesh.interfaceName : event.meshName
            if (name === null || name === meshName) onChange()
          },
          onLost: onChange,
        },
        call,
      ),
  }
}
