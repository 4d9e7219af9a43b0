/** Home: is money coming in, who is online, is the box well, and the two things done at the counter. */
import type { SessionsJson, StatusJson } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { showToday } from '../format.ts'
import { useLive, type Live } from '../live.ts'
import { closeTo, go, hrefOf } from '../router.ts'
import { levelOf, useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Hidden, Pending, Said } from '../ui/notice.tsx'
import { PageHead } from '../ui/page.tsx'
import { CounterVoucherDialog } from './counter-voucher.tsx'
import { EarningsCard } from './earnings-card.tsx'
import { Remaining } from './guest-parts.tsx'
import { LevelDot } from './health-parts.tsx'

const GUESTS_MS = 5_000
const GUESTS_SHOWN = 6

export function HomeView({ id }: { id: string | null }) {
  const status = useStatus()
  const guests = useLive('guests/home', () => call('sessions', { query: { state: 'open', limit: 200 } }), GUESTS_MS)
  const clock = status.data?.clock
  return (
    <div class="page">
      <PageHead title={S.homeTitle} lead={clock && (clock.trusted ? showToday(clock.wallMs) : S.homeNoDate)} />
      <HealthStrip status={status} />
      <div class="home">
        <EarningsCard />
        <CounterCard unused={status.data?.vouchersUnused ?? null} />
        <GuestsCard guests={guests} />
      </div>
      {id === 'voucher' && <CounterVoucherDialog onClose={() => closeTo('home')} />}
    </div>
  )
}

/** One line when all is well; otherwise the worst two parts, with what to do. */
function HealthStrip({ status }: { status: Live<StatusJson> }) {
  const { data } = status
  if (!data) return <div class="skeleton strip" aria-hidden="true" />
  const level = levelOf(data)
  const troubles = data.health.filter((line) => line.level !== 'ok').slice(0, 2)
  const wellParts = data.health.filter((line) => line.level === 'ok' && ['gate', 'clock', 'store', 'dnsmasq'].includes(line.part))
  return (
    <div class={`card strip strip-${level} line-link`}>
      <LevelDot level={level} />
      <div class="strip-text">
        {level === 'ok' ? (
          <p>
            <span class="strong">{S.homeAllWell}</span> <span class="quiet strip-more">{wellParts.map((line) => line.text).join(' · ')}</span>
          </p>
        ) : (
          troubles.map((line) => (
            <p key={line.part}>
              <span class="strong">{line.text}.</span> <span class="strip-more">{line.advice && <Said text={line.advice} />}</span>
            </p>
          ))
        )}
      </div>
      <a class="cover" href={hrefOf('health')}>
        <Hidden>{S.nav.health}</Hidden>
        <Icon name="right" size={18} />
      </a>
    </div>
  )
}

function CounterCard({ unused }: { unused: number | null }) {
  return (
    <section class="card card-pad stack home-counter" aria-labelledby="counter">
      <div>
        <h2 id="counter">{S.homeCounter}</h2>
        {unused !== null && <p class="quiet small">{unused === 0 ? S.homeUnusedNone : S.homeUnused(unused)}</p>}
      </div>
      <div class="counter-buttons">
        <Button kind="primary" icon="plus" onClick={() => go('home', 'voucher')}>
          {S.homeNewVoucher}
        </Button>
        <LinkButton icon="print" href={hrefOf('vouchers', 'new')}>
          {S.homePrintSheet}
        </LinkButton>
      </div>
    </section>
  )
}

function GuestsCard({ guests }: { guests: Live<SessionsJson> }) {
  const sessions = guests.data?.sessions
  return (
    <section class="card home-guests" aria-labelledby="online">
      <div class="card-head">
        <h2 id="online">{S.homeGuests}</h2>
        {sessions && sessions.length > 0 && <span class="nav-count num">{sessions.length}</span>}
      </div>
      {!sessions && (
        <div class="card-pad">
          <Pending live={guests} lines={4} height="34px" />
        </div>
      )}
      {sessions?.length === 0 && <Empty icon="guests" title={S.homeGuestsNone} text={S.homeGuestsNoneText} />}
      {sessions && sessions.length > 0 && (
        <>
          <ul class="lines">
            {sessions.slice(0, GUESTS_SHOWN).map((session) => (
              <li key={session.id} class="line line-link line-slim">
                <span class={`dot guest-dot-${session.state === 'paused' ? 'paused dot-pause' : 'on'}`} aria-hidden="true" />
                <div class="line-text">
                  <a class="cover" href={hrefOf('guests', session.id)}>
                    {session.label}
                  </a>
                  <span class="quiet tiny">
                    {session.state === 'active' ? <span class="mono">{session.devices[0]?.mac ?? ''}</span> : S.state[session.state]}
                  </span>
                </div>
                <Remaining session={session} at={guests.at} />
              </li>
            ))}
          </ul>
          <div class="card-foot">
            <LinkButton kind="quiet" small href={hrefOf('guests')}>
              {S.homeGuestsAll}
              {sessions.length > GUESTS_SHOWN ? ` (${S.homeMoreGuests(sessions.length - GUESTS_SHOWN)})` : ''}
            </LinkButton>
          </div>
        </>
      )}
    </section>
  )
}
