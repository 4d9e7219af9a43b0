/** The CFList of a join accept: what channels a device gets besides the region's own, or which of them are on. */
import { inputError } from '../../../base/index.ts'
import type { CfList } from '../join.ts'
import type { Region } from './types.ts'

const MOST_FREQUENCIES = 5
const MASK_CHANNELS = 16
const MASKS = 6

/**
 * `extraHz`: channels after the default ones, for DR0 to DR5; null in a fixed plan. `isOn`: by channel, for a fixed plan; null elsewhere.
 * Null: nothing to say. Errors: input for channels outside the region.
 */
export function cfListFor(region: Region, wish: { readonly extraHz: readonly number[] | null; readonly isOn: readonly boolean[] | null }): CfList | null {
  const { extraHz, isOn } = wish
  if (region.cfList === 'frequencies') {
    if (extraHz === null || extraHz.length === 0) return null
    if (extraHz.length > MOST_FREQUENCIES) throw inputError('channels', `${extraHz.length} of them`, `at most ${MOST_FREQUENCIES}`)
    const outside = extraHz.find((hz) => hz % 100 !== 0 || hz < region.fromHz || hz >= region.toHz)
    if (outside !== undefined) throw inputError('channels', outside, `${region.fromHz} to ${region.toHz} Hz, in steps of 100`)
    return { kind: 'frequencies', frequenciesHz: [...extraHz, ...Array<number>(MOST_FREQUENCIES - extraHz.length).fill(0)] }
  }
  if (isOn === null) return null
  if (isOn.length !== region.maxChannels || !isOn.some(Boolean)) throw inputError('channels', `${isOn.filter(Boolean).length} on of ${isOn.length}`, `at least one of ${region.maxChannels}`)
  const mask = (from: number): number => isOn.slice(from, from + MASK_CHANNELS).reduce((sum, on, i) => sum + (on ? 2 ** i : 0), 0)
  return { kind: 'masks', masks: Array.from({ length: MASKS }, (_, i) => mask(i * MASK_CHANNELS)) }
}
