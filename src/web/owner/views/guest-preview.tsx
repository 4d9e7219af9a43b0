/** The guest's price list in small, with the owner's unsaved changes in it. */
import type { TariffJson } from '../../../owner/api.ts'
import { showBytes, showContents } from '../format.ts'
import { showMoney, typedUnits, unitsOf } from '../money.ts'
import { S } from '../strings.ts'
import { wholeOrNull, type Draft } from './price-draft.ts'

const MIB = 1024 * 1024

export function GuestPreview({ tariff, draft, place }: { tariff: TariffJson; draft: Draft; place: string }) {
  const { token, happyHourNow } = tariff
  const offered = tariff.packages.filter((one) => one.offered)
  const perMinute = typedUnits(draft.pricePerMinute, token.decimals) ?? 0n
  const perMib = typedUnits(draft.pricePerMib, token.decimals) ?? 0n
  const trialMinutes = draft.trialOn ? wholeOrNull(draft.trialMinutes) || 0 : 0
  const trialMib = wholeOrNull(draft.trialMib) || null
  const isNothing = offered.length === 0 && perMinute === 0n && perMib === 0n
  return (
    <div class="stack-tight">
      <h2>{S.prices.preview}</h2>
      <div class="guest-page">
        <p class="guest-page-name">{place}</p>
        {happyHourNow && <p class="pill pill-warn">{S.prices.happyNow(happyHourNow.label, happyHourNow.discountPercent)}</p>}
        {trialMinutes > 0 && (
          <p class="guest-page-trial">
            {S.prices.previewTrial(showContents(trialMinutes * 60, null) + (trialMib === null ? '' : `, ${showBytes(trialMib * MIB)}`))}
          </p>
        )}
        <ul class="stack-tight">
          {offered.map((one) => (
            <li key={one.id} class="guest-page-offer">
              <span class="line-text">
                <span class="strong">{one.label}</span>
                <span class="quiet tiny">
                  {showContents(one.seconds, one.bytes)}
                  {one.devices > 1 && ` · ${S.prices.previewDevices(one.devices)}`}
                </span>
              </span>
              <Price units={unitsOf(one.price)} token={token} percentOff={happyHourNow?.discountPercent ?? 0} />
            </li>
          ))}
          {perMinute > 0n && <li class="small quiet num">{S.prices.previewTime(showMoney(perMinute, token))}</li>}
          {perMib > 0n && <li class="small quiet num">{S.prices.previewData(showMoney(perMib, token))}</li>}
        </ul>
        {isNothing && <p class="quiet small">{S.prices.previewNone}</p>}
      </div>
      <p class="quiet tiny">{S.prices.previewLead}</p>
    </div>
  )
}

/** With a happy hour on: the old price struck through. The guest pays no less than a whole unit: rounded up. */
function Price({ units, token, percentOff }: { units: bigint; token: TariffJson['token']; percentOff: number }) {
  if (units === 0n) return <span class="strong">{S.words.free}</span>
  const now = (units * BigInt(100 - percentOff) + 99n) / 100n
  return (
    <span class="guest-page-price num">
      {percentOff > 0 && <s class="quiet tiny">{showMoney(units, token)}</s>}
      <span class="strong">{showMoney(now, token)}</span>
    </span>
  )
}
