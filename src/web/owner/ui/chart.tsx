/**
 * Money per day as bars. The plot is one stop for the Tab key: arrow keys, a finger or the mouse pick a
 * day, whose figures stand above the plot and are spoken. The same figures are there as a table.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { EarningDay, TokenJson } from '../../../owner/api.ts'
import { showDay } from '../format.ts'
import { perMille, showAmount, showMoney, unitsOf } from '../money.ts'
import * as S from '../strings.ts'

const TOP = 10
const FOOT = 26
const MIN_BAR = 3

interface ChartProps {
  readonly days: readonly EarningDay[]
  readonly token: TokenJson
  /** The last day is today and still growing. */
  readonly picked: number | null
  readonly onPick: (index: number | null) => void
}

export function DayChart({ days, token, picked, onPick }: ChartProps) {
  const [frame, width] = useWidth()
  const amounts = days.map((day) => unitsOf(day.all))
  const top = niceTop(amounts, token.decimals)
  const lines = [top, top / 2n]
  const left = 10 + 7 * Math.max(...lines.map((line) => showAmount(line, token.decimals).length))
  const step = (width - left) / Math.max(1, days.length)
  const barWidth = Math.max(3, Math.min(22, step * 0.68))
  const height = width < 480 ? 168 : 220
  const base = height - FOOT
  const last = days.length - 1
  const shown = picked ?? last
  const yOf = (amount: bigint): number => base - ((base - TOP) * perMille(amount, top)) / 1000

  const pickAt = (clientX: number): void => {
    const start = (frame.current?.getBoundingClientRect().left ?? 0) + left
    onPick(Math.min(last, Math.max(0, Math.floor((clientX - start) / step))))
  }
  const onKey = (event: KeyboardEvent): void => {
    const moves: Record<string, number> = { ArrowLeft: shown - 1, ArrowDown: shown - 1, ArrowRight: shown + 1, ArrowUp: shown + 1, Home: 0, End: last, PageDown: shown - 7, PageUp: shown + 7 }
    const next = moves[event.key]
    if (next === undefined) return
    event.preventDefault()
    onPick(Math.min(last, Math.max(0, next)))
  }

  const day = days[shown]
  return (
    <div
      class="chart"
      ref={frame}
      tabIndex={0}
      role="slider"
      aria-orientation="horizontal"
      aria-label={S.chartLabel(days.length)}
      aria-valuemin={1}
      aria-valuemax={days.length}
      aria-valuenow={shown + 1}
      aria-valuetext={day ? S.chartValue(showDay(day.day), showMoney(unitsOf(day.all), token)) : ''}
      onKeyDown={onKey}
      onPointerMove={(event) => pickAt(event.clientX)}
      onPointerDown={(event) => pickAt(event.clientX)}
      onPointerLeave={() => onPick(null)}
      onBlur={() => onPick(null)}
    >
      <svg width="100%" height={height} aria-hidden="true" focusable="false">
        {width > 0 && (
          <>
            {lines.map((line) => (
              <g key={String(line)}>
                <line class="chart-grid" x1={left} x2={width} y1={yOf(line)} y2={yOf(line)} />
                <text class="chart-text" x={left - 8} y={yOf(line) + 4} text-anchor="end">
                  {showAmount(line, token.decimals)}
                </text>
              </g>
            ))}
            {picked !== null && <rect class="chart-column" x={left + picked * step} y={TOP} width={step} height={base - TOP} rx="4" />}
            {amounts.map((amount, index) => {
              const y = amount > 0n ? Math.min(base - MIN_BAR, yOf(amount)) : base - 1
              return (
                <rect
                  key={days[index]?.day}
                  class={`chart-bar${index === shown ? ' chart-bar-now' : ''}${amount > 0n ? '' : ' chart-bar-none'}`}
                  x={left + index * step + (step - barWidth) / 2}
                  y={y}
                  width={barWidth}
                  height={base - y}
                  rx={Math.min(3, barWidth / 2)}
                />
              )
            })}
            <line class="chart-base" x1={left} x2={width} y1={base} y2={base} />
            <text class="chart-text" x={left} y={height - 8}>
              {showDay(days[0]?.day ?? '', true)}
            </text>
            <text class="chart-text" x={left + (width - left) / 2} y={height - 8} text-anchor="middle">
              {showDay(days[Math.floor(days.length / 2)]?.day ?? '', true)}
            </text>
            <text class="chart-text" x={width} y={height - 8} text-anchor="end">
              {S.chartToday}
            </text>
          </>
        )}
      </svg>
    </div>
  )
}

/** The top line of the plot: a round number above the highest bar, such that half of it is short too. */
function niceTop(amounts: readonly bigint[], decimals: number): bigint {
  const highest = amounts.reduce((high, amount) => (amount > high ? amount : high), 0n)
  if (highest === 0n) return 10n ** BigInt(decimals)
  let power = 1n
  while (power * 10n <= highest) power *= 10n
  for (const factor of [1n, 2n, 3n, 4n, 5n, 6n, 8n, 10n]) if (power * factor >= highest) return power * factor
  return power * 10n
}

function useWidth() {
  const frame = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = frame.current
    if (!element) return undefined
    const measure = (): void => setWidth(Math.max(120, element.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [frame, width] as const
}

export function DayTable({ days, token }: Pick<ChartProps, 'days' | 'token'>) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={S.chartLabel(days.length)}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{S.chartDay}</th>
            <th scope="col" class="right">
              {S.chartPaid}
            </th>
            <th scope="col" class="right">
              {S.chartYours}
            </th>
          </tr>
        </thead>
        <tbody>
          {[...days].reverse().map((day) => (
            <tr key={day.day}>
              <th scope="row">{showDay(day.day)}</th>
              <td class="right num">{showMoney(unitsOf(day.all), token)}</td>
              <td class="right num">{showMoney(unitsOf(day.owner), token)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
