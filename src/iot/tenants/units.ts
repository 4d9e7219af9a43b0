/**
 * What is counted and what it costs. A frame upward is paid by started 24 bytes of FOpts and FRMPayload together, at least one
 * (0 and 24 bytes: 1; 25: 2; 242: 11); a join is 1; a downlink is paid by started milliseconds on the air.
 */
import type { DataFrame } from '../lorawan/index.ts'
import type { PriceList } from '../ports.ts'

const UNIT_BYTES = 24

export function unitsOf(frame: Pick<DataFrame, 'fOpts' | 'frmPayload'>): number {
  return Math.max(1, Math.ceil((frame.fOpts.length + frame.frmPayload.length) / UNIT_BYTES))
}

/** Of a frame upward. A late one has one price whatever its length, or, where none is agreed, that of one in time. */
export function amountOf(kind: 'uplink' | 'join' | 'late', units: number, prices: PriceList): bigint {
  switch (kind) {
    case 'uplink':
      return prices.perUnit * BigInt(units)
    case 'join':
      return prices.perJoin
    case 'late':
      return prices.perLateFrame ?? prices.perUnit * BigInt(units)
  }
}
