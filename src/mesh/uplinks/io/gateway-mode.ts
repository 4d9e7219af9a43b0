/**
 * batman-adv's gateway mode. Old kernels have a file for it (below /sys/class/net/<mesh>/mesh/, until Linux 5.10's successors took it
 * out), newer ones the command BATADV_CMD_SET_MESH; batctl does the same. Numbers: the kernel's <linux/batman_adv.h>. Needs CAP_NET_ADMIN.
 */
import { access, writeFile } from 'node:fs/promises'
import { concatBytes } from '../../../base/index.ts'
import { attribute, u32Attribute } from '../../../native/index.ts'
import type { Genetlink } from '../../../native/index.ts'
import type { UplinkRoutes } from '../../ports.ts'

const SET_MESH = 15
const MESH_INDEX = 3
const BANDWIDTH_DOWN = 49
const BANDWIDTH_UP = 50
const MODE = 51
const MODE_NUMBER = { client: 1, server: 2 } as const
/** The kernel counts gateways' rates in steps of so many kbit/s. */
const STEP_KBIT = 100
const MAX_STEPS = 0xffff_ffff

export type GatewayModeValue = Parameters<UplinkRoutes['announceGateway']>[0]

export interface GatewayMode {
  /** Errors: `unavailable`, with the kernel's reason. */
  set(mode: GatewayModeValue): Promise<void>
}

export interface GatewayModeParts {
  /** `bat0` */
  readonly meshInterface: string
  readonly genetlink: Pick<Genetlink, 'family' | 'request' | 'interfaceIndex'>
  /** `/sys/class/net` */
  readonly devicesPath: string
}

export function createGatewayMode({ meshInterface, genetlink, devicesPath }: GatewayModeParts): GatewayMode {
  const folder = `${devicesPath}/${meshInterface}/mesh`
  return {
    async set(mode) {
      if (await isThere(`${folder}/gw_mode`)) {
        if (mode.kind === 'server') await writeFile(`${folder}/gw_bandwidth`, `${mode.downKbit}kbit/${mode.upKbit}kbit\n`)
        await writeFile(`${folder}/gw_mode`, `${mode.kind}\n`)
        return
      }
      const family = await genetlink.family('batadv')
      const index = await genetlink.interfaceIndex(meshInterface)
      await genetlink.request(family, SET_MESH, setMeshAttributes(index, mode))
    },
  }
}

/** Rates first: the kernel announces them with the mode. */
export function setMeshAttributes(meshIndex: number, mode: GatewayModeValue): Uint8Array {
  const rates = mode.kind === 'server' ? [u32Attribute(BANDWIDTH_DOWN, steps(mode.downKbit)), u32Attribute(BANDWIDTH_UP, steps(mode.upKbit))] : []
  return concatBytes(u32Attribute(MESH_INDEX, meshIndex), ...rates, attribute(MODE, Uint8Array.of(MODE_NUMBER[mode.kind])))
}

/** At least one step: 0 would be no gateway. */
const steps = (kbit: number): number => Math.min(MAX_STEPS, Math.max(1, Math.round(kbit / STEP_KBIT)))

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
