import type { Store, Tx } from '../../../src/store/index.ts'

/** Lets so many turns through; the next is lost, or stored without anybody hearing of it. Then nothing is answered any more. */
export function failing(store: Store, turns: number, isStored: boolean): { readonly store: Store; readonly isCut: () => boolean } {
  let left = turns
  const never = new Promise<never>(() => undefined)
  const wrapped: Store = {
    turn: <T>(body: (tx: Tx) => T): Promise<T> => {
      if (left-- > 0) return store.turn(body)
      return left === -1 && isStored ? store.turn(body).then(() => never) : never
    },
    read: (body) => store.read(body),
    backup: (path) => store.backup(path),
    stats: () => store.stats(),
    close: () => store.close(),
  }
  return { store: wrapped, isCut: () => left < 0 }
}
