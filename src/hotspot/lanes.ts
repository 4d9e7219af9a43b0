/**
 * Lanes: work on the same voucher, device or session goes one after the other, in the order it came; work
 * on different ones goes side by side (and shares the store's group commits).
 *
 * Keys are taken all at once. A task may take further lanes only of a later kind than those it holds:
 * vouchers and devices first, sessions last. So nobody waits in a circle.
 */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `task` when everybody before it in any of these lanes is done; passes on what it gives or throws. */
  async run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T> {
    const before = [...new Set(keys)].map((key) => this.#tails.get(key))
    let leave: () => void = () => undefined
    const done = new Promise<void>((resolve) => {
      leave = resolve
    })
    for (const key of keys) this.#tails.set(key, done)
    try {
      await Promise.all(before)
      return await task()
    } finally {
      for (const key of keys) if (this.#tails.get(key) === done) this.#tails.delete(key)
      leave()
    }
  }

  isBusy(key: string): boolean {
    return this.#tails.has(key)
  }

  /** Resolves when nobody is in any lane. */
  async empty(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }
}

export const voucherLane = (id: string): string => `voucher ${id}`
export const deviceLane = (mac: string): string => `device ${mac}`
export const sessionLane = (id: string): string => `session ${id}`
