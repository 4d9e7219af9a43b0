/** What this box and one other carry for each other, and what the owner may order of it. */
import type { MeshCarriageJson, MeshViewJson } from '../../../owner/api.ts'
import { showMoney, unitsOf } from '../money.ts'
import { CarriageLine } from './mesh-parts.tsx'
import * as S from './mesh-strings.ts'

export interface CarriageChoices {
  readonly all: readonly MeshCarriageJson[]
  readonly mayEnd: boolean
  readonly mayReadmit: boolean
  readonly mayWriteOff: boolean
}

/** With the box `other`. */
export function carriagesWith({ map }: Pick<MeshViewJson, 'map'>, other: string | null): CarriageChoices {
  const all = map.payments.filter(({ carrier, client }) => carrier === other || client === other)
  return {
    all,
    mayEnd: all.some(({ state }) => state !== 'ended'),
    mayReadmit: all.some(({ isResting }) => isResting),
    mayWriteOff: all.some(isBad),
  }
}

/** What writing off gives up; one text for each token. */
export function openText(all: readonly MeshCarriageJson[]): string {
  const sums = new Map<string, { units: bigint; token: MeshCarriageJson['token'] }>()
  for (const { open, token } of all.filter(isBad)) sums.set(token.symbol, { units: (sums.get(token.symbol)?.units ?? 0n) + unitsOf(open), token })
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
