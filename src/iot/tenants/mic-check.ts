/**
 * Whether a frame is by a device of the tenant's, by its MIC (LoRaWAN 1.0, 4.4; 1.1, 4.4), before it costs him anything. He gives network session keys
 * and never an AppSKey, so the box reads nothing of what it carries. A tenant who gave any key buys only frames that one of his keys fits: what
 * others send in his range, or replay, is not his bill.
 *
 * In 1.1 half of the code, two bytes, is by the FNwkSIntKey over the frame alone: that half is checked, as by a network that forwards for another. The other
 * half needs the SNwkSIntKey, which also signs what the device is told and so stays with the tenant's server. A forged frame fits once in 65,536.
 *
 * Bounded: at most 64 codes are worked out per frame. A counter is known from the last frame bought; of a key that has none yet, the
 * first four rounds of 65536 are tried, the first two where 32 such keys are on one DevAddr.
 */
import { AesKey, dataMic, fullCounter, isWithinGap, previousCounter } from '../lorawan/index.ts'
import type { DataFrame } from '../lorawan/index.ts'
import { equalBytesConstantTime } from '../../base/index.ts'

const MAX_MIC_TRIES = 64
const MIC_BYTES = 4
/** Of 1.1: where the half by FNwkSIntKey begins. It is the first bytes of that code. */
const FORWARDING_AT = 2
/** Keys that a tenant may give for one DevAddr: devices that share it. */
export const MAX_KEYS_PER_ADDRESS = 32
export const MAX_KEYS_PER_TENANT = 10_000
const FIRST_ROUNDS = 4
const ROUND = 0x1_0000
const OPEN_KEYS = 2_048

/** A candidate. `slot` names it within its DevAddr. `is11`: an FNwkSIntKey of LoRaWAN 1.1. */
export interface MicKey {
  readonly slot: number
  readonly is11: boolean
  readonly open: () => AesKey
  readonly lastFCntUp: number | null
}

/** `repeated`: the last frame of that key again. */
export type MicVerdict = { readonly kind: 'right'; readonly slot: number; readonly fCnt: number } | { readonly kind: 'repeated' } | { readonly kind: 'wrong' }

type Frame = Pick<DataFrame, 'fCnt16' | 'mic'>

/** `jump`: how far it is ahead of what is expected; less than 0: the last one again. One that has no counter yet is behind all that have. */
interface Candidate {
  readonly key: MicKey
  readonly fCnt: number
  readonly jump: number
}

/** Those whose counter moves least are tried first, so that of many new keys on one DevAddr each has its turn before any has its second. */
export function checkMic(keys: readonly MicKey[], phy: Uint8Array, frame: Frame): MicVerdict {
  const candidates = keys.flatMap((key) => candidatesOf(key, frame.fCnt16)).sort((a, b) => a.jump - b.jump || Number(a.key.is11) - Number(b.key.is11))
  let half: Candidate | null = null
  let tries = 0
  for (const candidate of candidates) {
    const { key, fCnt } = candidate
    // Of 65,536 halves one fits by chance: of several that fit, the one whose counter moves least is meant, and a whole code is meant before any.
    if (key.is11 && half !== null) continue
    if (++tries > MAX_MIC_TRIES) break
    const from = key.is11 ? FORWARDING_AT : 0
    if (!equalBytesConstantTime(dataMic(key.open(), phy, 'up', fCnt).subarray(0, MIC_BYTES - from), frame.mic.subarray(from))) continue
    if (!key.is11) return verdictOf(candidate)
    half = candidate
  }
  return half === null ? { kind: 'wrong' } : verdictOf(half)
}

function verdictOf({ key, fCnt, jump }: Candidate): MicVerdict {
  return jump < 0 ? { kind: 'repeated' } : { kind: 'right', slot: key.slot, fCnt }
}

function candidatesOf(key: MicKey, fCnt16: number): readonly Candidate[] {
  if (key.lastFCntUp === null) return Array.from({ length: FIRST_ROUNDS }, (_, round) => ({ key, fCnt: round * ROUND + fCnt16, jump: ROUND * (round + 1) }))
  const expected = key.lastFCntUp + 1
  const previous = previousCounter(expected, fCnt16)
  const full = fullCounter(expected, fCnt16)
  return [...(previous === null ? [] : [{ key, fCnt: previous, jump: -1 }]), ...(full !== null && isWithinGap(expected, full) ? [{ key, fCnt: full, jump: full - expected }] : [])]
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
