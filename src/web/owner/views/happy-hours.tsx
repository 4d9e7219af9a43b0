/** Happy hours: a list, and a dialog for one of them that saves at once. */
import { useState } from 'preact/hooks'
import type { HappyHourJson, ReloadReportJson, TariffJson, Weekday } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { minuteOfDay, showMinuteOfDay } from '../format.ts'
import { S } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, FieldError, TextField } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Notice } from '../ui/notice.tsx'
import { freeId } from './free-id.ts'
import { wholeOrNull } from './price-draft.ts'

const DAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const MINUTES_OF_DAY = 1440

interface CardProps {
  readonly tariff: TariffJson
  readonly onSaved: (tariff: TariffJson, reload: ReloadReportJson) => void
}

export function HappyHoursCard({ tariff, onSaved }: CardProps) {
  const [open, setOpen] = useState<HappyHourJson | 'new' | null>(null)
  const { happyHours } = tariff
  return (
    <section class="card" aria-labelledby="happy">
      <div class="card-head">
        <div>
          <h2 id="happy">{S.prices.happy}</h2>
          <p>{happyHours.length === 0 ? S.prices.happyNone : S.prices.happyLead}</p>
        </div>
        <Button small icon="plus" onClick={() => setOpen('new')}>
          {S.prices.addHappy}
        </Button>
      </div>
      <ul class="lines">
        {happyHours.map((one) => (
          <li key={one.id} class="line line-link">
            <div class="line-text">
              <button type="button" class="cover cover-button" onClick={() => setOpen(one)}>
                <span class="hidden-text">{S.words.edit} </span>
                {one.label}
              </button>
              <span class="quiet small">{whenOf(one)}</span>
            </div>
            <span class="strong num nowrap">−{one.discountPercent} %</span>
            <Icon name="right" size={18} />
          </li>
        ))}
      </ul>
      {open !== null && (
        <HappyHourDialog
          tariff={tariff}
          one={open === 'new' ? null : open}
          onClose={() => setOpen(null)}
          onSaved={(saved, reload) => {
            setOpen(null)
            onSaved(saved, reload)
          }}
        />
      )}
    </section>
  )
}

function whenOf(one: HappyHourJson): string {
  if (one.basis === 'uptime') return `${S.prices.basisUptime}: ${one.fromMinute}–${one.toMinute} ${S.setup.priceUnit}`
  const days = one.days.length === 0 || one.days.length === DAYS.length ? S.prices.everyDay : one.days.map((day) => S.prices.dayNames[day]).join(', ')
  return `${showMinuteOfDay(one.fromMinute)}–${showMinuteOfDay(one.toMinute)}, ${days}`
}

interface HappyDraft {
  readonly label: string
  readonly basis: HappyHourJson['basis']
  readonly from: string
  readonly to: string
  readonly days: readonly Weekday[]
  readonly discount: string
}

function draftOf(one: HappyHourJson | null): HappyDraft {
  if (one === null) return { label: '', basis: 'clock', from: '08:00', to: '10:00', days: DAYS, discount: '20' }
  const show = (minute: number): string => (one.basis === 'clock' ? showMinuteOfDay(minute % MINUTES_OF_DAY) : String(minute))
  return {
    label: one.label,
    basis: one.basis,
    from: show(one.fromMinute),
    to: show(one.toMinute),
    days: one.days.length === 0 ? DAYS : one.days,
    discount: String(one.discountPercent),
  }
}

/** NaN when it is not a time; midnight as an end is the end of the day. */
function minutesOf(text: string, basis: HappyHourJson['basis'], isEnd: boolean): number {
  if (basis === 'uptime') return wholeOrNull(text) ?? Number.NaN
  const minute = minuteOfDay(text) ?? Number.NaN
  return isEnd && minute === 0 ? MINUTES_OF_DAY : minute
}

const FIELDS = ['label', 'discountPercent', 'fromMinute', 'toMinute', 'days', 'basis']

