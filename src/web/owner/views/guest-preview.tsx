/** The guest's price list in small, with the owner's unsaved changes in it. */
import type { TariffJson } from '../../../owner/api.ts'
import { contentsBeside, showBytes, showContents } from '../format.ts'
import { showMoney, typedUnits, unitsOf } from '../money.ts'
import * as S from '../strings.ts'
import { wholeOrNull, type Draft } from './price-draft.ts'

const MIB = 1024 * 1024

export function GuestPreview({ tariff, draft, place }: { tariff: TariffJson; draft: Draft; place: string }) {
  const { token, happyHourNow } = tariff
  const offered = tariff.packages.filter((one) => one.offered)
  const perMinute = typedUnits(draft.pricePerMinute, token.decimals) ?? 0n
  const perMib = typedUnits(draft.pricePerMib, token.decimals) ?? 0n
  const trialMinutes = draft.trialOn ? wholeOrNull(draft.trialMinutes) || 0 : 0
  const trialMib = wholeOrNull(draft.trialMib) || null
  const percentOff = happyHourNow?.discountPercent ?? 0
  const isNothing = offered.length === 0 && perMinute === 0n && perMib === 0n
  return (
    <div class="stack-tight">
      <h2>{S.pricesPreview}</h2>
      <div class="guest-page">
        <p class="guest-page-name">{place}</p>
        {happyHourNow && <p class="pill pill-warn">{S.pricesHappyNow(happyHourNow.label, happyHourNow.discountPercent)}</p>}
        {trialMinutes > 0 && (
          <p class="guest-page-trial">
            {S.pricesPreviewTrial(showContents(trialMinutes * 60, null) + (trialMib === null ? '' : `, ${showBytes(trialMib * MIB)}`))}
          </p>
        )}
        <ul class="stack-tight">
          {offered.map((one) => (
            <li key={one.id} class="guest-page-offer">
              <span class="line-text">
                <span class="strong">{one.label}</span>
                <span class="quiet tiny">
                  {[contentsBeside(one.label, one.seconds, one.bytes), one.devices > 1 ? S.pricesPreviewDevices(one.devices) : ''].filter(Boolean).join(' · ')}
                </span>
              </span>
              <Price units={unitsOf(one.price)} token={token} percentOff={percentOff} />
            </li>
          ))}
          {perMinute > 0n && <li class="small quiet num">{S.pricesPreviewTime(showMoney(discounted(perMinute, percentOff), token))}</li>}
          {perMib > 0n && <li class="small quiet num">{S.pricesPreviewData(showMoney(discounted(perMib, percentOff), token))}</li>}
        </ul>
        {isNothing && <p class="quiet small">{S.pricesPreviewNone}</p>}
      </div>
      <p class="quiet tiny">{S.pricesPreviewLead}</p>
    </div>
  )
}

/** As the hotspot does it: a part of a unit is rounded up. */
function discounted(units: bigint, percentOff: number): bigint {
  return (units * BigInt(100 - percentOff) + 99n) / 100n
}

/** With a happy hour on: the old price struck through. */
function Price({ units, token, percentOff }: { units: bigint; token: TariffJson['token']; percentOff: number }) {
  if (units === 0n) return <span class="strong">{S.wordsFree}</span>
  return (
    <span class="guest-page-price num">
      {percentOff > 0 && <s class="quiet tiny">{showMoney(units, token)}</s>}
      <span class="strong">{showMoney(discounted(units, percentOff), token)}</span>
    </span>
  )
}
