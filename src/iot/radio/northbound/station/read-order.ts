/**
 * `dnmsg` of a server northbound: what it asks a gateway to send, as Basics Station understands it. `dC` 0 (class A): RX1 `RxDelay` seconds after the uplink
 * whose `xtime` it gives, RX2 a second later, either may be missing; 1 (class B): `DR` and `Freq` at `gpstime`; 2 (class C): at once in RX2, or as
 * class A when it answers an uplink.
 */
import { inputError } from '../../../../base/index.ts'
import { subBandAt } from '../../../lorawan/index.ts'
import type { Region } from '../../../lorawan/index.ts'
import type { Eui, TxWindow } from '../../../ports.ts'
import { hexField, wholeField } from '../../station/exact-json.ts'
import type { Fields } from '../../station/exact-json.ts'
import { routerIdOf } from '../../station/router-id.ts'
import type { ServerConfig } from './server-config.ts'
import type { ToldTimes } from './told-times.ts'

const MAX_PHY_BYTES = 255
const MAX_I64 = 2n ** 63n - 1n
const SECOND_US = 1_000_000n
const MOST_RX_DELAY_SECONDS = 15n
const MOST_GPS_US = BigInt(Number.MAX_SAFE_INTEGER)
/** What Station sends when the message says none, or 0, at every data rate. */
const STATION_PREAMBLE = 8
const MAX_U16 = 0xffffn

/** A window with what `dntxed` says when it was on the air. */
export interface AskedWindow {
  readonly window: TxWindow
  readonly dataRate: number
  /** 0: not on the gateway's clock. */
  readonly xtime: bigint
  readonly rctx: bigint
  /** Microseconds; 0: not in GPS time. */
  readonly gpsUs: bigint
}

export interface Order {
  readonly diid: bigint
  readonly devEui: Eui
  /** In order of preference; none: what it answers is not known any more. */
  readonly windows: readonly AskedWindow[]
}

type Radio = Pick<TxWindow, 'frequencyHz' | 'modulation' | 'powerDbm'> & { readonly dataRate: number }

/** Errors: input, naming the field. */
export function readOrder(fields: Fields, config: ServerConfig, region: Region, times: ToldTimes): Order {
  const diid = wholeField(fields, 'diid', -MAX_I64, MAX_I64)
  const devEui = routerIdOf(fields['DevEui'] ?? fields['DevEUI'], 'DevEui')
  const phy = hexField(fields, 'pdu', MAX_PHY_BYTES)
  if (phy.length === 0) throw inputError('pdu', '', `1 to ${MAX_PHY_BYTES} bytes`)
  const frame: Frame = { phy, hasCrc: fields['addcrc'] === 1 || fields['addcrc'] === true, preambleSymbols: Number(optional(fields, 'preamble', 0n, MAX_U16) ?? 0n) || STATION_PREAMBLE }
  const radioAt = (rateName: string, hertzName: string): Radio | null => radioOf(fields, rateName, hertzName, config, region)
  const deviceClass = wholeField(fields, 'dC', 0n, 2n)
  if (deviceClass === 1n) {
    const radio = radioAt('DR', 'Freq')
    const gpsUs = wholeField(fields, 'gpstime', 1n, MOST_GPS_US)
    if (radio === null) throw inputError('DR', null, 'DR and Freq')
    return { diid, devEui, windows: [asked(frame, radio, { kind: 'gps', gpsTimeMs: Number(gpsUs) / 1_000 }, { gpsUs })] }
  }
  const [first, second] = [radioAt('RX1DR', 'RX1Freq'), radioAt('RX2DR', 'RX2Freq')]
  if (first === null && second === null) throw inputError('RX1DR', null, 'RX1DR and RX1Freq, RX2DR and RX2Freq, or both')
  const windows = answersOf(fields, frame, first, second, times)
  if (windows.length > 0 || deviceClass === 0n || second === null) return { diid, devEui, windows }
  return { diid, devEui, windows: [asked(frame, second, { kind: 'now' }, {})] }
}

type Frame = Pick<TxWindow, 'phy' | 'hasCrc' | 'preambleSymbols'>

/** RX1 and RX2 after the uplink that is named. */
function answersOf(fields: Fields, frame: Frame, first: Radio | null, second: Radio | null, times: ToldTimes): readonly AskedWindow[] {
  const xtime = optional(fields, 'xtime', -MAX_I64, MAX_I64) ?? 0n
  if (xtime === 0n) return []
  const delaySeconds = optional(fields, 'RxDelay', 0n, MOST_RX_DELAY_SECONDS) ?? 1n
  const slot = xtime + (delaySeconds === 0n ? 1n : delaySeconds) * SECOND_US
  return [{ radio: first, at: slot }, { radio: second, at: slot + SECOND_US }].flatMap(({ radio, at }) => {
    const answer = radio === null ? null : times.answerAt(at)
    return radio === null || answer === null ? [] : [asked(frame, radio, answer.timing, { xtime: at, rctx: answer.rctx })]
  })
}

function asked(frame: Frame, { dataRate, ...radio }: Radio, timing: TxWindow['timing'], when: Partial<Pick<AskedWindow, 'xtime' | 'rctx' | 'gpsUs'>>): AskedWindow {
  return { window: { ...frame, ...radio, timing, isInverted: true, board: 0, antenna: 0 }, dataRate, xtime: 0n, rctx: 0n, gpsUs: 0n, ...when }
}

/** Null: neither is there. Station takes both or none. */
function radioOf(fields: Fields, rateName: string, hertzName: string, config: ServerConfig, region: Region): Radio | null {
  if ((fields[rateName] ?? null) === null && (fields[hertzName] ?? null) === null) return null
  const dataRate = Number(wholeField(fields, rateName, 0n, 15n))
  const rate = config.rates[dataRate] ?? null
  if (rate === null) throw inputError(rateName, dataRate, 'a data rate of the router_config')
  const frequencyHz = Number(wholeField(fields, hertzName, BigInt(Math.ceil(config.fromHz)), BigInt(Math.floor(config.toHz))))
  const band = subBandAt(region, frequencyHz)
  if (band === null) throw inputError(hertzName, frequencyHz, `a frequency where ${region.name} may transmit`)
  // The message names no power: as loud as server, region and sub-band allow.
  return { frequencyHz, modulation: rate.modulation, powerDbm: Math.min(config.maxEirpDbm ?? region.maxEirpDbm, band.maxEirpDbm), dataRate }
}

function optional(fields: Fields, name: string, least: bigint, most: bigint): bigint | null {
  return (fields[name] ?? null) === null ? null : wholeField(fields, name, least, most)
}
