/**
 * PULL_RESP: a packet to send, `txpk`. Ours is as short as it may be: forwarders were seen to drop what has fields they do not know.
 * Mandatory for Semtech's: freq, rfch, modu, datr, size, data, codr (LoRa) or fdev (FSK), and one of imme, tmst, tmms; what lacks one is
 * dropped without a word.
 */
import { inputError, utf8 } from '../../../base/index.ts'
import { PREAMBLE } from '../../lorawan/index.ts'
import type { TxWindow } from '../../ports.ts'
import { hertzOf, jsonOf, numberOf, objectOf, payloadOf, wholeOf } from './json.ts'
import { modulationFields, modulationOf } from './modulation.ts'

const ROUND_US = 2 ** 32

/** As a northbound server asks for it: the time is the counter's own, not counted from a reception. */
export type TxRequest = Omit<TxWindow, 'timing'> & {
  readonly timing: { readonly kind: 'counter'; readonly tmstUs: number } | { readonly kind: 'now' } | { readonly kind: 'gps'; readonly gpsTimeMs: number }
}

/** The body for one window. Errors: input for what GWMP cannot say. */
export function writePullResp(window: TxWindow): Uint8Array {
  const { phy, modulation, preambleSymbols } = window
  const txpk = {
    ...timingFields(window.timing),
    rfch: 0,
    freq: window.frequencyHz / 1_000_000,
    powe: Math.floor(window.powerDbm),
    ...modulationFields(modulation),
    ipol: window.isInverted,
    ...(preambleSymbols === PREAMBLE[modulation.kind].usual ? {} : { prea: preambleSymbols }),
    size: phy.length,
    data: Buffer.from(phy).toString('base64'),
    ...(window.hasCrc ? {} : { ncrc: true }),
    ...(window.board === 0 ? {} : { brd: window.board }),
    ...(window.antenna === 0 ? {} : { ant: window.antenna }),
  }
  return utf8(JSON.stringify({ txpk }))
}

/** What the counter will be at the slot; it wraps every 71.6 minutes. Errors: input for times of another kind of gateway. */
export function slotUs(timing: Extract<TxWindow['timing'], { kind: 'after' }>): number {
  if (timing.time.kind !== 'counter') throw inputError('timing', timing.time.kind, 'the time of a gateway that speaks GWMP')
  return (timing.time.tmstUs + timing.delayUs) % ROUND_US
}

function timingFields(timing: TxWindow['timing']): object {
  if (timing.kind === 'now') return { imme: true }
  return timing.kind === 'gps' ? { tmms: timing.gpsTimeMs } : { tmst: slotUs(timing) }
}

/** What a server asks of us as its gateway. Errors: input, naming the field. */
export function readPullResp(body: Uint8Array): TxRequest {
  const txpk = objectOf(jsonOf(body)['txpk'])
  if (txpk === null) throw inputError('txpk', null, 'an object')
  const phy = payloadOf(txpk['data'])
  if (phy === null) throw inputError('data', txpk['data'] ?? null, 'base64 of 1 to 255 bytes')
  const frequencyHz = hertzOf(txpk['freq'])
  if (frequencyHz === null) throw inputError('freq', txpk['freq'] ?? null, 'MHz')
  const powerDbm = numberOf(txpk['powe'] ?? 14, -20, 50)
  if (powerDbm === null) throw inputError('powe', txpk['powe'], 'dBm')
  const modulation = modulationOf(txpk)
  return {
    phy,
    frequencyHz,
    powerDbm,
    modulation,
    timing: requestedTime(txpk),
    isInverted: txpk['ipol'] === true,
    preambleSymbols: requestedPreamble(txpk['prea'], modulation.kind),
    hasCrc: txpk['ncrc'] !== true,
    board: wholeOf(txpk['brd'], 0, 255) ?? 0,
    antenna: wholeOf(txpk['ant'], 0, 255) ?? 0,
  }
}

/** Null was seen too: the usual one. What is too short is sent with the least, as forwarders do it; what is too long is refused where all orders pass. */
function requestedPreamble(prea: unknown, kind: TxWindow['modulation']['kind']): number {
  const asked = wholeOf(prea, 0, 0xffff)
  return asked === null ? PREAMBLE[kind].usual : Math.max(PREAMBLE[kind].least, asked)
}

function requestedTime(txpk: Readonly<Record<string, unknown>>): TxRequest['timing'] {
  if (txpk['imme'] === true) return { kind: 'now' }
  const tmstUs = wholeOf(txpk['tmst'], 0, ROUND_US - 1)
  if (tmstUs !== null) return { kind: 'counter', tmstUs }
  const gpsTimeMs = numberOf(txpk['tmms'], 0, Number.MAX_SAFE_INTEGER)
  if (gpsTimeMs === null) throw inputError('tmst', txpk['tmst'] ?? null, 'imme, tmst or tmms')
  return { kind: 'gps', gpsTimeMs }
}
