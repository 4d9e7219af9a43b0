/** What a kernel would say, in few words. */
import type { BatadvGlobalTranslation, BatadvLocalTranslation, BatadvOriginator } from '../../../src/native/index.ts'
import type { MeshReading } from '../../../src/mesh/view/index.ts'

export const FLAGS = { isDeleted: false, isRoaming: false, isWifi: true, isIsolated: false, isNeverPurged: false, isNew: false, isPending: false, isTemporary: false }
export const mac = (number: number): string => `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`

export function way(originator: number, neighbour: number, quality: number, isBest = true): BatadvOriginator {
  return { originator: mac(originator), neighbour: mac(neighbour), interfaceName: 'mesh0', interfaceIndex: 3, lastSeenMs: 120, isBest, tq: quality, throughputKbit: null }
}

export function far(address: number, originator: number, flags: Partial<typeof FLAGS> = {}, isBest = true): BatadvGlobalTranslation {
  return { address: mac(address), vlan: null, crc32: 1, flags: { ...FLAGS, ...flags }, originator: mac(originator), version: 1, lastVersion: 1, isBest }
}

export function near(address: number, flags: Partial<typeof FLAGS> = {}): BatadvLocalTranslation {
  return { address: mac(address), vlan: null, crc32: 1, flags: { ...FLAGS, ...flags }, lastSeenMs: 10 }
}

export function reading(parts: Partial<MeshReading>): MeshReading {
  const neighbours = [...new Set((parts.originators ?? []).filter((each) => each.originator === each.neighbour).map((each) => each.originator))]
  return {
    mesh: { algorithm: 'BATMAN_IV', primary: { interfaceName: 'mesh0', address: mac(1) }, address: mac(1), originatorIntervalMs: 1000 },
    originators: [],
    neighbours: neighbours.map((neighbour) => ({ neighbour, interfaceName: 'mesh0', interfaceIndex: 3, lastSeenMs: 100, throughputKbit: null })),
    gateways: [],
    localClients: [],
    globalClients: [],
    ...parts,
  }
}