function HappyHourDialog({ tariff, one, onClose, onSaved }: CardProps & { one: HappyHourJson | null; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(one))
  const [checked, setChecked] = useState(false)
  const edit = (part: Partial<HappyDraft>): void => setDraft({ ...draft, ...part })
  const fromMinute = minutesOf(draft.from, draft.basis, false)
  const toMinute = minutesOf(draft.to, draft.basis, true)
  const discount = wholeOrNull(draft.discount) ?? 0
  const isDiscountRight = discount >= 1 && discount <= 100
  const isTimeRight = !Number.isNaN(fromMinute) && !Number.isNaN(toMinute)
  const isDaysRight = draft.basis === 'uptime' || draft.days.length > 0
  const id = one?.id ?? freeId(draft.label, tariff.happyHours)
  const section = `happyhour '${id}'`

  const put = useAction(async (list: readonly HappyHourJson[]) => {
    const reply = await call('changeTariff', { body: { happyHours: list } })
    onSaved(reply.tariff, reply.reload)
  })
  const save = (): void => {
    setChecked(true)
    if (draft.label.trim() === '' || !isDiscountRight || !isTimeRight || !isDaysRight) return
    const mine: HappyHourJson = { id, label: draft.label.trim(), basis: draft.basis, fromMinute, toMinute, days: draft.basis === 'clock' ? draft.days : [], discountPercent: discount }
    void put.run(one === null ? [...tariff.happyHours, mine] : tariff.happyHours.map((other) => (other.id === one.id ? mine : other)))
  }
  const toggle = (day: Weekday): void => edit({ days: DAYS.filter((known) => (known === day ? !draft.days.includes(day) : draft.days.includes(known))) })
  const rest = put.besides(...FIELDS)
  const isClock = draft.basis === 'clock'
  const timeError = checked && !isTimeRight ? S.prices.timeWrong : null

  return (
    <Dialog
      title={one === null ? S.prices.newHappy : S.prices.editPackage(one.label)}
      onClose={onClose}
      onSubmit={save}
      foot={
        <>
          {one !== null && (
            <span class="foot-left row">
              <Button kind="danger-plain" icon="trash" busy={put.busy} onClick={() => void put.run(tariff.happyHours.filter((other) => other.id !== one.id))}>
                {S.words.remove}
              </Button>
            </span>
          )}
          <Button kind="primary" submit busy={put.busy}>
            {S.words.save}
          </Button>
        </>
      }
    >
      <div class="fields-2">
        <TextField
          label={S.prices.label}
          placeholder={S.prices.happyName}
          value={draft.label}
          onInput={(label) => edit({ label })}
          maxLength={48}
          error={checked && draft.label.trim() === '' ? S.prices.labelWrong : put.at('label', section)}
          autofocus={one === null}
        />
        <TextField
          kind="number"
          label={S.prices.discount}
          unit="%"
          value={draft.discount}
          onInput={(text) => edit({ discount: text })}
          error={checked && !isDiscountRight ? S.prices.discountWrong : put.at('discountPercent', section)}
        />
      </div>
      <Choices
        legend={S.prices.basis}
        shownLegend
        layout="grid"
        value={draft.basis}
        onInput={(basis) => edit(basis === 'clock' ? { basis, from: '08:00', to: '10:00' } : { basis, from: '0', to: '60' })}
        options={[
          { value: 'clock', label: S.prices.basisClock, hint: S.prices.basisClockHint },
          { value: 'uptime', label: S.prices.basisUptime, hint: S.prices.basisUptimeHint },
        ]}
      />
      <div class="fields-2">
        <TextField
          kind={isClock ? 'time' : 'number'}
          label={isClock ? S.prices.from : S.prices.fromMinute}
          value={draft.from}
          onInput={(from) => edit({ from })}
          error={timeError ?? put.at('fromMinute', section)}
        />
        <TextField kind={isClock ? 'time' : 'number'} label={isClock ? S.prices.to : S.prices.toMinute} value={draft.to} onInput={(to) => edit({ to })} error={put.at('toMinute', section)} />
      </div>
      {isClock && (
        <fieldset class="stack-tight">
          <legend class="field-label legend">{S.prices.days}</legend>
          <div class="chips">
            {DAYS.map((day) => (
              <label key={day} class="choice">
                <input type="checkbox" checked={draft.days.includes(day)} onChange={() => toggle(day)} />
                {S.prices.dayNames[day]}
              </label>
            ))}
          </div>
          {checked && !isDaysRight && <FieldError text={S.prices.daysWrong} />}
        </fieldset>
      )}
      {rest && <Notice level="bad">{rest}</Notice>}
    </Dialog>
  )
}
