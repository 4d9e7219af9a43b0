/** The guests: who is online now, who was here, found by device or name; one opens as a sheet. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { SessionJson } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { showBytes, showDuration } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, unitsOf } from '../money.ts'
import { closeTo, hrefOf } from '../router.ts'
import { useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { useTariff } from '../tariff.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Tabs } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Hidden, Pending } from '../ui/notice.tsx'
import { PageHead } from '../ui/page.tsx'
import { GuestDialog } from './guest-dialog.tsx'
import { percentLeft, Remaining, Started, StatePill, Traffic, useSecondsLeft } from './guest-parts.tsx'

const OPEN_MS = 5_000
const HISTORY_MS = 30_000
const PAGE = 50
const MOST = 500
const TYPING_PAUSE_MS = 250

type Filter = 'open' | 'all'

export function GuestsView({ id }: { id: string | null }) {
  const [filter, setFilter] = useState<Filter>('open')
  const [typed, setTyped] = useState('')
  const find = useSettled(typed.trim())
  const status = useStatus()
  const tariff = useTariff()
  const [pages, setPages] = useState(1)
  const limit = filter === 'open' ? MOST : Math.min(MOST, pages * PAGE)
  const query = { state: filter, limit, ...(find === '' ? {} : { find }) }
  const guests = useLive(`guests/${filter}/${limit}/${find}`, () => call('sessions', { query }), filter === 'open' ? OPEN_MS : HISTORY_MS)
  const sessions = useLastList(guests.data?.sessions ?? null, `${filter}/${find}`)
  const counts = status.data?.sessions

  return (
    <div class="page">
      <PageHead title={S.guestsTitle} lead={counts && counts.active + counts.paused > 0 && S.guestsLead(counts.active, counts.paused)} />
      <div class="filters">
        <Tabs
          legend={S.guestsFilter}
          value={filter}
          onInput={setFilter}
          options={[
            { value: 'open', label: S.guestsNow },
            { value: 'all', label: S.guestsHistory },
          ]}
        />
        <label class="search">
          <Hidden>{S.guestsFind}</Hidden>
          <Icon name="search" size={18} />
          <input type="search" value={typed} placeholder={S.guestsFindExample} onInput={(event) => setTyped(event.currentTarget.value)} maxLength={64} />
        </label>
      </div>
      <div class="card">
        {!sessions && (
          <div class="card-pad">
            <Pending live={guests} lines={5} height="48px" />
          </div>
        )}
        {sessions?.length === 0 && <NoGuests filter={filter} find={find} />}
        {sessions && sessions.length > 0 && (
          <>
            <div class="guest-columns" aria-hidden="true">
              <span>{S.guestsColumns.guest}</span>
              <span />
              <span>{filter === 'open' ? S.guestsColumns.left : S.guestFacts.started}</span>
              <span>{filter === 'open' ? S.guestsColumns.traffic : S.guestFacts.used}</span>
              <span>{S.guestsColumns.devices}</span>
              <span class="right">{S.guestsColumns.paid}</span>
            </div>
            <ul class="lines">
              {sessions.map((session) => (
                <GuestRow key={session.id} session={session} at={guests.at} token={tariff.data?.token ?? null} isHistory={filter === 'all'} />
              ))}
            </ul>
          </>
        )}
        {guests.data && guests.data.nextBeforeId !== null && (
          <div class="card-foot">
            {limit < MOST ? (
              <Button kind="quiet" onClick={() => setPages(pages * 2)}>
                {S.wordsMore}
              </Button>
            ) : (
              <p class="small quiet foot-text">{S.guestsOlder}</p>
            )}
          </div>
        )}
      </div>
      {id !== null && (
        <GuestDialog
          id={id}
          known={sessions?.find((session) => session.id === id) ?? null}
          knownAt={guests.at}
          token={tariff.data?.token ?? null}
          onClose={() => {
            closeTo('guests')
            void guests.reload()
          }}
        />
      )}
    </div>
  )
}

function NoGuests({ filter, find }: { filter: Filter; find: string }) {
  if (find !== '') return <Empty icon="search" title={S.guestsNoneFound} text={S.guestsNoneFoundText} />
  if (filter === 'all') return <Empty icon="guests" title={S.guestsNoneHistory} text={S.guestsNoneHistoryText} />
  return (
    <Empty icon="guests" title={S.guestsNone} text={S.guestsNoneText}>
      <LinkButton kind="primary" icon="plus" href={hrefOf('home', 'voucher')}>
        {S.homeNewVoucher}
      </LinkButton>
    </Empty>
  )
}

interface RowProps {
  readonly session: SessionJson
  readonly at: number
  readonly token: { symbol: string; decimals: number } | null
  readonly isHistory: boolean
}

function GuestRow({ session, at, token, isHistory }: RowProps) {
  const left = useSecondsLeft(session, at)
  const percent = session.state === 'ended' ? null : percentLeft(session, left)
  const device = session.devices[0]
  const paid = unitsOf(session.paid)
  return (
    <li class="guest line-link">
      <div class="guest-name">
        <a class="cover" href={hrefOf('guests', session.id)}>
          {session.label}
        </a>
        <span class="quiet tiny">
          <span class="mono">{device?.mac ?? S.wordsNone}</span>
          {device?.ip4 && <span class="mono guest-ip"> · {device.ip4}</span>}
        </span>
      </div>
      <div class="guest-state">
        <StatePill session={session} />
      </div>
      <div class="guest-left">
        {isHistory ? (
          <span class="small">
            <Started session={session} />
          </span>
        ) : (
          <>
            <Hidden>{S.guestsColumns.left} </Hidden>
            <Remaining session={session} at={at} />
            {percent !== null && (
              <span class={`meter meter-thin${session.state === 'paused' ? ' meter-paused' : ''}`} aria-hidden="true">
                <i style={{ width: `${percent}%` }} />
              </span>
            )}
          </>
        )}
      </div>
      <div class="guest-traffic small">
        {isHistory ? (
          <span class="num">
            {showDuration(session.secondsUsed)} <span class="quiet">· {showBytes(session.downBytes + session.upBytes)}</span>
          </span>
        ) : (
          <Traffic session={session} />
        )}
      </div>
      <div class="guest-devices small num">
        <Icon name="phone" size={16} />
        <Hidden>{S.guestsColumns.devices} </Hidden>
        {S.guestsOfDevices(session.devices.length, session.devicesMax)}
      </div>
      <div class="guest-paid num">
        <Hidden>{S.guestsColumns.paid} </Hidden>
        {paid === 0n ? S.wordsFree : token ? showMoney(paid, token) : session.paid.text}
      </div>
    </li>
  )
}

/** The text once the typing has stopped for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

/** The list as it was, while a longer one of the same kind is on its way. */
function useLastList(list: readonly SessionJson[] | null, kind: string): readonly SessionJson[] | null {
  const last = useRef<{ kind: string; list: readonly SessionJson[] } | null>(null)
  if (list !== null) last.current = { kind, list }
  return list ?? (last.current?.kind === kind ? last.current.list : null)
}
