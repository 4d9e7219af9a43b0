/**
 * What the doors of batman-adv and Wi-Fi have in common: find the family, find the interface, ask, and say in
 * the owner's words what is missing. The family is looked for at each call: its number changes when its module
 * is loaded again.
 */
import { MeshBoxError } from '../base/index.ts'
import { u32Attribute } from './genetlink-attributes.ts'
import { GenetlinkRefused } from './genetlink.ts'
import type { Genetlink, GenetlinkCall, GenetlinkFamily, GenetlinkMessage, GenetlinkWatcher } from './genetlink.ts'

export interface FamilyTraits {
  readonly name: string
  /** The attribute that names the interface by its index. */
  readonly indexAttribute: number
  /** When the kernel does not have the family. */
  readonly missing: { readonly code: string; readonly message: string }
  /** When the interface exists and is of another kind. */
  readonly wrongInterface: { readonly code: string; readonly allowed: string }
}

export interface InterfaceQuestion {
  readonly interfaceName: string
  readonly command: number
  readonly isDump: boolean
}

/** Errors: `unavailable` with the code of `missing`. */
export async function findFamily(netlink: Genetlink, traits: FamilyTraits, call: GenetlinkCall): Promise<GenetlinkFamily> {
  try {
    return await netlink.family(traits.name, call)
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.code !== 'genetlink-no-family') throw error
    throw new MeshBoxError('unavailable', traits.missing.message, { code: traits.missing.code, cause: error })
  }
}

/** Errors: of findFamily; `not-found` `no-interface`; `input` with the code of `wrongInterface`; GenetlinkRefused. */
export async function askAboutInterface(netlink: Genetlink, traits: FamilyTraits, question: InterfaceQuestion, call: GenetlinkCall): Promise<GenetlinkMessage[]> {
  const { interfaceName, command, isDump } = question
  const asked = netlink.interfaceIndex(interfaceName, call)
  asked.catch(() => undefined) // a missing family is told first: without it there is no such interface
  const family = await findFamily(netlink, traits, call)
  const index = await asked
  const attributes = u32Attribute(traits.indexAttribute, index)
  try {
    return await (isDump ? netlink.dump(family, command, attributes, call) : netlink.request(family, command, attributes, call))
  } catch (error) {
    const isOtherKind = error instanceof GenetlinkRefused && ['ENODEV', 'EINVAL', 'EOPNOTSUPP'].includes(error.errno)
    if (!isOtherKind) throw error
    const { code, allowed } = traits.wrongInterface
    throw new MeshBoxError('input', `interface: ${interfaceName} is not allowed; allowed: ${allowed}`, { code, field: 'interface', value: interfaceName, allowed, cause: error })
  }
}

/** Errors: of findFamily; `unavailable` `genetlink-no-group`. */
export async function watchGroup(netlink: Genetlink, traits: FamilyTraits, group: string, watcher: GenetlinkWatcher, call: GenetlinkCall): Promise<() => void> {
  return netlink.watch(await findFamily(netlink, traits, call), group, watcher)
}
