/**
 * What the owner may do, and what he sees: behind REST, CLI (`meshbox lora|mqtt|tenant|rule`), MQTT commands and the dashboard. Each desk is
 * made by the part it is called after; `iot.ts` shows them together as IotDesk. No key is ever in a view.
 */
import type { Cancel, Moment } from '../../base/index.ts'
import type { SubBandBudget, TxAck } from './downlink.ts'
import type { Device, DeviceSession, JoinEvent, QueueItem, Reading, Value, Verdict } from './network.ts'
import type { Eui, Gateway, GatewayStats, Heard } from './radio.ts'
import type { Rule, RuleRun, SeriesPoint, TenantAccount } from './tables.ts'
import type { BillableUnit, Receipt, Tenant, TenantId, TenantVerdict, TlsFacts } from './tenants.ts'

/** network/ */
export interface DeviceDesk {
  devices(): readonly DeviceView[]
  /** Null: not registered. */
  device(devEui: Eui): DeviceView | null
  /** New or changed. An ABP device comes with its session. Errors: input, naming the field; conflict when the DevEUI is a tenant's. */
  put(device: Device, session: DeviceSession | null): Promise<DeviceView>
  /** False: there was none. */
  remove(devEui: Eui): Promise<boolean>
  /** Lets a device join again that lost count of its nonces. Errors: not-found. */
  forgetDevNonces(devEui: Eui): Promise<void>
  queue(devEui: Eui): readonly QueueItem[]
  /** Errors: not-found; conflict when it was sent already. */
  cancel(queueId: number): Promise<QueueItem>
}

export type DeviceView = Omit<Device, 'appKey' | 'rootKey'> & {
  /** Null: not joined. */
  readonly session: Omit<DeviceSession, 'keys' | 'pendingMac'> | null
  readonly isOnline: boolean
  /** The last values by name, and when. */
  readonly values: readonly (Value & { readonly at: Moment })[]
  readonly lastJoin: JoinEvent | null
  readonly queued: number
}

/** tenants/ */
export interface TenantAdmin {
  tenants(): readonly TenantView[]
  /** New or changed. Errors: input, naming the field; conflict for routes that another tenant has. */
  put(tenant: Tenant): Promise<TenantView>
  pause(id: TenantId, isPaused: boolean): Promise<TenantView>
  /** Network session keys for the MIC check: never an AppSKey. Errors: not-found, input. */
  putMicKeys(id: TenantId, keys: readonly { readonly devAddr: number; readonly key: Uint8Array; readonly is11?: boolean }[]): Promise<void>
  receipts(id: TenantId, page: { readonly beforeSeq?: bigint; readonly limit: number }): readonly Receipt[]
  /** What a receipt is made of, in order: with it anybody can make the chain of hashes again. */
  units(id: TenantId, page: { readonly afterSeq: bigint; readonly limit: number }): readonly BillableUnit[]
}

export interface TenantView extends Tenant {
  readonly account: Omit<TenantAccount, 'chainHash'>
  readonly paid: bigint
  /** Billed and held, less what was paid. Never above the window by more than one frame. */
  readonly owed: bigint
  readonly isServed: boolean
  readonly isOnline: boolean
  readonly lateFrames: number
  /** Null: his destination has no certificates of its own. */
  readonly tls: TlsFacts | null
}

/** rules/ */
export interface RuleDesk {
  rules(): readonly Rule[]
  /** Errors: input; not-found for a device or value that is not there. */
  put(rule: Rule): Promise<Rule>
  remove(id: string): Promise<boolean>
  runs(page: { readonly rule?: string; readonly limit: number }): readonly RuleRun[]
  /** Each reading of own devices, in order. Never rejects: what went wrong is in the run. */
  take(reading: Reading): Promise<readonly RuleRun[]>
}

/** log/ */
export interface LogDesk {
  rows(page: { readonly devEui: Eui; readonly beforeId?: number; readonly limit: number }): readonly (Reading & { readonly id: number })[]
  series(ask: { readonly devEui: Eui; readonly name: string; readonly fromWallMs: number; readonly toWallMs: number; readonly points: number }): readonly SeriesPoint[]
  /** RFC 4180, a header line first; in pieces, so that a year of readings is never in memory. A cell that a spreadsheet would run is quoted. */
  csv(ask: { readonly devEui: Eui; readonly fromWallMs: number; readonly toWallMs: number }): AsyncIterable<string>
}

/** codecs/ */
export interface CodecDesk {
  names(): readonly string[]
  /** The owner's JavaScript, decodeUplink and encodeDownlink. Errors: input with what the parser says; limit above 64 KiB. */
  put(name: string, source: string): Promise<void>
  remove(name: string): Promise<boolean>
}

/** One line of the live view. */
export interface FrameEvent {
  readonly at: Moment
  readonly heard: Omit<Heard, 'phy'> & { readonly bytes: number }
  readonly verdict: Verdict['kind']
  readonly devEui: Eui | null
  readonly tenants: readonly { readonly id: TenantId; readonly verdict: TenantVerdict }[]
}

export interface IotDesk {
  readonly devices: DeviceDesk
  readonly tenants: TenantAdmin
  readonly rules: RuleDesk
  readonly log: LogDesk
  readonly codecs: CodecDesk
  gateways(): readonly (Gateway & { readonly stats: GatewayStats | null; readonly budget: readonly SubBandBudget[] })[]
  /** Newest first; at most 200 are kept, in memory. */
  frames(limit: number): readonly FrameEvent[]
  downlinks(limit: number): readonly (TxAck & { readonly at: Moment; readonly devEui: Eui | null; readonly tenant: TenantId | null })[]
  onFrame(listener: (frame: FrameEvent) => void): Cancel
  status(): IotStatus
}

export interface IotStatus {
  readonly isBrokerConnected: boolean
  /** Null: it works. */
  readonly brokerProblem: string | null
  readonly uplinks: number
  readonly refusedPackets: number
  readonly downlinksSent: number
  readonly downlinksFailed: number
  readonly late: { readonly frames: number; readonly bytes: number; readonly lost: bigint }
}
