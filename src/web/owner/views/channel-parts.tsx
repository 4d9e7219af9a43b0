/** Parts of the channels page: payments, what is on its way into the chain, what was earned, and the box itself. */
import type { PhotonDutyJson, PhotonPaymentJson, PhotonStatusJson, PhotonWatchJson } from '../../../owner/api.ts'
import { showDateTime } from '../format.ts'
import { showAmount, showMoney, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Hidden } from '../ui/notice.tsx'
import { shortAddress } from './chain-parts.tsx'
import * as S from './channel-strings.ts'

const WHO = { sent: S.paidTo, received: S.paidFrom, forwarded: S.carriedFor } as const
const SIGN = { sent: '−', received: '+', forwarded: '' } as const
const BAD = new Set(['failed', 'cancelled'])

export interface PaymentsProps {
  readonly payments: readonly PhotonPaymentJson[]
  /** Null: these are all. */
  readonly onMore: (() => void) | null
  readonly onCallBack: (id: string) => void
}

export function PaymentsCard({ payments, onMore, onCallBack }: PaymentsProps) {
  return (
    <section class="card" aria-labelledby="channel-payments">
      <div class="card-head">
        <div>
          <h2 id="channel-payments">{S.payments}</h2>
          {payments.length === 0 && <p>{S.paymentsNone}</p>}
        </div>
      </div>
      {payments.length > 0 && (
        <ul class="lines">
          {payments.map((payment) => (
            <PaymentLine key={payment.id} payment={payment} onCallBack={onCallBack} />
          ))}
        </ul>
      )}
      {onMore && (
        <div class="card-foot">
          <Button kind="quiet" onClick={onMore}>
            {W.wordsMore}
          </Button>
        </div>
      )}
    </section>
  )
}

function PaymentLine({ payment, onCallBack }: { payment: PhotonPaymentJson; onCallBack: (id: string) => void }) {
  const { token, direction, state, reason, data, atWallMs } = payment
  const fee = unitsOf(payment.fee)
  return (
    <li class="line line-top channel-payment">
      <div class="line-text">
        <span>
          {WHO[direction]}{' '}
          <span class="mono tiny" title={payment.peer}>
            {shortAddress(payment.peer)}
          </span>
        </span>
        {data !== '' && <bdi class="small quiet">{data}</bdi>}
        <span class={`tiny ${BAD.has(state) ? 'warn-text' : 'quiet'}`}>
          {S.paymentStates[state]}
          {reason !== null && `: ${reason}`}
          {atWallMs !== null && ` · ${showDateTime(atWallMs)}`}
        </span>
        {direction === 'sent' && state === 'cancellable' && (
          <span>
            <Button small icon="back" onClick={() => onCallBack(payment.id)}>
              {S.callBack}
            </Button>
          </span>
        )}
      </div>
      <div class="chain-says small">
        <span class={`num strong${BAD.has(state) ? ' struck' : ''}`}>
          <Hidden>, </Hidden>
          {SIGN[direction]}
          {showMoney(unitsOf(payment.amount), token)}
        </span>
        {fee > 0n && <span class="tiny quiet num">{direction === 'forwarded' ? S.earnedFee(showMoney(fee, token)) : S.feeOf(showMoney(fee, token))}</span>}
      </div>
    </li>
  )
}

export function DutiesCard({ duties, blockSeconds }: { duties: readonly PhotonDutyJson[]; blockSeconds: number | null }) {
  if (duties.length === 0) return null
  return (
    <section class="card" aria-labelledby="channel-duties">
      <div class="card-head">
        <div>
          <h2 id="channel-duties">{S.duties}</h2>
          <p>{S.dutiesText}</p>
        </div>
      </div>
      <ul class="lines">
        {duties.map((duty) => (
          <li key={duty.id} class="line line-top">
            <div class="line-text">
              <span>{S.dutyKinds[duty.kind] ?? duty.kind}</span>
              <span class="tiny quiet num">{S.dutyLeft(duty.blocksLeft, blockSeconds)}</span>
            </div>
            <span class="small quiet">
              <Hidden>, </Hidden>
              {duty.state}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function EarnedCard({ status }: { status: PhotonStatusJson }) {
  const earned = status.earned.filter((one) => unitsOf(one.fees) + unitsOf(one.streams) > 0n)
  return (
    <section class="card card-pad stack-tight" aria-labelledby="channel-earned">
      <h2 id="channel-earned">{S.earned}</h2>
      {earned.length === 0 && <p class="small quiet">{S.earnedNone}</p>}
      {earned.map(({ token, fees, streams }) => (
        <div key={token.address}>
          <p class="amount amount-large num" title={token.address}>
            {showAmount(unitsOf(fees) + unitsOf(streams), token.decimals)} <span class="amount-symbol">{token.symbol}</span>
          </p>
          <p class="small quiet num">
            {showMoney(unitsOf(fees), token)} {S.fees}
          </p>
          <p class="small quiet num">
            {showMoney(unitsOf(streams), token)} {S.streams}
          </p>
        </div>
      ))}
    </section>
  )
}

export function BoxCard({ status, watch }: { status: PhotonStatusJson; watch: PhotonWatchJson | null }) {
  const { gas, gasToken, wrapped, original, listening } = status
  return (
    <section class="card card-pad" aria-labelledby="channel-box">
      <h2 id="channel-box">{S.box}</h2>
      <dl class="facts small">
        <div>
          <dt>{S.account}</dt>
          <dd>
            <span class="mono tiny">{status.account}</span>
            <span class="quiet block tiny">{S.accountHint}</span>
          </dd>
        </div>
        <div>
          <dt>{S.gas}</dt>
          <dd>
            {gas === null ? <span class="quiet">{S.gasNone}</span> : <span class="num strong">{showMoney(unitsOf(gas), gasToken)}</span>}
            {gas !== null && unitsOf(gas) === 0n && <span class="warn-text block tiny">{S.gasEmpty}</span>}
          </dd>
        </div>
        {wrapped !== null && (
          <div>
            <dt>{S.asTokens}</dt>
            <dd>
              {wrapped.balance === null ? <span class="quiet">{S.gasNone}</span> : <span class="num strong">{showMoney(unitsOf(wrapped.balance), wrapped.token)}</span>}
              <span class="block">
                <LinkButton small href={hrefOf('channels', 'coins')}>
                  {S.coins}
                </LinkButton>
              </span>
            </dd>
          </div>
        )}
        <div>
          <dt>{S.dialAt}</dt>
          <dd>
            {listening.length === 0 && <span class="quiet">{S.dialNowhere}</span>}
            {listening.map((at) => (
              <span key={at} class="mono tiny block">
                {at}
              </span>
            ))}
          </dd>
        </div>
        {original !== null && (
          <div>
            <dt>{S.originalNodes}</dt>
            <dd>
              <span class="mono tiny">{original.account}</span>
              {original.gas !== null && <span class={`block tiny ${unitsOf(original.gas) === 0n ? 'warn-text' : 'quiet'}`}>{unitsOf(original.gas) === 0n ? S.gasEmpty : S.originalGas(showMoney(unitsOf(original.gas), gasToken))}</span>}
              <span class="mono tiny block">{original.listening ?? S.originalShut}</span>
            </dd>
          </div>
        )}
        {watch !== null && (
          <div>
            <dt>{S.guards}</dt>
            <dd class="quiet">{S.guardsText(watch.jobs, new Set(watch.guardians.map((one) => one.channel)).size)}</dd>
          </div>
        )}
      </dl>
    </section>
  )
}
