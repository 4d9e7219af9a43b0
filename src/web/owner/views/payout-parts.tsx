/** Parts of the payouts page: one party, the payouts so far, and rewards. */
import type { PayoutJson, PayoutMilestoneJson, PayoutPartyJson } from '../../../owner/api.ts'
import { pathOf } from '../client.ts'
import { showDateTime, showFullTime } from '../format.ts'
import { perMille, showMoney, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Hidden, Said } from '../ui/notice.tsx'
import { shortAddress } from './chain-parts.tsx'
import { LevelDot } from './health-parts.tsx'
import * as S from './payout-strings.ts'

const PER_PERCENT = 10_000

/** `investor:anna` as somebody reads it. */
export function nameOf(account: string): string {
  return account.slice(account.indexOf(':') + 1)
}

function roleOf(account: string): string {
  const role = account.slice(0, account.indexOf(':'))
  return S.roles[role] ?? role
}

function shareOf({ shares }: PayoutPartyJson): string {
  if (shares.length === 0) return S.noShare
  return shares.map(({ partsPerMillion, sources }) => S.share(`${partsPerMillion / PER_PERCENT} %`, sources.map((source) => S.sources[source] ?? W.source[source] ?? source))).join('; ')
}

type State = keyof typeof S.states

function stateOf({ owed, open, address }: PayoutPartyJson): State {
  if (open?.isAlarm) return 'fails'
  if (open !== null) return open.stage === 'waiting' && open.attempts > 0 ? 'tried' : 'leaving'
  if (unitsOf(owed) <= 0n) return unitsOf(owed) < 0n ? 'overdrawn' : 'even'
  return address === null ? 'nowhere' : 'waits'
}

const PILLS: Readonly<Record<State, string>> = { even: 'pill-good', overdrawn: '', waits: '', leaving: 'pill-good', nowhere: 'pill-warn', tried: 'pill-warn', fails: 'pill-warn' }

/** Of a dialog in the address: `pay investor:anna SMT`. */
export function partyRoute(what: 'pay' | 'note', { account, token }: PayoutPartyJson): string {
  return `${what} ${account} ${token.symbol}`
}

export interface PartyProps {
  readonly party: PayoutPartyJson
  readonly isBusy: boolean
  readonly onTry: (payout: number) => void
}

export function PartyLine({ party, isBusy, onTry }: PartyProps) {
  const { account, token, address, open, waitsFor, last } = party
  const owed = unitsOf(party.owed)
  const state = stateOf(party)
  const name = nameOf(account)
  return (
    <li class="party">
      <div class="party-head">
        <h3 class="party-name">
          <bdi>{name}</bdi>
        </h3>
        <span class={`pill ${PILLS[state]}`}>
          <span class={`dot${state === 'even' || state === 'leaving' ? '' : ' dot-hollow'}`} aria-hidden="true" />
          {S.states[state]}
        </span>
        <p class="small quiet party-share">
          {roleOf(account)} · {shareOf(party)}
        </p>
      </div>
      <dl class="party-sums">
        <div>
          <dt>{S.owed}</dt>
          <dd class="strong num">{showMoney(owed, token)}</dd>
        </div>
        <div>
          <dt>{S.paid}</dt>
          <dd class="num">{showMoney(unitsOf(party.paid), token)}</dd>
        </div>
        <div>
          <dt>{S.last}</dt>
          <dd class="num" title={last === null ? undefined : showFullTime(last.paidWallMs)}>
            {last === null ? <span class="quiet">{S.lastNever}</span> : showDateTime(last.paidWallMs)}
          </dd>
        </div>
        <div>
          <dt>{S.to}</dt>
          <dd class="small">
            {address === null ? (
              <span class="quiet">{S.noAddress}</span>
            ) : (
              <span class="mono" title={address}>
                {shortAddress(address)}
              </span>
            )}
          </dd>
        </div>
      </dl>
      {open === null ? waitsFor !== null && <p class="small quiet party-words">{S.waits(waitsFor)}</p> : <Open open={open} />}
      {open !== null && open.stage === 'waiting' && (
        <div class="party-foot">
          <Button small busy={isBusy} onClick={() => onTry(open.id)}>
            {S.tryNow}
            <Hidden>: {name}</Hidden>
          </Button>
        </div>
      )}
      {open === null && owed > 0n && (
        <div class="party-foot">
          <LinkButton small kind="quiet" href={hrefOf('payouts', partyRoute('note', party))}>
            {S.byHand}
            <Hidden>: {name}</Hidden>
          </LinkButton>
          {address !== null && (
            <LinkButton small href={hrefOf('payouts', partyRoute('pay', party))}>
              {S.payNow}
              <Hidden>: {name}</Hidden>
            </LinkButton>
          )}
        </div>
      )}
    </li>
  )
}

