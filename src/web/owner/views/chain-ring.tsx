/**
 * The signer round as a ring of slots, clockwise from the top. A slot's look says what became of it; own slots
 * stand out at the rim. It only decorates for whoever cannot see it: its label and the list beside it say the same.
 */
import type { ChainRoundJson, ChainSlotJson } from '../../../owner/api.ts'
import * as S from './chain-strings.ts'

const SIZE = 240
const MIDDLE = SIZE / 2
const OUTER = 100
const INNER = 72
const RIM = 108
/** Between two slots, in units of the drawing. */
const GAP = 4
/** Slots thinner than this have no gaps: they would be nothing else. */
const GAPS_UP_TO = 60

export function RoundRing({ round, summary }: { round: ChainRoundJson; summary: string }) {
  const { slots } = round
  const next = slots.find((slot) => slot.state === 'next')
  return (
    <svg class="ring" viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={S.roundLabel(summary)}>
      {slots.map((slot) => (
        <g key={slot.place}>
          <path class={`slot slot-${slot.state}${slot.isOwn ? ' slot-own' : ''}`} d={slotPath(slot.place, slots.length)} />
          {slot.state === 'missed' && slots.length <= GAPS_UP_TO && <path class="slot-cross" d={crossPath(slot.place, slots.length)} />}
          {slot.isOwn && <path class="slot-mark" d={rimPath(slot.place, slots.length)} />}
        </g>
      ))}
      {next && (
        <>
          <text class="ring-number" x={MIDDLE} y={MIDDLE + 4} text-anchor="middle">
            {S.block(next.number)}
          </text>
          <text class="ring-text" x={MIDDLE} y={MIDDLE + 26} text-anchor="middle">
            {S.nextBlock}
          </text>
        </>
      )}
    </svg>
  )
}

/** Only the states that this ring shows. */
export function RingLegend({ slots }: { slots: readonly ChainSlotJson[] }) {
  const states = (Object.keys(S.slotStates) as ChainSlotJson['state'][]).filter((state) => slots.some((slot) => slot.state === state))
  return (
    <ul class="ring-legend tiny" aria-hidden="true">
      {states.map((state) => (
        <li key={state}>
          <i class={`slot-swatch slot-swatch-${state}`} />
          {S.slotStates[state]}
        </li>
      ))}
      {slots.some((slot) => slot.isOwn) && (
        <li>
          <i class="slot-swatch slot-swatch-own" />
          {S.own}
        </li>
      )}
    </ul>
  )
}

function angleOf(place: number, count: number): number {
  return (place / count) * 2 * Math.PI - Math.PI / 2
}

function pointAt(angle: number, radius: number): { cx: number; cy: number } {
  return { cx: MIDDLE + radius * Math.cos(angle), cy: MIDDLE + radius * Math.sin(angle) }
}

/** A piece of the ring; the whole of it where there is one slot. */
function slotPath(place: number, count: number): string {
  if (count === 1) return `${circle(OUTER, 1)} ${circle(INNER, 0)}`
  const gap = count > GAPS_UP_TO ? 0 : GAP / 2
  const [from, to] = [angleOf(place, count), angleOf(place + 1, count)]
  const at = (radius: number, angle: number, sign: number): string => {
    const { cx, cy } = pointAt(angle + (sign * gap) / radius, radius)
    return `${cx.toFixed(2)} ${cy.toFixed(2)}`
  }
  return `M${at(OUTER, from, 1)}A${OUTER} ${OUTER} 0 0 1 ${at(OUTER, to, -1)}L${at(INNER, to, -1)}A${INNER} ${INNER} 0 0 0 ${at(INNER, from, 1)}Z`
}

/** A line along the outside of a slot. */
function rimPath(place: number, count: number): string {
  if (count === 1) return circle(RIM, 1)
  const gap = count > GAPS_UP_TO ? 0 : GAP / RIM
  const [from, to] = [pointAt(angleOf(place, count) + gap, RIM), pointAt(angleOf(place + 1, count) - gap, RIM)]
  return `M${from.cx.toFixed(2)} ${from.cy.toFixed(2)}A${RIM} ${RIM} 0 0 1 ${to.cx.toFixed(2)} ${to.cy.toFixed(2)}`
}

function circle(radius: number, sweep: 0 | 1): string {
  return `M${MIDDLE - radius} ${MIDDLE}A${radius} ${radius} 0 1 ${sweep} ${MIDDLE + radius} ${MIDDLE}A${radius} ${radius} 0 1 ${sweep} ${MIDDLE - radius} ${MIDDLE}Z`
}

/** Not by colour alone: a missed slot is crossed out. */
function crossPath(place: number, count: number): string {
  const { cx, cy } = pointAt(angleOf(place + 0.5, count), (OUTER + INNER) / 2)
  const arm = 4
  return `M${cx - arm} ${cy - arm}l${2 * arm} ${2 * arm}M${cx + arm} ${cy - arm}l${-2 * arm} ${2 * arm}`
}
