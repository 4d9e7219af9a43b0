/** One sensor: what it measured as a line, how well it is heard, its last readings, and what waits for it. */
import type { ComponentChildren } from 'preact'
import type { IotDeviceJson, IotQueueItemJson, IotReadingJson } from '../../../owner/api.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, Tabs } from '../ui/field.tsx'
import { DevicePill, batteryText, showValue } from './iot-devices.tsx'
import { Plot, type PlotPoint } from './iot-plot.tsx'
import { showDb, triesText } from './iot-radio.tsx'
import { Fact } from './iot-fact.tsx'
import * as S from './iot-strings.ts'
import { whenText } from './iot-time.ts'

export type PlotSpan = keyof typeof S.spans

export interface DeviceLookProps {
  readonly device: IotDeviceJson
  readonly readings: readonly IotReadingJson[]
  readonly queue: readonly IotQueueItemJson[]
  /** Name of the value that is drawn; null: it has no numbers. */
  readonly drawn: string | null
  readonly onDraw: (name: string) => void
  readonly span: PlotSpan
  readonly onSpan: (span: PlotSpan) => void
  readonly points: readonly PlotPoint[]
  readonly onTakeBack: (queueId: number) => void
}

/** Names of values that are numbers. */
export function numbersOf(device: IotDeviceJson): readonly { readonly name: string; readonly unit: string | null }[] {
  return device.values.filter(({ value }) => typeof value === 'number').map(({ name, unit }) => ({ name, unit }))
}

export function DeviceLook(props: DeviceLookProps) {
  const { device, readings, queue, drawn } = props
  const { session } = device
  const numbers = numbersOf(device)
  const unit = numbers.find(({ name }) => name === drawn)?.unit ?? null
  const signal = readings.flatMap(({ at, snrDb }) => (at.wallMs === null || snrDb === null ? [] : [{ wallMs: at.wallMs, mean: snrDb, least: snrDb, most: snrDb }])).reverse()
  const battery = batteryText(session?.battery ?? null)
  return (
    <>
      <div class="row">
        <DevicePill device={device} />
        {battery !== null && <span class="small quiet">{battery}</span>}
      </div>
      {device.values.length > 0 && (
        <p class="iot-values iot-values-large num">
          {device.values.map((value) => (
            <span key={value.name}>{showValue(value)}</span>
          ))}
        </p>
      )}
      {session === null && device.lastJoin !== null && device.lastJoin.refused !== null && <p class="warn-text small">{S.joinRefused(device.lastJoin.refused)}</p>}
      {drawn !== null && (
        <div class="stack-tight">
          <Tabs legend={S.plotSpan} value={props.span} onInput={props.onSpan} options={(['day', 'week', 'month'] as const).map((value) => ({ value, label: S.spans[value] }))} />
          {numbers.length > 1 && <SelectField label={S.plotValue} value={drawn} onInput={props.onDraw} options={numbers.map(({ name }) => ({ value: name, label: name }))} />}
          <Plot name={S.plotOf(drawn, unit)} points={props.points} />
        </div>
      )}
      {signal.length > 0 && (
        <div class="stack-tight">
          <h3>{S.signal}</h3>
          <Plot name={S.signalUnit} points={signal} />
        </div>
      )}
      {queue.length > 0 && (
        <Part title={S.queue}>
          {queue.map((item) => (
            <li key={item.queueId} class="iot-frame">
              <span class="small">
                {S.queueStates[item.state]} <span class="mono tiny">{item.payload}</span>
              </span>
              <span class={`tiny ${item.state === 'failed' || item.state === 'expired' ? 'warn-text' : 'quiet'}`}>
                {[item.asker, ...item.tries.slice(-1).map((one) => triesText(one.statuses))].join(' · ')}
              </span>
              {item.state === 'queued' && (
                <Button small icon="back" onClick={() => props.onTakeBack(item.queueId)}>
                  {S.callBack}
                </Button>
              )}
            </li>
          ))}
        </Part>
      )}
      {readings.length > 0 && (
        <Part title={S.history}>
          {readings.slice(0, 8).map((reading) => (
            <li key={reading.id} class="iot-frame">
              <span class="small num">{reading.values === null ? <span class="mono tiny">{reading.payload}</span> : reading.values.map(showValue).join(', ')}</span>
              {reading.problem !== null && <span class="tiny warn-text">{reading.problem}</span>}
              <span class="tiny quiet num push">
                {[S.frame(reading.fCnt), reading.dataRate, ...(reading.snrDb === null ? [] : [showDb(reading.snrDb)]), S.heardBy(reading.gateways), whenText(reading.at)].filter((part) => part !== '').join(' · ')}
              </span>
            </li>
          ))}
        </Part>
      )}
      <Facts device={device} />
    </>
  )
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div>
      <h3>{title}</h3>
      <ul class="lines iot-part">{children}</ul>
    </div>
  )
}

function Facts({ device }: { device: IotDeviceJson }) {
  const { session } = device
  return (
    <dl class="facts small">
      <Fact name={S.facts.devEui} mono text={device.devEui} />
      <Fact name={S.facts.version} text={`${device.macVersion}, ${device.deviceClass}, ${S.activation[device.activation]}`} />
      <Fact name={S.facts.codec} text={device.codec ?? S.noCodec} />
      {session !== null && (
        <>
          <Fact name={S.facts.address} mono text={session.devAddr} />
          <Fact name={session.aFCntDown === null ? S.facts.counters : S.facts.counters11} text={[session.fCntUp, session.fCntDown, ...(session.aFCntDown === null ? [] : [session.aFCntDown])].map((count) => count.toLocaleString('en')).join(', ')} />
          <Fact name={S.facts.rate} text={`DR${session.dataRate}`} />
          {session.marginDb !== null && <Fact name={S.facts.margin} text={showDb(session.marginDb)} />}
        </>
      )}
    </dl>
  )
}
