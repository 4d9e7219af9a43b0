/** The pages of seldom-views.ts: a heading at once, the page as soon as its script is here. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import * as S from '../strings.ts'
import { ConnectionBanner } from '../ui/connection-banner.tsx'
import { Pending } from '../ui/notice.tsx'

type Views = typeof import('./seldom-views.ts')
let kept: Views | null = null

/** First run. */
export function SetupGate() {
  return (
    <Seldom
      show={(views) => <views.SetupPage />}
      wait={(pending) => (
        <main class="gate-page">
          <ConnectionBanner />
          <div class="gate-card gate-card-wide">{pending}</div>
        </main>
      )}
    />
  )
}

/** A page of the navigation. */
export function SeldomView({ view, id }: { view: 'chain' | 'channels' | 'payouts' | 'mesh' | 'iot'; id: string | null }) {
  return (
    <Seldom
      show={(views) => (view === 'chain' ? <views.ChainView id={id} /> : view === 'iot' ? <views.IotView id={id} /> : view === 'mesh' ? <views.MeshView id={id} /> : view === 'payouts' ? <views.PayoutsView id={id} /> : <views.ChannelsView id={id} />)}
      wait={(pending) => (
        <div class="page">
          <h1 tabIndex={-1}>{S.nav[view]}</h1>
          <div class="card card-pad">{pending}</div>
        </div>
      )}
    />
  )
}

interface SeldomProps {
  readonly show: (views: Views) => ComponentChildren
  readonly wait: (pending: ComponentChildren) => ComponentChildren
}

/** A browser may remember that a script did not come: to try again is to load the page again, at the same place. */
function Seldom({ show, wait }: SeldomProps) {
  const [views, setViews] = useState(kept)
  const [failed, setFailed] = useState(false)
  const load = async (): Promise<void> => {
    try {
      kept = await import('./seldom-views.ts')
      setViews(kept)
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown // what a browser throws when a script does not come
      setFailed(true)
    }
  }
  useEffect(() => {
    if (views === null) void load()
    // The heading that had the focus is gone with the page that stood in.
    else if (document.activeElement === document.body) document.querySelector<HTMLElement>('main h1')?.focus()
  }, [views])
  return <>{views === null ? wait(<Pending live={{ error: failed ? S.netNoAnswer : null, reload: async () => location.reload() }} lines={8} height="36px" />) : show(views)}</>
}
