/**
 * Lets the clock of the online page tick, and keeps it right: the server's word counts, asked each minute
 * and whenever the page is looked at again (a sleeping phone stops our clock). Without `fetch` the page is
 * simply loaded again. At zero, or when the session is no longer what the page shows, the start page is
 * loaded in full, so that the phone looks for itself whether it is online.
 */
import { clockText, wholeDays } from './clock.ts'
import { element, goHome } from './page.ts'

interface Status {
  state?: string
  secondsLeft?: number | null
  secondsUsed?: number
  days?: string
  data?: string | null
  dataShare?: number | null
}

const ASK_EVERY_MS = 60_000
const RELOAD_WITHOUT_FETCH_MS = 300_000
/** After zero: time for the server to close the session before the page asks for it. */
const AFTER_ZERO_MS = 1_500

export function startCountdown(): void {
  const clock = element('clock')
  const shown = Number(clock?.getAttribute('data-left') ?? NaN)
  const isTicking = clock !== null && Number.isFinite(shown)
  if (!isTicking && !element('data')) return
  let left = shown
  let total = shown + Number(clock?.getAttribute('data-used') ?? 0)
  let setAt = now()
  let isOver = false
  const days = wholeDays(shown)

  const tick = (): void => {
    if (!isTicking || isOver) return
    const rest = left - (now() - setAt) / 1000
    if (rest <= 0) {
      isOver = true
      clock.textContent = clockText(0, false)
      setTimeout(goHome, AFTER_ZERO_MS)
      return
    }
    if (wholeDays(rest) !== days) return goHome() // the days are written out in the guest's language
    clock.textContent = clockText(rest, days > 0)
    element('ring')?.setAttribute('stroke-dasharray', ((100 * rest) / Math.max(1, total)).toFixed(1) + ' 100')
    if (rest <= Number(clock.getAttribute('data-low'))) {
      element('dial')?.classList.add('low')
      element('low')?.removeAttribute('hidden')
    }
    announce(rest)
  }
  const apply = (status: Status): void => {
    if (status.state !== 'active') return goHome()
    if (isTicking && typeof status.secondsLeft === 'number') {
      left = status.secondsLeft
      total = left + (status.secondsUsed ?? 0)
      setAt = now()
    }
    const data = element('data')
    if (data && typeof status.data === 'string') data.textContent = status.data
    if (typeof status.dataShare === 'number') element('bar')?.setAttribute('width', (100 * status.dataShare).toFixed(1))
    tick()
  }
  const ask = (): void => {
    if (isOver || document.hidden) return
    fetch('/status.json' + location.search, { cache: 'no-store' })
      .then((answer) => answer.json() as Promise<Status>)
      .then(apply, () => undefined) // out of reach for a moment: the clock goes on by itself
  }

  if (typeof fetch === 'function') {
    setInterval(ask, ASK_EVERY_MS)
    document.addEventListener('visibilitychange', ask)
  } else setInterval(goHome, RELOAD_WITHOUT_FETCH_MS)
  setInterval(tick, 1000)
}

let lastSaid = Infinity

/** Speaks once when a threshold is passed; the clock itself is silent for screen readers. */
function announce(rest: number): void {
  const say = element('say')
  if (!say) return
  const words = JSON.parse(say.getAttribute('data-say') ?? '{}') as Record<string, string>
  const passed = Object.keys(words)
    .map(Number)
    .filter((seconds) => rest <= seconds && rest > seconds - 2)
  const threshold = passed.length === 0 ? undefined : Math.min(...passed)
  if (threshold === undefined || threshold === lastSaid) return
  lastSaid = threshold
  say.textContent = words[threshold] ?? ''
}

/** Never jumps, where the browser has it. */
function now(): number {
  return typeof performance === 'object' ? performance.now() : Date.now()
}
