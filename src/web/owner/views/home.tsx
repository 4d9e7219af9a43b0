/** Home: is money coming in, who is online, is the box well, and the two things done at the counter. */
import type { SessionsJson, StatusJson } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { useLive, type Live } from '../live.ts'
import { closeTo, go, hrefOf } from '../router.ts'
import { levelOf, useStatus } from '../status.ts'
import { S } from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, LoadFailed, Skeleton } from '../ui/notice.tsx'
import { CounterVoucherDialog } from './counter-voucher.tsx'
import { EarningsCard } from './earnings-card.tsx'
import { Remaining, StatePill } from './guest-parts.tsx'
import { LevelDot } from './health-parts.tsx'

const GUESTS_MS = 5_000
const GUESTS_SHOWN = 6

export function useOpenGuests(): Live<SessionsJson> {
  return useLive('guests/open', () => call('sessions', { query: { state: 'open', limit: 200 } }), GUESTS_MS)
}

export function HomeView({ id }: { id: string | null }) {
  const status = useStatus()
  const guests = useOpenGuests()
  return (
    <div class="page">
      <div class="page-head">
        <h1 tabIndex={-1}>{S.home.title}</h1>
      </div>
      <HealthStrip status={status} />
      <div class="columns">
        <EarningsCard />
        <div class="stack home-side">
          <CounterCard unused={status.data?.vouchersUnused ?? null} />
          <GuestsCard guests={guests} />
        </div>
      </div>
      {id === 'voucher' && <CounterVoucherDialog onClose={() => closeTo('home')} />}
    </div>
  )
}

/** One line when all is well; otherwise the worst two parts, with what to do. */
function HealthStrip({ status }: { status: Live<StatusJson> }) {
  const { data } = status
  if (!data) return status.error ? <LoadFailed text={status.error} onRetry={() => void status.reload()} /> : <div class="skeleton strip" aria-hidden="true" />
  const level = levelOf(data)
  const troubles = data.health.filter((line) => line.level !== 'ok').slice(0, 2)
  const wellParts = data.health.filter((line) => line.level === 'ok' && ['gate', 'clock', 'store'].includes(line.part))
  return (
    <div class={`card strip strip-${level} line-link`}>
      <LevelDot level={level} />
      <div class="strip-text">
        {level === 'ok' ? (
          <p>
            <span class="strong">{S.home.allWell}</span> <span class="quiet strip-more">{wellParts.map((line) => line.text).join(' · ')}</span>
          </p>
        ) : (
          troubles.map((line) => (
            <p key={line.part}>
              <span class="strong">{line.text}</span> {line.advice && <span class="strip-more">{line.advice}</span>}
            </p>
          ))
        )}
      </div>
      <a class="cover" href={hrefOf('health')}>
        <span class="hidden-text">{S.nav.health}</span>
        <Icon name="right" size={18} />
      </a>
    </div>
  )
}

function CounterCard({ unused }: { unused: number | null }) {
  return (
    <section class="card card-pad stack" aria-labelledby="counter">
      <div class="row-apart">
        <h2 id="counter">{S.home.counter}</h2>
        {unused !== null && <span class="quiet small">{unused === 0 ? S.home.unusedNone : S.home.unused(unused)}</span>}
      </div>
      <div class="counter-buttons">
        <Button kind="primary" icon="plus" onClick={() => go('home', 'voucher')}>
          {S.home.newVoucher}
        </Button>
        <LinkButton icon="print" href={hrefOf('vouchers', 'new')}>
          {S.home.printSheet}
        </LinkButton>
      </div>
    </section>
  )
}

function GuestsCard({ guests }: { guests: Live<SessionsJson> }) {
  const sessions = guests.data?.sessions
  return (
    <section class="card" aria-labelledby="online">
      <div class="card-head">
        <h2 id="online">{S.home.guests}</h2>
        {sessions && sessions.length > 0 && <span class="nav-count num">{sessions.length}</span>}
      </div>
      {!sessions && (
        <div class="card-pad">{guests.error ? <LoadFailed text={guests.error} onRetry={() => void guests.reload()} /> : <Skeleton lines={4} height="34px" />}</div>
      )}
      {sessions?.length === 0 && <Empty icon="guests" title={S.home.guestsNone} text={S.home.guestsNoneText} />}
      {sessions && sessions.length > 0 && (
        <>
          <ul class="lines">
            {sessions.slice(0, GUESTS_SHOWN).map((session) => (
              <li key={session.id} class="line line-link line-slim">
                <div class="line-text">
                  <a class="cover" href={hrefOf('guests', session.id)}>
                    {session.label}
                  </a>
                  <span class="quiet tiny mono">{session.devices[0]?.mac ?? ''}</span>
                </div>
                {session.state !== 'active' && <StatePill session={session} />}
                <Remaining session={session} at={guests.at} />
              </li>
            ))}
          </ul>
          <div class="card-foot">
            <LinkButton kind="quiet" small href={hrefOf('guests')}>
              {S.home.guestsAll}
              {sessions.length > GUESTS_SHOWN ? ` (${S.home.moreGuests(sessions.length - GUESTS_SHOWN)})` : ''}
            </LinkButton>
          </div>
        </>
      )}
    </section>
  )
}
