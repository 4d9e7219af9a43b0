/** A value that views can watch. The whole shared state of the dashboard is a handful of these. */
import { useEffect, useState } from 'preact/hooks'

export interface Cell<T> {
  get(): T
  set(next: T): void
  /** Runs `listener` after each change; the returned function ends that. */
  watch(listener: () => void): () => void
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    watch: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The cell's value; the component is drawn again when it changes. */
export function useCell<T>(watched: Cell<T>): T {
  const [value, setValue] = useState<T>(() => watched.get())
  useEffect(() => {
    const take = (): void => setValue(() => watched.get())
    take() // it may have changed between the first drawing and this effect
    return watched.watch(take)
  }, [watched])
  return value
}
