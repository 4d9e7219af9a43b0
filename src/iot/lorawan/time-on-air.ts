/**
 * How long a frame is on the air, in whole microseconds. LoRa: Semtech AN1200.13, and the SX126x data sheet for SF5 and SF6; FSK: preamble,
 * sync 3, length 1, CRC 2 bytes; LR-FHSS: 488.28125 symbols a second, headers of 114 symbols, blocks of 48 bits with 2 for guard (as
 * Semtech's driver counts).
 *
 *   symbol     2^SF / bandwidth
 *   preamble   n + 4.25 symbols (SF5, SF6: n + 6.25)
 *   payload    8 + max(⌈(8·bytes − 4·SF + 28 + 16·crc − 20·implicit) / 4(SF − 2·low)⌉ · (4 + CR), 0) symbols
 */
import { inputError } from '../../base/index.ts'
import type { Modulation } from '../ports.ts'
import { checkUnsigned } from './octets.ts'

export interface AirOptions {
  /** LoRaWAN: up true, down false. Default true. */
  readonly hasCrc?: boolean
  /** Of FSK: bytes. Default: PREAMBLE's usual one. */
  readonly preambleSymbols?: number
  /** Default true. */
  readonly hasHeader?: boolean
}

/**
 * Symbols, of FSK bytes. `usual`: of LoRaWAN's frames, and what a forwarder takes when it is told nothing. `least`: what it makes of less. `most`: nothing
 * in LoRaWAN asks for more; a beacon of class B has 10, Semtech advises 12 with SF5 and SF6. A longer one only holds the transmitter, up to 35 minutes with
 * the 65,535 that GWMP can say.
 */
export const PREAMBLE = { lora: { least: 6, usual: 8, most: 16 }, fsk: { least: 3, usual: 5, most: 16 }, 'lr-fhss': { least: 0, usual: 0, most: 0 } } as const
const FSK_OVERHEAD_BYTES = 3 + 1
const FSK_CRC_BYTES = 2
/** Above this a symbol is long enough for the clocks to drift apart: LoRa's low data rate mode is on. */
const LOW_RATE_SYMBOL_US = 16_000
const MICROSECONDS = 1_000_000
const LR_FHSS = { microsecondsPerSymbol: 2048, headerSymbols: 114, blockBits: 48, guardBits: 2 } as const

/** Redundant bits per 4. */
const LORA_CODING: Readonly<Record<string, number>> = { '4/5': 1, '4/6': 2, '4/7': 3, '4/8': 4 }

/** `bytes`: of the PHYPayload. Errors: input, naming what cannot be. Fractions of a microsecond are rounded up. */
export function timeOnAirUs(modulation: Modulation, bytes: number, options: AirOptions = {}): number {
  checkUnsigned(bytes, 8, 'bytes')
  switch (modulation.kind) {
    case 'lora':
      return loraUs(modulation, bytes, options)
    case 'fsk': {
      if (!Number.isInteger(modulation.bitsPerSecond) || modulation.bitsPerSecond < 600 || modulation.bitsPerSecond > 500_000)
        throw inputError('bits-per-second', modulation.bitsPerSecond, '600 to 500000')
      const preambleBytes = preambleOf('fsk', options)
      const all = preambleBytes + FSK_OVERHEAD_BYTES + bytes + (options.hasCrc === false ? 0 : FSK_CRC_BYTES)
      return Math.ceil((all * 8 * MICROSECONDS) / modulation.bitsPerSecond)
    }
    case 'lr-fhss':
      return lrFhssUs(modulation.codingRate, bytes)
  }
}

function loraUs({ spreadingFactor, bandwidthHz, codingRate }: Extract<Modulation, { kind: 'lora' }>, bytes: number, options: AirOptions): number {
  const { hasCrc = true, hasHeader = true } = options
  if (!Number.isInteger(spreadingFactor) || spreadingFactor < 5 || spreadingFactor > 12) throw inputError('spreading-factor', spreadingFactor, '5 to 12')
  if (!Number.isInteger(bandwidthHz) || bandwidthHz < 7_800 || bandwidthHz > 1_625_000) throw inputError('bandwidth', bandwidthHz, '7800 to 1625000 Hz')
  const redundancy = LORA_CODING[codingRate]
  if (redundancy === undefined) throw inputError('coding-rate', codingRate, Object.keys(LORA_CODING).join(', '))
  const preambleSymbols = preambleOf('lora', options)
  const isShort = spreadingFactor < 7
  const isLowRate = (2 ** spreadingFactor * MICROSECONDS) / bandwidthHz > LOW_RATE_SYMBOL_US
  const bits = 8 * bytes - 4 * spreadingFactor + (isShort ? 20 : 28) + (hasCrc ? 16 : 0) - (hasHeader ? 0 : 20)
  const codeWords = Math.max(0, Math.ceil(bits / (4 * (spreadingFactor - (isLowRate ? 2 : 0)))))
  const quarterSymbols = 4 * (preambleSymbols + 8 + codeWords * (4 + redundancy)) + (isShort ? 25 : 17)
  return Math.ceil((quarterSymbols * 2 ** spreadingFactor * (MICROSECONDS / 4)) / bandwidthHz)
}

function preambleOf(kind: 'lora' | 'fsk', { preambleSymbols = PREAMBLE[kind].usual }: AirOptions): number {
  checkUnsigned(preambleSymbols, 16, 'preamble')
  return preambleSymbols
}

/** LoRaWAN sends three headers at 1/3, two at 2/3. */
function lrFhssUs(codingRate: string, bytes: number): number {
  if (codingRate !== '1/3' && codingRate !== '2/3') throw inputError('coding-rate', codingRate, '1/3, 2/3')
  const bits = (bytes + 2) * 8 + 6
  const coded = codingRate === '1/3' ? bits * 3 : Math.floor((bits * 3) / 2)
  const rest = coded % LR_FHSS.blockBits
  const symbols = Math.floor(coded / LR_FHSS.blockBits) * (LR_FHSS.blockBits + LR_FHSS.guardBits) + (rest > 0 ? rest + LR_FHSS.guardBits : 0)
  const headers = codingRate === '1/3' ? 3 : 2
  return (headers * LR_FHSS.headerSymbols + symbols) * LR_FHSS.microsecondsPerSymbol
}
