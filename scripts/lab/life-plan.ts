/** What goes on in the town, by a die alone: the same seed, the same names, purchases and order of things. */
import type { Dice } from './dice.ts'
import { MIB, type Roof } from './street.ts'

const NAMES = ['Chidi', 'Dora', 'Emre', 'Farida', 'Goran', 'Hana', 'Ivo', 'Jun', 'Kofi', 'Lena', 'Mina', 'Noor', 'Omar', 'Pilar', 'Quan', 'Rosa', 'Sami', 'Tala', 'Uma', 'Vito'] as const
const BUYS = ['minute', 'minute', 'half_hour', 'day'] as const

export interface LifeTurn {
  readonly kind: 'send' | 'surf' | 'buy'
  /** Which guest: 0 to their number - 1. */
  readonly guest: number
  readonly roof: Roof
  readonly bytes: number
  /** A package of the box. */
  readonly wanted: string
}

/** Those who come later, in the order in which they come. */
export function namesInOrder(dice: Dice): readonly string[] {
  const left: string[] = [...NAMES]
  const names: string[] = []
  while (left.length > 0) names.push(...left.splice(dice.below(left.length), 1))
  return names
}

export function wantedBy(dice: Dice): string {
  return dice.pick(BUYS)
}

/** The die is thrown for all of it each time: what somebody breaks does not change what comes later. `guests`: one or more. */
export function nextTurn(dice: Dice, guests: number): LifeTurn {
  const turn = dice.below(4)
  const guest = dice.below(guests)
  const roof: Roof = dice.below(3) === 0 ? 'box7' : 'box4'
  const bytes = MIB / 4 + dice.below(MIB)
  return { kind: turn <= 1 ? 'send' : turn === 2 ? 'surf' : 'buy', guest, roof, bytes, wanted: wantedBy(dice) }
}
