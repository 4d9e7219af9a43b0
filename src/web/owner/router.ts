/** Hash routes: `#/guests/abc?new` would be view `guests`, id `abc`. Unknown ones lead home. */
import { useEffect, useState } from 'preact/hooks'

const VIEWS = ['home', 'guests', 'vouchers', 'prices', 'more', 'chain', 'channels', 'payouts', 'mesh', 'iot', 'health', 'settings'] as const
export type ViewName = (typeof VIEWS)[number]
export interface Route {
  readonly view: ViewName
  /** What of the view is open: a session, a voucher run, `new`. */
  readonly id: string | null
}

export function parseRoute(hash: string): Route {
  const [name = '', id = ''] = hash.replace(/^#\/?/, '').split('/')
  const view = VIEWS.find((known) => known === name) ?? 'home'
  return { view, id: view !== name || id === '' ? null : decode(id) }
}

export function hrefOf(view: ViewName, id?: string): string {
  return id === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`
}

export function go(view: ViewName, id?: string): void {
  location.hash = hrefOf(view, id)
}

/** Leaves an opened thing without another step in the browser's history. */
export function closeTo(view: ViewName): void {
  history.replaceState(null, '', hrefOf(view))
  window.dispatchEvent(new HashChangeEvent('hashchange'))
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const changed = (): void => setRoute(parseRoute(location.hash))
    window.addEventListener('hashchange', changed)
    return () => window.removeEventListener('hashchange', changed)
  }, [])
  return route
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a stray % typed by hand: the box will not know the id
  }
}
