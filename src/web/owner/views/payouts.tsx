/** Payouts in plain words: who shares, what each is owed and was paid, and what is under way or in the way. */
import type { PayoutMilestoneJson, PayoutPartyJson } from '../../../owner/api.ts'
import { showAmount, showMoney, unitsOf } from '../money.ts'
import { Empty, Refused } from '../ui/notice.tsx'
import { Columns, PageHead } from '../ui/page.tsx'
import { HistoryCard, PartyLine, RewardsCard, type HistoryProps } from './payout-parts.tsx'
import * as S from './payout-strings.ts'

export interface PayoutsProps extends HistoryProps {
  readonly parties: readonly PayoutPartyJson[]
  readonly milestones: readonly PayoutMilestoneJson[]
  /** A try is being ordered. */
  readonly isBusy: boolean
  readonly onTry: (payout: number) => void
  /** Why what is shown is old, or an order was refused. */
  readonly problem: string | null
}

export function PayoutsPage({ parties, milestones, payouts, onMore, isBusy, onTry, problem }: PayoutsProps) {
  const token = parties[0]?.token ?? { symbol: '', decimals: 0 }
  return (
    <div class="page">
      <PageHead title={S.title} lead={S.lead} />
      <Refused text={problem} />
      <Columns
        main={
          <>
            <section class="card" aria-labelledby="payout-parties">
              {parties.length === 0 ? (
                <Empty icon="share" title={S.none} text={S.noneText} />
              ) : (
                <>
                  <div class="card-head">
                    <div>
                      <h2 id="payout-parties">{S.parties}</h2>
                      <p>{S.partiesText}</p>
                    </div>
                  </div>
                  <ul class="lines">
                    {parties.map((party) => (
                      <PartyLine key={`${party.account} ${party.token.symbol}`} party={party} isBusy={isBusy} onTry={onTry} />
                    ))}
                  </ul>
                </>
              )}
            </section>
            {parties.length > 0 && <HistoryCard payouts={payouts} onMore={onMore} />}
          </>
        }
        side={
          parties.length > 0 && (
            <>
              <OwedCard parties={parties} />
              <RewardsCard milestones={milestones} token={token} />
            </>
          )
        }
      />
    </div>
  )
}

function OwedCard({ parties }: { parties: readonly PayoutPartyJson[] }) {
  const tokens = [...new Map(parties.map(({ token }) => [token.symbol, token])).values()]
  const sums = tokens.map((token) => {
    const of = parties.filter((party) => party.token.symbol === token.symbol)
    const owed = of.reduce((sum, party) => (unitsOf(party.owed) > 0n ? sum + unitsOf(party.owed) : sum), 0n)
    return { token, owed, paid: of.reduce((sum, party) => sum + unitsOf(party.paid), 0n) }
  })
  return (
    <section class="card card-pad stack-tight" aria-labelledby="payout-owed">
      <h2 id="payout-owed">{S.owedNow}</h2>
      {sums.every(({ owed }) => owed === 0n) && <p class="small quiet">{S.owedNothing}</p>}
      {sums.map(({ token, owed, paid }) => (
        <div key={token.symbol}>
          {owed > 0n && (
            <p class="amount amount-large num">
              {showAmount(owed, token.decimals)} <span class="amount-symbol">{token.symbol}</span>
            </p>
          )}
          {paid > 0n && <p class="small quiet num">{S.paidSoFar(showMoney(paid, token))}</p>}
        </div>
      ))}
    </section>
  )
}
