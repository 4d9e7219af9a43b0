/** The owner's own sensors: what each said last, and whether it still speaks. */
import type { IotDeviceJson, IotValueJson } from '../../../owner/api.ts'
import { hrefOf } from '../router.ts'
import { LinkButton } from '../ui/button.tsx'
import { Empty } from '../ui/notice.tsx'
import { showNumber } from './iot-plot.tsx'
import * as S from './iot-strings.ts'
import { whenText } from './iot-time.ts'

/** Most values a line shows; the dialog shows all. */
const LINE_VALUES = 4
const BATTERY_FULL = 254

function deviceState(device: IotDeviceJson): keyof typeof S.deviceState {
  if (device.isDisabled) return 'disabled'
  if (device.session === null) return 'not-joined'
  return device.isOnline ? 'online' : 'silent'
}

/** 'soil 18.2 %', 'open yes'. */
export function showValue({ name, value, unit }: IotValueJson): string {
  const text = typeof value === 'number' ? showNumber(value) : typeof value === 'boolean' ? (value ? 'yes' : 'no') : value
  return `${name}\u00a0${text}${unit === null ? '' : `\u00a0${unit}`}`
}

export function batteryText(battery: number | null): string | null {
  if (battery === null || battery > BATTERY_FULL) return null
  return battery === 0 ? S.mains : S.battery(Math.round((100 * battery) / BATTERY_FULL))
}

export function DevicePill({ device }: { device: IotDeviceJson }) {
  const state = deviceState(device)
  return (
    <span class={`pill ${state === 'online' ? 'pill-good' : state === 'disabled' ? '' : 'pill-warn'}`}>
      <span class={`dot${state === 'online' ? '' : ' dot-hollow'}`} aria-hidden="true" />
      {S.deviceState[state]}
    </span>
  )
}

export function DevicesCard({ devices }: { devices: readonly IotDeviceJson[] }) {
  return (
    <section class="card" aria-labelledby="iot-devices">
      <div class="card-head">
        <h2 id="iot-devices">{S.devices}</h2>
      </div>
      {devices.length === 0 ? (
        <Empty icon="antenna" title={S.devicesNone} text={S.devicesNoneText}>
          <LinkButton icon="plus" href={hrefOf('iot', 'new')}>
            {S.addDevice}
          </LinkButton>
        </Empty>
      ) : (
        <ul class="lines">
          {devices.map((device) => (
            <DeviceLine key={device.devEui} device={device} />
          ))}
        </ul>
      )}
    </section>
  )
}

function DeviceLine({ device }: { device: IotDeviceJson }) {
  const { values, lastSeen, lastJoin, queued, session } = device
  const battery = batteryText(session?.battery ?? null)
  return (
    <li class="iot-item line-link">
      <div class="row">
        <a class="cover" href={hrefOf('iot', device.devEui)}>
          <bdi>{device.name}</bdi>
        </a>
        <DevicePill device={device} />
        <span class="tiny quiet push num">
          {lastSeen === null ? S.never : whenText(lastSeen)}
          {battery !== null && ` · ${battery}`}
        </span>
      </div>
      {values.length > 0 ? (
        <p class="iot-values num">
          {values.slice(0, LINE_VALUES).map((value) => (
            <span key={value.name}>{showValue(value)}</span>
          ))}
        </p>
      ) : (
        session !== null && <p class="small quiet">{S.noReading}</p>
      )}
      {lastJoin !== null && lastJoin.refused !== null && session === null && <p class="small warn-text">{S.joinRefused(lastJoin.refused)}</p>}
      {queued > 0 && <p class="tiny quiet">{S.waiting(queued)}</p>}
    </li>
  )
}
