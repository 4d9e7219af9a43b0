/** What the box earned: today and this month in large, the last thirty days as a plot, and from what. */
import { useState } from 'preact/hooks'
import type { EarningsJson, EarningSum } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { showDay } from '../format.ts'
import { useLive } from '../live.ts'
import { perMille, showAmount, showMoney, unitsOf } from '../money.ts'
import * as S from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { DayChart, DayTable } from '../ui/chart.tsx'
import { Pending } from '../ui/notice.tsx'

const EARNINGS_MS = 15_000
const DAYS = 30

export function EarningsCard() {
  const earnings = useLive('earnings', () => call('earnings', { query: { days: DAYS } }), EARNINGS_MS)
  const { data } = earnings
  return (
    <section class="card earnings" aria-label={S.homeToday}>
      {data ? (
        <Earnings data={data} />
      ) : (
        <div class="card-pad stack">
          <Pending live={earnings} lines={3} height="96px" />
        </div>
      )}
    </section>
  )
}

function Earnings({ data }: { data: EarningsJson }) {
  const { token, earnedMonth } = data
  const isDated = !data.today.startsWith('boot:')
  const yesterday = data.days[data.days.length - 2]
  const undated = unitsOf(data.undated.all)
  const notes = [
    ...(isDated ? [] : [S.homeUntrusted]),
    ...(isDated && undated > 0n ? [S.homeUndatedToo(showMoney(undated, token))] : []),
    ...data.otherTokens.map((other) => S.homeOtherToken(other.units, other.token)),
  ]
  return (
    <>
      <div class="card-pad sums">
        <div class="sum-main">
          <h2 class="sum-label">{isDated ? S.homeToday : S.homeUndated}</h2>
          <Amount sum={data.earnedToday} token={token} large />
          {yesterday && <p class="quiet small num">{S.homeYesterday(showMoney(unitsOf(yesterday.all), token))}</p>}
          <OwnPart sum={data.earnedToday} token={token} />
        </div>
        <div class="sum-more">
          {earnedMonth && (
            <div>
              <h2 class="sum-label">{S.homeMonth}</h2>
              <Amount sum={earnedMonth} token={token} />
              <OwnPart sum={earnedMonth} token={token} />
            </div>
          )}
          <div>
            <h2 class="sum-label">{S.homeTotal}</h2>
            <Amount sum={data.earnedTotal} token={token} />
            <OwnPart sum={data.earnedTotal} token={token} />
          </div>
        </div>
      </div>
      {notes.length > 0 && (
        <div class="card-pad earnings-notes stack-tight quiet small">
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </div>
      )}
      <Plot data={data} />
      <Sources data={data} />
    </>
  )
}

function Amount({ sum, token, large = false }: { sum: EarningSum; token: EarningsJson['token']; large?: boolean }) {
  return (
    <p class={`amount num${large ? ' amount-large' : ''}`}>
      {showAmount(unitsOf(sum.all), token.decimals)} <span class="amount-symbol">{token.symbol}</span>
    </p>
  )
}

/** Only where shares take a part: otherwise the sum above is already the owner's. */
function OwnPart({ sum, token }: { sum: EarningSum; token: EarningsJson['token'] }) {
  if (sum.owner.units === sum.all.units) return null
  return <p class="quiet small">{S.homeYourPart(showMoney(unitsOf(sum.owner), token))}</p>
}

function Plot({ data }: { data: EarningsJson }) {
  const [picked, setPicked] = useState<number | null>(null)
  const [asTable, setAsTable] = useState(false)
  const hasAny = data.days.some((day) => unitsOf(day.all) !== 0n)
  const day = picked === null ? undefined : data.days[picked]
  if (data.days.length === 0) return null
  if (!hasAny) return <p class="card-pad plot quiet">{S.chartNone}</p>
  return (
    <div class="card-pad plot">
      <div class="row-apart plot-head">
        <p class="small" aria-hidden={day ? 'true' : undefined}>
          {day ? (
            <>
              <span class="quiet">{showDay(day.day)}</span> <span class="strong num">{showMoney(unitsOf(day.all), data.token)}</span>
            </>
          ) : (
            <span class="quiet">{S.chartTitle(data.days.length)}</span>
          )}
        </p>
        <Button kind="quiet" small icon={asTable ? 'speed' : 'table'} onClick={() => setAsTable(!asTable)}>
          {asTable ? S.chartAsPlot : S.chartAsTable}
        </Button>
      </div>
      {asTable ? <DayTable days={data.days} token={data.token} /> : <DayChart days={data.days} token={data.token} picked={picked} onPick={setPicked} />}
    </div>
  )
}

/** Of this month, or of all time while the box does not know the month. */
function Sources({ data }: { data: EarningsJson }) {
  const earned = data.bySource
    .map((one) => ({ source: one.source, units: unitsOf((one.month ?? one.total).all) }))
    .filter((one) => one.units !== 0n)
    .sort((a, b) => (b.units > a.units ? 1 : b.units < a.units ? -1 : 0))
  const whole = earned.reduce((sum, one) => sum + one.units, 0n)
  if (earned.length === 0) return null
  return (
    <div class="card-pad sources stack-tight">
      <h3>{data.earnedMonth === null ? S.homeSourcesAll : S.homeSources}</h3>
      <ul class="stack">
        {earned.map((one) => (
          <li key={one.source} class="source">
            <span>{S.source[one.source] ?? one.source}</span>
            <span class="num nowrap strong">{showMoney(one.units, data.token)}</span>
            <span class="meter" aria-hidden="true">
              <i style={{ width: `${perMille(one.units, whole) / 10}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
