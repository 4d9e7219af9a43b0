/** Asks the kernel's Wi-Fi over an open Genetlink. Shapes: nl80211.ts. */
import { askAboutInterface, findFamily, watchGroup } from './genetlink-family.ts'
import type { FamilyTraits } from './genetlink-family.ts'
import type { Genetlink, GenetlinkCall } from './genetlink.ts'
import { NL80211_COMMAND, NL80211_INTERFACE_INDEX, decodeStation, decodeStationEvent, decodeWifiInterface } from './nl80211.ts'
import type { WifiInterface, WifiStation, WifiStationEvent } from './nl80211.ts'

const TRAITS: FamilyTraits = {
  name: 'nl80211',
  indexAttribute: NL80211_INTERFACE_INDEX,
  missing: { code: 'no-wifi', message: 'this box has no Wi-Fi: the kernel knows no nl80211; load the driver of its radio (on OpenWrt: the kmod package of the radio, such as kmod-mt7915e)' },
  wrongInterface: { code: 'no-wifi-interface', allowed: 'a Wi-Fi interface, such as phy0-ap0' },
}

export interface WifiStationWatcher {
  onEvent(event: WifiStationEvent): void
  /** Events were lost: read the stations again. */
  onLost(): void
}

/** Errors of all, besides those of Genetlink: `unavailable` `no-wifi`. */
export interface Wifi {
  /** Those of the Genetlink's namespace. */
  interfaces(call?: GenetlinkCall): Promise<WifiInterface[]>
  /** Errors: `not-found` `no-interface`; `input` `no-wifi-interface`. */
  stations(interfaceName: string, call?: GenetlinkCall): Promise<WifiStation[]>
  /** Stations that come and go, on all interfaces of the namespace. The function ends it. */
  watchStations(watcher: WifiStationWatcher, call?: GenetlinkCall): Promise<() => void>
}

export function createWifi(netlink: Genetlink): Wifi {
  return {
    async interfaces(call = {}) {
      const messages = await netlink.dump(await findFamily(netlink, TRAITS, call), NL80211_COMMAND.getInterface, new Uint8Array(0), call)
      return messages.flatMap((message) => decodeWifiInterface(message) ?? [])
    },
    async stations(interfaceName, call = {}) {
      const messages = await askAboutInterface(netlink, TRAITS, { interfaceName, command: NL80211_COMMAND.getStation, isDump: true }, call)
      return messages.flatMap((message) => decodeStation(message) ?? [])
    },
    watchStations: (watcher, call = {}) =>
      watchGroup(
        netlink,
        TRAITS,
        'mlme',
        {
          onMessage(message) {
            const event = decodeStationEvent(message)
            if (event !== null) watcher.onEvent(event)
          },
          onLost: () => watcher.onLost(),
        },
        call,
      ),
  }
}
