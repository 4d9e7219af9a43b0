/**
 * IoT: devices and what they measured, concentrators and their airtime, tenants and their money, rules. EUIs are 16, device addresses 8 lower-case hex
 * digits; keys go in and never come out. Amounts are in the tenant's token.
 */
import type { Money, TokenJson } from './amounts.ts'

export interface IotTokenJson extends TokenJson {
  readonly address: string
}

/** When something was. */
export interface IotTimeJson {
  /** Null: the clock was not to be believed then. */
  readonly wallMs: number | null
  /** Null: in an earlier run of the box, and nobody knows how long ago. */
  readonly agoSeconds: number | null
}

export interface IotStatusJson {
  readonly region: string
  /** `address:port`; null: shut. */
  readonly doors: { readonly gwmp: string | null; readonly station: string | null }
  readonly broker: { readonly kind: 'own' | 'url' | 'off'; readonly isConnected: boolean; readonly problem: string | null; readonly unpublished: number }
  readonly gateways: { readonly online: number; readonly known: number }
  readonly devices: { readonly online: number; readonly known: number; readonly joined: number }
  /** `expired`: ids of those with a certificate whose time is over, so that his server is not believed, or does not believe the box; `expiring`: it will be within 14 days. */
  readonly tenants: { readonly served: number; readonly known: number; readonly expired: readonly string[]; readonly expiring: readonly string[] }
  readonly rules: { readonly live: number; readonly known: number }
  /** Since the service started. */
  readonly uplinks: number
  readonly refusedPackets: number
  readonly downlinksSent: number
  readonly downlinksFailed: number
  /** Frames that tenants could not be given yet; `lost` is decimal. */
  readonly late: { readonly frames: number; readonly bytes: number; readonly lost: string }
}

export interface IotBudgetJson {
  readonly name: string
  readonly fromHz: number
  readonly toHz: number
  /** Parts per million of the window; null: no limit by time. */
  readonly dutyPpm: number | null
  readonly windowSeconds: number
  readonly usedMs: number
  readonly reservedMs: number
  /** What is left for data now. */
  readonly freeMs: number
}

export interface IotGatewayJson {
  readonly id: string
  readonly door: 'gwmp' | 'station'
  readonly region: string
  readonly isOnline: boolean
  readonly lastSeen: IotTimeJson
  /** What it last said of itself; null: nothing yet. */
  readonly stats: {
    readonly received: number
    readonly receivedOk: number
    readonly forwarded: number
    readonly downlinksSent: number
    readonly ackPercent: number | null
    readonly temperatureC: number | null
    readonly latitude: number | null
    readonly longitude: number | null
  } | null
  readonly budget: readonly IotBudgetJson[]
}

export interface IotGatewaysJson {
  readonly gateways: readonly IotGatewayJson[]
}

export interface IotValueJson {
  readonly name: string
  readonly value: number | string | boolean
  readonly unit: string | null
}

export interface IotDeviceJson {
  readonly devEui: string
  readonly name: string
  readonly joinEui: string
  readonly macVersion: string
  readonly deviceClass: 'A' | 'C'
  readonly activation: 'otaa' | 'abp'
  readonly codec: string | null
  readonly allowsCounterReset: boolean
  readonly isDisabled: boolean
  readonly expectedIntervalSeconds: number | null
  readonly isOnline: boolean
  /** Null: not joined. */
  readonly session: {
    readonly devAddr: string
    readonly fCntUp: number
    /** 1.1: of frames without a port and on port 0. */
    readonly fCntDown: number
    /** 1.1: of frames on the other ports; null: 1.0, which has one counter. */
    readonly aFCntDown: number | null
    readonly dataRate: number
    /** 0 mains, 1 to 254 of the battery, 255 not measured; null: never asked. */
    readonly battery: number | null
    readonly marginDb: number | null
    readonly startedAt: IotTimeJson
  } | null
  readonly lastSeen: IotTimeJson | null
  readonly lastJoin: { readonly refused: string | null; readonly at: IotTimeJson } | null
  readonly values: readonly (IotValueJson & { readonly at: IotTimeJson })[]
  readonly queued: number
}

export interface IotDevicesJson {
  readonly devices: readonly IotDeviceJson[]
}

export interface IotDeviceRequest {
  readonly devEui: string
  readonly name: string
  /** Default: all zero. */
  readonly joinEui?: string
  /** Default: 1.0.4; 1.1 where keys of 1.1 are given. */
  readonly macVersion?: '1.0.2' | '1.0.3' | '1.0.4' | '1.1'
  readonly deviceClass?: 'A' | 'C'
  /** `cayenne-lpp`, or the owner's own. */
  readonly codec?: string | null
  readonly allowsCounterReset?: boolean
  readonly isDisabled?: boolean
  readonly expectedIntervalSeconds?: number | null
  /** 32 hex digits. OTAA; left out of a device that is there: the key stays. */
  readonly appKey?: string
  /** 1.1, beside the AppKey. */
  readonly nwkKey?: string
  /** 1.1: `nwkSKey` is the FNwkSIntKey, and all but the counters are there. */
  readonly abp?: {
    readonly devAddr: string
    readonly nwkSKey: string
    readonly sNwkSIntKey?: string
    readonly nwkSEncKey?: string
    readonly appSKey: string
    readonly fCntUp?: number
    readonly fCntDown?: number
    readonly aFCntDown?: number
  }
}

