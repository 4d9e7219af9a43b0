/** The sensors page, alive: asked again while it is shown; dialogs over it by the address. */
import { call } from '../client.ts'
import { useLive } from '../live.ts'
import { closeTo } from '../router.ts'
import { hearsSensors, useStatus } from '../status.ts'
import { WaitingPage } from '../ui/page.tsx'
import { DeviceDialog } from './iot-device-dialog.tsx'
import { DeviceForm } from './iot-device-form.tsx'
import { RuleDialog } from './iot-rules.tsx'
import * as S from './iot-strings.ts'
import { TenantDialog } from './iot-tenants.tsx'
import { IotOff, IotPage } from './iot.tsx'

const LIVE_MS = 2_000
const EVERY_MS = 4_000
const SLOW_MS = 15_000
const FRAMES = 12
const DOWNLINKS = 6

export function IotView({ id }: { id: string | null }) {
  const box = useStatus()
  if (box.data !== null && !hearsSensors(box.data)) return <IotOff />
  return <IotAlive id={id} />
}

function IotAlive({ id }: { id: string | null }) {
  const status = useLive('iot', () => call('iot', {}), EVERY_MS)
  const gateways = useLive('iot/gateways', () => call('iotGateways', {}), EVERY_MS)
  const devices = useLive('iot/devices', () => call('iotDevices', {}), EVERY_MS)
  const tenants = useLive('iot/tenants', () => call('iotTenants', {}), EVERY_MS)
  const rules = useLive('iot/rules', () => call('iotRules', {}), EVERY_MS)
  const frames = useLive('iot/frames', () => call('iotFrames', { query: { limit: FRAMES } }), LIVE_MS)
  const downlinks = useLive('iot/downlinks', () => call('iotDownlinks', { query: { limit: DOWNLINKS } }), EVERY_MS)
  const codecs = useLive('iot/codecs', () => call('iotCodecs', {}), SLOW_MS)
  const leave = (): void => closeTo('iot')
  const reload = (): void => void Promise.all([status, devices, tenants, rules, downlinks].map((one) => one.reload()))
  const done = (): void => {
    leave()
    reload()
  }
  if (status.data === null || devices.data === null)
    return <WaitingPage title={S.title} live={status.data === null ? status : devices} />
  const device = devices.data.devices.find((one) => one.devEui === id)
  const tenant = tenants.data?.tenants.find((one) => id === `tenant-${one.id}`)
  const rule = rules.data?.rules.find((one) => id === `rule-${one.id}`)
  const names = codecs.data?.codecs.map(({ name }) => name) ?? []
  return (
    <>
      <IotPage
        status={status.data}
        gateways={gateways.data?.gateways ?? []}
        devices={devices.data.devices}
        tenants={tenants.data?.tenants ?? []}
        rules={rules.data ?? { rules: [], runs: [] }}
        frames={frames.data?.frames ?? []}
        downlinks={downlinks.data?.downlinks ?? []}
        problem={status.error ?? devices.error}
      />
      {id === 'new' && <DeviceForm device={null} codecs={names} onClose={leave} onBack={null} onDone={done} />}
      {id === 'new-rule' && rules.data !== null && <RuleDialog rule={null} rules={rules.data.rules} onClose={leave} onChanged={reload} />}
      {device && <DeviceDialog key={device.devEui} device={device} codecs={names} onClose={leave} onChanged={reload} />}
      {tenant && <TenantDialog tenant={tenant} onClose={leave} onChanged={reload} />}
      {rule && rules.data !== null && <RuleDialog key={rule.id} rule={rule} rules={rules.data.rules} onClose={leave} onChanged={reload} />}
    </>
  )
}
