/**
 * Data of the box in a view: the last known answer at once, a fresh one as soon as it is here, and again
 * every few seconds while the page is looked at. Views that show the same data share it and its requests.
 * Answers are kept between views and thrown away at log-out.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { cell, useCell } from './cell.ts'
import { ApiError, auth } from './client.ts'
import { connection } from './connection.ts'

export interface Live<T> {
  readonly data: T | null
  /** Why there is no data, or why it is old. A silent box is not an error here: the banner says it. */
  readonly error: string | null
  /** performance.now() when `data` arrived: what running clocks count from. */
  readonly at: number
  readonly reload: () => Promise<void>
  /** Puts the answer of a changing request in place of the old data. */
  readonly put: (data: T) => void
}

interface Kept {
  data: unknown
  at: number
  error: string | null
  underWay: Promise<void> | null
  readonly watchers: Set<() => void>
}
const kept = new Map<string, Kept>()
/** More are forgotten, the oldest that nobody looks at first. */
const MOST_KEPT = 60

auth.watch(() => {
  const { phase } = auth.get()
  if (phase === 'in' || phase === 'locked') return
  for (const entry of kept.values()) Object.assign(entry, { data: null, at: 0, error: null })
})

function entryOf(key: string): Kept {
  let entry = kept.get(key)
  if (!entry) {
    entry = { data: null, at: 0, error: null, underWay: null, watchers: new Set() }
    kept.set(key, entry)
    if (kept.size > MOST_KEPT) forgetOne()
  }
  return entry
}

function forgetOne(): void {
  for (const [key, entry] of kept) {
    if (entry.watchers.size > 0 || entry.underWay !== null || entry.data === null) continue
    kept.delete(key)
    return
  }
}

function tell(entry: Kept): void {
  for (const watcher of [...entry.watchers]) watcher()
}

async function fetchInto(entry: Kept, load: () => Promise<unknown>): Promise<void> {
  try {
    entry.data = await load()
    entry.at = performance.now()
    entry.error = null
  } catch (thrown) {
    // 401 raises the password prompt, silence the banner: neither needs a word here
    entry.error = thrown instanceof ApiError && thrown.status !== 401 ? thrown.message : null
  }
  entry.underWay = null
  tell(entry)
}

/** `key` names the data; another key is other data. `everyMs` null: only when shown and on `reload`. */
export function useLive<T>(key: string, load: () => Promise<T>, everyMs: number | null): Live<T> {
  const [, draw] = useState(0)
  const loader = useRef(load)
  loader.current = load

  const reload = useCallback(async (): Promise<void> => {
    const entry = entryOf(key)
    await entry.underWay // it may have been asked before the change that this reload is for
    entry.underWay = fetchInto(entry, () => loader.current())
    await entry.underWay
  }, [key])

  const put = useCallback(
    (data: T): void => {
      const entry = entryOf(key)
      entry.data = data
      entry.at = performance.now()
      tell(entry)
    },
    [key],
  )

  useEffect(() => {
    const watcher = (): void => draw((count) => count + 1)
    const { watchers } = entryOf(key)
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }, [key])

  const reachable = !useCell(connection).lost
  const entered = useCell(auth).phase === 'in'
  useEffect(() => {
    if (!reachable || !entered) return undefined
    const entry = entryOf(key)
    let ended = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const round = async (): Promise<void> => {
      clearTimeout(timer)
      const isFresh = everyMs !== null && entry.data !== null && performance.now() - entry.at < everyMs / 2
      if (document.visibilityState === 'visible' && !isFresh) {
        entry.underWay ??= fetchInto(entry, () => loader.current())
        await entry.underWay
      }
      if (!ended && everyMs !== null) timer = setTimeout(() => void round(), everyMs)
    }
    const seen = (): void => {
      if (document.visibilityState === 'visible') void round()
    }
    void round()
    document.addEventListener('visibilitychange', seen)
    return () => {
      ended = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [key, everyMs, reachable, entered])

  const entry = entryOf(key)
  return { data: entry.data as T | null, error: entry.error, at: entry.at, reload, put }
}

const second = cell(performance.now())
let watchers = 0
let ticking: ReturnType<typeof setInterval> | undefined

/** performance.now(), again every second while something on the page counts down. One timer for all. */
export function useSecond(running = true): number {
  useEffect(() => {
    if (!running) return undefined
    if (watchers++ === 0) ticking = setInterval(() => second.set(performance.now()), 1000)
    second.set(performance.now())
    return () => {
      if (--watchers === 0) clearInterval(ticking)
    }
  }, [running])
  return useCell(second)
}
