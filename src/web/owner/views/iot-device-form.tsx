/** A sensor with its key, new or changed. Keys go in and are never shown. */
import { useState } from 'preact/hooks'
import type { IotDeviceJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { SelectField, Switch, TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import * as S from './iot-strings.ts'

const VERSIONS = ['1.0.2', '1.0.3', '1.0.4', '1.1'] as const
const NO_CODEC = ''

export interface DeviceFormProps {
  /** Null: a new one. */
  readonly device: IotDeviceJson | null
  readonly codecs: readonly string[]
  readonly onClose: () => void
  readonly onBack: (() => void) | null
  readonly onDone: () => void
}

/** Printed on sensors with blanks, dashes and colons. */
const hexOf = (text: string): string => text.replace(/[\s:-]/g, '').toLowerCase()
const isHex = (text: string, digits: number): boolean => new RegExp(`^[0-9a-f]{${digits}}$`).test(hexOf(text))

export function DeviceForm({ device, codecs, onClose, onBack, onDone }: DeviceFormProps) {
  const [name, setName] = useState(device?.name ?? '')
  const [devEui, setDevEui] = useState(device?.devEui ?? '')
  const [joinEui, setJoinEui] = useState(device?.joinEui ?? '')
  const [appKey, setAppKey] = useState('')
  const [nwkKey, setNwkKey] = useState('')
  const [codec, setCodec] = useState(device?.codec ?? NO_CODEC)
  const [macVersion, setMacVersion] = useState<string>(device?.macVersion ?? '1.0.3')
  const [deviceClass, setDeviceClass] = useState<string>(device?.deviceClass ?? 'A')
  const [isDisabled, setDisabled] = useState(device?.isDisabled ?? false)
  const [checked, setChecked] = useState(false)
  const isAbp = device?.activation === 'abp'
  const is11 = macVersion === '1.1'
  // The one key of 1.0 is not one of the two of 1.1.
  const mayStay = device !== null && (!is11 || device.macVersion === '1.1')
  const isKey = (text: string): boolean => (text.trim() === '' ? isAbp || mayStay : isHex(text, 32))
  const isKeyRight = isKey(appKey)
  const isNwkKeyRight = !is11 || isKey(nwkKey)
  const isJoinRight = joinEui.trim() === '' || isHex(joinEui, 16)
  const isRight = name.trim() !== '' && isHex(devEui, 16) && isJoinRight && isKeyRight && isNwkKeyRight
  const save = useAction(async () => {
    await call('putIotDevice', {
      body: {
        devEui: hexOf(devEui),
        name: name.trim(),
        ...(joinEui.trim() === '' ? {} : { joinEui: hexOf(joinEui) }),
        macVersion: VERSIONS.find((version) => version === macVersion) ?? '1.0.3',
        deviceClass: deviceClass === 'C' ? 'C' : 'A',
        codec: codec === NO_CODEC ? null : codec,
        isDisabled,
        ...(device === null ? {} : { allowsCounterReset: device.allowsCounterReset, expectedIntervalSeconds: device.expectedIntervalSeconds }),
        ...(appKey.trim() === '' ? {} : { appKey: hexOf(appKey) }),
        ...(!is11 || nwkKey.trim() === '' ? {} : { nwkKey: hexOf(nwkKey) }),
      },
    })
    say(S.saved)
    onDone()
  })
  return (
    <Dialog
      title={device === null ? S.newDevice : S.editDevice}
      step="edit"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void save.run()
      }}
      foot={
        <>
          <Button onClick={onBack ?? onClose}>{onBack === null ? W.wordsCancel : W.wordsBack}</Button>
          <Button kind="primary" submit busy={save.busy}>
            {W.wordsSave}
          </Button>
        </>
      }
    >
      <TextField label={S.deviceName} hint={S.deviceNameHint} value={name} onInput={setName} maxLength={80} error={checked && name.trim() === '' ? S.nameWrong : save.at('name')} autofocus />
      {device === null && <TextField label={S.facts.devEui} hint={S.devEuiHint} value={devEui} onInput={setDevEui} maxLength={30} error={checked && !isHex(devEui, 16) ? S.euiWrong : save.at('devEui')} />}
      {/* Before the keys: the version says how many there are. */}
      <div class="fields-2">
        <SelectField label={S.macVersion} value={macVersion} onInput={setMacVersion} options={VERSIONS.map((value) => ({ value, label: value }))} />
        <SelectField label={S.deviceClass} value={deviceClass} onInput={setDeviceClass} options={(['A', 'C'] as const).map((value) => ({ value, label: S.classes[value] }))} />
      </div>
      {!isAbp && (
        <>
          <TextField kind="password" autocomplete="off" label={S.appKey} hint={mayStay ? S.appKeyKept : S.appKeyHint} value={appKey} onInput={setAppKey} maxLength={60} error={checked && !isKeyRight ? S.keyWrong : save.at('appKey')} />
          {is11 && <TextField kind="password" autocomplete="off" label={S.nwkKey} hint={mayStay ? S.appKeyKept : S.nwkKeyHint} value={nwkKey} onInput={setNwkKey} maxLength={60} error={checked && !isNwkKeyRight ? S.keyWrong : save.at('nwkKey')} />}
          <TextField label={S.facts.joinEui} hint={S.joinEuiHint} value={joinEui} onInput={setJoinEui} maxLength={30} error={checked && !isJoinRight ? S.euiWrong : save.at('joinEui')} />
        </>
      )}
      <SelectField label={S.codec} value={codec} onInput={setCodec} error={save.at('codec')} options={[{ value: NO_CODEC, label: S.noCodec }, ...codecs.map((value) => ({ value, label: value }))]} />
      {device !== null && <Switch label={S.deviceDisabled} checked={isDisabled} onInput={setDisabled} />}
      {device === null && <p class="quiet small">{S.abpHint}</p>}
      <Refused text={save.besides('name', 'devEui', 'appKey', 'nwkKey', 'joinEui', 'codec')} />
    </Dialog>
  )
}
