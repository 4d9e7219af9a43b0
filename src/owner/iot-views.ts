/** The IoT room's views in the JSON of api/iot.ts; pure. */
import { toHex } from '../base/index.ts'
import type { Clock, Moment } from '../base/index.ts'
import { receiptJson } from '../iot/tenants/receipt/index.ts'
import type { DeviceView, DownlinkEvent, FrameEvent, GatewayView, IotOverview, Modulation, QueueItem, Reading, Receipt, RuleRun, RuleView, TenantDetail, TlsFacts } from '../iot/index.ts'
import type * as Json from './api/iot.ts'
import { destinationText, hex, routeText } from './iot-terms.ts'
import { money } from './money.ts'

export type ViewClock = Pick<Clock, 'bootId' | 'boottimeMs' | 'wallMs' | 'isWallTrusted'>

/** When something was: of another run of the box by wall clocks, if both were to be believed. */
export function timeJson(at: Moment, clock: ViewClock): Json.IotTimeJson {
  const agoMs = at.bootId === clock.bootId ? clock.boottimeMs() - at.boottimeMs : at.wallTrusted && clock.isWallTrusted() ? clock.wallMs() - at.wallMs : null
  return { wallMs: at.wallTrusted ? Math.round(at.wallMs) : null, agoSeconds: agoMs === null ? null : Math.floor(agoMs / 1_000) }
}

export function overviewJson({ region, doors, broker, gateways, devices, tenants, rules, uplinks, refusedPackets, downlinksSent, downlinksFailed, late }: IotOverview): Json.IotStatusJson {
  return { region, doors, broker, gateways, devices, tenants, rules, uplinks, refusedPackets, downlinksSent, downlinksFailed, late: { ...late, lost: late.lost.toString() } }
}

export function gatewayJson({ id, door, region, isOnline, lastSeen, stats, budget }: GatewayView, clock: ViewClock): Json.IotGatewayJson {
  return {
    id,
    door,
    region,
    isOnline,
    lastSeen: timeJson(lastSeen, clock),
    stats:
      stats === null
        ? null
        : {
            received: stats.received,
            receivedOk: stats.receivedOk,
            forwarded: stats.forwarded,
            downlinksSent: stats.downlinksSent,
            ackPercent: stats.ackPercent,
            temperatureC: stats.temperatureC,
            latitude: stats.location?.latitude ?? null,
            longitude: stats.location?.longitude ?? null,
          },
    budget: budget.map(({ name, fromHz, toHz, dutyPpm, windowMs, usedUs, reservedUs, freeUs }) => ({
      name,
      fromHz,
      toHz,
      dutyPpm,
      windowSeconds: windowMs / 1_000,
      usedMs: Math.ceil(usedUs / 1_000),
      reservedMs: Math.ceil(reservedUs / 1_000),
      freeMs: Math.floor(freeUs / 1_000),
    })),
  }
}

export function deviceJson(view: DeviceView, clock: ViewClock): Json.IotDeviceJson {
  const { devEui, name, joinEui, macVersion, deviceClass, activation, codec, allowsCounterReset, isDisabled, expectedIntervalSeconds, isOnline, session, lastJoin, values, queued } = view
  return {
    devEui,
    name,
    joinEui,
    macVersion,
    deviceClass,
    activation,
    codec,
    allowsCounterReset,
    isDisabled,
    expectedIntervalSeconds,
    isOnline,
    session:
      session === null
        ? null
        : { devAddr: hex(session.devAddr, 8), fCntUp: session.fCntUp, fCntDown: session.fCntDown, aFCntDown: macVersion === '1.1' || session.aFCntDown > 0 ? session.aFCntDown : null, dataRate: session.dataRate, battery: session.battery, marginDb: session.marginDb, startedAt: timeJson(session.startedAt, clock) },
    lastSeen: session?.lastSeen == null ? null : timeJson(session.lastSeen, clock),
    lastJoin: lastJoin === null ? null : { refused: lastJoin.refused, at: timeJson(lastJoin.at, clock) },
    values: values.map(({ name: called, value, unit, at }) => ({ name: called, value, unit, at: timeJson(at, clock) })),
    queued,
  }
}

export function readingJson(reading: Reading & { readonly id: number }, clock: ViewClock): Json.IotReadingJson {
  const [best] = reading.copies
  return {
    id: reading.id,
    at: timeJson(reading.at, clock),
    fCnt: reading.fCnt,
    fPort: reading.fPort,
    isConfirmed: reading.isConfirmed,
    payload: toHex(reading.payload),
    values: reading.values,
    problem: reading.problem,
    frequencyHz: reading.frequencyHz,
    dataRate: rateText(reading.modulation),
    rssiDbm: best?.rssiDbm ?? null,
    snrDb: best?.snrDb ?? null,
    gateways: gatewaysOf(reading.copies),
  }
}

