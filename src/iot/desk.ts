/**
 * What the owner may do with devices, tenants, rules and codecs, and what he sees: behind REST, the command line and the dashboard. `iot.ts`
 * implements it over the parts' desks (ports/desks.ts). Nothing here shows a key; amounts are in the smallest unit of the tenant's token.
 */
import type { Address, Cancel, Moment } from '../base/index.ts'
import type {
  BillableUnit,
  DeviceView,
  Eui,
  FrameEvent,
  Gateway,
  GatewayStats,
  IotStatus,
  MacVersion,
  QueueItem,
  Reading,
  Receipt,
  Rule,
  RuleRun,
  SeriesPoint,
  SubBandBudget,
  Tenant,
  TenantId,
  TenantView,
  TxAck,
  Value,
} from './ports.ts'

export interface IotOverview extends IotStatus {
  readonly region: string
  /** Where the doors are, `address:port`; null: shut. */
  readonly doors: { readonly gwmp: string | null; readonly station: string | null }
  readonly broker: {
    readonly kind: 'own' | 'url' | 'off'
    readonly isConnected: boolean
    /** Null: it works, or it is off. */
    readonly problem: string | null
    /** Readings that it has not got yet. */
    readonly unpublished: number
  }
  readonly gateways: { readonly online: number; readonly known: number }
  readonly devices: { readonly online: number; readonly known: number; readonly joined: number }
  /** `expired`: those whose server cannot be believed, or believe the box, because a certificate's time is over; `expiring`: will not within 14 days. */
  readonly tenants: { readonly served: number; readonly known: number; readonly expired: readonly TenantId[]; readonly expiring: readonly TenantId[] }
  readonly rules: { readonly live: number; readonly known: number }
}

export interface GatewayView extends Gateway {
  readonly stats: GatewayStats | null
  /** Empty until it was heard. */
  readonly budget: readonly SubBandBudget[]
}

/** An OTAA device has a root key; an ABP one a session. Keys of a device that is there may be left out: they stay. */
export interface DeviceOrder {
  readonly devEui: Eui
  readonly name: string
  readonly joinEui: Eui
  readonly macVersion: MacVersion
  readonly deviceClass: 'A' | 'C'
  readonly codec: string | null
  readonly allowsCounterReset: boolean
  readonly isDisabled: boolean
  readonly expectedIntervalSeconds: number | null
  /** AppKey, 16 bytes. */
  readonly appKey: Uint8Array | null
  /** 1.1, which has both. */
  readonly nwkKey: Uint8Array | null
  readonly abp: {
    readonly devAddr: number
    /** 1.1: FNwkSIntKey. */
    readonly nwkSKey: Uint8Array
    /** 1.1; null: 1.0. */
    readonly network11: { readonly sNwkSIntKey: Uint8Array; readonly nwkSEncKey: Uint8Array } | null
    readonly appSKey: Uint8Array
    readonly fCntUp: number
    readonly fCntDown: number
    /** 1.1; 0 in 1.0. */
    readonly aFCntDown: number
  } | null
}

export interface SendOrder {
  readonly devEui: Eui
  /** For the device's codec, or bytes. */
  readonly what: { readonly data: unknown } | { readonly fPort: number; readonly bytes: Uint8Array }
  readonly isConfirmed: boolean
  readonly expiresSeconds: number | null
  /** `rest`, `cli`. */
  readonly asker: string
}

/** One order to a concentrator and its end. */
export interface DownlinkEvent extends TxAck {
  readonly at: Moment
  readonly devEui: Eui | null
  readonly tenant: TenantId | null
}

export interface TenantDetail extends TenantView {
  readonly isEnded: boolean
  /** Symbol and decimals as the owner has named the token. */
  readonly symbol: string
  readonly decimals: number
  /** How often what became of his frames, since the service started. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly newestReceipt: Receipt | null
  readonly micKeys: boolean
  /** The box's book is an old copy, and his newest receipt is not known here: he is not served before `catchUp`. */
  readonly isBehind: boolean
}

export interface RuleView extends Rule {
  readonly hysteresis: number | null
  /** As a sentence that `put` takes. */
  readonly text: string
  readonly lastRun: RuleRun | null
}

export interface RuleOrder {
  readonly id: string
  readonly name: string
  /** `if soil of field-3 < 20 for 10 min set pump-1 {"open":true} for 10 min then {"open":false}`: docs/iot.md. */
  readonly text: string
  /** Only what is there and has been looked at as a dry run can go live. */
  readonly isLive: boolean
  readonly isPaused: boolean
}

