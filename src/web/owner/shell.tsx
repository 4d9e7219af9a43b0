/** Frame of the signed-in dashboard: navigation, page, and where the focus goes when the page changes. */
import { useEffect, useRef } from 'preact/hooks'
import { useCell } from './cell.ts'
import { auth } from './client.ts'
import { hrefOf, useRoute, type Route, type ViewName } from './router.ts'
import { followsChain, hasShares, hearsSensors, levelOf, useStatus } from './status.ts'
import * as S from './strings.ts'
import { ConnectionBanner } from './ui/connection-banner.tsx'
import { Icon, Mark, type IconName } from './ui/icon.tsx'
import { SignOutButton } from './ui/sign-out.tsx'
import { GuestsView } from './views/guests.tsx'
import { HealthView } from './views/health.tsx'
import { HomeView } from './views/home.tsx'
import { MoreView } from './views/more.tsx'
import { PricesView } from './views/prices.tsx'
import { SeldomView } from './views/seldom.tsx'
import { SettingsView } from './views/settings.tsx'
import { VouchersView } from './views/vouchers.tsx'
import { Hidden } from './ui/notice.tsx'

const ICONS: Record<ViewName, IconName> = {
  home: 'home',
  guests: 'guests',
  vouchers: 'ticket',
  prices: 'tag',
  more: 'more',
  chain: 'chain',
  channels: 'channels',
  payouts: 'share',
  mesh: 'mesh',
  iot: 'antenna',
  health: 'health',
  settings: 'settings',
}
const SIDE: readonly ViewName[] = ['home', 'guests', 'vouchers', 'prices', 'chain', 'channels', 'payouts', 'mesh', 'iot', 'health', 'settings']
const BOTTOM: readonly ViewName[] = ['home', 'guests', 'vouchers', 'prices', 'more']

export function Shell({ place }: { place: string }) {
  const route = useRoute()
  const status = useStatus()
  const main = useRef<HTMLElement>(null)
  const isLocked = useCell(auth).phase === 'locked'
  const level = status.data ? levelOf(status.data) : 'ok'
  const name = status.data?.name ?? place
  const isThere = (view: ViewName): boolean => {
    if (status.data === null) return !['chain', 'channels', 'payouts', 'iot'].includes(view)
    if (view === 'chain') return followsChain(status.data)
    if (view === 'iot') return hearsSensors(status.data)
    if (view === 'payouts') return hasShares(status.data)
    return view !== 'channels' || status.data.photon
  }

  useEffect(() => {
    document.title = S.title(S.nav[route.view], name)
  }, [route.view, name])

  useEffect(() => {
    window.scrollTo(0, 0)
    main.current?.querySelector<HTMLElement>('h1')?.focus()
  }, [route.view])

  const link = (view: ViewName, isCurrent: boolean) => (
    <li key={view}>
      <a href={hrefOf(view)} aria-current={isCurrent ? 'page' : undefined}>
        <Icon name={ICONS[view]} size={22} />
        <span>{S.nav[view]}</span>
        {(view === 'health' || view === 'more') && level !== 'ok' && (
          <span class={`nav-mark nav-mark-${level}`}>
            <Hidden>{S.healthSummary[level]}</Hidden>
          </span>
        )}
      </a>
    </li>
  )
  const isMore = route.view === 'more' || route.view === 'chain' || route.view === 'channels' || route.view === 'payouts' || route.view === 'mesh' || route.view === 'iot' || route.view === 'health' || route.view === 'settings'

  return (
    <div class={`shell${isLocked ? ' shell-locked' : ''}`}>
      <a
        class="skip"
        href={hrefOf(route.view)}
        onClick={(event) => {
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {S.skip}
      </a>
      <ConnectionBanner />
      <header class="top">
        <a class="brand" href={hrefOf('home')}>
          <Mark size={26} />
          <span class="brand-name">{name}</span>
        </a>
      </header>
      <header class="nav-side">
        <a class="brand" href={hrefOf('home')}>
          <Mark size={32} />
          <span class="brand-name">{name}</span>
        </a>
        <nav aria-label={S.nav.label}>
          <ul>{SIDE.filter(isThere).map((view) => link(view, view === route.view))}</ul>
        </nav>
        <div class="nav-foot">
          <SignOutButton kind="quiet" />
        </div>
      </header>
      <main class="main" ref={main} tabIndex={-1}>
        <View route={route} />
      </main>
      <nav class="nav-bottom" aria-label={S.nav.label}>
        <ul>{BOTTOM.map((view) => link(view, view === route.view || (view === 'more' && isMore)))}</ul>
      </nav>
    </div>
  )
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case 'home':
      return <HomeView id={route.id} />
    case 'guests':
      return <GuestsView id={route.id} />
    case 'vouchers':
      return <VouchersView id={route.id} />
    case 'prices':
      return <PricesView />
    case 'more':
      return <MoreView />
    case 'chain':
    case 'channels':
    case 'payouts':
    case 'mesh':
    case 'iot':
      return <SeldomView key={route.view} view={route.view} id={route.id} />
    case 'health':
      return <HealthView />
    case 'settings':
      return <SettingsView />
  }
}