/** As a sentence; accounts short, but in commands that are to be copied. */
function readable(problem: string): string {
  const text = problem
    .split('`')
    .map((part, at) => (at % 2 === 1 ? part : part.replace(/0x[0-9a-f]{40}/gi, shortAddress)))
    .join('`')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

function Open({ open }: { open: PayoutJson }) {
  const { problem, attempts, retrySeconds, stage, isAlarm, routed, token } = open
  return (
    <div class="channel-alarm small">
      {problem !== null && <LevelDot level={isAlarm ? 'bad' : 'warn'} />}
      <div class="party-words">
        <p class="strong num">{S.under(showMoney(unitsOf(open.amount), open.token))}</p>
        {problem !== null && (
          <p>
            <Said text={readable(problem)} />
          </p>
        )}
        {stage === 'paying' && <p class="quiet">{routed?.waits == null ? S.unacknowledged : S.lockWaits[routed.waits.for]}</p>}
        {routed?.waits != null && (
          <p class="quiet num">
            {S.over(routed.via.length)} · {S.feeOnTop(showMoney(unitsOf(routed.fee), token))}
            {routed.waits.endsBlock !== null && ` · ${S.lockEnds(routed.waits.endsBlock, routed.waits.endsInSeconds)}`}
          </p>
        )}
        {stage === 'waiting' && attempts > 0 && <p class="quiet num">{S.retry(retrySeconds, attempts)}</p>}
      </div>
    </div>
  )
}

export interface HistoryProps {
  readonly payouts: readonly PayoutJson[]
  /** Null: these are all. */
  readonly onMore: (() => void) | null
}

export function HistoryCard({ payouts, onMore }: HistoryProps) {
  return (
    <section class="card" aria-labelledby="payouts-so-far">
      <div class="card-head">
        <div>
          <h2 id="payouts-so-far">{S.history}</h2>
          <p>{payouts.length === 0 ? S.historyNone : S.statementsText}</p>
        </div>
      </div>
      {payouts.length > 0 && (
        <ul class="lines">
          {payouts.map((payout) => (
            <PayoutLine key={payout.id} payout={payout} />
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

function PayoutLine({ payout }: { payout: PayoutJson }) {
  const { id, account, state, reason, paidWallMs, madeWallMs, entries, to, routed } = payout
  return (
    <li class="line line-top payout-line">
      <div class="line-text">
        <span>
          <bdi>{nameOf(account)}</bdi>{' '}
          <span class="tiny quiet" title={to}>
            <span class="mono">{shortAddress(to)}</span>
          </span>
        </span>
        <span class={`tiny ${state === 'dropped' ? 'warn-text' : 'quiet'}`}>
          {S.historyStates[state] ?? state} · {showDateTime(paidWallMs ?? madeWallMs)} · {S.reasons[reason]}
        </span>
        <span class="tiny quiet num">{S.entries(...entries)}</span>
        {state === 'paid' && routed !== null && (
          <span class="tiny quiet num" title={routed.via.join(', ')}>
            {S.over(routed.via.length)} · {S.feeOnTop(showMoney(unitsOf(routed.fee), payout.token))}
          </span>
        )}
      </div>
      <div class="payout-says">
        <span class={`num strong small${state === 'dropped' ? ' struck' : ''}`}>{showMoney(unitsOf(payout.amount), payout.token)}</span>
        {state === 'paid' && (
          <LinkButton small kind="quiet" icon="download" download href={pathOf('payoutStatement', { params: { id: String(id) }, query: {} })}>
            {S.statement}
            <Hidden>
              {' '}
              {id}: {nameOf(account)}
            </Hidden>
          </LinkButton>
        )}
      </div>
    </li>
  )
}

export function RewardsCard({ milestones, token }: { milestones: readonly PayoutMilestoneJson[]; token: PayoutPartyJson['token'] }) {
  if (milestones.length === 0) return null
  return (
    <section class="card" aria-labelledby="payout-rewards">
      <div class="card-head">
        <h2 id="payout-rewards">{S.rewards}</h2>
      </div>
      <ul class="lines">
        {milestones.map((milestone) => (
          <li key={milestone.id} class="party">
            <div class="row-apart">
              <bdi class="strong">{nameOf(milestone.account)}</bdi>
              <span class="num strong nowrap">{showMoney(unitsOf(milestone.reward), token)}</span>
            </div>
            <span class="meter" aria-hidden="true">
              <i style={{ width: `${Math.min(1000, perMille(BigInt(milestone.reached), BigInt(milestone.count))) / 10}%` }} />
            </span>
            <p class="small quiet num">
              {S.reached(Number(milestone.reached).toLocaleString('en'), milestone.count.toLocaleString('en'), S.measures[milestone.measure] ?? milestone.measure)} ·{' '}
              {S.rewardState[milestone.entryId !== null ? 'booked' : milestone.isWaiting ? 'waits' : 'open']}
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}
