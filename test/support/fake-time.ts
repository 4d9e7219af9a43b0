/** Debian's libfaketime: another clock for one process and what it starts; all others keep theirs. */
import { globSync } from 'node:fs'

/** To be preloaded. Errors: it is not installed. */
export function faketimeLibrary(): string {
  const [found] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (found === undefined) throw new Error('libfaketime is not installed; scripts/setup.sh test installs it')
  return found
}

/** All clocks of one test file run from here on. */
const BEGAN_MS = Date.now()

/**
 * Environment of a process in which every clock and every wait runs `factor` times as fast. The chain makes a block a second and money rests
 * 17 deep; here that is sooner. To be asked for at each start: who starts later, or again, has the wall clock of those that have run since.
 * Were it the machine's, a sealer's blocks would be minutes old to everybody else, and a box that cannot see the chain takes no payment. The
 * clock since boot begins anew with each start.
 */
export function hurried(factor: number): NodeJS.ProcessEnv {
  const ahead = ((factor - 1) * (Date.now() - BEGAN_MS)) / 1000
  return { LD_PRELOAD: faketimeLibrary(), FAKETIME: `+${ahead.toFixed(3)} x${factor}` }
}
