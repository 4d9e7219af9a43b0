/** The browser's clock, timers and visibility, as a stream takes them. */
import type { PageTime } from './ports.ts'

export const browserTime: PageTime = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** `pagehide` too: some phones say nothing else before they put a page to sleep. */
export function onVisibility(changed: () => void): void {
  document.addEventListener('visibilitychange', changed)
  addEventListener('pagehide', changed)
}

/** False on plain HTTP: then the page may be another's work, and its key may hold little. */
export function isTrustedPage(): boolean {
  return globalThis.isSecureContext === true
}
