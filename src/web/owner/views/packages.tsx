/** The packages: a list, and a dialog for one of them that saves at once. */
import { useState } from 'preact/hooks'
import type { PackageChange, PackageJson, ReloadReportJson, TariffJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showContents } from '../format.ts'
import { showMoney, typedPrice, typedUnits, unitsOf } from '../money.ts'
import { S } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { SelectField, Switch, TextField } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Notice } from '../ui/notice.tsx'
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
          <h2 id="packages">{S.prices.packages}</h2>
          <p>{packages.length === 0 ? S.prices.packagesNone : S.prices.packagesLead}</p>
        </div>
        {packages.length < MOST_PACKAGES && (
          <Button small icon="plus" onClick={() => setOpen('new')}>
            {S.prices.addPackage}
          </Button>
        )}
      </div>
      <ul class="lines">
        {packages.map((one) => (
          <li key={one.id} class="line line-link">
            <div class="line-text">
              <button type="button" class="cover cover-button" onClick={() => setOpen(one)}>
                <span class="hidden-text">{S.words.edit} </span>
                {one.label}
              </button>
              <span class="quiet small">
                {showContents(one.seconds, one.bytes)}
                {one.devices > 1 && ` · ${S.prices.previewDevices(one.devices)}`}
                {!one.offered && ` · ${S.prices.onlyPrinted}`}
              </span>
            </div>
            <span class="strong num nowrap">{unitsOf(one.price) === 0n ? S.words.free : showMoney(unitsOf(one.price), token)}</span>
            <Icon name="right" size={18} />
          </li>
        ))}
      </ul>
      {packages.length >= MOST_PACKAGES && <p class="card-pad quiet small">{S.prices.full}</p>}
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
  readonly price: string
  readonly devices: string
  readonly downKbps: string
  readonly upKbps: string
  readonly offered: boolean
}

function draftOf(one: PackageJson | null): PackageDraft {
  if (one === null) return { label: '', time: '1', unit: 'hours', mib: '', price: '', devices: '1', downKbps: '', upKbps: '', offered: true }
  const unit = unitFor(one.seconds)
  return {
    label: one.label,
    time: one.seconds === null ? '' : String(one.seconds / UNIT_SECONDS[unit]),
    unit,
    mib: one.bytes === null ? '' : String(one.bytes / MIB),
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

/** '1.5' × size, as a whole number; null when empty, NaN when it is no number. */
function scaled(text: string, size: number): number | null {
  const trimmed = text.trim().replace(',', '.')
  if (trimmed === '') return null
  return /^\d{1,12}(\.\d{1,6})?$/.test(trimmed) ? Math.round(Number(trimmed) * size) : Number.NaN
}

type Wrong = { readonly [Field in keyof PackageDraft]?: string }

function readDraft(draft: PackageDraft, decimals: number): { wrong: Wrong; seconds: number | null; bytes: number | null } {
  const seconds = scaled(draft.time, UNIT_SECONDS[draft.unit])
  const bytes = scaled(draft.mib, MIB)
  const whole = (text: string): string | undefined => (Number.isNaN(wholeOrNull(text)) ? S.prices.numberWrong : undefined)
  const found = {
    label: draft.label.trim() === '' ? S.prices.labelWrong : undefined,
    time: Number.isNaN(seconds) || seconds === 0 ? S.prices.numberWrong : seconds === null && bytes === null ? S.prices.contentsWrong : undefined,
    mib: Number.isNaN(bytes) || bytes === 0 ? S.prices.numberWrong : undefined,
    price: typedUnits(draft.price, decimals) === null ? S.prices.priceWrong(decimals) : undefined,
    devices: draft.devices.trim() === '' ? S.prices.numberWrong : whole(draft.devices),
    downKbps: whole(draft.downKbps),
    upKbps: whole(draft.upKbps),
  }
  return { wrong: Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined)), seconds, bytes }
}

/** A package as the API takes it back. */
function unchanged(one: PackageJson): PackageChange {
  return { ...one, price: one.price.text }
}

const FIELDS = ['label', 'seconds', 'bytes', 'price', 'devices', 'downKbps', 'upKbps']