export interface IotReadingJson {
  readonly id: number
  readonly at: IotTimeJson
  readonly fCnt: number
  readonly fPort: number
  readonly isConfirmed: boolean
  /** Hex. */
  readonly payload: string
  readonly values: readonly IotValueJson[] | null
  readonly problem: string | null
  readonly frequencyHz: number
  /** `SF7BW125`, `FSK50000`. */
  readonly dataRate: string
  /** Of the best copy. */
  readonly rssiDbm: number | null
  readonly snrDb: number | null
  readonly gateways: number
}

export interface IotReadingsQuery {
  readonly before?: number
  readonly limit?: number
}

export interface IotReadingsJson {
  readonly readings: readonly IotReadingJson[]
}

export interface IotSeriesQuery {
  readonly name: string
  readonly from: number
  readonly to: number
  /** Default 200. */
  readonly points?: number
}

export interface IotSeriesJson {
  readonly points: readonly { readonly wallMs: number; readonly mean: number; readonly least: number; readonly most: number }[]
}

/** Milliseconds since 1970. */
export interface IotSpanQuery {
  readonly from?: number
  readonly to?: number
}

export interface IotFrameJson {
  readonly at: IotTimeJson
  readonly frequencyHz: number
  readonly dataRate: string
  readonly bytes: number
  readonly rssiDbm: number | null
  readonly snrDb: number | null
  readonly gateways: number
  readonly verdict: 'reading' | 'join' | 'mac' | 'repeated' | 'refused' | 'unknown'
  /** Null: no device of the owner's. */
  readonly devEui: string | null
  readonly tenants: readonly { readonly id: string; readonly verdict: string }[]
}

export interface IotFramesJson {
  readonly frames: readonly IotFrameJson[]
}

export interface IotLimitQuery {
  readonly limit?: number
}

export interface IotQueueItemJson {
  readonly queueId: number
  readonly fPort: number
  readonly payload: string
  readonly isConfirmed: boolean
  /** `rest`, `mqtt`, `rule:<id>`, `cli`. */
  readonly asker: string
  readonly state: 'queued' | 'sent' | 'acknowledged' | 'failed' | 'expired'
  readonly tries: readonly { readonly at: IotTimeJson; readonly statuses: readonly string[] }[]
}

export interface IotQueueJson {
  readonly queue: readonly IotQueueItemJson[]
}

/** `data` for the device's codec, or `fPort` and `payload`, hex. */
export interface IotSendRequest {
  readonly data?: unknown
  readonly fPort?: number
  readonly payload?: string
  readonly isConfirmed?: boolean
  readonly expiresSeconds?: number
}

export interface IotDownlinkJson {
  readonly at: IotTimeJson
  readonly id: number
  readonly gateway: string
  /** One per window tried; `OK`, or why not in the field's words. */
  readonly statuses: readonly string[]
  readonly isSent: boolean
  readonly onAirMs: number
  readonly devEui: string | null
  readonly tenant: string | null
}

export interface IotDownlinksJson {
  readonly downlinks: readonly IotDownlinkJson[]
}

export interface IotCertificateJson {
  readonly subject: string
  /** The end of its time, milliseconds since 1970. */
  readonly notAfterMs: number
  /** False also while the box's clock is not to be believed. */
  readonly isExpired: boolean
  /** Not yet, but within 14 days; false as above. */
  readonly isExpiring: boolean
}

export interface IotTlsJson {
  /** Who may vouch for his server; none: the authorities that Node brings. */
  readonly ca: readonly IotCertificateJson[]
  /** What the box shows there; null: nothing. */
  readonly clientCertificate: IotCertificateJson | null
  /** Its key was sealed by another box: it is to be given again. */
  readonly isKeyLost: boolean
  /** Of the way there: from when on no authority of `ca` counts any more, or what the box shows; `expiring`: within 14 days. */
  readonly expiry: 'expired' | 'expiring' | null
}

