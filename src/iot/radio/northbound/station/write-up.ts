/**
 * A frame that was heard, taken apart as Basics Station does before it sends it: `jreq`, `updf`, `propdf` with `upinfo`. ../../station/uplink.ts puts it
 * together again and has the layout.
 */
import type { Frame } from '../../../lorawan/index.ts'
import type { Copy, Heard, Modulation } from '../../../ports.ts'
import { writeJson } from '../../station/exact-json.ts'
import type { Writable } from '../../station/exact-json.ts'
import { dashedEui } from '../../station/router-id.ts'
import type { ServerConfig } from './server-config.ts'
import type { ToldTime } from './told-times.ts'

const MIC_BYTES = 4

/**
 * `refTime`: seconds on the server's clock; 0: not known. Null: what this protocol, or the server's configuration, has no word for (rejoins of 1.1, which
 * are not the 23 bytes that a join request is; LR-FHSS; a data rate that is not in its table).
 */
export function writeUp(heard: Heard, frame: Frame, copy: Copy, told: ToldTime, config: ServerConfig, refTime: number): string | null {
  const parts = partsOf(heard.phy, frame)
  const rate = rateOf(heard.modulation, config)
  if (parts === null || rate < 0) return null
  return writeJson({ ...parts, RefTime: refTime, DR: rate, Freq: heard.frequencyHz, upinfo: infoOf(copy, told) })
}

/** Whether `writeUp` has a word for it. */
export function isWritable({ phy, modulation }: Heard, frame: Frame, config: ServerConfig): boolean {
  return partsOf(phy, frame) !== null && rateOf(modulation, config) >= 0
}

function rateOf(modulation: Modulation, config: ServerConfig): number {
  return config.rates.findIndex((known) => known !== null && known.isUp && isSame(known.modulation, modulation))
}

function partsOf(phy: Uint8Array, frame: Frame): Readonly<Record<string, Writable>> | null {
  const bytes = Buffer.from(phy)
  const [MHdr, MIC] = [bytes[0] ?? 0, bytes.length < MIC_BYTES ? 0 : bytes.readInt32LE(bytes.length - MIC_BYTES)]
  switch (frame.type) {
    case 'join-request':
      return { msgtype: 'jreq', MHdr, JoinEui: dashedEui(frame.joinEui), DevEui: dashedEui(frame.devEui), DevNonce: frame.devNonce, MIC }
    case 'data':
      return { msgtype: 'updf', MHdr, DevAddr: frame.devAddr | 0, FCtrl: bytes[5] ?? 0, FCnt: frame.fCnt16, FOpts: hexOf(frame.fOpts), FPort: frame.fPort ?? -1, FRMPayload: hexOf(frame.frmPayload), MIC }
    case 'proprietary':
      return { msgtype: 'propdf', FRMPayload: hexOf(phy) }
    case 'join-accept':
    case 'rejoin-request':
      return null
  }
}

function infoOf(copy: Copy, { xtime, rctx }: ToldTime): Writable {
  return {
    rctx,
    xtime,
    gpstime: copy.gpsTimeMs === null ? 0 : Math.round(copy.gpsTimeMs * 1_000),
    fts: copy.fineTimeNs ?? -1,
    rssi: copy.rssiDbm ?? undefined,
    snr: copy.snrDb ?? undefined,
    rxtime: copy.utcMs === null ? 0 : copy.utcMs / 1_000,
  }
}

/** Coding rates are not in the table. */
function isSame(known: Modulation, heard: Modulation): boolean {
  if (known.kind === 'lora') return heard.kind === 'lora' && known.spreadingFactor === heard.spreadingFactor && known.bandwidthHz === heard.bandwidthHz
  return known.kind === 'fsk' && heard.kind === 'fsk' && known.bitsPerSecond === heard.bitsPerSecond
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase()
}