function PackageDialog({ tariff, one, onClose, onSaved }: CardProps & { one: PackageJson | null; onClose: () => void }) {
  const { token, packages } = tariff
  const [draft, setDraft] = useState(() => draftOf(one))
  const [checked, setChecked] = useState(false)
  const { wrong: found, seconds, bytes } = readDraft(draft, token.decimals)
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
      price: typedPrice(draft.price),
      devices: wholeOrNull(draft.devices) ?? 1,
      downKbps: wholeOrNull(draft.downKbps),
      upKbps: wholeOrNull(draft.upKbps),
      offered: draft.offered,
    }
    void put.run(one === null ? [...packages.map(unchanged), mine] : packages.map((other) => (other.id === one.id ? mine : unchanged(other))))
  }
  const move = (by: -1 | 1): void => {
    const list = packages.map(unchanged)
    const [moved] = list.splice(index, 1)
    if (moved) list.splice(index + by, 0, moved)
    void put.run(list)
  }
  const rest = put.besides(...FIELDS)

  return (
    <Dialog
      title={one === null ? S.prices.newPackage : S.prices.editPackage(one.label)}
      wide
      onClose={onClose}
      onSubmit={save}
      foot={
        <>
          {one !== null && (
            <span class="foot-left row">
              <Button kind="danger-plain" icon="trash" busy={put.busy} onClick={() => void put.run(packages.filter((other) => other.id !== one.id).map(unchanged))}>
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
          placeholder={S.prices.labelExample}
          value={draft.label}
          onInput={(label) => edit({ label })}
          maxLength={48}
          error={wrong.label ?? put.at('label', section)}
          autofocus={one === null}
        />
        <TextField
          kind="decimal"
          label={S.prices.price}
          unit={token.symbol}
          value={draft.price}
          onInput={(price) => edit({ price })}
          error={wrong.price ?? put.at('price', section)}
        />
      </div>
      <div class="fields-3">
        <TextField
          kind="decimal"
          label={S.prices.time}
          value={draft.time}
          onInput={(time) => edit({ time })}
          hint={S.prices.timeHint}
          error={wrong.time ?? put.at('seconds', section)}
        />
        <SelectField
          label={S.prices.timeUnit}
          value={draft.unit}
          onInput={(unit) => edit({ unit: unit as TimeUnit })}
          options={Object.entries(S.prices.timeUnits).map(([value, label]) => ({ value, label }))}
        />
        <TextField
          kind="decimal"
          label={S.prices.data}
          unit="MiB"
          value={draft.mib}
          onInput={(mib) => edit({ mib })}
          hint={S.prices.dataHint}
          error={wrong.mib ?? put.at('bytes', section)}
        />
      </div>
      <div class="fields-3">
        <TextField kind="number" label={S.prices.devices} value={draft.devices} onInput={(devices) => edit({ devices })} error={wrong.devices ?? put.at('devices', section)} />
        <TextField
          kind="number"
          label={S.prices.downKbps}
          unit="kbit/s"
          value={draft.downKbps}
          onInput={(downKbps) => edit({ downKbps })}
          hint={S.prices.speedHint}
          error={wrong.downKbps ?? put.at('downKbps', section)}
        />
        <TextField
          kind="number"
          label={S.prices.upKbps}
          unit="kbit/s"
          value={draft.upKbps}
          onInput={(upKbps) => edit({ upKbps })}
          error={wrong.upKbps ?? put.at('upKbps', section)}
        />
      </div>
      <Switch label={S.prices.offered} hint={S.prices.offeredHint} checked={draft.offered} onInput={(offered) => edit({ offered })} />
      {one !== null && packages.length > 1 && (
        <div class="row">
          {index > 0 && (
            <Button kind="quiet" small icon="up" busy={put.busy} onClick={() => move(-1)}>
              {S.prices.moveUp}
            </Button>
          )}
          {index < packages.length - 1 && (
            <Button kind="quiet" small icon="down" busy={put.busy} onClick={() => move(1)}>
              {S.prices.moveDown}
            </Button>
          )}
        </div>
      )}
      {rest && <Notice level="bad">{rest}</Notice>}
    </Dialog>
  )
}