export interface IotTenantJson {
  readonly id: string
  readonly name: string
  readonly payer: string
  readonly token: IotTokenJson
  /** `dev-addr 26010000/16`, `net-id 000013`, `join 70b3d57ed0000000`, `join 70b3d57ed0000000 0004a30b001c0530`. */
  readonly routes: readonly string[]
  /** `broker`, `gwmp host:port`, `station wss://…`, `chirpstack mqtt://… prefix json`; a password or token in it is shown as ***, and stays when it is given so. */
  readonly destination: string
  /** Certificates for the way there, never their key; null: none of its own. */
  readonly tls: IotTlsJson | null
  /** `perLateFrame` null: as one that comes in time. */
  readonly prices: { readonly perUnit: Money; readonly perJoin: Money; readonly perDownlinkMs: Readonly<Record<string, Money>>; readonly perLateFrame: Money | null }
  readonly creditWindow: Money
  readonly maxCopies: number
  readonly isPaused: boolean
  readonly isEnded: boolean
  readonly isServed: boolean
  /** The box's book is an old copy: he is not served before his newest receipt is known (`catch-up`). */
  readonly isBehind: boolean
  readonly isOnline: boolean
  readonly hasMicKeys: boolean
  readonly lateFrames: number
  /** Decimal, of this account. */
  readonly uplinks: string
  readonly units: string
  readonly downlinkMs: string
  readonly billed: Money
  readonly paid: Money
  /** Billed and being delivered, less what was paid. */
  readonly owed: Money
  /** What became of his frames since the service started, by word. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly newestReceipt: IotReceiptJson | null
}

/** New or changed. Amounts are in tokens, "0.001". */
export interface IotTenantRequest {
  readonly id: string
  readonly name: string
  /** Account that he pays from by channels. */
  readonly payer: string
  /** Symbol or address; left out: the first that the box takes. */
  readonly token?: string
  /** As in IotTenantJson. */
  readonly routes: readonly string[]
  readonly destination: string
  /** With `wss://` or `mqtts://`, PEM texts of at most 16 KiB: who may vouch for his server, and what the box shows there. Left out: as before, at the same place for the same name, and none at another; null: none, without the certificate also no key. */
  readonly ca?: string | null
  readonly clientCertificate?: string | null
  readonly clientKey?: string | null
  readonly perUnit: string
  readonly perJoin?: string
  /** Whatever its length, "0": for nothing; null: as one that comes in time. Left out: as before, null for a new tenant. */
  readonly perLateFrame?: string | null
  /** `L 0.001`, a sub-band and its price of a started millisecond; `*`: the others. */
  readonly perDownlinkMs?: readonly string[]
  /** "0", or left out: prepaid. */
  readonly creditWindow?: string
  readonly maxCopies?: number
}

/** Network session keys, never an AppSKey; 32 hex digits. One of the two: `fNwkSIntKey` is a device's of LoRaWAN 1.1. */
export interface IotKeysRequest {
  readonly keys: readonly { readonly devAddr: string; readonly nwkSKey?: string; readonly fNwkSIntKey?: string }[]
}

/** The newest receipt that the tenant has, as text; null: he says that he has none. */
export interface IotCatchUpRequest {
  readonly receipt: string | null
}

/** As `meshbox lora receipt verify` reads it; `amount` beside it, for people. */
export interface IotReceiptJson {
  readonly receipt: Readonly<Record<string, string>>
  readonly seq: string
  readonly amount: Money
}

export interface IotTenantsJson {
  readonly tenants: readonly IotTenantJson[]
}

export interface IotRuleRunJson {
  readonly rule: string
  readonly at: IotTimeJson
  readonly because: string
  readonly isDryRun: boolean
  /** When what was switched on goes off; null: it stays. */
  readonly offAt: IotTimeJson | null
  readonly isOff: boolean
  readonly statuses: readonly string[]
}

export interface IotRuleJson {
  readonly id: string
  readonly name: string
  /** As a sentence: docs/iot.md. */
  readonly text: string
  /** False: it only says what it would do. */
  readonly isLive: boolean
  readonly isPaused: boolean
  readonly lastRun: IotRuleRunJson | null
}

export interface IotRulesJson {
  readonly rules: readonly IotRuleJson[]
  /** Newest first. */
  readonly runs: readonly IotRuleRunJson[]
}

export interface IotRuleRequest {
  readonly id: string
  readonly name: string
  readonly text: string
  readonly isLive: boolean
  readonly isPaused: boolean
}

export interface IotRuleTrialRequest {
  readonly text: string
}

export interface IotRuleTrialJson {
  /** As the box understood it. */
  readonly text: string
  /** Kept readings that it was tried with. */
  readonly readings: number
  readonly runs: readonly { readonly at: IotTimeJson; readonly because: string }[]
}

export interface IotCodecsJson {
  readonly codecs: readonly { readonly name: string; readonly isBuiltIn: boolean; readonly devices: number }[]
}

export interface IotCodecRequest {
  readonly name: string
  /** JavaScript with decodeUplink or encodeDownlink. */
  readonly source: string
}

export interface IotCodecTrialRequest {
  /** Hex. */
  readonly payload: string
  readonly fPort: number
}

export interface IotCodecTrialJson {
  readonly values: readonly IotValueJson[] | null
  readonly problem: string | null
}

/** A name on the box's own broker. */
export interface IotBrokerUserJson {
  readonly name: string
  /** Null: the owner's own programs. */
  readonly tenant: string | null
}

export interface IotBrokerUserRequest {
  readonly name: string
  /** Left out, or null: the owner's own programs. */
  readonly tenant?: string | null
}

export interface IotBrokerUsersJson {
  readonly users: readonly IotBrokerUserJson[]
}

export interface IotBrokerUserReply extends IotBrokerUserJson {
  /** Shown here and never again. */
  readonly password: string
}
