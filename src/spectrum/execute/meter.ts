/**
 * Steps, memory and the unmetered switch of one run.
 *
 * In the original a contract's code runs unmetered when it is a chief's, or the one that a chief calls (its base),
 * or the one that the base calls (the POC contract). The switch is one for the whole machine and is set where a
 * call starts, not set back where it ends: a contract that called a chief goes on unmetered (spec 6.6). So the
 * number of steps must be bounded here, and what runs for nothing is counted as if it paid, which bounds its memory
 * and its work as well. A block that needs more is not judged at all.
 */
import type { Address } from '../codec/fields.ts'
import { isChief } from '../network/network.ts'
import type { Network } from '../network/network.ts'

/** Of all transactions of a block together. A block of 40 M gas has at most 40 M. */
export const MAX_BLOCK_STEPS = 50_000_000
/** What would have been paid for all that ran unmetered in a block. A round's last update takes some 2 M. */
const MAX_FREE_GAS = 50_000_000n

/** Nobody can say what this run comes to: it would not end, or the original would make coins of it. */
export class Unprovable extends Error {}

export class Meter {
  /** Is gas not counted at the moment? */
  isOff = false
  /** What the last metered call handed on: an unmetered call hands it on again (spec 6.6). */
  lastCallGas = 0n
  #stepsLeft: number
  #freeGasLeft = MAX_FREE_GAS

  constructor(maxSteps: number) {
    this.#stepsLeft = maxSteps
  }

  /** A transaction starts metered, whatever ran before it. */
  begin(): void {
    this.isOff = false
    this.lastCallGas = 0n
  }

  step(): void {
    if (--this.#stepsLeft < 0) throw new Unprovable('more steps than a block may take')
  }

  /** Gas that nobody pays. */
  free(gas: bigint): void {
    this.#freeGasLeft -= gas
    if (this.#freeGasLeft < 0n) throw new Unprovable(`more than ${MAX_FREE_GAS} gas unmetered`)
  }
}

/** Does code at `to`, called by `caller`, run unmetered? */
export function isUnmetered(network: Pick<Network, 'chiefs' | 'chiefBase' | 'poc'>, caller: Address, to: Address): boolean {
  if (isChief(network, to)) return true
  if (to === network.chiefBase) return network.chiefs.some((chief) => chief.version === '1.0.0' && chief.address === caller)
  return to === network.poc && caller === network.chiefBase
}
