/** What the running room is handed by main, and what of the configuration it reads beyond ports/settings.ts. */
import type { Clock, Log, Randomness, Timers } from '../base/index.ts'
import type { Store } from '../store/index.ts'
import type { IotRoomDesk, IotToken } from './desk.ts'
import type { BrokerListener, MqttConnection, MqttSettings } from './mqtt/index.ts'
import type { CopyContest, IotSettings, KeySeal, OpenUdp, ReceiptSigner, TenantPayments } from './ports.ts'
import type { EarningsBook, TenantChannels } from './tenants/index.ts'
import type { Keccak } from './tenants/receipt/index.ts'

export interface IotRoomSettings extends IotSettings {
  /** Of the own broker: where the service itself reaches it, and the doors outward. */
  readonly ownBroker: { readonly loopbackPort: number; readonly listeners: readonly BrokerListener[] }
  /** Of the broker at `mqtt.url`, read from its file; null: none. */
  readonly brokerPassword: string | null
  /** The node's name in Sparkplug, and part of ids on brokers: letters, digits and -. */
  readonly nodeName: string
}

export type OpenMqtt = (settings: MqttSettings, limits?: { readonly maxWaiting?: number }) => MqttConnection

export interface IotParts {
  readonly settings: IotRoomSettings
  readonly store: Store
  readonly ledger: EarningsBook
  /** Device keys at rest. */
  readonly seal: KeySeal
  /** The box's key, for receipts. Deterministic: the same digest has the same signature. */
  readonly signer: ReceiptSigner
  readonly keccak: Keccak
  /** In receipts; 0: a box without a chain. */
  readonly chainId: bigint
  readonly payments: TenantPayments
  readonly channels: TenantChannels
  /** Which of several boxes sells a frame; a box alone: SOLE_BOX of radio/. */
  readonly contest: CopyContest
  /** That tenants may pay in, the one meant where none is named first. */
  readonly tokens: () => readonly IotToken[]
  /** Loaded when it is asked for: the package behind it is large. Not asked for with `broker off`. */
  readonly loadMqtt: () => OpenMqtt
  readonly mosquitto: {
    /** On tmpfs. */
    readonly folder: string
    readonly program?: string
    /** Whom it becomes when it is started by root. */
    readonly systemUser: string
  }
  /** codec.cjs of the bundle, or io/codec-child.ts. */
  readonly codec: { readonly entryFile: string; readonly asUser: { readonly uid: number; readonly gid: number } | null }
  /** Of the native addon; null: datagrams come through node:dgram. */
  readonly openUdp: OpenUdp | null
  readonly version: string
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
}

export interface IotRoom {
  readonly desk: IotRoomDesk
  /** Everything that is under way is on disk or let go. */
  stop(): Promise<void>
}
