/** Own devices: sessions, readings, what is queued for them, and what codecs/ and rules/ do with both. Made by network/. */
import type { Cancel, Moment } from '../../base/index.ts'
import type { TxStatus } from './downlink.ts'
import type { Copy, DevAddr, Eui, FrameId, Heard, Modulation } from './radio.ts'

// ---- network/

export type MacVersion = '1.0.2' | '1.0.3' | '1.0.4' | '1.1'

/** A device of the owner's, as he registered it. */
export interface Device {
  readonly devEui: Eui
  readonly name: string
  readonly joinEui: Eui
  readonly macVersion: MacVersion
  readonly region: string
  readonly deviceClass: 'A' | 'C'
  readonly activation: 'otaa' | 'abp'
  /** 1.1's AppKey; null in 1.0. */
  readonly appKey: Uint8Array | null
  /** NwkKey in 1.1, AppKey in 1.0; null for ABP. */
  readonly rootKey: Uint8Array | null
  readonly codec: string | null
  /** ABP devices that start from 0 after each reset: opens the door to replays, so it is asked for by name. */
  readonly allowsCounterReset: boolean
  readonly isDisabled: boolean
  /** Expected seconds between frames; null: watch and learn. Decides when it counts as offline: max(3 ×, 1 h). */
  readonly expectedIntervalSeconds: number | null
}

export interface SessionKeys {
  /** 1.0: all three are the NwkSKey. */
  readonly fNwkSIntKey: Uint8Array
  readonly sNwkSIntKey: Uint8Array
  readonly nwkSEncKey: Uint8Array
  readonly appSKey: Uint8Array
}

/** One life of a device on the network, from a join to the next; spec 2.5. Immutable: a turn stores the next one. */
export interface DeviceSession {
  readonly devEui: Eui
  readonly devAddr: DevAddr
  readonly keys: SessionKeys
  /** Next expected, 32 bit. Written before the frame is delivered. */
  readonly fCntUp: number
  /** Next to use, 32 bit; written before the frame is sent; + 32 at a start after an unclean end. 1.1: NFCntDown, of frames without port or on port 0. */
  readonly fCntDown: number
  /** 1.1: of frames on other ports, under the same rules. 1.0: 0. */
  readonly aFCntDown: number
  /** 1.1: counter of the confirmed downlink that an ACK may be for although nobody waits for it any more. 1.0: 0. */
  readonly confFCnt: number
  readonly rxDelaySeconds: number
  readonly rx1DrOffset: number
  readonly rx2DataRate: number
  readonly rx2FrequencyHz: number
  /** Uplink channels by index, as the device has them after what it acknowledged; null: not in use. */
  readonly channels: readonly ({ readonly frequencyHz: number; readonly minDataRate: number; readonly maxDataRate: number; readonly isEnabled: boolean } | null)[]
  readonly dataRate: number
  readonly txPowerIndex: number
  readonly nbTrans: number
  readonly hasUplinkDwell: boolean
  readonly hasDownlinkDwell: boolean
  readonly maxEirpDbm: number
  /** Newest last, at most 20. */
  readonly history: readonly { readonly fCnt: number; readonly snrDb: number; readonly txPowerIndex: number; readonly gateways: number }[]
  /** MAC commands the device was sent and has not answered; asked again at most 3 times. */
  readonly pendingMac: readonly { readonly cid: number; readonly payload: Uint8Array; readonly tries: number }[]
  /** Last confirmed uplink, to answer a repetition alike: null when there was none. */
  readonly lastUplink: { readonly fCnt: number; readonly frame: FrameId; readonly wasAnswered: boolean } | null
  /** A confirmed downlink waiting for its ACK. */
  readonly awaitingAck: { readonly queueId: number; readonly fCntDown: number } | null
  readonly battery: number | null
  readonly marginDb: number | null
  readonly startedAt: Moment
  readonly lastSeen: Moment | null
}

