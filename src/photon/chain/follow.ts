/**
 * Which block to read next, and when not to: nothing is told before it lies as deep as money may rest on (photon.md
 * 9.9: 17 blocks), so an ordinary reorganisation is never seen at all. A deeper one is: then what was told may be
 * wrong, and nothing more is told until somebody has looked at it. Pure; follower.ts is the shell.
 */
import type { Hash } from '../../base/index.ts'
import type { ChainPoint } from '../ports.ts'

/** The newest block that was told; its number is one below the contract's first block before anything was. */
export interface FollowPosition {
  readonly number: number
  /** Null where nothing was told yet. */
  readonly hash: Hash | null
}

export type FollowStep =
  | { readonly kind: 'read'; readonly point: ChainPoint }
  /** Up to date, or the chain cannot say now. */
  | { readonly kind: 'wait' }
  /** The block that was told last is not in the chain any more. */
  | { readonly kind: 'lost'; readonly number: number; readonly told: Hash; readonly found: Hash }

/** `safe`: what may be told. `at`: the canonical block of a height, null where it is not known. */
export function followStep(position: FollowPosition, safe: ChainPoint | null, at: (number: number) => ChainPoint | null): FollowStep {
  if (safe === null) return WAIT
  const { number, hash } = position
  if (hash !== null && number <= safe.number) {
    const told = number === safe.number ? safe : at(number)
    if (told === null) return WAIT
    if (told.hash !== hash) return { kind: 'lost', number, told: hash, found: told.hash }
  }
  if (number >= safe.number) return WAIT
  const next = number + 1 === safe.number ? safe : at(number + 1)
  return next === null ? WAIT : { kind: 'read', point: next }
}

const WAIT: FollowStep = { kind: 'wait' }
