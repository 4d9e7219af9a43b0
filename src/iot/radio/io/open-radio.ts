/** The room's doors as configured: a door that is null stays shut. */
import type { Clock, Log, Randomness, Timers } from '../../../base/index.ts'
import { secureContextOf } from '../../io/server-tls.ts'
import { regionNamed } from '../../lorawan/index.ts'
import type { Delivery, DestinationTls, Gateway, IotSettings, OpenUdp, Radio, Route } from '../../ports.ts'
import type { RadioTxAck } from '../door.ts'
import { frameHash } from '../frame-hash.ts'
import type { GwmpCounts } from '../gwmp/gwmp-desk.ts'
import { StationUpstream } from '../northbound/station/upstream.ts'
import type { StationUpstreamOptions } from '../northbound/station/upstream.ts'
import { GwmpUpstream } from '../northbound/upstream.ts'
import { Concentrators } from '../radio.ts'
import type { StationDesk } from '../station/station-desk.ts'
import { GwmpServer } from './gwmp-socket.ts'
import { StationServer } from './station-server.ts'
import type { CupsPlans, StationListenOptions } from './station-server.ts'
import { openTextClient } from './text-client.ts'
import { openUpstreamSocket } from './upstream-socket.ts'

export interface OpenRadioParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  /** What a Station should have, when it asks CUPS; null: CUPS is not served. */
  readonly cups: CupsPlans | null
  /** Of the native addon. Left out or null: node:dgram does it. */
  readonly openUdp?: OpenUdp | null
}

export interface RadioCounts {
  readonly copies: Concentrators['counts']
  /** Null: the door is shut. */
  readonly gwmp: GwmpCounts | null
  readonly station: StationDesk['counts'] | null
}

export interface OpenRadio extends Radio {
  transmit(...order: Parameters<Radio['transmit']>): Promise<RadioTxAck>
  counts(): RadioCounts
  /** Where the doors are; null: shut. */
  readonly ports: { readonly gwmp: number | null; readonly station: number | null }
  close(): Promise<void>
}

/** `station` may say more than IotSettings has: which authority gateways' certificates are by, and where their eight channels begin. */
export type RadioSettings = Pick<IotSettings, 'region' | 'gwmp' | 'collectMs'> & {
  readonly station: (NonNullable<IotSettings['station']> & Partial<Pick<StationListenOptions, 'clientAuthorityFile' | 'firstChannelHz'>>) | null
}

/** Errors: unavailable `cannot-listen`, `no-certificate`; input `region`, `first-channel`. Nothing stays open then. */
export async function openRadio(settings: RadioSettings, parts: OpenRadioParts): Promise<OpenRadio> {
  const { collectMs } = settings
  const region = regionNamed(settings.region).name
  const { clock, timers, log } = parts
  const radio = new Concentrators({ clock, timers, log, hash: frameHash, collectMs })
  const shared = { clock, timers, log, sink: radio.sink }
  const gwmp = settings.gwmp === null ? null : await GwmpServer.open({ ...settings.gwmp, region }, { ...shared, openUdp: parts.openUdp ?? null })
  let station: StationServer | null
  try {
    station = settings.station === null ? null : await StationServer.open({ clientAuthorityFile: null, firstChannelHz: null, ...settings.station, region, cups: parts.cups }, shared)
  } catch (thrown) {
    await gwmp?.close()
    throw thrown
  }
  if (gwmp !== null) radio.add(gwmp)
  if (station !== null) radio.add(station)
  return {
    gateways: () => radio.gateways(),
    onHeard: (listener) => radio.onHeard(listener),
    onStats: (listener) => radio.onStats(listener),
    onGateway: (listener) => radio.onGateway(listener),
    transmit: (downlink) => radio.transmit(downlink),
    counts: () => ({ copies: radio.counts, gwmp: gwmp?.counts ?? null, station: station?.counts ?? null }),
    ports: { gwmp: gwmp?.port ?? null, station: station?.port ?? null },
    async close() {
      await Promise.all([gwmp?.close(), station?.close()])
      radio.close()
    },
  }
}

export interface GwmpDeliveryOptions {
  readonly host: string
  readonly port: number
  /** What the server gets; null: every uplink it is given. */
  readonly routes: readonly Route[] | null
  readonly nextDownlinkId: () => number
}

type DeliveryParts = Pick<OpenRadioParts, 'clock' | 'timers' | 'log'>

/** One server northbound. Gateways that are there have their session at once, so that class C orders find them. */
export function openGwmpDelivery(options: GwmpDeliveryOptions, radio: Radio, parts: DeliveryParts): Delivery {
  const upstream = new GwmpUpstream(options, { ...parts, openSocket: openUpstreamSocket, nextDownlinkId: options.nextDownlinkId })
  return withGateways(upstream, radio, (gateway) => upstream.gateway(gateway))
}

export interface StationDeliveryOptions extends StationUpstreamOptions {
  /** Null: whom Node believes, and nothing to show. */
  readonly tls: DestinationTls | null
  readonly nextDownlinkId: () => number
}

/** One server northbound that speaks Basics Station. Gateways that are there have their connection. The URL is a checked one. Errors: input, for certificates that TLS does not take. */
export function openStationDelivery(options: StationDeliveryOptions, radio: Radio, parts: DeliveryParts & { readonly random: Randomness }): Delivery {
  const context = options.tls === null ? null : secureContextOf(options.tls)
  const upstream = new StationUpstream(options, { ...parts, openSocket: (place, handlers) => openTextClient(place, handlers, context), nextDownlinkId: options.nextDownlinkId })
  return withGateways(upstream, radio, (gateway) => upstream.gateway(gateway))
}

/** It is told of each gateway, now and from now on. */
function withGateways(upstream: Delivery, radio: Radio, tell: (gateway: Gateway) => void): Delivery {
  radio.gateways().forEach(tell)
  const stop = radio.onGateway(tell)
  return {
    get isOnline() {
      return upstream.isOnline
    },
    takesLate: upstream.takesLate,
    isAwaited: (heard) => upstream.isAwaited?.(heard) !== false,
    deliver: (heard) => upstream.deliver(heard),
    onDownlink: (listener) => upstream.onDownlink(listener),
    close: () => {
      stop()
      return upstream.close()
    },
  }
}
