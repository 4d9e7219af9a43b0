/**
 * Serial numbers for new vouchers, drawn from those that are free. A number fixes its code for ever (docs/vouchers.md),
 * so numbers in order would be printed and sold a second time by a box whose table is from an older backup; of
 * drawn ones only few. It also makes a guess have to hit a printed number, not only its tag.
 */
import type { Randomness } from '../base/index.ts'

export const MAX_SERIAL = 32_767

/** Those of 0..MAX_SERIAL that are not known, in order. */
export function freeSerials(known: Iterable<number>): number[] {
  const taken = new Set(known)
  return Array.from({ length: MAX_SERIAL + 1 }, (_, serial) => serial).filter((serial) => !taken.has(serial))
}

/** `count` different ones of `free`, each as likely as any other. `count` is at most what is free. */
export function drawSerials(free: readonly number[], count: number, randomness: Randomness): number[] {
  const left = [...free]
  return Array.from({ length: count }, () => {
    const index = drawBelow(left.length, randomness)
    const drawn = left[index] ?? 0
    left[index] = left.at(-1) ?? drawn
    left.pop()
    return drawn
  })
}

/** 0..limit-1. What would make some of them likelier is drawn again. */
function drawBelow(limit: number, randomness: Randomness): number {
  const most = Math.floor(0x1_0000 / limit) * limit
  for (;;) {
    const [high = 0, low = 0] = randomness.bytes(2)
    const drawn = high * 256 + low
    if (drawn < most) return drawn % limit
  }
}
