/** A reading as one JSON text, and back: bytes as hex, Basics Station's 64-bit times as text. */
import { fromHex, toHex } from '../../base/index.ts'
import type { Copy, RadioTime, Reading } from '../ports.ts'

/** What is in columns of its own is not repeated here. */
type Rest = Omit<Reading, 'devEui' | 'values' | 'problem' | 'fCnt' | 'at'>

export function recordOf(reading: Reading): string {
  const { devEui: _devEui, values: _values, problem: _problem, fCnt: _fCnt, at: _at, ...rest } = reading
  return JSON.stringify({ ...rest, payload: toHex(reading.payload), copies: reading.copies.map((copy) => ({ ...copy, time: timeText(copy.time) })) })
}

/** `record` was made by recordOf. */
export function restOf(record: string): Rest {
  const kept = JSON.parse(record) as Omit<Rest, 'payload' | 'copies'> & { readonly payload: string; readonly copies: readonly (Omit<Copy, 'time'> & { readonly time: KeptTime })[] }
  return { ...kept, payload: fromHex(kept.payload), copies: kept.copies.map((copy) => ({ ...copy, time: timeOf(copy.time) })) }
}

type KeptTime = readonly ['counter', number] | readonly ['station', string, string] | readonly ['foreign', string]

function timeText(time: RadioTime): KeptTime {
  switch (time.kind) {
    case 'counter':
      return ['counter', time.tmstUs]
    case 'station':
      return ['station', String(time.xtime), String(time.rctx)]
    case 'foreign':
      return ['foreign', toHex(time.context)]
  }
}

function timeOf(kept: KeptTime): RadioTime {
  switch (kept[0]) {
    case 'counter':
      return { kind: 'counter', tmstUs: kept[1] }
    case 'station':
      return { kind: 'station', xtime: BigInt(kept[1]), rctx: BigInt(kept[2]) }
    case 'foreign':
      return { kind: 'foreign', context: fromHex(kept[1]) }
  }
}
