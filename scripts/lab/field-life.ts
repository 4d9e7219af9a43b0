/** What goes on in the field when the story is told: the probe speaks, the meter's frames are sold. A seed says what, and in which order. */
import type { Dice } from './dice.ts'
import type { Field } from './iot.ts'
import { note } from './say.ts'

const ROUND_MS = 5_000
/** Percent: the rule's valve opens below 20. */
const [DRIEST, WETTEST] = [14, 46]

export type FieldTurn = { readonly kind: 'soil'; readonly percent: number } | { readonly kind: 'meter' }

/** All is thrown each time: what comes later does not hang on what this turn is. */
export function nextFieldTurn(dice: Dice): FieldTurn {
  const isMeter = dice.below(2) === 0
  const percent = DRIEST + dice.below(WETTEST - DRIEST + 1)
  return isMeter ? { kind: 'meter' } : { kind: 'soil', percent }
}

export class FieldLife {
  readonly #field: Field
  readonly #dice: Dice
  #timer: NodeJS.Timeout | null = null
  #isOver = false

  constructor(field: Field, dice: Dice) {
    this.#field = field
    this.#dice = dice
  }

  /** Begins; ends by `stop`. */
  start(): void {
    this.#timer = setTimeout(() => {
      void this.#next()
        .catch((error: unknown) => {
          if (!this.#isOver) note(`(the field goes on without it: ${error instanceof Error ? error.message : String(error)})`)
        })
        .then(() => {
          if (!this.#isOver) this.start()
        })
    }, ROUND_MS)
  }

  /** What is under way is left alone: a frame for a box that has no power would be waited for in vain. */
  stop(): void {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #next(): Promise<void> {
    const turn = nextFieldTurn(this.#dice)
    if (turn.kind === 'soil') this.#field.soil(turn.percent)
    else await this.#field.sell()
  }
}
