/** What may stand behind `make run ARGS=`; a mistake is named with what is allowed. */
export interface LabOptions {
  /** Ends by itself after the story. */
  readonly isOnce: boolean
  /** Leaves out what only takes time: the settlement that needs hundreds of blocks. */
  readonly isQuick: boolean
  /** The same number: the same names, amounts and readings in the story, and the same purchases and order of things afterwards. How long things take is the machine's. */
  readonly seed: number
}

const DEFAULT_SEED = 1
const MAX_SEED = 4_294_967_295
const USAGE = "allowed: --once (ends after the story), --quick (without the long settlement), --seed N (0 to 4294967295), as in: make run ARGS='--quick --seed 7'"

/** Errors: a sentence for the terminal. */
export function parseOptions(words: readonly string[]): LabOptions {
  let [isOnce, isQuick, seed] = [false, false, DEFAULT_SEED]
  const left = words.flatMap((word) => (word.startsWith('--seed=') ? ['--seed', word.slice('--seed='.length)] : [word]))
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--once') isOnce = true
    else if (word === '--quick') isQuick = true
    else if (word === '--seed') seed = seedOf(left.shift())
    else throw new Error(`there is no option '${word}'; ${USAGE}`)
  }
  return { isOnce, isQuick, seed }
}

function seedOf(text: string | undefined): number {
  if (text === undefined || !/^\d{1,10}$/.test(text) || Number(text) > MAX_SEED) throw new Error(`--seed '${text ?? ''}' is no seed; ${USAGE}`)
  return Number(text)
}
