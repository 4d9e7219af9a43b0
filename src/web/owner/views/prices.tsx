/** Prices: single minutes and data, packages, happy hours, the free trial; beside it what the guest sees. */
import { useState } from 'preact/hooks'
import type { ReloadReportJson, TariffJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { cell, useCell } from '../cell.ts'
import { call } from '../client.ts'
import { showAmount, typedUnits } from '../money.ts'
import { useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { useTariff } from '../tariff.ts'
import { Button } from '../ui/button.tsx'
import { fieldsOf, Form, Switch, TextField } from '../ui/field.tsx'
import { Notice, Pending, Refused, say } from '../ui/notice.tsx'
import { PageHead } from '../ui/page.tsx'
import { changeOf, draftOf, draftProblems, type Draft } from './price-draft.ts'
import { GuestPreview } from './guest-preview.tsx'
import { HappyHoursCard } from './happy-hours.tsx'
import { PackagesCard } from './packages.tsx'

/** Outlives the view, so that looking something up elsewhere loses nothing. */
const kept = cell<Draft | null>(null)

export function PricesView() {
  const tariff = useTariff()
  const status = useStatus()
  const { data } = tariff
  return (
    <div class="page">
      <PageHead title={S.pricesTitle} lead={S.pricesLead} />
      {!data && (
        <div class="card card-pad">
          <Pending live={tariff} lines={8} height="36px" />
        </div>
      )}
      {data && <Prices tariff={data} hasChannels={status.data?.photon === true} place={status.data?.name ?? ''} onSaved={tariff.put} />}
    </div>
  )
}

function Prices({ tariff, hasChannels, place, onSaved }: { tariff: TariffJson; hasChannels: boolean; place: string; onSaved: (tariff: TariffJson) => void }) {
  const draft = useCell(kept) ?? draftOf(tariff)
  const [checked, setChecked] = useState(false)
  const [restart, setRestart] = useState<readonly string[]>([])
  const change = changeOf(draft, tariff)
  const isDirty = Object.keys(change).length > 0
  const wrong = checked ? draftProblems(draft, tariff.token.decimals) : {}
  const edit = (part: Partial<Draft>): void => kept.set({ ...draft, ...part })

  const taken = (saved: TariffJson, reload: ReloadReportJson): void => {
    onSaved(saved)
    setRestart(reload.needsRestart)
    say(S.pricesSaved)
  }
  const save = useAction(async () => {
    const reply = await call('changeTariff', { body: change })
    kept.set(null)
    setChecked(false)
    taken(reply.tariff, reply.reload)
  })
  const submit = (): void => {
    setChecked(true)
    if (isDirty && Object.keys(draftProblems(draft, tariff.token.decimals)).length === 0) void save.run()
  }
  const { symbol, decimals } = tariff.token
  const perMinute = typedUnits(draft.pricePerMinute, decimals)
  const field = fieldsOf(draft, edit, (name) => wrong[name] ?? save.at(name))
  const rest = save.besides('pricePerMinute', 'pricePerMib', 'burnerCap', 'trialMinutes', 'trialMib', 'downKbps', 'upKbps')

  return (
    <div class="columns">
      <div class="stack prices-main">
        {restart.length > 0 && <Notice level="warn">{S.pricesRestart(restart.join(', '))}</Notice>}
        <PackagesCard tariff={tariff} onSaved={taken} />
        <Form class="stack" onSubmit={submit}>
          <section class="card card-pad stack" aria-labelledby="single">
            <h2 id="single">{S.pricesSingle}</h2>
            <div class="fields-2">
              <TextField
                kind="decimal"
                label={S.pricesPerMinute}
                unit={symbol}
                {...field('pricePerMinute')}
                hint={perMinute !== null && perMinute > 0n ? S.pricesBuys(symbol, minutesForOne(perMinute, decimals)) : S.pricesPerMinuteHint}
              />
              <TextField kind="decimal" label={S.pricesPerMib} unit={symbol} {...field('pricePerMib')} hint={S.pricesPerMibHint} />
            </div>
            {hasChannels && <TextField kind="decimal" label={S.pricesCap} unit={symbol} {...field('burnerCap')} hint={S.pricesCapHint} />}
          </section>
          <section class="card card-pad stack" aria-labelledby="trial">
            <div>
              <h2 id="trial">{S.pricesTrial}</h2>
              <p class="quiet small">{S.pricesTrialLead}</p>
            </div>
            <Switch label={S.pricesTrialOn} checked={draft.trialOn} onInput={(trialOn) => edit({ trialOn })} />
            {draft.trialOn && (
              <div class="fields-2">
                <TextField kind="number" label={S.pricesTrialMinutes} unit={S.setupPriceUnit} {...field('trialMinutes')} />
                <TextField kind="number" label={S.pricesTrialMib} unit="MiB" {...field('trialMib')} hint={S.pricesDataHint} />
              </div>
            )}
          </section>
          <section class="card card-pad stack" aria-labelledby="speed">
            <div>
              <h2 id="speed">{S.pricesSpeed}</h2>
              <p class="quiet small">{S.pricesSpeedLead}</p>
            </div>
            <div class="fields-2">
              <TextField kind="number" label={S.pricesDownKbps} unit="kbit/s" {...field('downKbps')} hint={S.pricesSpeedHint} />
              <TextField kind="number" label={S.pricesUpKbps} unit="kbit/s" {...field('upKbps')} hint={S.pricesSpeedHint} />
            </div>
          </section>
          <Refused text={rest} />
          {isDirty && (
            <div class="save-bar card appear">
              <span class="strong small">{S.pricesUnsaved}</span>
              <span class="row push">
                <Button
                  small
                  onClick={() => {
                    kept.set(null)
                    setChecked(false)
                    save.clear()
                  }}
                >
                  {S.pricesDiscard}
                </Button>
                <Button kind="primary" small submit busy={save.busy}>
                  {S.wordsSave}
                </Button>
              </span>
            </div>
          )}
        </Form>
        <HappyHoursCard tariff={tariff} onSaved={taken} />
      </div>
      <aside class="preview-side" aria-label={S.pricesPreview}>
        <GuestPreview tariff={tariff} draft={draft} place={place} />
      </aside>
    </div>
  )
}

/** How many minutes one token buys, for showing: '10', '3.33'. */
function minutesForOne(perMinute: bigint, decimals: number): string {
  return showAmount((10n ** BigInt(decimals) * 100n) / perMinute, 2)
}

