/**
 * Whether a frame is by a device of the tenant's, by its MIC (LoRaWAN 1.0, 4.4), before it costs him anything. He gives network session keys
 * and never an AppSKey, so the box reads nothing of what it carries. A tenant who gave any key buys only frames that one of his keys fits: what
 * others send in his range, or replay, is not his bill.
 *
 * Bounded: at most 64 codes are worked out per frame. A counter is known from the last frame bought; of a key that has none yet, the
 * first four rounds of 65536 are tried.
 */
import { AesKey, MAX_FCNT, dataMic, fullCounter, isWithinGap, previousCounter } from '../lorawan/index.ts'
import type { DataFrame } from '../lorawan/index.ts'
import { equalBytesConstantTime } from '../../base/index.ts'

const MAX_MIC_TRIES = 64
/** Keys that a tenant may give for one DevAddr: devices that share it. */
export const MAX_KEYS_PER_ADDRESS = 32
export const MAX_KEYS_PER_TENANT = 10_000
const FIRST_ROUNDS = 4
const ROUND = 0x1_0000
const OPEN_KEYS = 2_048

/** A candidate. `slot` names it within its DevAddr. */
export interface MicKey {
  readonly slot: number
  readonly open: () => AesKey
  readonly lastFCntUp: number | null
}

/** `repeated`: the last frame of that key again. */
export type MicVerdict = { readonly kind: 'right'; readonly slot: number; readonly fCnt: number } | { readonly kind: 'repeated' } | { readonly kind: 'wrong' }

export function checkMic(keys: readonly MicKey[], phy: Uint8Array, frame: Pick<DataFrame, 'fCnt16' | 'mic'>): MicVerdict {
  let tries = 0
  const fits = (key: MicKey, fCnt: number): boolean => {
    tries++
    return equalBytesConstantTime(dataMic(key.open(), phy, 'up', fCnt), frame.mic)
  }
  for (const key of keys) {
    if (key.lastFCntUp === null || tries >= MAX_MIC_TRIES) continue
    const expected = key.lastFCntUp + 1
    const full = fullCounter(expected, frame.fCnt16)
    if (full !== null && isWithinGap(expected, full) && fits(key, full)) return { kind: 'right', slot: key.slot, fCnt: full }
    const previous = previousCounter(expected, frame.fCnt16)
    if (previous !== null && tries < MAX_MIC_TRIES && fits(key, previous)) return { kind: 'repeated' }
  }
  for (let round = 0; round < FIRST_ROUNDS; round++) {
    const fCnt = round * ROUND + frame.fCnt16
    for (const key of keys) {
      if (key.lastFCntUp !== null || fCnt > MAX_FCNT) continue
      if (tries >= MAX_MIC_TRIES) return { kind: 'wrong' }
      if (fits(key, fCnt)) return { kind: 'right', slot: key.slot, fCnt }
    }
  }
  return { kind: 'wrong' }
}

/** Keys that were read and unsealed, those used last. */
export class OpenKeys {
  readonly #keys = new Map<string, AesKey>()

  get(name: string, bytes: () => Uint8Array): AesKey {
    const key = this.#keys.get(name) ?? new AesKey(bytes(), 'mic-key')
    this.#keys.delete(name)
    this.#keys.set(name, key)
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= OPEN_KEYS) break
      this.#keys.delete(oldest)
    }
    return key
  }

  clear(): void {
    this.#keys.clear()
  }
}
