/**
 * What batman-adv says about its mesh, read from the bytes of its generic netlink family `batadv`. Numbers: the
 * kernel's <linux/batman_adv.h>; which command carries which attribute was seen on Linux 6.1.
 *
 * What a kernel does not tell is null. An entry without the address it is about is left out.
 */
import { readAttributes } from './genetlink-attributes.ts'
import type { Attributes } from './genetlink-attributes.ts'
import type { GenetlinkMessage } from './genetlink.ts'

export const BATADV_COMMAND = {
  mesh: 1,
  hardInterfaces: 5,
  localTranslations: 6,
  globalTranslations: 7,
  originators: 8,
  neighbours: 9,
  gateways: 10,
  claims: 11,
  backbones: 12,
  setMesh: 15,
  setHardInterface: 16,
  setVlan: 18,
} as const

export const BATADV_MESH_INDEX = 3

const ATTRIBUTE = {
  version: 1,
  algorithm: 2,
  meshName: 4,
  meshAddress: 5,
  hardIndex: 6,
  hardName: 7,
  hardAddress: 8,
  originator: 9,
  active: 15,
  ttAddress: 16,
  ttVersion: 17,
  ttLastVersion: 18,
  ttCrc32: 19,
  ttVlan: 20,
  ttFlags: 21,
  best: 22,
  lastSeenMs: 23,
  neighbour: 24,
  tq: 25,
  throughput: 26,
  bandwidthUp: 27,
  bandwidthDown: 28,
  router: 29,
  blaOwn: 30,
  blaAddress: 31,
  blaVlan: 32,
  blaBackbone: 33,
  blaCrc: 34,
  vlanId: 40,
  apIsolation: 42,
  bridgeLoopAvoidance: 46,
  gatewayDown: 49,
  gatewayUp: 50,
  gatewayMode: 51,
  hopPenalty: 53,
  originatorIntervalMs: 57,
  elpIntervalMs: 58,
  throughputOverride: 59,
} as const

export type BatadvGatewayMode = 'off' | 'client' | 'server'
const GATEWAY_MODES: readonly BatadvGatewayMode[] = ['off', 'client', 'server']

/** The mesh interface itself. */
export interface BatadvMesh {
  /** Of the module, such as `2022.3`. */
  readonly version: string | null
  /** `BATMAN_IV` or `BATMAN_V`. */
  readonly algorithm: string | null
  readonly interfaceName: string | null
  readonly interfaceIndex: number | null
  readonly address: string | null
  /** The first hard interface, whose address is this box's name in the mesh; null without one. */
  readonly primary: { readonly interfaceName: string | null; readonly address: string | null } | null
  readonly translationVersion: number | null
  readonly gatewayMode: BatadvGatewayMode | null
  /** What this box announces as a gateway. */
  readonly gatewayDownKbit: number | null
  readonly gatewayUpKbit: number | null
  readonly originatorIntervalMs: number | null
  readonly hopPenalty: number | null
  readonly isApIsolated: boolean | null
  readonly isBridgeLoopAvoided: boolean | null
}

/** An interface over which the mesh is spoken. */
export interface BatadvHardInterface {
  readonly interfaceName: string | null
  readonly interfaceIndex: number | null
  readonly address: string | null
  readonly isActive: boolean
  readonly hopPenalty: number | null
  /** Only BATMAN_V uses it; a kernel that knows BATMAN_V tells it anyway. */
  readonly elpIntervalMs: number | null
  /** Likewise; 0: measured. */
  readonly throughputOverrideKbit: number | null
}

/** How good a way is: TQ (0 to 255) with BATMAN_IV, throughput with BATMAN_V; the other is null. */
export interface BatadvMetric {
  readonly tq: number | null
  readonly throughputKbit: number | null
}

/** One way to a node; a node has as many entries as there are ways. */
export interface BatadvOriginator extends BatadvMetric {
  readonly originator: string
  /** Next hop of this way. */
  readonly neighbour: string | null
  readonly interfaceName: string | null
  readonly interfaceIndex: number | null
  readonly lastSeenMs: number | null
  /** Whether traffic takes this way. */
  readonly isBest: boolean
}

export interface BatadvNeighbour {
  readonly neighbour: string
  readonly interfaceName: string | null
  readonly interfaceIndex: number | null
  readonly lastSeenMs: number | null
  /** BATMAN_V. */
  readonly throughputKbit: number | null
}

/** A node that announces an uplink. Told only where this box is a gateway's client. */
export interface BatadvGateway extends BatadvMetric {
  readonly originator: string
  readonly router: string | null
  readonly interfaceName: string | null
  readonly bandwidthDownKbit: number | null
  readonly bandwidthUpKbit: number | null
  /** The one that is in use. */
  readonly isBest: boolean
}

export interface BatadvTranslationFlags {
  readonly isDeleted: boolean
  readonly isRoaming: boolean
  readonly isWifi: boolean
  readonly isIsolated: boolean
  /** Local: the box itself, never forgotten. */
  readonly isNeverPurged: boolean
  /** Local: not announced yet. */
  readonly isNew: boolean
  /** Local: about to be removed. */
  readonly isPending: boolean
  /** Global: seen, but nobody has announced it yet. */
  readonly isTemporary: boolean
}

