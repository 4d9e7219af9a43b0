/** Box health: every part in plain words with what to do, figures, alarms, the log, and taking care of it. */
import { useState } from 'preact/hooks'
import type { LogEventJson, StatusJson } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { showBytes, showDateTime, showDuration, showFullTime, showTime } from '../format.ts'
import { useLive } from '../live.ts'
import { levelOf, useStatus } from '../status.ts'
import { S } from '../strings.ts'
import { Tabs } from '../ui/field.tsx'
import { Empty, LoadFailed, Skeleton } from '../ui/notice.tsx'
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
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>{S.health.title}</h1>
          {data && <p>{S.health.lead(data.version, showDuration(data.uptimeSeconds))}</p>}
        </div>
      </div>
      {!data && (
        <div class="card card-pad">{status.error ? <LoadFailed text={status.error} onRetry={() => void status.reload()} /> : <Skeleton lines={8} height="36px" />}</div>
      )}
      {data && (
        <div class="columns columns-even">
          <div class="stack gap-page">
            <PartsCard status={data} />
            <AlarmsCard status={data} />
            <CareCard status={data} onChanged={() => void status.reload()} />
          </div>
          <div class="stack gap-page">
            <FiguresCard status={data} />
            <LogCard />
          </div>
        </div>
      )}
    </div>
  )
}

function PartsCard({ status }: { status: StatusJson }) {
  const level = levelOf(status)
  return (
    <section class="card" aria-labelledby="parts">
      <div class="card-head">
        <h2 id="parts">{S.health.summary[level]}</h2>
      </div>
      <ul class="lines">
        {status.health.map((line) => (
          <li key={line.part} class="line line-top">
            <LevelDot level={line.level} />
            <div class="line-text">
              <span class="strong">
                {S.health.parts[line.part] ?? line.part}
                <span class="hidden-text">: {S.health.levels[line.level]}</span>
              </span>
              <span class="small quiet">{line.text}</span>
              {line.advice && <span class={`small advice advice-${line.level}`}>{line.advice}</span>}
            </div>
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
      <h2 id="figures">{S.health.facts}</h2>
      <dl class="facts small">
        <div>
          <dt>{S.health.clock}</dt>
          <dd>
            <span class="num">{showFullTime(clock.wallMs)}</span>
            <span class={clock.trusted ? 'quiet block' : 'warn-text block'}>
              {clock.trusted ? S.health.clockTrusted(clock.sources.length) : S.health.clockUntrusted}
            </span>
            {apartMs > APART_MS && <span class="warn-text block">{S.health.clockApart(Math.round(apartMs / 60_000))}</span>}
          </dd>
        </div>
        <div>
          <dt>{S.health.gate}</dt>
          <dd>
            {S.health.gateStates[gate.state] ?? gate.state}
            {gate.reason && <span class="warn-text block">{gate.reason}</span>}
            <span class="quiet block">{S.health.repairs(gate.repairs)}</span>
          </dd>
        </div>
        <div>
          <dt>{S.health.option114}</dt>
          <dd>
            {S.health.option114States[option114.state] ?? option114.state}
            {option114.state === 'withheld' && <span class="quiet block">{option114.reason}</span>}
          </dd>
        </div>
        <div>
          <dt>{S.health.memory}</dt>
          <dd class="num">{S.health.memoryOf(showBytes(facts.memory.machineFreeBytes), showBytes(facts.memory.machineTotalBytes))}</dd>
        </div>
        <div>
          <dt>{S.health.disk}</dt>
          <dd class="num">{facts.disk === null ? S.words.unknown : S.health.memoryOf(showBytes(facts.disk.freeBytes), showBytes(facts.disk.totalBytes))}</dd>
        </div>
        <div>
          <dt>{S.health.book}</dt>
          <dd class="num">{showBytes(store.fileBytes + store.walBytes)}</dd>
        </div>
        <div>
          <dt>{S.health.load}</dt>
          <dd class="num">{S.health.loadOf(facts.load.map((one) => one.toFixed(2)).join(' · '), facts.cpus)}</dd>
        </div>
        <div>
          <dt>{S.health.system}</dt>
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
        <h2 id="alarms">{S.health.alarms}</h2>
      </div>
      <ul class="lines">
        {status.alarms.map((alarm) => (
          <li key={`${alarm.wallMs} ${alarm.kind} ${alarm.mac ?? ''}`} class="line line-top">
            <LevelDot level="warn" />
            <div class="line-text">
              <span class="strong">{S.health.alarmKinds[alarm.kind] ?? alarm.kind}</span>
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
        <h2 id="log">{S.health.log}</h2>
        <Tabs
          legend={S.health.logLevel}
          value={level}
          onInput={setLevel}
          options={[
            { value: 'info', label: S.health.logAll },
            { value: 'warn', label: S.health.logWarn },
          ]}
        />
      </div>
      {!data && <div class="card-pad">{log.error ? <LoadFailed text={log.error} onRetry={() => void log.reload()} /> : <Skeleton lines={6} />}</div>}
      {data?.events.length === 0 && <Empty icon="check" title={S.health.logNone} text="" />}
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
          {data.dropped > 0 && <p class="tiny quiet">{S.health.logDropped(data.dropped)}</p>}
        </div>
      )}
    </section>
  )
}

function newestFirst(events: readonly LogEventJson[]): LogEventJson[] {
  return [...events].sort((a, b) => b.id - a.id)
}
