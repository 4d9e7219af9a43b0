/**
 * The hash chain of a voucher (photon.md 9.4): w_steps is the seed, w_(i-1) = sha256(w_i), w_0 the signed tip. Whoever
 * shows w_i has paid i ticks. The hash comes in from outside: the page brings its own, the box takes Node's.
 */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** w_from hashed `steps` times: w_(from - steps). */
export function hashBack(sha256: Sha256, preimage: Uint8Array, steps: number): Uint8Array {
  let word = preimage
  for (let step = 0; step < steps; step++) word = sha256(word)
  return word
}

/** All words of a chain, the tip first: `words[i]` pays i ticks. */
export function chainOf(sha256: Sha256, seed: Uint8Array, steps: number): readonly Uint8Array[] {
  const words = [seed]
  for (let step = 0; step < steps; step++) words.push(sha256(words.at(-1) ?? seed))
  return words.reverse()
}

export function sameWord(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
