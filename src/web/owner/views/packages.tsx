/** The packages: a list, and a dialog for one of them that saves at once. */
import { useState } from 'preact/hooks'
import type { PackageChange, PackageJson, ReloadReportJson, TariffJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showContents } from '../format.ts'
import { showMoney, typedDecimal, typedUnits, unitsOf } from '../money.ts'
import { useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { Button, RemoveButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { fieldsOf, SelectField, Switch, TextField } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Hidden, Refused } from '../ui/notice.tsx'
import { freeId } from './free-id.ts'
import { textOf, wholeOrNull } from './price-draft.ts'

const MOST_PACKAGES = 16
const MIB = 1024 * 1024
const UNIT_SECONDS = { minutes: 60, hours: 3600, days: 86_400 } as const
type TimeUnit = keyof typeof UNIT_SECONDS

interface CardProps {
  readonly tariff: TariffJson
  readonly onSaved: (tariff: TariffJson, reload: ReloadReportJson) => void
}

export function PackagesCard({ tariff, onSaved }: CardProps) {
  const [open, setOpen] = useState<PackageJson | 'new' | null>(null)
  const { packages, token } = tariff
  return (
    <section class="card" aria-labelledby="packages">
      <div class="card-head">
        <div>
          <h2 id="packages">{S.pricesPackages}</h2>
          <p>{packages.length === 0 ? S.pricesPackagesNone : S.pricesPackagesLead}</p>
        </div>
        {packages.length < MOST_PACKAGES && (
          <Button small icon="plus" onClick={() => setOpen('new')}>
            {S.pricesAddPackage}
          </Button>
        )}
      </div>
      <ul class="lines">
        {packages.map((one) => (
          <li key={one.id} class="line line-link">
            <div class="line-text">
              <button type="button" class="cover cover-button" onClick={() => setOpen(one)}>
                <Hidden>{S.wordsEdit} </Hidden>
                {one.label}
              </button>
              <span class="quiet small">
                {[showContents(one.seconds, one.bytes, one.tokens === null ? null : showMoney(unitsOf(one.tokens), token)), one.devices > 1 ? S.pricesPreviewDevices(one.devices) : '', one.offered ? '' : S.pricesOnlyPrinted].filter(Boolean).join(' · ')}
              </span>
            </div>
            <span class="strong num nowrap">{unitsOf(one.price) === 0n ? S.wordsFree : showMoney(unitsOf(one.price), token)}</span>
            <Icon name="right" size={18} />
          </li>
        ))}
      </ul>
      {packages.length >= MOST_PACKAGES && <p class="card-pad quiet small">{S.pricesFull}</p>}
      {open !== null && (
        <PackageDialog
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

interface PackageDraft {
  readonly label: string
  readonly time: string
  readonly unit: TimeUnit
  readonly mib: string
  readonly tokens: string
  readonly price: string
  readonly devices: string
  readonly downKbps: string
  readonly upKbps: string
  readonly offered: boolean
}

function draftOf(one: PackageJson | null): PackageDraft {
  if (one === null) return { label: '', time: '1', unit: 'hours', mib: '', tokens: '', price: '', devices: '1', downKbps: '', upKbps: '', offered: true }
  const unit = unitFor(one.seconds)
  return {
    label: one.label,
    time: one.seconds === null ? '' : inUnits(one.seconds, UNIT_SECONDS[unit]),
    unit,
    mib: one.bytes === null ? '' : inUnits(one.bytes, MIB),
    tokens: one.tokens?.text ?? '',
    price: one.price.text,
    devices: String(one.devices),
    downKbps: textOf(one.downKbps),
    upKbps: textOf(one.upKbps),
    offered: one.offered,
  }
}

/** The largest unit that shows the time as a whole number. */
function unitFor(seconds: number | null): TimeUnit {
  if (seconds === null) return 'hours'
  if (seconds % UNIT_SECONDS.days === 0) return 'days'
  return seconds % UNIT_SECONDS.hours === 0 ? 'hours' : 'minutes'
}

/** For the field, at most three digits after the point. */
function inUnits(value: number, unit: number): string {
  return String(Math.round((value / unit) * 1000) / 1000)
}

/** '1.5' × size, as a whole number; null when empty, NaN when it is no number. */
function scaled(text: string, size: number): number | null {
  return text.trim() === '' ? null : Math.round(Number(typedDecimal(text) ?? Number.NaN) * size)
}

type Wrong = { readonly [Field in keyof PackageDraft]?: string }

function readDraft(draft: PackageDraft, one: PackageJson | null, decimals: number): { wrong: Wrong; seconds: number | null; bytes: number | null } {
  // a field that nobody touched gives back exactly what was there, also where its text had to be rounded
  const was = draftOf(one)
  const seconds = one !== null && draft.time === was.time && draft.unit === was.unit ? one.seconds : scaled(draft.time, UNIT_SECONDS[draft.unit])
  const bytes = one !== null && draft.mib === was.mib ? one.bytes : scaled(draft.mib, MIB)
  const whole = (text: string): string | undefined => (Number.isNaN(wholeOrNull(text)) ? S.pricesNumberWrong : undefined)
  const hasWorth = draft.tokens.trim() !== ''
  const worth = typedUnits(draft.tokens, decimals)
  const found = {
    label: draft.label.trim() === '' ? S.pricesLabelWrong : undefined,
    time: Number.isNaN(seconds) || seconds === 0 ? S.pricesNumberWrong : seconds === null && bytes === null && !hasWorth ? S.pricesContentsWrong : undefined,
    tokens: hasWorth && !worth ? S.pricesPriceWrong(decimals) : hasWorth && (seconds !== null || bytes !== null) ? S.pricesWorthAlone : undefined,
    mib: Number.isNaN(bytes) || bytes === 0 ? S.pricesNumberWrong : undefined,
    price: typedUnits(draft.price, decimals) === null ? S.pricesPriceWrong(decimals) : undefined,
    devices: draft.devices.trim() === '' ? S.pricesNumberWrong : whole(draft.devices),
    downKbps: whole(draft.downKbps),
    upKbps: whole(draft.upKbps),
  }
  return { wrong: Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined)), seconds, bytes }
}

/** A package as the API takes it back. */
function unchanged(one: PackageJson): PackageChange {
  return { ...one, price: one.price.text, tokens: one.tokens?.text ?? null }
}

const FIELDS = ['label', 'seconds', 'bytes', 'tokens', 'price', 'devices', 'downKbps', 'upKbps']
/** Names of the fields in the API where they differ. */
const API_NAMES: Partial<Record<keyof PackageDraft, string>> = { time: 'seconds', mib: 'bytes' }

function PackageDialog({ tariff, one, onClose, onSaved }: CardProps & { one: PackageJson | null; onClose: () => void }) {
  const { token, packages } = tariff
  const hasChannels = useStatus().data?.photon === true
  const [draft, setDraft] = useState(() => draftOf(one))
  const [checked, setChecked] = useState(false)
  const { wrong: found, seconds, bytes } = readDraft(draft, one, token.decimals)
  const wrong = checked ? found : {}
  const index = one === null ? -1 : packages.findIndex((other) => other.id === one.id)
  const edit = (part: Partial<PackageDraft>): void => setDraft({ ...draft, ...part })
  const id = one?.id ?? freeId(draft.label, packages)
  const section = `package '${id}'`

  const put = useAction(async (list: readonly PackageChange[]) => {
    const reply = await call('changeTariff', { body: { packages: list } })
    onSaved(reply.tariff, reply.reload)
  })
  const save = (): void => {
    setChecked(true)
    if (Object.keys(found).length > 0) return
    const mine: PackageChange = {
      id,
      ...(one === null ? {} : { slot: one.slot }),
      label: draft.label.trim(),
      seconds,
      bytes,
      tokens: typedDecimal(draft.tokens),
      price: typedDecimal(draft.price) ?? '',
      devices: wholeOrNull(draft.devices) ?? 1,
      downKbps: wholeOrNull(draft.downKbps),
      upKbps: wholeOrNull(draft.upKbps),
      offered: draft.offered && draft.tokens.trim() === '',
    }
    void put.run(one === null ? [...packages.map(unchanged), mine] : packages.map((other) => (other.id === one.id ? mine : unchanged(other))))
  }
  const move = (by: -1 | 1): void => {
    const list = packages.map(unchanged)
    const [moved] = list.splice(index, 1)
    if (moved) list.splice(index + by, 0, moved)
    void put.run(list)
  }
  const field = fieldsOf(draft, edit, (name) => wrong[name] ?? put.at(API_NAMES[name] ?? name, section))

  return (
    <Dialog
      title={one === null ? S.pricesNewPackage : S.pricesEditPackage(one.label)}
      wide
      onClose={onClose}
      onSubmit={save}
      foot={
        <>
          {one !== null && <RemoveButton busy={put.busy} onRemove={() => void put.run(packages.filter((other) => other.id !== one.id).map(unchanged))} />}
          <Button kind="primary" submit busy={put.busy}>
            {S.wordsSave}
          </Button>
        </>
      }
    >
      <div class="fields-2">
        <TextField label={S.pricesLabel} placeholder={S.pricesLabelExample} {...field('label')} maxLength={48} autofocus={one === null} />
        <TextField kind="decimal" label={S.pricesPrice} unit={token.symbol} {...field('price')} />
      </div>
      <div class="fields-2">
        <div class="fields-pair">
          <TextField kind="decimal" label={S.pricesTime} {...field('time')} hint={S.pricesTimeHint} />
          <SelectField
            label={S.pricesTimeUnit}
            value={draft.unit}
            onInput={(unit) => edit({ unit: unit as TimeUnit })}
            options={Object.entries(S.pricesTimeUnits).map(([value, label]) => ({ value, label }))}
          />
        </div>
        <TextField kind="decimal" label={S.pricesData} unit="MiB" {...field('mib')} hint={S.pricesDataHint} />
      </div>
      {(hasChannels || draft.tokens !== '') && <TextField kind="decimal" label={S.pricesWorth} unit={token.symbol} {...field('tokens')} hint={S.pricesWorthHint} />}
      <div class="fields-2">
        <TextField kind="number" label={S.pricesDevices} {...field('devices')} />
        <div class="fields-pair">
          <TextField kind="number" label={S.pricesDownKbps} unit="kbit/s" {...field('downKbps')} hint={S.pricesSpeedHint} />
          <TextField kind="number" label={S.pricesUpKbps} unit="kbit/s" {...field('upKbps')} />
        </div>
      </div>
      {draft.tokens.trim() === '' && <Switch label={S.pricesOffered} hint={S.pricesOfferedHint} checked={draft.offered} onInput={(offered) => edit({ offered })} />}
      {one !== null && packages.length > 1 && (
        <div class="row">
          {index > 0 && (
            <Button kind="quiet" small icon="up" busy={put.busy} onClick={() => move(-1)}>
              {S.pricesMoveUp}
            </Button>
          )}
          {index < packages.length - 1 && (
            <Button kind="quiet" small icon="down" busy={put.busy} onClick={() => move(1)}>
              {S.pricesMoveDown}
            </Button>
          )}
        </div>
      )}
      <Refused text={put.besides(...FIELDS)} />
    </Dialog>
  )
}
