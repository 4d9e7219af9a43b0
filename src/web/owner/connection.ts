/**
 * Whether the box answers. After the first silence the box is asked again with a growing pause (1, 2, 4 …
 * 30 s) until it answers; then every open view loads anew.
 */
import { cell } from './cell.ts'

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000]
const PROBE_TIMEOUT_MS = 5_000

export interface Connection {
  readonly lost: boolean
  /** When the next try is due, on performance.now(). */
  readonly nextTryAt: number
}

export const connection = cell<Connection>({ lost: false, nextTryAt: 0 })
let failures = 0
let timer: ReturnType<typeof setTimeout> | undefined

export function reportAnswer(): void {
  failures = 0
  clearTimeout(timer)
  if (connection.get().lost) connection.set({ lost: false, nextTryAt: 0 })
}

export function reportSilence(): void {
  if (!connection.get().lost) scheduleProbe()
}

/** Asks now instead of waiting. */
export function tryNow(): void {
  clearTimeout(timer)
  void probe()
}

function scheduleProbe(): void {
  const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 30_000
  failures++
  clearTimeout(timer)
  timer = setTimeout(() => void probe(), pause)
  connection.set({ lost: true, nextTryAt: performance.now() + pause })
}

async function probe(): Promise<void> {
  const giveUp = new AbortController()
  const limit = setTimeout(() => giveUp.abort(), PROBE_TIMEOUT_MS)
  const answered = await fetch('/api/login', { cache: 'no-store', signal: giveUp.signal }).then(
    (response) => response.status < 500,
    () => false,
  )
  clearTimeout(limit)
  if (answered) reportAnswer()
  else scheduleProbe()
}

window.addEventListener('online', tryNow)
