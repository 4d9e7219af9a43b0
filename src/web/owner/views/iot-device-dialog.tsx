/** One sensor over the page, alive: to look at, to send to, to change, to take away. */
import { useState } from 'preact/hooks'
import type { IotDeviceJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call, pathOf } from '../client.ts'
import { useLive } from '../live.ts'
import * as W from '../strings.ts'
import { Button, LinkButton, RemoveButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch, Tabs, TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { DeviceForm } from './iot-device-form.tsx'
import { DeviceLook, numbersOf, type PlotSpan } from './iot-device-look.tsx'
import * as S from './iot-strings.ts'

const EVERY_MS = 5_000
const PLOT_MS = 30_000
const READINGS = 60
const DAY_MS = 86_400_000
const SPAN_MS: Readonly<Record<PlotSpan, number>> = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS }
const POINTS = 160

export interface DeviceDialogProps {
  readonly device: IotDeviceJson
  readonly codecs: readonly string[]
  readonly onClose: () => void
  readonly onChanged: () => void
}

export function DeviceDialog(props: DeviceDialogProps) {
  const [step, setStep] = useState<'look' | 'send' | 'edit'>('look')
  const { device, onChanged } = props
  const back = (): void => setStep('look')
  if (step === 'edit')
    return (
      <DeviceForm
        device={device}
        codecs={props.codecs}
        onClose={props.onClose}
        onBack={back}
        onDone={() => {
          onChanged()
          back()
        }}
      />
    )
  if (step === 'send') return <SendStep device={device} onClose={props.onClose} onBack={back} onDone={onChanged} />
  return <LookStep {...props} onSend={() => setStep('send')} onEdit={() => setStep('edit')} />
}

function LookStep({ device, onClose, onChanged, onSend, onEdit }: DeviceDialogProps & { onSend: () => void; onEdit: () => void }) {
  const { devEui } = device
  const params = { id: devEui }
  const numbers = numbersOf(device)
  const [chosen, setChosen] = useState<string | null>(null)
  const [span, setSpan] = useState<PlotSpan>('day')
  const drawn = numbers.find(({ name }) => name === chosen)?.name ?? numbers[0]?.name ?? null
  const readings = useLive(`iot/readings/${devEui}`, () => call('iotReadings', { params, query: { limit: READINGS } }), EVERY_MS)
  const queue = useLive(`iot/queue/${devEui}`, () => call('iotQueue', { params }), EVERY_MS)
  const series = useLive(
    `iot/series/${devEui}/${drawn ?? ''}/${span}`,
    async () => (drawn === null ? null : call('iotSeries', { params, query: { name: drawn, from: Date.now() - SPAN_MS[span], to: Date.now(), points: POINTS } })),
    PLOT_MS,
  )
  const takeBack = useAction(async (queueId: number) => {
    await call('iotCancel', { params: { id: String(queueId) } })
    await queue.reload()
    onChanged()
  })
  const remove = useAction(async () => {
    await call('removeIotDevice', { params })
    say(S.removed)
    onClose()
    onChanged()
  })
  const letJoin = useAction(async () => {
    await call('forgetIotNonces', { params })
    say(S.letJoinDone)
    onChanged()
  })
  return (
    <Dialog
      title={device.name}
      wide
      toRead
      step="look"
      onClose={onClose}
      foot={
        <>
          <RemoveButton busy={remove.busy} onRemove={() => void remove.run()} />
          {device.activation === 'otaa' && device.lastJoin !== null && device.lastJoin.refused !== null && (
            <Button busy={letJoin.busy} onClick={() => void letJoin.run()}>
              {S.letJoin}
            </Button>
          )}
          <Button onClick={onEdit}>{W.wordsEdit}</Button>
          <Button kind="primary" icon="channels" onClick={onSend}>
            {S.send}
          </Button>
        </>
      }
    >
      <Refused text={readings.error ?? takeBack.besides() ?? remove.besides() ?? letJoin.besides()} />
      <DeviceLook
        device={device}
        readings={readings.data?.readings ?? []}
        queue={queue.data?.queue ?? []}
        drawn={drawn}
        onDraw={setChosen}
        span={span}
        onSpan={setSpan}
        points={series.data?.points ?? []}
        onTakeBack={(queueId) => void takeBack.run(queueId)}
      />
      <div>
        <LinkButton icon="download" small download href={pathOf('iotCsv', { params, query: {} })}>
          {S.csv}
        </LinkButton>
      </div>
    </Dialog>
  )
}

/** Null: it is not JSON. */
function jsonOf(text: string): { readonly data: unknown } | null {
  try {
    return { data: JSON.parse(text) as unknown }
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null
    throw thrown
  }
}

function SendStep({ device, onClose, onBack, onDone }: { device: IotDeviceJson; onClose: () => void; onBack: () => void; onDone: () => void }) {
  const [how, setHow] = useState<'data' | 'bytes'>(device.codec === null ? 'bytes' : 'data')
  const [data, setData] = useState('')
  const [port, setPort] = useState('1')
  const [bytes, setBytes] = useState('')
  const [isConfirmed, setConfirmed] = useState(false)
  const [checked, setChecked] = useState(false)
  const json = jsonOf(data)
  const isPort = /^\d{1,3}$/.test(port.trim()) && Number(port) >= 1 && Number(port) <= 223
  const isHex = /^([0-9a-fA-F]{2})*$/.test(bytes.trim())
  const isRight = how === 'data' ? json !== null : isPort && isHex
  const send = useAction(async () => {
    const what = how === 'data' ? { data: json?.data } : { fPort: Number(port), payload: bytes.trim().toLowerCase() }
    await call('iotSend', { params: { id: device.devEui }, body: { ...what, isConfirmed } })
    say(S.sendDone)
    onDone()
    onBack()
  })
  return (
    <Dialog
      title={S.sendTitle}
      step="send"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void send.run()
      }}
      foot={
        <>
          <Button onClick={onBack}>{W.wordsBack}</Button>
          <Button kind="primary" submit busy={send.busy}>
            {S.send}
          </Button>
        </>
      }
    >
      {device.codec !== null && (
        <Tabs
          legend={S.sendWhat}
          value={how}
          onInput={setHow}
          options={[
            { value: 'data', label: S.sendAs.data },
            { value: 'bytes', label: S.sendAs.bytes },
          ]}
        />
      )}
      {how === 'data' ? (
        <TextField label={S.sendData} value={data} onInput={setData} placeholder='{"open":true}' error={checked && json === null ? S.sendWrongJson : send.at('data')} autofocus />
      ) : (
        <>
          <TextField kind="number" label={S.sendPort} value={port} onInput={setPort} error={checked && !isPort ? S.sendWrongPort : send.at('fPort')} />
          <TextField label={S.sendBytes} value={bytes} onInput={setBytes} placeholder="01ff" error={checked && !isHex ? S.sendWrongHex : send.at('payload')} />
        </>
      )}
      <Switch label={S.sendConfirmed} checked={isConfirmed} onInput={setConfirmed} />
      <p class="quiet">{device.deviceClass === 'C' ? '' : S.sendHint}</p>
      <Refused text={send.besides('data', 'fPort', 'payload')} />
    </Dialog>
  )
}
