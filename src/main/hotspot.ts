/** The hotspot's rooms joined: gate, neighbours, sessions, portal, and what dnsmasq must know. */
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { asError, type Log } from '../base/index.ts'
import type { SystemClock } from '../base/io/system.ts'
import { systemRandomness, systemTimers } from '../base/io/system.ts'
import type { Config } from '../config/index.ts'
import { DnsmasqFiles, createGate } from '../hotspot/gate/index.ts'
import { Hotspot, type OwnerDesk, type Roaming, type WayOut } from '../hotspot/index.ts'
import { PortalServer, readTlsFiles, type GuestRpc, type Option114 } from '../hotspot/portal/index.ts'
import type { Identity, Signer, VoucherKeys } from '../identity/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Store } from '../store/index.ts'
import { GuestAhead } from './guest-ahead.ts'
import { GuestStreams } from './guest-streams.ts'
import { netlinkOpener } from './native-parts.ts'
import { visitFile } from './roaming-file.ts'
import { readGuestScript, readWalletScript } from './web-files.ts'

export interface HotspotParts {
  readonly config: () => Config
  readonly store: Store
  readonly ledger: Ledger
  readonly voucherKeys: VoucherKeys
  readonly identity: Identity
  readonly signer: Signer
  readonly clock: SystemClock
  readonly log: Log
  /** Folder of the bundle. */
  readonly folder: string
  /** The chain for guests; null while there is none. */
  readonly guestRpc: () => GuestRpc | null
  /** Payment channels; null while there are none. They start after the hotspot, and stop before it. */
  readonly channels: () => Photon | null
  /** As the mesh sees it, which starts later. */
  readonly wayOut: () => WayOut
}

export interface RunningHotspot {
  readonly desk: OwnerDesk
  /** Sessions that go with their guests, for whoever talks with other boxes. */
  readonly walking: Roaming
  configChanged(): Promise<void> | void
  stop(): Promise<void>
}

/** Order: the gate (closed), the sessions (leases put back), the portal (guests may come). */
export async function startHotspot(parts: HotspotParts): Promise<RunningHotspot> {
  const { config, clock, log } = parts
  const { hotspot: settings, main } = config()
  let announced: Option114 = { uri: null, reason: 'the portal is not up yet' }

  const { gate, neighbours } = createGate(settings, {
    clock,
    timers: systemTimers,
    log: log.room('gate'),
    runtimeDir: join(main.dataDir, 'run'),
    openNetlink: netlinkOpener(join(parts.folder, 'native/nfnetlink.node')),
    callbacks: {
      desired: () => hotspot.desiredGrants(),
      alarm: (alarm) => hotspot.onAlarm(alarm),
      spent: (sessionId) => hotspot.onSpent(sessionId),
    },
  })
  const hotspot = new Hotspot({
    config,
    store: parts.store,
    ledger: parts.ledger,
    gate,
    neighbours,
    voucherKeys: parts.voucherKeys,
    signer: parts.identity,
    clock,
    timers: systemTimers,
    randomness: systemRandomness,
    log: log.room('hotspot'),
    // On routers /var is tmpfs, as for the seconds of streams.
    visitJournal: visitFile(`${main.controlSocket}.visits`),
    wayOut: parts.wayOut,
    option114: () => ({ state: announced.uri === null ? 'withheld' : 'announced', reason: announced.reason }),
  })
  const streams = new GuestStreams({
    config,
    hotspot,
    channels: parts.channels,
    keccak: keccak_256,
    store: parts.store,
    // On routers /var is tmpfs: seconds are not written to flash.
    journalPath: `${main.controlSocket}.streams`,
    clock,
    timers: systemTimers,
    randomness: systemRandomness,
    log,
  })
  const ahead = new GuestAhead({ config, sales: hotspot.ahead, channels: parts.channels, store: parts.store, timers: systemTimers, log })
  const dnsmasq = new DnsmasqFiles({ confDir: settings.dnsmasqConfDir, optionsFile: settings.dnsmasqOptionsFile, pidFile: settings.dnsmasqPidFile }, log.room('dnsmasq'))
  const portal = new PortalServer({
    desk: hotspot.guests,
    neighbours,
    config,
    clock,
    timers: systemTimers,
    randomness: systemRandomness,
    log,
    script: readGuestScript(parts.folder),
    walletScript: readWalletScript(parts.folder),
    signer: parts.signer,
    rpc: parts.guestRpc,
    stream: () => streams.door(),
    ahead: () => ahead.door(),
    tls: () => readTlsFiles(config().hotspot),
    onOption114: (option) => {
      announced = option
      tell(log, () => dnsmasq.writeApiUri(option.uri))
    },
  })

  if (settings.gate === 'nft')
    tell(log, () =>
      dnsmasq.writeSnippet({
        portalHost: settings.portalHost,
        routerAddresses: addressesOf(settings.guestInterface),
        gardenDomains: settings.walledGardenDomains,
      }),
    )
  await neighbours.start()
  try {
    await gate.start()
    try {
      await hotspot.start()
      streams.start()
      await ahead.start()
      await portal.start()
    } catch (error) {
      await gate.stop()
      throw error
    }
  } catch (error) {
    await neighbours.stop()
    throw error
  }
  return {
    desk: hotspot.owner,
    walking: hotspot.roaming,
    configChanged: () => hotspot.onConfigChanged(),
    async stop() {
      await portal.stop()
      await ahead.stop()
      await streams.stop()
      await hotspot.stop()
      await gate.stop()
      await neighbours.stop()
    },
  }
}

/** dnsmasq's files are a convenience for guests; without them the gate still works, so the box starts. */
function tell(log: Log, write: () => void): void {
  try {
    write()
  } catch (error) {
    log.error('dnsmasq was not told', { error: asError(error).message })
  }
}

/** Global and private addresses of the box on the guest link; link-local ones cannot stand in DNS. */
function addressesOf(interfaceName: string): string[] {
  return (networkInterfaces()[interfaceName] ?? []).map((one) => one.address).filter((address) => !address.toLowerCase().startsWith('fe80:'))
}
