/**
 * What a Station hears, back to the bytes that were on the air. It takes a frame apart before it sends it:
 *
 *   jreq          MHdr | JoinEui 8 | DevEui 8 | DevNonce 2 | MIC 4
 *   updf          MHdr | DevAddr 4 | FCtrl 1 | FCnt 2 | FOpts | (FPort 1 | FRMPayload) | MIC 4      FPort −1: none
 *   propdf        FRMPayload is all of it
 *   rejoin        as jreq, so it was 23 bytes: no rejoin request of 1.1, which have 19 (types 0, 2) and 24 (type 1). Those a Station drops itself
 *                 (lorabasics/basicstation, issue 209), and nothing can be made of this one.
 *
 * everything little-endian, DevAddr and MIC as signed numbers. DR is an index of the `DRs` it was given; Freq in Hz.
 */
import { inputError } from '../../../base/index.ts'
import { dataRate } from '../../lorawan/index.ts'
import type { Region } from '../../lorawan/index.ts'
import type { Copy } from '../../ports.ts'
import type { Reception } from '../door.ts'
import { fieldsOf, hexField, numberField, wholeField } from './exact-json.ts'
import type { Fields } from './exact-json.ts'
import { routerIdOf } from './router-id.ts'

export type UpKind = 'jreq' | 'rejoin' | 'updf' | 'propdf'

const MAX_PHY_BYTES = 255
const MAX_FOPTS_BYTES = 15
const MIN_U63 = -(2n ** 63n)
const MAX_U63 = 2n ** 63n - 1n

export type StationReception = Omit<Reception, 'copy'> & { readonly copy: Omit<Copy, 'gateway' | 'arrivedMs'> }

/** Errors: input, naming the field; nothing else is thrown on a peer's words. */
export function readUplink(kind: UpKind, fields: Fields, region: Region): StationReception {
  const phy = phyOf(kind, fields)
  if (phy.length === 0 || phy.length > MAX_PHY_BYTES) throw inputError(kind, `${phy.length} bytes`, `1 to ${MAX_PHY_BYTES} bytes`)
  const { modulation, isUp } = dataRate(region, Number(wholeField(fields, 'DR', 0n, 15n)))
  if (!isUp) throw inputError('DR', fields['DR'], 'a data rate for uplinks')
  return { phy, frequencyHz: Number(wholeField(fields, 'Freq', 100_000_000n, 6_000_000_000n)), modulation, copy: copyOf(fieldsOf(fields['upinfo']) ?? {}) }
}

function phyOf(kind: UpKind, fields: Fields): Uint8Array {
  switch (kind) {
    case 'propdf':
      return hexField(fields, 'FRMPayload', MAX_PHY_BYTES)
    case 'rejoin':
      throw inputError('msgtype', kind, 'jreq, updf or propdf: Basics Station has no form for a rejoin request; a packet forwarder hands them over')
    case 'jreq': {
      const phy = Buffer.alloc(23)
      phy[0] = Number(wholeField(fields, 'MHdr', 0n, 255n))
      phy.set(euiField(fields, 'JoinEui', 'JoinEUI'), 1)
      phy.set(euiField(fields, 'DevEui', 'DevEUI'), 9)
      phy.writeUInt16LE(Number(wholeField(fields, 'DevNonce', 0n, 0xffffn)), 17)
      phy.writeUInt32LE(word(fields, 'MIC'), 19)
      return new Uint8Array(phy)
    }
    case 'updf': {
      const fOpts = hexField(fields, 'FOpts', MAX_FOPTS_BYTES)
      const fPort = Number(wholeField(fields, 'FPort', -1n, 255n))
      const payload = hexField(fields, 'FRMPayload', MAX_PHY_BYTES)
      if (fPort < 0 && payload.length > 0) throw inputError('FPort', fPort, 'a port, where there is a payload')
      const head = Buffer.alloc(8)
      head[0] = Number(wholeField(fields, 'MHdr', 0n, 255n))
      head.writeUInt32LE(word(fields, 'DevAddr'), 1)
      head[5] = Number(wholeField(fields, 'FCtrl', 0n, 255n))
      head.writeUInt16LE(Number(wholeField(fields, 'FCnt', 0n, 0xffffn)), 6)
      // The length in FCtrl is what the MIC was made over: it is the frame's, and must be that of what came.
      if ((head[5] & 0x0f) !== fOpts.length) throw inputError('FOpts', `${fOpts.length} bytes`, `the ${head[5] & 0x0f} that FCtrl says`)
      const mic = Buffer.alloc(4)
      mic.writeUInt32LE(word(fields, 'MIC'))
      return new Uint8Array(Buffer.concat([head, fOpts, ...(fPort < 0 ? [] : [Uint8Array.of(fPort), payload]), mic]))
    }
  }
}

function copyOf(info: Fields): StationReception['copy'] {
  const rxTime = numberField(info, 'rxtime')
  const gpsUs = numberField(info, 'gpstime')
  const fineTime = numberField(info, 'fts')
  const within = (value: number | null, least: number, most: number): number | null => (value !== null && value >= least && value <= most ? value : null)
  const xtime = wholeField(info, 'xtime', MIN_U63, MAX_U63)
  const utcMs = within(rxTime, 1, 1e11)
  const gpsTimeMs = within(gpsUs, 1, Number.MAX_SAFE_INTEGER)
  const isFine = fineTime !== null && Number.isInteger(fineTime)
  return {
    time: xtime === 0n ? { kind: 'foreign', context: new Uint8Array() } : { kind: 'station', xtime, rctx: info['rctx'] === undefined ? 0n : wholeField(info, 'rctx', MIN_U63, MAX_U63) },
    utcMs: utcMs === null ? null : utcMs * 1_000,
    gpsTimeMs: gpsTimeMs === null ? null : gpsTimeMs / 1_000,
    fineTimeNs: isFine ? within(fineTime, 0, 999_999_999) : null, // −1: none
    rssiDbm: within(numberField(info, 'rssi'), -300, 300),
    snrDb: within(numberField(info, 'snr'), -300, 300),
    channel: 0,
    radio: 0,
    board: 0,
    antenna: 0,
  }
}

/** 32 bits, signed or not. */
function word(fields: Fields, name: string): number {
  return Number(BigInt.asUintN(32, wholeField(fields, name, -(2n ** 31n), 2n ** 32n - 1n)))
}

/** As on the air: least significant byte first. Both spellings are in use. */
function euiField(fields: Fields, name: string, other: string): Uint8Array {
  return new Uint8Array(Buffer.from(routerIdOf(fields[name] ?? fields[other], name), 'hex').reverse())
}
