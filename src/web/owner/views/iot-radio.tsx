/** Parts of the sensors page about the radio: gateways with what is left of their time on air, frames as they come, orders and their ends. */
import type { IotBudgetJson, IotDeviceJson, IotDownlinkJson, IotFrameJson, IotGatewayJson, IotStatusJson } from '../../../owner/api.ts'
import { Hidden } from '../ui/notice.tsx'
import { LevelDot } from './health-parts.tsx'
import * as S from './iot-strings.ts'
import { showAir, whenText } from './iot-time.ts'

/** What the owner has to know first. */
function radioState({ doors, gateways }: IotStatusJson): keyof typeof S.stateTitle {
  if (gateways.online > 0) return 'receiving'
  if (doors.gwmp === null && doors.station === null) return 'shut'
  return gateways.known > 0 ? 'silent' : 'none'
}

export function RadioCard({ status, gateways }: { status: IotStatusJson; gateways: readonly IotGatewayJson[] }) {
  const state = radioState(status)
  return (
    <section class="card" aria-labelledby="iot-state">
      <div class="line line-top chain-state">
        <LevelDot level={S.stateLevel[state]} />
        <div class="line-text">
          <h2 id="iot-state">{S.stateTitle[state]}</h2>
          <p class="small quiet">{S.stateText(state, status.doors)}</p>
          <p class="tiny quiet num">
            {S.region(status.region)} · {S.uplinks(status.uplinks)}
            {status.refusedPackets > 0 && ` · ${S.refused(status.refusedPackets)}`}
          </p>
        </div>
      </div>
      {gateways.length > 0 && (
        <ul class="lines" aria-label={S.gateways}>
          {gateways.map((gateway) => (
            <Gateway key={gateway.id} gateway={gateway} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Gateway({ gateway }: { gateway: IotGatewayJson }) {
  const { id, isOnline, stats, lastSeen, budget } = gateway
  const said = stats === null ? [] : [S.gatewayStats(stats.receivedOk, stats.received), ...(stats.ackPercent === null ? [] : [S.gatewayAck(stats.ackPercent)]), ...(stats.temperatureC === null ? [] : [S.gatewayTemperature(stats.temperatureC)])]
  return (
    <li class="iot-item">
      <div class="row">
        <span class="mono small strong">{id}</span>
        <span class={`pill ${isOnline ? 'pill-good' : 'pill-warn'}`}>
          <span class={`dot${isOnline ? '' : ' dot-hollow'}`} aria-hidden="true" />
          {isOnline ? S.online : S.silent}
        </span>
        <span class="tiny quiet push">
          {gateway.door === 'gwmp' ? 'UDP' : 'Basics Station'} · {S.seen(whenText(lastSeen))}
        </span>
      </div>
      {said.length > 0 && <p class="tiny quiet num">{said.join(' · ')}</p>}
      {budget.length > 0 && (
        <div class="iot-bands">
          <h3 class="tiny quiet">{S.airtime(S.windowOf(budget[0]?.windowSeconds ?? 3_600))}</h3>
          <ul class="iot-bands-list">
            {budget.map((band) => (
              <Band key={band.name} band={band} />
            ))}
          </ul>
          <p class="tiny quiet iot-bands-legend" aria-hidden="true">
            <span>
              <i class="swatch" /> {S.airtimeLegend.used}
            </span>
            <span>
              <i class="swatch swatch-3" /> {S.airtimeLegend.kept}
            </span>
            {budget.some(isOut) && (
              <span>
                <i class="swatch meter-out" /> {S.airtimeLegend.out}
              </span>
            )}
          </p>
        </div>
      )}
    </li>
  )
}

const isOut = ({ dutyPpm, freeMs }: IotBudgetJson): boolean => dutyPpm !== null && freeMs <= 0

function Band({ band }: { band: IotBudgetJson }) {
  const { name, fromHz, toHz, dutyPpm, windowSeconds, usedMs, reservedMs, freeMs } = band
  const range = `${megahertz(fromHz)}–${megahertz(toHz)}`
  if (dutyPpm === null)
    return (
      <li class="iot-band tiny">
        <span class="num">
          {name} <span class="quiet">{range}</span>
        </span>
        <span class="quiet">{S.airtimeFree}</span>
      </li>
    )
  const wholeMs = Math.max(1, (windowSeconds * 1_000 * dutyPpm) / 1e6)
  const width = (ms: number): string => `${Math.min(100, (100 * ms) / wholeMs).toFixed(1)}%`
  return (
    <li class="iot-band tiny">
      <span class="num">
        {name} <span class="quiet">{range}</span>
      </span>
      <span class="meter" aria-hidden="true">
        <i class={isOut(band) ? 'meter-out' : undefined} style={{ width: width(usedMs) }} />
        <i class="meter-3" style={{ width: width(reservedMs) }} />
      </span>
      <span class="quiet num" title={S.airtimeUsed(showAir(usedMs), showAir(reservedMs))}>
        {S.airtimeLeft(showAir(Math.max(0, freeMs)), showAir(wholeMs))}
      </span>
    </li>
  )
}

export function FramesCard({ frames, nameOf }: { frames: readonly IotFrameJson[]; nameOf: (devEui: string) => string }) {
  return (
    <section class="card" aria-labelledby="iot-frames">
      <div class="card-head">
        <div>
          <h2 id="iot-frames">{S.frames}</h2>
          {frames.length === 0 && <p>{S.framesNone}</p>}
        </div>
      </div>
      {frames.length > 0 && (
        <ul class="lines">
          {frames.map((frame, index) => (
            <FrameLine key={index} frame={frame} nameOf={nameOf} />
          ))}
        </ul>
      )}
    </section>
  )
}

function FrameLine({ frame, nameOf }: { frame: IotFrameJson; nameOf: (devEui: string) => string }) {
  const { devEui, verdict, tenants } = frame
  const isBad = verdict === 'refused' || tenants.some((tenant) => ['bad-mic', 'no-credit', 'not-stored', 'undelivered'].includes(tenant.verdict))
  const whose = devEui === null ? tenants.map((tenant) => `${tenant.id}: ${S.tenantVerdicts[tenant.verdict] ?? tenant.verdict}`).join(', ') : `${nameOf(devEui)}: ${S.verdicts[verdict]}`
  return (
    <li class="iot-frame">
      <span class={`small${isBad ? ' warn-text' : ''}`}>{whose === '' ? S.verdicts[verdict] : whose}</span>
      <span class="tiny quiet num push">
        {megahertz(frame.frequencyHz)} MHz · {frame.dataRate} · {frame.bytes} B{frame.snrDb !== null && ` · ${showDb(frame.snrDb)}`} · {whenText(frame.at)}
      </span>
    </li>
  )
}

/** To 100 Hz: as exact as plans are. */
function megahertz(hz: number): number {
  return Math.round(hz / 100) / 1e4
}

export function showDb(db: number): string {
  return `${db > 0 ? '+' : db < 0 ? '−' : ''}${Math.abs(db).toFixed(1).replace(/\.0$/, '')}\u00a0dB`
}

export function DownlinksCard({ downlinks, nameOf }: { downlinks: readonly IotDownlinkJson[]; nameOf: (devEui: IotDeviceJson['devEui']) => string }) {
  return (
    <section class="card" aria-labelledby="iot-downlinks">
      <div class="card-head">
        <div>
          <h2 id="iot-downlinks">{S.downlinks}</h2>
          {downlinks.length === 0 && <p>{S.downlinksNone}</p>}
        </div>
      </div>
      {downlinks.length > 0 && (
        <ul class="lines">
          {downlinks.map((downlink) => (
            <li key={`${downlink.gateway}-${downlink.id}`} class="iot-frame">
              <span class="small">{downlink.devEui !== null ? nameOf(downlink.devEui) : (downlink.tenant ?? downlink.gateway)}</span>
              <span class={`tiny push ${downlink.isSent ? 'quiet' : 'warn-text'}`}>
                <Hidden>, </Hidden>
                {triesText(downlink.statuses)}
                {downlink.isSent && ` · ${S.onAir(downlink.onAirMs)}`} · {whenText(downlink.at)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Each window tried, in words; what was not needed is not said. */
export function triesText(statuses: readonly string[]): string {
  const tried = statuses.filter((status) => status !== 'IGNORED')
  return tried.map((status) => S.statuses[status] ?? status).join(', then ')
}
