/**
 * Native addons behind typed doors: secp256k1, nfnetlink, genetlink, udp. `load…` gives the addon, or what stands in where none was built (noble for
 * curves, null for nftables and udp, a door that refuses with the reason for genetlink). They move bytes and decide nothing. docs/native.md
 */
export { loadNfnetlink } from './io/nfnetlink.ts'
export { loadSecp256k1 } from './io/secp256k1.ts'
export { COMPRESSED_POINT_BYTES, SCALAR_BYTES } from './secp256k1.ts'
export type { HighS, PointForm, Secp256k1 } from './secp256k1.ts'
export { NfRefused } from './nfnetlink.ts'
export type {
  NfChange,
  NfCounter,
  NfDoomedElement,
  NfElement,
  NfEvent,
  NfEventKind,
  NfFamily,
  NfNewElement,
  NfQuota,
  NfQuotaState,
  NfSet,
  NfTable,
  NfWatchOptions,
  NfWatcher,
  Nfnetlink,
  NfnetlinkDoor,
  NfnetlinkOptions,
} from './nfnetlink.ts'
export { hostWord } from './nfnetlink-keys.ts'

export { loadGenetlink } from './io/genetlink.ts'
export type { Genetlink, GenetlinkCall, GenetlinkDoor, GenetlinkFamily, GenetlinkMessage, GenetlinkOptions, GenetlinkWatcher } from './genetlink.ts'
export { attribute, u32Attribute } from './genetlink-attributes.ts'
export { createTrafficActions } from './traffic-actions.ts'
export type { TrafficAction, TrafficActions } from './traffic-actions.ts'
export { createBatadv } from './batadv-mesh.ts'
export type { Batadv, BatadvConfigWatcher } from './batadv-mesh.ts'
export type {
  BatadvBackbone,
  BatadvClaim,
  BatadvConfigEvent,
  BatadvGateway,
  BatadvGatewayMode,
  BatadvGlobalTranslation,
  BatadvHardInterface,
  BatadvLocalTranslation,
  BatadvMesh,
  BatadvMetric,
  BatadvNeighbour,
  BatadvOriginator,
  BatadvTranslation,
  BatadvTranslationFlags,
} from './batadv.ts'
export { createWifi } from './nl80211-wifi.ts'
export type { Wifi, WifiStationWatcher } from './nl80211-wifi.ts'
export type { WifiInterface, WifiInterfaceType, WifiStation, WifiStationEvent } from './nl80211.ts'

export { loadUdp } from './io/udp.ts'
export type { OpenUdp, UdpOptions, UdpPlace, UdpSocket } from './udp.ts'
