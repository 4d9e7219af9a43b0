/** A line over time, with the span between least and most behind it. The figures stand beside it in words. */
import { useId } from 'preact/hooks'
import { showDateTime } from '../format.ts'
import * as S from './iot-strings.ts'

export interface PlotPoint {
  readonly wallMs: number
  readonly mean: number
  readonly least: number
  readonly most: number
}

export interface PlotProps {
  readonly name: string
  readonly points: readonly PlotPoint[]
}

const [WIDTH, HEIGHT, PAD] = [320, 120, 6]

/** 21.437 → '21.44', 1180 → '1,180'. */
export function showNumber(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 })
}

export function Plot({ name, points }: PlotProps) {
  const id = useId()
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return <p class="small quiet">{S.plotNone}</p>
  const [least, most] = points.reduce(([low, high], point) => [Math.min(low, point.least), Math.max(high, point.most)] as const, [Infinity, -Infinity] as const)
  const [from, span, height] = [first.wallMs, Math.max(1, last.wallMs - first.wallMs), most - least]
  const x = (wallMs: number): number => (points.length === 1 ? WIDTH / 2 : (WIDTH * (wallMs - from)) / span)
  const y = (value: number): number => (height === 0 ? HEIGHT / 2 : PAD + ((HEIGHT - 2 * PAD) * (most - value)) / height)
  const at = (point: PlotPoint, value: number): string => `${x(point.wallMs).toFixed(1)},${y(value).toFixed(1)}`
  const band = [...points.map((point) => at(point, point.most)), ...[...points].reverse().map((point) => at(point, point.least))].join(' ')
  return (
    <figure class="iot-plot" aria-labelledby={id}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <polygon class="iot-plot-band" points={band} />
        <polyline class="iot-plot-line" points={points.map((point) => at(point, point.mean)).join(' ')} />
        {points.length === 1 && <circle class="iot-plot-dot" cx={x(first.wallMs)} cy={y(first.mean)} r="3" />}
      </svg>
      <div class="row-apart tiny quiet num" aria-hidden="true">
        <span>{showDateTime(first.wallMs)}</span>
        <span>{showDateTime(last.wallMs)}</span>
      </div>
      <figcaption id={id} class="small num">
        {S.plotSays(name, showNumber(least), showNumber(most), showNumber(last.mean))}
      </figcaption>
    </figure>
  )
}
