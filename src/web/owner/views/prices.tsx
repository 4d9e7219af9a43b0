/** Prices: single minutes and data, packages, happy hours, the free trial; beside it what the guest sees. */
import { useState } from 'preact/hooks'
import type { ReloadReportJson, TariffJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { cell, useCell } from '../cell.ts'
import { call } from '../client.ts'
import { showAmount, typedUnits } from '../money.ts'
import { useStatus } from '../status.ts'
import { S } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Form, Switch, TextField } from '../ui/field.tsx'
import { LoadFailed, Notice, say, Skeleton } from '../ui/notice.tsx'
import { useTariff } from './counter-voucher.tsx'
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
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>{S.prices.title}</h1>
          <p>{S.prices.lead}</p>
        </div>
      </div>
      {!data && (
        <div class="card card-pad">{tariff.error ? <LoadFailed text={tariff.error} onRetry={() => void tariff.reload()} /> : <Skeleton lines={8} height="36px" />}</div>
      )}
      {data && <Prices tariff={data} place={status.data?.name ?? ''} onSaved={tariff.put} />}
    </div>
  )
}

function Prices({ tariff, place, onSaved }: { tariff: TariffJson; place: string; onSaved: (tariff: TariffJson) => void }) {
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
    say(S.prices.saved)
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
  const rest = save.besides('pricePerMinute', 'pricePerMib', 'trialMinutes', 'trialMib', 'downKbps', 'upKbps')

  return (
    <div class="columns">
      <div class="stack prices-main">
        {restart.length > 0 && <Notice level="warn">{S.prices.restart(restart.join(', '))}</Notice>}
        <PackagesCard tariff={tariff} onSaved={taken} />
        <Form class="stack" onSubmit={submit}>
          <section class="card card-pad stack" aria-labelledby="single">
            <h2 id="single">{S.prices.single}</h2>
            <div class="fields-2">
              <TextField
                kind="decimal"
                label={S.prices.perMinute}
                unit={symbol}
                value={draft.pricePerMinute}
                onInput={(pricePerMinute) => edit({ pricePerMinute })}
                hint={perMinute !== null && perMinute > 0n ? S.prices.buys(symbol, minutesForOne(perMinute, decimals)) : S.prices.perMinuteHint}
                error={wrong.pricePerMinute ?? save.at('pricePerMinute')}
              />
              <TextField
                kind="decimal"
                label={S.prices.perMib}
                unit={symbol}
                value={draft.pricePerMib}
                onInput={(pricePerMib) => edit({ pricePerMib })}
                hint={S.prices.perMibHint}
                error={wrong.pricePerMib ?? save.at('pricePerMib')}
              />
            </div>
          </section>
          <section class="card card-pad stack" aria-labelledby="trial">
            <div>
              <h2 id="trial">{S.prices.trial}</h2>
              <p class="quiet small">{S.prices.trialLead}</p>
            </div>
            <Switch label={S.prices.trialOn} checked={draft.trialOn} onInput={(trialOn) => edit({ trialOn })} />
            {draft.trialOn && (
              <div class="fields-2">
                <TextField
                  kind="number"
                  label={S.prices.trialMinutes}
                  unit={S.setup.priceUnit}
                  value={draft.trialMinutes}
                  onInput={(trialMinutes) => edit({ trialMinutes })}
                  error={wrong.trialMinutes ?? save.at('trialMinutes')}
                />
                <TextField
                  kind="number"
                  label={S.prices.trialMib}
                  unit="MiB"
                  value={draft.trialMib}
                  onInput={(trialMib) => edit({ trialMib })}
                  hint={S.prices.dataHint}
                  error={wrong.trialMib ?? save.at('trialMib')}
                />
              </div>
            )}
          </section>
          <section class="card card-pad stack" aria-labelledby="speed">
            <div>
              <h2 id="speed">{S.prices.speed}</h2>
              <p class="quiet small">{S.prices.speedLead}</p>
            </div>
            <div class="fields-2">
              <TextField
                kind="number"
                label={S.prices.downKbps}
                unit="kbit/s"
                value={draft.downKbps}
                onInput={(downKbps) => edit({ downKbps })}
                hint={S.prices.speedHint}
                error={wrong.downKbps ?? save.at('downKbps')}
              />
              <TextField
                kind="number"
                label={S.prices.upKbps}
                unit="kbit/s"
                value={draft.upKbps}
                onInput={(upKbps) => edit({ upKbps })}
                hint={S.prices.speedHint}
                error={wrong.upKbps ?? save.at('upKbps')}
              />
            </div>
          </section>
          {rest && <Notice level="bad">{rest}</Notice>}
          {isDirty && (
            <div class="save-bar card appear">
              <span class="strong small">{S.prices.unsaved}</span>
              <span class="row push">
                <Button
                  small
                  onClick={() => {
                    kept.set(null)
                    setChecked(false)
                    save.clear()
                  }}
                >
                  {S.prices.discard}
                </Button>
                <Button kind="primary" small submit busy={save.busy}>
                  {S.words.save}
                </Button>
              </span>
            </div>
          )}
        </Form>
        <HappyHoursCard tariff={tariff} onSaved={taken} />
      </div>
      <aside class="preview-side" aria-label={S.prices.preview}>
        <GuestPreview tariff={tariff} draft={draft} place={place} />
      </aside>
    </div>
  )
}

/** How many minutes one token buys, for showing: '10', '3.33'. */
function minutesForOne(perMinute: bigint, decimals: number): string {
  return showAmount((10n ** BigInt(decimals) * 100n) / perMinute, 2).replace(/\.?0+$/, '')
}

