/** Happy hours: a list, and a dialog for one of them that saves at once. */
import { useState } from 'preact/hooks'
import type { HappyHourJson, ReloadReportJson, TariffJson, Weekday } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { minuteOfDay, showMinuteOfDay } from '../format.ts'
import * as S from '../strings.ts'
import { Button, RemoveButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, FieldError, fieldsOf, TextField } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Hidden, Refused } from '../ui/notice.tsx'
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
          <h2 id="happy">{S.pricesHappy}</h2>
          <p>{happyHours.length === 0 ? S.pricesHappyNone : S.pricesHappyLead}</p>
        </div>
        <Button small icon="plus" onClick={() => setOpen('new')}>
          {S.pricesAddHappy}
        </Button>
      </div>
      <ul class="lines">
        {happyHours.map((one) => (
          <li key={one.id} class="line line-link">
            <div class="line-text">
              <button type="button" class="cover cover-button" onClick={() => setOpen(one)}>
                <Hidden>{S.wordsEdit} </Hidden>
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
  if (one.basis === 'uptime') return `${S.pricesBasisUptime}: ${one.fromMinute}–${one.toMinute} ${S.setupPriceUnit}`
  const days = one.days.length === 0 || one.days.length === DAYS.length ? S.pricesEveryDay : one.days.map((day) => S.pricesDayNames[day]).join(', ')
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

type Wrong = { readonly [Field in keyof HappyDraft]?: string }

function readDraft(draft: HappyDraft): { wrong: Wrong; hour: Omit<HappyHourJson, 'id'> } {
  const { basis, days } = draft
  const label = draft.label.trim()
  const fromMinute = minutesOf(draft.from, basis, false)
  const toMinute = minutesOf(draft.to, basis, true)
  const discountPercent = wholeOrNull(draft.discount) ?? 0
  const wrong: Wrong = {
    ...(label === '' ? { label: S.pricesLabelWrong } : {}),
    ...(discountPercent >= 1 && discountPercent <= 100 ? {} : { discount: S.pricesDiscountWrong }),
    ...(Number.isNaN(fromMinute) ? { from: S.pricesTimeWrong } : {}),
    ...(Number.isNaN(toMinute) ? { to: S.pricesTimeWrong } : {}),
    ...(basis === 'clock' && days.length === 0 ? { days: S.pricesDaysWrong } : {}),
  }
  return { wrong, hour: { label, basis, fromMinute, toMinute, days: basis === 'clock' ? days : [], discountPercent } }
}

/** Names of the fields in the API where they differ. */
const API_NAMES: Partial<Record<keyof HappyDraft, string>> = { discount: 'discountPercent', from: 'fromMinute', to: 'toMinute' }

function HappyHourDialog({ tariff, one, onClose, onSaved }: CardProps & { one: HappyHourJson | null; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(one))
  const [checked, setChecked] = useState(false)
  const edit = (part: Partial<HappyDraft>): void => setDraft({ ...draft, ...part })
  const { wrong: found, hour } = readDraft(draft)
  const wrong = checked ? found : {}
  const id = one?.id ?? freeId(draft.label, tariff.happyHours)

  const put = useAction(async (list: readonly HappyHourJson[]) => {
    const reply = await call('changeTariff', { body: { happyHours: list } })
    onSaved(reply.tariff, reply.reload)
  })
  const save = (): void => {
    setChecked(true)
    if (Object.keys(found).length > 0) return
    const mine = { id, ...hour }
    void put.run(one === null ? [...tariff.happyHours, mine] : tariff.happyHours.map((other) => (other.id === one.id ? mine : other)))
  }
  const objectionTo = (name: keyof HappyDraft): string | null => wrong[name] ?? put.at(API_NAMES[name] ?? name, `happyhour '${id}'`)
  const field = fieldsOf(draft, edit, objectionTo)
  const toggle = (day: Weekday): void => edit({ days: DAYS.filter((known) => (known === day) !== draft.days.includes(known)) })
  const isClock = draft.basis === 'clock'
  const daysError = objectionTo('days')

  return (
    <Dialog
      title={one === null ? S.pricesNewHappy : S.pricesEditPackage(one.label)}
      onClose={onClose}
      onSubmit={save}
      foot={
        <>
          {one !== null && <RemoveButton busy={put.busy} onRemove={() => void put.run(tariff.happyHours.filter((other) => other.id !== one.id))} />}
          <Button kind="primary" submit busy={put.busy}>
            {S.wordsSave}
          </Button>
        </>
      }
    >
      <div class="fields-2">
        <TextField label={S.pricesLabel} placeholder={S.pricesHappyName} {...field('label')} maxLength={48} autofocus={one === null} />
        <TextField kind="number" label={S.pricesDiscount} unit="%" {...field('discount')} />
      </div>
      <Choices
        legend={S.pricesBasis}
        shownLegend
        layout="grid"
        value={draft.basis}
        onInput={(basis) => edit(basis === 'clock' ? { basis, from: '08:00', to: '10:00' } : { basis, from: '0', to: '60' })}
        options={[
          { value: 'clock', label: S.pricesBasisClock, hint: S.pricesBasisClockHint },
          { value: 'uptime', label: S.pricesBasisUptime, hint: S.pricesBasisUptimeHint },
        ]}
      />
      <div class="fields-pair">
        <TextField kind={isClock ? 'time' : 'number'} label={isClock ? S.pricesFrom : S.pricesFromMinute} {...field('from')} />
        <TextField kind={isClock ? 'time' : 'number'} label={isClock ? S.pricesTo : S.pricesToMinute} {...field('to')} />
      </div>
      {isClock && (
        <fieldset class="stack-tight">
          <legend class="field-label legend">{S.pricesDays}</legend>
          <div class="chips">
            {DAYS.map((day) => (
              <label key={day} class="choice">
                <input type="checkbox" checked={draft.days.includes(day)} onChange={() => toggle(day)} />
                <span>{S.pricesDayNames[day]}</span>
              </label>
            ))}
          </div>
          {daysError && <FieldError text={daysError} />}
        </fieldset>
      )}
      <Refused text={put.besides('label', 'discountPercent', 'fromMinute', 'toMinute', 'days')} />
    </Dialog>
  )
}
