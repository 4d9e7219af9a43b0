/** The pages of the first-run wizard. Each asks one question. */
import type { PackagePreset, SetupForm } from '../../../owner/api.ts'
import { showContents } from '../format.ts'
import { showMoney } from '../money.ts'
import * as S from '../strings.ts'
import { Choices, Switch, TextField } from '../ui/field.tsx'
import { Notice, Said } from '../ui/notice.tsx'
import { NewPassword } from '../ui/new-password.tsx'
import { minutesOf, type StepProps } from './setup-draft.ts'

const COMMON_MINUTES = ['5', '10', '15', '30', '60']

function Question({ title, lead }: { title: string; lead: string }) {
  return (
    <div class="stack-tight">
      <h1 tabIndex={-1}>{title}</h1>
      <p class="quiet">{lead}</p>
    </div>
  )
}

export function PlaceStep({ draft, edit, checked, at }: StepProps) {
  return (
    <>
      <Question title={S.setupPlaceTitle} lead={S.setupPlaceLead} />
      <TextField
        label={S.setupName}
        placeholder={S.setupNameExample}
        value={draft.name}
        onInput={(name) => edit({ name })}
        maxLength={48}
        error={checked && draft.name.trim() === '' ? S.setupNeedName : at('name')}
      />
      <TextField
        label={S.setupCode}
        hint={<Said text={S.setupCodeHint} />}
        placeholder={S.setupCodeExample}
        value={draft.setupCode}
        onInput={(setupCode) => edit({ setupCode })}
        maxLength={16}
        code
        error={checked && draft.setupCode.trim() === '' ? S.setupNeedCode : at('setupCode')}
      />
    </>
  )
}

export function PriceStep({ draft, edit, form, checked, at }: StepProps) {
  const minutes = minutesOf(draft)
  const hour = hourPrice(minutes, form)
  return (
    <>
      <Question title={S.setupPriceTitle} lead={S.setupPriceLead} />
      {draft.sellsMinutes && (
        <>
          <div class="price-line">
            <TextField
              kind="decimal"
              label={S.setupPriceEquals(form.token.symbol)}
              unit={S.setupPriceUnit}
              value={draft.minutes}
              onInput={(text) => edit({ minutes: text })}
              maxLength={10}
              error={checked && !(minutes > 0) ? S.setupNeedMinutes : (at('minutesPerToken') ?? at('pricePerMinute'))}
              hint={hour === null ? undefined : S.setupPriceExample(hour)}
            />
          </div>
          <Choices
            legend={S.setupPricePresets}
            layout="chips"
            value={draft.minutes}
            onInput={(text) => edit({ minutes: text })}
            options={COMMON_MINUTES.map((value) => ({ value, label: S.setupPreset(Number(value)) }))}
          />
        </>
      )}
      <Switch
        label={S.setupPriceNone}
        hint={S.setupPriceNoneHint}
        checked={!draft.sellsMinutes}
        onInput={(isOff) => edit({ sellsMinutes: !isOff })}
      />
    </>
  )
}

/** '6 MBX' for an hour at so many minutes a token; rounded up like the box does with what a buyer owes. */
function hourPrice(minutes: number, form: SetupForm): string | null {
  if (!(minutes > 0)) return null
  const { decimals } = form.token
  const milliMinutes = BigInt(Math.round(minutes * 1000))
  const units = (10n ** BigInt(decimals) * 60_000n + milliMinutes - 1n) / milliMinutes
  return showMoney(units, form.token)
}

export function PackagesStep({ draft, edit, form, at }: StepProps) {
  // ready packages are priced by the minute, so without that price only the configured ones are left
  const presets = draft.sellsMinutes ? form.presets : form.presets.filter((one) => one.id === 'keep')
  return (
    <>
      <Question title={S.setupPackagesTitle} lead={S.setupPackagesLead} />
      {!draft.sellsMinutes && <Notice>{S.setupPackagesUnpriced}</Notice>}
      <Choices
        legend={S.setupPackagesTitle}
        value={draft.sellsMinutes ? draft.packages : 'keep'}
        onInput={(packages) => edit({ packages })}
        options={presets.map((one) => ({ value: one.id, label: one.label, hint: contentsOf(one) }))}
        error={at('packages')}
      />
    </>
  )
}

function contentsOf(preset: PackagePreset): string {
  return preset.packages.map((one) => one.label || showContents(one.seconds, one.bytes)).join(' · ')
}

export function NetworkStep({ draft, edit, form, at }: StepProps) {
  const names = [...new Set([form.guestInterface, ...form.interfaces])]
  return (
    <>
      <Question title={S.setupNetworkTitle} lead={S.setupNetworkLead} />
      <Choices
        legend={S.setupNetwork}
        value={draft.guestInterface}
        onInput={(guestInterface) => edit({ guestInterface })}
        options={names.map((name) => ({
          value: name,
          label: <span class="mono">{name}</span>,
          ...(name === form.guestInterface ? { hint: S.setupNetworkNow } : {}),
        }))}
        error={at('guestInterface')}
      />
      <p class="quiet small">{S.setupNetworkRule}</p>
    </>
  )
}

export function PasswordStep({ draft, edit, form, checked, at }: StepProps) {
  return (
    <>
      <Question title={S.setupPasswordTitle} lead={S.setupPasswordLead} />
      <NewPassword
        label={S.setupPassword}
        least={form.passwordMinLength}
        value={draft.password}
        repeat={draft.repeat}
        onInput={(password) => edit({ password })}
        onRepeat={(repeat) => edit({ repeat })}
        checked={checked}
        error={at('password')}
      />
    </>
  )
}