export interface BatadvTranslation {
  /** Of the client. */
  readonly address: string
  /** Null: without a VLAN tag. */
  readonly vlan: number | null
  readonly crc32: number | null
  readonly flags: BatadvTranslationFlags
}

/** A client of this box. */
export interface BatadvLocalTranslation extends BatadvTranslation {
  /** Null for those that are never forgotten. */
  readonly lastSeenMs: number | null
}

/** A client of another node, as that node announced it. */
export interface BatadvGlobalTranslation extends BatadvTranslation {
  readonly originator: string | null
  readonly version: number | null
  readonly lastVersion: number | null
  readonly isBest: boolean
}

/** Bridge loop avoidance: a client that a backbone gateway has claimed. */
export interface BatadvClaim {
  readonly address: string
  readonly vlan: number | null
  readonly backbone: string | null
  readonly crc: number | null
  readonly isOwn: boolean
}

/** Bridge loop avoidance: a node on the same wire. The box itself is listed, once per VLAN, even while it is off. */
export interface BatadvBackbone {
  readonly backbone: string
  readonly vlan: number | null
  readonly crc: number | null
  readonly isOwn: boolean
  readonly lastSeenMs: number | null
}

/** Somebody changed a setting; it is told as it is now. */
export type BatadvConfigEvent =
  | { readonly kind: 'mesh'; readonly mesh: BatadvMesh }
  | { readonly kind: 'hard-interface'; readonly meshName: string | null; readonly hardInterface: BatadvHardInterface }
  | { readonly kind: 'vlan'; readonly meshName: string | null; readonly vlan: number | null; readonly isApIsolated: boolean | null }

const FLAG = { deleted: 1, roaming: 2, wifi: 16, isolated: 32, neverPurged: 256, new: 512, pending: 1024, temporary: 2048 } as const
const VLAN_HAS_TAG = 0x8000
const VLAN_ID = 0x0fff
/**
 * Bandwidths of gateways, the throughput to a gateway and the one that is set by hand come in units of 100 kbit/s;
 * throughput of originators and neighbours in kbit/s.
 */
const KBIT_PER_STEP = 100

export function decodeMesh(message: GenetlinkMessage): BatadvMesh {
  const found = readAttributes(message.attributes)
  const primary = { interfaceName: found.text(ATTRIBUTE.hardName), address: found.mac(ATTRIBUTE.hardAddress) }
  return {
    version: found.text(ATTRIBUTE.version),
    algorithm: found.text(ATTRIBUTE.algorithm),
    interfaceName: found.text(ATTRIBUTE.meshName),
    interfaceIndex: found.u32(BATADV_MESH_INDEX),
    address: found.mac(ATTRIBUTE.meshAddress),
    primary: primary.interfaceName === null && primary.address === null ? null : primary,
    translationVersion: found.u8(ATTRIBUTE.ttVersion),
    gatewayMode: GATEWAY_MODES[found.u8(ATTRIBUTE.gatewayMode) ?? -1] ?? null,
    gatewayDownKbit: steps(found.u32(ATTRIBUTE.gatewayDown)),
    gatewayUpKbit: steps(found.u32(ATTRIBUTE.gatewayUp)),
    originatorIntervalMs: found.u32(ATTRIBUTE.originatorIntervalMs),
    hopPenalty: found.u8(ATTRIBUTE.hopPenalty),
    isApIsolated: truth(found.u8(ATTRIBUTE.apIsolation)),
    isBridgeLoopAvoided: truth(found.u8(ATTRIBUTE.bridgeLoopAvoidance)),
  }
}

export function decodeHardInterface(message: GenetlinkMessage): BatadvHardInterface {
  const found = readAttributes(message.attributes)
  return {
    interfaceName: found.text(ATTRIBUTE.hardName),
    interfaceIndex: found.u32(ATTRIBUTE.hardIndex),
    address: found.mac(ATTRIBUTE.hardAddress),
    isActive: found.flag(ATTRIBUTE.active),
    hopPenalty: found.u8(ATTRIBUTE.hopPenalty),
    elpIntervalMs: found.u32(ATTRIBUTE.elpIntervalMs),
    throughputOverrideKbit: steps(found.u32(ATTRIBUTE.throughputOverride)),
  }
}

export function decodeOriginator(message: GenetlinkMessage): BatadvOriginator | null {
  const found = readAttributes(message.attributes)
  const originator = found.mac(ATTRIBUTE.originator)
  if (originator === null) return null
  return {
    originator,
    neighbour: found.mac(ATTRIBUTE.neighbour),
    interfaceName: found.text(ATTRIBUTE.hardName),
    interfaceIndex: found.u32(ATTRIBUTE.hardIndex),
    lastSeenMs: found.u32(ATTRIBUTE.lastSeenMs),
    isBest: found.flag(ATTRIBUTE.best),
    tq: found.u8(ATTRIBUTE.tq),
    throughputKbit: found.u32(ATTRIBUTE.throughput),
  }
}