/** What a rule would have done with the readings that are kept. */
export interface RuleTrial {
  readonly text: string
  readonly readings: number
  readonly runs: readonly { readonly at: Moment; readonly because: string }[]
}

export interface CodecView {
  readonly name: string
  readonly isBuiltIn: boolean
  /** How many devices use it. */
  readonly devices: number
}

/** A name on our own broker: the owner's programs, or one tenant. */
export interface BrokerUserView {
  readonly name: string
  /** Null: the owner's. */
  readonly tenant: TenantId | null
}

/** All verbs reject with a MeshBoxError that names field, value and what is allowed. */
export interface IotRoomDesk {
  overview(): IotOverview
  gateways(): readonly GatewayView[]

  devices(): readonly DeviceView[]
  device(devEui: Eui): DeviceView | null
  /** Errors: input; conflict `device-is-tenants`. */
  putDevice(order: DeviceOrder): Promise<DeviceView>
  removeDevice(devEui: Eui): Promise<boolean>
  forgetDevNonces(devEui: Eui): Promise<void>
  readings(page: { readonly devEui: Eui; readonly beforeId?: number; readonly limit: number }): readonly (Reading & { readonly id: number })[]
  series(ask: { readonly devEui: Eui; readonly name: string; readonly fromWallMs: number; readonly toWallMs: number; readonly points: number }): readonly SeriesPoint[]
  csv(ask: { readonly devEui: Eui; readonly fromWallMs: number; readonly toWallMs: number }): AsyncIterable<string>

  /** Newest first; at most 200 are kept, in memory. */
  frames(limit: number): readonly FrameEvent[]
  onFrame(listener: (frame: FrameEvent) => void): Cancel

  queue(devEui: Eui): readonly QueueItem[]
  send(order: SendOrder): Promise<QueueItem>
  cancel(queueId: number): Promise<QueueItem>
  /** Newest first; at most 200 are kept, in memory. */
  downlinks(limit: number): readonly DownlinkEvent[]

  tenants(): readonly TenantDetail[]
  tenant(id: TenantId): TenantDetail | null
  putTenant(tenant: Tenant): Promise<TenantDetail>
  pauseTenant(id: TenantId, isPaused: boolean): Promise<TenantDetail>
  /** His routes are free; account, receipts and debts stay. */
  endTenant(id: TenantId): Promise<TenantDetail>
  putMicKeys(id: TenantId, keys: readonly { readonly devAddr: number; readonly key: Uint8Array; readonly is11?: boolean }[]): Promise<void>
  forgetMicKeys(id: TenantId): Promise<number>
  /**
   * After an old copy of the book was put in place: his newest receipt of this box is where the chain of hashes goes on. Null: he says that he has none, or
   * none that is newer. Errors: not-found; input `receipt` for what this box did not sign for him.
   */
  catchUp(id: TenantId, receipt: Receipt | null): Promise<TenantDetail>
  receipts(id: TenantId, page: { readonly beforeSeq?: bigint; readonly limit: number }): readonly Receipt[]
  units(id: TenantId, page: { readonly afterSeq: bigint; readonly limit: number }): readonly BillableUnit[]

  rules(): readonly RuleView[]
  putRule(order: RuleOrder): Promise<RuleView>
  removeRule(id: string): Promise<boolean>
  runs(page: { readonly rule?: string; readonly limit: number }): readonly RuleRun[]
  /** Nothing is stored or sent. Errors: input; not-found for a device. */
  tryRule(text: string): RuleTrial

  codecs(): readonly CodecView[]
  putCodec(name: string, source: string): Promise<void>
  removeCodec(name: string): Promise<boolean>
  /** Errors: not-found. What went wrong in the codec is in `problem`. */
  tryCodec(name: string, input: { readonly bytes: Uint8Array; readonly fPort: number }): Promise<{ readonly values: readonly Value[] | null; readonly problem: string | null }>

  brokerUsers(): readonly BrokerUserView[]
  /** The password is shown here and never again. Errors: conflict where the broker is not our own; input; not-found for a tenant. */
  addBrokerUser(user: BrokerUserView): Promise<{ readonly password: string }>
  removeBrokerUser(name: string): Promise<boolean>
}

/** Tokens that tenants may pay in, as main knows them. */
export interface IotToken {
  readonly address: Address
  readonly symbol: string
  readonly decimals: number
}
