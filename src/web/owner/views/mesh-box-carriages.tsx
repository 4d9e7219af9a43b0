/** What this box and one other carry for each other, and what the owner may order of it. */
import type { MeshCarriageJson, MeshGuestDebtJson, MeshViewJson } from '../../../owner/api.ts'
import { showMoney, unitsOf } from '../money.ts'
import { CarriageLine } from './mesh-parts.tsx'
import * as S from './mesh-strings.ts'

export interface CarriageChoices {
  readonly all: readonly MeshCarriageJson[]
  /** What it owes for its guests here. */
  readonly debts: readonly MeshGuestDebtJson[]
  readonly mayEnd: boolean
  readonly mayReadmit: boolean
  readonly mayWriteOff: boolean
}

/** With the box `other`. */
export function carriagesWith({ map, guests }: Pick<MeshViewJson, 'map' | 'guests'>, other: string | null): CarriageChoices {
  const all = map.payments.filter(({ carrier, client }) => carrier === other || client === other)
  const debts = guests.debts.filter(({ box, isOurs, open }) => box === other && isOurs === 'holder' && unitsOf(open) > 0n)
  return {
    all,
    debts,
    mayEnd: all.some(({ state }) => state !== 'ended'),
    mayReadmit: all.some(({ isResting }) => isResting),
    mayWriteOff: all.some(isBad) || debts.length > 0,
  }
}

/** What writing off gives up; one text for each token. */
export function openText({ all, debts }: CarriageChoices): string {
  const sums = new Map<string, { units: bigint; token: MeshCarriageJson['token'] }>()
  for (const { open, token } of [...all.filter(isBad), ...debts]) sums.set(token.symbol, { units: (sums.get(token.symbol)?.units ?? 0n) + unitsOf(open), token })
  return [...sums.values()].map(({ units, token }) => showMoney(units, token)).join(', ')
}

/** It ended here, and was not paid. */
function isBad({ isOurs, state, open }: MeshCarriageJson): boolean {
  return isOurs === 'carrier' && state === 'ended' && unitsOf(open) > 0n
}

export function BoxCarriages({ view, choices }: { view: MeshViewJson; choices: CarriageChoices }) {
  if (choices.all.length === 0) return null
  return (
    <ul class="lines mesh-carriages" aria-label={S.payments}>
      {choices.all.map((one, index) => (
        <CarriageLine key={index} view={view} carriage={one} />
      ))}
    </ul>
  )
}