export function decodeNeighbour(message: GenetlinkMessage): BatadvNeighbour | null {
  const found = readAttributes(message.attributes)
  const neighbour = found.mac(ATTRIBUTE.neighbour)
  if (neighbour === null) return null
  return {
    neighbour,
    interfaceName: found.text(ATTRIBUTE.hardName),
    interfaceIndex: found.u32(ATTRIBUTE.hardIndex),
    lastSeenMs: found.u32(ATTRIBUTE.lastSeenMs),
    throughputKbit: found.u32(ATTRIBUTE.throughput),
  }
}

export function decodeGateway(message: GenetlinkMessage): BatadvGateway | null {
  const found = readAttributes(message.attributes)
  const originator = found.mac(ATTRIBUTE.originator)
  if (originator === null) return null
  return {
    originator,
    router: found.mac(ATTRIBUTE.router),
    interfaceName: found.text(ATTRIBUTE.hardName),
    bandwidthDownKbit: steps(found.u32(ATTRIBUTE.bandwidthDown)),
    bandwidthUpKbit: steps(found.u32(ATTRIBUTE.bandwidthUp)),
    isBest: found.flag(ATTRIBUTE.best),
    tq: found.u8(ATTRIBUTE.tq),
    throughputKbit: steps(found.u32(ATTRIBUTE.throughput)),
  }
}

export function decodeLocalTranslation(message: GenetlinkMessage): BatadvLocalTranslation | null {
  const found = readAttributes(message.attributes)
  const translation = translationOf(found)
  return translation === null ? null : { ...translation, lastSeenMs: found.u32(ATTRIBUTE.lastSeenMs) }
}

export function decodeGlobalTranslation(message: GenetlinkMessage): BatadvGlobalTranslation | null {
  const found = readAttributes(message.attributes)
  const translation = translationOf(found)
  if (translation === null) return null
  return {
    ...translation,
    originator: found.mac(ATTRIBUTE.originator),
    version: found.u8(ATTRIBUTE.ttVersion),
    lastVersion: found.u8(ATTRIBUTE.ttLastVersion),
    isBest: found.flag(ATTRIBUTE.best),
  }
}

export function decodeClaim(message: GenetlinkMessage): BatadvClaim | null {
  const found = readAttributes(message.attributes)
  const address = found.mac(ATTRIBUTE.blaAddress)
  if (address === null) return null
  return { address, vlan: vlanOf(found.u16(ATTRIBUTE.blaVlan)), backbone: found.mac(ATTRIBUTE.blaBackbone), crc: found.u16(ATTRIBUTE.blaCrc), isOwn: found.flag(ATTRIBUTE.blaOwn) }
}

export function decodeBackbone(message: GenetlinkMessage): BatadvBackbone | null {
  const found = readAttributes(message.attributes)
  const backbone = found.mac(ATTRIBUTE.blaBackbone)
  if (backbone === null) return null
  return { backbone, vlan: vlanOf(found.u16(ATTRIBUTE.blaVlan)), crc: found.u16(ATTRIBUTE.blaCrc), isOwn: found.flag(ATTRIBUTE.blaOwn), lastSeenMs: found.u32(ATTRIBUTE.lastSeenMs) }
}

/** Null for a message that is no change of a setting. */
export function decodeConfigEvent(message: GenetlinkMessage): BatadvConfigEvent | null {
  const found = readAttributes(message.attributes)
  const meshName = found.text(ATTRIBUTE.meshName)
  switch (message.command) {
    case BATADV_COMMAND.setMesh:
      return { kind: 'mesh', mesh: decodeMesh(message) }
    case BATADV_COMMAND.setHardInterface:
      return { kind: 'hard-interface', meshName, hardInterface: decodeHardInterface(message) }
    case BATADV_COMMAND.setVlan:
      return { kind: 'vlan', meshName, vlan: found.u32(ATTRIBUTE.vlanId), isApIsolated: truth(found.u8(ATTRIBUTE.apIsolation)) }
    default:
      return null
  }
}

function translationOf(found: Attributes): BatadvTranslation | null {
  const address = found.mac(ATTRIBUTE.ttAddress)
  if (address === null) return null
  const flags = found.u32(ATTRIBUTE.ttFlags) ?? 0
  const has = (flag: number): boolean => (flags & flag) !== 0
  return {
    address,
    vlan: vlanOf(found.u16(ATTRIBUTE.ttVlan)),
    crc32: found.u32(ATTRIBUTE.ttCrc32),
    flags: {
      isDeleted: has(FLAG.deleted),
      isRoaming: has(FLAG.roaming),
      isWifi: has(FLAG.wifi),
      isIsolated: has(FLAG.isolated),
      isNeverPurged: has(FLAG.neverPurged),
      isNew: has(FLAG.new),
      isPending: has(FLAG.pending),
      isTemporary: has(FLAG.temporary),
    },
  }
}

const vlanOf = (value: number | null): number | null => (value === null || (value & VLAN_HAS_TAG) === 0 ? null : value & VLAN_ID)
const steps = (value: number | null): number | null => (value === null ? null : value * KBIT_PER_STEP)
const truth = (value: number | null): boolean | null => (value === null ? null : value !== 0)
