/** Both sides' money of a channel as one bar: yours from the left, theirs from the right, what is promised in between. It only decorates: the sums beside it say the same. */
import type { PhotonChannelJson } from '../../../owner/api.ts'
import { perMille, showMoney, unitsOf } from '../money.ts'
import * as S from './channel-strings.ts'

export function ChannelBar({ channel }: { channel: PhotonChannelJson }) {
  const { own, partner, token } = channel
  const parts = [
    { key: 'own', units: unitsOf(own.spendable) },
    { key: 'own-locked', units: unitsOf(own.locked) },
    { key: 'partner-locked', units: unitsOf(partner.locked) },
    { key: 'partner', units: unitsOf(partner.spendable) },
  ]
  const whole = parts.reduce((sum, part) => sum + part.units, 0n)
  const [ownLocked, partnerLocked] = [unitsOf(own.locked), unitsOf(partner.locked)]
  return (
    <div class="channel-money">
      <div class="channel-bar" aria-hidden="true">
        {parts.map(({ key, units }) => units > 0n && <i key={key} class={`bar-${key}`} style={{ flexGrow: Math.max(12, perMille(units, whole)) }} />)}
      </div>
      <div class="row-apart small">
        <span class="channel-side">
          <i class="channel-mark bar-own" aria-hidden="true" /> {S.yours} <span class="num strong">{showMoney(unitsOf(own.spendable), token)}</span>
        </span>
        <span class="channel-side channel-theirs">
          {S.theirs} <span class="num strong">{showMoney(unitsOf(partner.spendable), token)}</span> <i class="channel-mark bar-partner" aria-hidden="true" />
        </span>
      </div>
      {(ownLocked > 0n || partnerLocked > 0n) && <p class="tiny quiet num">{S.promised(showMoney(ownLocked, token), showMoney(partnerLocked, token))}</p>}
    </div>
  )
}
