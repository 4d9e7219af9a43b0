/**
 * A reading as one short text, and back. A row of it is written with every frame, so its length is pages written: with names, a frame heard by one gateway is
 * 560 bytes of JSON, here 200.
 *
 *   [ deviceName, devAddr, … ]     a JSON array, in the order of `Written`; frame, payload and context in base64, 64-bit times as text
 *   { "deviceName": …, … }         as it was written before; still read
 */
import { fromHex } from '../../base/index.ts'
import type { CodingRate, Copy, Modulation, RadioTime, Reading } from '../ports.ts'

/** What is in columns of its own is not repeated here. */
type Rest = Omit<Reading, 'devEui' | 'values' | 'problem' | 'fCnt' | 'at'>
type Bit = 0 | 1

type Written = readonly [
  deviceName: string, devAddr: number, frame: string, fPort: number, isConfirmed: Bit, payload: string,
  frequencyHz: number, modulation: WrittenModulation, dataRate: number, isLate: Bit, copies: readonly WrittenCopy[],
]
type WrittenModulation = readonly [spreadingFactor: number, bandwidthHz: number, codingRate: CodingRate] | readonly ['fsk', bitsPerSecond: number, deviationHz: number] | readonly ['lr-fhss', widthHz: number, codingRate: CodingRate, gridSteps: number]
type WrittenCopy = readonly [
  gateway: string, time: WrittenTime, arrivedMs: number, utcMs: number | null, gpsTimeMs: number | null, fineTimeNs: number | null,
  rssiDbm: number | null, snrDb: number | null, channel: number, radio: number, board: number, antenna: number,
]
/** A number: the counter. One text: foreign. Two: the Station's. */
type WrittenTime = number | readonly [context: string] | readonly [xtime: string, rctx: string]

export function recordOf(reading: Reading): string {
  const written: Written = [
    reading.deviceName, reading.devAddr, Buffer.from(reading.frame, 'hex').toString('base64'), reading.fPort, bit(reading.isConfirmed), base64(reading.payload),
    reading.frequencyHz, modulationWritten(reading.modulation), reading.dataRate, bit(reading.isLate), reading.copies.map(copyWritten),
  ]
  return JSON.stringify(written)
}

/** `record` was made by recordOf, of this version or of the one before. */
export function restOf(record: string): Rest {
  if (record.startsWith('{')) return namedRest(record)
  const [deviceName, devAddr, frame, fPort, isConfirmed, payload, frequencyHz, modulation, dataRate, isLate, copies] = JSON.parse(record) as Written
  return {
    deviceName, devAddr, frame: Buffer.from(frame, 'base64').toString('hex'), fPort, isConfirmed: isConfirmed === 1, payload: bytesRead(payload),
    frequencyHz, modulation: modulationRead(modulation), dataRate, isLate: isLate === 1, copies: copies.map(copyRead),
  }
}

function copyWritten({ gateway, time, arrivedMs, utcMs, gpsTimeMs, fineTimeNs, rssiDbm, snrDb, channel, radio, board, antenna }: Copy): WrittenCopy {
  return [gateway, timeWritten(time), arrivedMs, utcMs, gpsTimeMs, fineTimeNs, rssiDbm, snrDb, channel, radio, board, antenna]
}

function copyRead([gateway, time, arrivedMs, utcMs, gpsTimeMs, fineTimeNs, rssiDbm, snrDb, channel, radio, board, antenna]: WrittenCopy): Copy {
  return { gateway, time: timeRead(time), arrivedMs, utcMs, gpsTimeMs, fineTimeNs, rssiDbm, snrDb, channel, radio, board, antenna }
}

function timeWritten(time: RadioTime): WrittenTime {
  switch (time.kind) {
    case 'counter':
      return time.tmstUs
    case 'station':
      return [String(time.xtime), String(time.rctx)]
    case 'foreign':
      return [base64(time.context)]
  }
}

function timeRead(written: WrittenTime): RadioTime {
  if (typeof written === 'number') return { kind: 'counter', tmstUs: written }
  const [first, rctx] = written
  return rctx === undefined ? { kind: 'foreign', context: bytesRead(first) } : { kind: 'station', xtime: BigInt(first), rctx: BigInt(rctx) }
}

function modulationWritten(modulation: Modulation): WrittenModulation {
  switch (modulation.kind) {
    case 'lora':
      return [modulation.spreadingFactor, modulation.bandwidthHz, modulation.codingRate]
    case 'fsk':
      return ['fsk', modulation.bitsPerSecond, modulation.deviationHz]
    case 'lr-fhss':
      return ['lr-fhss', modulation.widthHz, modulation.codingRate, modulation.gridSteps]
  }
}

function modulationRead(written: WrittenModulation): Modulation {
  if (written[0] === 'fsk') return { kind: 'fsk', bitsPerSecond: written[1], deviationHz: written[2] }
  if (written[0] === 'lr-fhss') return { kind: 'lr-fhss', widthHz: written[1], codingRate: written[2], gridSteps: written[3] }
  return { kind: 'lora', spreadingFactor: written[0], bandwidthHz: written[1], codingRate: written[2] }
}

const bit = (is: boolean): Bit => (is ? 1 : 0)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesRead = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

// ---- as it was before

type NamedTime = readonly ['counter', number] | readonly ['station', string, string] | readonly ['foreign', string]

function namedRest(record: string): Rest {
  const kept = JSON.parse(record) as Omit<Rest, 'payload' | 'copies'> & { readonly payload: string; readonly copies: readonly (Omit<Copy, 'time'> & { readonly time: NamedTime })[] }
  return { ...kept, payload: fromHex(kept.payload), copies: kept.copies.map((copy) => ({ ...copy, time: namedTime(copy.time) })) }
}

function namedTime(kept: NamedTime): RadioTime {
  switch (kept[0]) {
    case 'counter':
      return { kind: 'counter', tmstUs: kept[1] }
    case 'station':
      return { kind: 'station', xtime: BigInt(kept[1]), rctx: BigInt(kept[2]) }
    case 'foreign':
      return { kind: 'foreign', context: fromHex(kept[1]) }
  }
}
