/** What of the configuration this room reads: section `iot` of UCI, by config/, handed in by main. A door that is null stays shut. */
import type { Eui } from './radio.ts'

export interface IotSettings {
  /** As lorawan/regions names it. */
  readonly region: string
  /** 24 bits. 000000 and 000001 are for experiments. */
  readonly netId: number
  readonly gwmp: {
    /** Loopback unless the owner says otherwise: the protocol has no authentication. */
    readonly address: string
    readonly port: number
    /** Who may speak; empty: everybody who reaches the door. */
    readonly gateways: readonly Eui[]
  } | null
  readonly station: {
    readonly address: string
    readonly port: number
    readonly certificateFile: string | null
    readonly keyFile: string | null
    /** Of each gateway: what its Authorization header must say. */
    readonly tokens: Readonly<Record<Eui, string>>
  } | null
  /** Copies are collected so long when more than one gateway is known. Default 200. */
  readonly collectMs: number
  readonly airtime: {
    readonly reservedPpm: number
    readonly soldPpm: number
    /** By sub-band or `*`, with so many digits after the point as `priceDecimals` says; a tenant pays it in his token. */
    readonly pricesPerMs: Readonly<Record<string, bigint>>
    readonly priceDecimals: number
    readonly dutyPpm: Readonly<Record<string, number>>
    readonly surge: { readonly fromPpm: number; readonly timesPpm: number } | null
  }
  readonly mqtt: {
    /** `own`: mosquitto started by the service; `url`: somebody else's; `off`. */
    readonly broker: 'own' | 'url' | 'off'
    readonly url: string | null
    readonly userName: string | null
    readonly passwordFile: string | null
    readonly topicPrefix: string
    /** Listeners of our own broker besides loopback. */
    readonly listen: readonly { readonly address: string; readonly port: number; readonly isTls: boolean }[]
    readonly homeAssistant: boolean
    readonly sparkplugGroup: string | null
  }
  readonly log: { readonly days: number; readonly maxBytes: number }
  /** At most 16 MiB. 0: nothing is kept for later. */
  readonly lateBytes: number
}
