/** Guests who walk: this box's own who are at others, others' who are here, and what boxes owe each other for them. */
import type { MeshViewJson } from '../../../owner/api.ts'
import { showBytes, showDuration } from '../format.ts'
import { showMoney, unitsOf } from '../money.ts'
import { Hidden } from '../ui/notice.tsx'
import { LevelDot } from './health-parts.tsx'
import { nameOfBox } from './mesh-names.ts'
import * as S from './mesh-strings.ts'

export function GuestsCard({ view }: { view: MeshViewJson }) {
  const { walks, away, visitors, debts } = view.guests
  if (!walks) return null
  const isQuiet = away.length + visitors.length + debts.length === 0
  return (
    <section class="card" aria-labelledby="mesh-guests">
      <div class="card-head">
        <div>
          <h2 id="mesh-guests">{S.walking}</h2>
          {isQuiet && <p>{S.walkingNone}</p>}
        </div>
      </div>
      {!isQuiet && (
        <ul class="lines mesh-walking">
          {away.map(({ mac, sessionId, holder, forSeconds, leftSeconds, isContested }) => (
            <li key={sessionId} class="line line-top">
              <LevelDot level={isContested ? 'warn' : 'ok'} />
              <div class="line-text">
                <bdi>{S.awayAt(nameOfBox(view, holder))}</bdi>
                <span class="mono tiny quiet">{mac}</span>
                {isContested && <span class="tiny warn-text">{S.contested}</span>}
              </div>
              <div class="chain-says small num">
                <span>
                  <Hidden>, </Hidden>
                  {S.timeLeft(showDuration(leftSeconds))}
                </span>
                <span class="tiny quiet">{forSeconds === null ? S.onItsWay : S.thereFor(showDuration(forSeconds))}</span>
              </div>
            </li>
          ))}
          {visitors.map(({ mac, sessionId, seller, isIn, reason, leftSeconds, usedSeconds, usedBytes, price, token }) => (
            <li key={`${seller} ${sessionId}`} class="line line-top">
              <LevelDot level={isIn ? 'ok' : 'warn'} />
              <div class="line-text">
                <bdi>{S.visitorOf(nameOfBox(view, seller))}</bdi>
                <span class="mono tiny quiet">{mac}</span>
                {reason !== null && <span class="tiny warn-text">{reason}</span>}
                {price !== null && token !== null && <span class="tiny quiet num">{S.perMinute(showMoney(unitsOf(price), token))}</span>}
              </div>
              <div class="chain-says small num">
                <span>
                  <Hidden>, </Hidden>
                  {S.timeLeft(showDuration(leftSeconds))}
                </span>
                <span class="tiny quiet">{S.usedHere(showDuration(usedSeconds), showBytes(usedBytes))}</span>
              </div>
            </li>
          ))}
          {debts.map(({ box, isOurs, token, open, paid, forSeconds }) => (
            <li key={`${isOurs} ${box} ${token.symbol}`} class="line line-top channel-payment">
              <LevelDot level="ok" />
              <div class="line-text">
                <bdi>{isOurs === 'seller' ? S.owesForGuests(nameOfBox(view, box)) : S.owedForGuests(nameOfBox(view, box))}</bdi>
              </div>
              <div class="chain-says small">
                <span class="num strong">
                  <Hidden>, </Hidden>
                  {isOurs === 'seller' ? '−' : '+'}
                  {showMoney(unitsOf(paid), token)}
                </span>
                {unitsOf(open) > 0n && (
                  <span class="tiny num quiet">
                    {S.toPay(showMoney(unitsOf(open), token))}
                    {forSeconds !== null && ` · ${showDuration(forSeconds)}`}
                  </span>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
