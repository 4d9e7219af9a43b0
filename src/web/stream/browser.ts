/** The browser's clock, timers and visibility, as a stream takes them. */
import type { PageTime } from './ports.ts'

/**
 * Milliseconds that passed, by the clock that says more: `performance.now()` stands still on some phones while the page
 * sleeps, the wall clock may be set back. A wall clock set forward lets the box be paid no earlier than it says it served.
 */
export const browserTime: PageTime = {
  now() {
    const [ticking, wall] = [performance.now(), Date.now()]
    passedMs += Math.max(ticking - lastTicking, wall - lastWall, 0)
    lastTicking = ticking
    lastWall = wall
    return passedMs
  },
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
let passedMs = 0
let lastTicking = performance.now()
let lastWall = Date.now()

/** `pagehide` too: some phones say nothing else before they put a page to sleep. */
export function onVisibility(changed: () => void): void {
  document.addEventListener('visibilitychange', changed)
  addEventListener('pagehide', changed)
}

/** False on plain HTTP: then the page may be another's work, and its key may hold little. */
export function isTrustedPage(): boolean {
  return globalThis.isSecureContext === true
}