export function frameJson({ at, heard, verdict, devEui, tenants }: FrameEvent, clock: ViewClock): Json.IotFrameJson {
  const [best] = heard.copies
  return {
    at: timeJson(at, clock),
    frequencyHz: heard.frequencyHz,
    dataRate: rateText(heard.modulation),
    bytes: heard.bytes,
    rssiDbm: best?.rssiDbm ?? null,
    snrDb: best?.snrDb ?? null,
    gateways: gatewaysOf(heard.copies),
    verdict,
    devEui,
    tenants,
  }
}

export function queueJson({ queueId, fPort, payload, isConfirmed, asker, state, tries }: QueueItem, clock: ViewClock): Json.IotQueueItemJson {
  return { queueId, fPort, payload: toHex(payload), isConfirmed, asker, state, tries: tries.map(({ at, statuses }) => ({ at: timeJson(at, clock), statuses })) }
}

export function downlinkJson({ at, id, gateway, statuses, sent, onAirUs, devEui, tenant }: DownlinkEvent, clock: ViewClock): Json.IotDownlinkJson {
  return { at: timeJson(at, clock), id, gateway, statuses, isSent: sent !== null, onAirMs: Math.ceil(onAirUs / 1_000), devEui, tenant }
}

export function tenantJson(view: TenantDetail): Json.IotTenantJson {
  const { prices, symbol, decimals, account, newestReceipt } = view
  const amount = (units: bigint): ReturnType<typeof money> => money(units, decimals)
  return {
    id: view.id,
    name: view.name,
    payer: view.payer,
    token: { address: prices.token, symbol, decimals },
    routes: view.routes.map(routeText),
    destination: destinationText(view.destination),
    tls: view.tls === null ? null : tlsJson(view.tls),
    prices: {
      perUnit: amount(prices.perUnit),
      perJoin: amount(prices.perJoin),
      perDownlinkMs: Object.fromEntries(Object.entries(prices.perDownlinkMs).map(([band, price]) => [band, amount(price)])),
      perLateFrame: prices.perLateFrame === null ? null : amount(prices.perLateFrame),
    },
    creditWindow: amount(view.creditWindow),
    maxCopies: view.maxCopies,
    isPaused: view.isPaused,
    isEnded: view.isEnded,
    isServed: view.isServed,
    isBehind: view.isBehind,
    isOnline: view.isOnline,
    hasMicKeys: view.micKeys,
    lateFrames: view.lateFrames,
    uplinks: account.cumUplinks.toString(),
    units: account.cumUnits.toString(),
    downlinkMs: account.cumDownlinkMs.toString(),
    billed: amount(account.cumAmount),
    paid: amount(view.paid),
    owed: amount(view.owed),
    outcomes: view.outcomes,
    newestReceipt: newestReceipt === null ? null : receiptOf(newestReceipt, decimals),
  }
}

function tlsJson({ ca, client, isKeyLost, expiry: ofAll }: TlsFacts): Json.IotTlsJson {
  const certificateJson = ({ subject, notAfterMs, expiry }: TlsFacts['ca'][number]): Json.IotCertificateJson => ({ subject, notAfterMs, isExpired: expiry === 'expired', isExpiring: expiry === 'expiring' })
  return { ca: ca.map(certificateJson), clientCertificate: client === null ? null : certificateJson(client), isKeyLost, expiry: ofAll }
}

function receiptOf(receipt: Receipt, decimals: number): Json.IotReceiptJson {
  return { receipt: receiptJson(receipt), seq: receipt.seq.toString(), amount: money(receipt.cumAmount, decimals) }
}

export function ruleJson({ id, name, text, isLive, isPaused, lastRun }: RuleView, clock: ViewClock): Json.IotRuleJson {
  return { id, name, text, isLive, isPaused, lastRun: lastRun === null ? null : runJson(lastRun, clock) }
}

export function runJson({ rule, at, because, isDryRun, offAt, offQueueId, statuses }: RuleRun, clock: ViewClock): Json.IotRuleRunJson {
  return { rule, at: timeJson(at, clock), because, isDryRun, offAt: offAt === null ? null : timeJson(offAt, clock), isOff: offQueueId !== null, statuses }
}

function rateText(modulation: Modulation): string {
  switch (modulation.kind) {
    case 'lora':
      return `SF${modulation.spreadingFactor}BW${modulation.bandwidthHz / 1_000}`
    case 'fsk':
      return `FSK${modulation.bitsPerSecond}`
    case 'lr-fhss':
      return `LRFHSS${modulation.widthHz / 1_000}`
  }
}

function gatewaysOf(copies: readonly { readonly gateway: string }[]): number {
  return new Set(copies.map(({ gateway }) => gateway)).size
}
