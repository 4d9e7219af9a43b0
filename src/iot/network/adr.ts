/**
 * Adaptive data rate: how fast, how loud and how often a device that asks for it should send. ChirpStack's default algorithm, as
 * in section 2.2 of the IoT specification: 20 frames of history, steps of 3 dB, repetitions by what was lost. LoRa at 125 kHz only.
 *
 * One thing is stricter: signal strengths heard at another power say nothing of this one, so only frames at the present power
 * count for the margin. Without that the same good frame would lower the power again and again.
 */
import type { Region } from '../lorawan/index.ts'
import type { DeviceSession } from '../ports.ts'

export const ADR_HISTORY = 20
const STEP_DB = 3
export const DEFAULT_INSTALLATION_MARGIN_DB = 10
/** By spreading factor 7 to 12. */
const REQUIRED_SNR_DB: readonly number[] = [-7.5, -10, -12.5, -15, -17.5, -20]
/** By loss below 5, 10, 30 percent and above; then by the present number of transmissions, 1 to 3. */
const TRANSMISSIONS: readonly (readonly [number, readonly number[]])[] = [
  [5, [1, 1, 2]],
  [10, [1, 2, 3]],
  [30, [2, 3, 3]],
  [Infinity, [3, 3, 3]],
]

export interface AdrState {
  readonly dataRate: number
  readonly txPowerIndex: number
  readonly nbTrans: number
}

export interface AdrLimits {
  readonly installationMarginDb: number
  /** Of the region, the owner and the device; the last may have refused more. */
  readonly maxDataRate: number
  readonly maxTxPowerIndex: number
}

/** What the device should do from now on; the same as now: nothing to say. */
export function adrFor(region: Region, now: AdrState, history: DeviceSession['history'], limits: AdrLimits): AdrState {
  const maxDataRate = Math.min(limits.maxDataRate, fastestNarrow(region))
  const nbTrans = transmissionsFor(now.nbTrans, lossPercent(history))
  const dataRate = Math.min(now.dataRate, maxDataRate)
  const same: AdrState = { dataRate, txPowerIndex: now.txPowerIndex, nbTrans }
  const required = requiredSnrDb(region, now.dataRate)
  const heard = history.filter((frame) => frame.txPowerIndex === now.txPowerIndex)
  if (required === null || heard.length === 0) return same
  const marginDb = Math.max(...heard.map((frame) => frame.snrDb)) - required - limits.installationMarginDb
  const steps = Math.trunc(marginDb / STEP_DB)
  // Up, down, up, down: louder only after a whole history says so.
  if (steps < 0 && heard.length < ADR_HISTORY) return same
  return { ...stepped(same, steps, maxDataRate, limits.maxTxPowerIndex), nbTrans }
}

/** Faster first, then quieter; in need louder, never slower: that the device does by itself. */
export function stepped(from: Pick<AdrState, 'dataRate' | 'txPowerIndex'>, steps: number, maxDataRate: number, maxTxPowerIndex: number): Pick<AdrState, 'dataRate' | 'txPowerIndex'> {
  let { dataRate, txPowerIndex } = from
  for (let left = steps; left > 0; left--) {
    if (dataRate < maxDataRate) dataRate++
    else if (txPowerIndex < maxTxPowerIndex) txPowerIndex++
  }
  if (steps < 0) txPowerIndex = Math.max(0, txPowerIndex + steps)
  return { dataRate, txPowerIndex }
}

export function transmissionsFor(now: number, lossPercent: number): number {
  const row = TRANSMISSIONS.find(([below]) => lossPercent < below)
  return row?.[1][Math.min(3, Math.max(1, now)) - 1] ?? 3
}

/** 0 until the history is whole. */
export function lossPercent(history: DeviceSession['history']): number {
  const [first, last] = [history[0], history.at(-1)]
  if (history.length < ADR_HISTORY || first === undefined || last === undefined) return 0
  const lost = last.fCnt - first.fCnt - (history.length - 1)
  return (Math.max(0, lost) / history.length) * 100
}

/** What a receiver needs at this data rate; null: it is no LoRa of 125 kHz. */
export function requiredSnrDb(region: Region, dataRate: number): number | null {
  const modulation = region.dataRates[dataRate]?.modulation
  if (modulation?.kind !== 'lora' || modulation.bandwidthHz !== 125_000) return null
  return REQUIRED_SNR_DB[modulation.spreadingFactor - 7] ?? null
}

function fastestNarrow(region: Region): number {
  return region.dataRates.findLastIndex((rate, index) => rate?.isUp === true && requiredSnrDb(region, index) !== null)
}
