/**
 * Which channels a device uses, told by LinkADRReq: a row of 16-bit masks, each with a control (ChMaskCntl) that says what the mask is for.
 * Regional Parameters, "LinkADRReq command" of each region.
 *
 *   16 channels   0: channels 0..15          6: all that are defined
 *   US915         0..3: 16 narrow ones each  4: the wide ones, 64..71      5: per bit, 8 narrow ones and their wide one
 *                 6, 7: all narrow ones on, off; the mask is for the wide ones
 *   CN470         0..5: 16 each              6: all
 *
 * A device takes the whole row or nothing.
 */
import { inputError } from '../../../base/index.ts'
import type { Region } from './types.ts'

export interface ChannelMask {
  readonly channelMask: number
  readonly channelMaskControl: number
}

const BLOCK = 16
/** US915: where the wide channels begin, and how many there are. */
const [WIDE_AT, WIDE] = [64, 8]
const MASK_BITS = 0xffff

/**
 * What a device has on after such a row; null: it would refuse it (a control nobody knows, a channel it does not have, or none left on).
 * `isDefined`, `isOn`: by channel, as long as the region's maxChannels.
 */
export function applyMasks(region: Region, isDefined: readonly boolean[], isOn: readonly boolean[], masks: readonly ChannelMask[]): readonly boolean[] | null {
  let now = checked(region, isOn).slice()
  for (const { channelMask, channelMaskControl: control } of masks) {
    const next = region.name === 'US915' ? wideApplied(now, channelMask, control) : plainApplied(region, isDefined, now, channelMask, control)
    if (next === null) return null
    now = next
  }
  return now.some(Boolean) && now.every((on, channel) => !on || isDefined[channel] === true) ? now : null
}

/** The shortest row that makes `isOn` into `wanted`; empty: nothing to say. Errors: input when nobody could take it. */
export function masksFor(region: Region, isDefined: readonly boolean[], isOn: readonly boolean[], wanted: readonly boolean[]): readonly ChannelMask[] {
  if (!checked(region, wanted).some(Boolean)) throw inputError('channels', 'none on', 'at least one')
  const blocks = Math.ceil(region.maxChannels / BLOCK)
  const changed = rowOf(wanted, blocks, (block) => blockOf(wanted, block) !== blockOf(isOn, block))
  const rows = [changed]
  if (region.name === 'US915') {
    const wide = wanted.slice(WIDE_AT).reduce((mask, on, i) => mask + (on ? 2 ** i : 0), 0)
    rows.push([{ channelMask: wide, channelMaskControl: 7 }, ...rowOf(wanted, blocks - 1, (block) => blockOf(wanted, block) !== 0)])
    rows.push([{ channelMask: wide, channelMaskControl: 6 }, ...rowOf(wanted, blocks - 1, (block) => blockOf(wanted, block) !== MASK_BITS)])
  } else rows.push([{ channelMask: 0, channelMaskControl: 6 }])
  const fitting = rows.filter((row) => {
    const after = applyMasks(region, isDefined, isOn, row)
    return after !== null && after.every((on, channel) => on === wanted[channel])
  })
  const shortest = fitting.sort((a, b) => a.length - b.length)[0]
  if (shortest === undefined) throw inputError('channels', wanted.flatMap((on, channel) => (on ? [channel] : [])).join(' '), 'channels the device has')
  return shortest
}

function plainApplied(region: Region, isDefined: readonly boolean[], isOn: readonly boolean[], mask: number, control: number): boolean[] | null {
  if (control === 6) return isOn.map((_, channel) => isDefined[channel] === true)
  if (control >= Math.ceil(region.maxChannels / BLOCK)) return null
  return blockApplied(isOn, control * BLOCK, BLOCK, mask)
}

function wideApplied(isOn: readonly boolean[], mask: number, control: number): boolean[] | null {
  if (control < 4) return blockApplied(isOn, control * BLOCK, BLOCK, mask)
  if (control === 4) return mask >= 2 ** WIDE ? null : blockApplied(isOn, WIDE_AT, WIDE, mask)
  if (control === 5) return isOn.map((_, channel) => bit(mask, channel >= WIDE_AT ? channel - WIDE_AT : Math.floor(channel / WIDE)))
  const narrow = isOn.map((on, channel) => (channel < WIDE_AT ? control === 6 : on))
  return blockApplied(narrow, WIDE_AT, WIDE, mask)
}

function blockApplied(isOn: readonly boolean[], from: number, length: number, mask: number): boolean[] {
  return isOn.map((on, channel) => (channel >= from && channel < from + length ? bit(mask, channel - from) : on))
}

function rowOf(wanted: readonly boolean[], blocks: number, isNeeded: (block: number) => boolean): readonly ChannelMask[] {
  return Array.from({ length: blocks }, (_, block) => block)
    .filter(isNeeded)
    .map((block) => ({ channelMask: blockOf(wanted, block), channelMaskControl: block }))
}

function blockOf(isOn: readonly boolean[], block: number): number {
  return isOn.slice(block * BLOCK, (block + 1) * BLOCK).reduce((mask, on, i) => mask + (on ? 2 ** i : 0), 0)
}

function bit(mask: number, index: number): boolean {
  return Math.floor(mask / 2 ** index) % 2 === 1
}

function checked(region: Region, channels: readonly boolean[]): readonly boolean[] {
  if (channels.length !== region.maxChannels) throw inputError('channels', `${channels.length} of them`, `${region.maxChannels}, which ${region.name} has`)
  return channels
}
