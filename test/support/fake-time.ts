/** Debian's libfaketime: another clock for one process and what it starts; all others keep theirs. */
import { globSync } from 'node:fs'

/** To be preloaded. Errors: it is not installed. */
export function faketimeLibrary(): string {
  const [found] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (found === undefined) throw new Error('libfaketime is not installed; scripts/setup.sh test installs it')
  return found
}

/** Environment of a process in which every clock and every wait runs `factor` times as fast. The chain makes a block a second and money rests 17 deep; here that is sooner. */
export function hurried(factor: number): NodeJS.ProcessEnv {
  return { LD_PRELOAD: faketimeLibrary(), FAKETIME: `+0 x${factor}` }
}