/** An application frame of an own device: MIC right, counter new, decrypted, on disk. What codecs/, log/, mqtt/ and rules/ live on. */
export interface Reading {
  readonly devEui: Eui
  readonly deviceName: string
  readonly devAddr: DevAddr
  readonly frame: FrameId
  readonly fCnt: number
  readonly fPort: number
  readonly isConfirmed: boolean
  readonly payload: Uint8Array
  /** Null: no codec, or it failed; then `problem` says why. */
  readonly values: readonly Value[] | null
  readonly problem: string | null
  readonly frequencyHz: number
  readonly modulation: Modulation
  readonly dataRate: number
  readonly copies: readonly Copy[]
  readonly at: Moment
  readonly isLate: boolean
}

export interface JoinEvent {
  readonly devEui: Eui
  readonly joinEui: Eui
  readonly devAddr: DevAddr | null
  /** Why not, in words for the owner: DevNonce used before, MIC wrong, unknown device; null: joined. */
  readonly refused: string | null
  readonly at: Moment
}

/** A downlink the owner asked for; queued per device, first in first out, at most 32. */
export interface QueueItem {
  readonly queueId: number
  readonly devEui: Eui
  readonly fPort: number
  readonly payload: Uint8Array
  readonly isConfirmed: boolean
  /** Who asked: `rest`, `mqtt`, `rule:<id>`, `cli`. */
  readonly asker: string
  readonly expiresAt: Moment | null
  readonly state: 'queued' | 'sent' | 'acknowledged' | 'failed' | 'expired'
  /** Of each try, newest last, at most 8. */
  readonly tries: readonly { readonly at: Moment; readonly statuses: readonly TxStatus[] }[]
}

/** What a frame was to the network server. `unknown`: no session fits; it may be a tenant's. */
export type Verdict =
  | { readonly kind: 'reading'; readonly reading: Reading }
  | { readonly kind: 'join'; readonly event: JoinEvent }
  | { readonly kind: 'mac'; readonly devEui: Eui }
  | { readonly kind: 'repeated'; readonly devEui: Eui }
  | { readonly kind: 'refused'; readonly devEui: Eui | null; readonly why: string }
  | { readonly kind: 'unknown' }

export interface NetworkServer {
  /** One frame, to its end: the session is on disk when this resolves, the answer is in the DownlinkDesk. */
  take(heard: Heard): Promise<Verdict>
  /** Errors: not-found, input (port, length for the device's data rate), limit (queue full). */
  enqueue(order: Pick<QueueItem, 'devEui' | 'fPort' | 'payload' | 'isConfirmed' | 'asker' | 'expiresAt'>): Promise<QueueItem>
  onQueue(listener: (item: QueueItem) => void): Cancel
  onJoin(listener: (event: JoinEvent) => void): Cancel
  onReading(listener: (reading: Reading) => void): Cancel
}

// ---- codecs/

export interface Value {
  /** `temperature_1`, `door`; letters, digits and _, at most 64. */
  readonly name: string
  readonly value: number | string | boolean
  readonly unit: string | null
}

/** Runs in a worker with a bound of 50 ms and 32 MiB when it is the owner's JavaScript. */
export interface Codecs {
  /** Never rejects: `problem` says what the codec did wrong. At most 256 values. */
  decode(codec: string, input: { readonly bytes: Uint8Array; readonly fPort: number; readonly wallMs: number }): Promise<{ readonly values: readonly Value[] | null; readonly problem: string | null }>
  /** Errors: input with the codec's words. */
  encode(codec: string, data: unknown): Promise<{ readonly bytes: Uint8Array; readonly fPort: number }>
}

// ---- rules/

/** Something a rule, MQTT or the dashboard lets a device do. Errors: as NetworkServer.enqueue. */
export interface Actuators {
  send(devEui: Eui, command: { readonly fPort: number; readonly bytes: Uint8Array } | { readonly data: unknown }, options: { readonly isConfirmed: boolean; readonly asker: string; readonly expiresAt: Moment | null }): Promise<QueueItem>
}
