/** Box health: every part in plain words with what to do, figures, alarms, the log, and taking care of it. */
import { useState } from 'preact/hooks'
import type { LogEventJson, StatusJson } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { showBytes, showDateTime, showDuration, showFullTime, showTime } from '../format.ts'
import { useLive } from '../live.ts'
import { levelOf, useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { Tabs } from '../ui/field.tsx'
import { Empty, Hidden, Pending, Said } from '../ui/notice.tsx'
import { Columns, PageHead } from '../ui/page.tsx'
import { CareCard } from './care.tsx'
import { LevelDot } from './health-parts.tsx'

const LOG_MS = 10_000
const LOG_LINES = 60
const APART_MS = 120_000

export function HealthView() {
  const status = useStatus()
  const { data } = status
  return (
    <div class="page">
      <PageHead title={S.healthTitle} lead={data && S.healthLead(data.version, showDuration(data.uptimeSeconds))} />
      {!data && (
        <div class="card card-pad">
          <Pending live={status} lines={8} height="36px" />
        </div>
      )}
      {data && (
        <Columns
          isEven
          main={
            <>
              <PartsCard status={data} />
              <AlarmsCard status={data} />
              <CareCard status={data} onChanged={() => void status.reload()} />
            </>
          }
          side={
            <>
              <FiguresCard status={data} />
              <LogCard />
            </>
          }
        />
      )}
    </div>
  )
}

function PartsCard({ status }: { status: StatusJson }) {
  const level = levelOf(status)
  return (
    <section class="card" aria-labelledby="parts">
      <div class="card-head">
        <h2 id="parts">{S.healthSummary[level]}</h2>
      </div>
      <ul class="lines">
        {status.health.map((line) => (
          <li key={line.part} class="line line-top">
            <LevelDot level={line.level} />
            <div class="line-text">
              <span class={line.level === 'ok' ? undefined : 'strong'}>
                <Hidden>{S.healthLevels[line.level]}: </Hidden>
                {line.text}
              </span>
              {line.advice && (
                <span class={`small advice advice-${line.level}`}>
                  <Said text={line.advice} />
                </span>
              )}
            </div>
            <span class="quiet tiny nowrap part-name">{S.healthParts[line.part] ?? line.part}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function FiguresCard({ status }: { status: StatusJson }) {
  const { clock, gate, facts, option114, store } = status
  const apartMs = Math.abs(clock.wallMs - Date.now())
  return (
    <section class="card card-pad" aria-labelledby="figures">
      <h2 id="figures">{S.healthFacts}</h2>
      <dl class="facts small">
        <div>
          <dt>{S.healthClock}</dt>
          <dd>
            <span class="num">{showFullTime(clock.wallMs)}</span>
            <span class={clock.trusted ? 'quiet block' : 'warn-text block'}>
              {clock.trusted ? S.healthClockTrusted(clock.sources.length) : S.healthClockUntrusted}
            </span>
            {apartMs > APART_MS && <span class="warn-text block">{S.healthClockApart(Math.round(apartMs / 60_000))}</span>}
          </dd>
        </div>
        <div>
          <dt>{S.healthGate}</dt>
          <dd>
            {S.healthGateStates[gate.state] ?? gate.state}
            {gate.reason && <span class="warn-text block">{gate.reason}</span>}
            <span class="quiet block">{S.healthRepairs(gate.repairs)}</span>
          </dd>
        </div>
        <div>
          <dt>{S.healthOption114}</dt>
          <dd>
            {S.healthOption114States[option114.state] ?? option114.state}
            {option114.state === 'withheld' && <span class="quiet block">{option114.reason}</span>}
          </dd>
        </div>
        <div>
          <dt>{S.healthMemory}</dt>
          <dd class="num">{S.healthMemoryOf(showBytes(facts.memory.machineFreeBytes), showBytes(facts.memory.machineTotalBytes))}</dd>
        </div>
        <div>
          <dt>{S.healthDisk}</dt>
          <dd class="num">{facts.disk === null ? S.wordsUnknown : S.healthMemoryOf(showBytes(facts.disk.freeBytes), showBytes(facts.disk.totalBytes))}</dd>
        </div>
        <div>
          <dt>{S.healthBook}</dt>
          <dd class="num">{showBytes(store.fileBytes + store.walBytes)}</dd>
        </div>
        <div>
          <dt>{S.healthLoad}</dt>
          <dd class="num">{S.healthLoadOf(facts.load.map((one) => one.toFixed(2)).join(' · '), facts.cpus)}</dd>
        </div>
        <div>
          <dt>{S.healthSystem}</dt>
          <dd>
            {facts.kernel} · {facts.architecture}
            <span class="quiet block">{facts.runtime}</span>
          </dd>
        </div>
      </dl>
    </section>
  )
}

function AlarmsCard({ status }: { status: StatusJson }) {
  if (status.alarms.length === 0) return null
  return (
    <section class="card" aria-labelledby="alarms">
      <div class="card-head">
        <h2 id="alarms">{S.healthAlarms}</h2>
      </div>
      <ul class="lines">
        {status.alarms.map((alarm) => (
          <li key={`${alarm.wallMs} ${alarm.kind} ${alarm.mac ?? ''}`} class="line line-top">
            <LevelDot level="warn" />
            <div class="line-text">
              <span class="strong">{S.healthAlarmKinds[alarm.kind] ?? alarm.kind}</span>
              <span class="small quiet">{alarm.detail}</span>
              {alarm.mac && <span class="small mono">{alarm.mac}</span>}
            </div>
            <span class="tiny quiet num nowrap">{showDateTime(alarm.wallMs)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function LogCard() {
  const [level, setLevel] = useState<'info' | 'warn'>('info')
  const log = useLive(`log/${level}`, () => call('log', { query: { limit: LOG_LINES, level } }), LOG_MS)
  const { data } = log
  return (
    <section class="card" aria-labelledby="log">
      <div class="card-head">
        <h2 id="log">{S.healthLog}</h2>
        <Tabs
          legend={S.healthLogLevel}
          value={level}
          onInput={setLevel}
          options={[
            { value: 'info', label: S.healthLogAll },
            { value: 'warn', label: S.healthLogWarn },
          ]}
        />
      </div>
      {!data && (
        <div class="card-pad">
          <Pending live={log} lines={6} height="20px" />
        </div>
      )}
      {data?.events.length === 0 && <Empty icon="check" title={S.healthLogNone} text="" />}
      {data && data.events.length > 0 && (
        <div class="log" tabIndex={0} role="region" aria-labelledby="log">
          <ol>
            {newestFirst(data.events).map((event) => (
              <li key={event.id} class={`log-line log-${event.level}`}>
                <time class="num quiet">{showTime(event.wallMs)}</time>
                {(event.level === 'warn' || event.level === 'error') && <span class={`log-mark log-mark-${event.level}`}>{event.level}</span>}
                <span>{event.line}</span>
              </li>
            ))}
          </ol>
          {data.dropped > 0 && <p class="tiny quiet">{S.healthLogDropped(data.dropped)}</p>}
        </div>
      )}
    </section>
  )
}

function newestFirst(events: readonly LogEventJson[]): LogEventJson[] {
  return [...events].sort((a, b) => b.id - a.id)
}
